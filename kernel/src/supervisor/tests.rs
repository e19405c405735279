//! What the supervisor does, step by step and under random events.

use super::*;
use proptest::prelude::*;

fn up(now: Instant) -> Supervisor {
    let mut supervisor = Supervisor::new(Policy::default());
    assert_eq!(supervisor.step(now, Event::Start), [Action::Spawn]);
    assert_eq!(supervisor.step(now, Event::Ready), []);
    supervisor
}

const DIED: Event = Event::Exited { jitter: 1.0 };

#[test]
fn first_failure_restarts_at_once_then_backs_off_then_holds() {
    let now = Instant::now();
    let mut supervisor = up(now);
    assert_eq!(supervisor.step(now, DIED), [Action::Report, Action::Spawn]);
    let mut at = now;
    for expected_ms in [100, 200, 400, 800] {
        assert_eq!(supervisor.step(at, DIED), [Action::Report]);
        assert_eq!(*supervisor.state(), State::Backoff { until: at + Duration::from_millis(expected_ms) });
        assert_eq!(supervisor.step(at, Event::Tick), []);
        at += Duration::from_millis(expected_ms);
        assert_eq!(supervisor.step(at, Event::Tick), [Action::Spawn]);
    }
    assert_eq!(supervisor.step(at, DIED), [Action::Report]);
    assert!(matches!(supervisor.state(), State::Held { .. }));
    assert_eq!(supervisor.next_tick(), None);
    assert_eq!(supervisor.step(at, Event::Restart), [Action::Spawn], "a person clears Held");
}

#[test]
fn failures_outside_the_window_are_forgotten() {
    let mut at = Instant::now();
    let mut supervisor = up(at);
    for _ in 0..20 {
        assert_eq!(supervisor.step(at, DIED), [Action::Report, Action::Spawn]);
        at += Duration::from_secs(61);
    }
}

#[test]
fn a_drain_escalates_until_the_process_is_gone() {
    let now = Instant::now();
    let policy = Policy::default();
    let mut supervisor = up(now);
    assert_eq!(supervisor.step(now, Event::Restart), [Action::Drain]);
    let at = now + policy.drain_limit;
    assert_eq!(supervisor.step(at, Event::Tick), [Action::Terminate]);
    let at = at + policy.term_limit;
    assert_eq!(supervisor.step(at, Event::Tick), [Action::Kill]);
    assert_eq!(supervisor.step(at, DIED), [Action::Spawn], "no failure: it was asked to go");
}

#[test]
fn who_does_not_get_ready_is_killed_now_and_then_until_it_is_gone() {
    let now = Instant::now();
    let policy = Policy::default();
    let mut supervisor = Supervisor::new(policy);
    supervisor.step(now, Event::Start);
    let at = now + policy.start_limit;
    assert_eq!(supervisor.next_tick(), Some(at));
    assert_eq!(supervisor.step(at, Event::Tick), [Action::Kill]);
    assert_eq!(supervisor.step(at, Event::Tick), []);
    assert!(supervisor.next_tick() > Some(at), "the timer does not spin");
    assert_eq!(supervisor.step(at + policy.term_limit, Event::Tick), [Action::Kill]);
    assert_eq!(supervisor.step(at + policy.term_limit, DIED), [Action::Report, Action::Spawn], "a failure like any");
}

#[test]
fn stop_wins_over_a_pending_restart() {
    let now = Instant::now();
    let mut supervisor = up(now);
    supervisor.step(now, DIED);
    supervisor.step(now, DIED);
    assert!(matches!(supervisor.state(), State::Backoff { .. }));
    assert_eq!(supervisor.step(now, Event::Stop), []);
    assert_eq!(supervisor.step(now + Duration::from_secs(60), Event::Tick), []);
    assert_eq!(*supervisor.state(), State::Stopped);
}

#[test]
fn hold_kills_first_and_keeps_the_reason() {
    let now = Instant::now();
    let mut supervisor = up(now);
    let reason = "a canary survived".to_owned();
    assert_eq!(supervisor.step(now, Event::Hold { reason: reason.clone() }), [Action::Kill]);
    assert_eq!(supervisor.step(now, DIED), [Action::Report]);
    assert_eq!(*supervisor.state(), State::Held { reason });
}

#[test]
fn who_waits_for_another_starts_when_told_or_when_its_time_is_up() {
    let now = Instant::now();
    let policy = Policy::default();
    let until = now + policy.first_limit;
    let mut supervisor = Supervisor::new(policy);
    assert_eq!(supervisor.step(now, Event::Wait { until }), []);
    assert_eq!(supervisor.shown(now), WorkerState::Starting, "for people it is on its way");
    assert_eq!(supervisor.next_tick(), Some(until));
    assert_eq!(supervisor.step(now, Event::Tick), []);
    let mut told = supervisor.clone();
    assert_eq!(told.step(now, Event::Start), [Action::Spawn]);
    assert_eq!(supervisor.step(until, Event::Tick), [Action::Spawn]);
    assert_eq!((supervisor.restarts(), told.restarts()), (0, 0), "a late start is no restart");
}

