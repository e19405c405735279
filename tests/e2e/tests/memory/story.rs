//! What a person would try: corrections, interruptions, branches, and what the model is told.

use crate::support::*;
use anyhow::Context;
use butterfly_api::conversations::{self, MessageState};
use butterfly_api::memory::{self, ExplainRequest, ReasonKind, SearchRequest};
use butterfly_api::model::Role;
use butterfly_api::session::{Place, Send, SendRequest};
use butterfly_kit::harness::{Instance, Which, settle};
use butterfly_kit::model_server::{Endpoint, Play, Scenario, Step};
use std::sync::Arc;

#[test]
fn corrected_fact_is_found_and_as_of_finds_the_old_one() {
    run(async {
        let (_instance, bus) = Instance::start(Which::Production, &[], &[BUILTIN]).await?;
        let add = |text: &str, at: u64| memory::AddRequest {
            text: text.to_owned(),
            at_unix_ms: Some(at),
            ..memory::AddRequest::default()
        };
        // 1 January and 1 June 2026.
        let (january, june) = (1_767_225_600_000, 1_780_272_000_000);
        bus.call::<memory::Add>(&add("My sister lives in Porto.", january)).await?;
        bus.call::<memory::Add>(&add("My sister moved to Lisbon.", june)).await?;
        bus.call::<memory::Add>(&add("My brother lives in Porto.", june)).await?;
        let ask = |as_of| SearchRequest {
            query: "where does my sister live?".to_owned(),
            limit: 5,
            conversation: None,
            as_of_unix_ms: as_of,
        };
        let now = bus.call::<memory::Search>(&ask(None)).await?;
        assert!(now.results[0].passage.text.contains("Lisbon"), "{now:#?}");
        let then = bus.call::<memory::Search>(&ask(Some(january + 86_400_000))).await?;
        assert!(then.results[0].passage.text.contains("sister lives in Porto"), "{then:#?}");
        assert!(then.results.iter().all(|found| !found.passage.text.contains("Lisbon")));
        for found in now.results.iter().chain(&then.results) {
            let sum: f32 = found.reasons.iter().map(|reason| reason.score).sum();
            assert!((sum - found.score).abs() < 1e-3, "the reasons add up: {found:?}");
        }
        assert!(now.results[0].reasons.iter().any(|reason| reason.kind == ReasonKind::Link), "{now:#?}");
        Ok(())
    });
}

