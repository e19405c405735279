//! A turn that is being answered. Dropping it ends it, whatever ended it.

use crate::record::{Outcome, Record};
use crate::running::Slot;
use crate::saver::Done;
use crate::unsaved::Unsaved;
use std::sync::Arc;

/// Who keeps what is said.
pub(crate) enum Keeper {
    /// Memory, through the [`crate::saver::Saver`] that tells when it is done.
    Saver(Done),
    /// This process: the person chose so.
    Unsaved(Arc<Unsaved>),
}

/// The running turn of a conversation: the only one, until this is dropped.
pub(crate) struct OpenTurn {
    /// The id of the person's message; 0 if it is not saved.
    pub(crate) id: u64,
    pub(crate) number: u32,
    pub(crate) user: String,
    pub(crate) record: Arc<Record>,
    slot: Arc<Slot>,
    keeper: Keeper,
}

impl OpenTurn {
    pub(crate) fn new(
        id: u64,
        number: u32,
        user: String,
        record: Arc<Record>,
        slot: Arc<Slot>,
        keeper: Keeper,
    ) -> Self {
        Self { id, number, user, record, slot, keeper }
    }

    pub(crate) fn conversation(&self) -> u64 {
        self.slot.conversation()
    }

    /// Whether what is said is kept by memory.
    pub(crate) fn is_saved(&self) -> bool {
        match self.keeper {
            Keeper::Saver(_) => true,
            Keeper::Unsaved(_) => false,
        }
    }

    /// Resolves when somebody asked this turn to stop.
    pub(crate) fn stop_asked(&self) -> impl Future<Output = ()> + Send + use<> {
        self.slot.stop_asked()
    }

    /// Nothing more is said: waits until all of it is saved.
    ///
    /// # Errors
    /// Why it could not be, for people.
    pub(crate) async fn end(&mut self, outcome: Outcome) -> Result<(), String> {
        self.slot.ending();
        self.record.end(outcome);
        match &mut self.keeper {
            Keeper::Saver(done) => match done.wait_for(Option::is_some).await.as_deref() {
                Ok(Some(result)) => result.clone(),
                Ok(None) | Err(_) => Err("saving it ended early".to_owned()),
            },
            Keeper::Unsaved(_) => Ok(()),
        }
    }
}

impl Drop for OpenTurn {
    fn drop(&mut self) {
        self.slot.ending();
        // Counts only where the turn did not end otherwise: whoever asked went away.
        self.record.end(Outcome::Stopped);
        if let Keeper::Unsaved(unsaved) = &self.keeper {
            let user = std::mem::take(&mut self.user);
            unsaved.close(self.slot.conversation(), self.record.past(self.id, self.number, user));
        }
    }
}
