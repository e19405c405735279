//! Waiting for workers, by the kernel's own events.

use crate::StartError;
use butterfly_api::control;
use butterfly_client::{Bus, Events};
use butterfly_wire::catalog::{control as service, topic};
use butterfly_wire::control::{Status, WorkerChanged, WorkerState, WorkerStatus};
use std::collections::BTreeSet;
use std::time::Duration;

/// Time for a worker that is being restarted to serve again, before what was asked of it counts as refused.
pub const RESTART_LIMIT: Duration = Duration::from_secs(10);

/// What a person may want to hear while workers are waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A worker failed to start, and is tried again in so many milliseconds. The name is as the kernel sent it.
    TriedAgain { worker: String, remaining_ms: u64 },
}

/// The workers that were not started because something is wrong with them: name and reason, as the kernel sent them.
pub fn held(status: &Status) -> impl Iterator<Item = (&str, &str)> {
    status.workers.iter().filter_map(|worker| match &worker.state {
        WorkerState::Held { reason } => Some((worker.name.as_str(), reason.as_str())),
        WorkerState::Starting
        | WorkerState::Ready
        | WorkerState::Draining
        | WorkerState::Stopped
        | WorkerState::Backoff { .. } => None,
    })
}

/// Waits until no worker is on its way to being ready, and returns the table as it is then.
///
/// # Errors
/// When the connection ends.
pub async fn settled(bus: &Bus, notice: &(dyn Fn(Notice) + Sync)) -> Result<Status, StartError> {
    let mut events = bus.subscribe(service::ID, topic::WORKERS).await?;
    loop {
        let now = bus.call::<control::Status>(&()).await?;
        let mut pending = Pending::of(&now);
        if pending.is_empty() {
            return Ok(now);
        }
        while !pending.is_empty() {
            let Some(changed) = next_change(&mut events).await? else { break };
            if let WorkerState::Backoff { remaining_ms } = changed.state {
                notice(Notice::TriedAgain { worker: changed.name.clone(), remaining_ms });
            }
            pending.take(&changed);
        }
    }
}

/// Which process does a worker's work: the number of its start. `None` where there is no such worker.
///
/// # Errors
/// When the connection ends.
pub async fn generation(bus: &Bus, worker: &str) -> Result<Option<u32>, StartError> {
    let now = bus.call::<control::Status>(&()).await?;
    Ok(standing(&now).find(|it| it.name == worker).map(|it| it.generation))
}

/// Waits until a later process than that of `generation` does the worker's work, or is not started.
///
/// # Errors
/// When the connection ends.
pub async fn succeeded(bus: &Bus, worker: &str, generation: Option<u32>) -> Result<(), StartError> {
    let mut events = bus.subscribe(service::ID, topic::WORKERS).await?;
    loop {
        let now = bus.call::<control::Status>(&()).await?;
        let found = standing(&now).find(|it| it.name == worker);
        if found.is_none_or(|it| Some(it.generation) != generation && is_settled(&it.state)) {
            return Ok(());
        }
        next_change(&mut events).await?;
    }
}

/// The next change of a worker's state; `None` where some were missed and the table must be read again.
///
/// # Errors
/// [`StartError::Lost`] when the connection ended.
pub async fn next_change(events: &mut Events) -> Result<Option<WorkerChanged>, StartError> {
    match events.next().await {
        Some(Ok(event)) => Ok(Some(event.decode()?)),
        Some(Err(_)) => Ok(None),
        None => Err(StartError::Lost),
    }
}

/// Whether no worker is on its way to being ready.
pub(crate) fn is_settled_table(status: &Status) -> bool {
    Pending::of(status).is_empty()
}

/// The workers that are not there for one use alone.
fn standing(status: &Status) -> impl Iterator<Item = &WorkerStatus> {
    status.workers.iter().filter(|worker| worker.instance_of.is_empty())
}

/// The names of the workers that are not settled yet.
struct Pending(BTreeSet<String>);

impl Pending {
    fn of(status: &Status) -> Self {
        Self(standing(status).filter(|worker| !is_settled(&worker.state)).map(|worker| worker.name.clone()).collect())
    }

    fn take(&mut self, changed: &WorkerChanged) {
        if is_settled(&changed.state) {
            self.0.remove(&changed.name);
        }
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

const fn is_settled(state: &WorkerState) -> bool {
    match state {
        WorkerState::Ready | WorkerState::Held { .. } | WorkerState::Stopped => true,
        WorkerState::Starting | WorkerState::Draining | WorkerState::Backoff { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use butterfly_wire::EndpointId;
    use butterfly_wire::confinement::{Confinement, Grade};
    use butterfly_wire::control::KernelStatus;

    fn worker(name: &str, state: WorkerState, instance_of: &str) -> WorkerStatus {
        WorkerStatus {
            name: name.to_owned(),
            endpoint: EndpointId::new(2, 2),
            state,
            pid: 0,
            generation: 2,
            restarts: 0,
            uptime_ms: 0,
            rss_bytes: 0,
            cpu_ms: 0,
            in_flight: 0,
            oldest_in_flight_ms: 0,
            queue_bytes: 0,
            messages_in: 0,
            messages_out: 0,
            violations: 0,
            confinement: Confinement {
                grade: Grade::None,
                landlock_abi: 0,
                landlock: false,
                seccomp: false,
                no_new_privs: false,
                network: String::new(),
                missing: Vec::new(),
            },
            instance_of: instance_of.to_owned(),
        }
    }

    /// A worker in each state that matters, and one for a single use.
    fn sample() -> Status {
        Status {
            kernel: KernelStatus {
                pid: 41,
                version: String::new(),
                uptime_ms: 0,
                rss_bytes: 0,
                cpu_ms: 0,
                socket: String::new(),
                clients: 1,
                warnings: Vec::new(),
            },
            workers: vec![
                worker("model", WorkerState::Ready, ""),
                worker("brains", WorkerState::Held { reason: "it failed".to_owned() }, ""),
                worker("vault", WorkerState::Stopped, ""),
                worker("scheduler", WorkerState::Backoff { remaining_ms: 400 }, ""),
                worker("echo-1", WorkerState::Starting, "echo"),
            ],
        }
    }

    #[test]
    fn what_is_held_or_stopped_is_not_waited_for_nor_what_is_there_for_one_use() {
        let mut pending = Pending::of(&sample());
        assert_eq!(pending.0.iter().collect::<Vec<_>>(), ["scheduler"]);
        pending.take(&WorkerChanged { name: "scheduler".into(), generation: 2, state: WorkerState::Starting });
        assert!(!pending.is_empty());
        pending.take(&WorkerChanged { name: "scheduler".into(), generation: 2, state: WorkerState::Ready });
        assert!(pending.is_empty());
    }

    #[test]
    fn who_is_held_comes_with_the_reason() {
        assert_eq!(held(&sample()).collect::<Vec<_>>(), [("brains", "it failed")]);
    }
}
