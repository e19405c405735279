//! Finding an instance, and starting its kernel: what every client does before it can ask anything.
//!
//! It is a library for programs that people use. It is *not* a client of its own: it prints nothing, reads no command line,
//! and knows the kernel's table of workers, but none of their services.
//!
//! Invariants:
//! - The kernel's program is the one beside the running one, never one that a search path or a variable names.
//! - It waits by the kernel's own events. There is one exception: before the kernel's socket exists there is nothing to
//!   wait on, and it looks again every few milliseconds.
//! - A kernel that it started outlives it, and keeps neither its standard streams nor its folder.

mod error;
mod instance;
mod kernel;
mod log;
mod workers;

pub use error::StartError;
pub use instance::Instance;
pub use kernel::{Running, connect_or_start, serving, up};
pub use workers::{Notice, RESTART_LIMIT, generation, held, next_change, settled, succeeded};