#[test]
fn conversation_survives_the_death_of_everything_in_mid_answer_and_goes_on() {
    run(async {
        let server = server().await?;
        let url = server.url();
        let environment = [("BUTTERFLY_MODEL_URL", url.as_str())];
        let (mut instance, bus) = Instance::start(Which::Production, &[], &environment).await?;
        let said = ["The tide ", "turns at "].map(|text| Step::Text(text.to_owned())).to_vec();
        server.next(Endpoint::Chat, Play::steps([said, vec![Step::Hold]].concat()).into());
        let mut stream = bus.stream::<Send>(&say(None, "When does the tide turn?")).await?;
        let mut half = Turn::default();
        while !half.text.contains("turns at ") {
            step(&mut stream, &mut half).await;
        }
        // What was said is kept at least once a second: wait until it is.
        loop {
            let kept = transcript(&bus, half.conversation).await?;
            if kept.messages.last().is_some_and(|last| last.role == Role::Assistant && last.text.contains("turns at")) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        instance.kill_kernel()?;
        drop((stream, bus));

        let instance = Instance::launch(Which::Production, Arc::clone(&instance.home), &[], &environment)?;
        let bus = instance.connect().await?;
        settle(&bus).await?;
        let kept = transcript(&bus, half.conversation).await?;
        assert_eq!(kept.messages[0].text, "When does the tide turn?");
        assert_eq!(kept.messages[1].state, MessageState::Interrupted);
        assert!(kept.messages[1].text.starts_with("The tide turns at"));
        server.next(Endpoint::Chat, Scenario::say("At six."));
        let second = turn(&bus, &say(Some(half.conversation), "Go on, please.")).await?;
        assert_eq!(second.text, "At six.");
        let asked = server.requests_of(Endpoint::Chat);
        let told = asked.last().context("nothing was asked")?.body["messages"].to_string();
        assert!(told.contains("When does the tide turn?") && told.contains("The tide turns at"), "{told}");
        Ok(())
    });
}

#[test]
fn edited_question_and_second_answer_are_branches_and_nothing_is_overwritten() {
    run(async {
        let server = server().await?;
        let url = server.url();
        let (_instance, bus) = Instance::start(Which::Production, &[], &[("BUTTERFLY_MODEL_URL", &url)]).await?;
        server.next(Endpoint::Chat, Scenario::say("Green."));
        let first = turn(&bus, &say(None, "What colour is the buoy?")).await?;
        server.next(Endpoint::Chat, Scenario::say("Red."));
        let again = SendRequest { place: Place::Again(first.message), ..say(Some(first.conversation), "") };
        turn(&bus, &again).await?;
        let after = transcript(&bus, first.conversation).await?;
        assert_eq!(after.messages.len(), 2);
        assert_eq!((after.messages[1].text.as_str(), after.messages[1].versions.len()), ("Red.", 2));
        server.next(Endpoint::Chat, Scenario::say("White."));
        let edited = SendRequest {
            place: Place::InsteadOf(first.message),
            ..say(Some(first.conversation), "What colour is the boat?")
        };
        turn(&bus, &edited).await?;
        let after = transcript(&bus, first.conversation).await?;
        assert_eq!(
            after.messages.iter().map(|m| m.text.as_str()).collect::<Vec<_>>(),
            ["What colour is the boat?", "White."]
        );
        assert_eq!(after.messages[0].versions.len(), 2);
        // Back to the first question: its branch ends with the answer that was given last there.
        let back = conversations::BranchRequest { message: first.message };
        bus.call::<conversations::Branch>(&back).await?;
        let after = transcript(&bus, first.conversation).await?;
        assert_eq!(after.messages[0].text, "What colour is the buoy?");
        assert_eq!(after.messages.len(), 2);
        Ok(())
    });
}

#[test]
fn what_the_model_was_shown_can_be_seen_afterwards() {
    run(async {
        let server = server().await?;
        let url = server.url();
        let (_instance, bus) = Instance::start(Which::Production, &[], &[("BUTTERFLY_MODEL_URL", &url)]).await?;
        note(&bus, "The harbour master is called Inês and drinks her coffee black.").await?;
        indexed(&bus).await?;
        server.next(Endpoint::Chat, Scenario::say("Black."));
        let asked = turn(&bus, &say(None, "How does the harbour master take her coffee?")).await?;
        let explanation = bus.call::<memory::Explain>(&ExplainRequest { message: Some(asked.message) }).await?;
        let shown = explanation.shown.context("nothing was kept")?;
        assert!(shown.memory_enabled);
        assert!(shown.recalled.iter().any(|found| found.passage.text.contains("Inês")), "{shown:?}");
        let told = server.requests_of(Endpoint::Chat);
        let told = told.last().context("nothing was asked")?.body["messages"].to_string();
        assert!(told.contains("harbour master is called In"), "{told}");
        Ok(())
    });
}

#[test]
fn built_in_responder_answers_from_what_was_said() {
    run(async {
        let (_instance, bus) = Instance::start(Which::Production, &[], &[BUILTIN]).await?;
        turn(&bus, &say(None, "remember that the spare key hangs behind the barometer")).await?;
        let answer = turn(&bus, &say(None, "where is the spare key?")).await?;
        assert!(answer.text.contains("behind the barometer"), "{}", answer.text);
        Ok(())
    });
}

#[test]
fn memory_that_is_off_keeps_the_transcript_and_recalls_nothing() {
    run(async {
        let environment = [BUILTIN, ("BUTTERFLY_MEMORY_ENABLED", "false")];
        let (_instance, bus) = Instance::start(Which::Production, &[], &environment).await?;
        let first = turn(&bus, &say(None, "remember that the spare key hangs behind the barometer")).await?;
        assert_eq!(transcript(&bus, first.conversation).await?.messages.len(), 2);
        let answer = turn(&bus, &say(None, "where is the spare key?")).await?;
        assert!(!answer.text.contains("barometer"), "{}", answer.text);
        Ok(())
    });
}
