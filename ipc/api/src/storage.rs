//! The store as a whole: its size, its care, its copies. Served by memory.

use crate::Chunk;
use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// Reply of `stats`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode, Serialize, Deserialize)]
pub struct Stats {
    pub conversations: u64,
    pub messages: u64,
    pub memories: u64,
    pub summaries: u64,
    pub entities: u64,
    pub facts: u64,
    pub edges: u64,
    /// Passages that wait for their vector.
    pub waiting_for_vectors: u64,
    pub vectors: u64,
    /// The model that makes the vectors, and their length; empty and 0 where there is none.
    pub embedding_model: String,
    pub dimensions: u32,
    /// How vectors are searched, such as `flat` or `ivf_flat`; empty while there are none.
    pub vector_index: String,
    /// The database with its log, and the vector store, in bytes.
    pub database_bytes: u64,
    pub vector_bytes: u64,
    /// Where the store lies.
    pub folder: String,
    /// What search goes without now.
    pub degraded: Option<String>,
    pub last_retention: Option<Retained>,
    pub last_vacuum_unix_ms: Option<u64>,
    /// Our own backup files, oldest first.
    pub backups: Vec<String>,
}

/// Reply of `vacuum`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Vacuumed {
    pub bytes_before: u64,
    pub bytes_after: u64,
    pub took_ms: u64,
}

/// What retention deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Retained {
    pub at_unix_ms: u64,
    /// Conversations whose time in the trash was over.
    pub conversations: u64,
    /// Passages older than `memory.retention_days`.
    pub passages: u64,
    pub facts: u64,
}

/// The end of `backup`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct BackedUp {
    pub bytes: u64,
    /// Of all that was sent, in hexadecimal (FIPS 180-4).
    pub sha256: String,
}

/// Reply of `restore`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Restored {
    pub conversations: u64,
    pub messages: u64,
    /// Where the store that was replaced is kept, within the data folder.
    pub previous: String,
}

crate::service! {
    /// The store as a whole.
    pub trait Storage in storage;
    /// Counts and sizes.
    unary GetStats = STATS stats(()) => Stats;
    /// Rewrites the store, so that nothing deleted is left in its files.
    unary Vacuum = VACUUM vacuum(()) => Vacuumed;
    /// Deletes what is older than the settings allow, now.
    unary Retain = RETAIN retain(()) => Retained;
    /// A consistent copy of the database, checked before its end is sent.
    stream Backup = BACKUP backup(()) => BackedUp, yields Chunk;
    /// Replaces the store by a copy, once that was checked.
    upload Restore = RESTORE restore(()) => Restored, takes Chunk;
}
