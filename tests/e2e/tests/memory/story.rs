//! What a person would try: corrections, interruptions, branches, and what the model is told.

use crate::support::*;
use anyhow::Context;
use butterfly_api::conversations::{self, MessageState};
use butterfly_api::memory::{self, Correction, ExplainRequest, FactsRequest, ReasonKind, Results, SearchRequest};
use butterfly_api::model::Role;
use butterfly_api::session::{Place, Send, SendRequest};
use butterfly_client::Bus;
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

/// Where the sister lives, by the facts that hold.
async fn home_of_my_sister(bus: &Bus) -> anyhow::Result<Option<memory::Fact>> {
    let request = FactsRequest { about: Some("my sister".to_owned()), ..FactsRequest::default() };
    let facts = bus.call::<memory::ListFacts>(&request).await?.facts;
    Ok(facts.into_iter().find(|fact| fact.relation == "lives in" && fact.valid_to_unix_ms.is_none()))
}

/// Says something, and waits until its fact is known: what was said is read after the turn. Returns when it held already.
async fn tell(bus: &Bus, text: &str, object: &str) -> anyhow::Result<u64> {
    turn(bus, &say(None, text)).await?;
    loop {
        match home_of_my_sister(bus).await? {
            Some(fact) if fact.object == object => break,
            _ => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
        }
    }
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(u64::try_from(since.as_millis())?)
}

async fn correction_comes_first(bus: &Bus, embeds: bool) -> anyhow::Result<()> {
    const QUESTION: &str = "where does my sister live?";
    let first = async |as_of_unix_ms| -> anyhow::Result<Results> {
        if embeds {
            indexed(bus).await?;
        }
        let request = SearchRequest { query: QUESTION.to_owned(), limit: 5, conversation: None, as_of_unix_ms };
        Ok(bus.call::<memory::Search>(&request).await?)
    };
    let before = tell(bus, "remember that my sister Ann lives in Porto", "Porto").await?;
    // The question itself, asked before and after, is no answer; nor is what the assistant repeats of what was told then.
    turn(bus, &say(None, QUESTION)).await?;
    tell(bus, "Actually, my sister moved to Lisbon", "Lisbon").await?;
    turn(bus, &say(None, QUESTION)).await?;
    let now = first(None).await?;
    assert!(now.results[0].passage.text.contains("Lisbon"), "embeds: {embeds}: {now:#?}");
    assert_eq!(now.degraded.is_none(), embeds, "{:?}", now.degraded);
    let then = first(Some(before)).await?;
    assert!(then.results[0].passage.text.contains("Porto"), "embeds: {embeds}: {then:#?}");
    let told = then.results.iter().map(|found| &found.passage);
    let told = told.filter(|passage| passage.speaker == "user" && passage.text.contains("Ann lives in Porto"));
    assert_eq!(told.count(), 1, "the message and its memory are one result: {then:#?}");

    let lisbon = home_of_my_sister(bus).await?.context("she lives somewhere")?;
    let correction = Correction { fact: lisbon.id, object: "Braga".to_owned(), from_unix_ms: None };
    bus.call::<memory::Correct>(&correction).await?;
    let corrected = first(None).await?;
    assert!(corrected.results[0].passage.text.contains("Braga"), "embeds: {embeds}: {corrected:#?}");
    for found in &corrected.results {
        let outdated = ["Porto", "Lisbon"].iter().any(|place| found.passage.text.contains(place));
        let lowered = found.reasons.iter().find(|reason| reason.kind == ReasonKind::Superseded);
        assert_eq!(outdated, lowered.is_some(), "{found:?}");
        assert!(lowered.is_none_or(|reason| reason.detail.matches("corrected later").count() == 1), "{found:?}");
    }
    Ok(())
}

#[test]
fn correction_in_a_chat_comes_first_with_vectors_and_without() {
    run(async {
        let (_instance, bus) = Instance::start(Which::Production, &[], &[BUILTIN]).await?;
        correction_comes_first(&bus, false).await?;
        let server = server().await?;
        let url = server.url();
        let (_instance, bus) = Instance::start(Which::Production, &[], &[("BUTTERFLY_MODEL_URL", &url)]).await?;
        correction_comes_first(&bus, true).await
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
