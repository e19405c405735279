//! The last headers that were routed, and the provenance of every trace that is open.

use butterfly_wire::control::Traced;
use butterfly_wire::limits::TRACE_RING;
use butterfly_wire::{EndpointId, Header, Provenance};
use std::collections::VecDeque;
use std::time::Instant;

/// One header, as it was delivered, under the kernel's number of its call. In the form in which it is cheap to keep: all
/// are kept, few are ever looked at.
#[derive(Clone, Copy, Debug)]
struct Record {
    at: Instant,
    header: Header,
    payload_bytes: u32,
}

/// A ring of headers. Never a payload.
pub struct Ring {
    started: Instant,
    records: VecDeque<Record>,
    /// Records since the last batch for those who follow live.
    fresh: usize,
}

impl Ring {
    #[must_use]
    pub fn new(started: Instant) -> Self {
        Self { started, records: VecDeque::with_capacity(TRACE_RING), fresh: 0 }
    }

    pub fn record(&mut self, now: Instant, header: Header, payload_bytes: usize) {
        if self.records.len() == TRACE_RING {
            self.records.pop_front();
        }
        self.records.push_back(Record { at: now, header, payload_bytes: payload_bytes as u32 });
        self.fresh = (self.fresh + 1).min(TRACE_RING);
    }

    fn traced(&self, record: &Record) -> Traced {
        let at_us = record.at.duration_since(self.started).as_micros() as u64;
        Traced { at_us, header: record.header.to_bytes(), payload_bytes: record.payload_bytes }
    }

    /// The newest `most` records that match, oldest first.
    fn newest(&self, most: usize, matches: impl Fn(&Header) -> bool) -> Vec<Traced> {
        let matching = self.records.iter().rev().filter(|record| matches(&record.header));
        let mut found: Vec<_> = matching.take(most).map(|record| self.traced(record)).collect();
        found.reverse();
        found
    }

    /// The newest records of one trace, or of all.
    #[must_use]
    pub fn of_trace(&self, trace: Option<u64>, most: usize) -> Vec<Traced> {
        self.newest(most, |header| trace.is_none_or(|trace| header.trace == trace))
    }

    /// The newest records to or from an endpoint.
    #[must_use]
    pub fn of_endpoint(&self, endpoint: EndpointId, most: usize) -> Vec<Traced> {
        self.newest(most, |header| header.source == endpoint || header.destination == endpoint)
    }

    /// What was recorded since the last call.
    pub fn take_fresh(&mut self) -> Vec<Traced> {
        let from = self.records.len() - self.fresh.min(self.records.len());
        self.fresh = 0;
        self.records.iter().skip(from).map(|record| self.traced(record)).collect()
    }

    /// Forgets what nobody follows.
    pub fn skip_fresh(&mut self) {
        self.fresh = 0;
    }
}

/// The union of what every open trace has touched, in slots: whoever has an open call of the trace knows its slot, so that
/// nothing is ever looked up.
#[derive(Debug, Default)]
pub struct Traces {
    slots: Vec<(Provenance, u32)>,
    free: Vec<TraceSlot>,
}

/// Where the union of an open trace is. Held by the trace's open calls, and by nobody else.
pub type TraceSlot = u32;

impl Traces {
    /// A new trace, with its first call.
    pub fn begin(&mut self, bits: Provenance) -> TraceSlot {
        match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = (bits, 1);
                slot
            }
            None => {
                self.slots.push((bits, 1));
                (self.slots.len() - 1) as TraceSlot
            }
        }
    }

    /// One more call belongs to the trace; returns its union so far.
    pub fn join(&mut self, slot: TraceSlot, bits: Provenance) -> Provenance {
        self.slots[slot as usize].1 += 1;
        self.add(slot, bits)
    }

    /// Adds what somebody in the trace has touched; returns the union.
    pub fn add(&mut self, slot: TraceSlot, bits: Provenance) -> Provenance {
        let union = &mut self.slots[slot as usize].0;
        *union = union.union(bits);
        *union
    }

    /// One call of the trace has ended.
    pub fn leave(&mut self, slot: TraceSlot) {
        let calls = &mut self.slots[slot as usize].1;
        *calls -= 1;
        if *calls == 0 {
            self.free.push(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn provenance_only_grows_while_a_trace_is_open() {
        let mut traces = Traces::default();
        let slot = traces.begin(Provenance::USER);
        traces.join(slot, Provenance::WEB);
        traces.leave(slot);
        assert_eq!(traces.add(slot, Provenance::NONE), Provenance::USER.union(Provenance::WEB));
        traces.leave(slot);
        let next = traces.begin(Provenance::TOOL);
        assert_eq!(traces.add(next, Provenance::NONE), Provenance::TOOL, "a closed trace is forgotten");
    }

    #[test]
    fn two_open_traces_never_share_a_slot() {
        let mut traces = Traces::default();
        let (first, second) = (traces.begin(Provenance::USER), traces.begin(Provenance::WEB));
        traces.leave(first);
        let third = traces.begin(Provenance::NONE);
        assert_ne!(second, third);
        assert_eq!(traces.add(second, Provenance::NONE), Provenance::WEB);
        assert_eq!(traces.add(third, Provenance::NONE), Provenance::NONE);
    }

    #[test]
    fn the_ring_is_bounded_and_keeps_the_newest() {
        let mut ring = Ring::new(Instant::now());
        for trace in 0..(TRACE_RING as u64 + 10) {
            ring.record(Instant::now(), Header { trace, ..Header::default() }, 0);
        }
        assert_eq!(ring.of_trace(None, usize::MAX).len(), TRACE_RING);
        assert!(ring.of_trace(Some(3), 10).is_empty());
        assert_eq!(ring.of_trace(Some(TRACE_RING as u64 + 9), 10).len(), 1);
    }
}
