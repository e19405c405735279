//! Confinement over real processes: the jail as the kernel starts it, and a probe in the place of a worker.

#![cfg(target_os = "linux")]
// What a test's helper cannot do fails the test.
#![allow(clippy::unwrap_used)]

mod grants;
mod launch;
mod process;
mod prove;
mod refusals;
