//! Memory: what was noted is found with the reasons why, its facts are listed, and it can be forgotten.

use crate::support::*;
use butterfly_kit::model_server::Endpoint;
use butterfly_window::{App, Options, Stage, run};

#[test]
fn what_was_noted_is_found_listed_and_forgotten() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let app = App::ready(&stage, Options::builtin()).await?;
        app.click_id("view-memory").await?;
        app.click_id("memory-remember").await?;
        app.until("the dialog is open", |tree| tree.find("dialog", "Remember something").map(drop)).await?;
        app.fill("sheet-text", "My sister Ana lives in Porto.").await?;
        app.click_id("sheet-save").await?;
        app.holds("the dialog is gone", |tree| {
            tree.id("main").is_some() && tree.find("dialog", "Remember something").is_none()
        })
        .await?;

        app.fill("memory-query", "where does Ana live").await?;
        app.until("it is found, with a reason", |tree| {
            let results = tree.all().find(|node| node.name == "Results, best first")?;
            (results.shows("My sister Ana lives in Porto.") && results.shows("Words")).then_some(())
        })
        .await?;

        let tab = async |title: &str| {
            app.click_on(&format!("the tab {title}"), |tree| {
                tree.all().find(|node| node.role == "tab" && node.name.starts_with(title))
            })
            .await
        };
        tab("Timeline").await?;
        app.until("it stands under today", |tree| {
            tree.all().find(|node| node.name.starts_with("Today") && node.shows("lives in Porto")).map(drop)
        })
        .await?;
        tab("Facts").await?;
        app.until("its fact is listed", |tree| {
            tree.all().find(|node| node.role == "row" && node.shows("lives in") && node.shows("Porto")).map(drop)
        })
        .await?;
        app.click("Forget this fact").await?;
        app.until("it says what will go", |tree| tree.all().find(|node| node.role == "dialog").map(drop)).await?;
        app.click_id("agree").await?;
        app.holds("the fact is gone", |tree| {
            tree.id("main").is_some() && !tree.all().any(|node| node.role == "row" && node.shows("Porto"))
        })
        .await
    })
}

#[test]
fn what_was_noted_in_one_chat_is_known_in_another_and_why_this_answer_says_so() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let server = saying("She lives in Porto.").await?;
        let app = App::ready(&stage, Options::model(&server)).await?;
        ask(&app, "My sister Ana lives in Porto.", "Porto").await?;
        app.press("Ctrl+Shift+O").await?;
        app.holds("a new chat", |tree| answers(tree).is_empty() && tree.id("composer").is_some()).await?;
        ask(&app, "Where does Ana live?", "Porto").await?;
        let last = server.requests_of(Endpoint::Chat).pop().map(|request| request.body.to_string()).unwrap_or_default();
        assert!(last.contains("My sister Ana lives in Porto."), "the model was told: {last}");
        app.click("Why this answer").await?;
        app.until("the reason is given", |tree| {
            let dialog = tree.find("dialog", "Why this answer")?;
            (dialog.shows("recalled item") && dialog.shows("My sister Ana lives in Porto.")).then_some(())
        })
        .await?;
        app.click("Show where it was said").await?;
        app.until("the first chat is open", |tree| (asked(tree) == ["My sister Ana lives in Porto."]).then_some(()))
            .await
    })
}

#[test]
fn the_graph_has_a_list_for_those_who_do_not_see_it() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let app = App::ready(&stage, Options::builtin()).await?;
        say(&app, "/remember My sister Ana lives in Porto.").await?;
        app.sees("emember").await?;
        app.press("Ctrl+K").await?;
        app.until("the palette is open", |tree| tree.id("palette-query").map(drop)).await?;
        app.write("graph as a list").await?;
        app.until("it is chosen", |tree| tree.id("palette-memory.graph.list")?.states.is_selected().then_some(()))
            .await?;
        app.press("Enter").await?;
        app.until("who is spoken of is listed", |tree| {
            let main = tree.find("main", "Memory")?;
            (main.shows("Ana") && main.shows("Porto")).then_some(())
        })
        .await
    })
}
