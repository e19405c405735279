//! Two classes of work: a waiting person comes before what nobody waits for.
//!
//! Foreground calls run side by side, a few at a time. One background call runs at a time, and only while there is no
//! foreground call at all: when one arrives, the background call's future is to be dropped (which closes its
//! connection, so that the server stops generating) and begun anew later, a bounded number of times.

use crate::sentence;
use butterfly_api::model::ModelError;
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard, Semaphore, SemaphorePermit, watch};

/// Foreground requests at the server at once: more than a local server runs side by side; it queues the rest itself,
/// but each costs a connection.
const FOREGROUND: usize = 8;

/// Times that one background call gives way before it is put off. With a quiet pause between, this is a long, busy
/// conversation; whoever asked tries again when it suits.
pub const DISPLACED_LIMIT: u32 = 8;

/// Who may use the model now.
pub struct Gate {
    /// Foreground calls, running or waiting for their place.
    foreground: watch::Sender<usize>,
    places: Semaphore,
    background: Mutex<()>,
    quiet: Duration,
}

impl Gate {
    /// `quiet` is the pause without foreground calls before background work begins.
    #[must_use]
    pub fn new(quiet: Duration) -> Self {
        Self {
            foreground: watch::Sender::new(0),
            places: Semaphore::new(FOREGROUND),
            background: Mutex::new(()),
            quiet,
        }
    }

    /// Announces a foreground call, at once: background work gives way before this call has its place.
    pub fn announce(&self) -> Announced<'_> {
        self.foreground.send_modify(|count| *count += 1);
        Announced { gate: self }
    }

    /// Joins the background calls.
    pub fn background(&self) -> Background<'_> {
        Background { gate: self, gone: self.foreground.subscribe(), given_way: 0, turn: None }
    }
}

/// A foreground call. While one exists, no background call runs.
pub struct Announced<'a> {
    gate: &'a Gate,
}

impl<'a> Announced<'a> {
    /// Waits for a place among the foreground calls; the place is held as long as the result.
    pub async fn place(&self) -> Option<SemaphorePermit<'a>> {
        // The semaphore is never closed, so there is always a permit.
        self.gate.places.acquire().await.ok()
    }
}

impl Drop for Announced<'_> {
    fn drop(&mut self) {
        self.gate.foreground.send_modify(|count| *count -= 1);
    }
}

/// A background call.
pub struct Background<'a> {
    gate: &'a Gate,
    gone: watch::Receiver<usize>,
    given_way: u32,
    turn: Option<MutexGuard<'a, ()>>,
}

impl Background<'_> {
    /// Waits until this call may run.
    ///
    /// # Errors
    /// [`butterfly_api::model::Cause::Displaced`] when it has given way too often.
    pub async fn turn(&mut self) -> Result<(), ModelError> {
        if self.given_way >= DISPLACED_LIMIT {
            return Err(sentence::displaced(self.given_way));
        }
        if self.turn.is_none() {
            self.turn = Some(self.gate.background.lock().await);
        }
        loop {
            // The sender lives as long as the gate that `self` borrows, so this fails never.
            if self.gone.wait_for(|count| *count == 0).await.is_err() {
                return Ok(());
            }
            if tokio::time::timeout(self.gate.quiet, self.gone.wait_for(|count| *count > 0)).await.is_err() {
                return Ok(());
            }
        }
    }

    /// Resolves when a foreground call has arrived: drop the work and ask for another [`Self::turn`].
    pub async fn displaced(&mut self) {
        if self.gone.wait_for(|count| *count > 0).await.is_err() {
            std::future::pending::<()>().await;
        }
        self.given_way += 1;
        // Others may go first: this one begins anew anyway.
        self.turn = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use butterfly_api::model::Cause;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[tokio::test(start_paused = true)]
    async fn background_runs_only_while_no_foreground_call_exists() {
        let gate = Gate::new(Duration::from_millis(500));
        let mut background = gate.background();
        let person = gate.announce();
        {
            let mut turn = pin!(background.turn());
            assert!(poll(turn.as_mut()).is_pending());
            drop(person);
            assert!(poll(turn.as_mut()).is_pending(), "not before it has been quiet");
            turn.await.unwrap();
        }
        let person = gate.announce();
        background.displaced().await;
        drop(person);
        background.turn().await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn background_calls_run_one_at_a_time() {
        let gate = Gate::new(Duration::ZERO);
        let mut first = gate.background();
        first.turn().await.unwrap();
        let mut second = gate.background();
        let mut turn = pin!(second.turn());
        assert!(poll(turn.as_mut()).is_pending());
        drop(first);
        turn.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn background_is_put_off_after_giving_way_too_often() {
        let gate = Gate::new(Duration::ZERO);
        let mut background = gate.background();
        for _ in 0..DISPLACED_LIMIT {
            background.turn().await.unwrap();
            let person = gate.announce();
            background.displaced().await;
            drop(person);
        }
        assert_eq!(background.turn().await.unwrap_err().cause, Cause::Displaced);
    }

    #[tokio::test]
    async fn foreground_calls_run_side_by_side_up_to_a_bound() {
        let gate = Gate::new(Duration::ZERO);
        let calls: Vec<_> = (0..=FOREGROUND).map(|_| gate.announce()).collect();
        let mut places = Vec::new();
        for call in &calls[..FOREGROUND] {
            places.push(call.place().await.unwrap());
        }
        let mut last = pin!(calls[FOREGROUND].place());
        assert!(poll(last.as_mut()).is_pending());
        places.pop();
        assert!(last.await.is_some());
    }
}
