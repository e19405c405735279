//! Canaries: things outside the grants that a worker tries once its confinement took effect, because Landlock shows nothing of
//! itself. Each must be refused; one that gets through means that the confinement is not in force.
//!
//! All of them are quick and harmless: nothing is written, started or left behind, and what does get through achieves nothing.

use butterfly_wire::confinement::{Canaries, Canary, Remaining};
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::signal::kill;
use nix::unistd::{Pid, execve};
use std::convert::Infallible;
use std::ffi::CStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::net::{Ipv4Addr, TcpStream};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};

/// Loopback ports on which nothing usually listens (tcpmux, echo, discard); the first that is not granted is tried.
const CLOSED_PORTS: [u16; 3] = [1, 7, 9];

/// Landlock limits TCP ports from this ABI on.
const PORTS_ABI: u32 = 4;

/// Tries every canary that this profile and this system should refuse. `denied_by` is the refusal's name (`EACCES`, `EPERM`,
/// `ENOSYS`), or `None` if the canary was not *refused*: also a canary that is not there is none that was refused.
#[must_use]
pub fn check(canaries: &Canaries, remaining: &Remaining) -> Vec<Canary> {
    let mut outcomes = vec![
        canary("file.read", read_file(&canaries.file)),
        canary("folder.list", fs::read_dir(&canaries.folder).map(drop)),
        canary("kernel.signal", signal(canaries.kernel_pid)),
        canary("program.exec", execute()),
        canary("memory.file", memfd_create("canary", MFdFlags::MFD_CLOEXEC).map(drop).map_err(Into::into)),
        canary("unix.abstract", connect_abstract()),
        canary("namespace.user", unshare(CloneFlags::CLONE_NEWUSER).map_err(Into::into)),
    ];
    // Where nothing can limit ports the manifest's grade says so already.
    if remaining.tcp_ports.is_empty() || remaining.landlock_abi >= PORTS_ABI {
        let closed = CLOSED_PORTS.into_iter().find(|port| !remaining.tcp_ports.contains(port));
        if let Some(port) = closed {
            outcomes.push(canary("tcp.connect", TcpStream::connect((Ipv4Addr::LOCALHOST, port)).map(drop)));
        }
    }
    outcomes
}

fn canary(name: &str, outcome: io::Result<()>) -> Canary {
    let denied_by = outcome.err().and_then(|error| refusal(&error));
    Canary { name: name.to_owned(), denied_by }
}

/// The name of an error that means "you may not"; any other error is no refusal.
fn refusal(error: &io::Error) -> Option<String> {
    let errno = Errno::from_raw(error.raw_os_error()?);
    matches!(errno, Errno::EACCES | Errno::EPERM | Errno::ENOSYS).then(|| format!("{errno:?}"))
}

fn read_file(path: &str) -> io::Result<()> {
    File::open(path)?.read(&mut [0; 1]).map(drop)
}

/// Signal 0 asks only whether a signal could be sent.
fn signal(pid: u32) -> io::Result<()> {
    let pid = i32::try_from(pid).map_err(io::Error::other)?;
    Ok(kill(Pid::from_raw(pid), None)?)
}

/// A program without a name: refused where executing is, and otherwise not found, so that nothing ever replaces us.
fn execute() -> io::Result<()> {
    let nothing: [&CStr; 0] = [];
    execve(c"", &nothing, &nothing).map(|never: Infallible| match never {}).map_err(Into::into)
}

fn connect_abstract() -> io::Result<()> {
    UnixStream::connect_addr(&SocketAddr::from_abstract_name(b"butterfly-canary")?).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_counts_as_denied() {
        for (number, name) in [(libc::EACCES, "EACCES"), (libc::EPERM, "EPERM"), (libc::ENOSYS, "ENOSYS")] {
            assert_eq!(refusal(&io::Error::from_raw_os_error(number)).as_deref(), Some(name));
        }
        for number in [libc::ENOENT, libc::ECONNREFUSED, libc::EMFILE, libc::ESRCH] {
            assert_eq!(refusal(&io::Error::from_raw_os_error(number)), None);
        }
    }

    #[test]
    fn a_canary_that_gets_through_is_seen() {
        let folder = std::env::temp_dir();
        let file = std::env::current_exe().unwrap();
        let canaries =
            Canaries { file: file.display().to_string(), folder: folder.display().to_string(), kernel_pid: 1 };
        assert_eq!(canary("file.read", read_file(&canaries.file)).denied_by, None);
        assert_eq!(canary("folder.list", std::fs::read_dir(&canaries.folder).map(drop)).denied_by, None);
    }
}
