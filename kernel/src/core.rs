//! The kernel's state in one place. All of it belongs to one thread; every method runs to its end without waiting.

use crate::crash::CrashLog;

use crate::holes::Holes;
use crate::instances::Instance;
use crate::logs::Logs;
use crate::manifest::{Manifest, Role};
use crate::moving::Moving;
use crate::options::Options;
use crate::peer::{Closing, Peers};
use crate::pending::Pending;
use crate::queue::{Full, Refund, Weight};
use crate::session_bus::{Address, Link};
use crate::spawn::Process;
use crate::stderr::Collector;
use crate::supervisor::{Policy, Supervisor};
use crate::trace::{Ring, Traces};
use butterfly_wire::catalog::{Flow, MethodInfo};
use butterfly_wire::confinement::Confinement;
use butterfly_wire::control::{Exit, Traced};
use butterfly_wire::limits::SENDER_QUEUE_BYTES;
use butterfly_wire::place::Place;
use butterfly_wire::{Encode, EndpointId, ErrorCode, Failure, Flags, Header, Kind, codec, frame};
use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// The kernel, as its tasks hold it. Borrowed for the length of one step, never across an await.
pub type Shared = Rc<RefCell<Kernel>>;

/// A standing worker: its machine, its process if there is one, and what is known of it.
pub struct Worker {
    pub role: &'static Role,
    pub supervisor: Supervisor,
    pub generation: u32,
    pub process: Option<Process>,
    pub holes: Holes,
    pub confinement: Confinement,
    /// Why the next exit is no surprise: what the kernel knew when it ended the process.
    pub cause: Option<String>,
    /// What it was answering, and its last headers, when its connection ended.
    pub last_words: LastWords,
    /// When its connection ended, while the process is still there.
    pub bus_ended: Option<Instant>,
    /// How its last process ended, until a report is made of it.
    pub exit: Option<(Exit, u32, Duration)>,
    pub stderr: Option<Rc<Collector>>,
    /// Its connection to the session bus, if its profile has one.
    pub link: Link,
}

impl Worker {
    /// A worker that has not been started.
    #[must_use]
    pub fn new(role: &'static Role, policy: Policy, holes: Holes) -> Self {
        Self {
            role,
            supervisor: Supervisor::new(policy),
            generation: 0,
            process: None,
            holes,
            confinement: Confinement::default(),
            cause: None,
            last_words: LastWords::default(),
            bus_ended: None,
            exit: None,
            stderr: None,
            link: Link::default(),
        }
    }
}

/// What a crash report says of a connection that is gone.
#[derive(Default)]
pub struct LastWords {
    pub in_flight: Vec<String>,
    pub headers: Vec<Traced>,
}

pub struct Kernel {
    pub options: Options,
    pub place: Place,
    pub manifest: &'static Manifest,
    pub started: Instant,
    /// The non-secret `BUTTERFLY_*` variables, names without the prefix, as read at the start.
    pub overrides: Vec<(String, String)>,
    pub warnings: Vec<String>,
    /// What the running system can enforce, capped by the options.
    pub landlock_abi: u32,
    pub peers: Peers,
    pub pending: Pending,
    pub traces: Traces,
    pub ring: Ring,
    pub workers: Vec<Worker>,
    pub instances: Vec<Instance>,
    pub logs: Logs,
    pub crashes: CrashLog,
    /// Peers whose queues were appended to in this step.
    dirty: Vec<EndpointId>,
    refunds: Vec<Refund>,
    /// When the timer task wakes, and how to wake it earlier.
    pub next_deadline: Option<Instant>,
    pub rearm: Rc<Notify>,
    next_trace: u64,
    /// Where bytes are read to; one for all connections, since only one is read at a time.
    pub scratch: Vec<u8>,
    pub shutting_down: bool,
    /// Where the user's session bus is.
    pub session_bus: Option<Address>,
    /// The data folder is on its way to another place.
    pub moving: Option<Moving>,
    /// Told when the last worker is down.
    pub finished: Rc<Notify>,
    pub me: Weak<RefCell<Kernel>>,
}

