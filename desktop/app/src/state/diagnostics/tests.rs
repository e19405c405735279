//! The reducer as a whole.

use super::super::Event as Any;
use super::workers::tests::sample;
use super::*;
use crate::state::frame;
use butterfly_api::health::Level;
use butterfly_wire::catalog::session::SEND;
use butterfly_wire::control::LogLine;

/// Connected to a kernel with the sample's workers.
pub fn connected() -> State {
    let mut state = State::default();
    state.reduce(Event::Connected);
    state.reduce(Event::Stats(Box::new(sample())));
    state
}

fn effects(outer: &[Outer]) -> Vec<&Effect> {
    outer
        .iter()
        .filter_map(|effect| match effect {
            Outer::Diagnostics(effect) => Some(effect),
            _ => None,
        })
        .collect()
}

fn follows(outer: &[Outer]) -> Vec<(Kind, Leased)> {
    effects(outer)
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Follow(kind, leased) => Some((*kind, leased.clone())),
            _ => None,
        })
        .collect()
}

fn toasts(outer: &[Outer]) -> Vec<String> {
    outer
        .iter()
        .filter_map(|effect| match effect {
            Outer::Then(event) => match &**event {
                Any::Frame(frame::Event::Toast(toast)) => Some(toast.text.clone()),
                _ => None,
            },
            _ => None,
        })
        .collect()
}

#[test]
fn a_feed_is_followed_only_while_its_tab_is_on_the_screen() {
    let mut state = connected();
    assert!(follows(&state.reduce(Event::Show(Tab::Trace))).is_empty(), "the view is not shown");
    let (kind, trace) = follows(&state.reduce(Event::Visible(true))).remove(0);
    assert_eq!(kind, Kind::Trace);
    let (kind, logs) = follows(&state.reduce(Event::Show(Tab::Logs))).remove(0);
    assert!(kind == Kind::Logs && trace.is_over() && !logs.is_over());
    state.reduce(Event::Pause(Kind::Logs, true));
    assert!(logs.is_over(), "paused");
    let (_, again) = follows(&state.reduce(Event::Pause(Kind::Logs, false))).remove(0);
    state.reduce(Event::Visible(false));
    assert!(again.is_over());
    let (_, again) = follows(&state.reduce(Event::Visible(true))).remove(0);
    state.reduce(Event::Lost);
    assert!(again.is_over());
    assert_eq!(follows(&state.reduce(Event::Connected)).len(), 1, "it goes on with the next connection");
}

#[test]
fn a_feed_that_fails_says_why_and_is_tried_again_when_asked() {
    let mut state = connected();
    state.reduce(Event::Visible(true));
    state.reduce(Event::Show(Tab::Trace));
    assert!(follows(&state.reduce(Event::FeedFailed(Kind::Trace, "denied".into()))).is_empty());
    assert_eq!(state.trace_feed.failed.as_deref(), Some("denied"));
    assert_eq!(follows(&state.reduce(Event::Pause(Kind::Trace, false))).len(), 1);
    assert_eq!(state.trace_feed.failed, None);
}

#[test]
fn restart_is_done_at_once_and_stop_asks_first() {
    let mut state = connected();
    let done = state.reduce(Event::Act { worker: "model".into(), act: Act::Restart });
    assert!(matches!(effects(&done)[..], [Effect::Act { act: Act::Restart, .. }]));
    assert!(effects(&state.reduce(Event::Act { worker: "model".into(), act: Act::Stop })).is_empty(), "one at a time");
    let changed = WorkerChanged { name: "model".into(), generation: 3, state: WorkerState::Ready };
    assert_eq!(toasts(&state.reduce(Event::Changed(changed))), ["model was restarted."]);

    let asked = state.reduce(Event::AskStop("model".into()));
    let [Outer::Then(event)] = &asked[..] else { panic!("{asked:?}") };
    let Any::Frame(frame::Event::Ask(confirm)) = &**event else { panic!("{event:?}") };
    assert!(confirm.danger && confirm.title == "Stop model?");
    let Any::Diagnostics(event) = (*confirm.event).clone() else { panic!("{confirm:?}") };
    assert!(matches!(effects(&state.reduce(event))[..], [Effect::Act { act: Act::Stop, .. }]));
    let failed = Event::ActFailed { worker: "model".into(), act: Act::Stop, why: "it is gone.".into() };
    assert_eq!(toasts(&state.reduce(failed)), ["The app could not stop model: it is gone."]);
    assert!(state.workers.acting.is_empty());
}

#[test]
fn offline_nothing_is_asked_for_and_what_is_known_stays() {
    let mut state = connected();
    state.reduce(Event::Lost);
    assert!(state.reduce(Event::Act { worker: "model".into(), act: Act::Restart }).is_empty());
    assert!(state.reduce(Event::Check).is_empty());
    state.reduce(Event::Visible(true));
    assert!(state.reduce(Event::Show(Tab::Health)).is_empty());
    assert!(state.workers.status.is_some());
}

