//! Headers and frames out of any bytes.

use butterfly_wire::frame::{self, CHUNK_LIMIT, FRAME_LIMIT, FrameFault, HANDSHAKE_LIMIT, LENGTH_BYTES};
use butterfly_wire::header::HEADER_BYTES;
use butterfly_wire::{EndpointId, Flags, Header, Kind, Provenance};
use proptest::prelude::*;

fn headers() -> impl Strategy<Value = Header> {
    let first = (0..7_u8, 0..16_u8, any::<u16>(), any::<u16>(), any::<u16>());
    let peers = (any::<(u32, u32)>(), any::<(u32, u32)>());
    let rest = (any::<u64>(), any::<u64>(), any::<u32>(), any::<u32>(), any::<u64>());
    (first, peers, rest).prop_map(
        |(
            (kind, flags, service, method, provenance),
            (source, destination),
            (correlation, parent, deadline_ms, credit, trace),
        )| Header {
            kind,
            flags: Flags(flags),
            service,
            method,
            provenance: Provenance(provenance),
            source: EndpointId::new(source.0, source.1),
            destination: EndpointId::new(destination.0, destination.1),
            correlation,
            parent,
            deadline_ms,
            credit,
            trace,
        },
    )
}

fn limits() -> impl Strategy<Value = usize> {
    prop_oneof![Just(HANDSHAKE_LIMIT), Just(FRAME_LIMIT)]
}

proptest! {
    #[test]
    fn any_bytes_are_a_frame_an_incomplete_one_or_a_fault(bytes in any::<Vec<u8>>(), limit in limits()) {
        let used = allocation_counter::measure(|| {
            if let Ok(Some(frame)) = frame::split(&bytes, limit) {
                assert!(frame.taken <= bytes.len() && frame.payload.len() + HEADER_BYTES <= limit);
            }
        });
        // Nothing is copied; only a fault has words.
        prop_assert!(used.bytes_max < 256);
    }

    #[test]
    fn any_bytes_are_a_header_or_a_fault(bytes in any::<[u8; HEADER_BYTES]>(), kind in 0..10_u8, flags in 0..32_u8) {
        let mut bytes = bytes;
        let _ = Header::from_bytes(&bytes);
        // The same with a kind and flags that may be known.
        bytes[0] = kind;
        bytes[1] = flags;
        match Header::from_bytes(&bytes) {
            Ok(header) => {
                prop_assert!(kind < 7 && flags < 16);
                prop_assert_eq!(header.to_bytes(), bytes);
            }
            Err(_) => prop_assert!(kind >= 7 || flags >= 16),
        }
    }

    #[test]
    fn frames_come_back_as_they_were_one_after_the_other(sent in proptest::collection::vec((headers(), any::<Vec<u8>>()), 0..8), cut in any::<prop::sample::Index>()) {
        let mut stream = Vec::new();
        for (header, payload) in &sent {
            let before = stream.len();
            frame::append(&mut stream, header, payload);
            prop_assert_eq!(stream.len() - before, frame::wire_length(payload.len()));
        }
        let mut rest = stream.as_slice();
        for (header, payload) in &sent {
            let frame = frame::split(rest, FRAME_LIMIT).unwrap().unwrap();
            prop_assert_eq!(&frame.header, header);
            prop_assert_eq!(frame.payload, payload.as_slice());
            // Not a byte less is enough.
            prop_assert_eq!(frame::split(&rest[..cut.index(frame.taken)], FRAME_LIMIT), Ok(None));
            rest = &rest[frame.taken..];
        }
        prop_assert!(rest.is_empty());
    }
}

#[test]
fn lengths_are_judged_before_a_byte_of_the_body_is_there() {
    let prefix = |length: usize| (length as u32).to_le_bytes();
    for limit in [HANDSHAKE_LIMIT, FRAME_LIMIT] {
        assert_eq!(frame::length(&prefix(limit), limit), Ok(Some(LENGTH_BYTES + limit)));
        let over = FrameFault::TooLong { length: limit + 1, limit };
        assert_eq!(frame::length(&prefix(limit + 1), limit), Err(over.clone()));
        assert_eq!(frame::split(&prefix(limit + 1), limit), Err(over));
        assert!(frame::length(&prefix(u32::MAX as usize), limit).is_err());
    }
    assert_eq!(frame::length(&prefix(HEADER_BYTES - 1), FRAME_LIMIT), Err(FrameFault::TooShort(HEADER_BYTES - 1)));
    assert_eq!(frame::length(&[0; LENGTH_BYTES - 1], FRAME_LIMIT), Ok(None));
    const { assert!(CHUNK_LIMIT + HEADER_BYTES <= FRAME_LIMIT) };
}

#[test]
fn kinds_and_their_bytes_are_one_to_one() {
    for byte in 0..=255 {
        let kind = Kind::from_byte(byte);
        assert_eq!(kind.map(|kind| kind as u8), (usize::from(byte) < Kind::ALL.len()).then_some(byte));
    }
}
