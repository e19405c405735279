//! Settings take effect at once, and stay.

use crate::support::*;
use butterfly_kit::model_server::{Endpoint, Installed, Scenario};
use butterfly_window::{App, Options, Stage, run};
use std::sync::Arc;

/// A place in the window where nothing is written: between the title and the buttons at its right.
const BLANK: (i32, i32) = (760, 12);

/// Opens a heading of the settings.
async fn heading(app: &App<'_>, title: &str) -> anyhow::Result<()> {
    app.press("Ctrl+,").await?;
    app.click_on(&format!("the heading {title}"), |tree| {
        tree.find("navigation", "Settings")?.all().find(|node| node.role == "button" && node.name == title)
    })
    .await?;
    app.until(&format!("the page {title}"), |tree| tree.find("heading", title).map(drop)).await
}

/// Waits until the window is dark, or light.
async fn becomes(app: &App<'_>, dark: bool) -> anyhow::Result<()> {
    let looking = async {
        while (app.lightness(BLANK).await? < 128) != dark {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        Ok(())
    };
    tokio::time::timeout(butterfly_window::PATIENCE, looking).await?
}

#[test]
fn the_theme_changes_at_once_and_is_the_same_after_the_next_start() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let mut app = App::ready(&stage, Options::builtin()).await?;
        becomes(&app, false).await?;
        heading(&app, "Desktop").await?;
        app.click_id("setting-desktop-theme-dark").await?;
        becomes(&app, true).await?;
        app.sees("Saved").await?;
        app.press("Alt+F4").await?;
        assert!(app.ended().await?.success());
        let home = Arc::clone(&app.home);
        drop(app);
        let app = App::ready(&stage, Options::builtin().home(&home)).await?;
        becomes(&app, true).await?;
        app.press("Ctrl+K").await?;
        app.until("the palette is open", |tree| tree.id("palette-query").map(drop)).await?;
        app.write("light and dark").await?;
        app.until("it is chosen", |tree| tree.id("palette-frame.theme")?.states.is_selected().then_some(())).await?;
        app.press("Enter").await?;
        becomes(&app, false).await
    })
}

#[test]
fn the_model_that_was_set_answers_the_next_message() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let server = server().await?;
        server.install(Installed::chat("other:latest"));
        server.for_model(Endpoint::Chat, MODEL, Scenario::say("The first model."));
        server.for_model(Endpoint::Chat, "other:latest", Scenario::say("The other model."));
        let app = App::ready(&stage, Options::model(&server)).await?;
        heading(&app, "Model").await?;
        app.fill("setting-model-name", "other:latest").await?;
        app.press("Enter").await?;
        app.sees("Saved").await?;
        app.press("Ctrl+1").await?;
        ask(&app, "Who are you?", "The other model.").await?;
        app.until("the field says who answers", |tree| {
            tree.id("pick-model")?.name.contains("other:latest").then_some(())
        })
        .await
    })
}

#[test]
fn memory_that_was_switched_off_tells_the_model_nothing() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let server = saying("I see.").await?;
        let app = App::ready(&stage, Options::model(&server)).await?;
        ask(&app, "My bicycle is blue.", "I see.").await?;
        let recalled = async |question: &str| -> anyhow::Result<bool> {
            app.press("Ctrl+Shift+O").await?;
            app.holds("a new chat", |tree| answers(tree).is_empty() && tree.id("composer").is_some()).await?;
            ask(&app, question, "I see.").await?;
            let last =
                server.requests_of(Endpoint::Chat).pop().map(|request| request.body.to_string()).unwrap_or_default();
            Ok(last.contains("My bicycle is blue."))
        };
        assert!(recalled("Which colour has the bicycle?").await?);
        heading(&app, "Memory").await?;
        app.click_id("setting-memory-enabled").await?;
        app.sees("Saved").await?;
        assert!(!recalled("What colour is the bicycle?").await?);
        Ok(())
    })
}

#[test]
fn a_value_that_cannot_be_is_refused_while_it_is_typed() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let app = App::ready(&stage, Options::builtin()).await?;
        heading(&app, "Memory").await?;
        app.fill("setting-memory-retention_days", "soon").await?;
        app.until("it says what is wrong", |tree| {
            tree.all().find(|node| node.role == "alert" && !node.words().is_empty()).map(drop)
        })
        .await?;
        app.press("Esc").await?;
        app.until("Escape takes it back", |tree| {
            (tree.id("setting-memory-retention_days")?.text.as_deref()? == "0").then_some(())
        })
        .await
    })
}
