//! Calls in flight: explicit slots whose number, with its generation, is the correlation id that the callee sees.

use crate::trace::TraceSlot;
use butterfly_wire::EndpointId;
use butterfly_wire::catalog::{Flow, MethodInfo};
use std::time::{Duration, Instant};

/// One call between two peers.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    pub caller: EndpointId,
    /// The caller's own number for it.
    pub caller_correlation: u64,
    pub callee: EndpointId,
    pub info: &'static MethodInfo,
    pub trace: u64,
    /// Where the trace's provenance is kept.
    pub trace_slot: TraceSlot,
    /// The kernel's number of the call that it was made for; 0 for none.
    pub parent: u64,
    pub background: bool,
    pub started: Instant,
    /// Time to the reply, or to the next item.
    pub allowance: Duration,
    pub deadline: Instant,
    /// Items that the callee may still send.
    pub credit: u32,
    /// Items that the caller may still send, and whether it has not said that it is done.
    pub upload_credit: u32,
    pub upload_open: bool,
}

impl Call {
    /// Gives the callee its whole allowance again: it has just shown that it is at work.
    pub fn rearm(&mut self, now: Instant) {
        self.deadline = now + self.allowance;
    }

    /// Whether the deadline means anything now: who waits for credit is not late.
    #[must_use]
    pub fn is_waiting_for_credit(&self) -> bool {
        match self.info.flow {
            Flow::Stream => self.credit == 0,
            Flow::Unary => false,
            Flow::Upload => self.upload_open,
        }
    }
}

#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    call: Option<Call>,
}

/// What a correlation id refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// A call that is open.
    Open,
    /// A call that has ended; whoever speaks of it is merely late.
    Late,
    /// No call ever had this number: it was made up.
    Unknown,
}

/// The table of calls.
#[derive(Debug, Default)]
pub struct Pending {
    slots: Vec<Slot>,
    free: Vec<u32>,
    open: usize,
}

const fn id(index: u32, generation: u32) -> u64 {
    (generation as u64) << 32 | index as u64
}

impl Pending {
    /// Opens a call and returns its number, which is never 0.
    pub fn open(&mut self, call: Call) -> u64 {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            (self.slots.len() - 1) as u32
        });
        let slot = &mut self.slots[index as usize];
        slot.generation = slot.generation.wrapping_add(1).max(1);
        slot.call = Some(call);
        self.open += 1;
        id(index, slot.generation)
    }

    #[must_use]
    pub fn get(&self, number: u64) -> Option<&Call> {
        let slot = self.slots.get(number as u32 as usize)?;
        slot.call.as_ref().filter(|_| slot.generation == (number >> 32) as u32)
    }

    pub fn get_mut(&mut self, number: u64) -> Option<&mut Call> {
        let slot = self.slots.get_mut(number as u32 as usize)?;
        slot.call.as_mut().filter(|_| slot.generation == (number >> 32) as u32)
    }

    #[must_use]
    pub fn lookup(&self, number: u64) -> Lookup {
        let Some(slot) = self.slots.get(number as u32 as usize) else {
            return Lookup::Unknown;
        };
        let generation = (number >> 32) as u32;
        if generation == 0 || generation > slot.generation {
            Lookup::Unknown
        } else if generation == slot.generation && slot.call.is_some() {
            Lookup::Open
        } else {
            Lookup::Late
        }
    }

    /// Closes a call.
    pub fn close(&mut self, number: u64) -> Option<Call> {
        let slot = self.slots.get_mut(number as u32 as usize)?;
        if slot.generation != (number >> 32) as u32 {
            return None;
        }
        let call = slot.call.take()?;
        self.free.push(number as u32);
        self.open -= 1;
        Some(call)
    }

    /// All open calls.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &Call)> {
        self.slots
            .iter()
            .enumerate()
            .filter_map(|(index, slot)| slot.call.as_ref().map(|call| (id(index as u32, slot.generation), call)))
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.open
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open == 0
    }

    /// When the next call is due.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.iter().map(|(_, call)| call.deadline).min()
    }

    /// The calls whose time is up; those that wait for credit get another allowance instead.
    pub fn expire(&mut self, now: Instant) -> Vec<u64> {
        let mut expired = Vec::new();
        for (index, slot) in self.slots.iter_mut().enumerate() {
            let Some(call) = &mut slot.call else { continue };
            if call.deadline > now {
                continue;
            }
            if call.is_waiting_for_credit() {
                call.rearm(now);
            } else {
                expired.push(id(index as u32, slot.generation));
            }
        }
        expired
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use butterfly_wire::catalog::{kit, session};

    fn call(now: Instant, info: &'static MethodInfo) -> Call {
        Call {
            caller: EndpointId::new(5, 1),
            caller_correlation: 9,
            callee: EndpointId::new(2, 1),
            info,
            trace: 1,
            trace_slot: 0,
            parent: 0,
            background: false,
            started: now,
            allowance: Duration::from_secs(1),
            deadline: now + Duration::from_secs(1),
            credit: 1,
            upload_credit: 0,
            upload_open: false,
        }
    }

    #[test]
    fn a_number_is_open_then_late_and_never_reused() {
        let mut pending = Pending::default();
        let now = Instant::now();
        let first = pending.open(call(now, &kit::ECHO));
        assert_eq!(pending.lookup(first), Lookup::Open);
        assert!(pending.close(first).is_some());
        assert_eq!(pending.lookup(first), Lookup::Late);
        let second = pending.open(call(now, &kit::ECHO));
        assert_ne!(first, second);
        assert!(pending.close(first).is_none(), "a stale number closes nothing");
        assert_eq!(pending.len(), 1);
        assert_eq!(pending.lookup(second + (1 << 32)), Lookup::Unknown);
        assert_eq!(pending.lookup(0), Lookup::Unknown);
    }

    #[test]
    fn who_waits_for_credit_is_not_late() {
        let mut pending = Pending::default();
        let now = Instant::now();
        let stream = pending.open(Call { credit: 0, ..call(now, &session::SEND) });
        let unary = pending.open(call(now, &kit::ECHO));
        let later = now + Duration::from_secs(2);
        assert_eq!(pending.expire(later), [unary]);
        assert!(pending.get(stream).is_some_and(|call| call.deadline > later));
    }
}
