//! Leases: work that goes on outside of the state for as long as the state holds on to it.
//!
//! The state keeps the [`Lease`]; the effect carries the [`Leased`]. Dropping the lease ends the work, which may then
//! tidy up behind itself before the next one from the same [`Lessor`] begins.

use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard, watch};

/// Gives out leases for one kind of work, of which one is done at a time.
#[derive(Debug, Default, Clone)]
pub struct Lessor {
    turn: Arc<Mutex<()>>,
}

/// Whoever holds this wants the work to go on.
#[derive(Debug)]
pub struct Lease {
    _alive: watch::Sender<()>,
}

/// The worker's end.
#[derive(Debug, Clone)]
pub struct Leased {
    alive: watch::Receiver<()>,
    turn: Arc<Mutex<()>>,
}

impl Lessor {
    #[must_use]
    pub fn lease(&self) -> (Lease, Leased) {
        let (sender, receiver) = watch::channel(());
        (Lease { _alive: sender }, Leased { alive: receiver, turn: Arc::clone(&self.turn) })
    }
}

impl Leased {
    /// Whether nobody wants it any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.alive.has_changed().is_err()
    }

    /// Resolves when nobody wants it any more.
    pub async fn over(&mut self) {
        while self.alive.changed().await.is_ok() {}
    }

    /// Resolves when the work of an earlier lease has tidied up; the next one begins when the guard is dropped.
    pub async fn turn(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.turn).lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn dropping_the_lease_ends_the_work() {
        let (lease, mut leased) = Lessor::default().lease();
        assert!(!leased.is_over());
        let worker = tokio::spawn(async move { leased.over().await });
        assert!(!worker.is_finished());
        drop(lease);
        worker.await.unwrap();
    }

    #[tokio::test]
    async fn the_next_one_waits_until_the_last_has_tidied_up() {
        let lessor = Lessor::default();
        let (first, leased) = lessor.lease();
        let guard = leased.turn().await;
        drop(first);
        let (_second, next) = lessor.lease();
        let waiting = tokio::spawn(async move { drop(next.turn().await) });
        tokio::task::yield_now().await;
        assert!(leased.is_over() && !waiting.is_finished());
        drop(guard);
        waiting.await.unwrap();
    }
}
