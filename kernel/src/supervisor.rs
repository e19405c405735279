//! When a worker starts, stops, restarts and stays down: a pure state machine per worker.
//!
//! `step(now, event)` returns what is to be done; it reads no clock, starts no process and draws no random number.
//! `docs/supervision.md` draws it.

use butterfly_wire::control::WorkerState;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The constants of supervision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// Failures within `window` after which the worker is held.
    pub restarts: usize,
    pub window: Duration,
    /// Pause before the second restart of a window; doubles with each further one.
    pub backoff: Duration,
    pub backoff_limit: Duration,
    /// How long the others wait for the worker that is started first.
    pub first_limit: Duration,
    /// Time from the start of the process until it is confined and has checked it.
    pub start_limit: Duration,
    /// Time from then to Ready: to open what it needs, and to ask others.
    pub prepare_limit: Duration,
    /// Time to finish what is in flight when asked to drain.
    pub drain_limit: Duration,
    /// Time from SIGTERM to SIGKILL.
    pub term_limit: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            // Five failures in a minute are no accident; more would only fill the disk with reports.
            restarts: 5,
            window: Duration::from_secs(60),
            backoff: Duration::from_millis(100),
            backoff_limit: Duration::from_secs(30),
            // Opening a store takes milliseconds. Whoever waits for a migration must not keep the assistant away.
            first_limit: Duration::from_secs(3),
            // A cold disk takes seconds to load a program; minutes mean that it hangs.
            start_limit: Duration::from_secs(20),
            // A large store is copied before it is migrated, at some 100 MB/s.
            prepare_limit: Duration::from_secs(10 * 60),
            // Long enough for an answer's last words, short enough for a person who waits for the restart.
            drain_limit: Duration::from_secs(2),
            term_limit: Duration::from_millis(500),
        }
    }
}

/// What should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Desired {
    Running,
    Stopped,
}

/// What is.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Not started yet: another comes first, until then at the latest.
    Waiting {
        until: Instant,
    },
    /// Not ready yet, and killed for it at `until`.
    Starting {
        until: Instant,
    },
    Ready,
    Draining {
        phase: Phase,
        until: Instant,
    },
    Stopped,
    Backoff {
        until: Instant,
    },
    Held {
        reason: String,
    },
}

/// How hard a worker is being asked to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Asked,
    Terminated,
    Killed,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Somebody wants it to run; clears Held.
    Start,
    /// It shall run once another is up, or at this time.
    Wait { until: Instant },
    /// Somebody wants it down.
    Stop,
    /// Somebody wants it anew; clears Held.
    Restart,
    /// What it may reach has changed: if it runs, it does so anew.
    Renew,
    /// It is confined and checked; now it prepares to serve.
    Confined,
    /// It is confined, checked and serves.
    Ready,
    /// Its process has ended. `jitter` is a fraction between 0 and 1.
    Exited { jitter: f64 },
    /// It must not run: retrying would not help.
    Hold { reason: String },
    /// Its process could not be started, or its jail gave up: retrying would not help either.
    NotStarted { reason: String },
    /// It must go now: it hangs, or its connection is out of step.
    Kill,
    /// Time has passed.
    Tick,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Start a process with the next generation.
    Spawn,
    /// Ask it to finish and exit.
    Drain,
    Terminate,
    Kill,
    /// Keep a report of the failure.
    Report,
}

/// One worker's machine.
#[derive(Clone, Debug)]
pub struct Supervisor {
    policy: Policy,
    desired: Desired,
    state: State,
    /// Whether a process exists.
    alive: bool,
    /// Reason to hold once the process is gone.
    hold_after: Option<String>,
    failures: VecDeque<Instant>,
    restarts: u32,
}

