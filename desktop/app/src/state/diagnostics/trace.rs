//! The live trace: headers as they are routed, the newest few thousand, and which of them are shown.

use super::names::Names;
use butterfly_wire::control::{TraceRecords, Traced};
use butterfly_wire::limits::TRACE_RING;
use butterfly_wire::{Flags, Header, Kind, catalog};
use std::collections::VecDeque;
use std::sync::Arc;

/// Messages that are kept: as many as the kernel does.
pub const KEPT: usize = TRACE_RING;

/// One routed message.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Counts up by one from message to message.
    pub number: u64,
    /// Microseconds since the kernel started.
    pub at_us: u64,
    pub kind: Kind,
    pub is_error: bool,
    pub is_background: bool,
    pub from: Arc<str>,
    pub to: Arc<str>,
    /// `service.method`, or `service.topic` of an event.
    pub method: Arc<str>,
    /// 0 for what belongs to none.
    pub trace: u64,
    pub bytes: u32,
    pub provenance: Vec<&'static str>,
}

impl Message {
    /// `None` for a header of a later version.
    #[must_use]
    pub fn of(number: u64, record: &Traced, names: &Names) -> Option<Self> {
        let header = Header::from_bytes(&record.header).ok()?;
        Some(Self {
            number,
            at_us: record.at_us,
            kind: header.kind()?,
            is_error: header.is_error(),
            is_background: header.flags.contains(Flags::BACKGROUND),
            from: names.of(header.source),
            to: names.of(header.destination),
            method: Arc::from(method_name(&header)),
            trace: header.trace,
            bytes: record.payload_bytes,
            provenance: header.provenance.names().collect(),
        })
    }
}

/// `service.method`, or `service.topic` of an event.
fn method_name(header: &Header) -> String {
    if header.kind() == Some(Kind::Event)
        && let Some(service) = catalog::service(header.service)
    {
        return format!("{}.{}", service.name, catalog::topic::name(header.service, header.method));
    }
    catalog::name(header.service, header.method)
}

/// The word for a kind.
#[must_use]
pub const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Request => "request",
        Kind::Response => "response",
        Kind::Item => "item",
        Kind::End => "end",
        Kind::Credit => "credit",
        Kind::Cancel => "cancel",
        Kind::Event => "event",
    }
}

/// What is shown of it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Filter {
    /// From or to this one; empty: all.
    pub worker: String,
    /// Part of `service.method`, or the last digits of a trace.
    pub text: String,
    pub errors_only: bool,
    /// With the items of streams, their credit, and events; without, only what begins and ends calls.
    pub every_message: bool,
}

impl Filter {
    fn is_number(&self) -> bool {
        self.text.trim().parse::<u64>().is_ok()
    }

    #[must_use]
    pub fn shows(&self, message: &Message) -> bool {
        let flows = matches!(message.kind, Kind::Item | Kind::Credit | Kind::Event);
        let role = |name: &str| name.split_once('#').map_or(name, |(role, _)| role) == self.worker;
        (self.every_message || !flows || message.is_error)
            && (!self.errors_only || message.is_error)
            && (self.worker.is_empty() || role(&message.from) || role(&message.to))
            && (self.text.is_empty()
                || message.method.contains(self.text.trim())
                || (message.trace != 0 && self.is_number() && message.trace.to_string().ends_with(self.text.trim())))
    }
}

/// The trace.
#[derive(Debug, Default)]
pub struct Trace {
    pub messages: VecDeque<Message>,
    pub filter: Filter,
    next: u64,
    /// The records of the newest moment: what arrives twice is taken once.
    newest: Vec<Traced>,
}

impl Trace {
    /// Takes in records, oldest first. Those that are here already are left out.
    pub fn take(&mut self, records: &TraceRecords, names: &Names) {
        for record in &records.records {
            match self.newest.first().map(|newest| newest.at_us) {
                Some(newest) if record.at_us < newest => continue,
                Some(newest) if record.at_us == newest => {
                    if self.newest.contains(record) {
                        continue;
                    }
                    self.newest.push(*record);
                }
                Some(_) | None => self.newest = vec![*record],
            }
            if let Some(message) = Message::of(self.next, record, names) {
                self.next += 1;
                if self.messages.len() == KEPT {
                    self.messages.pop_front();
                }
                self.messages.push_back(message);
            }
        }
    }

    /// Forgets all: another kernel counts its time anew.
    pub fn clear(&mut self) {
        self.messages.clear();
        self.newest.clear();
    }

    /// The number that the next message gets.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.next
    }

    /// What is shown, newest first; only what came before message `until`, where the view stands still.
    pub fn shown(&self, until: Option<u64>) -> impl Iterator<Item = &Message> {
        let until = until.unwrap_or(u64::MAX);
        self.messages.iter().rev().filter(move |message| message.number < until && self.filter.shows(message))
    }
}

/// Who speaks, for the filter: each role once, by name.
#[must_use]
pub fn roles(trace: &Trace) -> Vec<String> {
    let ends = trace.messages.iter().flat_map(|message| [&message.from, &message.to]);
    let roles = ends.map(|name| name.split_once('#').map_or(&**name, |(role, _)| role)).filter(|role| !role.is_empty());
    let unique: std::collections::BTreeSet<&str> = roles.collect();
    unique.into_iter().map(str::to_owned).collect()
}

