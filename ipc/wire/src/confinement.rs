//! What a process may touch, and how well that is enforced: the words that kernel, jail, workers and clients share.

use bincode::{Decode, Encode};
use std::fmt;

/// What may be done below a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord, Encode, Decode)]
pub enum Access {
    /// Open for reading, list folders.
    Read,
    /// Read, and run as a program.
    Execute,
    /// Read, write, create, rename and delete.
    ReadWrite,
}

/// One path and what may be done at and below it. Absolute.
#[derive(Clone, PartialEq, Eq, Debug, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct PathGrant {
    pub path: String,
    pub access: Access,
}

impl PathGrant {
    #[must_use]
    pub fn read(path: impl Into<String>) -> Self {
        Self { path: path.into(), access: Access::Read }
    }

    #[must_use]
    pub fn read_write(path: impl Into<String>) -> Self {
        Self { path: path.into(), access: Access::ReadWrite }
    }
}

impl fmt::Display for PathGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let access = match self.access {
            Access::Read => "read",
            Access::Execute => "execute",
            Access::ReadWrite => "read-write",
        };
        write!(f, "{access} {}", self.path)
    }
}

/// What a worker keeps after its start: the second, narrower layer that its runtime puts on itself.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, Default)]
pub struct Remaining {
    pub paths: Vec<PathGrant>,
    /// TCP ports that it may connect to. Empty: it has no network at all.
    pub tcp_ports: Vec<u16>,
    /// The Landlock ABI that the back end was told to use; 0 where there is no Landlock (macOS).
    pub landlock_abi: u32,
    /// May change the mode of its own open files (SQLite does).
    pub file_modes: bool,
    /// What stands on its standard output.
    pub session_bus: SessionBus,
    /// Layers to leave out: empty in production, where the kernel has no way to fill it; the mutation test does.
    pub without: Vec<Layer>,
}

/// A connection to the user's session bus, made by the kernel and handed to a process on descriptor 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default, Encode, Decode)]
pub enum SessionBus {
    /// There is none; descriptor 1 is the null device.
    #[default]
    None,
    /// Through a proxy that lets it talk to the Secret Service and to nobody else.
    Filtered,
    /// To the bus itself, because this system has no such proxy.
    Direct,
}

/// One layer of the confinement. `doctor --prove` goes red when any one is missing; a test sees to that.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Encode, Decode)]
pub enum Layer {
    /// Landlock, put on by the jail before the program starts.
    Landlock,
    /// The seccomp allowlist, put on by the jail.
    Seccomp,
    /// The second Landlock layer and filter, put on by the worker's runtime.
    GiveUp,
}

impl Layer {
    pub const ALL: [Self; 3] = [Self::Landlock, Self::Seccomp, Self::GiveUp];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Landlock => "landlock",
            Self::Seccomp => "seccomp",
            Self::GiveUp => "give-up",
        }
    }
}

/// How much of the confinement that was asked for is in force.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Encode, Decode)]
pub enum Grade {
    /// All of it: Landlock ABI 7 or newer, and the filters.
    Full,
    /// All that this system offers; what it lacks is named.
    Reduced,
    /// Not verified: the process has not reported yet, or is held because it is not in force.
    None,
}

impl Grade {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Reduced => "reduced",
            Self::None => "none",
        }
    }
}

/// What is known of one process's confinement, from its own canaries and from what the kernel read of it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Confinement {
    pub grade: Grade,
    pub landlock_abi: u32,
    /// Landlock is in force: a canary outside the grants was refused.
    pub landlock: bool,
    /// A filter is installed on every thread.
    pub seccomp: bool,
    pub no_new_privs: bool,
    /// "none", or the ports it may connect to, such as "tcp 11434".
    pub network: String,
    /// What this system cannot enforce, by name.
    pub missing: Vec<String>,
}

impl Default for Confinement {
    fn default() -> Self {
        Self {
            grade: Grade::None,
            landlock_abi: 0,
            landlock: false,
            seccomp: false,
            no_new_privs: false,
            network: "none".to_owned(),
            missing: Vec::new(),
        }
    }
}

/// Things outside the grants that a worker must fail to reach, tried after its confinement took effect.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, Default)]
pub struct Canaries {
    /// A readable file of the owner's that nobody was granted.
    pub file: String,
    /// A folder of the owner's that nobody was granted.
    pub folder: String,
    /// The kernel's process id: no signal may reach it.
    pub kernel_pid: u32,
}

/// One canary's outcome.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Canary {
    pub name: String,
    /// The error that stopped it, or `None` if it got through.
    pub denied_by: Option<String>,
}

/// What the attempts of `doctor --prove` aim at. Made by the kernel for one run, and harmless to hit.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, Default)]
pub struct Targets {
    /// The owner's home folder.
    pub home: String,
    /// A file of the owner's, with content, outside every grant.
    pub file: String,
    /// A folder of the owner's outside every grant.
    pub folder: String,
    /// A program that anyone may run.
    pub program: String,
    pub kernel_pid: u32,
    /// A process of the same user's that waits to be attacked.
    pub sibling_pid: u32,
    /// A loopback TCP port that answers and that no worker is granted.
    pub tcp_port: u16,
    /// A loopback UDP port that is open.
    pub udp_port: u16,
    /// A pathname socket that listens.
    pub unix_path: String,
    /// The name of an abstract socket that listens, without its leading NUL.
    pub abstract_name: String,
}

/// How one attempt of a twin, or of its unconfined control, ended.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub enum Outcome {
    /// The system refused, with this error (`EACCES` …).
    Denied { error: String },
    /// It worked.
    Succeeded,
    /// The attempt could not be made, and why.
    NotTestable { why: String },
}

/// One attempt of a twin.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Attempt {
    /// Stable identifier, such as `file.read`.
    pub name: String,
    /// The grant that the process lacks, in words.
    pub grant: String,
    pub outcome: Outcome,
}
