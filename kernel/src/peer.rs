//! One connection: who is at its end, what came in half, what waits to go out, and how it has behaved.

use crate::manifest::{Role, RoleKind};
use crate::numbers::NumberMap;
use crate::queue::{Full, Queue, Refund, Weight};
use butterfly_wire::{EndpointId, Header};
use interprocess::os::unix::uds_local_socket::tokio::Stream;
use std::collections::{BTreeMap, HashSet};
use std::task::Waker;
use std::time::Instant;

/// What a peer did that the protocol forbids. Counted; too many end it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Violation {
    ForgedSource,
    UnknownCorrelation,
    ForeignCall,
    WrongFlow,
    ItemWithoutCredit,
    CreditOverLimit,
    OversizedItem,
    NotGranted,
    NoTrace,
    MalformedControl,
}

impl Violation {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ForgedSource => "forged source",
            Self::UnknownCorrelation => "answer to a call that never was",
            Self::ForeignCall => "answer to somebody else's call",
            Self::WrongFlow => "frame that the method does not have",
            Self::ItemWithoutCredit => "item without credit",
            Self::CreditOverLimit => "credit over the limit",
            Self::OversizedItem => "item over the chunk limit",
            Self::NotGranted => "act that is not granted",
            Self::NoTrace => "call without a trace",
            Self::MalformedControl => "malformed control message",
        }
    }
}

/// How far a process has come since its Welcome. A client is ready from then on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Nothing is known of its confinement: it may say that it is confined, and nothing else.
    Greeted,
    /// Its confinement was verified: it may ask, and is not asked.
    Confined,
    /// It serves.
    Ready,
}

/// Why a connection ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Closing {
    /// The peer closed it, or its process ended.
    Gone,
    /// The stream is out of step, or a frame was never finished.
    Fault(String),
    /// It stopped reading.
    NotReading,
    /// It broke the protocol too often.
    Violations(String),
    /// The kernel is shutting down, or has replaced the process.
    Dismissed,
}

impl Closing {
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Gone => "the connection was closed".to_owned(),
            Self::Fault(fault) => format!("the connection is out of step: {fault}"),
            Self::NotReading => "it stopped reading".to_owned(),
            Self::Violations(list) => format!("it broke the protocol too often: {list}"),
            Self::Dismissed => "it was dismissed".to_owned(),
        }
    }
}

/// A connected peer.
pub struct Peer {
    pub id: EndpointId,
    pub role: &'static Role,
    pub stream: Stream,
    /// The task that moves this connection's bytes.
    pub waker: Option<Waker>,
    pub closing: Option<Closing>,
    /// Bytes of a frame that is not complete yet, and since when.
    pub partial: Vec<u8>,
    pub partial_since: Option<Instant>,
    pub queue: Queue,
    /// Already on the list of those whose queue is written when the step ends.
    pub dirty: bool,
    /// Bytes of this peer's that wait in others' queues.
    pub charged: usize,
    /// Calls that it has open as a caller: its own number to the kernel's.
    pub calls: NumberMap<u64>,
    /// How many it has open as a callee.
    pub serving: usize,
    pub topics: HashSet<(u16, u16)>,
    pub violations: BTreeMap<Violation, u32>,
    pub received: u64,
    pub delivered: u64,
    pub stage: Stage,
    pub pings_unanswered: u32,
}

impl Peer {
    #[must_use]
    pub fn new(id: EndpointId, role: &'static Role, stream: Stream) -> Self {
        Self {
            id,
            role,
            stream,
            waker: None,
            closing: None,
            partial: Vec::new(),
            partial_since: None,
            queue: Queue::default(),
            dirty: false,
            charged: 0,
            calls: NumberMap::default(),
            serving: 0,
            topics: HashSet::new(),
            violations: BTreeMap::new(),
            received: 0,
            delivered: 0,
            stage: if role.kind == RoleKind::Client { Stage::Ready } else { Stage::Greeted },
            pings_unanswered: 0,
        }
    }

    /// Queues a frame for this peer, charged to `sender`.
    ///
    /// # Errors
    /// [`Full`]: the caller decides who must hear of it.
    pub fn deliver(&mut self, sender: EndpointId, header: &Header, payload: &[u8], weight: Weight) -> Result<(), Full> {
        self.queue.push(sender, header, payload, weight)?;
        self.delivered += 1;
        Ok(())
    }

