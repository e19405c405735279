//! What the assistant remembers, over real processes: faults, stories, settings, secrets.

// The lint's exemption for tests covers test functions, not the helpers beside them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod faults;
mod files;
mod homes;
mod story;
mod support;
