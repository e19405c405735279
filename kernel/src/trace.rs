//! The last headers that were routed, and the provenance of every trace that is open.

use butterfly_wire::control::Traced;
use butterfly_wire::limits::TRACE_RING;
use butterfly_wire::{EndpointId, Header, Provenance};
use std::collections::{HashMap, VecDeque};
use std::time::Instant;

/// One header, as it was delivered, under the kernel's number of its call.
#[derive(Clone, Copy, Debug)]
struct Record {
    at_us: u64,
    header: Header,
    payload_bytes: u32,
}

impl Record {
    fn traced(&self) -> Traced {
        Traced { at_us: self.at_us, header: self.header.to_bytes(), payload_bytes: self.payload_bytes }
    }
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
        let at_us = now.duration_since(self.started).as_micros() as u64;
        self.records.push_back(Record { at_us, header, payload_bytes: payload_bytes as u32 });
        self.fresh = (self.fresh + 1).min(TRACE_RING);
    }

    /// The newest `most` records that match, oldest first.
    fn newest(&self, most: usize, matches: impl Fn(&Header) -> bool) -> Vec<Traced> {
        let mut found: Vec<_> =
            self.records.iter().rev().filter(|record| matches(&record.header)).take(most).map(Record::traced).collect();
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
        self.records.iter().skip(from).map(Record::traced).collect()
    }

    /// Forgets what nobody follows.
    pub fn skip_fresh(&mut self) {
        self.fresh = 0;
    }
}

/// The union of what every open trace has touched.
#[derive(Debug, Default)]
pub struct Traces {
    open: HashMap<u64, (Provenance, u32)>,
}

impl Traces {
    /// One more call belongs to the trace; returns its union so far.
    pub fn enter(&mut self, trace: u64, bits: Provenance) -> Provenance {
        let entry = self.open.entry(trace).or_default();
        entry.0 = entry.0.union(bits);
        entry.1 += 1;
        entry.0
    }

    /// Adds what somebody in the trace has touched; returns the union.
    pub fn add(&mut self, trace: u64, bits: Provenance) -> Provenance {
        match self.open.get_mut(&trace) {
            Some(entry) => {
                entry.0 = entry.0.union(bits);
                entry.0
            }
            None => bits,
        }
    }

    /// One call of the trace has ended.
    pub fn leave(&mut self, trace: u64) {
        if let Some(entry) = self.open.get_mut(&trace) {
            entry.1 -= 1;
            if entry.1 == 0 {
                self.open.remove(&trace);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn provenance_only_grows_while_a_trace_is_open() {
        let mut traces = Traces::default();
        traces.enter(1, Provenance::USER);
        traces.enter(1, Provenance::WEB);
        traces.leave(1);
        assert_eq!(traces.add(1, Provenance::NONE), Provenance::USER.union(Provenance::WEB));
        traces.leave(1);
        assert_eq!(traces.add(1, Provenance::NONE), Provenance::NONE, "a closed trace is forgotten");
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
