//! What every worker's `main` uses: the handshake, giving up what only the start needed, canaries, dispatch, heartbeat,
//! health and drain.
//!
//! This crate is *not* the confinement that the jail puts on before the program starts; it can only give up more. It knows
//! no service by name except health.
//!
//! Invariants:
//! - Nothing is read from the bus beyond the Welcome, and no thread exists, before the rest was given up and the
//!   canaries have died.
//! - A panic anywhere ends the process with [`PANIC_EXIT`]: the kernel keeps a crash report and starts a successor. No
//!   worker limps on with half its state.
//! - Pings are answered by the loop that dispatches requests, so that a loop that hangs is noticed.

#[cfg(target_os = "linux")]
pub mod canaries;
pub mod handshake;
#[cfg(target_os = "linux")]
pub mod harden;
pub mod health;
mod logging;
#[cfg(target_os = "linux")]
pub mod prove;
pub mod redact;
mod run;
mod worker;

pub use logging::log_at;
pub use run::{PANIC_EXIT, Start, run};
pub use worker::Worker;
