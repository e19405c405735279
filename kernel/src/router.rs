//! What happens to a frame: rights first, then its call, then the queue of whoever it is for.

use crate::core::{Kernel, LastWords, closing_kind, full};
use crate::manifest::RoleKind;
use crate::peer::{Closing, Stage, Violation};
use crate::pending::{Call, Lookup};
use crate::policy::{self, Act};
use crate::queue::Weight;
use crate::supervisor;
use crate::trace::TraceSlot;
use butterfly_wire::catalog::{self, Flow, MethodInfo, control, health};
use butterfly_wire::limits::{
    CALLS_PER_CALLEE, CALLS_PER_CALLER, CRASH_HEADERS, CREDIT_LIMIT, DEADLINE_LIMIT_MS, VIOLATIONS_HELD,
};
use butterfly_wire::{EndpointId, ErrorCode, Failure, Flags, Header, Kind, Provenance};
use std::time::{Duration, Instant};

impl Kernel {
    /// Acts on one frame from a peer.
    pub fn receive(&mut self, from: EndpointId, header: &Header, payload: &[u8], now: Instant) {
        let Some(kind) = header.kind() else { return };
        let Some(peer) = self.peers.get_mut(from) else { return };
        peer.received += 1;
        if !header.source.is_any() && header.source != from {
            self.violate(from, Violation::ForgedSource);
            if kind == Kind::Request {
                let failure = Failure::new(ErrorCode::Protocol, "the source of a frame is the kernel's to write");
                self.refuse(from, header, &failure);
            }
            return;
        }
        let in_turn = match peer.stage {
            Stage::Ready => true,
            Stage::Confined => kind == Kind::Event || header.from_caller(),
            Stage::Greeted => kind == Kind::Event && header.service == control::ID,
        };
        if !in_turn {
            self.violate(from, Violation::WrongFlow);
            return;
        }
        match (kind, header.from_caller()) {
            (Kind::Request, true) => self.request(from, header, payload, now),
            (Kind::Request, false) | (Kind::Cancel, false) | (Kind::Response, true) => {
                self.violate(from, Violation::WrongFlow);
            }
            (Kind::Response | Kind::End, false) => self.answer(from, kind, header, payload, now),
            (Kind::Item, false) => self.item(from, header, payload, now),
            (Kind::Item, true) => self.upload_item(from, header, payload, now),
            (Kind::End, true) => self.upload_end(from, header, now),
            (Kind::Credit, true) => self.credit_from_caller(from, header, now),
            (Kind::Credit, false) => self.credit_from_callee(from, header, now),
            (Kind::Cancel, true) => self.cancel(from, header, now),
            (Kind::Event, _) => self.event(from, header, payload, now),
        }
    }

    fn request(&mut self, from: EndpointId, header: &Header, payload: &[u8], now: Instant) {
        let Some(peer) = self.peers.get(from) else { return };
        let role = peer.role;
        let act = Act::Call { service: header.service, method: header.method };
        if !policy::check(self.manifest, role, act) {
            self.violate(from, Violation::NotGranted);
            let what = catalog::name(header.service, header.method);
            let failure = Failure::new(ErrorCode::Denied, format!("{} may not call {what}", role.name));
            return self.refuse(from, header, &failure);
        }
        let Some(info) = catalog::method(header.service, header.method) else {
            let failure = Failure::new(ErrorCode::UnknownMethod, "there is no such method");
            return self.refuse(from, header, &failure);
        };
        if header.service == control::ID {
            self.record(now, from, EndpointId::KERNEL, header, payload.len(), 0);
            return self.control(from, header, payload, now);
        }
        match self.open_call(from, header, info, now) {
            Ok((number, forwarded)) => {
                self.record(now, from, forwarded.destination, &forwarded, payload.len(), number);
                if self.deliver(forwarded.destination, from, &forwarded, payload, Weight::Ordinary).is_err() {
                    self.close_call(number);
                    self.fail(from, header.correlation, closing_kind(info), &full());
                }
            }
            Err(failure) => self.fail(from, header.correlation, closing_kind(info), &failure),
        }
    }

