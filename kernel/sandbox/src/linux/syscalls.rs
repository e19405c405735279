//! The system calls that a worker may make, and with what arguments: the policy of the seccomp layer, as data.
//!
//! Whoever adds a row says who needs it. A call that stands here, but not with these arguments or not for this profile, answers
//! `EPERM`, and so does all of [`REFUSED`]; a call that stands nowhere answers `ENOSYS`, which makes libraries fall back to
//! older calls (`clone3` to `clone`, `openat2` to `openat`).
//!
//! What the jail and the worker's start still need (`execve`, Landlock, seccomp, executable maps) is allowed here, and taken
//! away by the runtime's second filter.

/// Whose profile a row belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum When {
    Always,
    /// Some path is granted.
    Files,
    /// Some path is granted for writing.
    Writes,
    /// As `Writes`, where Landlock itself limits truncation by path (ABI 3).
    TruncatesByPath,
    /// May change the mode and owner of its own open files.
    FileModes,
    /// A connection to the session bus stands on standard output.
    SessionBus,
    /// Some TCP port is granted.
    Network,
    /// None is: the only socket is the bus, which knows no fast open.
    NoNetwork,
}

/// A demand on one argument, given by its index. Compares the lower 32 bits: all of these are `int` or flags to the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Argument {
    Is(u8, u32),
    /// The bits of the mask have exactly this value.
    Masked(u8, u32, u32),
    /// A null pointer: all 64 bits are zero.
    Null(u8),
    /// The process itself. A process id survives `execve`.
    OwnPid(u8),
}

use Argument::{Is, Masked, Null, OwnPid};

pub(super) struct Row {
    pub(super) number: i64,
    pub(super) when: When,
    /// Any one of these combinations; none means any arguments at all.
    pub(super) arguments: &'static [&'static [Argument]],
}

const fn any(number: i64, when: When) -> Row {
    Row { number, when, arguments: &[] }
}

const fn with(number: i64, when: When, arguments: &'static [&'static [Argument]]) -> Row {
    Row { number, when, arguments }
}

/// An `int` constant of the C library, as the bits that the filter sees.
const fn bits(value: i32) -> u32 {
    value as u32
}

/// The flags with which glibc starts a thread. Anything else is a process, or a namespace.
const THREAD: u32 = bits(
    libc::CLONE_VM
        | libc::CLONE_FS
        | libc::CLONE_FILES
        | libc::CLONE_SIGHAND
        | libc::CLONE_THREAD
        | libc::CLONE_SYSVSEM
        | libc::CLONE_SETTLS
        | libc::CLONE_PARENT_SETTID
        | libc::CLONE_CHILD_CLEARTID,
);

/// A socket type without the flags that may be combined with it.
const TYPE: u32 = !bits(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC);
const STREAM: u32 = bits(libc::SOCK_STREAM);
const TCP: u32 = bits(libc::IPPROTO_TCP);
const SOCKET: u32 = bits(libc::SOL_SOCKET);
const FAST_OPEN: u32 = bits(libc::MSG_FASTOPEN);
const ACCESS_MODE: u32 = bits(libc::O_ACCMODE);
const TRUNCATE: u32 = bits(libc::O_TRUNC);

/// `F_OFD_*`, which the `libc` crate has for Linux, and the classic locks.
const LOCKS: &[&[Argument]] = &[
    &[Is(1, bits(libc::F_GETLK))],
    &[Is(1, bits(libc::F_SETLK))],
    &[Is(1, bits(libc::F_SETLKW))],
    &[Is(1, bits(libc::F_OFD_GETLK))],
    &[Is(1, bits(libc::F_OFD_SETLK))],
    &[Is(1, bits(libc::F_OFD_SETLKW))],
];

