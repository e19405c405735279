//! Attempts on other processes, and at starting some.

use super::{Tried, Untried, c, sys, system};
use butterfly_wire::confinement::Targets;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use std::process::{Command, Stdio};

fn sibling(to: &Targets) -> Result<i32, Untried> {
    match i32::try_from(to.sibling_pid) {
        Ok(pid) if pid > 0 => Ok(pid),
        _ => Err(Untried::Unable("there is no sibling process".to_owned())),
    }
}

/// Signal 0 asks only whether a signal could be sent.
pub(super) fn signal_sibling(to: &Targets) -> Tried {
    Ok(kill(Pid::from_raw(sibling(to)?), None)?)
}

pub(super) fn signal_kernel(to: &Targets) -> Tried {
    let pid = i32::try_from(to.kernel_pid).map_err(|error| Untried::Unable(error.to_string()))?;
    Ok(kill(Pid::from_raw(pid), None)?)
}

/// In a thread of its own, with whose end the attachment ends too.
pub(super) fn trace(to: &Targets) -> Tried {
    let pid = sibling(to)?;
    let thread = std::thread::Builder::new().spawn(move || sys::seize(pid))?;
    system(thread.join().map_err(|_| Untried::Unable("the attempting thread panicked".to_owned()))?)
}

pub(super) fn read_memory(to: &Targets) -> Tried {
    system(sys::read_memory_of(sibling(to)?))
}

pub(super) fn take_descriptor(to: &Targets) -> Tried {
    system(sys::take_descriptor_of(sibling(to)?))
}

pub(super) fn limits(to: &Targets) -> Tried {
    system(sys::limits_of(sibling(to)?))
}

pub(super) fn fork(_: &Targets) -> Tried {
    system(sys::fork_only())
}

pub(super) fn execute(to: &Targets) -> Tried {
    system(sys::execute(&c(&to.program)?))
}

pub(super) fn execute_memory(_: &Targets) -> Tried {
    system(sys::execute_memory())
}

/// All of it: a child that becomes a program.
pub(super) fn spawn(to: &Targets) -> Tried {
    let status = Command::new(&to.program).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(Untried::Unable(format!("{} ended with {status}", to.program))) }
}
