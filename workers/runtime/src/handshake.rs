//! Hello and Welcome, spoken with blocking reads: before there is a runtime, a thread, or anything to lose.

use butterfly_client::connect::{ConnectError, hello_header, welcome};
use butterfly_wire::catalog::{control, topic};
use butterfly_wire::control::{Hello, HelloRole, TOKEN_BYTES, Welcome};
use butterfly_wire::frame::{self, FRAME_LIMIT, LENGTH_BYTES};
use butterfly_wire::{Encode, Header, Kind, codec, version};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

/// The bus, as the jail left it on descriptor 0.
///
/// # Errors
/// When descriptor 0 is closed.
pub fn bus_on_stdin() -> io::Result<UnixStream> {
    // A duplicate leaves descriptor 0 itself occupied, so that no file opened later can be mistaken for it.
    Ok(UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?))
}

/// Says Hello and reads exactly the Welcome.
///
/// # Errors
/// When the kernel refuses, or what answers is no kernel.
pub fn shake_hands(bus: &mut UnixStream) -> Result<Welcome, ConnectError> {
    let hello = Hello {
        oldest: version::OLDEST,
        newest: version::VERSION,
        role: HelloRole::Worker,
        // A worker is known by its connection, which the kernel made; the token is the clients'.
        token: [0; TOKEN_BYTES],
    };
    let mut out = Vec::new();
    frame::append(&mut out, &hello_header(), &hello.to_bytes());
    bus.write_all(&out)?;
    let mut answer = vec![0; LENGTH_BYTES];
    bus.read_exact(&mut answer)?;
    let total = frame::length(&answer, FRAME_LIMIT)
        .map_err(|fault| ConnectError::Stranger(fault.to_string()))?
        .unwrap_or(LENGTH_BYTES);
    answer.resize(total, 0);
    bus.read_exact(&mut answer[LENGTH_BYTES..])?;
    welcome(&answer)
}

/// Sends one event of service 0 with a blocking write: for what is said before the runtime runs.
///
/// # Errors
/// When the bus is gone.
pub fn send_event<T: Encode>(bus: &mut UnixStream, topic: u16, value: &T) -> io::Result<()> {
    let payload = codec::encode(value).map_err(io::Error::other)?;
    let header = Header { kind: Kind::Event as u8, service: control::ID, method: topic, ..Header::default() };
    let mut out = Vec::new();
    frame::append(&mut out, &header, &payload);
    bus.write_all(&out)
}

/// Reports that this worker can serve.
///
/// # Errors
/// When the bus is gone.
pub fn send_ready(bus: &mut UnixStream, ready: &butterfly_wire::control::Ready) -> io::Result<()> {
    send_event(bus, topic::READY, ready)
}
