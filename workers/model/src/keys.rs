//! API keys: asked of the vault when a server wants one, remembered until the vault says that they changed.
//!
//! Nothing else gives a key: no environment, no setting, no argument.

use crate::sentence;
use butterfly_api::secret::Secret;
use butterfly_api::vault::{NameRequest, Read, StoreState, VaultCause, VaultError};
use butterfly_client::Bus;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// The keys of this process.
#[derive(Default)]
pub struct Keys {
    vault: OnceLock<Bus>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    secrets: HashMap<&'static str, Secret>,
    /// Counts what was forgotten: an answer that was on its way meanwhile is an old one.
    forgotten: u64,
}

/// Why there is no key. Both are sentences for people, of the vault's or the kernel's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoKey {
    /// Setting it would help.
    NotSet(String),
    /// The vault cannot be asked.
    NoVault(String),
}

impl Keys {
    /// The way to the vault; a second one is not needed and ignored.
    pub fn connect(&self, vault: Bus) {
        let _ = self.vault.set(vault);
    }

    /// The key, if it was asked for before.
    pub fn known(&self, name: &str) -> Option<Secret> {
        self.lock().secrets.get(name).cloned()
    }

    /// Asks the vault.
    ///
    /// # Errors
    /// When it has none, or cannot be asked.
    pub async fn ask(&self, name: &'static str) -> Result<Secret, NoKey> {
        let Some(vault) = self.vault.get() else {
            return Err(NoKey::NoVault("no vault is connected".to_owned()));
        };
        let forgotten = self.lock().forgotten;
        let secret = match vault.call::<Read>(&NameRequest { name: name.to_owned() }).await {
            Ok(secret) => secret,
            Err(failure) => {
                return Err(match VaultError::from_failure(&failure) {
                    // A key needs no keyring: the vault keeps it for as long as it runs.
                    Some(VaultError { cause: VaultCause::Store(StoreState::Absent), .. }) => {
                        NoKey::NotSet(sentence::not_set(name))
                    }
                    Some(VaultError { cause: VaultCause::Missing | VaultCause::Store(_), message }) => {
                        NoKey::NotSet(message)
                    }
                    Some(VaultError { cause: VaultCause::UnknownName | VaultCause::NotYours, message }) => {
                        NoKey::NoVault(message)
                    }
                    None => NoKey::NoVault(failure.message),
                });
            }
        };
        let mut known = self.lock();
        if known.forgotten == forgotten {
            known.secrets.insert(name, secret.clone());
        }
        Ok(secret)
    }

    /// Forgets all of them: one was changed, or the server that they are for.
    pub fn forget(&self) {
        let mut known = self.lock();
        known.secrets.clear();
        known.forgotten += 1;
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
