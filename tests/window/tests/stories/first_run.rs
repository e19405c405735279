//! The first run: no wizard, one card where something is missing, and a chat that works meanwhile.

use crate::support::*;
use butterfly_kit::harness::program;
use butterfly_kit::model_server::{Endpoint, ModelServer, Scenario};
use butterfly_window::{App, Options, Stage, Tree, run};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

/// A port of this machine on which nobody listens.
fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

#[test]
fn without_a_model_server_the_card_says_what_to_do_and_the_built_in_responder_answers() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let app = App::ready(&stage, Options::ollama(&format!("http://127.0.0.1:{}", free_port()?))).await?;
        // The app looks there, too, and a developer's machine may have it.
        if ["/usr/local/bin/ollama", "/opt/homebrew/bin/ollama"].iter().any(|path| Path::new(path).exists()) {
            app.sees("Ollama is installed, but does not run").await?;
        } else {
            app.sees("Connect a language model").await?;
            app.sees("ollama.com/install.sh").await?;
            app.click("Download Ollama").await?;
            app.until("the target is shown before it is opened", |tree| {
                tree.find("dialog", "Open this link?")?.shows("https://ollama.com/download").then_some(())
            })
            .await?;
            app.click("Cancel").await?;
        }
        app.click_id("composer").await?;
        app.write("Remember that my sister lives in Porto").await?;
        app.press("Enter").await?;
        answered(&app, "Porto").await?;
        app.until("the answer is labelled as the built-in responder's", |tree| {
            answers(tree).last()?.contains("Built-in responder").then_some(())
        })
        .await?;
        app.click("Not now").await?;
        app.holds("the card is gone", |tree| tree.id("setup-dismiss").is_none()).await
    })
}

#[test]
fn a_server_that_does_not_run_is_started_from_the_card() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let port = free_port()?;
        let server = program("kit_model_server")?;
        stage.put_program(
            "ollama",
            &format!("exec {} --port {port} --model {MODEL} --say 'I am awake.'", server.display()),
        )?;
        let app = App::ready(&stage, Options::ollama(&format!("http://127.0.0.1:{port}"))).await?;
        app.sees("Ollama is installed, but does not run").await?;
        app.click("Start Ollama").await?;
        app.holds("the card is gone", |tree| tree.id("main").is_some() && !tree.shows("Ollama")).await?;
        ask(&app, "Good morning", "I am awake.").await
    })
}

#[test]
fn a_missing_model_is_fetched_from_the_card_and_a_broken_download_goes_on() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let server = ModelServer::start().await?;
        server.always(Endpoint::Chat, Scenario::say("The model is here."));
        server.next(Endpoint::Pull, Scenario::PullCut { after_bytes: 2_000_000 });
        let app = App::ready(&stage, Options::model(&server)).await?;
        app.sees("One step left: a model").await?;
        app.click_id("setup-pull").await?;
        app.holds("the card is gone, and nobody had to do anything about the break", fetched).await?;
        assert_eq!(server.requests_of(Endpoint::Pull).len(), 2);
        ask(&app, "Hello", "The model is here.").await
    })
}

#[test]
fn a_download_that_was_cancelled_goes_on_from_where_it_was() -> anyhow::Result<()> {
    run(async {
        let stage = Stage::raise().await?;
        let server = ModelServer::start().await?;
        server.always(Endpoint::Chat, Scenario::say("The model is here."));
        server.next(Endpoint::Pull, Scenario::PullStall { after_bytes: 2_000_000 });
        let app = App::ready(&stage, Options::model(&server)).await?;
        app.sees("One step left: a model").await?;
        app.click_id("setup-pull").await?;
        app.sees("Downloading").await?;
        app.click("Cancel").await?;
        app.click("Resume").await?;
        app.holds("the card is gone", fetched).await?;
        assert_eq!(server.requests_of(Endpoint::Pull).len(), 2);
        ask(&app, "Hello", "The model is here.").await
    })
}

/// No card stands in the way any more.
fn fetched(tree: &Tree) -> bool {
    tree.id("main").is_some()
        && tree.find("region", "Set up a language model").is_none()
        && tree.id("setup-pull").is_none()
        && !tree.shows("Downloading")
}
