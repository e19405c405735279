//! System calls that have no safe wrapper, each with arguments that make it harmless.
//!
//! The one place outside the kernel's own crates that holds `unsafe`: attempts must call what no library offers, exactly as an
//! attacker would. Each function is safe to call in any process and leaves nothing behind but what it returns.
#![allow(unsafe_code)]

use nix::errno::Errno;
use std::ffi::CStr;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::{null, null_mut};

type Result<T = ()> = std::result::Result<T, Errno>;

/// `AF_VSOCK`'s siblings need no address; these are the arguments of one `socket` call.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub(super) family: i32,
    pub(super) kind: i32,
    pub(super) protocol: i32,
}

fn check(returned: i64) -> Result<i64> {
    if returned == -1 { Err(Errno::last()) } else { Ok(returned) }
}

/// Takes ownership of a descriptor that a call has just returned.
fn own(returned: i64) -> Result<OwnedFd> {
    let fd = i32::try_from(check(returned)?).map_err(|_| Errno::EBADF)?;
    // SAFETY: the kernel has just made this descriptor for us, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

pub(super) fn socket(kind: Kind) -> Result<OwnedFd> {
    // SAFETY: takes numbers only.
    own(i64::from(unsafe { libc::socket(kind.family, kind.kind | libc::SOCK_CLOEXEC, kind.protocol) }))
}

fn loopback(port: u16) -> libc::sockaddr_in {
    libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: port.to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from(std::net::Ipv4Addr::LOCALHOST).to_be() },
        sin_zero: [0; 8],
    }
}

const ADDRESS_BYTES: libc::socklen_t = size_of::<libc::sockaddr_in>() as libc::socklen_t;

pub(super) fn connect(socket: &OwnedFd, port: u16) -> Result {
    let address = loopback(port);
    // SAFETY: the address outlives the call, and its size is given.
    check(i64::from(unsafe { libc::connect(socket.as_raw_fd(), (&raw const address).cast(), ADDRESS_BYTES) })).map(drop)
}

/// Connects by sending: Landlock's limit on connecting does not see it.
pub(super) fn send_fast_open(socket: &OwnedFd, port: u16) -> Result {
    let address = loopback(port);
    // SAFETY: one byte and the address outlive the call, and their sizes are given.
    let sent = unsafe {
        libc::sendto(
            socket.as_raw_fd(),
            b"x".as_ptr().cast(),
            1,
            libc::MSG_FASTOPEN | libc::MSG_NOSIGNAL,
            (&raw const address).cast(),
            ADDRESS_BYTES,
        )
    };
    check(sent as i64).map(drop)
}

/// Makes a later `connect` return at once and the first `write` connect.
pub(super) fn set_fast_open(socket: &OwnedFd) -> Result {
    let on: libc::c_int = 1;
    // SAFETY: the option's value outlives the call, and its size is given.
    let returned = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_FASTOPEN_CONNECT,
            (&raw const on).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    check(i64::from(returned)).map(drop)
}

/// A pair that could be sent to any socket path, unlike a stream pair.
pub(super) fn datagram_pair() -> Result {
    let mut pair = [0; 2];
    // SAFETY: the array has room for the two descriptors.
    check(i64::from(unsafe {
        libc::socketpair(libc::AF_UNIX, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0, pair.as_mut_ptr())
    }))?;
    own(i64::from(pair[0]))?;
    own(i64::from(pair[1])).map(drop)
}

/// Sets and removes an attribute of a file's, by path.
pub(super) fn set_attribute(path: &CStr) -> Result {
    let name = c"user.butterfly.attempt";
    // SAFETY: path, name and one byte of value outlive the call.
    check(i64::from(unsafe { libc::setxattr(path.as_ptr(), name.as_ptr(), b"x".as_ptr().cast(), 1, 0) }))?;
    // SAFETY: path and name outlive the call.
    check(i64::from(unsafe { libc::removexattr(path.as_ptr(), name.as_ptr()) })).map(drop)
}

