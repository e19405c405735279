//! One trace as a tree of calls: who asked whom on whose behalf, and how long it took.
//!
//! Every traced header carries the kernel's correlation id, and a request's `parent` is that of the call it serves.

use butterfly_wire::control::{TraceRecords, Traced};
use butterfly_wire::{EndpointId, Header, Kind, Provenance, catalog};
use serde::Serialize;
use std::collections::HashMap;

/// How a call stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Open,
    Done,
    Failed,
    Cancelled,
}

/// One call. Times in µs; `start_us` counts from the first message of the turn.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Call {
    pub correlation: u64,
    /// `service.method`.
    pub method: String,
    /// The request is no longer remembered: the call began earlier, and for whom it was made is not known.
    pub beheaded: bool,
    pub from: String,
    pub to: String,
    pub start_us: u64,
    pub duration_us: u64,
    pub first_item_us: Option<u64>,
    pub items: u32,
    /// Payload bytes in both directions.
    pub bytes: u64,
    pub outcome: Outcome,
    pub provenance: Vec<&'static str>,
    pub calls: Vec<Call>,
}

/// A turn: its trace, and the calls that nobody in it asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Turn {
    pub trace: u64,
    pub duration_us: u64,
    pub messages: u64,
    pub calls: Vec<Call>,
}

/// What is known of a call while the records are read.
struct Draft {
    parent: u64,
    service: u16,
    method: u16,
    beheaded: bool,
    source: EndpointId,
    destination: EndpointId,
    first_us: u64,
    last_us: u64,
    first_item_us: Option<u64>,
    items: u32,
    bytes: u64,
    outcome: Outcome,
    provenance: Provenance,
}

/// The trace of the newest conversation turn among the records. A long answer may have pushed its own request out of them.
#[must_use]
pub fn last_turn(records: &TraceRecords) -> Option<u64> {
    let mut headers = records.records.iter().rev().filter_map(header);
    headers
        .find(|header| {
            header.service == catalog::session::ID
                && header.method == catalog::session::SEND.method
                && header.trace != 0
        })
        .map(|header| header.trace)
}

/// Builds the tree of one trace; `None` where no record belongs to it.
#[must_use]
pub fn build(records: &TraceRecords, trace: u64) -> Option<Turn> {
    let mut drafts = Drafts::default();
    let mut span: Option<(u64, u64)> = None;
    let mut messages = 0;
    for record in &records.records {
        let Some(header) = header(record).filter(|header| header.trace == trace && header.correlation != 0) else {
            continue;
        };
        messages += 1;
        let (first, last) = span.unwrap_or((record.at_us, record.at_us));
        span = Some((first.min(record.at_us), last.max(record.at_us)));
        drafts.of(record.at_us, &header).take(record, &header);
    }
    let (first, last) = span?;
    let names = Names::new(&records.names);
    Some(Turn { trace, duration_us: last - first, messages, calls: assemble(&drafts, first, &names) })
}

/// The decoded header; a record that is none is not ours to judge.
fn header(record: &Traced) -> Option<Header> {
    Header::from_bytes(&record.header).ok()
}

impl Draft {
    fn new(at_us: u64, header: &Header) -> Self {
        // Without its request, a frame of the callee still says who is at which end.
        let (source, destination) = if header.from_caller() {
            (header.source, header.destination)
        } else {
            (header.destination, header.source)
        };
        Self {
            parent: 0,
            service: header.service,
            method: header.method,
            beheaded: true,
            source,
            destination,
            first_us: at_us,
            last_us: at_us,
            first_item_us: None,
            items: 0,
            bytes: 0,
            outcome: Outcome::Open,
            provenance: Provenance::NONE,
        }
    }

    fn take(&mut self, record: &Traced, header: &Header) {
        let Some(kind) = header.kind() else { return };
        self.first_us = self.first_us.min(record.at_us);
        self.bytes += u64::from(record.payload_bytes);
        self.provenance = self.provenance.union(header.provenance);
        match kind {
            Kind::Request => {
                self.parent = header.parent;
                (self.service, self.method) = (header.service, header.method);
                self.beheaded = false;
                self.source = header.source;
                self.destination = header.destination;
            }
            Kind::Item => {
                self.items += 1;
                self.first_item_us.get_or_insert(record.at_us);
            }
            Kind::End if header.from_caller() => {}
            Kind::Response | Kind::End => {
                if self.outcome == Outcome::Open {
                    self.outcome = if header.is_error() { Outcome::Failed } else { Outcome::Done };
                }
            }
            Kind::Cancel => {
                if self.outcome == Outcome::Open {
                    self.outcome = Outcome::Cancelled;
                }
            }
            // Credit is the reader's book-keeping: it may come after the end, and lengthens nothing.
            Kind::Credit | Kind::Event => return,
        }
        self.last_us = self.last_us.max(record.at_us);
    }

