//! Talking: words come as they are said, stop stops, and nothing that was typed or said is lost.

use crate::support::*;
use butterfly_kit::model_server::{Ending, Endpoint, Play, Scenario};
use butterfly_window::{App, Options, Stage, run};

#[test]
fn words_are_shown_while_the_answer_is_still_being_said() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let server = server().await?;
        server.next(Endpoint::Chat, halves("The first half. ", "The second half."));
        let app = App::ready(&stage, Options::model(&server)).await?;
        say(&app, "Tell me something").await?;
        app.until("the first half is shown, and that it can be stopped", |tree| {
            tree.id("stop")?;
            answers(tree).last()?.contains("The first half.").then_some(())
        })
        .await?;
        assert_eq!(server.counts().complete, server.counts().requests - 1, "the server has more to say");
        server.release(1);
        answered(&app, "The first half. The second half.").await?;
        let tree = app.now().await?;
        assert_eq!(asked(&tree), ["Tell me something"]);
        assert!(answers(&tree)[0].contains(MODEL), "below it stands who said it: {:?}", answers(&tree));
        assert!(tree.id("chat-list").is_some_and(|list| list.shows("Tell me something")), "{tree}");
        Ok(())
    })
}

#[test]
fn escape_stops_the_answer_down_to_the_model_server_and_continue_goes_on() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let server = server().await?;
        server.next(Endpoint::Chat, halves("Once upon a time ", "they lived happily."));
        server.always(Endpoint::Chat, Scenario::say("And so it ended."));
        let app = App::ready(&stage, Options::model(&server)).await?;
        say(&app, "Tell me a story").await?;
        app.until("the story begins", |tree| answers(tree).last()?.contains("Once upon a time").then_some(())).await?;
        app.press("Esc").await?;
        server.until(|counts| counts.aborted == 1).await;
        answered(&app, "This answer was stopped.").await?;
        let tree = app.now().await?;
        assert!(answers(&tree)[0].contains("Once upon a time"), "what was said stays: {:?}", answers(&tree));
        app.click("Continue").await?;
        answered(&app, "And so it ended.").await
    })
}

#[test]
fn a_message_that_is_sent_while_an_answer_runs_waits_for_its_end() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let server = server().await?;
        server.next(Endpoint::Chat, halves("One, ", "two."));
        server.next(Endpoint::Chat, Scenario::say("Three."));
        let app = App::ready(&stage, Options::model(&server)).await?;
        say(&app, "Count to two").await?;
        app.until("it counts", |tree| answers(tree).last()?.contains("One,").then_some(())).await?;
        say(&app, "And on").await?;
        app.until("the message waits", |tree| {
            tree.all().find(|node| node.name == "Messages that wait")?.shows("And on").then_some(())
        })
        .await?;
        assert_eq!(server.counts().chats, 1);
        server.release(1);
        answered(&app, "Three.").await?;
        let tree = app.now().await?;
        assert_eq!(asked(&tree), ["Count to two", "And on"]);
        assert!(answers(&tree)[0].contains("One, two."));
        Ok(())
    })
}

#[test]
fn a_failure_is_told_and_retry_answers() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let server = server().await?;
        let half = Play::say("I was about to ").ending(Ending::Error("the model ran out of luck".to_owned()));
        server.next(Endpoint::Chat, half.into());
        server.always(Endpoint::Chat, Scenario::say("All is well now."));
        let app = App::ready(&stage, Options::model(&server)).await?;
        say(&app, "How are you?").await?;
        app.until("the failure is told", |tree| answers(tree).last()?.contains("ran out of luck").then_some(()))
            .await?;
        app.click_on("the button that tries again", |tree| {
            tree.id("messages")?
                .all()
                .find(|node| ["Retry", "Answer again"].contains(&node.name.as_str()) && node.role == "button")
        })
        .await?;
        answered(&app, "All is well now.").await
    })
}

#[test]
fn what_was_typed_stays_with_its_conversation() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let server = saying("Noted.").await?;
        let app = App::ready(&stage, Options::model(&server)).await?;
        ask(&app, "About the garden", "Noted.").await?;
        app.click_id("composer").await?;
        app.write("and the roses").await?;
        app.until("it was typed", |tree| tree.id("composer")?.text.as_deref()?.contains("roses").then_some(())).await?;
        app.press("Ctrl+Shift+O").await?;
        app.until("a new chat has an empty field", |tree| {
            let field = tree.id("composer")?.text.clone().unwrap_or_default();
            (field.trim().is_empty() && answers(tree).is_empty()).then_some(())
        })
        .await?;
        ask(&app, "About the kitchen", "Noted.").await?;
        app.click_on("the first conversation in the list", |tree| {
            tree.id("chat-list")?.find("button", "About the garden")
        })
        .await?;
        app.until("what was typed there is there again", |tree| {
            tree.id("composer")?.text.as_deref()?.contains("and the roses").then_some(())
        })
        .await
    })
}

#[test]
fn conversations_are_found_by_what_was_said_in_them() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let server = server().await?;
        server.next(Endpoint::Chat, Scenario::say("Plant the hydrangeas in half shade."));
        server.next(Endpoint::Chat, Scenario::say("Forty minutes at a low heat."));
        let app = App::ready(&stage, Options::model(&server)).await?;
        ask(&app, "Where do they grow?", "hydrangeas").await?;
        app.press("Ctrl+Shift+O").await?;
        app.holds("a new chat", |tree| answers(tree).is_empty() && tree.id("composer").is_some()).await?;
        ask(&app, "How long does it simmer?", "Forty minutes").await?;
        app.press("Ctrl+Shift+F").await?;
        app.focused("chat-search").await?;
        app.write("hydrangeas").await?;
        app.until("one place is found", |tree| {
            let hits = tree.id("chat-hits")?;
            (hits.shows("1 place") && hits.shows("Plant the hydrangeas")).then_some(())
        })
        .await?;
        app.click_on("what was found", |tree| tree.id("chat-hits")?.all().find(|node| node.role == "button")).await?;
        app.until("that conversation is open", |tree| answers(tree).first()?.contains("half shade").then_some(()))
            .await?;
        assert_eq!(asked(&app.now().await?), ["Where do they grow?"]);
        Ok(())
    })
}

#[test]
fn the_last_reply_is_copied_and_can_be_pasted() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let server = saying("Seven times six is 42.").await?;
        let app = App::ready(&stage, Options::model(&server)).await?;
        ask(&app, "Seven times six?", "42").await?;
        app.press("Ctrl+Shift+C").await?;
        app.sees("Copied").await?;
        app.click_id("composer").await?;
        app.focused("composer").await?;
        app.press("Ctrl+V").await?;
        app.until("what was copied is in the field", |tree| {
            tree.id("composer")?.text.as_deref()?.contains("Seven times six is 42.").then_some(())
        })
        .await
    })
}
