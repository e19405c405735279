//! The table of workers: what the kernel tells once a second, the rates between two readings, and a minute of them.

use butterfly_wire::control::{Status, WorkerChanged, WorkerState, WorkerStatus};
use std::collections::{BTreeMap, VecDeque};

/// Readings that are kept, one a second: a minute.
pub const HISTORY: usize = 60;

/// What is done to a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Restart,
    Stop,
    Start,
}

impl Act {
    /// As a button says it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Restart => "Restart",
            Self::Stop => "Stop",
            Self::Start => "Resume",
        }
    }

    /// Whether it makes sense for a worker in this state.
    #[must_use]
    pub const fn applies(self, state: &WorkerState) -> bool {
        let resting = matches!(state, WorkerState::Stopped | WorkerState::Held { .. });
        match self {
            Self::Restart => !matches!(state, WorkerState::Stopped | WorkerState::Draining),
            Self::Stop => !matches!(state, WorkerState::Stopped),
            Self::Start => resting,
        }
    }
}

/// Something that is being done to a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acting {
    pub act: Act,
    /// The worker's generation when it began.
    before: u32,
}

/// How far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Going,
    Done,
    /// The worker is held instead, for this reason.
    Held(String),
}

impl Acting {
    fn judge(self, generation: u32, state: &WorkerState) -> Outcome {
        match (self.act, state) {
            (Act::Restart, WorkerState::Ready) if generation > self.before => Outcome::Done,
            (Act::Start, WorkerState::Ready) | (Act::Stop, WorkerState::Stopped) => Outcome::Done,
            // It may have been held before: only what comes of this start counts.
            (Act::Restart | Act::Start, WorkerState::Held { reason }) if generation > self.before => {
                Outcome::Held(reason.clone())
            }
            _ => Outcome::Going,
        }
    }
}

/// One minute of a process, oldest first. A second without a process, or between two of them, counts nothing.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct History {
    /// Percent of one processor.
    pub cpu: VecDeque<f64>,
    /// Messages to and from it in a second.
    pub messages: VecDeque<f64>,
    /// Whether the newest reading is a rate; after a restart there is nothing to compare with.
    pub is_known: bool,
}

impl History {
    fn push(&mut self, rates: Option<(f64, f64)>) {
        let (cpu, messages) = rates.unwrap_or_default();
        self.is_known = rates.is_some();
        for (ring, value) in [(&mut self.cpu, cpu), (&mut self.messages, messages)] {
            if ring.len() == HISTORY {
                ring.pop_front();
            }
            ring.push_back(value);
        }
    }

    /// The newest rates: percent of one processor, and messages in a second.
    #[must_use]
    pub fn now(&self) -> Option<(f64, f64)> {
        Some((*self.cpu.back()?, *self.messages.back()?)).filter(|_| self.is_known)
    }
}

/// The table.
#[derive(Debug, Default)]
pub struct Workers {
    /// The newest reading; `None` until there is one.
    pub status: Option<Status>,
    pub kernel: History,
    pub histories: BTreeMap<String, History>,
    /// By worker.
    pub acting: BTreeMap<String, Acting>,
}

impl Workers {
    /// A reading came.
    pub fn read(&mut self, status: Status) {
        let earlier = self.status.as_ref().filter(|earlier| earlier.kernel.pid == status.kernel.pid);
        let elapsed_ms = earlier.map_or(0, |earlier| status.kernel.uptime_ms.saturating_sub(earlier.kernel.uptime_ms));
        if earlier.is_none() {
            self.histories.clear();
            self.kernel = History::default();
        } else if elapsed_ms == 0 {
            // The same reading twice: the table that was asked for, and the event.
            self.status = Some(status);
            return;
        }
        let cpu = earlier.and_then(|earlier| share(status.kernel.cpu_ms, earlier.kernel.cpu_ms, elapsed_ms));
        self.kernel.push(cpu.map(|cpu| (cpu, 0.0)));
        let mut rates = Vec::new();
        for worker in &status.workers {
            // Rates across a restart would compare two processes.
            let before = earlier
                .and_then(|earlier| earlier.workers.iter().find(|old| old.endpoint == worker.endpoint))
                .filter(|old| old.pid == worker.pid && worker.pid != 0);
            rates.push((worker.name.clone(), before.and_then(|old| between(worker, old, elapsed_ms))));
        }
        self.histories.retain(|name, _| rates.iter().any(|(other, _)| other == name));
        for (name, rates) in rates {
            self.histories.entry(name).or_default().push(rates);
        }
        self.status = Some(status);
    }

