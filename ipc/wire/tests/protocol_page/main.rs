//! `docs/protocol.md` says what the code does: its tables, figures, message layouts and example bytes are compared.

// The lint's exemption for tests covers test functions, not the helpers beside them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod examples;
mod generated;
mod layouts;
mod page;

use butterfly_wire::catalog::{self, Flow, topic};
use butterfly_wire::control::{HELLO_BYTES, TOKEN_BYTES};
use butterfly_wire::frame::{CHUNK_LIMIT, FRAME_LIMIT, HANDSHAKE_LIMIT, LENGTH_BYTES};
use butterfly_wire::header::HEADER_BYTES;
use butterfly_wire::limits::*;
use butterfly_wire::{EndpointId, ErrorCode, Flags, Header, Kind, Provenance, version};
use page::{number, section, table};

#[test]
fn version_and_frame() {
    assert!(page::PAGE.contains(&format!("version **{}** of the protocol", version::VERSION)));
    let sizes: Vec<_> = table(section("## Frame"), &["part", "bytes"]);
    assert_eq!(sizes[0], ["length", &LENGTH_BYTES.to_string()]);
    assert_eq!(sizes[1], ["header", &HEADER_BYTES.to_string()]);
}

#[test]
fn header_offsets() {
    let all = u64::MAX;
    let set = |field: &str| {
        let mut header = Header::default();
        match field {
            "kind" => header.kind = 0xff,
            "flags" => header.flags = Flags(0xff),
            "service" => header.service = 0xffff,
            "method" => header.method = 0xffff,
            "provenance" => header.provenance = Provenance(0xffff),
            "source slot" => header.source.slot = u32::MAX,
            "source generation" => header.source.generation = u32::MAX,
            "destination slot" => header.destination.slot = u32::MAX,
            "destination generation" => header.destination.generation = u32::MAX,
            "correlation" => header.correlation = all,
            "parent" => header.parent = all,
            "deadline_ms" => header.deadline_ms = u32::MAX,
            "credit" => header.credit = u32::MAX,
            "trace" => header.trace = all,
            other => panic!("the header has no field {other}"),
        }
        header.to_bytes()
    };
    let mut covered = [0_u8; HEADER_BYTES];
    for row in table(section("## Header"), &["offset", "bytes", "field"]) {
        let (offset, bytes) = (number(&row[0]) as usize, number(&row[1]) as usize);
        let encoded = set(&row[2]);
        for (at, byte) in encoded.iter().enumerate() {
            let within = (offset..offset + bytes).contains(&at);
            assert_eq!(*byte == 0xff, within, "byte {at} of {}", row[2]);
            covered[at] += u8::from(within);
        }
    }
    assert_eq!(covered, [1; HEADER_BYTES], "each byte belongs to one field");
}

#[test]
fn kinds() {
    let rows = table(section("### Kinds"), &["number", "kind"]);
    let mut seen: Vec<_> = rows.iter().map(|row| (number(&row[0]), row[1].clone())).collect();
    // End stands there twice, because it means something else from either side.
    seen.dedup();
    let wanted: Vec<_> = Kind::ALL.iter().map(|kind| (*kind as u64, format!("{kind:?}"))).collect();
    assert_eq!(seen, wanted);
}

#[test]
fn flags() {
    let mut all = Flags::NONE;
    for row in table(section("### Flags"), &["bit", "value", "flag"]) {
        let flag = Flags(number(&row[1]) as u8);
        assert_eq!(1 << number(&row[0]), number(&row[1]));
        assert_eq!(format!("{flag:?}"), format!("{{{}}}", row[2]));
        all = all.with(flag);
    }
    assert_eq!(all, Flags::KNOWN);
}

