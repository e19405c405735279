//! How a client reaches the kernel: socket, token, handshake.

use crate::bus::Bus;
use crate::connection;
use crate::serve::NoHandler;
use butterfly_wire::control::{HELLO_BYTES, Hello, HelloRole, TOKEN_BYTES, Welcome};
use butterfly_wire::frame::{self, FRAME_LIMIT, LENGTH_BYTES};
use butterfly_wire::limits::HANDSHAKE_MS;
use butterfly_wire::place::Place;
use butterfly_wire::{Failure, Flags, Header, Kind, catalog, codec, version};
use interprocess::local_socket::tokio::Stream;
use interprocess::local_socket::traits::tokio::Stream as _;
use interprocess::local_socket::{GenericFilePath, ToFsName};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Why there is no connection.
#[derive(Debug, Error)]
pub enum ConnectError {
    #[error("no kernel runs at {0}; start it with `butterfly up`")]
    NotRunning(PathBuf),
    #[error("{path} belongs to somebody else (user {owner}); refusing to talk to it")]
    Foreign { path: PathBuf, owner: u32 },
    #[error("{path} cannot be looked into: {fault}; it must be yours")]
    Unreadable { path: PathBuf, fault: std::io::Error },
    #[error("the token in {path} cannot be read: {fault}; restart the kernel with `butterfly down` and `butterfly up`")]
    Token { path: PathBuf, fault: std::io::Error },
    #[error("the kernel refused the connection: {0}")]
    Refused(Failure),
    #[error("the kernel at {0} did not answer in time; look at its log or restart it")]
    Silent(PathBuf),
    #[error("the connection to the kernel broke: {0}")]
    Broken(#[from] std::io::Error),
    #[error("what answers on the socket is no ButterFly Bot kernel: {0}")]
    Stranger(String),
}

/// Connects a client to the kernel of this place. Must be called inside a tokio runtime.
///
/// # Errors
/// A [`ConnectError`]; its text says what to do.
pub async fn connect(place: &Place) -> Result<(Bus, Welcome), ConnectError> {
    let socket = place.socket();
    own(place)?;
    let name = socket.as_path().to_fs_name::<GenericFilePath>()?;
    let mut stream = match Stream::connect(name).await {
        Ok(stream) => stream,
        Err(fault) => {
            return Err(match fault.kind() {
                std::io::ErrorKind::NotFound | std::io::ErrorKind::ConnectionRefused => {
                    ConnectError::NotRunning(socket)
                }
                _ => ConnectError::Broken(fault),
            });
        }
    };
    let token = read_token(place)?;
    let hello = Hello { oldest: version::OLDEST, newest: version::VERSION, role: HelloRole::Client, token };
    let limit = Duration::from_millis(HANDSHAKE_MS);
    let welcome = tokio::time::timeout(limit, shake_hands(&mut stream, &hello))
        .await
        .map_err(|_| ConnectError::Silent(socket))??;
    Ok((connection::start(stream, Arc::new(NoHandler)), welcome))
}

/// Says Hello and waits for Welcome, reading not a byte more.
///
/// # Errors
/// [`ConnectError::Refused`] with the kernel's reason, [`ConnectError::Stranger`] for an answer that is none.
pub async fn shake_hands<S>(stream: &mut S, hello: &Hello) -> Result<Welcome, ConnectError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut out = Vec::with_capacity(frame::wire_length(HELLO_BYTES));
    frame::append(&mut out, &hello_header(), &hello.to_bytes());
    stream.write_all(&out).await?;
    let mut answer = vec![0; LENGTH_BYTES];
    stream.read_exact(&mut answer).await?;
    let stranger = |fault: &dyn std::fmt::Display| ConnectError::Stranger(fault.to_string());
    let total = frame::length(&answer, FRAME_LIMIT).map_err(|fault| stranger(&fault))?.unwrap_or_default();
    answer.resize(total, 0);
    stream.read_exact(&mut answer[LENGTH_BYTES..]).await?;
    welcome(&answer)
}

/// The header of a Hello frame.
#[must_use]
pub fn hello_header() -> Header {
    Header {
        kind: Kind::Request as u8,
        flags: Flags::FROM_CALLER,
        service: catalog::control::ID,
        method: catalog::control::HELLO.method,
        ..Header::default()
    }
}

/// Reads the frame that answers a Hello.
///
/// # Errors
/// As [`shake_hands`].
pub fn welcome(answer: &[u8]) -> Result<Welcome, ConnectError> {
    let stranger = |fault: &dyn std::fmt::Display| ConnectError::Stranger(fault.to_string());
    let frame = frame::split(answer, FRAME_LIMIT)
        .map_err(|fault| stranger(&fault))?
        .ok_or_else(|| ConnectError::Stranger("its answer is incomplete".to_owned()))?;
    if frame.header.is_error() {
        return Err(ConnectError::Refused(codec::decode(frame.payload).map_err(|fault| stranger(&fault))?));
    }
    codec::decode(frame.payload).map_err(|fault| stranger(&fault))
}

/// The socket's folder must be the user's own: in a shared folder, a stranger may have been there first.
fn own(place: &Place) -> Result<(), ConnectError> {
    let socket = place.socket();
    let Some(folder) = socket.parent() else { return Ok(()) };
    let look = |fault: std::io::Error| match fault.kind() {
        std::io::ErrorKind::NotFound => ConnectError::NotRunning(socket.clone()),
        _ => ConnectError::Unreadable { path: folder.to_owned(), fault },
    };
    let found = std::fs::symlink_metadata(folder).map_err(look)?;
    // The token's folder is under the user's home or runtime folder: its owner is the user.
    let home = std::fs::metadata(&place.runtime).map_err(look)?;
    if found.uid() != home.uid() || !found.is_dir() {
        return Err(ConnectError::Foreign { path: folder.to_owned(), owner: found.uid() });
    }
    Ok(())
}

fn read_token(place: &Place) -> Result<[u8; TOKEN_BYTES], ConnectError> {
    let path = place.token();
    let bytes = std::fs::read(&path).map_err(|fault| ConnectError::Token { path: path.clone(), fault })?;
    bytes.try_into().map_err(|_| ConnectError::Token {
        path,
        fault: std::io::Error::new(std::io::ErrorKind::InvalidData, "it has the wrong length"),
    })
}
