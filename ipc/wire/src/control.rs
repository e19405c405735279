//! Service 0: what the kernel and its peers say to each other.

use crate::confinement::{Attempt, Canaries, Canary, Confinement, PathGrant, Remaining, Targets};
use crate::endpoint::EndpointId;
use crate::header::HEADER_BYTES;
use crate::version::MAGIC;
use bincode::{Decode, Encode};

/// Bytes of the token in the runtime folder that admits a client.
pub const TOKEN_BYTES: usize = 32;

/// Bytes of a Hello payload.
pub const HELLO_BYTES: usize = 4 + 2 + 2 + 1 + TOKEN_BYTES;

/// What a peer says that it is. The kernel believes it only where the connection proves it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum HelloRole {
    Client = 0,
    Worker = 1,
}

/// The first payload of a connection. Its layout never changes, so it is written by hand, not by the codec:
/// magic, oldest version, newest version (`u16` little-endian each), role (`u8`), token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hello {
    pub oldest: u16,
    pub newest: u16,
    pub role: HelloRole,
    pub token: [u8; TOKEN_BYTES],
}

impl Hello {
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HELLO_BYTES] {
        let mut bytes = [0; HELLO_BYTES];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4..6].copy_from_slice(&self.oldest.to_le_bytes());
        bytes[6..8].copy_from_slice(&self.newest.to_le_bytes());
        bytes[8] = self.role as u8;
        bytes[9..].copy_from_slice(&self.token);
        bytes
    }

    /// Reads a Hello; `None` for anything else. Bytes after it are left for later versions to use.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; HELLO_BYTES] = bytes.first_chunk()?;
        if bytes[..4] != MAGIC {
            return None;
        }
        let role = match bytes[8] {
            0 => HelloRole::Client,
            1 => HelloRole::Worker,
            _ => return None,
        };
        Some(Self {
            oldest: u16::from_le_bytes([bytes[4], bytes[5]]),
            newest: u16::from_le_bytes([bytes[6], bytes[7]]),
            role,
            token: *bytes[9..].first_chunk()?,
        })
    }
}

/// The kernel's answer to a Hello that it accepts.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Welcome {
    pub version: u16,
    /// Who the peer is from now on.
    pub endpoint: EndpointId,
    /// The kernel's own version, for people.
    pub kernel_version: String,
    pub mode: Mode,
}

/// What is expected of the peer.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub enum Mode {
    /// A client: it calls and subscribes.
    Client,
    /// A worker: give up the rest, check the canaries, say Ready, serve.
    Serve(Serve),
    /// A twin: give up the rest, attempt what is forbidden, report each attempt, exit.
    Prove { name: String, remaining: Remaining, targets: Targets },
    /// A twin's control, unconfined: the same attempts, to show that they can succeed.
    Control { name: String, targets: Targets },
}

/// What a worker needs to know at its start.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Serve {
    /// Its name in the manifest.
    pub name: String,
    /// The non-secret `BUTTERFLY_*` overrides, name without prefix, as read once at the kernel's start.
    pub overrides: Vec<(String, String)>,
    pub remaining: Remaining,
    pub canaries: Canaries,
    /// The standing workers: slot of their endpoints, name in the manifest. A source in any other slot is a client or an instance.
    pub roles: Vec<(u32, String)>,
}

/// A worker is confined and has checked it; now it prepares to serve. Event `confined`.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Confined {
    pub canaries: Vec<Canary>,
}

/// A worker is confined, has checked it, and can serve. Event `ready`.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Ready {
    pub canaries: Vec<Canary>,
}

/// Events `ping` and `pong`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Ping {
    pub nonce: u64,
}

/// Event `drain`: finish what is in flight within this time, take nothing new, exit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Drain {
    pub within_ms: u32,
}

/// Event `proof`: one attempt, or with `last` the end of them.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Proof {
    pub attempt: Option<Attempt>,
    pub last: bool,
}

/// Event `lagged`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Lagged {
    pub service: u16,
    pub topic: u16,
    pub dropped: u64,
}

/// The lifecycle of a worker, for people and clients. `docs/supervision.md` draws it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub enum WorkerState {
    Starting,
    Ready,
    Draining,
    Stopped,
    /// Restarts after `remaining_ms`.
    Backoff {
        remaining_ms: u64,
    },
    /// Not restarted until someone says so.
    Held {
        reason: String,
    },
}

impl WorkerState {
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Draining => "draining",
            Self::Stopped => "stopped",
            Self::Backoff { .. } => "backoff",
            Self::Held { .. } => "held",
        }
    }
}

/// One worker's row in the status table. Sizes in bytes, times in ms.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct WorkerStatus {
    pub name: String,
    pub endpoint: EndpointId,
    pub state: WorkerState,
    /// 0 while there is no process.
    pub pid: u32,
    pub generation: u32,
    pub restarts: u32,
    pub uptime_ms: u64,
    pub rss_bytes: u64,
    pub cpu_ms: u64,
    /// Calls that it is answering.
    pub in_flight: u32,
    pub oldest_in_flight_ms: u64,
    /// Bytes that wait for it to read.
    pub queue_bytes: u64,
    pub messages_in: u64,
    pub messages_out: u64,
    /// Protocol violations of this generation.
    pub violations: u32,
    pub confinement: Confinement,
    /// The class that it is an instance of; empty for a standing worker.
    pub instance_of: String,
}

