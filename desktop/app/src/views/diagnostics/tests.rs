//! Each page in each of its states, as a screen reader or a test finds it.

use super::*;
use crate::bridge;
use crate::state::Event as Any;
use crate::state::diagnostics::trace::{failed, record};
use crate::state::diagnostics::workers::tests::sample;
use butterfly_api::health::{Check, Level};
use butterfly_wire::EndpointId;
use butterfly_wire::catalog::{model::CHAT, session::SEND};
use butterfly_wire::confinement::{Attempt, Outcome};
use butterfly_wire::control::{
    Capabilities, CrashReport, Exit, LogLine, LogLines, Principal, ProofReport, TraceRecords, WorkerChanged,
};
use butterfly_wire::{Flags, Header, Kind as Frame};

#[derive(Clone)]
struct Script(Vec<Any>);

/// The page as HTML, after these events.
fn page(tab: Tab, events: Vec<Event>) -> String {
    fn root() -> Element {
        let ui = use_context_provider(|| {
            let ui = Ui::new(bridge::channel().0);
            for event in consume_context::<Script>().0 {
                ui.send(event);
            }
            ui
        });
        use_hook(|| ui);
        rsx! {
            Diagnostics {}
        }
    }
    let mut script: Vec<Any> = events.into_iter().map(Any::from).collect();
    script.push(Event::Show(tab).into());
    let mut dom = VirtualDom::new(root).with_root_context(Script(script));
    dom.rebuild_in_place();
    dioxus_ssr::render(&dom)
}

fn known() -> Vec<Event> {
    vec![Event::Connected, Event::Stats(Box::new(sample()))]
}

fn after(events: Vec<Event>) -> Vec<Event> {
    known().into_iter().chain(events).collect()
}

