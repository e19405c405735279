//! The reducer as a whole.

use super::super::Event as Any;
use super::*;
use crate::state::frame;
use butterfly_api::model::{Cause, ModelError};
use butterfly_api::vault::StoreState;

pub fn found(provider: &str, url: &str, cause: Option<Cause>) -> Found {
    let problem = cause.map(|cause| ModelError::new(cause, "It is so; do this."));
    let chosen = if problem.is_some() { card::RESPONDER } else { "qwen3:4b" };
    Found {
        probe: Probe {
            provider: provider.into(),
            url: url.into(),
            server_version: None,
            chosen: chosen.into(),
            reason: "The built-in responder answers, which is no language model: it is so.".into(),
            problem,
            preset: "qwen3:4b".into(),
        },
        has_ollama: true,
        keyring: None,
    }
}

pub fn ollama(cause: Option<Cause>) -> Found {
    found("ollama", "http://127.0.0.1:11434", cause)
}

fn missing(model: &str) -> Cause {
    Cause::ModelMissing { model: model.into() }
}

/// Connected, and the model worker answered this.
pub fn after(found: Found) -> State {
    let mut state = State::default();
    answer(&mut state, Event::Connected, found);
    state
}

fn answer(state: &mut State, event: Event, found: Found) -> Vec<Outer> {
    let asked = asked(&state.reduce(event));
    state.reduce(Event::Probed { asked, found: Box::new(Ok(found)) })
}

fn asked(effects: &[Outer]) -> u64 {
    effects
        .iter()
        .find_map(|effect| match effect {
            Outer::Setup(Effect::Probe { asked } | Effect::StartServer { asked, .. }) => Some(*asked),
            _ => None,
        })
        .unwrap_or_else(|| panic!("nothing was asked: {effects:?}"))
}

fn pause(effects: &[Outer]) -> Option<Duration> {
    effects.iter().find_map(|effect| match effect {
        Outer::Setup(Effect::ProbeAfter { pause, .. }) => Some(*pause),
        _ => None,
    })
}

#[test]
fn each_finding_has_its_one_card() {
    let kind = |found: Found| after(found).card().map(|card| card.kind());
    assert_eq!(kind(ollama(None)), None, "all is well");
    assert_eq!(kind(found("builtin", "", None)), None, "the person chose it");
    assert_eq!(kind(ollama(Some(Cause::ServerNotRunning))), Some(Kind::NotRunning));
    let absent = Found { has_ollama: false, ..ollama(Some(Cause::ServerNotRunning)) };
    assert_eq!(kind(absent), Some(Kind::NotInstalled));
    let elsewhere = found("ollama", "http://10.0.0.7:11434", Some(Cause::ServerNotRunning));
    assert_eq!(kind(elsewhere), Some(Kind::Other), "nobody starts a server on another machine");
    assert_eq!(kind(found("openai", "http://127.0.0.1:1234/v1", Some(Cause::ServerNotRunning))), Some(Kind::Other));
    assert_eq!(kind(ollama(Some(missing("qwen3:4b")))), Some(Kind::ModelMissing));
    assert_eq!(kind(found("openai", "http://127.0.0.1:1/v1", Some(missing("m")))), Some(Kind::Other));
    let secret = Cause::NeedsSecret { name: "openai.api_key".into(), why: "the server wants a key".into() };
    let needs = found("openai", "https://h/v1", Some(secret));
    assert_eq!(kind(needs.clone()), Some(Kind::NeedsSecret));
    let locked = Store { state: StoreState::Locked, message: "The keyring is locked.".into() };
    assert_eq!(kind(Found { keyring: Some(locked.clone()), ..needs }), Some(Kind::KeyringLocked));
    assert_eq!(kind(Found { keyring: Some(locked), ..ollama(None) }), None, "nobody needs a secret");
    assert_eq!(kind(ollama(Some(Cause::Misconfigured))), Some(Kind::Other));
}

#[test]
fn the_responder_is_labelled_as_what_it_is() {
    assert_eq!(State::default().responder(), None, "unknown is not claimed");
    let state = after(ollama(None));
    assert_eq!((state.responder(), state.model()), (None, Some(("qwen3:4b", "ollama"))));
    assert!(matches!(after(ollama(Some(Cause::ServerNotRunning))).responder(), Some(Responder::Instead(_))));
    let mut chosen = found("builtin", "", None);
    chosen.probe.chosen = card::RESPONDER.into();
    let state = after(chosen);
    assert_eq!((state.responder(), state.model()), (Some(Responder::Chosen), None));
}

#[test]
fn only_the_newest_answer_counts() {
    let mut state = State::default();
    let first = asked(&state.reduce(Event::Connected));
    let second = asked(&state.reduce(Event::Probe));
    state.reduce(Event::Probed { asked: first, found: Box::new(Ok(ollama(Some(Cause::ServerNotRunning)))) });
    assert!(state.card().is_none() && state.is_asking);
    state.reduce(Event::Probed { asked: second, found: Box::new(Ok(ollama(None))) });
    assert!(state.card().is_none() && !state.is_asking);
}

