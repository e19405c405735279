//! Saying it differently: another version of a message or an answer stands beside the first one, and one can go back.

use crate::support::*;
use anyhow::Context;
use butterfly_kit::model_server::{Endpoint, Scenario};
use butterfly_window::{App, Options, Stage, Tree, run};

/// Which of how many versions a message shows, such as `2/2`.
fn versions(tree: &Tree) -> Vec<String> {
    let groups = tree.id("messages").into_iter().flat_map(|messages| messages.all());
    groups.filter(|node| node.role == "group" && node.name == "Versions").map(|node| node.words()).collect()
}

#[test]
fn an_edited_message_begins_a_branch_and_the_first_one_is_kept() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let server = server().await?;
        server.next(Endpoint::Chat, Scenario::say("Paris is in France."));
        server.next(Endpoint::Chat, Scenario::say("Lisbon is in Portugal."));
        let app = App::ready(&stage, Options::model(&server)).await?;
        ask(&app, "Where is Paris?", "France").await?;
        app.click("Edit and ask again").await?;
        app.until("the message stands in the field", |tree| {
            tree.id("composer")?.text.as_deref()?.contains("Where is Paris?").then_some(())
        })
        .await?;
        app.focused("composer").await?;
        app.press("Ctrl+A").await?;
        send(&app, "Where is Lisbon?").await?;
        answered(&app, "Portugal").await?;
        let tree = app.now().await?;
        assert_eq!(asked(&tree), ["Where is Lisbon?"].map(|text| format!("{text} 2/2")), "{tree}");
        app.click("Earlier version").await?;
        app.until("the first version is back with its answer", |tree| {
            (asked(tree).first()?.starts_with("Where is Paris?") && is_answered(tree, "France")).then_some(())
        })
        .await?;
        assert_eq!(versions(&app.now().await?).len(), 1);
        app.click("Later version").await?;
        answered(&app, "Portugal").await
    })
}

#[test]
fn answering_again_keeps_both_answers() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let server = server().await?;
        server.next(Endpoint::Chat, Scenario::say("Heads."));
        server.next(Endpoint::Chat, Scenario::say("Tails."));
        let app = App::ready(&stage, Options::model(&server)).await?;
        ask(&app, "Flip a coin", "Heads.").await?;
        app.press("Ctrl+R").await?;
        answered(&app, "Tails.").await?;
        let shown = versions(&app.now().await?);
        assert!(shown.first().context("no versions")?.contains("2/2"), "{shown:?}");
        app.press("Alt+ArrowLeft").await?;
        answered(&app, "Heads.").await?;
        assert_eq!(server.counts().chats, 2, "going back asks nobody");
        Ok(())
    })
}
