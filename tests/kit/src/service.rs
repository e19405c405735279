//! The service `kit`: a worker that echoes, streams, sums, and does harm on request.

use bincode::{Decode, Encode};
use butterfly_wire::{EndpointId, Failure};

/// Argument of `count`.
#[derive(Debug, Clone, Encode, Decode)]
pub struct CountRequest {
    /// Items to stream.
    pub items: u64,
    /// Bytes of each.
    pub bytes: u32,
    /// After this many items the stream waits for ever, if it gets there.
    pub stall_after: Option<u64>,
}

/// What a worker is told to do to itself.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Misbehaviour {
    Abort,
    Panic,
    Exit(i32),
    /// Block the thread that dispatches.
    Hang,
    /// Never answer, but stay alive.
    Ignore,
}

/// What a worker is told to ask of the bus in its own name.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Ask {
    /// Call this method with this payload; `background` opens a trace of its own, else it belongs to the caller's.
    Call { service: u16, method: u16, to: EndpointId, payload: Vec<u8>, background: bool },
    /// What provenance the call had that brought this.
    Provenance,
    /// Send this many echo requests at once and count how they end.
    Flood { to: EndpointId, calls: u32, bytes: u32 },
    /// Publish this text on the topic that `other` follows.
    Publish(String),
    /// What was heard on that topic so far, since `other` prepared itself.
    Heard,
    /// Greet the session bus, if one was handed over.
    SessionBus,
    /// Open this path for reading, or for writing.
    Open { path: String, write: bool },
}

/// How it went.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Answer {
    Reply(Vec<u8>),
    Failed(Failure),
    Provenance(u16),
    Flooded {
        busy: u32,
        answered: u32,
        other: u32,
    },
    Opened(Result<(), String>),
    Published,
    Heard(Vec<String>),
    /// The first line that the bus answered; `None` without a bus.
    SessionBus(Option<String>),
}

/// What the liar is told to do wrong.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Lie {
    ForgedSource,
    NotGranted,
    UnknownCorrelation,
    /// Answer every call number that somebody else might have.
    ForeignCall,
    ItemWithoutCredit,
    NoTrace,
    StaleEndpoint(EndpointId),
    /// Call `to` with no provenance bits and return what it saw.
    ClearedProvenance(EndpointId),
    OversizedLength,
    HalfFrame,
    WrongFlow,
    CreditOverLimit,
}

butterfly_api::service! {
    /// Implemented by the kit's worker.
    pub trait Kit in kit;
    /// Returns its argument.
    unary Echo = ECHO echo(Vec<u8>) => Vec<u8>;
    /// Streams, and returns how many items it sent.
    stream Count = COUNT count(CountRequest) => u64, yields Vec<u8>;
    /// Adds up what is uploaded.
    upload Sum = SUM sum(()) => u64, takes u64;
    /// Does harm to itself.
    unary Misbehave = MISBEHAVE misbehave(Misbehaviour) => ();
    /// Asks the bus for something in its own name.
    unary Relay = RELAY relay(Ask) => Answer;
}
