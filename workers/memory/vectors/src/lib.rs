//! Vectors of passages, found again by cosine similarity. Embeddings and ids only: no text is kept here.
//!
//! [`VectorStore`] is one table of one model's vectors; [`Lance`] keeps such tables on disk (LanceDB), [`InMemory`] keeps
//! them for tests. It does *not* know models, SQLite or the bus: what is missing here is made again by its user.
//!
//! Invariants:
//! - Every vector is of unit length and finite, so that cosine similarity is a dot product.
//! - The store is never the only place where something stands: a damaged one is reported as
//!   [`VectorError::Damaged`], and thrown away and rebuilt by its user.
//! - After [`VectorStore::purge`] no byte of a deleted or replaced vector is in any file of the store.
//! - Nothing here runs on the caller's event loop: LanceDB has threads of its own, which end when the table is dropped.

pub mod error;
pub mod flat;
pub mod in_memory;
pub mod lance;
pub mod store;
mod unit;
pub mod values;

pub use error::VectorError;
pub use in_memory::InMemory;
pub use lance::Lance;
pub use store::{Done, Near, Row, Summary, VectorStore, VectorStores};
