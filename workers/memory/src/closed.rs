//! What is served while the store cannot be opened: the reason, and the way back.
//!
//! The worker stays up, so that whoever asks hears what happened instead of nothing, and so that a copy can be restored
//! over the bus. It touches nothing in the data folder but what a restore brings.

use crate::checks::check;
use crate::core::failure;
use crate::storage::{Leave, receive};
use butterfly_api::Chunk;
use butterfly_api::health::{Check, Level};
use butterfly_api::storage::{self, BackedUp, Restored, Retained, Stats, Storage, Vacuumed};
use butterfly_client::{Call, Incoming, Inlet, Outlet, Service};
use butterfly_runtime::Worker;
use butterfly_store::StoreError;
use butterfly_wire::catalog::{config, conversations, memory};
use butterfly_wire::{ErrorCode, Failure};
use std::path::PathBuf;
use std::sync::Arc;

/// Why nothing is served.
#[derive(Debug, Clone)]
struct Reason {
    failure: Failure,
    /// The data folder, where another copy can take the database's place.
    folder: Option<PathBuf>,
}

/// Whether another copy in the database's place would help.
fn is_of_the_file(error: &StoreError) -> bool {
    match error {
        StoreError::Corrupt { .. } | StoreError::Newer { .. } | StoreError::Json(_) => true,
        StoreError::InUse
        | StoreError::Closed
        | StoreError::DiskFull
        | StoreError::NotFound(_)
        | StoreError::Refused(_)
        | StoreError::Database(_)
        | StoreError::Io(_) => false,
    }
}

/// A worker that answers everything with the reason, and takes a copy to restore where that helps.
#[must_use]
pub fn worker(folder: Option<PathBuf>, error: StoreError, leave: Leave) -> Worker {
    let helps = is_of_the_file(&error);
    tracing::error!("nothing can be saved: {error}");
    let mut failure = failure(error);
    // The reason does not pass by itself: nobody shall wait for it.
    failure.code = ErrorCode::Internal;
    let reason = Reason { failure, folder: folder.filter(|_| helps) };
    let refusing = |id| Refusing { id, failure: reason.failure.clone() };
    let checked = reason.clone();
    Worker::new()
        .serves(refusing(conversations::ID))
        .serves(refusing(memory::ID))
        .serves(refusing(config::ID))
        .serves(storage::serve(Arc::new(Care { reason, leave })))
        .checks(move || {
            let found = checked.failure.message.clone();
            let next = match checked.folder {
                Some(_) => "Restore a copy: `butterfly restore FILE`.",
                None => "Remove the cause, then `butterfly restart memory`.",
            };
            let checks: Vec<Check> = vec![check("database", Level::Failing, found, next)];
            async move { checks }
        })
}

/// A service that refuses everything.
struct Refusing {
    id: u16,
    failure: Failure,
}

impl Service for Refusing {
    fn id(&self) -> u16 {
        self.id
    }

    fn dispatch(&self, incoming: Incoming) {
        incoming.refuse(self.failure.code, &self.failure.message);
    }
}

/// The service `storage`, of which only the way back works.
struct Care {
    reason: Reason,
    leave: Leave,
}

impl Storage for Care {
    async fn stats(&self, _: Call, (): ()) -> Result<Stats, Failure> {
        Err(self.reason.failure.clone())
    }

    async fn vacuum(&self, _: Call, (): ()) -> Result<Vacuumed, Failure> {
        Err(self.reason.failure.clone())
    }

    async fn retain(&self, _: Call, (): ()) -> Result<Retained, Failure> {
        Err(self.reason.failure.clone())
    }

    async fn backup(&self, _: Call, (): (), _: Outlet<Chunk>) -> Result<BackedUp, Failure> {
        Err(self.reason.failure.clone())
    }

    async fn restore(&self, _: Call, (): (), chunks: Inlet<Chunk>) -> Result<Restored, Failure> {
        let Some(folder) = self.reason.folder.clone() else { return Err(self.reason.failure.clone()) };
        let restored = receive(folder, chunks).await?;
        (self.leave)();
        Ok(restored)
    }
}
