//! Claims about a running assistant, tried over real processes: a kernel, its workers, and hostile peers of each.

// What a test's helper cannot do fails the test.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod chat;
mod clients;
mod command_line;
mod confinement;
mod failures;
mod instances;
mod lies;
mod preparing;
mod proof;
mod quotas;
mod routing;
mod session_bus;
mod support;