/// The kernel's row.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct KernelStatus {
    pub pid: u32,
    pub version: String,
    pub uptime_ms: u64,
    pub rss_bytes: u64,
    pub cpu_ms: u64,
    pub socket: String,
    pub clients: u32,
    /// What the user should know, such as that the kernel was started by root.
    pub warnings: Vec<String>,
}

/// Reply of `status` and payload of the `stats` event.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Status {
    pub kernel: KernelStatus,
    pub workers: Vec<WorkerStatus>,
}

/// Payload of the `workers` event.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct WorkerChanged {
    pub name: String,
    pub generation: u32,
    pub state: WorkerState,
}

/// Argument of `restart`, `stop`, `start`.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Named {
    pub name: String,
}

/// Argument of `subscribe` and `unsubscribe`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Topic {
    pub service: u16,
    pub topic: u16,
}

/// A header, as it was routed, with its time. In `trace` and in crash reports.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Traced {
    /// Microseconds since the kernel started.
    pub at_us: u64,
    /// The header's encoded bytes, as delivered.
    pub header: [u8; HEADER_BYTES],
    pub payload_bytes: u32,
}

/// Argument of `trace`: the records of one trace, or of all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct TraceRequest {
    pub trace: Option<u64>,
    /// At most this many, the newest.
    pub most: u32,
}

/// Reply of `trace`, payload of the `trace` event. Oldest first.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct TraceRecords {
    pub records: Vec<Traced>,
    /// Endpoint to name, for every endpoint alive.
    pub names: Vec<(EndpointId, String)>,
}

/// How a process ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub enum Exit {
    Code(i32),
    Signal(i32),
    /// The kernel killed it: it missed its pings, was over a limit, or broke the protocol beyond repair.
    Killed,
}

/// What is kept of a worker that failed. Never a payload.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct CrashReport {
    pub worker: String,
    pub generation: u32,
    pub pid: u32,
    /// Unix time in ms.
    pub at_unix_ms: u64,
    pub uptime_ms: u64,
    pub exit: Exit,
    /// One sentence: what the kernel knows of the cause.
    pub cause: String,
    /// The last lines that it wrote to its standard error.
    pub stderr_tail: Vec<String>,
    /// `service.method` of the calls that it was answering.
    pub in_flight: Vec<String>,
    /// The last headers to and from it, oldest first.
    pub headers: Vec<Traced>,
}

/// Reply of `crashes`, newest first.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Crashes {
    pub reports: Vec<CrashReport>,
}

/// Argument of `logs`.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct LogsRequest {
    /// One worker, `kernel`, or all when `None`.
    pub worker: Option<String>,
    pub most_lines: u32,
}

/// One line of a log: what a process wrote, unparsed.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct LogLine {
    pub worker: String,
    pub at_unix_ms: u64,
    pub line: String,
}

/// Reply of `logs`, payload of the `logs` event. Oldest first.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct LogLines {
    pub lines: Vec<LogLine>,
}

/// Reply of `capabilities`.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Capabilities {
    pub principals: Vec<Principal>,
}

/// One row of the capability table.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Principal {
    pub name: String,
    /// `worker`, `client` or `instance`.
    pub kind: String,
    pub serves: Vec<String>,
    /// `service.method`.
    pub calls: Vec<String>,
    pub publishes: Vec<String>,
    pub subscribes: Vec<String>,
    pub starts: Vec<String>,
    /// Paths and ports, holes filled with what is in force now.
    pub grants: Vec<String>,
    pub provenance: Vec<String>,
}

/// Limits of one instance; each is bounded by the manifest.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct InstanceLimits {
    /// Bytes of data segment.
    pub memory_bytes: u64,
    /// Wall-clock time after which it is killed, in ms.
    pub wall_ms: u64,
}

/// Argument of `spawn`.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Spawn {
    pub class: String,
    pub paths: Vec<PathGrant>,
    pub limits: InstanceLimits,
}

/// Reply of `spawn`: the instance is ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Spawned {
    pub endpoint: EndpointId,
    pub pid: u32,
}

/// Argument of `kill`: an instance of the caller's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Kill {
    pub endpoint: EndpointId,
}

/// What fills the typed holes of one worker's profile.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct SetProfile {
    pub worker: String,
    /// Replaces the ports hole, if given.
    pub tcp_ports: Option<Vec<u16>>,
    /// Replaces the paths hole, if given.
    pub paths: Option<Vec<PathGrant>>,
}

/// Argument of `move_data`. Answered once the destination is found to be fit; what follows is in the log, and a failure in the status's warnings.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct MoveData {
    /// Where the data folder shall be: an absolute path; empty for its own place in the home.
    pub to: String,
}

/// Reply of `prove`.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct ProofReport {
    pub worker: String,
    /// What the confined twin saw.
    pub twin: Vec<Attempt>,
    /// What the same attempts saw unconfined, in the same order.
    pub control: Vec<Attempt>,
    /// Differences between the live process and the twin, in words; empty when they match.
    pub live: Vec<String>,
    /// What is missing on this system, by the names in [`Confinement::missing`].
    pub missing: Vec<String>,
}