/// Opens a file through a handle, past every check of its path.
pub(super) fn open_by_handle(path: &CStr) -> Result {
    const ROOM: usize = 128;
    #[repr(C)]
    struct Handle {
        bytes: u32,
        kind: i32,
        handle: [u8; ROOM],
    }
    let mut handle = Handle { bytes: ROOM as u32, kind: 0, handle: [0; ROOM] };
    let mut mount: libc::c_int = 0;
    // SAFETY: the handle says how much room it has, and everything outlives the call.
    check(unsafe {
        libc::syscall(libc::SYS_name_to_handle_at, libc::AT_FDCWD, path.as_ptr(), &raw mut handle, &raw mut mount, 0)
    })?;
    let root = std::fs::File::open("/").map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(0)))?;
    // SAFETY: the handle was filled by the call above and outlives this one.
    own(unsafe {
        libc::syscall(
            libc::SYS_open_by_handle_at,
            root.as_raw_fd(),
            &raw mut handle,
            libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NONBLOCK,
        )
    })
    .map(drop)
}

/// Watches a file.
pub(super) fn watch(path: &CStr) -> Result {
    // SAFETY: takes a number only.
    let queue = own(i64::from(unsafe { libc::inotify_init1(libc::IN_CLOEXEC) }))?;
    // SAFETY: the path outlives the call.
    check(i64::from(unsafe { libc::inotify_add_watch(queue.as_raw_fd(), path.as_ptr(), libc::IN_OPEN) })).map(drop)
}

/// Reads another process's memory at an address that is never mapped: who may read gets `EFAULT`, who may not is refused before.
pub(super) fn read_memory_of(pid: i32) -> Result {
    let mut byte = 0_u8;
    let here = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    let there = libc::iovec { iov_base: null_mut::<u8>().wrapping_add(16).cast(), iov_len: 1 };
    // SAFETY: our vector names one byte of ours; the other is an address in the other process.
    let returned = unsafe { libc::process_vm_readv(pid, &raw const here, 1, &raw const there, 1, 0) };
    reached(returned as i64, Errno::EFAULT)
}

/// Success, or the error with which a call fails *after* it was permitted.
fn reached(returned: i64, permitted: Errno) -> Result {
    match check(returned) {
        Err(error) if error != permitted => Err(error),
        _ => Ok(()),
    }
}

