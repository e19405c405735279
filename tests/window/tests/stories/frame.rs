//! The frame around the views: the palette, one window for each instance, and what closing it does.

use crate::support::*;
use butterfly_api::control;
use butterfly_kit::harness::{Instance, Which, settle};
use butterfly_window::{App, Options, Stage, process, run};
use std::sync::Arc;

#[test]
fn the_palette_finds_a_command_by_a_few_letters_and_runs_it() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let app = App::ready(&stage, Options::builtin()).await?;
        app.press("Ctrl+K").await?;
        app.until("the commands are listed", |tree| {
            tree.find("dialog", "Commands")?.find("option", "Chat New chat Ctrl+Shift+O").map(drop)
        })
        .await?;
        app.write("shdiag").await?;
        app.until("what fits best is chosen", |tree| {
            tree.id("palette-diagnostics.show")?.states.is_selected().then_some(())
        })
        .await?;
        app.press("Enter").await?;
        app.until("diagnostics are shown, and the palette is gone", |tree| {
            tree.find("main", "Diagnostics")?;
            tree.find("dialog", "Commands").is_none().then_some(())
        })
        .await?;
        app.press("Ctrl+K").await?;
        app.until("it is open again, and empty", |tree| {
            tree.id("palette-query")?.text.as_deref().unwrap_or_default().is_empty().then_some(())
        })
        .await?;
        app.write("no such thing").await?;
        app.sees("No command fits").await?;
        app.press("Esc").await?;
        app.holds("Escape closes it", |tree| tree.id("main").is_some() && tree.find("dialog", "Commands").is_none())
            .await
    })
}

#[test]
fn a_second_start_raises_the_window_of_the_first() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let app = App::ready(&stage, Options::builtin()).await?;
        let kernel = app.kernel_pid().await?;
        app.press("Alt+F9").await?;
        app.until("the window is put away", |tree| {
            (!tree.all().find(|node| node.role == "frame")?.states.is_active()).then_some(())
        })
        .await?;
        let said = app.start_again().await?;
        assert!(String::from_utf8_lossy(&said.stdout).contains("open already"), "{said:?}");
        app.until("the window is in front and has the keys", |tree| {
            tree.all().find(|node| node.role == "frame")?.states.is_active().then_some(())
        })
        .await?;
        app.press("Ctrl+K").await?;
        app.until("it takes keys", |tree| tree.id("palette-query").map(drop)).await?;
        assert_eq!(app.kernel_pid().await?, kernel, "there is one kernel");
        Ok(())
    })
}

#[test]
fn closing_the_window_ends_the_kernel_that_it_started() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let mut app = App::ready(&stage, Options::builtin()).await?;
        let kernel = app.kernel_pid().await?;
        assert!(process::lives(kernel));
        app.press("Alt+F4").await?;
        assert!(app.ended().await?.success());
        process::gone(kernel).await
    })
}

#[test]
fn closing_the_window_leaves_a_kernel_that_ran_before() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let home = Arc::new(tempfile::tempdir()?);
        let builtin = [("BUTTERFLY_MODEL_PROVIDER", "builtin")];
        let instance = Instance::launch(Which::Production, Arc::clone(&home), &[], &builtin)?;
        let bus = instance.connect().await?;
        settle(&bus).await?;
        let mut app = App::ready(&stage, Options::builtin().home(&home)).await?;
        assert_eq!(app.kernel_pid().await?, instance.kernel_pid());
        app.press("Ctrl+W").await?;
        assert!(app.ended().await?.success());
        assert_eq!(bus.call::<control::Status>(&()).await?.kernel.pid, instance.kernel_pid(), "it serves others");
        Ok(())
    })
}

#[test]
fn the_sidebar_leads_to_each_view() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let app = App::ready(&stage, Options::builtin()).await?;
        for view in ["Memory", "Diagnostics", "Settings", "Chat"] {
            app.click_id(&format!("view-{}", view.to_lowercase())).await?;
            app.until(&format!("{view} is shown"), |tree| tree.find("main", view).map(drop)).await?;
        }
        app.press("Ctrl+/").await?;
        app.until("shortcuts are shown", |tree| tree.find("main", "Shortcuts").map(drop)).await?;
        app.press("Ctrl+B").await?;
        app.holds("the sidebar is gone", |tree| tree.id("main").is_some() && tree.id("view-chat").is_none()).await
    })
}

#[test]
fn a_toast_covers_nothing_that_is_pressed() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let server = saying("Here it is.").await?;
        let app = App::ready(&stage, Options::model(&server)).await?;
        ask(&app, "Where is it?", "Here it is.").await?;
        app.click_id("composer").await?;
        app.write("And now?").await?;
        app.press("Ctrl+Shift+C").await?;
        let toast = app
            .place_of("the toast", |tree| {
                tree.all().find(|node| node.role == "status" && node.shows("Copied") && !node.shows("Here"))
            })
            .await?;
        for id in ["send", "composer", "pick-model", "attach", "chat-menu", "head-new", "chat-new", "health"] {
            let place = app.place_of(id, |tree| tree.id(id)).await?;
            assert!(!toast.overlaps(place), "the toast at {toast:?} covers #{id} at {place:?}");
        }
        app.click_id("send").await?;
        app.until("it was sent", |tree| {
            (asked(tree) == ["Where is it?", "And now?"] && is_answered(tree, "Here it is.")).then_some(())
        })
        .await
    })
}
