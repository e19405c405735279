//! With the mouse unplugged: everything is reached by keys, and the focus is trapped nowhere.

use crate::support::*;
use butterfly_api::config;
use butterfly_window::{App, Options, Stage, Tree, run};

/// What has the focus, as somebody would tell it from the rest.
fn focus(tree: &Tree) -> Option<String> {
    let node = tree.focused()?;
    Some(format!("{} #{} {:?}", node.role, node.id, node.name))
}

/// Presses Tab or Shift+Tab until the element with this id has the focus.
async fn tab_to(app: &App<'_>, chord: &str, id: &str) -> anyhow::Result<()> {
    for _ in 0..200 {
        let before = app.now().await?;
        if before.focused().is_some_and(|node| node.id == id) {
            return Ok(());
        }
        step(app, chord, &before).await?;
    }
    anyhow::bail!("#{id} is reached by no number of {chord}: {}", app.now().await?)
}

/// Presses a key that moves the focus, and says where it went.
async fn step(app: &App<'_>, chord: &str, before: &Tree) -> anyhow::Result<String> {
    let was = focus(before);
    app.press(chord).await?;
    app.until(&format!("{chord} moves the focus away from {was:?}"), |tree| {
        focus(tree).filter(|now| Some(now) != was.as_ref())
    })
    .await
}

#[test]
fn a_chat_and_a_setting_need_no_mouse() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let server = saying("Without a mouse.").await?;
        let app = App::ready(&stage, Options::model(&server)).await?;
        app.press("Ctrl+Shift+O").await?;
        send(&app, "How do I do this?").await?;
        answered(&app, "Without a mouse.").await?;

        app.press("Ctrl+,").await?;
        app.until("settings are shown", |tree| tree.find("main", "Settings").map(drop)).await?;
        app.press("Ctrl+K").await?;
        app.until("the palette is open", |tree| tree.id("palette-query").map(drop)).await?;
        app.write("search settings").await?;
        app.until("it is chosen", |tree| tree.id("palette-settings.search")?.states.is_selected().then_some(()))
            .await?;
        app.press("Enter").await?;
        app.focused("settings-search").await?;
        app.write("earlier conversations are drawn on").await?;
        app.until("the setting is found", |tree| tree.id("setting-memory-enabled").map(drop)).await?;
        tab_to(&app, "Tab", "setting-memory-enabled").await?;
        app.press("Space").await?;
        app.sees("Saved").await?;
        let value = async || -> anyhow::Result<String> {
            let all = app.bus().await?.call::<config::List>(&config::ListRequest::default()).await?;
            Ok(all
                .settings
                .into_iter()
                .find(|it| it.info.key == "memory.enabled")
                .map(|it| it.value)
                .unwrap_or_default())
        };
        assert_eq!(value().await?, "false");

        app.press("Ctrl+1").await?;
        app.until("the chat is as it was", |tree| (asked(tree) == ["How do I do this?"]).then_some(())).await?;
        app.press("Ctrl+L").await?;
        send(&app, "Thank you").await?;
        app.until("it answers", |tree| {
            (answers(tree).len() == 2 && is_answered(tree, "Without a mouse.")).then_some(())
        })
        .await
    })
}

#[test]
fn a_dialog_keeps_the_focus_and_gives_it_back() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let server = saying("Hello.").await?;
        let app = App::ready(&stage, Options::model(&server)).await?;
        app.focused("composer").await?;
        app.press("Ctrl+Shift+M").await?;
        app.focused("model-query").await?;
        for _ in 0..6 {
            let before = app.now().await?;
            app.press("Tab").await?;
            let inside = app.until("the focus is in the dialog", |tree| {
                tree.find("dialog", "Choose the model")?.all().find(|node| node.states.is_focused()).map(|_| ())
            });
            inside.await?;
            drop(before);
        }
        app.press("Esc").await?;
        app.holds("the dialog is gone", |tree| {
            tree.id("main").is_some() && tree.find("dialog", "Choose the model").is_none()
        })
        .await?;
        app.focused("composer").await
    })
}