    fn finish(&self, correlation: u64, origin_us: u64, names: &Names<'_>, calls: Vec<Call>) -> Call {
        Call {
            correlation,
            method: catalog::name(self.service, self.method),
            beheaded: self.beheaded,
            from: names.of(self.source),
            to: names.of(self.destination),
            start_us: self.first_us - origin_us,
            duration_us: self.last_us - self.first_us,
            first_item_us: self.first_item_us.map(|at| at - self.first_us),
            items: self.items,
            bytes: self.bytes,
            outcome: self.outcome,
            provenance: self.provenance.names().collect(),
            calls,
        }
    }
}

/// The calls of a trace in the order in which they were first seen.
#[derive(Default)]
struct Drafts {
    places: HashMap<u64, usize>,
    drafts: Vec<(u64, Draft)>,
}

impl Drafts {
    fn of(&mut self, at_us: u64, header: &Header) -> &mut Draft {
        let place = *self.places.entry(header.correlation).or_insert_with(|| {
            self.drafts.push((header.correlation, Draft::new(at_us, header)));
            self.drafts.len() - 1
        });
        &mut self.drafts[place].1
    }
}

/// Hangs each call below the one it serves; one whose parent is not remembered stands at the top.
fn assemble(drafts: &Drafts, origin_us: u64, names: &Names<'_>) -> Vec<Call> {
    let mut children = vec![Vec::new(); drafts.drafts.len()];
    let mut top = Vec::new();
    for (place, (_, draft)) in drafts.drafts.iter().enumerate() {
        // A parent was seen before its child: records that say otherwise cannot make a circle.
        match drafts.places.get(&draft.parent).filter(|parent| **parent < place) {
            Some(parent) => children[*parent].push(place),
            None => top.push(place),
        }
    }
    let mut finished: Vec<Option<Call>> = drafts.drafts.iter().map(|_| None).collect();
    for (place, (correlation, draft)) in drafts.drafts.iter().enumerate().rev() {
        let calls = children[place].iter().filter_map(|child| finished[*child].take()).collect();
        finished[place] = Some(draft.finish(*correlation, origin_us, names, calls));
    }
    top.into_iter().filter_map(|place| finished[place].take()).collect()
}

/// Endpoint to name.
pub struct Names<'a> {
    exact: HashMap<EndpointId, &'a str>,
    slots: HashMap<u32, &'a str>,
}

impl<'a> Names<'a> {
    #[must_use]
    pub fn new(names: &'a [(EndpointId, String)]) -> Self {
        let exact = names.iter().map(|(endpoint, name)| (*endpoint, name.as_str())).collect();
        // A client's name ends with its number, a worker's is that of all who have its slot.
        let role = |name: &'a str| name.split_once('#').map_or(name, |(role, _)| role);
        let slots = names.iter().map(|(endpoint, name)| (endpoint.slot, role(name))).collect();
        Self { exact, slots }
    }

