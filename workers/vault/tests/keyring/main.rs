//! The vault against a real keyring: `gnome-keyring-daemon` on a session bus of the test's own, in every state that there is.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests are tests

mod names;
mod session;
mod states;
mod storing;