    /// A worker changed its state: the table says so before its next reading.
    pub fn change(&mut self, changed: WorkerChanged) {
        let Some(status) = &mut self.status else { return };
        let Some(worker) = status.workers.iter_mut().find(|worker| worker.name == changed.name) else { return };
        worker.state = changed.state;
        worker.generation = changed.generation;
    }

    /// Begins something; `false` where it makes no sense, or something is being done already.
    pub fn begin(&mut self, name: &str, act: Act) -> bool {
        let Some(worker) = self.find(name) else { return false };
        if self.acting.contains_key(name) || !act.applies(&worker.state) {
            return false;
        }
        let before = worker.generation;
        self.acting.insert(name.to_owned(), Acting { act, before });
        true
    }

    /// What has ended of what was begun: worker, what was done, and what came of it.
    pub fn settle(&mut self) -> Vec<(String, Act, Outcome)> {
        let mut settled = Vec::new();
        for (name, acting) in &self.acting {
            let Some(worker) = self.find(name) else { continue };
            match acting.judge(worker.generation, &worker.state) {
                Outcome::Going => {}
                outcome => settled.push((name.clone(), acting.act, outcome)),
            }
        }
        for (name, ..) in &settled {
            self.acting.remove(name);
        }
        settled
    }

    #[must_use]
    pub fn find(&self, name: &str) -> Option<&WorkerStatus> {
        self.status.as_ref()?.workers.iter().find(|worker| worker.name == name)
    }

    /// The workers that are not instances of a class, in the kernel's order.
    pub fn standing(&self) -> impl Iterator<Item = &WorkerStatus> {
        self.status.iter().flat_map(|status| &status.workers).filter(|worker| worker.instance_of.is_empty())
    }
}

/// Rates between two readings of one process; `None` where a counter went backwards.
fn between(now: &WorkerStatus, before: &WorkerStatus, elapsed_ms: u64) -> Option<(f64, f64)> {
    let sum = |worker: &WorkerStatus| worker.messages_in.saturating_add(worker.messages_out);
    let moved = sum(now).checked_sub(sum(before))?;
    Some((share(now.cpu_ms, before.cpu_ms, elapsed_ms)?, moved as f64 * 1000.0 / elapsed_ms as f64))
}