/// A record as the kernel makes it, for tests here and of the views.
#[cfg(test)]
pub fn record(
    at_us: u64,
    kind: Kind,
    info: &catalog::MethodInfo,
    ends: (butterfly_wire::EndpointId, butterfly_wire::EndpointId),
    ids: [u64; 3],
) -> Traced {
    let [correlation, parent, trace] = ids;
    let from_caller = matches!(kind, Kind::Request | Kind::Cancel | Kind::Credit);
    let header = Header {
        kind: kind as u8,
        flags: if from_caller { Flags::FROM_CALLER } else { Flags::NONE },
        service: info.service,
        method: info.method,
        source: ends.0,
        destination: ends.1,
        correlation,
        parent,
        trace,
        ..Header::default()
    };
    Traced { at_us, header: header.to_bytes(), payload_bytes: 100 }
}

/// The same, failed.
#[cfg(test)]
pub fn failed(mut record: Traced) -> Traced {
    if let Ok(mut header) = Header::from_bytes(&record.header) {
        header.flags = header.flags.with(Flags::ERROR);
        record.header = header.to_bytes();
    }
    record
}

#[cfg(test)]
mod tests {
    use super::*;
    use butterfly_wire::EndpointId;
    use catalog::{model::CHAT, session::SEND};

    const CLIENT: EndpointId = EndpointId::new(9, 1);
    const MODEL: EndpointId = EndpointId::new(2, 1);
    const BRAINS: EndpointId = EndpointId::new(3, 4);

    fn batch(records: Vec<Traced>) -> TraceRecords {
        let names = vec![(MODEL, "model".into()), (BRAINS, "brains".into()), (CLIENT, "client#9.1".into())];
        TraceRecords { records, names }
    }

    fn turn() -> Vec<Traced> {
        vec![
            record(10, Kind::Request, &SEND, (CLIENT, BRAINS), [1, 0, 5]),
            record(20, Kind::Request, &CHAT, (BRAINS, MODEL), [2, 1, 5]),
            record(30, Kind::Item, &CHAT, (MODEL, BRAINS), [2, 0, 5]),
            record(30, Kind::Credit, &CHAT, (BRAINS, MODEL), [2, 0, 5]),
            failed(record(40, Kind::End, &CHAT, (MODEL, BRAINS), [2, 0, 5])),
            record(50, Kind::End, &SEND, (BRAINS, CLIENT), [1, 0, 5]),
        ]
    }

    fn trace(records: Vec<Traced>) -> Trace {
        let mut trace = Trace::default();
        let mut names = Names::default();
        let batch = batch(records);
        names.learn(&batch.names);
        trace.take(&batch, &names);
        trace
    }

    #[test]
    fn what_arrives_twice_is_taken_once() {
        let mut trace = trace(turn());
        trace.take(&batch(turn()), &Names::default());
        assert_eq!(trace.messages.len(), 6);
        let mut more = turn();
        more.push(record(50, Kind::Cancel, &CHAT, (BRAINS, MODEL), [2, 0, 5]));
        trace.take(&batch(more), &Names::default());
        assert_eq!(trace.messages.len(), 7, "another one of the same microsecond is new");
        trace.clear();
        trace.take(&batch(turn()), &Names::default());
        assert_eq!(trace.messages.len(), 6, "another kernel's time begins anew");
    }

    #[test]
    fn the_ring_is_bounded_and_the_oldest_go() {
        let many = (0..KEPT as u64 + 10).map(|at| record(at, Kind::Request, &SEND, (CLIENT, BRAINS), [at, 0, at]));
        let trace = trace(many.collect());
        assert_eq!(trace.messages.len(), KEPT);
        assert_eq!(trace.messages.front().map(|message| message.at_us), Some(10));
    }

    #[test]
    fn filters_are_joined() {
        let mut trace = trace(turn());
        let shown = |trace: &Trace| trace.shown(None).map(|message| message.at_us).collect::<Vec<_>>();
        assert_eq!(shown(&trace), [50, 40, 20, 10], "without what flows");
        trace.filter.every_message = true;
        assert_eq!(shown(&trace), [50, 40, 30, 30, 20, 10]);
        trace.filter.worker = "client".into();
        assert_eq!(shown(&trace), [50, 10], "a client by its role");
        trace.filter.worker = "model".into();
        trace.filter.errors_only = true;
        assert_eq!(shown(&trace), [40]);
        trace.filter.text = "session".into();
        assert!(shown(&trace).is_empty());
        trace.filter = Filter { text: "5".into(), ..Filter::default() };
        assert_eq!(shown(&trace), [50, 40, 20, 10], "by the number of the trace");
    }

    #[test]
    fn a_view_that_stands_still_shows_nothing_newer() {
        let mut trace = trace(turn());
        let until = trace.next();
        trace.take(&batch(vec![record(60, Kind::Request, &SEND, (CLIENT, BRAINS), [9, 0, 6])]), &Names::default());
        assert_eq!(trace.shown(Some(until)).count(), 4);
        assert_eq!(trace.shown(None).count(), 5);
        assert_eq!(roles(&trace), ["", "brains", "client", "model"][1..]);
    }
}
