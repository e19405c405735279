//! What a process is, apart from what it may reach: session, descriptors, limits, capabilities, parent.
//!
//! `unsafe` stands here for `close_range`, `capset`, `prctl` on capabilities and `sigaction`, which have no safe wrapper.
#![allow(unsafe_code)]

use crate::{JailError, JailExit, Limits};
use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{getpid, getppid, getsid, setsid};
use std::io;

/// Landlock and seccomp bind the calling thread and what it executes; another thread would go free until then.
pub(super) fn demand_single_thread() -> Result<(), JailError> {
    let fault = |detail: String| JailError::new(JailExit::Threads, detail);
    let tasks = std::fs::read_dir("/proc/self/task").map_err(|error| fault(format!("/proc/self/task ({error})")))?;
    match tasks.count() {
        1 => Ok(()),
        threads => Err(fault(format!("{threads} threads"))),
    }
}

/// A session without a terminal: no signal from the keyboard, and nothing to push input into.
pub(super) fn start_session() -> Result<(), JailError> {
    match setsid() {
        Ok(_) => Ok(()),
        // Refused to whoever leads a process group; harmless if that group is a session of its own already.
        Err(Errno::EPERM) if getsid(None) == Ok(getpid()) => Ok(()),
        Err(error) => Err(JailError::new(JailExit::Session, format!("setsid ({error})"))),
    }
}

/// Closes everything but standard input (the bus), output and error. Marking them would leave them open until `execve`, and within
/// reach of anything that runs before it.
pub(crate) fn close_inherited() -> Result<(), JailError> {
    // SAFETY: takes three numbers. The caller promised that the process is its own, so no descriptor above 2 has an owner
    // in this process that would use it again.
    match unsafe { libc::close_range(3, libc::c_uint::MAX, 0) } {
        0 => Ok(()),
        _ => Err(JailError::new(JailExit::Descriptors, format!("close_range ({})", io::Error::last_os_error()))),
    }
}

/// The kernel process's blocked and ignored signals are its own affair, and `execve` would hand them on. `SIGXFSZ` alone
/// is ignored, so that a file over its limit is an error (`EFBIG`) and not the end of the process.
pub(super) fn reset_signals() -> Result<(), JailError> {
    let fault = |error: Errno| JailError::new(JailExit::Session, format!("signal dispositions ({error})"));
    for signal in Signal::iterator().filter(|signal| !matches!(signal, Signal::SIGKILL | Signal::SIGSTOP)) {
        let handler = if signal == Signal::SIGXFSZ { SigHandler::SigIgn } else { SigHandler::SigDfl };
        let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
        // SAFETY: no handler function is installed, only the default and "ignore".
        unsafe { sigaction(signal, &action) }.map_err(fault)?;
    }
    SigSet::empty().thread_set_mask().map_err(fault)?;
    // Whatever a worker creates is its owner's alone.
    umask(Mode::S_IRWXG | Mode::S_IRWXO);
    Ok(())
}

pub(super) fn set_limits(limits: &Limits) -> Result<(), JailError> {
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

/// `_LINUX_CAPABILITY_VERSION_3` of the kernel's `uapi/linux/capability.h`.
const CAPABILITY_VERSION: u32 = 0x2008_0522;

#[repr(C)]
struct CapabilityHeader {
    version: u32,
    /// 0: the calling thread.
    pid: i32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct CapabilitySets {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Empties all five sets and keeps the user. The bounding set comes first: dropping from it takes a capability itself, so an
/// ordinary user, who has none to lose, is refused that step and does not need it (`no_new_privs` keeps it so).
pub(super) fn drop_capabilities() -> Result<(), JailError> {
    let fault = |what: &str| JailError::new(JailExit::Capabilities, format!("{what} ({})", io::Error::last_os_error()));
    // The kernel answers EINVAL beyond the last capability that it knows; 64 is as many as the sets can hold.
    for capability in 0..64_u64 {
        // SAFETY: takes numbers only.
        if unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) } == -1 {
            match Errno::last() {
                Errno::EINVAL => break,
                Errno::EPERM if !has_capabilities()? => break,
                _ => return Err(fault("PR_CAPBSET_DROP")),
            }
        }
    }
    // SAFETY: takes numbers only.
    if unsafe { libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) } == -1 {
        return Err(fault("PR_CAP_AMBIENT_CLEAR_ALL"));
    }
    let header = CapabilityHeader { version: CAPABILITY_VERSION, pid: 0 };
    let sets = [CapabilitySets::default(); 2];
    // SAFETY: version 3 reads one header and two sets, which both outlive the call.
    if unsafe { libc::syscall(libc::SYS_capset, &raw const header, sets.as_ptr()) } == -1 {
        return Err(fault("capset"));
    }
    if has_capabilities()? {
        return Err(JailError::new(JailExit::Capabilities, "some are left after dropping all"));
    }
    Ok(())
}

/// Whether the calling thread holds any capability, in any of the three sets that it could use or hand on.
fn has_capabilities() -> Result<bool, JailError> {
    let header = CapabilityHeader { version: CAPABILITY_VERSION, pid: 0 };
    let mut sets = [CapabilitySets::default(); 2];
    // SAFETY: version 3 reads one header and writes two sets, which both outlive the call.
    if unsafe { libc::syscall(libc::SYS_capget, &raw const header, sets.as_mut_ptr()) } == -1 {
        return Err(JailError::new(JailExit::Capabilities, format!("capget ({})", io::Error::last_os_error())));
    }
    Ok(sets.iter().any(|set| set.effective | set.permitted | set.inheritable != 0))
}

/// Ends with the kernel, whatever ends it. The parent is checked *after* arming: one that died before sends no signal.
pub(super) fn die_with_parent(parent_pid: u32) -> Result<(), JailError> {
    prctl::set_pdeathsig(Signal::SIGKILL)
        .map_err(|error| JailError::new(JailExit::ParentGone, format!("PR_SET_PDEATHSIG ({error})")))?;
    let parent = getppid().as_raw();
    if u32::try_from(parent) != Ok(parent_pid) {
        return Err(JailError::new(JailExit::ParentGone, format!("the parent is {parent}, not {parent_pid}")));
    }
    Ok(())
}

pub(super) fn no_new_privileges() -> Result<(), JailError> {
    prctl::set_no_new_privs().map_err(|error| JailError::new(JailExit::NoNewPrivileges, error.to_string()))
}