    /// Admits a call: finds its callee, its trace and its time, and gives it a number.
    fn open_call(
        &mut self,
        from: EndpointId,
        header: &Header,
        info: &'static MethodInfo,
        now: Instant,
    ) -> Result<(u64, Header), Failure> {
        let busy = |what: &str| Failure::new(ErrorCode::Busy, format!("{what}; try again in a moment"));
        let callee = self.callee(from, header)?;
        let Some(caller) = self.peers.get(from) else {
            return Err(Failure::new(ErrorCode::Disconnected, "the caller is gone"));
        };
        let role = caller.role;
        if caller.calls.len() >= CALLS_PER_CALLER {
            return Err(busy("too many calls of yours are open"));
        }
        if caller.calls.contains_key(&header.correlation) {
            return Err(Failure::new(ErrorCode::Protocol, "that correlation id is in use by an open call"));
        }
        if self.peers.get(callee).is_some_and(|peer| peer.serving >= CALLS_PER_CALLEE) {
            return Err(busy("it is answering as many calls as it may"));
        }
        let mut background = header.flags.contains(Flags::BACKGROUND);
        let mut allowance_ms = match header.deadline_ms {
            0 => info.deadline_ms,
            asked => asked.min(DEADLINE_LIMIT_MS),
        };
        let (trace, joined) = match self.pending.get(header.parent) {
            Some(parent) if parent.callee == from => {
                background |= parent.background;
                if parent.info.flow == Flow::Unary {
                    let left = parent.deadline.saturating_duration_since(now).as_millis();
                    allowance_ms = allowance_ms.min(u32::try_from(left).unwrap_or(u32::MAX));
                }
                (parent.trace, Some(parent.trace_slot))
            }
            // The call that it was made for has ended meanwhile: nobody wants its result.
            None if header.parent != 0 && self.pending.lookup(header.parent) == Lookup::Late => {
                return Err(Failure::new(ErrorCode::Cancelled, "the call that this was made for has ended"));
            }
            None if header.parent == 0 && (role.kind == RoleKind::Client || background) => (self.new_trace(), None),
            Some(_) | None => {
                self.violate(from, Violation::NoTrace);
                let message = "a call belongs to the call that it is made for, or is background work";
                return Err(Failure::new(ErrorCode::NoTrace, message));
            }
        };
        let brought = role.provenance.union(header.provenance);
        let (trace_slot, provenance) = match joined {
            Some(slot) => (slot, self.traces.join(slot, brought)),
            None => (self.traces.begin(brought), brought),
        };
        let allowance = Duration::from_millis(u64::from(allowance_ms));
        let credit = header.credit.min(CREDIT_LIMIT);
        let call = Call {
            caller: from,
            caller_correlation: header.correlation,
            callee,
            info,
            trace,
            trace_slot,
            parent: header.parent,
            background,
            started: now,
            allowance,
            deadline: now + allowance,
            credit,
            upload_credit: 0,
            upload_open: info.flow == Flow::Upload && header.flags.contains(Flags::MORE),
        };
        if self.next_deadline.is_none_or(|next| call.deadline < next) {
            self.next_deadline = Some(call.deadline);
            self.rearm.notify_one();
        }
        let number = self.pending.open(call);
        if let Some(peer) = self.peers.get_mut(from) {
            peer.calls.insert(header.correlation, number);
        }
        if let Some(peer) = self.peers.get_mut(callee) {
            peer.serving += 1;
        }
        let background = if background { Flags::BACKGROUND } else { Flags::NONE };
        let forwarded = Header {
            kind: Kind::Request as u8,
            flags: Flags::FROM_CALLER.with(background).with(Flags(header.flags.0 & Flags::MORE.0)),
            service: header.service,
            method: header.method,
            provenance,
            source: from,
            destination: callee,
            correlation: number,
            parent: header.parent,
            deadline_ms: allowance_ms.max(1),
            credit,
            trace,
        };
        Ok((number, forwarded))
    }

    /// Who answers: the endpoint that was named, or whoever stands for the service.
    fn callee(&self, from: EndpointId, header: &Header) -> Result<EndpointId, Failure> {
        let unavailable = |message: String| Failure::new(ErrorCode::Unavailable, message);
        if header.destination.is_any() {
            if header.service == health::ID {
                return Err(unavailable("every worker has a health of its own: name the worker".to_owned()));
            }
            let Some(index) = self.workers.iter().position(|worker| worker.role.serves.contains(&header.service))
            else {
                return Err(unavailable("no worker serves that".to_owned()));
            };
            return self.ready_worker(index);
        }
        let Some(peer) = self.peers.get(header.destination) else {
            if self.peers.is_stale(header.destination) {
                let message = "that endpoint has been restarted or is gone; look it up again";
                return Err(Failure::new(ErrorCode::StaleEndpoint, message));
            }
            return Err(unavailable("there is no such endpoint".to_owned()));
        };
        if !peer.role.serves.contains(&header.service) {
            return Err(unavailable(format!("{} does not serve that", peer.role.name)));
        }
        match peer.role.kind {
            RoleKind::Worker => match self.worker_index(peer.id) {
                Some(index) => self.ready_worker(index),
                None => Err(unavailable("there is no such worker".to_owned())),
            },
            RoleKind::Instance { .. } if self.owner_of(peer.id) == Some(from) => Ok(peer.id),
            RoleKind::Instance { .. } => {
                Err(Failure::new(ErrorCode::Denied, "an instance answers to the one who started it alone"))
            }
            RoleKind::Client => Err(unavailable("a client serves nothing".to_owned())),
        }
    }

