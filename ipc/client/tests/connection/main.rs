//! A connection as its peer sees it: the other end of the pipe writes and reads frames by hand, byte for byte what the
//! kernel would, and what it should not.

// The lint's exemption for tests covers test functions, not the helpers beside them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bounds;
mod calls;
mod endings;
mod events;
mod handshake;
mod peer;
mod serving;
mod streams;
mod uploads;
