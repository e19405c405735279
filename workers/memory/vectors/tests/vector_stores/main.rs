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
    Tuning { flat_bytes: 300 * 8 * 4, coarse_bytes: 0, changes: 8, tail: 64 }
}

/// A few rows are held as they are, and all others in bytes.
fn coarse() -> Tuning {
    Tuning { flat_bytes: 20 * 8 * 4, coarse_bytes: 1 << 20, changes: 8, tail: 64 }
}

/// Rows pass through all the ways in which they can be held.
fn growing() -> Tuning {
    Tuning { flat_bytes: 300 * 8 * 4, coarse_bytes: 900 * 12, changes: 8, tail: 64 }
}

#[test]
fn in_memory_does_what_a_store_must() {
    suite::all(&|| Box::new(InMemory::new()) as Box<dyn VectorStores>);
}

#[test]
fn lance_does_what_a_store_must() {
    lance_does_it(Tuning::default());
}

fn lance_does_it(tuning: Tuning) {
    let homes = tempfile::tempdir().unwrap();
    let count = std::cell::Cell::new(0);
    suite::all(&|| {
        count.set(count.get() + 1);
        Box::new(Lance::tuned(&homes.path().join(count.get().to_string()), tuning)) as Box<dyn VectorStores>
    });
}

#[test]
fn lance_with_an_index_does_what_a_store_must() {
    lance_does_it(small());
}

#[test]
fn lance_with_vectors_in_bytes_does_what_a_store_must() {
    lance_does_it(coarse());
}

#[test]
fn lance_that_grows_into_an_index_does_what_a_store_must() {
    lance_does_it(growing());
}