#[test]
fn health_is_looked_at_when_shown_and_again_for_another_process() {
    let mut state = connected();
    state.reduce(Event::Visible(true));
    let asked = state.reduce(Event::Show(Tab::Health));
    let [Effect::Check { worker, question, .. }, Effect::Disk] = effects(&asked)[..] else { panic!("{asked:?}") };
    assert_eq!(worker, "model", "only who is ready can answer");
    let check = Check { name: "model".into(), level: Level::Ok, found: "there".into(), next_step: String::new() };
    state.reduce(Event::Checked { worker: "model".into(), question: *question, answer: Ok(vec![check]) });
    assert!(!state.health.is_checking());
    let mut status = sample();
    status.workers[0].endpoint.generation += 1;
    status.workers[0].pid += 1;
    let again = state.reduce(Event::Stats(Box::new(status)));
    assert!(matches!(effects(&again)[..], [Effect::Check { .. }]), "{again:?}");
}

#[test]
fn after_a_reconnection_nobody_is_asked_by_an_old_table() {
    let mut state = connected();
    state.reduce(Event::Visible(true));
    state.reduce(Event::Show(Tab::Health));
    state.reduce(Event::Lost);
    let asks = |effects: &[Effect]| effects.iter().filter(|effect| matches!(effect, Effect::Check { .. })).count();
    let own = |outer: Vec<Outer>| effects(&outer).into_iter().cloned().collect::<Vec<_>>();
    assert_eq!(asks(&own(state.reduce(Event::Connected))), 0);
    assert_eq!(asks(&own(state.reduce(Event::Stats(Box::new(sample()))))), 1);
}

#[test]
fn a_failure_makes_the_reports_be_read() {
    let mut state = connected();
    let changed = |state| Event::Changed(WorkerChanged { name: "model".into(), generation: 3, state });
    assert!(matches!(effects(&state.reduce(changed(WorkerState::Starting)))[..], [Effect::Crashes]));
    assert!(effects(&state.reduce(changed(WorkerState::Ready))).is_empty());
}

#[test]
fn a_turn_is_read_once_and_grows_while_it_runs() {
    let ends = (EndpointId::new(9, 1), EndpointId::new(3, 1));
    let record = |at, kind, trace: u64| super::trace::record(at, kind, &SEND, ends, [trace, 0, trace]);
    let records = |records| TraceRecords { records, names: Vec::new() };
    let mut state = connected();
    assert!(matches!(effects(&state.reduce(Event::OpenTurn(None)))[..], [Effect::Turn(None)]));
    let first = record(10, butterfly_wire::Kind::Request, 7);
    state.reduce(Event::TurnRead { asked: None, records: Ok(records(vec![first])) });
    let open = state.turn.clone().unwrap();
    assert_eq!((open.trace, open.tree.map(|tree| tree.messages)), (Some(7), Some(1)));
    let end = record(20, butterfly_wire::Kind::End, 7);
    state.reduce(Event::Trace(records(vec![first, end, record(30, butterfly_wire::Kind::Request, 8)])));
    assert_eq!(state.turn.clone().unwrap().tree.map(|tree| tree.messages), Some(2), "its own messages, once");
    state.reduce(Event::OpenTurn(Some(8)));
    state.reduce(Event::TurnRead { asked: None, records: Err("late".into()) });
    assert!(state.turn.as_ref().is_some_and(|open| open.is_loading), "an answer to an earlier question is dropped");
    state.reduce(Event::TurnRead { asked: Some(8), records: Ok(records(Vec::new())) });
    assert!(state.turn.unwrap().failed.unwrap().contains("trace 8"));
}

#[test]
fn a_view_that_is_read_stands_still() {
    let line = |text: &str| LogLine { worker: "model".into(), at_unix_ms: 1, line: text.into() };
    let mut state = connected();
    state.reduce(Event::LogsKept(LogLines { lines: vec![line("a")] }));
    state.reduce(Event::Hold(Kind::Logs, true));
    state.reduce(Event::Logs(LogLines { lines: vec![line("b"), line("c")] }));
    state.reduce(Event::Hold(Kind::Logs, true));
    assert_eq!(state.logs.shown(state.logs_feed.held_at).count(), 1);
    state.reduce(Event::Hold(Kind::Logs, false));
    assert_eq!(state.logs.shown(state.logs_feed.held_at).count(), 3);
}

#[test]
fn a_report_is_gathered_once_and_copied() {
    let mut state = connected();
    let asked = state.reduce(Event::Report);
    assert!(matches!(effects(&asked)[..], [Effect::Report { workers }] if workers.len() == 1), "{asked:?}");
    assert!(state.reduce(Event::Report).is_empty(), "it is being gathered");
    let done = state.reduce(Event::Gathered(Box::default()));
    assert!(done.iter().any(|effect| matches!(effect, Outer::System(System::Copy(text)) if text.contains("Workers"))));
    assert_eq!(toasts(&done), ["The report is on the clipboard."]);
    state.reduce(Event::Lost);
    assert_eq!(effects(&state.reduce(Event::Report)).len(), 1, "without a kernel what is known is copied");
}
