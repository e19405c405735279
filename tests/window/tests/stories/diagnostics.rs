//! Diagnostics: one worker is restarted in the middle of an answer, and the conversation goes on.

use crate::support::*;
use butterfly_kit::harness::worker;
use butterfly_kit::model_server::{Endpoint, Scenario};
use butterfly_window::{App, Options, Stage, run};

#[test]
fn the_model_worker_is_restarted_in_the_middle_of_an_answer_and_retry_finishes_it() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let server = server().await?;
        server.next(Endpoint::Chat, halves("It begins, ", "and never ends."));
        server.always(Endpoint::Chat, Scenario::say("It begins, and it ends."));
        let app = App::ready(&stage, Options::model(&server)).await?;
        say(&app, "Tell me the whole story").await?;
        app.until("it begins", |tree| answers(tree).last()?.contains("It begins,").then_some(())).await?;
        app.press("Ctrl+Shift+D").await?;
        app.click_id("restart-model").await?;
        app.until("the worker is back", |tree| {
            let row = tree.all().find(|node| node.role == "row" && node.words().starts_with("model"))?;
            (row.shows("1 restart") && row.shows("Ready")).then_some(())
        })
        .await?;
        assert_eq!(worker(&app.bus().await?, "model").await?.restarts, 1);
        app.click_id("view-chat").await?;
        app.until("what was said is there, and that it was broken off", |tree| {
            let answer = tree.id("messages")?.all().filter(|node| node.role == "article").last()?;
            let says_why = answer.all().any(|node| ["alert", "status"].contains(&&*node.role) && node.shows("model"));
            (answer.shows("It begins,") && says_why && tree.id("stop").is_none() && tree.id("live").is_none())
                .then_some(())
        })
        .await?;
        app.click_on("the button that tries again", |tree| {
            let article =
                tree.id("messages")?.all().filter(|node| node.role == "article" && node.name == "Assistant").last()?;
            article.find("button", "Retry").or_else(|| article.find("button", "Answer again"))
        })
        .await?;
        answered(&app, "It begins, and it ends.").await
    })
}

#[test]
fn each_page_of_diagnostics_tells_what_is_so() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let server = saying("Good.").await?;
        let app = App::ready(&stage, Options::model(&server)).await?;
        ask(&app, "How are you?", "Good.").await?;
        app.click_id("health").await?;
        for name in ["model", "memory", "brains", "vault"] {
            app.until(&format!("{name} is in the table and ready"), |tree| {
                tree.all()
                    .find(|node| node.role == "row" && node.words().starts_with(name) && node.shows("Ready"))
                    .map(drop)
            })
            .await?;
        }
        let tab = async |title: &str| {
            app.click_on(&format!("the tab {title}"), |tree| {
                tree.all().find(|node| node.role == "tab" && node.name.starts_with(title))
            })
            .await
        };
        tab("Health").await?;
        app.sees("model").await?;
        app.holds("the checks are done", |tree| tree.id("check-again").is_some_and(|again| again.states.is_enabled()))
            .await?;
        tab("Logs").await?;
        app.until("there are lines", |tree| tree.all().find(|node| node.role == "log")?.children().next().map(drop))
            .await?;
        tab("Security").await?;
        app.sees("Landlock").await?;
        tab("Trace").await?;
        app.click_id("view-chat").await?;
        say(&app, "And now?").await?;
        app.until("two answers", |tree| (answers(tree).len() == 2 && is_answered(tree, "Good.")).then_some(())).await?;
        app.press("Ctrl+Shift+D").await?;
        tab("Trace").await
    })
}

#[test]
fn a_worker_that_was_stopped_is_told_and_resumed() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let app = App::ready(&stage, Options::builtin()).await?;
        app.press("Ctrl+Shift+D").await?;
        app.click_id("stop-vault").await?;
        app.until("it asks, and says what will be missed", |tree| {
            tree.all().find(|node| node.role == "dialog").map(drop)
        })
        .await?;
        app.click_id("agree").await?;
        app.until("the dot tells", |tree| tree.id("health")?.name.starts_with("Not ready: vault").then_some(()))
            .await?;
        app.click("Resume vault").await?;
        app.until("all are ready again", |tree| {
            tree.id("health")?.name.starts_with("All workers are ready").then_some(())
        })
        .await
    })
}