    /// The name; of one that is gone, its number after the name of who has its slot now.
    #[must_use]
    pub fn of(&self, endpoint: EndpointId) -> String {
        match (self.exact.get(&endpoint), self.slots.get(&endpoint.slot)) {
            (Some(name), _) => crate::text::escaped(name),
            (None, _) if endpoint == EndpointId::KERNEL => "kernel".to_owned(),
            (None, _) if endpoint.is_any() => "any".to_owned(),
            (None, Some(role)) => format!("{}#{endpoint}", crate::text::escaped(role)),
            (None, None) => format!("#{endpoint}"),
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use butterfly_wire::Flags;

    const CLIENT: EndpointId = EndpointId::new(9, 1);
    const MODEL: EndpointId = EndpointId::new(2, 1);
    const BRAINS: EndpointId = EndpointId::new(3, 4);

    fn record(at_us: u64, kind: Kind, from_caller: bool, ends: (EndpointId, EndpointId), ids: [u64; 3]) -> Traced {
        let [correlation, parent, trace] = ids;
        let info = if ends.0 == MODEL || ends.1 == MODEL { &catalog::model::CHAT } else { &catalog::session::SEND };
        let header = Header {
            kind: kind as u8,
            flags: if from_caller { Flags::FROM_CALLER } else { Flags::NONE },
            service: info.service,
            method: info.method,
            provenance: Provenance::USER,
            source: ends.0,
            destination: ends.1,
            correlation,
            parent,
            trace,
            ..Header::default()
        };
        Traced { at_us, header: header.to_bytes(), payload_bytes: if kind == Kind::Credit { 0 } else { 100 } }
    }

    /// Two turns; the newer one is trace 6, whose model call is cut short by an error.
    pub fn sample() -> TraceRecords {
        let failed = {
            let mut header =
                Header::from_bytes(&record(9000, Kind::End, false, (MODEL, BRAINS), [7, 0, 6]).header).unwrap();
            header.flags = header.flags.with(Flags::ERROR);
            Traced { at_us: 9000, header: header.to_bytes(), payload_bytes: 60 }
        };
        let records = vec![
            record(10, Kind::Request, true, (CLIENT, BRAINS), [1, 0, 5]),
            record(20, Kind::End, false, (BRAINS, CLIENT), [1, 0, 5]),
            record(1000, Kind::Request, true, (CLIENT, BRAINS), [4_294_967_297, 0, 6]),
            record(1100, Kind::Item, false, (BRAINS, CLIENT), [4_294_967_297, 0, 6]),
            record(1250, Kind::Request, true, (BRAINS, MODEL), [7, 4_294_967_297, 6]),
            record(3000, Kind::Item, false, (MODEL, BRAINS), [7, 0, 6]),
            record(3100, Kind::Item, false, (BRAINS, CLIENT), [4_294_967_297, 0, 6]),
            record(3200, Kind::Item, false, (MODEL, BRAINS), [7, 0, 6]),
            failed,
            record(9100, Kind::End, false, (BRAINS, CLIENT), [4_294_967_297, 0, 6]),
            record(9150, Kind::Credit, true, (CLIENT, BRAINS), [4_294_967_297, 0, 6]),
        ];
        let names = vec![(MODEL, "model".to_owned()), (BRAINS, "brains".to_owned())];
        TraceRecords { records, names }
    }

    #[test]
    fn calls_hang_below_the_call_they_serve_whatever_their_numbers() {
        let records = sample();
        assert_eq!(last_turn(&records), Some(6));
        let turn = build(&records, 6).unwrap();
        assert_eq!((turn.messages, turn.calls.len()), (9, 1));
        let send = &turn.calls[0];
        assert_eq!((send.method.as_str(), send.from.as_str(), send.to.as_str()), ("session.send", "#9.1", "brains"));
        assert_eq!((send.start_us, send.duration_us, send.first_item_us), (0, 8100, Some(100)));
        assert_eq!((send.items, send.bytes, send.outcome), (2, 400, Outcome::Done));
        let chat = &send.calls[0];
        assert_eq!((chat.start_us, chat.duration_us, chat.first_item_us), (250, 7750, Some(1750)));
        assert_eq!((chat.items, chat.outcome, chat.calls.len()), (2, Outcome::Failed, 0));
    }

    #[test]
    fn what_the_ring_forgot_is_left_open_and_stands_at_the_top() {
        let mut records = sample();
        records.records.drain(..5);
        let turn = build(&records, 6).unwrap();
        let calls: Vec<_> =
            turn.calls.iter().map(|call| (call.beheaded, call.method.as_str(), call.from.as_str())).collect();
        assert_eq!(calls, [(true, "model.chat", "brains"), (true, "session.send", "#9.1")]);
        assert_eq!(last_turn(&records), Some(6), "its answer is enough to know the turn");
        assert_eq!(build(&records, 99), None);
        records.records.clear();
        assert_eq!(last_turn(&records), None);
    }

    #[test]
    fn a_circle_of_parents_loses_no_call_and_ends() {
        let records = TraceRecords {
            records: vec![
                record(1, Kind::Request, true, (CLIENT, BRAINS), [1, 2, 6]),
                record(2, Kind::Request, true, (BRAINS, MODEL), [2, 1, 6]),
                record(3, Kind::Request, true, (BRAINS, MODEL), [3, 3, 6]),
            ],
            names: Vec::new(),
        };
        let turn = build(&records, 6).unwrap();
        assert_eq!(turn.calls.iter().map(|call| call.correlation).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(turn.calls[0].calls[0].correlation, 2);
    }

    #[test]
    fn one_that_is_gone_is_named_after_its_slot() {
        let names = [(MODEL, "model".to_owned()), (EndpointId::new(4, 9), "client#4.9".to_owned())];
        let names = Names::new(&names);
        let shown = [MODEL, EndpointId::new(2, 7), EndpointId::new(4, 8), EndpointId::new(5, 1), EndpointId::KERNEL];
        assert_eq!(shown.map(|endpoint| names.of(endpoint)), ["model", "model#2.7", "client#4.8", "#5.1", "kernel"]);
    }

    #[test]
    fn a_cancelled_call_says_so() {
        let records = TraceRecords {
            records: vec![
                record(1, Kind::Request, true, (CLIENT, BRAINS), [1, 0, 6]),
                record(2, Kind::Cancel, true, (CLIENT, BRAINS), [1, 0, 6]),
            ],
            names: Vec::new(),
        };
        assert_eq!(build(&records, 6).unwrap().calls[0].outcome, Outcome::Cancelled);
    }
}
