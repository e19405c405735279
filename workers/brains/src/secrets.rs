//! Secrets that were set or deleted: their names and how often. Values never come near this worker.

use butterfly_api::vault::SecretChanged;
use butterfly_client::Event;
use std::collections::HashMap;
use tokio::sync::watch;

/// Names that are followed; the vault knows fewer. All go when it is reached, which wakes whoever waits once more than
/// need be.
const NAMES: usize = 64;

#[derive(Default)]
struct Seen {
    changes: HashMap<String, u64>,
    /// Changes that may have been missed.
    missed: u64,
}

/// What is known of changes.
pub(crate) struct Secrets {
    seen: watch::Sender<Seen>,
}

/// What was known at some moment: taken before the attempt that may fail for want of a secret, so that no change between
/// the two is missed.
pub(crate) struct Before {
    changes: HashMap<String, u64>,
    missed: u64,
}

impl Default for Secrets {
    fn default() -> Self {
        Self { seen: watch::Sender::new(Seen::default()) }
    }
}

impl Secrets {
    /// Takes note of an event.
    pub(crate) fn changed(&self, event: &Event) {
        match event.decode::<SecretChanged>() {
            Ok(change) => self.seen.send_modify(|seen| {
                if seen.changes.len() >= NAMES {
                    seen.changes.clear();
                    seen.missed += 1;
                }
                *seen.changes.entry(change.name).or_default() += 1;
            }),
            Err(_) => self.missed(),
        }
    }

    /// Changes may have been missed: whoever waits looks again.
    pub(crate) fn missed(&self) {
        self.seen.send_modify(|seen| seen.missed += 1);
    }

    /// What is known now.
    pub(crate) fn now(&self) -> Before {
        let seen = self.seen.borrow();
        Before { changes: seen.changes.clone(), missed: seen.missed }
    }

    /// Resolves when this secret may have changed since then.
    pub(crate) async fn since(&self, before: &Before, name: &str) {
        let mut seen = self.seen.subscribe();
        let changed = |seen: &Seen| seen.missed != before.missed || seen.changes.get(name) != before.changes.get(name);
        // The sender is ours: it lives as long as this.
        let _ = seen.wait_for(changed).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use butterfly_wire::{Header, codec};

    fn event(name: &str) -> Event {
        let payload = codec::encode(&SecretChanged { name: name.to_owned() }).unwrap();
        Event { header: Header::default(), payload }
    }

    #[tokio::test]
    async fn a_change_between_the_attempt_and_the_wait_is_not_missed_and_others_do_not_count() {
        let secrets = Secrets::default();
        let before = secrets.now();
        secrets.changed(&event("other"));
        {
            let mut waiting = std::pin::pin!(secrets.since(&before, "key"));
            tokio::select! {
                biased;
                () = &mut waiting => panic!("another secret's change counts for nothing"),
                () = tokio::task::yield_now() => {}
            }
        }
        secrets.changed(&event("key"));
        secrets.since(&before, "key").await;
    }

    #[tokio::test]
    async fn what_may_have_been_missed_wakes_everybody() {
        let secrets = Secrets::default();
        let before = secrets.now();
        for number in 0..=NAMES {
            secrets.changed(&event(&number.to_string()));
        }
        secrets.since(&before, "key").await;
        let before = secrets.now();
        secrets.changed(&Event { header: Header::default(), payload: vec![1] });
        secrets.since(&before, "key").await;
    }
}