pub(super) const ALLOWED: &[Row] = &[
    // Reading, writing and closing what is open: everybody. `sendfile` and `splice` are not here: the standard library falls back.
    any(libc::SYS_read, When::Always),
    any(libc::SYS_write, When::Always),
    any(libc::SYS_readv, When::Always),
    any(libc::SYS_writev, When::Always),
    any(libc::SYS_pread64, When::Always),
    any(libc::SYS_lseek, When::Always),
    any(libc::SYS_close, When::Always),
    any(libc::SYS_fstat, When::Always),
    // Memory: the allocator, thread stacks, the loader's maps (executable ones end with the start).
    any(libc::SYS_brk, When::Always),
    any(libc::SYS_mmap, When::Always),
    any(libc::SYS_munmap, When::Always),
    any(libc::SYS_mprotect, When::Always),
    any(libc::SYS_mremap, When::Always),
    any(libc::SYS_madvise, When::Always),
    // Opening: the loader, and whoever is granted a path; Landlock decides which. The access mode 3 is not among these: it opens any
    // file at all, for no reading and no writing, past Landlock. Truncating what is opened for reading is left out too, because
    // Landlock before ABI 3 takes that for reading.
    with(
        libc::SYS_openat,
        When::Always,
        &[
            &[Masked(2, ACCESS_MODE | TRUNCATE, bits(libc::O_RDONLY))],
            &[Masked(2, ACCESS_MODE, bits(libc::O_WRONLY))],
            &[Masked(2, ACCESS_MODE, bits(libc::O_RDWR))],
        ],
    ),
    // Looking without opening: the loader, the standard library's metadata. Landlock never limits these.
    any(libc::SYS_newfstatat, When::Always),
    any(libc::SYS_statx, When::Always),
    any(libc::SYS_faccessat, When::Always),
    any(libc::SYS_faccessat2, When::Always),
    any(libc::SYS_readlinkat, When::Always),
    any(libc::SYS_getcwd, When::Always),
    // Threads and their locks: the standard library, tokio's blocking pool.
    with(libc::SYS_clone, When::Always, &[&[Is(0, THREAD)]]),
    any(libc::SYS_futex, When::Always),
    any(libc::SYS_set_robust_list, When::Always),
    any(libc::SYS_set_tid_address, When::Always),
    any(libc::SYS_rseq, When::Always),
    any(libc::SYS_sched_yield, When::Always),
    any(libc::SYS_sched_getaffinity, When::Always),
    any(libc::SYS_getcpu, When::Always),
    any(libc::SYS_membarrier, When::Always),
    any(libc::SYS_exit, When::Always),
    any(libc::SYS_exit_group, When::Always),
    // Signals to itself: `abort`, handlers of the standard library (stack overflow, broken pipe).
    any(libc::SYS_rt_sigaction, When::Always),
    any(libc::SYS_rt_sigprocmask, When::Always),
    any(libc::SYS_rt_sigreturn, When::Always),
    any(libc::SYS_sigaltstack, When::Always),
    any(libc::SYS_restart_syscall, When::Always),
    with(libc::SYS_kill, When::Always, &[&[OwnPid(0)]]),
    with(libc::SYS_tgkill, When::Always, &[&[OwnPid(0)]]),
    // Who am I, where do I run: glibc, SQLite (which asks whether it is root), thread names, logging.
    any(libc::SYS_getpid, When::Always),
    any(libc::SYS_gettid, When::Always),
    any(libc::SYS_getppid, When::Always),
    any(libc::SYS_getuid, When::Always),
    any(libc::SYS_geteuid, When::Always),
    any(libc::SYS_getgid, When::Always),
    any(libc::SYS_getegid, When::Always),
    any(libc::SYS_uname, When::Always),
    any(libc::SYS_sysinfo, When::Always),
    any(libc::SYS_getrusage, When::Always),
    // Asking for limits, never setting them: glibc's stack size, the standard library.
    with(libc::SYS_prlimit64, When::Always, &[&[Is(0, 0), Null(2)]]),
    // Time and chance. Most of these are answered without a system call, except on machines whose clock source forbids it.
    any(libc::SYS_clock_gettime, When::Always),
    any(libc::SYS_clock_getres, When::Always),
    any(libc::SYS_clock_nanosleep, When::Always),
    any(libc::SYS_nanosleep, When::Always),
    any(libc::SYS_gettimeofday, When::Always),
    any(libc::SYS_getrandom, When::Always),
    // Waiting: tokio's reactor (mio), the standard library's check of descriptors 0 to 2.
    any(libc::SYS_epoll_create1, When::Always),
    any(libc::SYS_epoll_ctl, When::Always),
    any(libc::SYS_epoll_pwait, When::Always),
    any(libc::SYS_eventfd2, When::Always),
    any(libc::SYS_timerfd_create, When::Always),
    any(libc::SYS_timerfd_settime, When::Always),
    any(libc::SYS_ppoll, When::Always),
    any(libc::SYS_pipe2, When::Always),
    // A stream pair within the process: tokio's signal driver. A datagram pair could be sent to any socket path.
    with(libc::SYS_socketpair, When::Always, &[&[Is(0, bits(libc::AF_UNIX)), Masked(1, TYPE, STREAM), Is(2, 0)]]),
    // Descriptors' flags and duplicates: tokio, the standard library. Not owners, leases, notifications or pipe sizes.
    with(
        libc::SYS_fcntl,
        When::Always,
        &[
            &[Is(1, bits(libc::F_DUPFD_CLOEXEC))],
            &[Is(1, bits(libc::F_GETFD))],
            &[Is(1, bits(libc::F_SETFD))],
            &[Is(1, bits(libc::F_GETFL))],
            &[Is(1, bits(libc::F_SETFL))],
        ],
    ),
    // Non-blocking mode, close-on-exec, bytes waiting, "is this a terminal".
    with(
        libc::SYS_ioctl,
        When::Always,
        &[
            &[Is(1, libc::FIONBIO as u32)],
            &[Is(1, libc::FIOCLEX as u32)],
            &[Is(1, libc::FIONREAD as u32)],
            &[Is(1, libc::TCGETS as u32)],
        ],
    ),
    // The bus is a connected stream socket, handed in. With a network, sending must not open a connection (fast open).
    any(libc::SYS_recvfrom, When::Always),
    any(libc::SYS_recvmsg, When::Always),
    any(libc::SYS_shutdown, When::Always),
    any(libc::SYS_getsockname, When::Always),
    any(libc::SYS_getpeername, When::Always),
    with(libc::SYS_getsockopt, When::Always, &[&[Is(1, SOCKET)]]),
    any(libc::SYS_sendto, When::NoNetwork),
    any(libc::SYS_sendmsg, When::NoNetwork),
    with(libc::SYS_sendto, When::Network, &[&[Masked(3, FAST_OPEN, 0)]]),
    with(libc::SYS_sendmsg, When::Network, &[&[Masked(2, FAST_OPEN, 0)]]),
    // TCP: HTTP clients and the resolver (which asks over TCP). Landlock decides which ports, from ABI 4.
    with(
        libc::SYS_socket,
        When::Network,
        &[
            &[Is(0, bits(libc::AF_INET)), Masked(1, TYPE, STREAM), Is(2, 0)],
            &[Is(0, bits(libc::AF_INET)), Masked(1, TYPE, STREAM), Is(2, TCP)],
            &[Is(0, bits(libc::AF_INET6)), Masked(1, TYPE, STREAM), Is(2, 0)],
            &[Is(0, bits(libc::AF_INET6)), Masked(1, TYPE, STREAM), Is(2, TCP)],
        ],
    ),
    any(libc::SYS_connect, When::Network),
    with(libc::SYS_getsockopt, When::Network, &[&[Is(1, TCP)]]),
    // Options of HTTP clients: keep-alive, no delay, buffers, time-outs. Not fast open, not other protocols on top (TCP_ULP).
    with(
        libc::SYS_setsockopt,
        When::Network,
        &[
            &[Is(1, SOCKET), Is(2, bits(libc::SO_KEEPALIVE))],
            &[Is(1, SOCKET), Is(2, bits(libc::SO_LINGER))],
            &[Is(1, SOCKET), Is(2, bits(libc::SO_RCVBUF))],
            &[Is(1, SOCKET), Is(2, bits(libc::SO_SNDBUF))],
            &[Is(1, SOCKET), Is(2, bits(libc::SO_RCVTIMEO))],
            &[Is(1, SOCKET), Is(2, bits(libc::SO_SNDTIMEO))],
            &[Is(1, SOCKET), Is(2, bits(libc::SO_REUSEADDR))],
            &[Is(1, TCP), Is(2, bits(libc::TCP_NODELAY))],
            &[Is(1, TCP), Is(2, bits(libc::TCP_KEEPIDLE))],
            &[Is(1, TCP), Is(2, bits(libc::TCP_KEEPINTVL))],
            &[Is(1, TCP), Is(2, bits(libc::TCP_KEEPCNT))],
            &[Is(1, TCP), Is(2, bits(libc::TCP_USER_TIMEOUT))],
            &[Is(1, TCP), Is(2, bits(libc::TCP_QUICKACK))],
            &[Is(1, bits(libc::IPPROTO_IPV6)), Is(2, bits(libc::IPV6_V6ONLY))],
        ],
    ),
    // The start: the jail executes the program, which confines itself further and becomes non-dumpable. All of it ends there.
    any(libc::SYS_execve, When::Always),
    any(libc::SYS_landlock_create_ruleset, When::Always),
    any(libc::SYS_landlock_add_rule, When::Always),
    any(libc::SYS_landlock_restrict_self, When::Always),
    with(libc::SYS_seccomp, When::Always, &[&[Is(0, libc::SECCOMP_SET_MODE_FILTER)]]),
    with(
        libc::SYS_prctl,
        When::Always,
        &[
            &[Is(0, bits(libc::PR_SET_DUMPABLE)), Is(1, 0)],
            &[Is(0, bits(libc::PR_SET_NO_NEW_PRIVS)), Is(1, 1)],
            // Names of threads, and of memory for whoever reads a map: these remain.
            &[Is(0, bits(libc::PR_SET_NAME))],
            &[Is(0, bits(libc::PR_GET_NAME))],
            &[Is(0, bits(libc::PR_SET_VMA))],
        ],
    ),
    // Reading granted files and folders: CA roots, plugins, databases.
    any(libc::SYS_getdents64, When::Files),
    any(libc::SYS_preadv, When::Files),
    any(libc::SYS_preadv2, When::Files),
    any(libc::SYS_fadvise64, When::Files),
    any(libc::SYS_readahead, When::Files),
    any(libc::SYS_statfs, When::Files),
    any(libc::SYS_fstatfs, When::Files),
    any(libc::SYS_flock, When::Files),
    with(libc::SYS_fcntl, When::Files, LOCKS),
    // Writing in a granted folder: SQLite and its write-ahead log, LanceDB, scratch files.
    any(libc::SYS_pwrite64, When::Writes),
    any(libc::SYS_pwritev, When::Writes),
    any(libc::SYS_pwritev2, When::Writes),
    any(libc::SYS_fsync, When::Writes),
    any(libc::SYS_fdatasync, When::Writes),
    any(SYNC_FILE_RANGE, When::Writes),
    any(libc::SYS_syncfs, When::Writes),
    any(libc::SYS_msync, When::Writes),
    any(libc::SYS_fallocate, When::Writes),
    any(libc::SYS_ftruncate, When::Writes),
    any(libc::SYS_copy_file_range, When::Writes),
    any(RENAMEAT, When::Writes),
    any(libc::SYS_renameat2, When::Writes),
    any(libc::SYS_linkat, When::Writes),
    any(libc::SYS_unlinkat, When::Writes),
    any(libc::SYS_mkdirat, When::Writes),
    any(libc::SYS_truncate, When::TruncatesByPath),
    // SQLite gives its log the mode and the owner of its database.
    any(libc::SYS_fchmod, When::FileModes),
    any(libc::SYS_fchown, When::FileModes),
    // The runtime takes the session bus from standard output, and puts the null device there.
    any(libc::SYS_dup3, When::SessionBus),
    // The older names of the above on x86_64, which glibc still uses there.
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_arch_prctl, When::Always),
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_access, When::Always),
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_readlink, When::Always),
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_time, When::Always),
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_poll, When::Always),
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_epoll_wait, When::Always),
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_dup2, When::SessionBus),
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_rename, When::Writes),
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_link, When::Writes),
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_unlink, When::Writes),
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_mkdir, When::Writes),
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_rmdir, When::Writes),
];

