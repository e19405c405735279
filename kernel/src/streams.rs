//! What flows within a call: items, their end, and the credit without which none flows. Either side may be the one that writes.

use crate::core::{Kernel, full};
use crate::peer::Violation;
use crate::queue::Weight;
use crate::router::{towards_callee, towards_caller};
use butterfly_wire::catalog::Flow;
use butterfly_wire::frame::CHUNK_LIMIT;
use butterfly_wire::limits::CREDIT_LIMIT;
use butterfly_wire::{EndpointId, Header, Kind};
use std::time::Instant;

/// Whether an item may flow: the method has items from this side, its reader has room for it, and it is no larger than one may be.
fn judge_item(expected: bool, credit: u32, payload: &[u8]) -> Result<(), Violation> {
    match (expected, credit, payload.len()) {
        (false, ..) => Err(Violation::WrongFlow),
        (true, 0, _) => Err(Violation::ItemWithoutCredit),
        (true, _, length) if length > CHUNK_LIMIT => Err(Violation::OversizedItem),
        (true, ..) => Ok(()),
    }
}

impl Kernel {
    pub(crate) fn item(&mut self, from: EndpointId, header: &Header, payload: &[u8], now: Instant) {
        let Some(call) = self.own_call(from, header) else { return };
        if let Err(violation) = judge_item(call.info.flow == Flow::Stream, call.credit, payload) {
            return self.violate(from, violation);
        }
        let Some(call) = self.pending.get_mut(header.correlation) else { return };
        call.credit -= 1;
        call.rearm(now);
        let call = *call;
        let provenance = self.taint(from, call.trace_slot, header.provenance);
        let item = Header { provenance, ..towards_caller(Kind::Item, &call) };
        self.record(now, from, call.caller, &item, payload.len(), header.correlation);
        if self.deliver(call.caller, from, &item, payload, Weight::Ordinary).is_err() {
            self.abandon(header.correlation, &full());
        }
    }

    pub(crate) fn upload_item(&mut self, from: EndpointId, header: &Header, payload: &[u8], now: Instant) {
        let Some((number, call)) = self.callers_call(from, header) else { return };
        let expected = call.info.flow == Flow::Upload && call.upload_open;
        if let Err(violation) = judge_item(expected, call.upload_credit, payload) {
            return self.violate(from, violation);
        }
        let Some(call) = self.pending.get_mut(number) else { return };
        call.upload_credit -= 1;
        let call = *call;
        let provenance = self.taint(from, call.trace_slot, header.provenance);
        let item = Header { provenance, ..towards_callee(Kind::Item, number, &call) };
        self.record(now, from, call.callee, &item, payload.len(), number);
        if self.deliver(call.callee, from, &item, payload, Weight::Ordinary).is_err() {
            self.abandon(number, &full());
        }
    }

    pub(crate) fn upload_end(&mut self, from: EndpointId, header: &Header, now: Instant) {
        let Some((number, call)) = self.callers_call(from, header) else { return };
        if call.info.flow != Flow::Upload || !call.upload_open {
            return self.violate(from, Violation::WrongFlow);
        }
        let Some(call) = self.pending.get_mut(number) else { return };
        call.upload_open = false;
        call.rearm(now);
        let call = *call;
        let end = towards_callee(Kind::End, number, &call);
        self.record(now, from, call.callee, &end, 0, number);
        let _ = self.deliver(call.callee, from, &end, &[], Weight::Terminal);
    }

    pub(crate) fn credit_from_caller(&mut self, from: EndpointId, header: &Header, now: Instant) {
        let Some((number, call)) = self.callers_call(from, header) else { return };
        let total = call.credit.saturating_add(header.credit);
        if call.info.flow != Flow::Stream || total > CREDIT_LIMIT {
            return self.violate(from, Violation::CreditOverLimit);
        }
        let Some(call) = self.pending.get_mut(number) else { return };
        if call.credit == 0 {
            call.rearm(now);
        }
        call.credit = total;
        let call = *call;
        let credit = Header { credit: header.credit, ..towards_callee(Kind::Credit, number, &call) };
        let _ = self.deliver(call.callee, from, &credit, &[], Weight::Terminal);
    }

    pub(crate) fn credit_from_callee(&mut self, from: EndpointId, header: &Header, now: Instant) {
        let Some(call) = self.own_call(from, header) else { return };
        let total = call.upload_credit.saturating_add(header.credit);
        if call.info.flow != Flow::Upload || total > CREDIT_LIMIT {
            return self.violate(from, Violation::CreditOverLimit);
        }
        let Some(call) = self.pending.get_mut(header.correlation) else { return };
        call.upload_credit = total;
        call.rearm(now);
        let call = *call;
        let credit = Header { credit: header.credit, ..towards_caller(Kind::Credit, &call) };
        let _ = self.deliver(call.caller, from, &credit, &[], Weight::Terminal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_flows_with_its_flow_credit_and_size_and_not_without_one_of_them() {
        let chunk = vec![0; CHUNK_LIMIT + 1];
        assert_eq!(judge_item(true, 1, &chunk[1..]), Ok(()));
        assert_eq!(judge_item(true, 1, &chunk), Err(Violation::OversizedItem));
        assert_eq!(judge_item(true, 0, &[]), Err(Violation::ItemWithoutCredit));
        assert_eq!(judge_item(false, 1, &[]), Err(Violation::WrongFlow));
    }
}
