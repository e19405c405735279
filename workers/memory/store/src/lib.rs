//! The store: one SQLite database that holds everything that must not be lost.
//!
//! It is the truth: vectors, indexes and caches can be made again from it. It knows SQL and transactions; it does *not*
//! know the bus, models, vectors or ranking. All of it blocks: callers use `spawn_blocking`.
//!
//! Invariants:
//! - One writer. What [`Store::write`] returned `Ok` for is on the disk (WAL, `synchronous=FULL`).
//! - A schema that is newer than this program is never opened; an older one is copied before it is migrated.
//! - What was deleted leaves no bytes behind: `secure_delete`, and a VACUUM when idle.

pub mod database;
pub mod error;
pub mod facts;
pub mod graph;
pub mod migrate;
pub mod outbox;
pub mod schema;
pub mod settings;
pub mod shown;
pub mod summaries;
pub mod transcripts;

pub use database::Store;
pub use error::StoreError;
