//! The page's examples, made by the code.

use crate::page::{PAGE, hex};
use butterfly_wire::catalog::{control, session};
use butterfly_wire::confinement::{Confinement, Grade};
use butterfly_wire::control::{Hello, HelloRole, KernelStatus, Mode, Status, Welcome, WorkerState, WorkerStatus};
use butterfly_wire::{Encode, EndpointId, ErrorCode, Failure, Flags, Header, Kind, Provenance, codec, frame, version};

const CLIENT: EndpointId = EndpointId::new(4, 1);
const BRAINS: EndpointId = EndpointId::new(3, 1);
const TRACE: u64 = 0x5eed_0001;

fn framed(header: &Header, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::append(&mut bytes, header, payload);
    bytes
}

fn encoded<T: Encode>(header: &Header, message: &T) -> Vec<u8> {
    framed(header, &codec::encode(message).unwrap())
}

/// What the client sends about its call 2, `session.send`.
fn from_client(kind: Kind, credit: u32) -> Header {
    Header { kind: kind as u8, flags: Flags::FROM_CALLER, correlation: 2, credit, ..Header::default() }
}

/// What brains sends about it, as delivered.
fn from_brains(kind: Kind, provenance: Provenance) -> Header {
    Header {
        kind: kind as u8,
        service: session::ID,
        method: session::SEND.method,
        provenance,
        source: BRAINS,
        destination: CLIENT,
        correlation: 2,
        trace: TRACE,
        ..Header::default()
    }
}

fn from_kernel(kind: Kind, correlation: u64) -> Header {
    Header { kind: kind as u8, source: EndpointId::KERNEL, destination: CLIENT, correlation, ..Header::default() }
}

fn status() -> Status {
    let kernel = KernelStatus {
        pid: 4711,
        version: "0.1.0".to_owned(),
        uptime_ms: 62_000,
        rss_bytes: 3_565_158,
        cpu_ms: 80,
        socket: "/r/kernel.sock".to_owned(),
        clients: 1,
        warnings: vec![],
    };
    let confinement = Confinement {
        grade: Grade::Full,
        landlock_abi: 7,
        landlock: true,
        seccomp: true,
        no_new_privs: true,
        network: "none".to_owned(),
        missing: vec![],
    };
    let brains = WorkerStatus {
        name: "brains".to_owned(),
        endpoint: BRAINS,
        state: WorkerState::Ready,
        pid: 4713,
        generation: 1,
        restarts: 0,
        uptime_ms: 61_000,
        rss_bytes: 3_774_873,
        cpu_ms: 40,
        in_flight: 0,
        oldest_in_flight_ms: 0,
        queue_bytes: 0,
        messages_in: 250,
        messages_out: 251,
        violations: 0,
        confinement,
        instance_of: String::new(),
    };
    Status { kernel, workers: vec![brains] }
}

/// A request of the client's, with its method.
fn request(service: u16, method: u16, correlation: u64, credit: u32) -> Header {
    Header { service, method, correlation, ..from_client(Kind::Request, credit) }
}

/// Every example. The messages of `session` are spelled out as what they consist of; their golden bytes stand with them.
fn examples() -> Vec<(&'static str, Vec<u8>)> {
    let token = std::array::from_fn(|at| at as u8);
    let hello = Hello { oldest: version::OLDEST, newest: version::VERSION, role: HelloRole::Client, token };
    let welcome = Welcome { version: 1, endpoint: CLIENT, kernel_version: "0.1.0".to_owned(), mode: Mode::Client };
    let to_hello = Header { method: control::HELLO.method, ..from_kernel(Kind::Response, 0) };
    let user = Provenance::USER;
    let both = user.union(Provenance::MODEL);
    let failed = Header { flags: Flags::ERROR, ..from_kernel(Kind::End, 2) };
    let begin = (None::<u64>, "hi", None::<String>);
    let send = request(session::ID, session::SEND.method, 2, 32);
    vec![
        ("hello", framed(&request(control::ID, control::HELLO.method, 0, 0), &hello.to_bytes())),
        ("welcome", encoded(&to_hello, &welcome)),
        ("status", framed(&request(control::ID, control::STATUS.method, 1, 0), &[])),
        ("status reply", encoded(&from_kernel(Kind::Response, 1), &status())),
        ("send", encoded(&send, &begin)),
        ("item started", encoded(&from_brains(Kind::Item, user), &(0_u32, 1_800_000_000_000_u64, 1_u32, TRACE))),
        ("item text", encoded(&from_brains(Kind::Item, both), &(2_u32, "Hello."))),
        ("credit", framed(&from_client(Kind::Credit, 16), &[])),
        ("cancel", framed(&from_client(Kind::Cancel, 0), &[])),
        ("end", encoded(&from_brains(Kind::End, both), &(0_u32, "m:1b"))),
        ("failure", encoded(&failed, &Failure::new(ErrorCode::Unavailable, "model is held"))),
    ]
}

#[test]
fn example_bytes_are_what_the_code_makes() {
    let examples = examples();
    for (name, bytes) in &examples {
        assert_eq!(&hex(name), bytes, "the example {name}");
    }
    assert_eq!(PAGE.matches("\n```hex ").count(), examples.len(), "an example that nothing is compared with");
}

#[test]
fn values_in_the_text_encode_as_it_says() {
    let text = crate::page::section("## Payloads");
    let says = |value: &str, bytes: &[u8]| {
        let hex: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let sentence = format!("{value} is `{}`", hex.join(" "));
        assert!(text.contains(&sentence), "the page does not say that {sentence}");
    };
    says("0", &codec::encode(&0_u64).unwrap());
    says("250", &codec::encode(&250_u32).unwrap());
    says("251", &codec::encode(&251_u16).unwrap());
    says("65,536", &codec::encode(&65_536_u64).unwrap());
    says("−1 (i32)", &codec::encode(&-1_i32).unwrap());
    says("\"hé\"", &codec::encode(&"hé").unwrap());
    says("an optional u16 of 443", &codec::encode(&Some(443_u16)).unwrap());
}

#[test]
fn readers_take_longer_integers_but_none_wider_than_its_type() {
    assert_eq!(codec::decode::<u64>(&[251, 5, 0]), Ok(5));
    assert_eq!(codec::decode::<u64>(&[253, 5, 0, 0, 0, 0, 0, 0, 0]), Ok(5));
    assert!(codec::decode::<u16>(&[252, 5, 0, 0, 0]).is_err());
    assert!(codec::decode::<u32>(&[253, 5, 0, 0, 0, 0, 0, 0, 0]).is_err());
    for marker in [254, 255] {
        assert!(codec::decode::<u64>(&[[marker].as_slice(), &[0; 16]].concat()).is_err());
    }
    assert!(codec::decode::<bool>(&[2]).is_err());
    assert!(codec::decode::<Option<u8>>(&[2, 0]).is_err());
    assert!(codec::decode::<String>(&[1, 0xff]).is_err());
    assert_eq!(codec::encode(&()).unwrap(), [0_u8; 0]);
    assert_eq!(codec::encode(&[7_u8; 3]).unwrap(), [7, 7, 7]);
    assert_eq!(codec::encode(&vec![7_u8; 3]).unwrap(), [3, 7, 7, 7]);
    assert_eq!(codec::encode(&(1_u16, true)).unwrap(), [1, 1]);
    let folded: Vec<_> = [0, -1, 1, -2, 2].iter().map(|value: &i32| codec::encode(value).unwrap()).collect();
    assert_eq!(folded, [[0], [1], [2], [3], [4]]);
}