/// What the kernel is made of at its start.
pub struct Parts {
    pub options: Options,
    pub place: Place,
    pub manifest: &'static Manifest,
    pub overrides: Vec<(String, String)>,
    pub warnings: Vec<String>,
    pub landlock_abi: u32,
    pub session_bus: Option<Address>,
    pub workers: Vec<Worker>,
    pub logs: Logs,
    pub crashes: CrashLog,
    /// A random number, so that trace ids of two starts differ.
    pub first_trace: u64,
}

/// Bytes read from a socket at once: what one write of a busy peer carries.
const READ_BYTES: usize = 64 << 10;

impl Kernel {
    #[must_use]
    pub fn new(parts: Parts) -> Shared {
        let started = Instant::now();
        Rc::new_cyclic(|me| {
            RefCell::new(Self {
                options: parts.options,
                place: parts.place,
                manifest: parts.manifest,
                started,
                overrides: parts.overrides,
                warnings: parts.warnings,
                landlock_abi: parts.landlock_abi,
                peers: Peers::with_workers(parts.workers.len()),
                pending: Pending::default(),
                traces: Traces::default(),
                ring: Ring::new(started),
                workers: parts.workers,
                instances: Vec::new(),
                logs: parts.logs,
                crashes: parts.crashes,
                dirty: Vec::new(),
                refunds: Vec::new(),
                next_deadline: None,
                rearm: Rc::new(Notify::new()),
                next_trace: parts.first_trace,
                scratch: vec![0; READ_BYTES],
                shutting_down: false,
                session_bus: parts.session_bus,
                moving: None,
                finished: Rc::new(Notify::new()),
                me: me.clone(),
            })
        })
    }

    /// Adds to what the user should know, once.
    pub fn warn(&mut self, warning: String) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// A trace id that this kernel has not used; never 0.
    pub fn new_trace(&mut self) -> u64 {
        self.next_trace = self.next_trace.wrapping_add(1).max(1);
        self.next_trace
    }

    /// Queues a frame. The queue is written when the step ends ([`Self::flush`]).
    ///
    /// # Errors
    /// [`Full`] when the sender's quota or the reader's queue is exhausted. A peer that is gone takes everything.
    pub fn deliver(
        &mut self,
        to: EndpointId,
        sender: EndpointId,
        header: &Header,
        payload: &[u8],
        weight: Weight,
    ) -> Result<(), Full> {
        let length = frame::wire_length(payload.len());
        if let Some(peer) = self.peers.get_mut(sender) {
            if weight == Weight::Ordinary && peer.charged + length > SENDER_QUEUE_BYTES {
                return Err(Full);
            }
            peer.charged += length;
        }
        let refused = match self.peers.get_mut(to) {
            None => Ok(()),
            Some(peer) => match peer.deliver(sender, header, payload, weight) {
                Ok(()) => {
                    if !peer.dirty {
                        peer.dirty = true;
                        self.dirty.push(to);
                    }
                    return Ok(());
                }
                Err(full) => {
                    if weight == Weight::Terminal {
                        // Not even an end gets through: this reader is gone in all but name.
                        peer.close(Closing::NotReading);
                    }
                    Err(full)
                }
            },
        };
        // Nothing was queued, so nothing is charged.
        self.refunds.push((sender, length));
        self.refund();
        refused
    }

    /// Writes what this step has queued, as far as the sockets take it.
    pub fn flush(&mut self) {
        while let Some(id) = self.dirty.pop() {
            self.flush_peer(id);
        }
    }

    /// Writes what waits for one peer, and gives its senders their quota back.
    pub fn flush_peer(&mut self, id: EndpointId) {
        let refunds = &mut self.refunds;
        if let Some(peer) = self.peers.get_mut(id) {
            peer.dirty = false;
            peer.flush(|refund| refunds.push(refund));
        }
        self.refund();
    }

