//! The service over real HTTP: the worker on one end of a bus connection, a caller on the other, and the kit's model
//! server on loopback.

#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests are tests

mod answers;
mod bench;
mod cancelling;
mod choice;
mod embedding;
mod errors;
mod keys;
mod pulling;
mod settings;
mod waiting;
mod yielding;