impl Supervisor {
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            desired: Desired::Stopped,
            state: State::Stopped,
            alive: false,
            hold_after: None,
            failures: VecDeque::new(),
            restarts: 0,
        }
    }

    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// How often it was started again, whatever the cause.
    #[must_use]
    pub fn restarts(&self) -> u32 {
        self.restarts
    }

    /// The state for people.
    #[must_use]
    pub fn shown(&self, now: Instant) -> WorkerState {
        match &self.state {
            State::Waiting { .. } | State::Starting { .. } => WorkerState::Starting,
            State::Ready => WorkerState::Ready,
            State::Draining { .. } => WorkerState::Draining,
            State::Stopped => WorkerState::Stopped,
            State::Backoff { until } => {
                WorkerState::Backoff { remaining_ms: until.saturating_duration_since(now).as_millis() as u64 }
            }
            State::Held { reason } => WorkerState::Held { reason: reason.clone() },
        }
    }

    /// When a [`Event::Tick`] will have something to do.
    #[must_use]
    pub fn next_tick(&self) -> Option<Instant> {
        match &self.state {
            State::Waiting { until }
            | State::Starting { until }
            | State::Draining { until, .. }
            | State::Backoff { until } => Some(*until),
            State::Ready | State::Stopped | State::Held { .. } => None,
        }
    }

    /// Takes one step.
    pub fn step(&mut self, now: Instant, event: Event) -> Vec<Action> {
        match event {
            Event::Start => {
                self.desired = Desired::Running;
                self.start_if_down(now)
            }
            Event::Wait { until } => {
                // Whoever is on its way already, or was held, waits for nobody.
                if self.state == State::Stopped {
                    self.desired = Desired::Running;
                    self.state = State::Waiting { until };
                }
                Vec::new()
            }
            Event::Stop => {
                self.desired = Desired::Stopped;
                if !self.alive {
                    self.state = State::Stopped;
                }
                self.drain_if_up(now)
            }
            Event::Restart => {
                self.desired = Desired::Running;
                self.failures.clear();
                self.hold_after = None;
                if self.alive { self.drain_if_up(now) } else { self.start_if_down(now) }
            }
            Event::Renew => match self.desired {
                Desired::Running => self.drain_if_up(now),
                Desired::Stopped => Vec::new(),
            },
            Event::Confined => {
                if matches!(self.state, State::Starting { .. }) {
                    self.state = State::Starting { until: now + self.policy.prepare_limit };
                }
                Vec::new()
            }
            Event::Ready => {
                if matches!(self.state, State::Starting { .. }) {
                    self.state = State::Ready;
                }
                Vec::new()
            }
            Event::Exited { jitter } => self.exited(now, jitter),
            Event::Hold { reason } => {
                if self.alive {
                    self.hold_after.get_or_insert(reason);
                    self.state = State::Draining { phase: Phase::Killed, until: now + self.policy.term_limit };
                    vec![Action::Kill]
                } else {
                    self.state = State::Held { reason };
                    Vec::new()
                }
            }
            Event::NotStarted { reason } => {
                self.alive = false;
                self.hold_after = None;
                self.state = match self.desired {
                    Desired::Running => State::Held { reason },
                    Desired::Stopped => State::Stopped,
                };
                vec![Action::Report]
            }
            // The process is still there; that it ended tells the rest, and in what state it was is the report's matter.
            Event::Kill if self.alive => vec![Action::Kill],
            Event::Kill => Vec::new(),
            Event::Tick => self.tick(now),
        }
    }

    fn start_if_down(&mut self, now: Instant) -> Vec<Action> {
        if self.alive {
            return Vec::new();
        }
        self.failures.clear();
        self.spawn(now)
    }

    fn spawn(&mut self, now: Instant) -> Vec<Action> {
        self.state = State::Starting { until: now + self.policy.start_limit };
        self.alive = true;
        vec![Action::Spawn]
    }

    fn drain_if_up(&mut self, now: Instant) -> Vec<Action> {
        match self.state {
            State::Ready => {
                self.state = State::Draining { phase: Phase::Asked, until: now + self.policy.drain_limit };
                vec![Action::Drain]
            }
            // It serves nobody yet: there is nothing to finish.
            State::Starting { .. } => {
                self.state = State::Draining { phase: Phase::Terminated, until: now + self.policy.term_limit };
                vec![Action::Terminate]
            }
            State::Waiting { .. }
            | State::Draining { .. }
            | State::Stopped
            | State::Backoff { .. }
            | State::Held { .. } => Vec::new(),
        }
    }

    fn exited(&mut self, now: Instant, jitter: f64) -> Vec<Action> {
        self.alive = false;
        let was_draining = matches!(self.state, State::Draining { .. });
        if let Some(reason) = self.hold_after.take() {
            self.state = State::Held { reason };
            return vec![Action::Report];
        }
        match (self.desired, was_draining) {
            (Desired::Stopped, _) => {
                self.state = State::Stopped;
                Vec::new()
            }
            (Desired::Running, true) => {
                self.restarts += 1;
                self.spawn(now)
            }
            (Desired::Running, false) => self.failed(now, jitter),
        }
    }

    fn failed(&mut self, now: Instant, jitter: f64) -> Vec<Action> {
        while self.failures.front().is_some_and(|failure| now.duration_since(*failure) > self.policy.window) {
            self.failures.pop_front();
        }
        self.failures.push_back(now);
        let mut actions = vec![Action::Report];
        let count = self.failures.len();
        if count > self.policy.restarts {
            let reason = format!("it failed {count} times within {} s", self.policy.window.as_secs());
            self.state = State::Held { reason };
        } else if count == 1 {
            self.restarts += 1;
            actions.extend(self.spawn(now));
        } else {
            self.state = State::Backoff { until: now + self.pause(count, jitter) };
        }
        actions
    }

    /// 100 ms × 2ⁿ, at most 30 s, of which the last quarter is chance: workers that fell together do not rise together.
    fn pause(&self, count: usize, jitter: f64) -> Duration {
        let doublings = u32::try_from(count - 2).unwrap_or(u32::MAX).min(20);
        let full = self.policy.backoff.saturating_mul(1 << doublings).min(self.policy.backoff_limit);
        full.mul_f64(0.75 + 0.25 * jitter.clamp(0.0, 1.0))
    }

    fn tick(&mut self, now: Instant) -> Vec<Action> {
        match &self.state {
            State::Waiting { until } if now >= *until => self.spawn(now),
            State::Starting { until } if now >= *until => {
                // A process that is slow to die is killed again later, not at once and for ever.
                self.state = State::Starting { until: now + self.policy.term_limit };
                vec![Action::Kill]
            }
            State::Backoff { until } if now >= *until => {
                self.restarts += 1;
                self.spawn(now)
            }
            State::Draining { phase, until } if now >= *until => {
                let (phase, action) = match phase {
                    Phase::Asked => (Phase::Terminated, Action::Terminate),
                    Phase::Terminated | Phase::Killed => (Phase::Killed, Action::Kill),
                };
                self.state = State::Draining { phase, until: now + self.policy.term_limit };
                vec![action]
            }
            State::Waiting { .. }
            | State::Starting { .. }
            | State::Backoff { .. }
            | State::Draining { .. }
            | State::Ready
            | State::Stopped
            | State::Held { .. } => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