#[test]
fn what_may_be_mended_outside_is_looked_for_again_ever_more_seldom() {
    let mut state = State::default();
    let mut pauses = Vec::new();
    let mut event = Event::Connected;
    for _ in 0..7 {
        let effects = answer(&mut state, event, ollama(Some(Cause::ServerNotRunning)));
        pauses.push(pause(&effects).unwrap().as_secs());
        event = Event::ProbeAgain { asked: state.asked };
    }
    assert_eq!(pauses, [3, 3, 5, 10, 30, 30, 30]);
    assert!(state.reduce(Event::ProbeAgain { asked: 1 }).is_empty(), "an old timer");
    assert_eq!(pause(&answer(&mut state, event, ollama(None))), None, "all is well");
}

#[test]
fn the_server_is_started_once_and_waited_for() {
    let mut state = after(ollama(Some(Cause::ServerNotRunning)));
    let effects = state.reduce(Event::StartServer);
    let started = asked(&effects);
    assert!(matches!(&effects[..], [Outer::Setup(Effect::StartServer { url, .. })] if url == "http://127.0.0.1:11434"));
    assert_eq!(state.card().map(|card| card.kind()), Some(Kind::Starting));
    assert!(state.reduce(Event::StartServer).is_empty(), "once");
    assert!(state.reduce(Event::Probe).is_empty(), "whoever waits for it asks");
    state.reduce(Event::Probed { asked: started, found: Box::new(Ok(ollama(Some(missing("qwen3:4b"))))) });
    assert_eq!(state.card().map(|card| card.kind()), Some(Kind::ModelMissing), "the next thing");
}

#[test]
fn a_server_that_cannot_be_started_says_why() {
    let mut state = after(ollama(Some(Cause::ServerNotRunning)));
    state.reduce(Event::StartServer);
    answer(&mut state, Event::StartFailed { why: "no room".into() }, ollama(Some(Cause::ServerNotRunning)));
    assert_eq!(state.card(), Some(Card::NotRunning { failed: Some("no room") }));
    answer(&mut state, Event::Probe, ollama(None));
    assert_eq!(state.card(), None);
}

#[test]
fn a_pull_is_shown_stopped_resumed_and_done() {
    let mut state = after(ollama(Some(missing("qwen3:4b"))));
    let effects = state.reduce(Event::Pull);
    let [Outer::Setup(Effect::Pull { model, leased })] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(model, "qwen3:4b");
    assert!(state.reduce(Event::Pull).is_empty(), "one at a time");
    let progress = |completed_bytes| PullProgress {
        status: "pulling".into(),
        digest: "d".into(),
        total_bytes: 100,
        completed_bytes,
    };
    state.reduce(Event::PullProgress { at_ms: 0, progress: progress(40) });
    assert!(matches!(state.card(), Some(Card::Pulling { meter }) if meter.share() == Some(0.4)));
    state.reduce(Event::StopPull);
    assert!(leased.is_over(), "the stream is dropped");
    assert!(matches!(state.card(), Some(Card::Broken { why: None, meter }) if meter.completed() == 40));
    state.reduce(Event::PullProgress { at_ms: 9, progress: progress(50) });
    assert!(matches!(state.card(), Some(Card::Broken { meter, .. }) if meter.completed() == 40), "too late");
    let effects = state.reduce(Event::Pull);
    assert!(matches!(&effects[..], [Outer::Setup(Effect::Pull { model, .. })] if model == "qwen3:4b"));
    let effects = state.reduce(Event::Pulled { model: "qwen3:4b".into() });
    assert!(effects.iter().any(|effect| matches!(effect, Outer::Then(event)
        if matches!(&**event, Any::Frame(frame::Event::Toast(toast)) if toast.text == "qwen3:4b is ready."))));
    let asked = asked(&effects);
    state.reduce(Event::Probed { asked, found: Box::new(Ok(ollama(None))) });
    assert_eq!(state.card(), None);
}

#[test]
fn a_pull_that_breaks_or_loses_the_kernel_can_go_on() {
    let mut state = after(ollama(Some(missing("m"))));
    state.reduce(Event::Pull);
    answer(&mut state, Event::PullFailed { why: "the disk is full.".into() }, ollama(Some(missing("m"))));
    assert!(matches!(state.card(), Some(Card::Broken { why: Some("the disk is full."), .. })));
    state.reduce(Event::Pull);
    state.reduce(Event::Lost);
    assert!(state.reduce(Event::Pull).is_empty(), "offline");
    answer(&mut state, Event::Connected, ollama(Some(missing("m"))));
    assert!(matches!(state.card(), Some(Card::Broken { why: Some(_), .. })));
    answer(&mut state, Event::Probe, ollama(None));
    assert_eq!(state.card(), None, "somebody else fetched it");
}

#[test]
fn a_card_that_was_put_aside_stays_so_and_another_is_shown() {
    let mut state = after(ollama(Some(Cause::ServerNotRunning)));
    state.reduce(Event::Dismiss);
    assert_eq!(state.card(), None);
    answer(&mut state, Event::Probe, ollama(Some(Cause::ServerNotRunning)));
    assert_eq!(state.card(), None);
    assert!(state.responder().is_some(), "the label stays");
    answer(&mut state, Event::Probe, ollama(Some(missing("qwen3:4b"))));
    assert_eq!(state.card().map(|card| card.kind()), Some(Kind::ModelMissing));
    state.reduce(Event::Dismiss);
    assert!(state.reduce(Event::Pull).is_empty(), "what is not shown is not done");
}