#[test]
fn provenance_bits() {
    let mut all = Provenance::NONE;
    for row in table(section("### Provenance"), &["bit", "value", "name"]) {
        let bit = Provenance(number(&row[1]) as u16);
        assert_eq!(1 << number(&row[0]), number(&row[1]));
        assert_eq!(bit.names().collect::<Vec<_>>(), [row[2].as_str()]);
        all = all.union(bit);
    }
    assert_eq!(all.names().count(), Provenance(u16::MAX).names().count(), "a bit is missing from the page");
}

#[test]
fn flows() {
    let rows = table(section("### Flows"), &["flow"]);
    let wanted = [Flow::Unary, Flow::Stream, Flow::Upload].map(flow);
    assert_eq!(rows.concat(), wanted);
}

#[test]
fn topics() {
    let mut seen = Vec::new();
    for row in table(section("## Events"), &["service", "topic", "name"]) {
        assert_eq!(number(&row[0]), 0);
        let id = number(&row[1]) as u16;
        assert_eq!(row[2], topic::name(0, id));
        seen.push(id);
    }
    use topic::{CONFINED, DRAIN, LAGGED, LOGS, PING, PONG, PROOF, READY, STATS, TRACE, WORKERS};
    assert_eq!(seen, [WORKERS, STATS, TRACE, LOGS, PING, PONG, DRAIN, READY, PROOF, LAGGED, CONFINED]);
    assert!(section("## Events").contains(&format!("At most {} bytes", grouped(EVENT_QUEUE_BYTES as u64))));
}

#[test]
fn topics_of_workers() {
    let rows = table(section("## Events"), &["service", "topic", "event"]);
    let seen: Vec<_> = rows.iter().map(|row| (number(&row[0]) as u16, number(&row[1]) as u16)).collect();
    let wanted = [
        (catalog::vault::ID, topic::SECRET_CHANGED),
        (catalog::config::ID, topic::CONFIG_CHANGED),
        (catalog::conversations::ID, topic::CONVERSATION_CHANGED),
    ];
    assert_eq!(seen, wanted);
}

#[test]
fn hello_layout() {
    let rows = table(section("## Handshake"), &["offset", "bytes"]);
    let mut next = 0;
    for row in &rows {
        assert_eq!(number(&row[0]), next);
        next += number(&row[1]);
    }
    assert_eq!(next as usize, HELLO_BYTES);
    assert_eq!(number(&rows.last().unwrap()[1]) as usize, TOKEN_BYTES);
}

#[test]
fn error_codes() {
    let rows = table(section("## Errors"), &["number", "code", "try again"]);
    assert_eq!(rows.len(), ErrorCode::ALL.len());
    for (row, code) in rows.iter().zip(ErrorCode::ALL) {
        assert_eq!(number(&row[0]), code as u64);
        assert_eq!(row[1], format!("`{}`", code.name()));
        assert_eq!(row[2] != "no", code.is_transient(), "{code}");
    }
}

