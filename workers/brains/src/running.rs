//! Which conversations are being answered: one answer at a time in each, whoever keeps its words.

use crate::refusal::Refusal;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Answers that run at once. With [`crate::answer::ANSWER_LIMIT`] for each, and as much again while it is being saved,
/// the worst case is 16 MiB.
pub const RUNNING: usize = 32;

struct Entry {
    /// Tells the turn to stop. Its receivers are gone when the turn is.
    stop: watch::Sender<bool>,
    /// Nothing more is said; what was said is being saved.
    ending: bool,
}

/// The table of running turns.
#[derive(Default)]
pub(crate) struct Running {
    entries: Mutex<HashMap<u64, Entry>>,
}

/// A conversation's place in the table. The conversation is free when this is dropped.
pub(crate) struct Slot {
    table: Arc<Running>,
    conversation: u64,
    stopped: watch::Receiver<bool>,
}

impl Running {
    /// Takes a conversation's place. Waits for an answer that has ended and is still being saved; one that goes on is a
    /// refusal.
    pub(crate) async fn take(self: &Arc<Self>, conversation: u64) -> Result<Slot, Refusal> {
        loop {
            let ending = match self.entries().get(&conversation) {
                None => None,
                Some(entry) if entry.ending => Some(entry.stop.clone()),
                Some(_) => return Err(Refusal::Running),
            };
            match ending {
                Some(stop) => stop.closed().await,
                None => return self.take_now(conversation),
            }
        }
    }

    /// As [`Self::take`], without a wait: for a conversation that was begun just now.
    pub(crate) fn take_now(self: &Arc<Self>, conversation: u64) -> Result<Slot, Refusal> {
        let mut entries = self.entries();
        if entries.contains_key(&conversation) {
            return Err(Refusal::Running);
        }
        if entries.len() >= RUNNING {
            return Err(Refusal::Full);
        }
        let (stop, stopped) = watch::channel(false);
        entries.insert(conversation, Entry { stop, ending: false });
        Ok(Slot { table: Arc::clone(self), conversation, stopped })
    }

    /// Whether one more could run: asked before anything is written down.
    pub(crate) fn has_room(&self) -> Result<(), Refusal> {
        if self.len() >= RUNNING { Err(Refusal::Full) } else { Ok(()) }
    }

    /// Tells a running turn to stop. What is returned can be awaited until it has, and what was said of it is saved;
    /// `None` if nothing was running.
    pub(crate) fn stop(&self, conversation: u64) -> Option<impl Future<Output = ()> + Send + use<>> {
        let stop = self.entries().get(&conversation)?.stop.clone();
        stop.send_replace(true);
        Some(async move { stop.closed().await })
    }

    pub(crate) fn len(&self) -> usize {
        self.entries().len()
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<u64, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    pub(crate) fn conversation(&self) -> u64 {
        self.conversation
    }

    /// Resolves when somebody asked this turn to stop.
    pub(crate) fn stop_asked(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut stopped = self.stopped.clone();
        async move {
            // The sender lives as long as the place in the table; should it ever be gone, nobody can ask any more.
            if stopped.wait_for(|asked| *asked).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Nothing more is said in this turn: whoever comes next need not be refused, only wait.
    pub(crate) fn ending(&self) {
        if let Some(entry) = self.table.entries().get_mut(&self.conversation) {
            entry.ending = true;
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.table.entries().remove(&self.conversation);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_conversation_is_answered_once_at_a_time_and_free_when_its_slot_is_dropped() {
        let table = Arc::new(Running::default());
        let slot = table.take(7).await.unwrap();
        assert_eq!(table.take(7).await.err(), Some(Refusal::Running));
        assert!(table.take(8).await.is_ok(), "another one is free");
        drop(slot);
        assert!(table.take(7).await.is_ok());
        assert_eq!(table.len(), 0);
    }

    #[tokio::test]
    async fn an_ending_turn_is_waited_for() {
        let table = Arc::new(Running::default());
        let slot = table.take(7).await.unwrap();
        slot.ending();
        let next = tokio::spawn({
            let table = Arc::clone(&table);
            async move { table.take(7).await.map(|slot| slot.conversation()) }
        });
        tokio::task::yield_now().await;
        assert!(!next.is_finished());
        drop(slot);
        assert_eq!(next.await.unwrap(), Ok(7));
    }

    #[tokio::test]
    async fn a_stop_reaches_the_turn_and_ends_when_the_turn_does() {
        let table = Arc::new(Running::default());
        assert!(table.stop(7).is_none());
        let slot = table.take(7).await.unwrap();
        let stopped = tokio::spawn(table.stop(7).unwrap());
        slot.stop_asked().await;
        assert!(!stopped.is_finished());
        drop(slot);
        stopped.await.unwrap();
    }

    #[tokio::test]
    async fn no_more_than_the_bound_run_at_once() {
        let table = Arc::new(Running::default());
        let mut slots: Vec<_> = (0..RUNNING as u64).map(|id| table.take_now(id).unwrap()).collect();
        assert_eq!(table.has_room(), Err(Refusal::Full));
        assert_eq!(table.take(99).await.err(), Some(Refusal::Full));
        slots.pop();
        assert!(table.take(99).await.is_ok());
    }
}
