//! Settings and keys while the worker runs: asked before it serves, and again when they change.

use crate::settings::{self, Settings};
use crate::worker::ModelWorker;
use butterfly_api::config::{ConfigChanged, GetValues, ValuesRequest};
use butterfly_client::{Bus, Event, Events};
use butterfly_wire::Failure;
use butterfly_wire::catalog::{config, topic, vault};
use std::sync::Arc;
use std::time::Duration;

/// How long the config service is waited for. It answers from its own memory; who starts first waits for it in the kernel.
const ANSWER: Duration = Duration::from_secs(5);

/// The pause before it is asked again after it did not answer; it doubles up to the second figure.
const AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

impl ModelWorker {
    /// Takes the settings from the config service, and follows their changes and those of secrets. Where memory is away, the
    /// overrides stay in force until it answers.
    pub async fn begin(self: Arc<Self>, bus: Bus) {
        self.keys.connect(bus.clone());
        // Listening comes before asking: no change falls between the two.
        let changes = listen(&bus, config::ID, topic::CONFIG_CHANGED, "settings").await;
        let secrets = listen(&bus, vault::ID, topic::SECRET_CHANGED, "secrets").await;
        let known = self.learn(&bus).await;
        tokio::spawn(Arc::clone(&self).follow_settings(bus, changes, known));
        if let Some(secrets) = secrets {
            tokio::spawn(self.follow_secrets(secrets));
        }
    }

    /// Asks for the settings once, and uses them. Whether there was an answer.
    async fn learn(&self, bus: &Bus) -> bool {
        match bus.within(ANSWER).call::<GetValues>(&ValuesRequest::default()).await {
            Ok(values) => {
                self.apply(Settings::from_values(&values.values));
                true
            }
            Err(failure) => {
                tracing::warn!(
                    "settings are those of this start, because the config service does not answer: {failure}"
                );
                false
            }
        }
    }

    async fn follow_settings(self: Arc<Self>, bus: Bus, mut changes: Option<Events>, mut known: bool) {
        let mut pause = AGAIN.0;
        loop {
            if known {
                let Some(events) = &mut changes else { return };
                match events.next().await {
                    None => return,
                    Some(event) if concerns(&event) => known = self.learn(&bus).await,
                    Some(_) => {}
                }
                pause = AGAIN.0;
            } else {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(AGAIN.1);
                known = self.learn(&bus).await;
            }
        }
    }

    async fn follow_secrets(self: Arc<Self>, mut secrets: Events) {
        // Whichever it was, and also when one was missed.
        while secrets.next().await.is_some() {
            self.forget_keys();
        }
    }
}

/// Whether a change is one of ours. One that was missed, or cannot be read, may be.
fn concerns(event: &Result<Event, u64>) -> bool {
    let changed: Option<Result<ConfigChanged, Failure>> = event.as_ref().ok().map(Event::decode);
    match changed {
        Some(Ok(changed)) => changed.keys.iter().any(|key| settings::is_ours(key)),
        Some(Err(_)) | None => true,
    }
}

async fn listen(bus: &Bus, service: u16, topic: u16, what: &str) -> Option<Events> {
    match bus.subscribe(service, topic).await {
        Ok(events) => Some(events),
        Err(failure) => {
            tracing::warn!("changed {what} count from the next start on: {failure}");
            None
        }
    }
}