    fn ready_worker(&self, index: usize) -> Result<EndpointId, Failure> {
        let worker = &self.workers[index];
        let name = worker.role.name;
        let message = match worker.supervisor.state() {
            supervisor::State::Ready => {
                let id = EndpointId::new(crate::peer::Peers::worker_slot(index), worker.generation);
                // A connection ends a moment before its process is seen to: a call in between would be answered by nobody.
                if self.peers.get(id).is_some() {
                    return Ok(id);
                }
                format!("{name} has just ended and is being started again")
            }
            supervisor::State::Waiting { .. }
            | supervisor::State::Starting { .. }
            | supervisor::State::Backoff { .. } => {
                format!("{name} is being started")
            }
            supervisor::State::Draining { .. } => format!("{name} is being stopped"),
            supervisor::State::Stopped => format!("{name} is stopped; `butterfly start {name}` starts it"),
            supervisor::State::Held { reason } => {
                format!("{name} is held: {reason}; `butterfly restart {name}` tries again")
            }
        };
        Err(Failure::new(ErrorCode::Unavailable, message))
    }

    fn answer(&mut self, from: EndpointId, kind: Kind, header: &Header, payload: &[u8], now: Instant) {
        let Some(call) = self.own_call(from, header) else { return };
        let (info, trace_slot) = (call.info, call.trace_slot);
        if closing_kind(info) != kind {
            return self.violate(from, Violation::WrongFlow);
        }
        // Before the call is closed: its trace may end with it, and the answer carries what the trace has touched.
        let provenance = self.taint(from, trace_slot, header.provenance);
        let Some(call) = self.close_call(header.correlation) else { return };
        let flags = Flags(header.flags.0 & Flags::ERROR.0);
        let answer = Header { flags, provenance, ..towards_caller(kind, &call) };
        self.record(now, from, call.caller, &answer, payload.len(), header.correlation);
        if self.deliver(call.caller, from, &answer, payload, Weight::Ordinary).is_err() {
            self.fail(call.caller, call.caller_correlation, kind, &full());
        }
    }

    fn cancel(&mut self, from: EndpointId, header: &Header, now: Instant) {
        let Some((number, _)) = self.callers_call(from, header) else { return };
        self.cancel_callee(number, from, now);
    }

    /// Closes a call and tells its callee to stop.
    fn cancel_callee(&mut self, number: u64, by: EndpointId, now: Instant) {
        let Some(call) = self.close_call(number) else { return };
        let cancel = towards_callee(Kind::Cancel, number, &call);
        self.record(now, by, call.callee, &cancel, 0, number);
        let _ = self.deliver(call.callee, EndpointId::KERNEL, &cancel, &[], Weight::Terminal);
    }

    /// Closes a call, tells its callee to stop and its caller why.
    pub(crate) fn abandon(&mut self, number: u64, failure: &Failure) {
        let Some(call) = self.pending.get(number).copied() else { return };
        self.cancel_callee(number, EndpointId::KERNEL, Instant::now());
        self.fail(call.caller, call.caller_correlation, closing_kind(call.info), failure);
    }

    /// Ends the calls whose time is up, and says when to look again.
    pub fn expire(&mut self, now: Instant) {
        for number in self.pending.expire(now) {
            let Some(call) = self.pending.get(number) else { continue };
            let what = catalog::name(call.info.service, call.info.method);
            let message = format!("{what} did not answer within {} ms", call.allowance.as_millis());
            self.abandon(number, &Failure::new(ErrorCode::DeadlineExceeded, message));
        }
        self.next_deadline = self.pending.next_deadline();
    }

    fn event(&mut self, from: EndpointId, header: &Header, payload: &[u8], now: Instant) {
        let Some(role) = self.peers.get(from).map(|peer| peer.role) else { return };
        let act = Act::Publish { service: header.service, topic: header.method };
        if !policy::check(self.manifest, role, act) {
            return self.violate(from, Violation::NotGranted);
        }
        if header.service == control::ID {
            self.own_event(from, header.method, payload, now);
        } else {
            self.publish(from, header.service, header.method, payload.to_vec());
        }
    }

    /// The open call that a callee speaks of, if it is its own. Late is harmless, foreign and made up are not.
    pub(crate) fn own_call(&mut self, from: EndpointId, header: &Header) -> Option<&Call> {
        match self.pending.lookup(header.correlation) {
            Lookup::Open => {
                if self.pending.get(header.correlation).is_some_and(|call| call.callee == from) {
                    return self.pending.get(header.correlation);
                }
                self.violate(from, Violation::ForeignCall);
                None
            }
            Lookup::Late => None,
            Lookup::Unknown => {
                self.violate(from, Violation::UnknownCorrelation);
                None
            }
        }
    }

