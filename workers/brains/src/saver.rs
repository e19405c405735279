//! Saves an answer as it comes, on a task of its own: so that neither a stop nor a caller that goes away loses what was
//! said, and no older state of a message is ever written over a newer one.

use crate::away::may_work_later;
use crate::record::{Batch, Record};
use crate::running::Slot;
use butterfly_api::conversations;
use butterfly_client::Bus;
use butterfly_wire::{ErrorCode, Failure};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

/// From one save to the next while words come. What is promised is a second; a save on a busy disk takes some of it.
const EVERY: Duration = Duration::from_millis(750);

/// From a save that failed to the next attempt: a memory worker is back within this time, as a rule.
const AGAIN: Duration = Duration::from_millis(250);

/// Time for the last save, restarts of memory included. Longer than any restart within the supervisor's patience, and
/// short enough to wait for.
const LAST_SAVE: Duration = Duration::from_secs(10);

/// How the last save went: `None` until then, and then why it failed, for people, if it did.
pub(crate) type Done = watch::Receiver<Option<Result<(), String>>>;

/// One turn being saved.
pub(crate) struct Saver {
    record: Arc<Record>,
    turn: u64,
    /// On behalf of the call that the turn answers, as long as that is open.
    bus: Bus,
    /// For what is left to save after it.
    background: Bus,
    /// The conversation is free when all of the turn is saved.
    slot: Arc<Slot>,
}

impl Saver {
    /// Starts saving what comes into `record`, until the turn is over and saved.
    pub(crate) fn start(record: Arc<Record>, turn: u64, bus: Bus, background: Bus, slot: Arc<Slot>) -> Done {
        let (done, receiver) = watch::channel(None);
        let saver = Self { record, turn, bus, background, slot };
        tokio::spawn(async move {
            let (result, slot) = saver.run().await;
            // The conversation is free before anybody hears of the end.
            drop(slot);
            done.send_replace(Some(result));
        });
        receiver
    }

    async fn run(mut self) -> (Result<(), String>, Arc<Slot>) {
        let mut give_up_at = None;
        let mut failing = false;
        loop {
            self.record.unsaved().await;
            if self.record.is_over() {
                give_up_at.get_or_insert_with(|| Instant::now() + LAST_SAVE);
            }
            let began = Instant::now();
            let batch = self.record.batch(self.turn);
            let until = give_up_at.unwrap_or(began + LAST_SAVE);
            let result = timeout_at(until, self.save(&batch)).await.unwrap_or_else(|_| Err(too_slow()));
            let failure = match result {
                Ok(()) => {
                    if failing {
                        failing = false;
                        tracing::info!(turn = self.turn, "the answer is being saved again");
                    }
                    self.record.kept(&batch);
                    if batch.is_last {
                        return (Ok(()), self.slot);
                    }
                    self.pause(began + EVERY).await;
                    continue;
                }
                Err(failure) => failure,
            };
            if !failing {
                failing = true;
                tracing::warn!(turn = self.turn, code = failure.code.name(), "the answer cannot be saved now");
            }
            self.record.not_kept();
            let now = Instant::now();
            match give_up_at {
                Some(at) if now >= at || !may_work_later(&failure) => {
                    tracing::error!(turn = self.turn, code = failure.code.name(), "the answer was not saved");
                    return (Err(failure.message), self.slot);
                }
                // The turn has ended, so nothing is urgent any more but this.
                Some(at) => sleep_until((now + AGAIN).min(at)).await,
                None => self.pause(now + AGAIN).await,
            }
        }
    }

    async fn save(&mut self, batch: &Batch) -> Result<(), Failure> {
        for save in &batch.saves {
            let mut result = self.bus.call::<conversations::SaveMessage>(save).await;
            if let Err(failure) = &result
                && matches!(failure.code, ErrorCode::Cancelled | ErrorCode::NoTrace)
            {
                // The call has ended: whoever asked went away. What was said is saved all the same.
                self.bus = self.background.clone();
                result = self.bus.call::<conversations::SaveMessage>(save).await;
            }
            result?;
        }
        Ok(())
    }

    /// Waits until then, or until something is urgent.
    async fn pause(&self, until: Instant) {
        tokio::select! {
            () = sleep_until(until) => {}
            () = self.record.urgent() => {}
        }
    }
}

fn too_slow() -> Failure {
    Failure::new(ErrorCode::DeadlineExceeded, format!("memory did not answer within {} s", LAST_SAVE.as_secs()))
}
