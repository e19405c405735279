//! The store: one SQLite database that holds everything that must not be lost.
//!
//! It is the truth: vectors, indexes and caches can be made again from it. It knows SQL and transactions; it does *not*
//! know the bus, models or vectors, and what a score is made of is butterfly-recall's. All of it blocks: callers use `spawn_blocking`.
//!
//! Invariants:
//! - One writer. What [`Store::write`] returned `Ok` for is on the disk (WAL, `synchronous=FULL`).
//! - A schema that is newer than this program is never opened; an older one is copied before it is migrated.
//! - What was deleted leaves no bytes behind: `secure_delete`, and a VACUUM when idle.

pub mod backups;
pub mod care;
pub mod database;
pub mod error;
pub mod facts;
pub mod forget;
pub mod graph;
pub mod migrate;
pub mod notes;
mod opening;
pub mod outbox;
pub mod passages;
mod prepared;
pub mod replace;
pub mod schema;
pub mod search;
pub mod settings;
pub mod shown;
pub mod space;
pub mod storage;
pub mod summaries;
#[cfg(test)]
mod testing;
pub mod transcripts;

pub use database::Store;
pub use error::StoreError;