#[test]
fn before_the_first_word_each_page_says_what_it_waits_for() {
    for tab in Tab::ALL {
        let offline = page(tab, Vec::new());
        let words = ["No kernel", "Nobody to ask", "No connection"];
        assert!(words.iter().any(|word| offline.contains(word)), "{tab:?}: {offline}");
        assert!(offline.contains("There is no connection to the kernel"), "{tab:?}");
        let waiting = page(tab, vec![Event::Connected]);
        assert!(waiting.contains(r#"aria-label="Loading""#), "{tab:?}: {waiting}");
        assert!(waiting.contains(&format!(r#"id="tab-{}""#, tab.id())));
    }
}

#[test]
fn what_is_known_stays_when_the_connection_goes_and_nothing_can_be_done() {
    let lost = page(Tab::Workers, after(vec![Event::Lost]));
    assert!(lost.contains("what is shown was true when there was"), "{lost}");
    assert!(lost.contains(r#"data-testid="worker-model""#));
    assert_eq!(lost.matches("disabled=true").count(), 6, "two buttons for each of three workers: {lost}");
}

#[test]
fn a_worker_has_its_figures_and_its_buttons() {
    let mut later = sample();
    later.kernel.uptime_ms += 1000;
    later.workers[0].cpu_ms += 250;
    later.workers[0].messages_in += 12;
    let shown = page(Tab::Workers, after(vec![Event::Stats(Box::new(later))]));
    for part in [
        "gen. 2 · 1 restart",
        "1m 05s",
        "12.0 MiB",
        "25.0 %",
        "12.0",
        "oldest 1.5 s",
        "Reduced",
        r#"id="restart-model""#,
        r#"aria-label="Stop model""#,
        r#"aria-label="Resume brains""#,
        "CPU of model in the last minute",
        "2 workers are not ready",
        "The kernel was started by root.",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    // A held worker says why and what to do.
    assert!(shown.contains("It failed 6 times in 60 s. Mend that, then resume it under Workers"), "{shown}");
    assert!(!shown.contains(r#"aria-label="Stop brains""#));
}

#[test]
fn a_worker_that_is_being_restarted_says_so_and_takes_no_second_order() {
    let draining = WorkerChanged { name: "model".into(), generation: 2, state: WorkerState::Draining };
    let events = vec![Event::Act { worker: "model".into(), act: Act::Restart }, Event::Changed(draining)];
    let shown = page(Tab::Workers, after(events));
    assert!(shown.contains("Working on it") && shown.contains("Finishing"), "{shown}");
}

#[test]
fn health_shows_each_finding_with_its_next_step() {
    let check = |level, next_step: &str| Check {
        name: "model server".into(),
        level,
        found: "nothing <b>listens</b> there".into(),
        next_step: next_step.into(),
    };
    let disk =
        Check { name: "space for logs".into(), level: Level::Ok, found: "9 GiB free".into(), next_step: String::new() };
    let answer = Ok(vec![check(Level::Warning, "start `ollama serve`")]);
    let events = vec![Event::Check, Event::Checked { worker: "model".into(), question: 1, answer }, Event::Disk(disk)];
    let shown = page(Tab::Health, after(events));
    for part in [
        "Start `ollama serve`.",
        "1 thing to mend",
        r#"data-testid="health-disk""#,
        "9 GiB free",
        r#"id="check-again""#,
        "Nothing &#60;b&#62;listens&#60;/b&#62; there.",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let asked = page(Tab::Health, vec![Event::Connected, Event::Stats(Box::new(sample())), Event::Check]);
    assert!(asked.contains("Checking model") && asked.contains("Looking at everything"), "{asked}");
}

fn records() -> TraceRecords {
    let (client, brains, model) = (EndpointId::new(9, 1), EndpointId::new(3, 2), EndpointId::new(2, 2));
    let records = vec![
        record(1_000_000, Frame::Request, &SEND, (client, brains), [1, 0, 5]),
        record(1_200_000, Frame::Request, &CHAT, (brains, model), [2, 1, 5]),
        record(1_300_000, Frame::Item, &CHAT, (model, brains), [2, 0, 5]),
        failed(record(2_000_000, Frame::End, &CHAT, (model, brains), [2, 0, 5])),
    ];
    TraceRecords { records, names: vec![(client, "client#9.1".into())] }
}

#[test]
fn the_trace_shows_who_asked_whom_and_a_turn_as_a_tree() {
    let shown = page(Tab::Trace, after(vec![Event::Trace(records())]));
    for part in ["client#9.1 → brains", "model.chat", ">failed<", r#"aria-label="Show trace 5 as a tree""#, "Pause"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert!(!shown.contains(">item<"), "what flows is left out at first");
    let turn = vec![
        Event::Trace(records()),
        Event::OpenTurn(Some(5)),
        Event::TurnRead { asked: Some(5), records: Ok(records()) },
    ];
    let tree = page(Tab::Trace, after(turn));
    for part in [
        "Calls of trace 5, each",
        "level 2 ·",
        "1.00 s · 2 calls",
        "4 messages",
        "still open",
        "begins after 200.00 ms",
    ] {
        assert!(tree.contains(part), "{part} in {tree}");
    }
    let forgotten = vec![
        Event::OpenTurn(Some(9)),
        Event::TurnRead { asked: Some(9), records: Ok(TraceRecords { records: Vec::new(), names: Vec::new() }) },
    ];
    assert!(page(Tab::Trace, after(forgotten)).contains("Nothing is remembered of trace 9"));
}

#[test]
fn a_trace_that_fits_no_filter_or_is_paused_or_fails_says_so() {
    let filter = crate::state::diagnostics::trace::Filter { text: "nothing.such".into(), ..Default::default() };
    let none = page(Tab::Trace, after(vec![Event::Trace(records()), Event::TraceFilter(filter)]));
    assert!(none.contains("Nothing fits the filter"), "{none}");
    let paused = page(Tab::Trace, after(vec![Event::Pause(Kind::Trace, true)]));
    assert!(paused.contains("Paused") && paused.contains("Resume"), "{paused}");
    let mut events = after(vec![Event::Show(Tab::Trace)]);
    events.push(Event::FeedLost(Kind::Trace, 2));
    assert!(page(Tab::Trace, events).contains("2 batches of it were left out"));
}

#[test]
fn logs_are_text_whatever_they_hold() {
    let line = |text: &str| LogLine { worker: "model".into(), at_unix_ms: 1, line: text.into() };
    let lines = LogLines {
        lines: vec![
            line("2025-11-22T14:15:16Z WARN a::b: <img src=x onerror=alert(1)>"),
            line("thread 'main' panicked \u{202e}"),
        ],
    };
    let shown = page(Tab::Logs, after(vec![Event::LogsKept(lines), Event::SelectLine(Some(0))]));
    assert!(!shown.contains("<img") && shown.contains("&#60;img src=x"), "{shown}");
    for part in ["Warn", "panicked \\u{202e}", r#"aria-label="The chosen line""#, "a::b", r#"role="log""#] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let empty = page(Tab::Logs, after(vec![Event::LogsKept(LogLines { lines: Vec::new() })]));
    assert!(empty.contains("No process has written anything yet"), "{empty}");
}

#[test]
fn a_crash_report_says_what_when_and_why() {
    let report = CrashReport {
        worker: "model".into(),
        generation: 3,
        pid: 99,
        at_unix_ms: 1_763_820_916_123,
        uptime_ms: 61_000,
        exit: Exit::Signal(9),
        cause: "it was killed from outside".into(),
        stderr_tail: vec!["last <i>words</i>".into()],
        in_flight: vec!["model.chat".into()],
        headers: records().records,
    };
    let shown = page(Tab::Crashes, after(vec![Event::Crashes(Ok(vec![report]))]));
    for part in [
        "signal 9 (killed)",
        "It was killed from outside.",
        "1 min 01 s",
        "last &#60;i&#62;words",
        "model.chat",
        "−1.000 s",
        "brains → model",
        "Its last messages",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert!(page(Tab::Crashes, after(vec![Event::Crashes(Ok(Vec::new()))])).contains("No worker has failed"));
    assert!(page(Tab::Crashes, after(vec![Event::Crashes(Err("no room".into()))])).contains("cannot be read"));
}

#[test]
fn security_shows_what_is_in_force_what_is_granted_and_the_proof() {
    let principal = Principal {
        name: "model".into(),
        kind: "worker".into(),
        serves: vec!["model".into()],
        calls: vec!["vault.read".into()],
        publishes: Vec::new(),
        subscribes: Vec::new(),
        starts: Vec::new(),
        grants: vec!["tcp 11434".into()],
        provenance: Vec::new(),
    };
    let attempt = |outcome| Attempt { name: "file.read".into(), grant: "a path that it may read".into(), outcome };
    let proof = |outcome| ProofReport {
        worker: "model".into(),
        twin: vec![attempt(outcome)],
        control: vec![attempt(Outcome::Succeeded)],
        live: Vec::new(),
        missing: Vec::new(),
    };
    let proved = |outcome| {
        let events = vec![
            Event::Capabilities(Capabilities { principals: vec![principal.clone()] }),
            Event::Open(Some("model".into())),
            Event::Prove("model".into()),
            Event::Proved { worker: "model".into(), report: Ok(Box::new(proof(outcome))) },
        ];
        page(Tab::Security, after(events))
    };
    let good = proved(Outcome::Denied { error: "EACCES".into() });
    for part in
        ["ABI 6", "audit flags", "tcp 11434", "vault.read", "1 attempts were denied", "EACCES", "It does not run."]
    {
        assert!(good.contains(part), "{part} in {good}");
    }
    let bad = proved(Outcome::Succeeded);
    assert!(bad.contains("did not hold") && bad.contains("Got through"), "{bad}");
}

#[test]
fn the_tabs_are_tabs_and_the_actions_are_offered_where_they_make_sense() {
    let shown = page(Tab::Workers, known());
    assert_eq!(shown.matches(r#"role="tab""#).count(), Tab::ALL.len());
    assert!(shown.contains(r#"role="tablist""#) && shown.contains(r#"id="copy-report""#));
    for worker in ["model", "memory", "brains", "vault"] {
        for act in ["restart", "stop", "resume"] {
            let id = format!("workers.{act}_{worker}");
            assert!(ACTIONS.iter().any(|action| action.id == id), "{id}");
        }
    }
    let header = Header::from_bytes(&records().records[3].header).unwrap();
    assert!(header.flags.contains(Flags::ERROR), "the sample has a failure to show");
}
