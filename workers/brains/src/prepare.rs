//! What happens before this worker serves: what an earlier process left half said is marked, and changes are followed.

use crate::brains::{Brains, State};
use butterfly_api::conversations::Recover;
use butterfly_client::{Bus, Events};
use butterfly_wire::catalog::{config, topic, vault};
use butterfly_wire::{ErrorCode, Failure};
use std::sync::Arc;
use std::time::Duration;

/// From one attempt at something that must be done to the next, once the first has failed: it waits for a worker that a
/// person has to bring back.
const AGAIN: Duration = Duration::from_secs(5);

/// What is followed.
#[derive(Clone, Copy)]
enum Topic {
    Settings,
    Secrets,
}

impl Topic {
    const fn number(self) -> (u16, u16) {
        match self {
            Self::Settings => (config::ID, topic::CONFIG_CHANGED),
            Self::Secrets => (vault::ID, topic::SECRET_CHANGED),
        }
    }
}

impl Brains {
    /// Marks what an earlier process left half said, and follows settings and secrets from now on. What fails now is
    /// tried again beside the serving: without memory, unsaved conversations still work. `bus` is the worker's own, for
    /// background work.
    pub async fn prepare(&self, bus: Bus) {
        let _ = self.state.background.set(bus.clone());
        let (settings, secrets, recovered) =
            tokio::join!(follow(&bus, Topic::Settings), follow(&bus, Topic::Secrets), recover(&bus));
        for (topic, events) in [(Topic::Settings, settings), (Topic::Secrets, secrets)] {
            tokio::spawn(listen(Arc::clone(&self.state), bus.clone(), topic, events));
        }
        if !recovered {
            let state = Arc::clone(&self.state);
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(AGAIN).await;
                    // What is being said now is nobody's leftover.
                    if state.running.len() == 0 && recover(&bus).await {
                        return;
                    }
                }
            });
        }
    }
}

/// Marks what nobody is saying any more. Returns whether there is nothing left to do.
async fn recover(bus: &Bus) -> bool {
    match bus.call::<Recover>(&()).await {
        Ok(recovered) => {
            if recovered.interrupted > 0 {
                tracing::info!(messages = recovered.interrupted, "answers of an earlier process were interrupted");
            }
            true
        }
        Err(failure) => {
            tracing::warn!(code = failure.code.name(), "memory could not be asked what was interrupted");
            is_over(&failure)
        }
    }
}

async fn follow(bus: &Bus, topic: Topic) -> Result<Events, Failure> {
    let (service, number) = topic.number();
    bus.subscribe(service, number).await
}

/// Takes note of events until the connection ends.
async fn listen(state: Arc<State>, bus: Bus, topic: Topic, first: Result<Events, Failure>) {
    let mut events = first;
    loop {
        match events {
            Ok(mut events) => {
                while let Some(event) = events.next().await {
                    match (topic, event) {
                        (Topic::Settings, _) => state.settings.changed(),
                        (Topic::Secrets, Ok(event)) => state.secrets.changed(&event),
                        (Topic::Secrets, Err(_)) => state.secrets.missed(),
                    }
                }
                return;
            }
            Err(failure) => {
                let (service, _) = topic.number();
                tracing::warn!(service, code = failure.code.name(), "changes cannot be followed");
                if is_over(&failure) {
                    return;
                }
            }
        }
        tokio::time::sleep(AGAIN).await;
        events = follow(&bus, topic).await;
        if events.is_ok() {
            // What came before it was missed.
            state.settings.changed();
            state.secrets.missed();
        }
    }
}

/// No later attempt would do better: the connection has ended, or this worker has no right to it.
fn is_over(failure: &Failure) -> bool {
    matches!(failure.code, ErrorCode::Disconnected | ErrorCode::Denied | ErrorCode::UnknownMethod)
}