/// Takes a copy of another process's descriptor 0, if it has one.
pub(super) fn take_descriptor_of(pid: i32) -> Result {
    // SAFETY: takes numbers only.
    let process = own(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?;
    // SAFETY: takes numbers only.
    match own(unsafe { libc::syscall(libc::SYS_pidfd_getfd, process.as_raw_fd(), 0, 0) }) {
        // It has no descriptor 0, which we learnt because we may look.
        Ok(_) | Err(Errno::EBADF) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Attaches to another process without stopping it. The attachment ends with the thread that made it.
pub(super) fn seize(pid: i32) -> Result {
    // SAFETY: PTRACE_SEIZE takes numbers and two null pointers.
    check(unsafe { libc::ptrace(libc::PTRACE_SEIZE, pid, null_mut::<u8>(), null_mut::<u8>()) }).map(drop)
}

/// Asks for another process's limits.
pub(super) fn limits_of(pid: i32) -> Result {
    // SAFETY: a plain structure of two numbers.
    let mut limit: libc::rlimit64 = unsafe { zeroed() };
    // SAFETY: nothing is set, and the structure to fill outlives the call.
    check(i64::from(unsafe { libc::prlimit64(pid, libc::RLIMIT_NOFILE, null(), &raw mut limit) })).map(drop)
}

/// Executes a program with arguments at an address that is never mapped. Who may execute it gets `EFAULT`, because a program is opened
/// before its arguments are read; this process is never replaced.
pub(super) fn execute(program: &CStr) -> Result {
    let nowhere = null_mut::<u8>().wrapping_add(16);
    // SAFETY: the kernel checks the address of the arguments itself.
    let returned = unsafe { libc::syscall(libc::SYS_execve, program.as_ptr(), nowhere, null::<u8>()) };
    reached(returned, Errno::EFAULT)
}

/// As [`execute`], for a program that exists in memory alone.
pub(super) fn execute_memory() -> Result {
    // SAFETY: the name outlives the call.
    let file = own(unsafe { libc::syscall(libc::SYS_memfd_create, c"attempt".as_ptr(), libc::MFD_CLOEXEC) })?;
    let nowhere = null_mut::<u8>().wrapping_add(16);
    // SAFETY: the kernel checks the address of the arguments itself; the empty path names the file.
    let returned = unsafe {
        libc::syscall(libc::SYS_execveat, file.as_raw_fd(), c"".as_ptr(), nowhere, null::<u8>(), libc::AT_EMPTY_PATH)
    };
    reached(returned, Errno::EFAULT)
}

/// Runs `act` in a child process, so that what it changes ends with it. Where no child can be made, `act` must be refused as well, and
/// runs here.
pub(super) fn in_child(act: fn(&CStr) -> Result, path: &CStr) -> Result {
    match fork(|| act(path)) {
        Err(Errno::EPERM | Errno::EACCES | Errno::ENOSYS) => act(path),
        Ok(outcome) => outcome,
        Err(error) => Err(error),
    }
}

/// Makes a child that does nothing.
pub(super) fn fork_only() -> Result {
    fork(|| Ok(()))?
}

/// The child's outcome, or why there is none.
fn fork(act: impl FnOnce() -> Result) -> Result<Result> {
    // SAFETY: the child runs `act`, which makes system calls only: it allocates nothing and takes no lock, so that it does not
    // matter which locks other threads held when it was made. It ends with `_exit`.
    match check(i64::from(unsafe { libc::fork() }))? {
        0 => {
            let code = act().err().map_or(0, |error| error as i32);
            // SAFETY: ends the child without running anything of ours.
            unsafe { libc::_exit(code) }
        }
        pid => {
            let mut status = 0;
            // SAFETY: the status outlives the call.
            while check(i64::from(unsafe { libc::waitpid(pid as libc::pid_t, &raw mut status, 0) }))
                == Err(Errno::EINTR)
            {}
            match libc::WEXITSTATUS(status) {
                0 if libc::WIFEXITED(status) => Ok(Ok(())),
                0 => Err(Errno::ECHILD),
                code => Ok(Err(Errno::from_raw(code))),
            }
        }
    }
}

/// A user namespace, in which the process would hold every capability. For [`in_child`]: the process that makes it stays in it.
pub(super) fn new_user_namespace(_: &CStr) -> Result {
    // SAFETY: takes a number only.
    check(i64::from(unsafe { libc::unshare(libc::CLONE_NEWUSER) })).map(drop)
}

/// Namespaces in which an ordinary user may mount and change roots, where the system has them for everybody.
fn own_namespaces() {
    // SAFETY: takes a number only. Whether it works does not matter: root needs none.
    let _ = unsafe { libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNS) };
}

/// Mounts a kind of file system that does not exist: who may mount gets `ENODEV`. For [`in_child`].
pub(super) fn mount(folder: &CStr) -> Result {
    own_namespaces();
    // SAFETY: the strings outlive the call, and no data is passed.
    let returned = unsafe { libc::mount(c"none".as_ptr(), folder.as_ptr(), c"butterfly-none".as_ptr(), 0, null()) };
    reached(i64::from(returned), Errno::ENODEV)
}

/// Changes the root to the root, which changes nothing. For [`in_child`].
pub(super) fn change_root(_: &CStr) -> Result {
    own_namespaces();
    // SAFETY: the path outlives the call.
    check(i64::from(unsafe { libc::chroot(c"/".as_ptr()) })).map(drop)
}

/// A ring of one entry.
pub(super) fn io_ring() -> Result {
    // `struct io_uring_params` has 120 bytes; all zero means defaults.
    let mut params = [0_u64; 15];
    // SAFETY: the structure has the kernel's size and outlives the call.
    own(unsafe { libc::syscall(libc::SYS_io_uring_setup, 1, params.as_mut_ptr()) }).map(drop)
}

/// A map of one element: a program would need one.
pub(super) fn bpf_map() -> Result {
    const MAP_CREATE: i32 = 0;
    // `union bpf_attr` of BPF_MAP_CREATE: array, 4 byte keys, 8 byte values, one entry.
    let attributes: [u32; 4] = [2, 4, 8, 1];
    // SAFETY: the attributes outlive the call, and their size is given.
    own(unsafe { libc::syscall(libc::SYS_bpf, MAP_CREATE, attributes.as_ptr(), size_of::<[u32; 4]>()) }).map(drop)
}

/// A counter of this process's own time, in user mode.
pub(super) fn performance_counter() -> Result {
    // `struct perf_event_attr`, first version: PERF_TYPE_SOFTWARE, its size, PERF_COUNT_SW_TASK_CLOCK, and in the sixth word
    // exclude_kernel and exclude_hv, without which an ordinary user is refused.
    const SIZE: u64 = 64;
    let attributes: [u64; 8] = [1 | SIZE << 32, 1, 0, 0, 0, 1 << 5 | 1 << 6, 0, 0];
    // SAFETY: the attributes have the size that they name and outlive the call.
    own(unsafe { libc::syscall(libc::SYS_perf_event_open, attributes.as_ptr(), 0, -1, -1, 0) }).map(drop)
}

/// The process's own keyring, made if need be; it ends with the process.
pub(super) fn keyring() -> Result {
    const GET_KEYRING_ID: i32 = 0;
    const PROCESS_KEYRING: i32 = -2;
    // SAFETY: takes numbers only.
    check(unsafe { libc::syscall(libc::SYS_keyctl, GET_KEYRING_ID, PROCESS_KEYRING, 1) }).map(drop)
}

/// A descriptor for handling page faults of this process's own, in user mode.
pub(super) fn user_faults() -> Result {
    const USER_MODE_ONLY: i32 = 1;
    // SAFETY: takes numbers only.
    own(unsafe { libc::syscall(libc::SYS_userfaultfd, libc::O_CLOEXEC | USER_MODE_ONLY) }).map(drop)
}

/// A segment of shared memory that nobody else can name, removed at once.
pub(super) fn shared_memory() -> Result {
    // SAFETY: takes numbers only.
    let id = check(i64::from(unsafe { libc::shmget(libc::IPC_PRIVATE, 4096, 0o600) }))?;
    // SAFETY: takes numbers and a null pointer.
    check(i64::from(unsafe { libc::shmctl(id as i32, libc::IPC_RMID, null_mut()) })).map(drop)
}

/// Asks which execution domain this process has, without changing it.
pub(super) fn personality() -> Result {
    // SAFETY: takes a number only; this one asks.
    check(i64::from(unsafe { libc::personality(0xffff_ffff) })).map(drop)
}

/// Pushes a character into a terminal's input. The descriptor is none, so a request that gets through to it ends with `ENOTTY`.
pub(super) fn push_input(to: BorrowedFd<'_>) -> Result {
    // SAFETY: the character outlives the call.
    let returned = unsafe { libc::ioctl(to.as_raw_fd(), libc::TIOCSTI, b"x".as_ptr()) };
    reached(i64::from(returned), Errno::ENOTTY)
}

const PAGE: usize = 4096;

/// A page of fresh memory, executable from the start or made so afterwards.
pub(super) fn executable_page(from_the_start: bool) -> Result {
    let first = libc::PROT_READ | if from_the_start { libc::PROT_EXEC } else { 0 };
    // SAFETY: asks for new memory at an address of the kernel's choice; nothing that exists is replaced.
    let page = unsafe { libc::mmap(null_mut(), PAGE, first, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0) };
    if page == libc::MAP_FAILED {
        return Err(Errno::last());
    }
    let outcome = if from_the_start {
        Ok(())
    } else {
        // SAFETY: the page is ours alone, and nothing refers to it.
        check(i64::from(unsafe { libc::mprotect(page, PAGE, libc::PROT_READ | libc::PROT_EXEC) })).map(drop)
    };
    // SAFETY: the page was mapped above, and nothing refers to it.
    unsafe { libc::munmap(page, PAGE) };
    outcome
}
