//! Every message of service 0, and what all services share: golden bytes, any bytes, and back again.

// The lint's exemption for tests covers test functions, not the helpers beside them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod frames;
mod golden;
mod support;

use butterfly_wire::confinement::*;
use butterfly_wire::control::*;
use butterfly_wire::method::Nothing;
use butterfly_wire::{EndpointId, ErrorCode, Failure, Flags, Provenance, codec};
use proptest::prelude::*;

/// Calls a generic check once per type, with the type's name.
macro_rules! for_each {
    ($check:ident: $($Message:ident)*) => {{
        $( support::$check::<$Message>(stringify!($Message)); )*
        [$(stringify!($Message)),*].map(str::to_owned).into()
    }};
}

/// The types of service 0 and those inside them.
macro_rules! for_each_message {
    ($check:ident) => {
        for_each!($check: Welcome Mode Serve Confined Ready Ping Drain Proof Lagged WorkerState WorkerStatus KernelStatus
            Status WorkerChanged Named Topic Traced TraceRequest TraceRecords Exit CrashReport Crashes LogsRequest
            LogLine LogLines Capabilities Principal InstanceLimits Spawn Spawned Kill SetProfile MoveData ProofReport
            Access PathGrant Remaining SessionBus Layer Grade Confinement Canaries Canary Targets Outcome Attempt)
    };
}

/// Those in files of their own.
macro_rules! for_each_shared {
    ($check:ident) => {
        for_each!($check: EndpointId ErrorCode Failure Flags Provenance)
    };
}

fn sources() -> std::collections::BTreeSet<String> {
    [include_str!("../../src/control.rs"), include_str!("../../src/confinement.rs")]
        .into_iter()
        .flat_map(support::declared)
        .collect()
}

#[test]
fn any_bytes_at_all_neither_panic_nor_take_much_memory() {
    let covered: std::collections::BTreeSet<String> = for_each_message!(withstands_any_bytes);
    assert_eq!(covered, sources(), "a message is missing from this file's list");
    let _: Vec<String> = for_each_shared!(withstands_any_bytes);
}

#[test]
fn encode_and_decode_are_inverse_for_every_message() {
    let covered: std::collections::BTreeSet<String> = for_each_message!(encode_and_decode_are_inverse);
    assert_eq!(covered, sources(), "a message is missing from this file's list");
    let _: Vec<String> = for_each_shared!(encode_and_decode_are_inverse);
}

#[test]
fn nested_containers_cannot_add_up_to_more_than_a_few_frames() {
    // Empty strings take one byte of frame and the most memory for it. Each list is as long as what is left allows.
    let mut principals = Vec::new();
    for strings in (1..=20).map(|nth| 40_000 / nth) {
        let list = vec![String::new(); strings];
        principals.push(Principal {
            name: String::new(),
            kind: String::new(),
            serves: list,
            calls: vec![],
            publishes: vec![],
            subscribes: vec![],
            starts: vec![],
            grants: vec![],
            provenance: vec![],
        });
    }
    let mut taken = 0;
    while !principals.is_empty() {
        let bytes = codec::encode(&Capabilities { principals: principals.clone() }).unwrap();
        support::decodes_within_bounds::<Capabilities>("Capabilities", &bytes);
        taken += usize::from(codec::decode::<Capabilities>(&bytes).is_ok());
        principals.pop();
    }
    assert!(taken > 0, "none was accepted, so this shows nothing");
}

#[test]
fn nothing_has_no_encoding() {
    support::withstands_any_bytes::<Nothing>("Nothing");
    for byte in 0..=255 {
        assert!(codec::decode::<Nothing>(&[byte]).is_err());
    }
}

#[test]
fn what_does_not_fit_a_frame_is_refused_by_the_one_who_encodes_it() {
    let most = butterfly_wire::frame::FRAME_LIMIT - butterfly_wire::header::HEADER_BYTES;
    // A length that needs four bytes takes five.
    let fits = codec::encode(&vec![0_u8; most - 5]).unwrap();
    assert_eq!(fits.len(), most);
    assert_eq!(codec::decode::<Vec<u8>>(&fits).unwrap().len(), most - 5);
    assert_eq!(codec::encode(&vec![0_u8; most - 4]), Err(codec::CodecError::TooLong));
}

proptest! {
    #[test]
    fn texts_of_any_script_come_back_as_they_were(message in any::<String>(), detail in any::<Vec<u8>>()) {
        for code in ErrorCode::ALL {
            let failure = Failure { code, message: message.clone(), detail: detail.clone() };
            prop_assert_eq!(codec::decode::<Failure>(&codec::encode(&failure).unwrap()), Ok(failure));
        }
    }

    #[test]
    fn integers_of_any_width_come_back_as_they_were(a in any::<u16>(), b in any::<u32>(), c in any::<u64>(), d in any::<i32>(), e in any::<f32>()) {
        let bytes = codec::encode(&(a, b, c, d)).unwrap();
        prop_assert_eq!(codec::decode::<(u16, u32, u64, i32)>(&bytes), Ok((a, b, c, d)));
        prop_assert_eq!(codec::encode(&e).unwrap(), e.to_le_bytes());
    }

    #[test]
    fn hello_takes_exactly_what_hello_writes(oldest in any::<u16>(), newest in any::<u16>(), worker in any::<bool>(), token in any::<[u8; TOKEN_BYTES]>(), after in any::<Vec<u8>>()) {
        let role = if worker { HelloRole::Worker } else { HelloRole::Client };
        let hello = Hello { oldest, newest, role, token };
        let mut bytes = hello.to_bytes().to_vec();
        prop_assert_eq!(Hello::from_bytes(&bytes[..HELLO_BYTES - 1]), None);
        bytes.extend(after);
        prop_assert_eq!(Hello::from_bytes(&bytes), Some(hello));
    }

    #[test]
    fn strangers_are_no_hello(bytes in any::<Vec<u8>>()) {
        prop_assume!(!bytes.starts_with(b"BFLY"));
        prop_assert_eq!(Hello::from_bytes(&bytes), None);
    }
}