#[cfg(target_arch = "x86_64")]
const SYNC_FILE_RANGE: i64 = libc::SYS_sync_file_range;
#[cfg(target_arch = "x86_64")]
const RENAMEAT: i64 = libc::SYS_renameat;
// The generic system-call table's numbers, which the `libc` crate leaves out for this processor.
#[cfg(not(target_arch = "x86_64"))]
const SYNC_FILE_RANGE: i64 = 84;
#[cfg(not(target_arch = "x86_64"))]
const RENAMEAT: i64 = 38;

/// Newer than the `libc` crate's table for some processors; the number is the same on all.
const FCHMODAT2: i64 = 452;

/// Calls that must say "not permitted" rather than "no such call", so that whoever tries them fails loudly and at once.
pub(super) const REFUSED: &[i64] = &[
    // Attributes of any file of the owner's, by path: Landlock never limits these.
    libc::SYS_fchmodat,
    FCHMODAT2,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    libc::SYS_symlinkat,
    libc::SYS_mknodat,
    // Files without a path that Landlock could judge.
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_memfd_create,
    libc::SYS_memfd_secret,
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_tkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_kcmp,
    libc::SYS_sched_setscheduler,
    libc::SYS_sched_setattr,
    libc::SYS_sched_setparam,
    libc::SYS_setpriority,
    libc::SYS_ioprio_set,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    libc::SYS_setpgid,
    libc::SYS_setsid,
    // Programs: `execve` is the jail's, and nobody needs its sibling.
    libc::SYS_execveat,
    // Sockets that wait for others.
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_sendmmsg,
    // Large and often faulty parts of the system that no worker has a use for.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_fanotify_init,
    libc::SYS_lookup_dcookie,
    libc::SYS_syslog,
    // Namespaces, mounts and roots.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_mount_setattr,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    // The machine itself.
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_reboot,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_acct,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_personality,
    libc::SYS_vhangup,
    // Identity.
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setfsuid,
    libc::SYS_setfsgid,
    libc::SYS_setgroups,
    libc::SYS_capset,
    libc::SYS_pkey_mprotect,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lchown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utime,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utimes,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_futimesat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_symlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mknod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_fork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_vfork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
];