#[test]
fn limits() {
    let wanted: [(&str, u64); 22] = [
        ("FRAME_LIMIT", FRAME_LIMIT as u64),
        ("CHUNK_LIMIT", CHUNK_LIMIT as u64),
        ("HANDSHAKE_LIMIT", HANDSHAKE_LIMIT as u64),
        ("SENDER_QUEUE_BYTES", SENDER_QUEUE_BYTES as u64),
        ("READER_QUEUE_BYTES", READER_QUEUE_BYTES as u64),
        ("TERMINAL_RESERVE_BYTES", TERMINAL_RESERVE_BYTES as u64),
        ("EVENT_QUEUE_BYTES", EVENT_QUEUE_BYTES as u64),
        ("CALLS_PER_CALLER", CALLS_PER_CALLER as u64),
        ("CALLS_PER_CALLEE", CALLS_PER_CALLEE as u64),
        ("CREDIT_LIMIT", u64::from(CREDIT_LIMIT)),
        ("SUBSCRIPTIONS_PER_PEER", SUBSCRIPTIONS_PER_PEER as u64),
        ("CLIENTS", CLIENTS as u64),
        ("HALF_OPEN_CONNECTIONS", HALF_OPEN_CONNECTIONS as u64),
        ("HANDSHAKE_MS", HANDSHAKE_MS),
        ("PARTIAL_FRAME_MS", PARTIAL_FRAME_MS),
        ("DEADLINE_LIMIT_MS", u64::from(DEADLINE_LIMIT_MS)),
        ("PING_INTERVAL_MS", PING_INTERVAL_MS),
        ("PINGS_MISSED", u64::from(PINGS_MISSED)),
        ("VIOLATIONS_HELD", u64::from(VIOLATIONS_HELD)),
        ("TRACE_RING", TRACE_RING as u64),
        ("CRASH_HEADERS", CRASH_HEADERS as u64),
        ("SOCKET_PATH_BYTES", SOCKET_PATH_BYTES as u64),
    ];
    let rows = table(section("## Limits"), &["limit", "value", ""]);
    let seen: Vec<_> = rows.iter().map(|row| (row[2].trim_matches('`'), number(&row[1]))).collect();
    assert_eq!(seen, wanted);
    // Whoever adds a limit adds a row.
    let source = include_str!("../../src/limits.rs");
    for name in source.lines().filter_map(|line| line.strip_prefix("pub const ")?.split(':').next()) {
        assert!(wanted.iter().any(|(limit, _)| *limit == name), "{name} is not on the page");
    }
}

#[test]
fn figures_in_the_text_are_those_of_the_tables() {
    for (heading, figures) in [
        ("## Where the socket is", vec![grouped(SOCKET_PATH_BYTES as u64), grouped(TOKEN_BYTES as u64)]),
        ("## Frame", vec![format!("below {HEADER_BYTES}"), format!("({})", grouped(FRAME_LIMIT as u64))]),
        ("## Frame", vec![format!("within {} seconds", PARTIAL_FRAME_MS / 1000)]),
        ("### Deadlines", vec![format!("at most {}", grouped(u64::from(DEADLINE_LIMIT_MS)))]),
        ("### Credit", vec![format!("more than {CREDIT_LIMIT} credits"), format!("gets {CREDIT_LIMIT},")]),
        ("## Handshake", vec![format!("within {} seconds", HANDSHAKE_MS / 1000)]),
        ("## Handshake", vec![format!("at most {HANDSHAKE_LIMIT} bytes"), format!("When {CLIENTS} clients")]),
        ("### Violations", vec![format!("At the {VIOLATIONS_HELD}th")]),
        ("### Flows", vec![format!("endpoint is `{}`", EndpointId::KERNEL)]),
    ] {
        for figure in figures {
            assert!(section(heading).contains(&figure), "{heading} does not say {figure:?}");
        }
    }
}

#[test]
fn services_and_methods() {
    let text = section("## Services and methods");
    let seen = table(text, &["service", "name", "served by"]);
    let seen: Vec<_> = seen.iter().map(|row| (number(&row[0]), row[1].as_str())).collect();
    let wanted: Vec<_> = catalog::SERVICES.iter().map(|service| (u64::from(service.id), service.name)).collect();
    assert_eq!(seen, wanted);

    let seen = table(text, &["service", "method", "name", "flow", "idempotent", "deadline"]);
    let methods = catalog::SERVICES.iter().flat_map(|service| service.methods);
    let wanted: Vec<Vec<String>> = methods
        .map(|info| {
            let idempotent = if info.idempotent { "yes" } else { "no" };
            let deadline = format!("{} ms", grouped(u64::from(info.deadline_ms)));
            let (service, method) = (info.service.to_string(), info.method.to_string());
            vec![service, method, info.name.to_owned(), flow(info.flow).to_owned(), idempotent.to_owned(), deadline]
        })
        .collect();
    assert_eq!(seen, wanted);
}

const fn flow(flow: Flow) -> &'static str {
    match flow {
        Flow::Unary => "unary",
        Flow::Stream => "stream",
        Flow::Upload => "upload",
    }
}

/// A number as the page writes it: 1,048,576.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
