//! What every part of the worker stands on: the store, and the bus once there is one.

use butterfly_client::Bus;
use butterfly_store::{Store, StoreError};
use butterfly_wire::{ErrorCode, Failure};
use diesel::SqliteConnection;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// Nothing was stored for so long: whoever spoke has paused. What follows one another by itself, such as the messages of a
/// turn or the pieces of an import, comes closer together.
const LULL: Duration = Duration::from_millis(300);

/// What is stored without a pause is waited for no longer than this.
const LONGEST: Duration = Duration::from_secs(3);

/// Shared by all services and background jobs.
pub struct Core {
    store: Arc<Store>,
    bus: OnceLock<Bus>,
    stored: watch::Sender<u64>,
    written: watch::Sender<u64>,
}

impl Core {
    #[must_use]
    pub fn new(store: Arc<Store>) -> Arc<Self> {
        Arc::new(Self { store, bus: OnceLock::new(), stored: watch::Sender::new(0), written: watch::Sender::new(0) })
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
        self.written.send_modify(|count| *count += 1);
    }

    /// Changes whenever something was stored.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.stored.subscribe()
    }

    /// Changes whenever something was written, what is nothing new included.
    #[must_use]
    pub fn watch_writes(&self) -> watch::Receiver<u64> {
        self.written.subscribe()
    }

    /// Writes without waking whoever waits for something new: what is written here is nothing new.
    ///
    /// # Errors
    /// The store's, as a failure for the caller.
    pub async fn write_quietly<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Failure> {
        let store = Arc::clone(&self.store);
        let done = blocking(move || store.write(work)).await;
        self.written.send_modify(|count| *count += 1);
        done
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

/// Waits until whoever stores something pauses, but not for ever: work that follows upon it is done for all of it at once,
/// with one commit instead of many, and stands in nobody's way meanwhile.
pub async fn lull(stored: &mut watch::Receiver<u64>) {
    let latest = Instant::now() + LONGEST;
    loop {
        let pause = (Instant::now() + LULL).min(latest);
        match timeout_at(pause, stored.changed()).await {
            Ok(Ok(())) if Instant::now() < latest => {}
            Ok(Ok(()) | Err(_)) | Err(_) => return,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_lull_is_waited_for_but_not_for_ever() {
        let (sender, mut stored) = watch::channel(0_u64);
        let begun = Instant::now();
        lull(&mut stored).await;
        assert!(begun.elapsed() >= LULL && begun.elapsed() < LONGEST, "nobody stores anything");
        let speaking = tokio::spawn(async move {
            loop {
                sender.send_modify(|count| *count += 1);
                tokio::time::sleep(LULL / 2).await;
            }
        });
        let begun = Instant::now();
        lull(&mut stored).await;
        assert!(begun.elapsed() >= LONGEST && begun.elapsed() <= LONGEST + LULL, "somebody stores all the time");
        speaking.abort();
        let _ = speaking.await;
        lull(&mut stored).await;
        lull(&mut stored).await;
    }
}
