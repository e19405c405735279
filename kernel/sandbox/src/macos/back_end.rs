//! The calling process becomes `sandbox-exec`, which puts the profile in force and becomes the program.
//!
//! `unsafe` stands here for `close`, which has no safe wrapper for a descriptor that nobody owns.
#![allow(unsafe_code)]

use super::seatbelt;
use crate::{JailError, JailExit, Limits, Profile, System};
use butterfly_wire::confinement::PathGrant;
use nix::sys::resource::{Resource, setrlimit};
use nix::unistd::{getppid, setsid};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// Deprecated by Apple for years, present and enforced on every macOS so far; without it nothing starts.
const SANDBOX_EXEC: &str = "/usr/bin/sandbox-exec";

/// The most descriptors that macOS gives a process unless it is told otherwise (`OPEN_MAX`).
const MOST_DESCRIPTORS: i32 = 10_240;

pub(crate) fn system() -> System {
    System { landlock_abi: 0, seatbelt: Path::new(SANDBOX_EXEC).exists() }
}

pub(crate) fn confine_and_exec(profile: &Profile) -> JailError {
    match prepare(profile) {
        Err(error) => error,
        Ok(()) => {
            let error = Command::new(SANDBOX_EXEC)
                .arg("-p")
                .arg(seatbelt(profile))
                .arg(&profile.program)
                .args(&profile.args)
                .env_clear()
                .envs(profile.environment.iter().map(|(name, value)| (name, value)))
                .current_dir("/")
                .exec();
            JailError::new(JailExit::Program, format!("{SANDBOX_EXEC} ({error})"))
        }
    }
}

fn prepare(profile: &Profile) -> Result<(), JailError> {
    if !system().seatbelt {
        return Err(JailError::new(JailExit::BelowFloor, format!("{SANDBOX_EXEC} is missing")));
    }
    setsid().map_err(|error| JailError::new(JailExit::Session, format!("setsid ({error})")))?;
    for descriptor in 3..MOST_DESCRIPTORS {
        // SAFETY: the caller promised that the process is its own, so no descriptor above 2 has an owner that would use it
        // again; closing one that is not open does nothing.
        unsafe { libc::close(descriptor) };
    }
    set_limits(&profile.limits)?;
    profile.remaining.paths.iter().try_for_each(check)?;
    let parent = getppid().as_raw();
    if u32::try_from(parent) != Ok(profile.parent_pid) {
        return Err(JailError::new(
            JailExit::ParentGone,
            format!("the parent is {parent}, not {}", profile.parent_pid),
        ));
    }
    Ok(())
}

/// Seatbelt judges the path that a file really has, so a grant must be that path.
fn check(grant: &PathGrant) -> Result<(), JailError> {
    let refused =
        |detail: &dyn std::fmt::Display| JailError::new(JailExit::Grant, format!("{:?} ({detail})", grant.path));
    let real = std::fs::canonicalize(&grant.path).map_err(|error| refused(&error))?;
    if real == Path::new(&grant.path) { Ok(()) } else { Err(refused(&format!("it is {}", real.display()))) }
}

fn set_limits(limits: &Limits) -> Result<(), JailError> {
    for (resource, name, value) in [
        (Resource::RLIMIT_CORE, "RLIMIT_CORE", 0),
        (Resource::RLIMIT_DATA, "RLIMIT_DATA", limits.data_bytes),
        (Resource::RLIMIT_FSIZE, "RLIMIT_FSIZE", limits.file_bytes),
        (Resource::RLIMIT_NOFILE, "RLIMIT_NOFILE", limits.open_files),
    ] {
        setrlimit(resource, value, value)
            .map_err(|error| JailError::new(JailExit::Limits, format!("{name} = {value} ({error})")))?;
    }
    Ok(())
}