    /// The open call that a caller speaks of by its own number. One that is not open has just ended.
    pub(crate) fn callers_call(&self, from: EndpointId, header: &Header) -> Option<(u64, &Call)> {
        let number = *self.peers.get(from)?.calls.get(&header.correlation)?;
        Some((number, self.pending.get(number)?))
    }

    /// Adds what a speaker carries to its trace; returns the union.
    pub(crate) fn taint(&mut self, from: EndpointId, slot: TraceSlot, claimed: Provenance) -> Provenance {
        let own = self.peers.get(from).map_or(Provenance::NONE, |peer| peer.role.provenance);
        self.traces.add(slot, own.union(claimed))
    }

    fn close_call(&mut self, number: u64) -> Option<Call> {
        let call = self.pending.close(number)?;
        if let Some(peer) = self.peers.get_mut(call.caller) {
            peer.calls.remove(&call.caller_correlation);
        }
        if let Some(peer) = self.peers.get_mut(call.callee) {
            peer.serving = peer.serving.saturating_sub(1);
        }
        self.traces.leave(call.trace_slot);
        Some(call)
    }

    /// Refuses a request in the kind of frame that its method closes with.
    fn refuse(&mut self, from: EndpointId, header: &Header, failure: &Failure) {
        let kind = catalog::method(header.service, header.method).map_or(Kind::Response, closing_kind);
        self.fail(from, header.correlation, kind, failure);
    }

    /// Counts a violation. Too many hold a worker and end a client.
    pub fn violate(&mut self, from: EndpointId, violation: Violation) {
        let Some(peer) = self.peers.get_mut(from) else { return };
        let count = peer.violate(violation);
        let (name, list) = (peer.role.name, peer.violation_list());
        tracing::warn!(peer = name, endpoint = %from, violation = violation.name(), count, "protocol violation");
        if count == VIOLATIONS_HELD {
            peer.close(Closing::Violations(list));
        }
    }

    pub(crate) fn record(
        &mut self,
        now: Instant,
        from: EndpointId,
        to: EndpointId,
        header: &Header,
        bytes: usize,
        number: u64,
    ) {
        let correlation = if number == 0 { header.correlation } else { number };
        self.ring.record(now, Header { source: from, destination: to, correlation, ..*header }, bytes);
    }

    /// A connection has ended: everything that depended on it ends too, before anything else happens.
    pub fn peer_gone(&mut self, id: EndpointId) {
        let Some(mut peer) = self.peers.remove(id) else { return };
        let mut refunds = Vec::new();
        peer.queue.clear(|refund| refunds.push(refund));
        for (sender, bytes) in refunds {
            if let Some(sender) = self.peers.get_mut(sender) {
                sender.charged -= bytes.min(sender.charged);
            }
        }
        let open: Vec<_> = self
            .pending
            .iter()
            .filter(|(_, call)| call.caller == id || call.callee == id)
            .map(|(number, call)| (number, *call))
            .collect();
        let answering = open.iter().filter(|(_, call)| call.callee == id);
        let last_words = LastWords {
            in_flight: answering.map(|(_, call)| catalog::name(call.info.service, call.info.method)).collect(),
            headers: self.ring.of_endpoint(id, CRASH_HEADERS),
        };
        for (number, call) in open {
            if call.callee == id {
                self.close_call(number);
                let message = format!("{} ended before it had answered", peer.role.name);
                let failure = Failure::new(ErrorCode::PeerDied, message);
                self.fail(call.caller, call.caller_correlation, closing_kind(call.info), &failure);
            } else {
                self.cancel_callee(number, id, Instant::now());
            }
        }
        let reason = peer.closing.unwrap_or(Closing::Gone);
        self.after_peer(id, peer.role, &reason, last_words);
    }
}

/// The header of a frame from the callee, as its caller sees it.
pub(crate) fn towards_caller(kind: Kind, call: &Call) -> Header {
    Header {
        kind: kind as u8,
        service: call.info.service,
        method: call.info.method,
        source: call.callee,
        destination: call.caller,
        correlation: call.caller_correlation,
        trace: call.trace,
        ..Header::default()
    }
}

/// The header of a frame from the caller, as its callee sees it.
pub(crate) fn towards_callee(kind: Kind, number: u64, call: &Call) -> Header {
    Header {
        kind: kind as u8,
        flags: Flags::FROM_CALLER,
        service: call.info.service,
        method: call.info.method,
        source: call.caller,
        destination: call.callee,
        correlation: number,
        parent: call.parent,
        trace: call.trace,
        ..Header::default()
    }
}
