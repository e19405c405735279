//! Each card, as it is found by a test or read aloud.

use super::*;
use crate::bridge;
use crate::state::Event as Any;
use crate::state::setup::Found;
use butterfly_api::model::{Cause, ModelError, Probe, PullProgress};
use butterfly_api::vault::{Store, StoreState};

#[derive(Clone)]
struct Script(Vec<Any>);

/// Card and badge as HTML, after these events.
fn shown(events: Vec<Event>) -> String {
    fn root() -> Element {
        use_context_provider(|| {
            let ui = Ui::new(bridge::channel().0);
            for event in consume_context::<Script>().0 {
                ui.send(event);
            }
            ui
        });
        rsx! {
            Card {}
            ResponderBadge {}
        }
    }
    let mut dom = VirtualDom::new(root).with_root_context(Script(events.into_iter().map(Any::from).collect()));
    dom.rebuild_in_place();
    dioxus_ssr::render(&dom)
}

fn found(provider: &str, url: &str, cause: Option<Cause>) -> Found {
    let problem = cause.map(|cause| ModelError::new(cause, "the server at <h> is not there; start it"));
    Found {
        probe: Probe {
            provider: provider.into(),
            url: url.into(),
            server_version: None,
            chosen: if problem.is_some() { "builtin".into() } else { "qwen3:4b".into() },
            reason: "The built-in responder answers, because there is nobody else.".into(),
            problem,
            preset: "qwen3:4b".into(),
        },
        has_ollama: true,
        keyring: None,
    }
}

fn ollama(cause: Cause) -> Found {
    found("ollama", "http://127.0.0.1:11434", Some(cause))
}

/// The first answer has the number 1.
fn after(found: Found, more: Vec<Event>) -> String {
    let first = vec![Event::Connected, Event::Probed { asked: 1, found: Box::new(Ok(found)) }];
    shown(first.into_iter().chain(more).collect())
}

#[track_caller]
fn holds(html: &str, parts: &[&str]) {
    for part in parts {
        assert!(html.contains(part), "{part} in {html}");
    }
}

#[test]
fn when_all_is_well_there_is_nothing() {
    for html in [shown(Vec::new()), after(found("ollama", "http://127.0.0.1:11434", None), Vec::new())] {
        assert!(!html.contains("setup") && !html.contains("responder"), "{html}");
    }
}

#[test]
fn without_ollama_it_says_what_to_run() {
    let absent = Found { has_ollama: false, ..ollama(Cause::ServerNotRunning) };
    let html = after(absent, Vec::new());
    holds(&html, &["Connect a language model", INSTALL, r#"id="setup-copy""#, r#"id="setup-download""#, "Not now"]);
    holds(&html, &["Built-in responder", "because there is nobody else"]);
}

#[test]
fn a_server_that_sleeps_is_started_and_waited_for() {
    let html = after(ollama(Cause::ServerNotRunning), Vec::new());
    holds(&html, &["Ollama is installed, but does not run", r#"id="setup-start""#]);
    let html = after(ollama(Cause::ServerNotRunning), vec![Event::StartServer]);
    holds(&html, &["Starting Ollama…", "Waiting for Ollama"]);
    assert!(!html.contains("Not now"), "{html}");
    let failed = vec![
        Event::StartServer,
        Event::StartFailed { why: "`ollama serve` ended at once: no <room>".into() },
        Event::Probed { asked: 3, found: Box::new(Ok(ollama(Cause::ServerNotRunning))) },
    ];
    holds(
        &after(ollama(Cause::ServerNotRunning), failed),
        &["ended at once: no &#60;room&#62;.", r#"role="alert""#, r#"id="setup-start""#],
    );
}

#[test]
fn a_model_is_fetched_with_progress_stopped_and_resumed() {
    let missing = || ollama(Cause::ModelMissing { model: "qwen3:4b".into() });
    holds(
        &after(missing(), Vec::new()),
        &["One step left: a model", "qwen3:4b fits the memory", "2.5 GB", r#"id="setup-pull""#],
    );
    let progress = |at_ms, completed_bytes| Event::PullProgress {
        at_ms,
        progress: PullProgress {
            status: "pulling d".into(),
            digest: "d".into(),
            total_bytes: 2_500_000_000,
            completed_bytes,
        },
    };
    let pulling = vec![Event::Pull, progress(0, 0), progress(10_000, 500_000_000)];
    holds(
        &after(missing(), pulling.clone()),
        &[
            "Downloading qwen3:4b",
            "20 % · 500 MB of 2.5 GB · 50 MB/s · 40 s left",
            r#"aria-valuenow="20""#,
            r#"id="setup-cancel""#,
        ],
    );
    let stopped = pulling.into_iter().chain([Event::StopPull]).collect();
    holds(&after(missing(), stopped), &["The download of qwen3:4b is paused", "500 MB of 2.5 GB are here", "Resume"]);
    let named = ollama(Cause::ModelMissing { model: "llama9".into() });
    holds(&after(named, Vec::new()), &["llama9 is not on this computer yet", "Download llama9"]);
}

#[test]
fn a_secret_is_asked_for_only_when_it_is_needed() {
    let cause = || Cause::NeedsSecret { name: "openai.api_key".into(), why: "the server wants a key".into() };
    let needs = || found("openai", "https://h/v1", Some(cause()));
    holds(&after(needs(), Vec::new()), &["The model server wants a key", "Set openai.api_key"]);
    let locked = Store { state: StoreState::Locked, message: "the keyring is locked; log in".into() };
    let html = after(Found { keyring: Some(locked), ..needs() }, Vec::new());
    holds(&html, &["The keyring is locked", "The keyring is locked; log in.", "Check again"]);
}

#[test]
fn any_other_server_is_told_in_its_own_sentence() {
    let html = after(found("openai", "http://127.0.0.1:1234/v1", Some(Cause::ServerNotRunning)), Vec::new());
    holds(&html, &["No language model answers", "The server at &#60;h&#62; is not there; start it.", "Open settings"]);
    assert!(!html.contains("setup-start"), "{html}");
}

#[test]
fn who_puts_the_card_aside_keeps_the_label() {
    let html = after(ollama(Cause::ServerNotRunning), vec![Event::Dismiss]);
    assert!(!html.contains("setup-start") && html.contains("Built-in responder"), "{html}");
}
