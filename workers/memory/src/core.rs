//! What every part of the worker stands on: the store, and the bus once there is one.

use butterfly_client::Bus;
use butterfly_store::{Store, StoreError};
use butterfly_wire::{ErrorCode, Failure};
use diesel::SqliteConnection;
use std::sync::{Arc, OnceLock};
use tokio::sync::watch;

/// Shared by all services and background jobs.
pub struct Core {
    store: Arc<Store>,
    bus: OnceLock<Bus>,
    stored: watch::Sender<u64>,
}

impl Core {
    #[must_use]
    pub fn new(store: Arc<Store>) -> Arc<Self> {
        Arc::new(Self { store, bus: OnceLock::new(), stored: watch::Sender::new(0) })
    }

    #[must_use]
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// The connection to the kernel, for background work; `None` before there is one.
    #[must_use]
    pub fn bus(&self) -> Option<Bus> {
        self.bus.get().map(Bus::background)
    }

    /// Gives the connection; only the first one counts.
    pub fn connected(&self, bus: Bus) {
        let _ = self.bus.set(bus);
    }

    /// Wakes whoever has background work in an outbox. [`Core::write`] does it by itself.
    pub fn stored(&self) {
        self.stored.send_modify(|count| *count += 1);
    }

    /// Changes whenever something was stored.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.stored.subscribe()
    }

    /// [`Store::write`] off the event loop.
    ///
    /// # Errors
    /// The store's, as a failure for the caller.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Failure> {
        let store = Arc::clone(&self.store);
        let done = blocking(move || store.write(work)).await;
        self.stored();
        done
    }

    /// [`Store::read`] off the event loop.
    ///
    /// # Errors
    /// The store's, as a failure for the caller.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Failure> {
        let store = Arc::clone(&self.store);
        blocking(move || store.read(work)).await
    }
}

/// Runs what blocks off the event loop.
///
/// # Errors
/// The work's own, or that it ended without a result.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(failure),
        Err(fault) => Err(Failure::new(ErrorCode::Internal, format!("the store's work did not end: {fault}"))),
    }
}

/// What a caller is told of the store's error.
#[must_use]
pub fn failure(error: StoreError) -> Failure {
    let code = match error {
        StoreError::NotFound(_) | StoreError::Refused(_) => ErrorCode::BadPayload,
        StoreError::InUse | StoreError::Closed => ErrorCode::Unavailable,
        StoreError::Corrupt { .. }
        | StoreError::Newer { .. }
        | StoreError::DiskFull
        | StoreError::Database(_)
        | StoreError::Io(_)
        | StoreError::Json(_) => ErrorCode::Internal,
    };
    Failure::new(code, error.to_string())
}
