//! The Linux back end: process attributes, Landlock, seccomp, `execve`, in this order.
//!
//! `unsafe` stands here for one system call that has no safe wrapper: asking for Landlock's version.
#![allow(unsafe_code)]

mod filter;
mod landlock;
mod process;
mod syscalls;

pub(crate) use process::close_inherited;

use crate::assess::{BelowFloor, FLOOR_ABI};
use crate::{JailError, JailExit, Profile, System};
use butterfly_wire::confinement::Layer;
use nix::unistd::{chdir, execve};
use std::convert::Infallible;
use std::ffi::CString;

/// `LANDLOCK_CREATE_RULESET_VERSION` of the kernel's `uapi/linux/landlock.h`.
const CREATE_RULESET_VERSION: u32 = 1;

pub(crate) fn system() -> System {
    // SAFETY: with this flag the call takes a null pointer and a size of zero, creates nothing and returns a number.
    let version = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0_usize, CREATE_RULESET_VERSION)
    };
    System { landlock_abi: u32::try_from(version).unwrap_or(0), seatbelt: false }
}

pub(crate) fn confine_and_exec(profile: &Profile) -> JailError {
    match confine(profile).and_then(|()| execute(profile)) {
        Ok(never) => match never {},
        Err(error) => error,
    }
}

fn confine(profile: &Profile) -> Result<(), JailError> {
    process::demand_single_thread()?;
    process::start_session()?;
    close_inherited()?;
    process::reset_signals()?;
    process::set_limits(&profile.limits)?;
    process::drop_capabilities()?;
    process::die_with_parent(profile.parent_pid)?;
    process::no_new_privileges()?;
    // Nothing is below the root folder that a relative path could reach by accident.
    chdir("/").map_err(|error| JailError::new(JailExit::Grant, format!("/ ({error})")))?;

    let remaining = &profile.remaining;
    let abi = system().landlock_abi.min(remaining.landlock_abi);
    if abi < FLOOR_ABI {
        return Err(JailError::new(JailExit::BelowFloor, BelowFloor { found: abi }.to_string()));
    }
    let without = |layer| remaining.without.contains(&layer);
    if !without(Layer::Landlock) {
        landlock::restrict(abi, &profile.start, remaining)?;
    }
    if !without(Layer::Seccomp) {
        filter::install(abi, remaining)?;
    }
    Ok(())
}

fn execute(profile: &Profile) -> Result<Infallible, JailError> {
    let fault = |detail: String| JailError::new(JailExit::Program, detail);
    let text = |text: String| CString::new(text).map_err(|_| fault("an argument or variable holds a NUL byte".into()));
    let program = text(profile.program.clone())?;
    let mut args = vec![program.clone()];
    for arg in &profile.args {
        args.push(text(arg.clone())?);
    }
    let environment: Vec<_> =
        profile.environment.iter().map(|(name, value)| text(format!("{name}={value}"))).collect::<Result<_, _>>()?;
    execve(&program, &args, &environment).map_err(|error| fault(format!("{} ({error})", profile.program)))
}