    /// Writes what the socket takes now, without waiting.
    pub fn flush(&mut self, mut refund: impl FnMut(Refund)) {
        loop {
            let bytes = self.queue.front();
            if bytes.is_empty() {
                return;
            }
            match self.stream.inner().try_write(bytes) {
                Ok(written) => self.queue.wrote(written, &mut refund),
                Err(fault) if fault.kind() == std::io::ErrorKind::WouldBlock => {
                    // Its own task waits until the socket takes more.
                    self.wake();
                    return;
                }
                Err(_) => {
                    self.close(Closing::Gone);
                    return;
                }
            }
        }
    }

    pub fn close(&mut self, reason: Closing) {
        self.closing.get_or_insert(reason);
        self.wake();
    }

    pub fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Notes a violation and returns how many there are now.
    pub fn violate(&mut self, violation: Violation) -> u32 {
        *self.violations.entry(violation).or_default() += 1;
        self.violations.values().sum()
    }

    /// The violations, for people.
    #[must_use]
    pub fn violation_list(&self) -> String {
        let list: Vec<_> =
            self.violations.iter().map(|(violation, count)| format!("{} ×{count}", violation.name())).collect();
        list.join(", ")
    }
}

/// The peers by slot. A slot's generation grows with each occupant.
#[derive(Default)]
pub struct Peers {
    slots: Vec<(u32, Option<Peer>)>,
    /// Slots whose occupant has not connected yet.
    reserved: HashSet<u32>,
}

/// Slots 0 (anyone) and 1 (the kernel) are never peers.
const FIRST_SLOT: u32 = 2;

impl Peers {
    /// Keeps one slot for each standing worker, in the manifest's order.
    #[must_use]
    pub fn with_workers(count: usize) -> Self {
        let mut slots = Vec::new();
        slots.resize_with(FIRST_SLOT as usize + count, || (0, None));
        Self { slots, reserved: HashSet::new() }
    }

    /// The slot of the n-th standing worker.
    #[must_use]
    pub const fn worker_slot(index: usize) -> u32 {
        FIRST_SLOT + index as u32
    }

    /// The next id of a slot outside the workers' that nobody occupies.
    pub fn vacant(&mut self, workers: usize) -> EndpointId {
        let first = FIRST_SLOT as usize + workers;
        let is_free = |slot: &usize| self.slots[*slot].1.is_none() && !self.reserved.contains(&(*slot as u32));
        let slot = (first..self.slots.len()).find(is_free).unwrap_or_else(|| {
            self.slots.push((0, None));
            self.slots.len() - 1
        });
        EndpointId::new(slot as u32, self.slots[slot].0 + 1)
    }

    /// Keeps a slot for a process that has not connected yet.
    pub fn reserve(&mut self, id: EndpointId) {
        if let Some(entry) = self.slots.get_mut(id.slot as usize) {
            entry.0 = id.generation;
            self.reserved.insert(id.slot);
        }
    }

    /// Gives back a slot that was kept.
    pub fn release(&mut self, id: EndpointId) {
        self.reserved.remove(&id.slot);
    }

    /// Puts a peer into its slot.
    pub fn insert(&mut self, peer: Peer) {
        let slot = peer.id.slot as usize;
        self.reserved.remove(&peer.id.slot);
        if let Some(entry) = self.slots.get_mut(slot) {
            *entry = (peer.id.generation, Some(peer));
        }
    }

    pub fn remove(&mut self, id: EndpointId) -> Option<Peer> {
        self.reserved.remove(&id.slot);
        let entry = self.slots.get_mut(id.slot as usize).filter(|entry| entry.0 == id.generation)?;
        entry.1.take()
    }

    #[must_use]
    pub fn get(&self, id: EndpointId) -> Option<&Peer> {
        self.slots.get(id.slot as usize).filter(|entry| entry.0 == id.generation)?.1.as_ref()
    }

    pub fn get_mut(&mut self, id: EndpointId) -> Option<&mut Peer> {
        self.slots.get_mut(id.slot as usize).filter(|entry| entry.0 == id.generation)?.1.as_mut()
    }

    /// Whether the slot has had an occupant of this generation that is gone.
    #[must_use]
    pub fn is_stale(&self, id: EndpointId) -> bool {
        self.slots.get(id.slot as usize).is_some_and(|(generation, peer)| {
            id.generation < *generation || (id.generation == *generation && peer.is_none())
        })
    }

    /// The occupant of a slot, whatever its generation.
    #[must_use]
    pub fn in_slot(&self, slot: u32) -> Option<&Peer> {
        self.slots.get(slot as usize)?.1.as_ref()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Peer> {
        self.slots.iter().filter_map(|(_, peer)| peer.as_ref())
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Peer> {
        self.slots.iter_mut().filter_map(|(_, peer)| peer.as_mut())
    }
}
