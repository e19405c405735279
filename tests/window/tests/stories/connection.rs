//! The kernel goes away: the window says so, keeps what it shows, and starts it again when it is told to.

use crate::support::*;
use butterfly_kit::model_server::Endpoint;
use butterfly_window::{App, Options, Stage, process, run};

#[test]
fn after_the_kernel_was_killed_the_window_says_so_keeps_all_and_starts_it_again() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let server = saying("The blue one.").await?;
        let app = App::ready(&stage, Options::model(&server)).await?;
        ask(&app, "Which bicycle was it?", "The blue one.").await?;
        let killed = app.kernel_pid().await?;
        process::signal(killed, "KILL");
        app.sees("The assistant is not running.").await?;
        let tree = app.now().await?;
        assert!(answers(&tree)[0].contains("The blue one."), "what was shown stays: {tree}");
        app.click("Start it").await?;
        app.loses("The assistant is not running.").await?;
        app.until("all workers are ready", |tree| {
            tree.id("health")?.name.starts_with("All workers are ready").then_some(())
        })
        .await?;
        assert_ne!(app.kernel_pid().await?, killed);
        say(&app, "And the other one?").await?;
        app.until("there are two answers", |tree| {
            (answers(tree).len() == 2 && is_answered(tree, "The blue one.")).then_some(())
        })
        .await?;
        assert_eq!(asked(&app.now().await?), ["Which bicycle was it?", "And the other one?"]);
        let last = server.requests_of(Endpoint::Chat).pop().map(|request| request.body.to_string()).unwrap_or_default();
        assert!(last.contains("Which bicycle was it?"), "it is the same conversation: {last}");
        Ok(())
    })
}

#[test]
fn what_was_said_is_there_after_the_window_was_closed_and_opened_again() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let server = saying("At four.").await?;
        let mut app = App::ready(&stage, Options::model(&server)).await?;
        ask(&app, "When does the train leave?", "At four.").await?;
        app.press("Alt+F4").await?;
        assert!(app.ended().await?.success());
        let home = std::sync::Arc::clone(&app.home);
        drop(app);
        let app = App::ready(&stage, Options::model(&server).home(&home)).await?;
        app.click_on("the conversation in the list", |tree| {
            tree.id("chat-list")?.find("button", "When does the train leave?")
        })
        .await?;
        answered(&app, "At four.").await
    })
}
