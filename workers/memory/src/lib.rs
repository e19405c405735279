//! The memory worker: transcripts, memories, facts, settings. The only process that opens the database.
//!
//! It serves `conversations`, `memory`, `storage` and `config`. It reaches no network: vectors, summaries and facts that
//! take a model come from the model worker over the bus, in the background. It is *not* the agent loop.
//!
//! Invariants:
//! - What was acknowledged is in SQLite and on the disk. Everything else here (vectors, indexes, summaries, facts) can be
//!   made again from it.
//! - All work on the database runs off the event loop, so that a busy disk never costs a heartbeat.
//! - Recall works without a model: it says what it goes without.

pub mod assemble;
pub mod care;
pub mod checks;
pub mod closed;
pub mod config;
pub mod conversations;
pub mod core;
pub mod extraction;
pub mod graph;
pub mod indexing;
pub mod memory;
pub mod storage;
pub mod summaries;

pub use core::Core;
