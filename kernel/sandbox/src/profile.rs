//! What one process is started with: program, environment, grants, limits.

use bincode::{Decode, Encode};
use butterfly_wire::confinement::{PathGrant, Remaining};

/// Everything the jail needs to know to confine a process and start its program.
#[derive(Encode, Decode, Clone, PartialEq, Debug)]
pub struct Profile {
    /// Absolute path of the program.
    pub program: String,
    /// Its arguments, without the program's own name.
    pub args: Vec<String>,
    /// The only variables that the program sees.
    pub environment: Vec<(String, String)>,
    /// What only the start needs: program, dynamic loader and libraries (see [`crate::start_grants`]). The worker's
    /// runtime drops it.
    pub start: Vec<PathGrant>,
    /// What the process keeps.
    pub remaining: Remaining,
    pub limits: Limits,
    /// The process that must be the parent when `PR_SET_PDEATHSIG` is armed: one that is gone already would leave an
    /// orphan.
    pub parent_pid: u32,
}

/// Resource limits, soft and hard alike. `RLIMIT_CORE` is always 0: a core file is a copy of what was said. `RLIMIT_AS` is
/// never set: it counts reserved addresses, which a memory map or a WASM memory takes by the gigabyte without using them.
#[derive(Encode, Decode, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// `RLIMIT_DATA`, in bytes: heap, stacks of threads and private writable maps.
    pub data_bytes: u64,
    /// `RLIMIT_FSIZE`, in bytes: the longest file it may write. Beyond it writes fail with `EFBIG`, without a signal.
    pub file_bytes: u64,
    /// `RLIMIT_NOFILE`: descriptors open at once.
    pub open_files: u64,
}

/// What the running system can enforce.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct System {
    /// Landlock's ABI version; 0 where there is no Landlock, or it was not enabled at boot.
    pub landlock_abi: u32,
    /// Seatbelt is the back end, so that Landlock's version has no meaning.
    pub seatbelt: bool,
}
