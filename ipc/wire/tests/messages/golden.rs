//! Golden bytes: one representative value of every message of service 0 and of every variant, so that any change of
//! layout turns red. `docs/protocol.md` describes the same bytes in words.

use crate::support::Golden;
use butterfly_wire::confinement::*;
use butterfly_wire::control::*;
use butterfly_wire::frame;
use butterfly_wire::{EndpointId, ErrorCode, Failure, Flags, Header, Kind, Provenance, catalog};
use std::collections::BTreeSet;

fn header() -> Header {
    Header {
        kind: Kind::Request as u8,
        flags: Flags::FROM_CALLER.with(Flags::BACKGROUND),
        service: catalog::model::ID,
        method: catalog::model::CHAT.method,
        provenance: Provenance::USER.union(Provenance::MODEL),
        source: EndpointId::new(3, 2),
        destination: EndpointId::new(4, 1),
        correlation: 0x0102_0304_0506_0708,
        parent: 0x1112_1314_1516_1718,
        deadline_ms: 60_000,
        credit: 32,
        trace: 0x2122_2324_2526_2728,
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn confinement() -> Confinement {
    Confinement {
        grade: Grade::Reduced,
        landlock_abi: 4,
        landlock: true,
        seccomp: true,
        no_new_privs: true,
        network: "tcp 11434".to_owned(),
        missing: texts(&["signal scope"]),
    }
}

fn remaining() -> Remaining {
    Remaining {
        paths: vec![PathGrant::read("/etc/ssl/certs"), PathGrant::read_write("/d")],
        tcp_ports: vec![53, 443, 11434],
        landlock_abi: 7,
        file_modes: true,
        session_bus: SessionBus::Filtered,
        without: vec![],
    }
}

fn canaries() -> Canaries {
    Canaries { file: "/h/f".to_owned(), folder: "/h".to_owned(), kernel_pid: 4711 }
}

fn targets() -> Targets {
    Targets {
        home: "/h".to_owned(),
        file: "/h/f".to_owned(),
        folder: "/h/d".to_owned(),
        program: "/bin/true".to_owned(),
        kernel_pid: 4711,
        sibling_pid: 4712,
        tcp_port: 40_001,
        udp_port: 40_002,
        unix_path: "/r/s".to_owned(),
        abstract_name: "name".to_owned(),
    }
}

fn serve() -> Serve {
    Serve {
        name: "model".to_owned(),
        overrides: vec![("MODEL".to_owned(), "m:1b".to_owned())],
        remaining: remaining(),
        canaries: canaries(),
        roles: vec![(1, "memory".to_owned()), (4, "brains".to_owned())],
    }
}

fn attempt(outcome: Outcome) -> Attempt {
    Attempt { name: "file.read".to_owned(), grant: "read /h/f".to_owned(), outcome }
}

fn denied() -> Outcome {
    Outcome::Denied { error: "EACCES".to_owned() }
}

fn traced() -> Traced {
    Traced { at_us: 1_000_000, header: header().to_bytes(), payload_bytes: 256 }
}

fn worker(state: WorkerState) -> WorkerStatus {
    WorkerStatus {
        name: "model".to_owned(),
        endpoint: EndpointId::new(4, 2),
        state,
        pid: 4712,
        generation: 2,
        restarts: 1,
        uptime_ms: 61_000,
        rss_bytes: 9_000_000,
        cpu_ms: 120,
        in_flight: 1,
        oldest_in_flight_ms: 250,
        queue_bytes: 251,
        messages_in: 252,
        messages_out: 65_536,
        violations: 0,
        confinement: confinement(),
        instance_of: String::new(),
    }
}

fn kernel() -> KernelStatus {
    KernelStatus {
        pid: 4711,
        version: "0.1.0".to_owned(),
        uptime_ms: 62_000,
        rss_bytes: 5_000_000_000,
        cpu_ms: 80,
        socket: "/r/kernel.sock".to_owned(),
        clients: 1,
        warnings: texts(&["started by root"]),
    }
}

fn crash(exit: Exit) -> CrashReport {
    CrashReport {
        worker: "model".to_owned(),
        generation: 1,
        pid: 4712,
        at_unix_ms: 1_800_000_000_000,
        uptime_ms: 5_000,
        exit,
        cause: "it was killed".to_owned(),
        stderr_tail: texts(&["last words"]),
        in_flight: texts(&["model.chat"]),
        headers: vec![traced()],
    }
}

fn line() -> LogLine {
    LogLine { worker: "model".to_owned(), at_unix_ms: 1_800_000_000_000, line: "ready".to_owned() }
}

fn principal() -> Principal {
    Principal {
        name: "brains".to_owned(),
        kind: "worker".to_owned(),
        serves: texts(&["session"]),
        calls: texts(&["model.chat"]),
        publishes: vec![],
        subscribes: vec![],
        starts: vec![],
        grants: texts(&["none"]),
        provenance: texts(&["model"]),
    }
}

#[test]
fn frame_header_hello_and_failure() {
    let mut golden = Golden::new();
    golden.raw("Header", &header().to_bytes());
    let mut bytes = Vec::new();
    frame::append(&mut bytes, &header(), b"payload");
    golden.raw("frame with 7 bytes of payload", &bytes);
    let token = std::array::from_fn(|at| at as u8);
    for role in [HelloRole::Client, HelloRole::Worker] {
        golden.raw(&format!("Hello {role:?}"), &Hello { oldest: 1, newest: 0x0102, role, token }.to_bytes());
    }
    for code in ErrorCode::ALL {
        golden.add(code.name(), &Failure::new(code, "why"));
    }
    golden.add("with detail", &Failure { code: ErrorCode::Declared, message: "é".to_owned(), detail: vec![0, 255] });
    insta::assert_snapshot!("frames", golden.0);
}

fn handshake() -> Golden {
    let mut golden = Golden::new();
    let modes = [
        ("client", Mode::Client),
        ("serve", Mode::Serve(serve())),
        ("prove", Mode::Prove { name: "model".to_owned(), remaining: remaining(), targets: targets() }),
        ("control", Mode::Control { name: "model".to_owned(), targets: targets() }),
    ];
    for (which, mode) in modes {
        golden.add(which, &mode);
    }
    let endpoint = EndpointId::new(17, 1);
    golden.add("", &Welcome { version: 1, endpoint, kernel_version: "0.1.0".to_owned(), mode: Mode::Client });
    golden.add("", &serve());
    let through = Canary { name: "signal".to_owned(), denied_by: None };
    let stopped = Canary { name: "file".to_owned(), denied_by: Some("EACCES".to_owned()) };
    golden.add("", &Confined { canaries: vec![stopped.clone(), through.clone()] });
    golden.add("", &Ready { canaries: vec![stopped, through] });
    golden.add("", &Ping { nonce: 0x0102_0304_0506_0708 });
    golden.add("", &Drain { within_ms: 2_000 });
    golden.add("", &Proof { attempt: Some(attempt(denied())), last: false });
    golden.add("last", &Proof { attempt: None, last: true });
    golden.add("", &Lagged { service: 0, topic: 3, dropped: 1_000 });
    golden
}

fn clients() -> Golden {
    let mut golden = Golden::new();
    let states = [
        WorkerState::Starting,
        WorkerState::Ready,
        WorkerState::Draining,
        WorkerState::Stopped,
        WorkerState::Backoff { remaining_ms: 400 },
        WorkerState::Held { reason: "it crashed".to_owned() },
    ];
    for state in &states {
        golden.add(state.name(), state);
    }
    golden.add("", &worker(WorkerState::Ready));
    golden.add("", &kernel());
    golden.add("", &Status { kernel: kernel(), workers: vec![worker(WorkerState::Ready)] });
    golden.add("", &WorkerChanged { name: "model".to_owned(), generation: 2, state: WorkerState::Starting });
    golden.add("", &Named { name: "model".to_owned() });
    golden.add("", &Topic { service: 0, topic: 2 });
    golden.add("", &traced());
    golden.add("", &TraceRequest { trace: Some(9), most: 64 });
    golden.add("of all", &TraceRequest { trace: None, most: 251 });
    golden.add("", &TraceRecords { records: vec![traced()], names: vec![(EndpointId::new(4, 2), "model".to_owned())] });
    for exit in [Exit::Code(101), Exit::Code(-1), Exit::Signal(9), Exit::Killed] {
        golden.add(&format!("{exit:?}"), &exit);
    }
    golden.add("", &crash(Exit::Signal(9)));
    golden.add("", &Crashes { reports: vec![crash(Exit::Code(1))] });
    golden.add("", &LogsRequest { worker: Some("model".to_owned()), most_lines: 100 });
    golden.add("", &line());
    golden.add("", &LogLines { lines: vec![line()] });
    golden.add("", &principal());
    golden.add("", &Capabilities { principals: vec![principal()] });
    golden
}

fn instances() -> Golden {
    let mut golden = Golden::new();
    let limits = InstanceLimits { memory_bytes: 64 << 20, wall_ms: 30_000 };
    golden.add("", &limits);
    golden.add("", &Spawn { class: "exec".to_owned(), paths: vec![PathGrant::read("/p")], limits });
    golden.add("", &Spawned { endpoint: EndpointId::new(20, 1), pid: 4720 });
    golden.add("", &Kill { endpoint: EndpointId::new(20, 1) });
    let paths = Some(vec![PathGrant::read_write("/d")]);
    golden.add("", &SetProfile { worker: "model".to_owned(), tcp_ports: Some(vec![1234]), paths });
    golden.add("unchanged", &SetProfile { worker: "model".to_owned(), tcp_ports: None, paths: None });
    golden.add("", &MoveData { to: "/disk/butterfly".to_owned() });
    golden.add("home", &MoveData { to: String::new() });
    let report = ProofReport {
        worker: "model".to_owned(),
        twin: vec![attempt(denied())],
        control: vec![attempt(Outcome::Succeeded)],
        live: vec![],
        missing: texts(&["signal scope"]),
    };
    golden.add("", &report);
    for access in [Access::Read, Access::Execute, Access::ReadWrite] {
        golden.add(&format!("{access:?}"), &access);
        golden.add(&format!("{access:?}"), &PathGrant { path: "/p".to_owned(), access });
    }
    golden.add("", &remaining());
    golden.add("without layers", &Remaining { without: Layer::ALL.to_vec(), ..Remaining::default() });
    for bus in [SessionBus::None, SessionBus::Filtered, SessionBus::Direct] {
        golden.add(&format!("{bus:?}"), &bus);
    }
    for layer in Layer::ALL {
        golden.add(layer.name(), &layer);
    }
    for grade in [Grade::Full, Grade::Reduced, Grade::None] {
        golden.add(grade.name(), &grade);
    }
    golden.add("", &confinement());
    golden.add("", &canaries());
    golden.add("", &Canary { name: "file".to_owned(), denied_by: Some("EACCES".to_owned()) });
    golden.add("", &targets());
    for outcome in [denied(), Outcome::Succeeded, Outcome::NotTestable { why: "no IPv6".to_owned() }] {
        golden.add("", &outcome);
        golden.add("", &attempt(outcome));
    }
    golden
}

#[test]
fn messages_of_the_handshake_and_of_supervision() {
    insta::assert_snapshot!("handshake", handshake().0);
}

#[test]
fn messages_that_clients_ask_for() {
    insta::assert_snapshot!("clients", clients().0);
}

#[test]
fn messages_about_instances_profiles_and_proofs() {
    insta::assert_snapshot!("confinement", instances().0);
}

#[test]
fn every_message_of_service_0_has_golden_bytes() {
    let golden: BTreeSet<_> = [handshake(), clients(), instances()].into_iter().flat_map(|golden| golden.1).collect();
    let missing: BTreeSet<_> = crate::sources().difference(&golden).cloned().collect();
    assert_eq!(missing, BTreeSet::new(), "messages without golden bytes");
}
