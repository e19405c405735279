//! Golden bytes of the services that keep something: a few values of each message, drawn from bytes that never change.

use crate::support::{self, Golden, declared, plausible};
use butterfly_wire::{Decode, Encode, codec};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use std::collections::BTreeSet;

/// Samples per message, and the longest of them: what a reviewer would still look at.
const SAMPLES: usize = 4;
const SAMPLE_BYTES: usize = 200;

/// Draws until then. Every message has its samples long before.
const DRAWS: usize = 4000;

/// Adds values of `T` that the same bytes always lead to: they turn red when a field or a variant moves.
fn add<T: Encode + Decode<()>>(golden: &mut Golden, name: &str) {
    let mut runner = TestRunner::deterministic();
    let cases = plausible();
    let mut seen = BTreeSet::new();
    for _ in 0..DRAWS {
        let mut bytes = cases.new_tree(&mut runner).expect("the strategy always yields").current();
        if let Err(codec::CodecError::LeftOver(rest)) = codec::decode::<T>(&bytes) {
            bytes.truncate(bytes.len() - rest);
        }
        let Ok(value) = codec::decode::<T>(&bytes) else { continue };
        let encoded = codec::encode(&value).expect("what was decoded fits a frame");
        if encoded.len() <= SAMPLE_BYTES && seen.len() < SAMPLES && seen.insert(encoded.clone()) {
            golden.raw(&format!("{name} {}", seen.len()), &encoded);
        }
    }
    assert!(seen.len() >= 2, "{name}: only {} samples", seen.len());
    golden.1.insert(name.to_owned());
}

/// For one service: its messages against its source, samples of each, and what `support` demands of all messages.
macro_rules! service {
    ($module:ident: $($Message:ident)*) => {
        #[test]
        fn $module() {
            use butterfly_api::$module::*;
            let mut golden = Golden::new();
            $(
                add::<$Message>(&mut golden, stringify!($Message));
                support::withstands_any_bytes::<$Message>(stringify!($Message));
            )*
            let declared = declared(include_str!(concat!("../../src/", stringify!($module), ".rs")));
            assert_eq!(golden.1, declared, "a message is missing from this file's list");
            insta::assert_snapshot!(stringify!($module), golden.0);
        }
    };
}

service! {
    config: ValueKind KeyInfo Source Setting ValuesRequest Values ListRequest Settings KeyRequest SetRequest ChangedSetting Document ImportRequest Change Imported Profile Profiles WhichProfile ConfigChanged
}

service! {
    conversations: MessageState Begin Begun PastTurn Summary Save Saved Recovered Conversation ListRequest ConversationPage ShowRequest Transcript StoredMessage SearchRequest Hits Hit Update Which BranchRequest Format ExportRequest Exported Imported Changed
}

service! {
    memory: PassageKind Passage ReasonKind Reason Found AddRequest Added SearchRequest Results RecallRequest Recalled Shown ListRequest Passages Which Details ForgetRequest Forgotten ImportReport IndexProgress Indexed Fact FactsRequest Facts Correction NodeKind Node Edge GraphRequest GraphView ExplainRequest Explanation
}

service! {
    storage: Stats Vacuumed Retained BackedUp Restored
}

service! {
    vault: StoreState Kept SetRequest Stored NameRequest Deleted SecretInfo Secrets Store VaultCause VaultError SecretChanged
}
