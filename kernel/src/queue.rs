//! What waits for one reader: bytes in order, each charged to whoever sent them, and events that may be dropped.

use butterfly_wire::catalog::{control, topic};
use butterfly_wire::control::Lagged;
use butterfly_wire::limits::{EVENT_QUEUE_BYTES, READER_QUEUE_BYTES, TERMINAL_RESERVE_BYTES};
use butterfly_wire::{EndpointId, Header, Kind, codec, frame};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// Capacity that an empty queue keeps. A larger buffer goes back to the allocator.
const KEEP_BYTES: usize = 64 << 10;

/// How urgently a frame must get through a full queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weight {
    /// Refused when the queue is full.
    Ordinary,
    /// Ends or cancels something: may use the reserve.
    Terminal,
}

/// The reader has let too much pile up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

/// Bytes that a sender gets back: they have left the kernel.
pub type Refund = (EndpointId, usize);

/// The outgoing queue of one peer.
#[derive(Debug, Default)]
pub struct Queue {
    bytes: Vec<u8>,
    /// Bytes of `bytes` that the socket has taken.
    taken: usize,
    /// Who is charged for what, oldest first.
    charges: VecDeque<(EndpointId, usize)>,
    events: VecDeque<(Header, Rc<[u8]>)>,
    event_bytes: usize,
    /// Events dropped since the reader was last told, by topic.
    dropped: BTreeMap<(u16, u16), u64>,
}

impl Queue {
    /// Bytes that wait, events included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len() - self.taken + self.event_bytes
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0 && self.dropped.is_empty()
    }

    /// Appends a frame, charged to `sender`.
    ///
    /// # Errors
    /// [`Full`] when the frame would take the queue over its bound.
    pub fn push(&mut self, sender: EndpointId, header: &Header, payload: &[u8], weight: Weight) -> Result<(), Full> {
        let length = frame::wire_length(payload.len());
        let bound = match weight {
            Weight::Ordinary => READER_QUEUE_BYTES,
            Weight::Terminal => READER_QUEUE_BYTES + TERMINAL_RESERVE_BYTES,
        };
        if self.bytes.len() - self.taken + length > bound {
            return Err(Full);
        }
        if self.taken > KEEP_BYTES && self.taken > self.bytes.len() / 2 {
            // A queue that is never empty would otherwise keep every byte it ever held.
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
        frame::append(&mut self.bytes, header, payload);
        match self.charges.back_mut() {
            Some((last, bytes)) if *last == sender => *bytes += length,
            _ => self.charges.push_back((sender, length)),
        }
        Ok(())
    }

    /// Queues an event behind everything else; the oldest events go when there are too many.
    pub fn push_event(&mut self, header: Header, payload: Rc<[u8]>) {
        self.event_bytes += frame::wire_length(payload.len());
        self.events.push_back((header, payload));
        while self.event_bytes > EVENT_QUEUE_BYTES {
            let Some((old, payload)) = self.events.pop_front() else { break };
            self.event_bytes -= frame::wire_length(payload.len());
            *self.dropped.entry((old.service, old.method)).or_default() += 1;
        }
    }

    /// The bytes to write next. Events join only when all else is gone, so that a slow reader loses events first.
    pub fn front(&mut self) -> &[u8] {
        if self.taken == self.bytes.len() {
            self.bytes.clear();
            self.taken = 0;
            if self.bytes.capacity() > KEEP_BYTES {
                self.bytes = Vec::new();
            }
            self.take_events();
        }
        &self.bytes[self.taken..]
    }

    fn take_events(&mut self) {
        for ((service, topic_id), dropped) in std::mem::take(&mut self.dropped) {
            let header = Header {
                kind: Kind::Event as u8,
                service: control::ID,
                method: topic::LAGGED,
                source: EndpointId::KERNEL,
                ..Header::default()
            };
            if let Ok(payload) = codec::encode(&Lagged { service, topic: topic_id, dropped }) {
                frame::append(&mut self.bytes, &header, &payload);
            }
        }
        while self.bytes.len() < KEEP_BYTES {
            let Some((header, payload)) = self.events.pop_front() else { break };
            self.event_bytes -= frame::wire_length(payload.len());
            frame::append(&mut self.bytes, &header, &payload);
        }
    }

    /// Notes that the socket took `written` bytes, and names who gets them back.
    pub fn wrote(&mut self, written: usize, mut refund: impl FnMut(Refund)) {
        self.taken += written;
        let mut left = written;
        while left > 0 {
            let Some((sender, bytes)) = self.charges.front_mut() else { break };
            let part = left.min(*bytes);
            left -= part;
            *bytes -= part;
            refund((*sender, part));
            if *bytes == 0 {
                self.charges.pop_front();
            }
        }
    }

    /// Gives everything back: the reader is gone.
    pub fn clear(&mut self, mut refund: impl FnMut(Refund)) {
        for charge in self.charges.drain(..) {
            refund(charge);
        }
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header { kind: Kind::Item as u8, ..Header::default() }
    }

    const A: EndpointId = EndpointId::new(2, 1);
    const B: EndpointId = EndpointId::new(3, 1);

    #[test]
    fn every_byte_is_charged_and_given_back() {
        let mut queue = Queue::default();
        queue.push(A, &header(), &[0; 100], Weight::Ordinary).unwrap();
        queue.push(B, &header(), &[0; 50], Weight::Ordinary).unwrap();
        let total = queue.front().len();
        let mut back = BTreeMap::new();
        for step in [10, 155, total - 165] {
            queue.wrote(step, |(sender, bytes)| *back.entry(sender).or_insert(0) += bytes);
        }
        assert_eq!(back[&A], frame::wire_length(100));
        assert_eq!(back[&B], frame::wire_length(50));
        assert!(queue.is_empty());
    }

    #[test]
    fn a_full_queue_refuses_but_lets_an_end_through() {
        let mut queue = Queue::default();
        let big = vec![0; 1 << 19];
        while queue.push(A, &header(), &big, Weight::Ordinary).is_ok() {}
        assert!(queue.len() <= READER_QUEUE_BYTES);
        let fill = vec![0; READER_QUEUE_BYTES - queue.len() - frame::wire_length(0)];
        queue.push(A, &header(), &fill, Weight::Ordinary).unwrap();
        assert_eq!(queue.push(A, &header(), &[], Weight::Ordinary), Err(Full));
        assert_eq!(queue.push(A, &header(), &[0; 100], Weight::Terminal), Ok(()));
    }

    #[test]
    fn the_oldest_events_go_and_the_reader_is_told_how_many() {
        let mut queue = Queue::default();
        let payload: Rc<[u8]> = vec![0; 60 << 10].into();
        for _ in 0..10 {
            queue.push_event(Header { service: 7, method: 1, ..header() }, Rc::clone(&payload));
        }
        assert!(queue.len() <= EVENT_QUEUE_BYTES);
        let bytes = queue.front().to_vec();
        let first = frame::split(&bytes, frame::FRAME_LIMIT).unwrap().unwrap();
        assert_eq!(first.header.method, topic::LAGGED);
        let lagged: Lagged = codec::decode(first.payload).unwrap();
        assert_eq!((lagged.service, lagged.topic), (7, 1));
        assert!(lagged.dropped >= 5);
    }
}
