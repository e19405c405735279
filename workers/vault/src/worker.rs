//! The service: who may have which secret, where each is kept, and what is said when the keyring is not there.

use crate::fault::StoreFault;
use crate::keyring::Keyring;
use crate::names::{self, NAMES, Name};
use crate::sentence;
use butterfly_api::health::{Check, Level};
use butterfly_api::secret::Secret;
use butterfly_api::vault::{
    Deleted, Kept, NameRequest, SecretChanged, SecretInfo, Secrets, SetRequest, Store, StoreState, Stored,
    Vault as Service, VaultError,
};
use butterfly_client::{Bus, Call};
use butterfly_wire::catalog::{topic, vault};
use butterfly_wire::{ErrorCode, Failure};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The vault.
pub struct Vault {
    keyring: Keyring,
    /// Which standing worker sits in which slot of the kernel's table; whoever else calls is a client or an instance.
    roles: Vec<(u32, String)>,
    /// What could not be kept in the keyring, until this process ends. Each shadows what the keyring has.
    held: Mutex<HashMap<&'static str, Secret>>,
}

impl Vault {
    #[must_use]
    pub fn new(keyring: Keyring, roles: Vec<(u32, String)>) -> Self {
        Self { keyring, roles, held: Mutex::default() }
    }

    /// Whether secrets would be lost if this process ended.
    #[must_use]
    pub fn holds_any(&self) -> bool {
        !self.held().is_empty()
    }

    /// The worker's own health check: can secrets be kept.
    pub async fn checks(&self) -> Vec<Check> {
        let store = self.look().await;
        let (found, next_step) = store.message.split_once("; ").unwrap_or((&store.message, ""));
        let level = if next_step.is_empty() { Level::Ok } else { Level::Warning };
        let mut checks =
            vec![Check { name: "keyring".to_owned(), level, found: found.to_owned(), next_step: next_step.to_owned() }];
        let mut held: Vec<_> = self.held().keys().copied().collect();
        if !held.is_empty() {
            held.sort_unstable();
            checks.push(Check {
                name: "secrets in memory".to_owned(),
                level: Level::Warning,
                found: format!("{} will be forgotten when the vault ends", held.join(", ")),
                next_step: "once the keyring is back, set them again with `butterfly secret set NAME`.".to_owned(),
            });
        }
        checks
    }

    fn held(&self) -> MutexGuard<'_, HashMap<&'static str, Secret>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn role(&self, call: &Call) -> Option<&str> {
        let slot = call.source().slot;
        self.roles.iter().find(|(known, _)| *known == slot).map(|(_, role)| role.as_str())
    }

    async fn look(&self) -> Store {
        sentence::state(self.keyring.check().await)
    }

    async fn keep(&self, row: &'static Name, value: Secret) -> Stored {
        match self.keyring.set(row.name, value.clone()).await {
            Ok(()) => {
                self.held().remove(row.name);
                Stored { kept: Kept::Keyring, note: None }
            }
            Err(fault) => {
                tracing::warn!(name = row.name, state = ?fault.state, "a secret is kept in memory only: {fault}");
                let note = sentence::in_memory(row.name, &fault);
                self.held().insert(row.name, value);
                Stored { kept: Kept::Process, note: Some(note) }
            }
        }
    }

    async fn forget(&self, row: &'static Name) -> Result<bool, VaultError> {
        let held = self.held().remove(row.name).is_some();
        match self.keyring.delete(row.name).await {
            Ok(kept) => Ok(held || kept),
            // Where there is no keyring, there is nothing in it.
            Err(fault) if fault.state == StoreState::Absent => Ok(held),
            Err(fault) if held => Err(sentence::deleted_in_memory_only(row.name, &fault)),
            Err(fault) => Err(sentence::store(fault)),
        }
    }

    async fn info(&self, row: &'static Name) -> SecretInfo {
        let kept = if self.held().contains_key(row.name) {
            Some(Kept::Process)
        } else {
            match self.keyring.has(row.name).await {
                Ok(true) => Some(Kept::Keyring),
                Ok(false) => None,
                // The list goes with the keyring's state, which says why nothing is known.
                Err(StoreFault { .. }) => None,
            }
        };
        let used_by = row.readers.iter().map(|role| (*role).to_owned()).collect();
        SecretInfo { name: row.name.to_owned(), purpose: row.purpose.to_owned(), used_by, kept }
    }
}

fn row(name: &str) -> Result<&'static Name, VaultError> {
    names::find(name).ok_or_else(|| sentence::unknown(name))
}

/// Tells whoever waits for it. Nobody is told what the value is.
async fn tell(bus: &Bus, row: &Name) {
    let changed = SecretChanged { name: row.name.to_owned() };
    if let Err(failure) = bus.publish(vault::ID, topic::SECRET_CHANGED, &changed).await {
        tracing::warn!("nobody could be told that {} changed: {failure}", row.name);
    }
}

impl Service for Vault {
    async fn set(&self, call: Call, request: SetRequest) -> Result<Stored, Failure> {
        let row = row(&request.name)?;
        if let Some(sentence) = sentence::unusable(row.name, request.value.expose()) {
            return Err(Failure::new(ErrorCode::BadPayload, sentence));
        }
        let stored = self.keep(row, request.value).await;
        tracing::info!(name = row.name, kept = ?stored.kept, "a secret was set");
        tell(call.bus(), row).await;
        Ok(stored)
    }

    async fn delete(&self, call: Call, request: NameRequest) -> Result<Deleted, Failure> {
        let row = row(&request.name)?;
        let existed = self.forget(row).await;
        if !matches!(existed, Ok(false)) {
            tracing::info!(name = row.name, "a secret was deleted");
            tell(call.bus(), row).await;
        }
        Ok(Deleted { existed: existed? })
    }

    async fn list(&self, _: Call, (): ()) -> Result<Secrets, Failure> {
        let store = self.look().await;
        let mut secrets = Vec::with_capacity(NAMES.len());
        for row in NAMES {
            secrets.push(self.info(row).await);
        }
        Ok(Secrets { secrets, store })
    }

    async fn read(&self, call: Call, request: NameRequest) -> Result<Secret, Failure> {
        let row = row(&request.name)?;
        let role = self.role(&call);
        if !names::may_read(row, role) {
            tracing::warn!(name = row.name, source = %call.source(), "refused to hand out a secret");
            return Err(sentence::not_yours(row).into());
        }
        if let Some(secret) = self.held().get(row.name) {
            return Ok(secret.clone());
        }
        match self.keyring.get(row.name).await {
            Ok(Some(secret)) => {
                tracing::info!(name = row.name, role, "handed out a secret");
                Ok(secret)
            }
            Ok(None) => Err(sentence::missing(row).into()),
            Err(fault) => Err(sentence::store(fault).into()),
        }
    }

    async fn check(&self, _: Call, (): ()) -> Result<Store, Failure> {
        Ok(self.look().await)
    }
}
