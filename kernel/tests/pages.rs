//! The figures that the pages give are those of the code.

use butterfly_kernel::manifest::{SMALL, STORE};
use butterfly_kernel::supervisor::Policy;
use butterfly_sandbox::{FLOOR_ABI, FULL_ABI, JailExit, Missing};
use butterfly_wire::frame::{CHUNK_LIMIT, FRAME_LIMIT};
use butterfly_wire::limits::{
    CALLS_PER_CALLEE, CALLS_PER_CALLER, CLIENTS, CRASH_HEADERS, CREDIT_LIMIT, EVENT_QUEUE_BYTES, HALF_OPEN_CONNECTIONS,
    PARTIAL_FRAME_MS, PING_INTERVAL_MS, PINGS_MISSED, READER_QUEUE_BYTES, SENDER_QUEUE_BYTES, SUBSCRIPTIONS_PER_PEER,
    TERMINAL_RESERVE_BYTES, TRACE_RING, VIOLATIONS_HELD,
};

#[track_caller]
fn assert_says(page: &str, sentences: &[String]) {
    let missing: Vec<_> = sentences.iter().filter(|sentence| !page.contains(sentence.as_str())).collect();
    assert!(missing.is_empty(), "the page does not say {missing:#?}");
}

#[test]
fn supervision_gives_the_constants_of_the_supervisor() {
    let policy = Policy::default();
    let pauses: Vec<_> = (0..4).map(|nth| (policy.backoff * (1 << nth)).as_millis().to_string()).collect();
    let says = [
        format!("| failures in a window before it is held | more than {} |", policy.restarts),
        format!("| the window | {} s |", policy.window.as_secs()),
        format!("| second to fifth | {} ms |", pauses.join(", ")),
        format!("at most {} s |", policy.backoff_limit.as_secs()),
        format!("| wait for the first worker | {} s |", policy.first_limit.as_secs()),
        format!("| start to confined | {} s |", policy.start_limit.as_secs()),
        format!("| confined to Ready | {} min |", policy.prepare_limit.as_secs() / 60),
        format!("| drain | {} s |", policy.drain_limit.as_secs()),
        format!("| SIGTERM to SIGKILL | {} ms |", policy.term_limit.as_millis()),
        format!("| ping | every {} s, to ready workers |", PING_INTERVAL_MS / 1000),
        format!("| unanswered pings | {PINGS_MISSED} |"),
        format!("| a frame begun and not finished | {} s |", PARTIAL_FRAME_MS / 1000),
        format!("| violations of the protocol | {VIOLATIONS_HELD} in one generation |"),
        format!("- the last {CRASH_HEADERS} headers to and from it."),
    ];
    assert_says(include_str!("../../docs/supervision.md"), &says);
}

#[test]
fn supervision_lists_every_exit_code_of_the_jail() {
    let page = include_str!("../../docs/supervision.md");
    let listed: Vec<i32> =
        page.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" |")?.0.parse().ok()).collect();
    assert_eq!(listed, JailExit::ALL.map(|exit| i32::from(exit.code())));
}

#[test]
fn architecture_gives_the_bounds_of_every_queue() {
    let says = [
        format!("| one frame | {} MiB |", FRAME_LIMIT >> 20),
        format!("| one item of a stream | {} KiB |", CHUNK_LIMIT >> 10),
        format!("| bytes of one sender that wait in the kernel | {} MiB |", SENDER_QUEUE_BYTES >> 20),
        format!(
            "| bytes that wait for one reader | {} MiB, and {} KiB for what ends something |",
            READER_QUEUE_BYTES >> 20,
            TERMINAL_RESERVE_BYTES >> 10
        ),
        format!("| events that wait for one subscriber | {} KiB |", EVENT_QUEUE_BYTES >> 10),
        format!("| items without further credit | {CREDIT_LIMIT} a call |"),
        format!("| open calls of one caller / callee | {CALLS_PER_CALLER} / {CALLS_PER_CALLEE} |"),
        format!("| topics of one subscriber | {SUBSCRIPTIONS_PER_PEER} |"),
        format!("| clients / connections before their Hello | {CLIENTS} / {HALF_OPEN_CONNECTIONS} |"),
        format!("| violations of one connection | {VIOLATIONS_HELD} |"),
        format!("The last {TRACE_RING} headers are in a ring"),
    ];
    assert_says(include_str!("../../docs/architecture.md"), &says);
}

#[test]
fn the_threat_model_gives_the_limits_and_what_older_systems_lack() {
    let mut says = vec![
        format!("The least that is acceptable is Landlock ABI {FLOOR_ABI} "),
        format!("*Full* means ABI {FULL_ABI} "),
        format!(
            "limits on data ({} MiB), files ({} bytes) and descriptors ({})",
            SMALL.data_bytes >> 20,
            SMALL.file_bytes,
            SMALL.open_files
        ),
        format!(
            "memory, which keeps files: {} GiB, {} GiB and {}",
            STORE.data_bytes >> 30,
            STORE.file_bytes >> 30,
            STORE.open_files
        ),
        format!("breaks the protocol {VIOLATIONS_HELD} times is held"),
    ];
    says.extend(
        [Missing::TcpPorts, Missing::BusFilter, Missing::AuditRecords]
            .map(|missing| format!("Named as \"{}\"", missing.name())),
    );
    assert_says(include_str!("../../docs/threat-model.md"), &says);
}
