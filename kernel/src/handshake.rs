//! Hello and Welcome, on the kernel's side.

use butterfly_wire::control::{Hello, TOKEN_BYTES, Welcome};
use butterfly_wire::frame::{self, HANDSHAKE_LIMIT, LENGTH_BYTES};
use butterfly_wire::{EndpointId, ErrorCode, Failure, Flags, Header, Kind, catalog, codec, version};
use std::io;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Why a connection gets no further than its Hello. The peer's fault.
#[derive(Debug, Error)]
pub enum Refusal {
    #[error("the connection ended: {0}")]
    Ended(#[from] io::Error),
    #[error("the first frame is no Hello")]
    NoHello,
    #[error(
        "no common protocol version: this kernel speaks {} to {}, the peer {oldest} to {newest}; update the older of the two",
        version::OLDEST,
        version::VERSION
    )]
    Version { oldest: u16, newest: u16 },
    #[error("the token is not this start's; read it anew from the runtime folder")]
    Token,
}

/// Reads a Hello and agrees on a version. Reads not a byte beyond it.
///
/// # Errors
/// A [`Refusal`]; the caller may tell the peer.
pub async fn read_hello<S: AsyncRead + Unpin>(stream: &mut S) -> Result<(Hello, u16, u64), Refusal> {
    let mut bytes = vec![0; LENGTH_BYTES];
    stream.read_exact(&mut bytes).await?;
    let total = frame::length(&bytes, HANDSHAKE_LIMIT).ok().flatten().ok_or(Refusal::NoHello)?;
    bytes.resize(total, 0);
    stream.read_exact(&mut bytes[LENGTH_BYTES..]).await?;
    let frame = frame::split(&bytes, HANDSHAKE_LIMIT).ok().flatten().ok_or(Refusal::NoHello)?;
    let is_hello = frame.header.kind() == Some(Kind::Request)
        && frame.header.service == catalog::control::ID
        && frame.header.method == catalog::control::HELLO.method;
    let hello = Hello::from_bytes(frame.payload).filter(|_| is_hello).ok_or(Refusal::NoHello)?;
    let agreed = version::agree(hello.oldest, hello.newest)
        .ok_or(Refusal::Version { oldest: hello.oldest, newest: hello.newest })?;
    Ok((hello, agreed, frame.header.correlation))
}

/// Answers a Hello.
///
/// # Errors
/// When the connection is gone.
pub async fn send_welcome<S: AsyncWrite + Unpin>(
    stream: &mut S,
    welcome: &Welcome,
    correlation: u64,
) -> io::Result<()> {
    let payload = codec::encode(welcome).map_err(io::Error::other)?;
    answer(stream, Flags::NONE, correlation, welcome.endpoint, &payload).await
}

/// Tells a peer why it is refused.
///
/// # Errors
/// When the connection is gone.
pub async fn send_refusal<S: AsyncWrite + Unpin>(stream: &mut S, refusal: &Refusal) -> io::Result<()> {
    let code = match refusal {
        Refusal::Token => ErrorCode::Denied,
        Refusal::Ended(_) | Refusal::NoHello | Refusal::Version { .. } => ErrorCode::Protocol,
    };
    let payload = codec::encode(&Failure::new(code, refusal.to_string())).map_err(io::Error::other)?;
    answer(stream, Flags::ERROR, 0, EndpointId::ANY, &payload).await
}

async fn answer<S: AsyncWrite + Unpin>(
    stream: &mut S,
    flags: Flags,
    correlation: u64,
    destination: EndpointId,
    payload: &[u8],
) -> io::Result<()> {
    let header = Header {
        kind: Kind::Response as u8,
        flags,
        service: catalog::control::ID,
        method: catalog::control::HELLO.method,
        source: EndpointId::KERNEL,
        destination,
        correlation,
        ..Header::default()
    };
    let mut out = Vec::new();
    frame::append(&mut out, &header, payload);
    stream.write_all(&out).await
}

/// Compares tokens without telling by the time it takes where they differ.
#[must_use]
pub fn same_token(a: &[u8; TOKEN_BYTES], b: &[u8; TOKEN_BYTES]) -> bool {
    a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}
