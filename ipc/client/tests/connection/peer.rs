//! The hand at the other end of the pipe, and the methods that are called through it.

use butterfly_client::{Bus, Handler, Incoming, NoHandler, start};
use butterfly_wire::catalog::{MethodInfo, kit};
use butterfly_wire::frame::{self, FRAME_LIMIT, LENGTH_BYTES};
use butterfly_wire::method::Nothing;
use butterfly_wire::{Encode, ErrorCode, Failure, Flags, Header, Kind, Method, codec};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// Bytes that fit the pipe: as much as a socket's buffer.
const PIPE_BYTES: usize = 64 << 10;

/// So that a test fails instead of hanging: much longer than anything that a test waits for.
const PATIENCE: Duration = Duration::from_secs(60);

macro_rules! method {
    ($(#[$doc:meta])* $Marker:ident = $ROW:ident, $Request:ty, $Item:ty, $Upload:ty, $Reply:ty) => {
        $(#[$doc])*
        pub struct $Marker;

        impl Method for $Marker {
            const INFO: &'static MethodInfo = &kit::$ROW;
            type Request = $Request;
            type Item = $Item;
            type Upload = $Upload;
            type Reply = $Reply;
        }
    };
}

method!(
    /// Unary and idempotent.
    Echo = ECHO, String, Nothing, Nothing, String
);
method!(
    /// Unary, to be done once.
    Once = MISBEHAVE, String, Nothing, Nothing, String
);
method!(
    /// A stream.
    Count = COUNT, u32, u32, Nothing, String
);
method!(
    /// A stream of texts, on the same row.
    Texts = COUNT, u32, String, Nothing, String
);
method!(
    /// An upload.
    Sum = SUM, (), Nothing, u32, u32
);

pub struct Peer {
    stream: DuplexStream,
}

/// A client's connection, and its peer.
pub fn client() -> (Bus, Peer) {
    serving(Arc::new(NoHandler), PIPE_BYTES)
}

/// A connection with a handler, and its peer, over a pipe that holds `bytes`.
pub fn serving(handler: Arc<dyn Handler>, bytes: usize) -> (Bus, Peer) {
    let (near, far) = tokio::io::duplex(bytes);
    (start(near, handler), Peer { stream: far })
}

impl Peer {
    pub async fn read(&mut self) -> (Header, Vec<u8>) {
        self.try_read().await.expect("the connection ended instead of sending a frame")
    }

    /// The next frame; `None` when the other side has closed the pipe.
    pub async fn try_read(&mut self) -> Option<(Header, Vec<u8>)> {
        tokio::time::timeout(PATIENCE, self.next_frame()).await.expect("nothing was sent")
    }

    async fn next_frame(&mut self) -> Option<(Header, Vec<u8>)> {
        let mut bytes = vec![0; LENGTH_BYTES];
        self.stream.read_exact(&mut bytes).await.ok()?;
        let total = frame::length(&bytes, FRAME_LIMIT).unwrap().unwrap();
        bytes.resize(total, 0);
        self.stream.read_exact(&mut bytes[LENGTH_BYTES..]).await.ok()?;
        let frame = frame::split(&bytes, FRAME_LIMIT).unwrap().unwrap();
        Some((frame.header, frame.payload.to_vec()))
    }

    /// The next frame, which must be a request.
    pub async fn request(&mut self) -> (Header, Vec<u8>) {
        let (header, payload) = self.read().await;
        assert_eq!(header.kind(), Some(Kind::Request), "{header:?}");
        assert!(header.from_caller());
        (header, payload)
    }

    pub async fn write(&mut self, header: Header, payload: &[u8]) {
        let mut bytes = Vec::new();
        frame::append(&mut bytes, &header, payload);
        self.bytes(&bytes).await;
    }

    pub async fn bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Sends about the call with this correlation id, as its callee.
    pub async fn say<T: Encode>(&mut self, kind: Kind, correlation: u64, value: &T) {
        self.write(about(kind, correlation), &codec::encode(value).unwrap()).await;
    }

    pub async fn fail(&mut self, kind: Kind, correlation: u64, code: ErrorCode) {
        let header = Header { flags: Flags::ERROR, ..about(kind, correlation) };
        self.write(header, &codec::encode(&Failure::new(code, code.name())).unwrap()).await;
    }

    /// Sends about the call with this correlation id, as its caller.
    pub async fn ask<T: Encode>(&mut self, header: Header, value: &T) {
        let header = Header { flags: header.flags.with(Flags::FROM_CALLER), ..header };
        self.write(header, &codec::encode(value).unwrap()).await;
    }

    /// Shows that the connection is alive and had nothing else to say before the answer.
    pub async fn nothing_but_an_echo(&mut self, bus: &Bus) {
        let bus = bus.clone();
        let call = tokio::spawn(async move { bus.call::<Echo>(&"still there".to_owned()).await });
        let (header, payload) = self.request().await;
        assert_eq!(header.method, kit::ECHO.method);
        self.write(about(Kind::Response, header.correlation), &payload).await;
        assert_eq!(call.await.unwrap(), Ok("still there".to_owned()));
    }
}

pub fn about(kind: Kind, correlation: u64) -> Header {
    Header { kind: kind as u8, correlation, ..Header::default() }
}

/// A request's header, as the kernel would deliver it.
pub fn request(info: &MethodInfo, correlation: u64, credit: u32) -> Header {
    let flags = Flags::FROM_CALLER;
    Header { flags, service: info.service, method: info.method, credit, ..about(Kind::Request, correlation) }
}

/// A handler out of a closure.
pub struct With<F>(pub F);

impl<F: Fn(Incoming) + Send + Sync + 'static> Handler for With<F> {
    fn request(&self, incoming: Incoming) {
        self.0(incoming);
    }

    fn event(&self, _: &Bus, _: &Header, _: &[u8]) {}
}
