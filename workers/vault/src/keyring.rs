//! The OS keyring as the vault uses it: `keyring-core`'s store behind asynchronous calls.
//!
//! The store's trait blocks, so each call runs on a thread for blocking work, and is not waited for longer than a person may
//! take at a prompt.

use crate::fault::{StoreFault, for_people};
use butterfly_api::secret::Secret;
use butterfly_api::vault::StoreState;
use keyring_core::{Entry, Error};
use std::sync::Arc;
use std::time::Duration;

/// Under what all secrets of this program are kept; the other half of an entry's key is the secret's name.
pub const SERVICE: &str = "butterfly-bot";

/// How long the keyring is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// For the session bus to take the connection in.
    pub bus: Duration,
    /// For an answer that no person is involved in. The bus starts a keyring that is not running, which takes seconds.
    pub answer: Duration,
    /// For a person at the keyring's prompt. With `answer` it stays below the minute that a client waits for the vault.
    pub prompt: Duration,
    /// For the answer to "how are you", whose own deadline may be a health check's 5 s.
    pub check: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { bus: seconds(10), answer: seconds(10), prompt: seconds(40), check: seconds(3) }
    }
}

/// What an operating system brings along. Its calls block, up to the limits that it was made with.
pub trait Platform: Send + Sync + 'static {
    /// The entry of that name, which need not exist yet. With `prompt` its calls may bring up the keyring's own prompt.
    ///
    /// # Errors
    /// When there is no store to make one in.
    fn entry(&self, name: &str, prompt: bool) -> Result<Entry, Error>;

    /// Whether a secret could be read and written now, without a prompt.
    ///
    /// # Errors
    /// The state that prevents it.
    fn check(&self) -> Result<(), StoreFault>;
}

/// A system without a keyring: everything fails with this fault.
pub struct NoKeyring(pub StoreFault);

impl Platform for NoKeyring {
    fn entry(&self, _: &str, _: bool) -> Result<Entry, Error> {
        Err(self.0.clone().into())
    }

    fn check(&self) -> Result<(), StoreFault> {
        Err(self.0.clone())
    }
}

/// The keyring. Cheap to clone.
#[derive(Clone)]
pub struct Keyring {
    platform: Arc<dyn Platform>,
    waits: Waits,
}

/// Who waits for the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A person, who can answer a prompt.
    ByPerson,
    /// A worker: nothing may pop up.
    ByWorker,
}

impl Keyring {
    #[must_use]
    pub fn new(platform: Arc<dyn Platform>, waits: Waits) -> Self {
        Self { platform, waits }
    }

    /// The secret of that name; `None` where nothing is kept under it.
    pub(crate) async fn get(&self, name: &'static str) -> Result<Option<Secret>, StoreFault> {
        self.entry(name, Asked::ByWorker, |entry| match entry.get_password() {
            // The string is moved, not copied: the only bytes of it are the secret's.
            Ok(value) => Ok(Some(Secret::new(value))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(error),
        })
        .await
    }

    /// Keeps it, in place of an earlier one.
    pub(crate) async fn set(&self, name: &'static str, value: Secret) -> Result<(), StoreFault> {
        self.entry(name, Asked::ByPerson, move |entry| entry.set_password(value.expose())).await
    }

    /// Whether there was one.
    pub(crate) async fn delete(&self, name: &'static str) -> Result<bool, StoreFault> {
        self.entry(name, Asked::ByPerson, |entry| match entry.delete_credential() {
            Ok(()) => Ok(true),
            Err(Error::NoEntry) => Ok(false),
            Err(error) => Err(error),
        })
        .await
    }

    /// Whether one is kept under that name, without reading it.
    pub(crate) async fn has(&self, name: &'static str) -> Result<bool, StoreFault> {
        self.entry(name, Asked::ByWorker, |entry| match entry.get_credential() {
            Ok(_) => Ok(true),
            Err(Error::NoEntry) => Ok(false),
            Err(error) => Err(error),
        })
        .await
    }

    pub(crate) async fn check(&self) -> Result<(), StoreFault> {
        let platform = Arc::clone(&self.platform);
        blocking(self.waits.check, move || platform.check()).await
    }

    async fn entry<T: Send + 'static>(
        &self,
        name: &'static str,
        asked: Asked,
        work: impl FnOnce(Entry) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, StoreFault> {
        let platform = Arc::clone(&self.platform);
        blocking(self.waits.longest(asked), move || {
            let entry = platform.entry(name, asked == Asked::ByPerson)?;
            Ok(work(entry)?)
        })
        .await
    }
}

impl Waits {
    /// The limit of a whole call. What talks to the keyring has limits of its own below it, and knows more when one ends.
    fn longest(&self, asked: Asked) -> Duration {
        // Room for the limits below to speak first.
        const ROOM: Duration = Duration::from_secs(2);
        match asked {
            Asked::ByPerson => self.answer + self.prompt + ROOM,
            Asked::ByWorker => self.answer + ROOM,
        }
    }
}

async fn blocking<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> Result<T, StoreFault> + Send + 'static,
) -> Result<T, StoreFault> {
    match tokio::time::timeout(limit, tokio::task::spawn_blocking(work)).await {
        Ok(Ok(result)) => result,
        // Only at the end of the runtime: a panic would have ended the process.
        Ok(Err(_)) => Err(StoreFault::new(StoreState::Vanished, "the vault is ending")),
        Err(_) => Err(StoreFault::new(StoreState::Slow, format!("nothing came for {}", for_people(limit)))),
    }
}
