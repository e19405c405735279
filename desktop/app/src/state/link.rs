//! The connection to the kernel.

use super::{Effect as Outer, chat, diagnostics, memory, settings, setup};
use butterfly_wire::control::WorkerState;

/// How the app stands with the kernel.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Looking for a kernel, or starting one.
    #[default]
    Starting,
    Connected,
    /// It was there and is gone; the next attempt is under way.
    Lost {
        why: String,
    },
    /// There is none, and starting one failed.
    Failed {
        why: String,
    },
}

/// The connection.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct State {
    pub phase: Phase,
    /// Whether this app started the kernel, and so ends it with the window where the person wants that.
    pub started_kernel: bool,
    /// The kernel's process id; 0 while unknown.
    pub kernel_pid: u32,
    /// Workers that are not ready, with their state.
    pub away: Vec<(String, WorkerState)>,
}

/// What happens to the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The person asked for a kernel.
    Start,
    Starting,
    Connected {
        started_kernel: bool,
        kernel_pid: u32,
    },
    Lost {
        why: String,
    },
    Failed {
        why: String,
    },
    /// A worker changed its state.
    Worker {
        name: String,
        state: WorkerState,
    },
}

/// What the connection needs from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Start a kernel: there was none, or it was stopped.
    Start,
}

impl State {
    /// Changes the state by what happened, and says what is to be done.
    pub fn reduce(&mut self, event: Event) -> Vec<Outer> {
        match event {
            Event::Start => vec![Outer::Link(Effect::Start)],
            Event::Starting => {
                self.phase = Phase::Starting;
                Vec::new()
            }
            Event::Connected { started_kernel, kernel_pid } => {
                // Who started it stays responsible over a reconnection to the same kernel.
                self.started_kernel = started_kernel || (self.started_kernel && kernel_pid == self.kernel_pid);
                self.kernel_pid = kernel_pid;
                self.phase = Phase::Connected;
                self.away.clear();
                vec![
                    Outer::then(settings::Event::Connected),
                    Outer::then(chat::Event::Connected),
                    Outer::then(setup::Event::Connected),
                    Outer::then(memory::Event::Connected),
                    Outer::then(diagnostics::Event::Connected),
                ]
            }
            Event::Lost { why } => {
                self.phase = Phase::Lost { why };
                vec![
                    Outer::then(chat::Event::Lost),
                    Outer::then(setup::Event::Lost),
                    Outer::then(memory::Event::Lost),
                    Outer::then(diagnostics::Event::Lost),
                    Outer::then(settings::Event::Lost),
                ]
            }
            Event::Failed { why } => {
                self.phase = Phase::Failed { why };
                Vec::new()
            }
            Event::Worker { name, state } => {
                let before = self.away.len();
                self.away.retain(|(other, _)| *other != name);
                let was_away = self.away.len() < before;
                if state != WorkerState::Ready {
                    self.away.push((name, state));
                    return Vec::new();
                }
                if was_away && self.is_connected() { Self::back(&name) } else { Vec::new() }
            }
        }
    }

    /// A worker serves again, so that who was told that it does not may ask once more.
    fn back(worker: &str) -> Vec<Outer> {
        match worker {
            "memory" => vec![
                Outer::then(settings::Event::Connected),
                Outer::then(chat::Event::Connected),
                Outer::then(memory::Event::Connected),
            ],
            "model" => vec![Outer::then(setup::Event::Connected), Outer::then(chat::Event::Connected)],
            "vault" => vec![Outer::then(settings::Event::Connected)],
            _ => Vec::new(),
        }
    }

    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.phase == Phase::Connected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connected(kernel_pid: u32, started_kernel: bool) -> Event {
        Event::Connected { started_kernel, kernel_pid }
    }

    #[test]
    fn each_part_hears_of_the_connection_and_of_its_loss() {
        let mut state = State::default();
        assert_eq!(state.reduce(connected(7, true)).len(), 5);
        assert!(state.is_connected());
        assert_eq!(state.reduce(Event::Lost { why: "it ended".into() }).len(), 5);
        assert!(!state.is_connected());
    }

    #[test]
    fn a_kernel_that_somebody_else_started_is_not_ours() {
        let mut state = State::default();
        state.reduce(connected(7, true));
        state.reduce(Event::Lost { why: String::new() });
        state.reduce(connected(7, false));
        assert!(state.started_kernel, "the same process is still the one that was started here");
        state.reduce(connected(8, false));
        assert!(!state.started_kernel);
    }

    #[test]
    fn what_a_worker_knows_is_asked_for_again_when_it_is_back() {
        let mut state = State::default();
        let worker = |state| Event::Worker { name: "memory".into(), state };
        state.reduce(connected(7, true));
        assert!(state.reduce(worker(WorkerState::Starting)).is_empty());
        assert_eq!(state.reduce(worker(WorkerState::Ready)).len(), 3);
        assert!(state.reduce(worker(WorkerState::Ready)).is_empty(), "it was there all the time");
    }

    #[test]
    fn a_worker_is_away_until_it_is_ready() {
        let mut state = State::default();
        let worker = |state| Event::Worker { name: "model".into(), state };
        state.reduce(worker(WorkerState::Starting));
        state.reduce(worker(WorkerState::Draining));
        assert_eq!(state.away, [("model".to_owned(), WorkerState::Draining)]);
        state.reduce(worker(WorkerState::Ready));
        assert!(state.away.is_empty());
    }
}
