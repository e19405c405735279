//! Secrets by name. Served by the vault, the only process that reaches the OS keyring.

use crate::secret::Secret;
use bincode::{Decode, Encode};
use butterfly_wire::{ErrorCode, Failure, codec};
use serde::{Deserialize, Serialize};

/// The state of the OS keyring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreState {
    Ready,
    /// There is none.
    Absent,
    /// It waits to be unlocked.
    Locked,
    /// It did not answer in time.
    Slow,
    /// It, or the user, refused.
    Denied,
    /// It was there and is gone.
    Vanished,
}

/// Where a secret is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// In the OS keyring.
    Keyring,
    /// In the vault's memory, until the vault ends.
    Process,
}

/// Argument of `set`.
#[derive(Clone, Encode, Decode)]
pub struct SetRequest {
    pub name: String,
    pub value: Secret,
}

/// Reply of `set`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Stored {
    pub kept: Kept,
    /// Why it is not in the keyring and what to do about it.
    pub note: Option<String>,
}

/// Names a secret.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct NameRequest {
    pub name: String,
}

/// Reply of `delete`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Deleted {
    pub existed: bool,
}

/// What may be known of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct SecretInfo {
    pub name: String,
    /// What it is, for people.
    pub purpose: String,
    /// The workers that may read it.
    pub used_by: Vec<String>,
    /// `None`: it is not set.
    pub kept: Option<Kept>,
}

/// Reply of `list`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Secrets {
    pub secrets: Vec<SecretInfo>,
    pub store: Store,
}

/// Reply of `check`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Store {
    pub state: StoreState,
    /// One sentence for people, with the next step.
    pub message: String,
}

/// Why the vault refused, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VaultCause {
    /// There is no such name.
    UnknownName,
    /// The caller may not read it.
    NotYours,
    /// It is not set.
    Missing,
    /// The keyring is in this state.
    Store(StoreState),
}

/// The declared error of this service.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, thiserror::Error)]
#[error("{message}")]
pub struct VaultError {
    pub cause: VaultCause,
    pub message: String,
}

impl VaultError {
    #[must_use]
    pub fn new(cause: VaultCause, message: impl Into<String>) -> Self {
        Self { cause, message: message.into() }
    }

    /// The declared error inside a failure, if it is one of this service's.
    #[must_use]
    pub fn from_failure(failure: &Failure) -> Option<Self> {
        if failure.code != ErrorCode::Declared {
            return None;
        }
        codec::decode(&failure.detail).ok()
    }
}

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Self {
        let detail = codec::encode(&error).unwrap_or_default();
        Self { code: ErrorCode::Declared, message: error.message, detail }
    }
}

/// Event: a secret was set or deleted.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SecretChanged {
    pub name: String,
}

crate::service! {
    /// Secrets by name.
    pub trait Vault in vault;
    /// Stores one.
    unary Set = SET set(SetRequest) => Stored;
    /// Deletes one.
    unary Delete = DELETE delete(NameRequest) => Deleted;
    /// The names, and where they are used.
    unary List = LIST list(()) => Secrets;
    /// Hands one to a worker that may read it.
    unary Read = READ read(NameRequest) => Secret;
    /// How the keyring is.
    unary Check = CHECK check(()) => Store;
}