/// Percent of one processor.
fn share(now_ms: u64, before_ms: u64, elapsed_ms: u64) -> Option<f64> {
    let spent = now_ms.checked_sub(before_ms)?;
    (elapsed_ms > 0).then(|| spent as f64 * 100.0 / elapsed_ms as f64)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use butterfly_wire::EndpointId;
    use butterfly_wire::confinement::{Confinement, Grade};
    use butterfly_wire::control::KernelStatus;

    pub fn worker(name: &str, slot: u32, state: WorkerState) -> WorkerStatus {
        let alive = matches!(state, WorkerState::Ready | WorkerState::Draining);
        WorkerStatus {
            name: name.to_owned(),
            endpoint: EndpointId::new(slot, 2),
            state,
            pid: if alive { 40 + slot } else { 0 },
            generation: 2,
            restarts: 1,
            uptime_ms: 65_000,
            rss_bytes: 12_582_912,
            cpu_ms: 340,
            in_flight: 1,
            oldest_in_flight_ms: 1500,
            queue_bytes: 2048,
            messages_in: 10,
            messages_out: 20,
            violations: 0,
            confinement: Confinement {
                grade: if alive { Grade::Reduced } else { Grade::None },
                landlock_abi: 6,
                landlock: alive,
                seccomp: alive,
                no_new_privs: alive,
                network: if name == "model" { "tcp 11434".to_owned() } else { "none".to_owned() },
                missing: if alive { vec!["audit flags".to_owned()] } else { Vec::new() },
            },
            instance_of: String::new(),
        }
    }

    /// A healthy, a held and a failed worker.
    pub fn sample() -> Status {
        Status {
            kernel: KernelStatus {
                pid: 41,
                version: "0.1.0".to_owned(),
                uptime_ms: 66_000,
                rss_bytes: 6_291_456,
                cpu_ms: 120,
                socket: "/home/you/.butterfly/run/kernel.sock".to_owned(),
                clients: 1,
                warnings: vec!["the kernel was started by root".to_owned()],
            },
            workers: vec![
                worker("model", 2, WorkerState::Ready),
                worker("brains", 3, WorkerState::Held { reason: "it failed 6 times in 60 s".to_owned() }),
                worker("memory", 4, WorkerState::Backoff { remaining_ms: 400 }),
            ],
        }
    }

    /// The reading two seconds later: the model used half a processor and moved 35 messages.
    fn later(status: &Status) -> Status {
        let mut status = status.clone();
        status.kernel.uptime_ms += 2000;
        status.kernel.cpu_ms += 20;
        status.workers[0].cpu_ms += 1000;
        status.workers[0].messages_in += 30;
        status.workers[0].messages_out += 5;
        status
    }

    #[test]
    fn rates_are_between_two_readings_of_the_same_process() {
        let mut workers = Workers::default();
        workers.read(sample());
        assert_eq!(workers.histories["model"].now(), None, "one reading is no rate");
        workers.read(later(&sample()));
        assert_eq!(workers.histories["model"].now(), Some((50.0, 17.5)));
        assert_eq!(workers.kernel.now(), Some((1.0, 0.0)));
        assert_eq!(workers.histories["brains"].now(), None, "there is no process");

        let mut restarted = later(&workers.status.clone().unwrap());
        restarted.workers[0].endpoint.generation += 1;
        workers.read(restarted.clone());
        assert_eq!(workers.histories["model"].now(), None);
        assert_eq!(workers.histories["model"].cpu, [0.0, 50.0, 0.0]);

        let mut reset = later(&restarted);
        reset.workers[0].messages_in = 0;
        reset.workers[0].messages_out = 0;
        workers.read(reset);
        assert_eq!(workers.histories["model"].now(), None, "a counter that went backwards is no rate");
    }

    #[test]
    fn the_same_moment_twice_is_one_reading_and_another_kernel_begins_anew() {
        let mut workers = Workers::default();
        workers.read(sample());
        workers.read(sample());
        assert_eq!(workers.histories["model"].cpu.len(), 1);
        let mut other = later(&sample());
        other.kernel.pid += 1;
        workers.read(other);
        assert_eq!(workers.histories["model"].cpu, [0.0]);
    }

    #[test]
    fn a_minute_is_kept_and_nothing_of_workers_that_are_gone() {
        let mut workers = Workers::default();
        let mut status = sample();
        for _ in 0..HISTORY + 9 {
            status = later(&status);
            workers.read(status.clone());
        }
        assert_eq!(workers.histories["model"].messages.len(), HISTORY);
        assert!(workers.histories["model"].messages.iter().all(|rate| *rate == 17.5), "the first one has gone");
        status = later(&status);
        status.workers.remove(0);
        workers.read(status);
        assert!(!workers.histories.contains_key("model"));
    }

    #[test]
    fn an_act_ends_with_what_it_was_for() {
        let mut workers = Workers::default();
        workers.read(sample());
        assert!(!workers.begin("model", Act::Start), "it runs");
        assert!(!workers.begin("nobody", Act::Restart));
        assert!(workers.begin("model", Act::Restart));
        assert!(!workers.begin("model", Act::Stop), "one thing at a time");
        assert_eq!(workers.settle(), []);
        let changed = |generation, state| WorkerChanged { name: "model".into(), generation, state };
        workers.change(changed(2, WorkerState::Draining));
        workers.change(changed(3, WorkerState::Starting));
        assert_eq!(workers.settle(), []);
        workers.change(changed(3, WorkerState::Ready));
        assert_eq!(workers.settle(), [("model".to_owned(), Act::Restart, Outcome::Done)]);
        assert!(workers.acting.is_empty());
    }

    #[test]
    fn a_worker_that_was_held_is_judged_by_what_comes_of_the_start() {
        let mut workers = Workers::default();
        workers.read(sample());
        assert!(workers.begin("brains", Act::Start));
        assert_eq!(workers.settle(), [], "it is held, and was so before");
        let state = WorkerState::Held { reason: "no program".into() };
        workers.change(WorkerChanged { name: "brains".into(), generation: 3, state });
        assert_eq!(workers.settle(), [("brains".to_owned(), Act::Start, Outcome::Held("no program".into()))]);
    }
}
