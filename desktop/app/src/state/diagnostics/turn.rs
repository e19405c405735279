//! One trace as a tree of calls: who asked whom on whose behalf, and how long it took.
//!
//! Every traced header carries the kernel's correlation id, and a request's `parent` is that of the call it serves.

use super::names::Names;
use butterfly_wire::control::Traced;
use butterfly_wire::{EndpointId, Header, Kind, catalog};
use std::collections::HashMap;
use std::sync::Arc;

/// How a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Open,
    Done,
    Failed,
    Cancelled,
}

/// One call, at its place in the tree. Times in µs; `start_us` counts from the first message of the turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    pub correlation: u64,
    /// How many calls it is inside of.
    pub depth: usize,
    /// `service.method`.
    pub method: String,
    /// The request is no longer remembered: the call began earlier.
    pub is_beheaded: bool,
    pub from: Arc<str>,
    pub to: Arc<str>,
    pub start_us: u64,
    pub duration_us: u64,
    pub first_item_us: Option<u64>,
    pub items: u32,
    /// Payload bytes in both directions.
    pub bytes: u64,
    pub outcome: Outcome,
}

/// A trace. Its calls are in the order of a tree: each is followed by those that it made.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    pub trace: u64,
    pub duration_us: u64,
    pub messages: usize,
    pub spans: Vec<Span>,
}

/// The trace of the newest conversation turn among the records.
#[must_use]
pub fn last(records: &[Traced]) -> Option<u64> {
    let send = &catalog::session::SEND;
    let headers = records.iter().filter_map(|record| Some((record.at_us, Header::from_bytes(&record.header).ok()?)));
    headers
        .filter(|(_, header)| header.service == send.service && header.method == send.method && header.trace != 0)
        .max_by_key(|(at_us, _)| *at_us)
        .map(|(_, header)| header.trace)
}

/// Builds the tree of one trace out of records in any order; `None` where none belongs to it.
#[must_use]
pub fn build(records: &[Traced], trace: u64, names: &Names) -> Option<Turn> {
    let mut headers: Vec<(&Traced, Header)> = records
        .iter()
        .filter_map(|record| Some((record, Header::from_bytes(&record.header).ok()?)))
        .filter(|(_, header)| header.trace == trace && header.correlation != 0)
        .collect();
    headers.sort_by_key(|(record, _)| record.at_us);
    let (first, last) = (headers.first()?.0.at_us, headers.last()?.0.at_us);
    let mut drafts: Vec<Draft> = Vec::new();
    let mut places: HashMap<u64, usize> = HashMap::new();
    for (record, header) in &headers {
        let place = *places.entry(header.correlation).or_insert_with(|| {
            drafts.push(Draft::new(record.at_us, header));
            drafts.len() - 1
        });
        drafts[place].take(record, header);
    }
    let spans = flatten(&drafts, &places).into_iter().map(|(place, depth)| drafts[place].finish(depth, first, names));
    Some(Turn { trace, duration_us: last - first, messages: headers.len(), spans: spans.collect() })
}

/// The places in the tree's order with their depth. A call whose parent is not remembered stands at the top; so does the
/// first of a circle, which no kernel makes.
fn flatten(drafts: &[Draft], places: &HashMap<u64, usize>) -> Vec<(usize, usize)> {
    let mut children = vec![Vec::new(); drafts.len()];
    let mut tops = Vec::new();
    for (place, draft) in drafts.iter().enumerate() {
        match places.get(&draft.parent).filter(|parent| **parent != place) {
            Some(parent) => children[*parent].push(place),
            None => tops.push(place),
        }
    }
    let mut order = Vec::with_capacity(drafts.len());
    let mut seen = vec![false; drafts.len()];
    for top in tops.into_iter().chain(0..drafts.len()) {
        let mut waiting = vec![(top, 0)];
        while let Some((place, depth)) = waiting.pop() {
            if std::mem::replace(&mut seen[place], true) {
                continue;
            }
            order.push((place, depth));
            waiting.extend(children[place].iter().rev().map(|child| (*child, depth + 1)));
        }
    }
    order
}

/// What is known of a call while the records are read.
struct Draft {
    correlation: u64,
    parent: u64,
    service: u16,
    method: u16,
    is_beheaded: bool,
    source: EndpointId,
    destination: EndpointId,
    first_us: u64,
    last_us: u64,
    first_item_us: Option<u64>,
    items: u32,
    bytes: u64,
    outcome: Outcome,
}

impl Draft {
    fn new(at_us: u64, header: &Header) -> Self {
        // Without its request, a frame of the callee still says who is at which end.
        let (source, destination) = match header.from_caller() {
            true => (header.source, header.destination),
            false => (header.destination, header.source),
        };
        Self {
            correlation: header.correlation,
            parent: 0,
            service: header.service,
            method: header.method,
            is_beheaded: true,
            source,
            destination,
            first_us: at_us,
            last_us: at_us,
            first_item_us: None,
            items: 0,
            bytes: 0,
            outcome: Outcome::Open,
        }
    }

