//! What every store of vectors must do, held against a model that is too plain to be wrong: one suite for all of them.

// What a test's helper cannot do fails the test.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod damage;
mod forgetting;
mod model;
mod suite;

use butterfly_vectors::lance::Tuning;
use butterfly_vectors::{InMemory, Lance, VectorStores};
use std::future::Future;

/// Runs a test as the worker runs: one thread for the event loop, which nothing may block.
fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// Few rows already want an index, and few changes upkeep.
fn small() -> Tuning {
    Tuning { flat_bytes: 300 * 8 * 4, changes: 8, tail: 64 }
}

#[test]
fn in_memory_does_what_a_store_must() {
    suite::all(&|| Box::new(InMemory::new()) as Box<dyn VectorStores>);
}

#[test]
fn lance_does_what_a_store_must() {
    let homes = tempfile::tempdir().unwrap();
    let count = std::cell::Cell::new(0);
    suite::all(&|| {
        count.set(count.get() + 1);
        Box::new(Lance::new(&homes.path().join(count.get().to_string()))) as Box<dyn VectorStores>
    });
}

#[test]
fn lance_with_an_index_does_what_a_store_must() {
    let homes = tempfile::tempdir().unwrap();
    let count = std::cell::Cell::new(0);
    suite::all(&|| {
        count.set(count.get() + 1);
        Box::new(Lance::tuned(&homes.path().join(count.get().to_string()), small())) as Box<dyn VectorStores>
    });
}