#[test]
fn who_waits_for_another_can_be_stopped() {
    let now = Instant::now();
    let mut supervisor = Supervisor::new(Policy::default());
    supervisor.step(now, Event::Wait { until: now });
    assert_eq!(supervisor.step(now, Event::Stop), []);
    assert_eq!(supervisor.step(now + Duration::from_secs(60), Event::Tick), []);
    assert_eq!(*supervisor.state(), State::Stopped);
}

#[test]
fn who_prepares_itself_has_more_time_to_get_ready() {
    let now = Instant::now();
    let policy = Policy::default();
    let mut supervisor = Supervisor::new(policy);
    supervisor.step(now, Event::Start);
    assert_eq!(supervisor.step(now, Event::Confined), []);
    assert_eq!(supervisor.step(now + policy.start_limit, Event::Tick), []);
    assert_eq!(supervisor.step(now + policy.prepare_limit, Event::Tick), [Action::Kill]);
    let mut ready = up(now);
    ready.step(now, Event::Confined);
    assert_eq!(*ready.state(), State::Ready, "said too late, it changes nothing");
}

#[test]
fn a_new_profile_restarts_who_runs_and_wakes_nobody() {
    let now = Instant::now();
    let mut running = up(now);
    assert_eq!(running.step(now, Event::Renew), [Action::Drain]);
    assert_eq!(running.step(now, DIED), [Action::Spawn], "no failure");
    assert_eq!(running.step(now, Event::Renew), [Action::Terminate], "while it starts it serves nobody");

    let mut waiting = Supervisor::new(Policy::default());
    assert_eq!(waiting.step(now, Event::Renew), []);
    waiting.step(now, Event::Wait { until: now + Duration::from_secs(1) });
    assert_eq!(waiting.step(now, Event::Renew), []);
    assert!(matches!(waiting.state(), State::Waiting { .. }));

    let mut stopping = up(now);
    assert_eq!(stopping.step(now, Event::Stop), [Action::Drain]);
    assert_eq!(stopping.step(now, Event::Renew), []);
    assert_eq!(stopping.step(now, DIED), []);
    assert_eq!(*stopping.state(), State::Stopped, "who was stopped stays so");
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(Event::Start),
        (0_u64..40).prop_map(|late| Event::Wait { until: Instant::now() + Duration::from_secs(late) }),
        Just(Event::Renew),
        Just(Event::Confined),
        Just(Event::Stop),
        Just(Event::Restart),
        Just(Event::Ready),
        (0.0..1.0).prop_map(|jitter| Event::Exited { jitter }),
        Just(Event::Hold { reason: "test".to_owned() }),
        Just(Event::NotStarted { reason: "test".to_owned() }),
        Just(Event::Kill),
        Just(Event::Tick),
    ]
}

proptest! {
    /// Whatever happens: never two processes, never a signal to none, never more restarts in a window than allowed.
    #[test]
    fn never_two_processes_and_never_a_restart_storm(events in proptest::collection::vec((any_event(), 0_u64..40_000), 1..200)) {
        let mut now = Instant::now();
        let policy = Policy::default();
        let mut supervisor = Supervisor::new(policy);
        let mut alive = false;
        let mut asked = true;
        let mut unasked: Vec<Instant> = Vec::new();
        for (event, pause) in events {
            now += Duration::from_millis(pause);
            // An exit needs a process.
            if matches!(event, Event::Exited { .. } | Event::NotStarted { .. }) {
                if !alive { continue; }
                alive = false;
            }
            if matches!(event, Event::Start | Event::Restart) {
                asked = true;
                unasked.clear();
            }
            let waits = matches!(event, Event::Wait { .. }) && *supervisor.state() == State::Stopped;
            let actions = supervisor.step(now, event.clone());
            if waits || (event == Event::Renew && !actions.is_empty()) {
                asked = true;
            }
            for action in actions {
                match action {
                    Action::Spawn => {
                        prop_assert!(!alive);
                        alive = true;
                        if !asked { unasked.push(now); }
                        asked = false;
                    }
                    Action::Drain | Action::Terminate | Action::Kill => prop_assert!(alive),
                    Action::Report => prop_assert!(!alive),
                }
            }
            unasked.retain(|at| now.duration_since(*at) <= policy.window);
            prop_assert!(unasked.len() <= policy.restarts + 1);
        }
    }
}
