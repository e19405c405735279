//! The index over a real database and a real vector store, with a model on the other end of a real connection that the
//! test directs.

// The lint's exemption for tests covers test functions, not the helpers beside them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bench;
mod changing;
mod failing;
mod finding;
mod surviving;
