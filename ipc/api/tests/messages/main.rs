//! Every message of every service: golden bytes, any bytes, and back again.

// The lint's exemption for tests covers test functions, not the helpers beside them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod golden;
mod samples;
#[path = "../../../wire/tests/messages/support.rs"]
mod support;

use butterfly_api::health::*;
use butterfly_api::model::*;
use butterfly_api::session::*;
use std::collections::BTreeSet;

/// Calls a generic check once per type, with the type's name.
macro_rules! for_each_message {
    ($check:ident) => {
        for_each_message!($check: Place SendRequest TurnItem EndReason TurnEnd StopRequest Stopped UseModel Role ToolCall
            Message ToolSpec Think Purpose Quote EmbedAs ChatRequest ChatItem Usage Finish ChatEnd ModelInfo Models
            ShowRequest ModelDetails PullRequest PullProgress Pulled RunningModel Running EmbedRequest Embeddings Probe
            Cause ModelError Check Level Report)
    };
    ($check:ident: $($Message:ident)*) => {{
        $( support::$check::<$Message>(stringify!($Message)); )*
        BTreeSet::from([$(stringify!($Message).to_owned()),*])
    }};
}

fn sources() -> BTreeSet<String> {
    [include_str!("../../src/health.rs"), include_str!("../../src/model.rs"), include_str!("../../src/session.rs")]
        .into_iter()
        .flat_map(support::declared)
        .collect()
}

#[test]
fn any_bytes_at_all_neither_panic_nor_take_much_memory() {
    assert_eq!(for_each_message!(withstands_any_bytes), sources(), "a message is missing from this file's list");
}

#[test]
fn encode_and_decode_are_inverse_for_every_message() {
    assert_eq!(for_each_message!(encode_and_decode_are_inverse), sources(), "a message is missing from this list");
}
