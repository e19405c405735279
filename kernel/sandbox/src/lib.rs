//! The confinement policy as values, and the back ends that put it in force.
//!
//! This crate *is* what the kernel and the jail share: the [`Profile`] that travels from one to the other, the judgement
//! of what a system can enforce ([`assess`]), what a program's start needs ([`start_grants`]), and the one function
//! that turns the calling process into a confined program ([`confine_and_exec`]). It is *not* a place for decisions about
//! who may do what: those stand in the kernel's manifest. Nor does it start processes.
//!
//! Invariants:
//! - Fail closed. A layer that cannot be put in force in full, a path that cannot be opened, a parent that is gone: each
//!   ends the process with a [`JailExit`], and the program never runs.
//! - Only a single-threaded process is confined, and only before it executes the program: what is inherited across
//!   `execve` binds every later thread.
//! - An empty list grants nothing. There is no value that means "all".
//! - Policy is data: `linux/syscalls.rs` is a table whose rows say who needs them.
//!
//! `unsafe` stands in `linux/process.rs`, `linux/mod.rs` and `macos/back_end.rs` alone, for the few calls that have no safe wrapper.

mod assess;
mod elf;
mod exit;
pub mod launch;
#[cfg(target_os = "linux")]
mod linux;
pub mod macos;
mod profile;
mod start;
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
mod unsupported;

pub use assess::{Assessment, BelowFloor, FLOOR_ABI, FULL_ABI, Missing, assess};
pub use exit::{JailError, JailExit};
pub use profile::{Limits, Profile, System};
pub use start::{GrantError, start_grants, system_read};

#[cfg(target_os = "linux")]
use linux as back_end;
#[cfg(target_os = "macos")]
use macos as back_end;
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
use unsupported as back_end;

/// Asks the running system what it can enforce. Costs one system call.
#[must_use]
pub fn system() -> System {
    back_end::system()
}

/// Closes every descriptor above standard error, so that whoever started this process gets its end-of-file. To be called
/// first thing in `main`: a descriptor that something in this process already owns would be closed under it.
///
/// # Errors
/// When the system refuses; what was inherited is then still open, which is untidy and no more.
#[cfg(target_os = "linux")]
pub fn close_inherited() -> Result<(), JailError> {
    linux::close_inherited()
}

/// Confines the calling process as `profile` says and replaces it by the program. The process must be single-threaded
/// and owned by the caller, as the jail's is: descriptors above 2 are closed and nothing of it comes back.
///
/// Returns only on failure, and then the process must end at once with [`JailError::exit`]'s code: it may be half
/// confined.
#[must_use]
pub fn confine_and_exec(profile: &Profile) -> JailError {
    back_end::confine_and_exec(profile)
}
