//! Attempts at what is forbidden, for `doctor --prove`: the same list whether confined (a twin) or not (its control).
//!
//! Each attempt aims at a decoy that the kernel names, is harmless where it gets through, and undoes what it did. None ends or
//! replaces this process: a program is "executed" in a way that fails after it was permitted, and what would change the
//! process runs in a child. Whether a refusal is the confinement's doing is for the comparison with the control to say
//! ([`butterfly_wire::verdict::judge`]), which is why errors are reported as they are.

mod files;
mod machine;
mod network;
mod processes;
mod sys;

use butterfly_wire::confinement::{Attempt, Outcome, Targets};
use nix::errno::Errno;
use std::ffi::CString;
use std::io;

/// How an attempt ended: it worked, or it did not.
type Tried = Result<(), Untried>;

/// Why an attempt did not work.
enum Untried {
    /// The system answered with this error.
    Failed(Errno),
    /// Something else stood in the way.
    Unable(String),
}

impl From<Errno> for Untried {
    fn from(errno: Errno) -> Self {
        Self::Failed(errno)
    }
}

impl From<io::Error> for Untried {
    fn from(error: io::Error) -> Self {
        error
            .raw_os_error()
            .map_or_else(|| Self::Unable(error.to_string()), |number| Self::Failed(Errno::from_raw(number)))
    }
}

fn system(outcome: Result<(), Errno>) -> Tried {
    Ok(outcome?)
}

fn c(text: &str) -> Result<CString, Untried> {
    CString::new(text).map_err(|error| Untried::Unable(error.to_string()))
}

/// One row: a stable name, the grant that a worker lacks, and how it is tried.
type Row = (&'static str, &'static str, fn(&Targets) -> Tried);

const ATTEMPTS: &[Row] = &[
    ("file.read", "read the file", files::read),
    ("file.write", "write the file", files::write),
    ("file.truncate", "write the file", files::truncate),
    ("file.truncate-by-writing", "write the file", files::truncate_by_writing),
    ("file.truncate-by-reading", "write the file", files::truncate_by_reading),
    ("file.open-for-nothing", "read the file", files::open_for_nothing),
    ("file.chmod", "none gives this", files::change_mode),
    ("file.chown", "none gives this", files::change_owner),
    ("file.utime", "none gives this", files::change_times),
    ("file.setxattr", "none gives this", files::set_attribute),
    ("file.unlink", "write the folder", files::unlink),
    ("file.rename", "write the folder", files::rename),
    ("file.link", "write the folder", files::link),
    ("file.symlink", "none gives this", files::make_symlink),
    ("file.open-by-handle", "none gives this", files::open_by_handle),
    ("file.watch", "none gives this", files::watch),
    ("folder.create", "write the folder", files::create),
    ("folder.make-folder", "write the folder", files::make_folder),
    ("folder.list-home", "read the home folder", files::list_home),
    ("folder.list-processes", "read /proc", files::list_processes),
    ("start.read-libraries", "given up after the start", files::read_libraries),
    ("start.read-own-program", "given up after the start", files::read_own_program),
    ("device.open-terminal", "none gives this", files::open_terminal),
    ("device.push-input", "none gives this", machine::push_input),
    ("kernel.memory", "none gives this", files::kernel_memory),
    ("kernel.environ", "none gives this", files::kernel_environment),
    ("kernel.signal", "none gives this", processes::signal_kernel),
    ("tcp.connect", "this TCP port", network::connect),
    ("tcp.listen", "none gives this", network::listen),
    ("tcp.multipath", "none gives this", network::multipath),
    ("tcp.fast-open", "none gives this", network::fast_open),
    ("tcp.fast-open-option", "none gives this", network::fast_open_option),
    ("net.udp", "none gives this", network::udp),
    ("net.raw", "none gives this", network::raw),
    ("net.packet", "none gives this", network::packet),
    ("net.netlink", "none gives this", network::netlink),
    ("net.vsock", "none gives this", network::vsock),
    ("unix.path", "none gives this", network::unix_path),
    ("unix.abstract", "none gives this", network::unix_abstract),
    ("unix.datagram-pair", "none gives this", network::datagram_pair),
    ("process.signal", "none gives this", processes::signal_sibling),
    ("process.trace", "none gives this", processes::trace),
    ("process.read-memory", "none gives this", processes::read_memory),
    ("process.take-descriptor", "none gives this", processes::take_descriptor),
    ("process.limits", "none gives this", processes::limits),
    ("process.fork", "only the kernel starts processes", processes::fork),
    ("program.exec", "only the kernel starts processes", processes::execute),
    ("program.exec-memory", "only the kernel starts processes", processes::execute_memory),
    ("program.spawn", "only the kernel starts processes", processes::spawn),
    ("memory.executable", "given up after the start", machine::executable_page),
    ("memory.make-executable", "given up after the start", machine::make_executable),
    ("memory.shared", "none gives this", machine::shared_memory),
    ("namespace.user", "none gives this", machine::user_namespace),
    ("system.mount", "none gives this", machine::mount),
    ("system.chroot", "none gives this", machine::change_root),
    ("system.io-uring", "none gives this", machine::io_ring),
    ("system.bpf", "none gives this", machine::bpf),
    ("system.perf", "none gives this", machine::performance_counter),
    ("system.keyring", "none gives this", machine::keyring),
    ("system.userfaultfd", "none gives this", machine::user_faults),
    ("system.personality", "none gives this", machine::personality),
];

/// Makes every attempt, in an order that is always the same, and reports each as it ends.
pub fn run(targets: &Targets, report: &mut dyn FnMut(Attempt)) {
    for (name, grant, attempt) in ATTEMPTS {
        let outcome = outcome(attempt(targets));
        report(Attempt { name: (*name).to_owned(), grant: (*grant).to_owned(), outcome });
    }
}

/// Only an error that can mean "you may not" is a refusal. `ENOSYS` can mean that this system has no such call: the control knows.
fn outcome(tried: Tried) -> Outcome {
    match tried {
        Ok(()) => Outcome::Succeeded,
        Err(Untried::Failed(errno @ (Errno::EACCES | Errno::EPERM | Errno::ENOSYS))) => {
            Outcome::Denied { error: format!("{errno:?}") }
        }
        Err(Untried::Failed(errno)) => Outcome::NotTestable { why: format!("{errno:?}") },
        Err(Untried::Unable(why)) => Outcome::NotTestable { why },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_distinct_and_dotted() {
        let names: BTreeSet<_> = ATTEMPTS.iter().map(|(name, ..)| name).collect();
        assert_eq!(names.len(), ATTEMPTS.len());
        assert!(names.iter().all(|name| name.split('.').count() == 2));
    }

    #[test]
    fn only_refusals_count_as_denied() {
        for errno in [Errno::EACCES, Errno::EPERM, Errno::ENOSYS] {
            assert_eq!(outcome(Err(errno.into())), Outcome::Denied { error: format!("{errno:?}") });
        }
        for errno in [Errno::ENOENT, Errno::ECONNREFUSED, Errno::EAFNOSUPPORT, Errno::ESRCH, Errno::EMFILE] {
            assert_eq!(outcome(Err(errno.into())), Outcome::NotTestable { why: format!("{errno:?}") });
        }
        assert_eq!(outcome(Ok(())), Outcome::Succeeded);
    }
}