    fn refund(&mut self) {
        while let Some((sender, bytes)) = self.refunds.pop() {
            if let Some(peer) = self.peers.get_mut(sender) {
                peer.charged -= bytes.min(peer.charged);
            }
        }
    }

    /// Answers a call of the kernel's own service.
    pub fn reply<T: Encode>(&mut self, to: EndpointId, correlation: u64, result: Result<&T, Failure>) {
        let payload = result.and_then(|value| {
            codec::encode(value).map_err(|fault| Failure::new(ErrorCode::TooLarge, fault.to_string()))
        });
        match payload {
            Ok(payload) => {
                let header = Header {
                    kind: Kind::Response as u8,
                    source: EndpointId::KERNEL,
                    destination: to,
                    correlation,
                    ..Header::default()
                };
                if self.deliver(to, EndpointId::KERNEL, &header, &payload, Weight::Ordinary).is_err() {
                    self.fail(to, correlation, Kind::Response, &full());
                }
            }
            Err(failure) => self.fail(to, correlation, Kind::Response, &failure),
        }
    }

    /// Ends a caller's call with a failure.
    pub fn fail(&mut self, to: EndpointId, correlation: u64, kind: Kind, failure: &Failure) {
        let header = Header {
            kind: kind as u8,
            flags: Flags::ERROR,
            source: EndpointId::KERNEL,
            destination: to,
            correlation,
            ..Header::default()
        };
        let payload = codec::encode(failure).unwrap_or_default();
        // A reader that cannot even take this is closed by `deliver`.
        let _ = self.deliver(to, EndpointId::KERNEL, &header, &payload, Weight::Terminal);
    }

    /// Sends an event to whoever follows the topic.
    pub fn publish(&mut self, source: EndpointId, service: u16, topic: u16, payload: Vec<u8>) {
        let payload: Rc<[u8]> = payload.into();
        let header = Header { kind: Kind::Event as u8, service, method: topic, source, ..Header::default() };
        for peer in self.peers.iter_mut().filter(|peer| peer.topics.contains(&(service, topic))) {
            peer.queue.push_event(Header { destination: peer.id, ..header }, Rc::clone(&payload));
            peer.delivered += 1;
            if !peer.dirty {
                peer.dirty = true;
                self.dirty.push(peer.id);
            }
        }
    }

    /// Whether anybody follows a topic of the kernel's.
    #[must_use]
    pub fn is_followed(&self, topic: u16) -> bool {
        self.peers.iter().any(|peer| peer.topics.contains(&(butterfly_wire::catalog::control::ID, topic)))
    }

    /// The name of an endpoint, for people.
    #[must_use]
    pub fn name_of(&self, id: EndpointId) -> String {
        if id == EndpointId::KERNEL {
            return "kernel".to_owned();
        }
        match self.peers.get(id) {
            Some(peer) => match peer.role.kind {
                crate::manifest::RoleKind::Worker => peer.role.name.to_owned(),
                crate::manifest::RoleKind::Client | crate::manifest::RoleKind::Instance { .. } => {
                    format!("{}#{}", peer.role.name, id)
                }
            },
            None => format!("#{id}"),
        }
    }

    /// The index of the standing worker that an endpoint is or was.
    #[must_use]
    pub fn worker_index(&self, id: EndpointId) -> Option<usize> {
        (0..self.workers.len()).find(|index| Peers::worker_slot(*index) == id.slot)
    }

    /// The standing worker of that name.
    #[must_use]
    pub fn worker_named(&self, name: &str) -> Option<usize> {
        self.workers.iter().position(|worker| worker.role.name == name)
    }
}

/// The frame that closes a call of this method.
#[must_use]
pub fn closing_kind(info: &MethodInfo) -> Kind {
    match info.flow {
        Flow::Unary | Flow::Upload => Kind::Response,
        Flow::Stream => Kind::End,
    }
}

/// What a sender hears whose frame found no room.
#[must_use]
pub fn full() -> Failure {
    Failure::new(ErrorCode::Busy, "too much is waiting to be read; try again in a moment")
}