    fn take(&mut self, record: &Traced, header: &Header) {
        let Some(kind) = header.kind() else { return };
        match kind {
            Kind::Request => {
                (self.parent, self.service, self.method) = (header.parent, header.service, header.method);
                (self.source, self.destination) = (header.source, header.destination);
                self.is_beheaded = false;
            }
            Kind::Item => {
                self.items += 1;
                self.first_item_us.get_or_insert(record.at_us);
            }
            Kind::End if header.from_caller() => {}
            Kind::Response | Kind::End if self.outcome == Outcome::Open => {
                self.outcome = if header.is_error() { Outcome::Failed } else { Outcome::Done };
            }
            Kind::Cancel if self.outcome == Outcome::Open => self.outcome = Outcome::Cancelled,
            Kind::Response | Kind::End | Kind::Cancel => {}
            // Credit is the reader's book-keeping: it may come after the end, and lengthens nothing.
            Kind::Credit | Kind::Event => return,
        }
        self.bytes += u64::from(record.payload_bytes);
        self.last_us = record.at_us;
    }

    fn finish(&self, depth: usize, origin_us: u64, names: &Names) -> Span {
        Span {
            correlation: self.correlation,
            depth,
            method: catalog::name(self.service, self.method),
            is_beheaded: self.is_beheaded,
            from: names.of(self.source),
            to: names.of(self.destination),
            start_us: self.first_us - origin_us,
            duration_us: self.last_us - self.first_us,
            first_item_us: self.first_item_us.map(|at| at - self.first_us),
            items: self.items,
            bytes: self.bytes,
            outcome: self.outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::trace::{failed, record};
    use super::*;
    use butterfly_wire::catalog::{conversations::BEGIN, model::CHAT, session::SEND};
    use proptest::prelude::*;

    const CLIENT: EndpointId = EndpointId::new(9, 1);
    const MODEL: EndpointId = EndpointId::new(2, 1);
    const BRAINS: EndpointId = EndpointId::new(3, 4);
    const MEMORY: EndpointId = EndpointId::new(4, 1);

    fn records() -> Vec<Traced> {
        vec![
            record(10, Kind::Request, &SEND, (CLIENT, BRAINS), [1, 0, 5]),
            record(20, Kind::End, &SEND, (BRAINS, CLIENT), [1, 0, 5]),
            record(1000, Kind::Request, &SEND, (CLIENT, BRAINS), [77, 0, 6]),
            record(1100, Kind::Request, &BEGIN, (BRAINS, MEMORY), [8, 77, 6]),
            record(1200, Kind::Response, &BEGIN, (MEMORY, BRAINS), [8, 0, 6]),
            record(1250, Kind::Request, &CHAT, (BRAINS, MODEL), [7, 77, 6]),
            record(3000, Kind::Item, &CHAT, (MODEL, BRAINS), [7, 0, 6]),
            record(3100, Kind::Item, &SEND, (BRAINS, CLIENT), [77, 0, 6]),
            failed(record(9000, Kind::End, &CHAT, (MODEL, BRAINS), [7, 0, 6])),
            record(9100, Kind::End, &SEND, (BRAINS, CLIENT), [77, 0, 6]),
            record(9150, Kind::Credit, &SEND, (CLIENT, BRAINS), [77, 0, 6]),
        ]
    }

    #[test]
    fn calls_hang_below_the_call_they_serve() {
        let records = records();
        assert_eq!(last(&records), Some(6));
        let turn = build(&records, 6, &Names::default()).unwrap();
        let shape: Vec<_> = turn.spans.iter().map(|span| (span.depth, span.method.as_str(), span.outcome)).collect();
        assert_eq!(
            shape,
            [
                (0, "session.send", Outcome::Done),
                (1, "conversations.begin", Outcome::Done),
                (1, "model.chat", Outcome::Failed)
            ]
        );
        let chat = &turn.spans[2];
        assert_eq!((chat.start_us, chat.duration_us, chat.first_item_us, chat.items), (250, 7750, Some(1750), 1));
        assert_eq!((turn.duration_us, turn.messages, chat.bytes), (8150, 9, 300));
        assert_eq!(turn.spans[0].duration_us, 8100, "credit lengthens nothing");
    }

    #[test]
    fn what_the_ring_forgot_stands_at_the_top_and_is_left_open() {
        let turn = build(&records()[6..8], 6, &Names::default()).unwrap();
        let shape: Vec<_> = turn.spans.iter().map(|span| (span.depth, span.is_beheaded, span.outcome)).collect();
        assert_eq!(shape, [(0, true, Outcome::Open); 2]);
        assert_eq!(&*turn.spans[0].from, "#3.4", "the callee's frame says who asked");
        assert_eq!(build(&records(), 99, &Names::default()), None);
    }

    #[test]
    fn a_circle_of_parents_loses_no_call_and_ends() {
        let records = [
            record(1, Kind::Request, &SEND, (CLIENT, BRAINS), [1, 2, 6]),
            record(2, Kind::Request, &CHAT, (BRAINS, MODEL), [2, 1, 6]),
            record(3, Kind::Request, &CHAT, (BRAINS, MODEL), [3, 3, 6]),
        ];
        let turn = build(&records, 6, &Names::default()).unwrap();
        let mut calls: Vec<_> = turn.spans.iter().map(|span| span.correlation).collect();
        calls.sort_unstable();
        assert_eq!(calls, [1, 2, 3]);
    }

    proptest! {
        #[test]
        fn the_order_of_arrival_does_not_matter(records in Just(records()).prop_shuffle()) {
            let (sorted, names) = (self::records(), Names::default());
            prop_assert_eq!(build(&records, 6, &names), build(&sorted, 6, &names));
            prop_assert_eq!(last(&records), Some(6));
        }
    }
}
