//! Frames over a socket with blocking calls and nothing around them: one write for all that is sent at once, one read for
//! all that has arrived. Caller and echo use it on both sides of a comparison, so that what differs is what is between.

use anyhow::{Context, bail};
use butterfly_client::connect::{hello_header, welcome};
use butterfly_wire::catalog::{control, topic};
use butterfly_wire::control::{Hello, HelloRole, TOKEN_BYTES};
use butterfly_wire::frame::{self, FRAME_LIMIT, LENGTH_BYTES};
use butterfly_wire::place::Place;
use butterfly_wire::{Header, Kind, version};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// Bytes asked of the socket at once, as everywhere on the bus.
const READ_BYTES: usize = 64 << 10;

/// A socket that carries frames.
pub struct Raw {
    stream: UnixStream,
    inbox: Vec<u8>,
    /// Bytes of `inbox` that were received and are no whole frame yet.
    filled: usize,
    out: Vec<u8>,
}

impl Raw {
    /// Over a socket that is connected, its handshake done.
    #[must_use]
    pub fn new(stream: UnixStream) -> Self {
        Self { stream, inbox: vec![0; READ_BYTES], filled: 0, out: Vec::new() }
    }

    /// Through a relay, which knows no handshake.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn relayed(socket: &Path) -> anyhow::Result<Self> {
        Ok(Self::new(UnixStream::connect(socket)?))
    }

    /// As a client of a kernel.
    ///
    /// # Errors
    /// When no kernel runs there, or when it refuses.
    pub fn client(place: &Place) -> anyhow::Result<Self> {
        let mut stream = UnixStream::connect(place.socket())?;
        let token: [u8; TOKEN_BYTES] =
            std::fs::read(place.token())?.try_into().ok().context("the token has the wrong length")?;
        let hello = Hello { oldest: version::OLDEST, newest: version::VERSION, role: HelloRole::Client, token };
        let mut out = Vec::new();
        frame::append(&mut out, &hello_header(), &hello.to_bytes());
        stream.write_all(&out)?;
        let mut answer = vec![0; LENGTH_BYTES];
        stream.read_exact(&mut answer)?;
        let total = frame::length(&answer, FRAME_LIMIT)?.unwrap_or(LENGTH_BYTES);
        answer.resize(total, 0);
        stream.read_exact(&mut answer[LENGTH_BYTES..])?;
        welcome(&answer)?;
        Ok(Self::new(stream))
    }

    /// Adds a frame to what is sent next.
    pub fn push(&mut self, header: &Header, payload: &[u8]) {
        frame::append(&mut self.out, header, payload);
    }

    /// Sends all that was added.
    ///
    /// # Errors
    /// When the other side is gone.
    pub fn send(&mut self) -> anyhow::Result<()> {
        if !self.out.is_empty() {
            self.stream.write_all(&self.out)?;
            self.out.clear();
        }
        Ok(())
    }

    /// Reads once, and hands over every frame that is whole; what `act` adds to its last argument is sent next. False
    /// when the other side has closed.
    ///
    /// # Errors
    /// When the other side breaks the protocol, or `act` fails.
    pub fn receive(
        &mut self,
        mut act: impl FnMut(&Header, &[u8], &mut Vec<u8>) -> anyhow::Result<()>,
    ) -> anyhow::Result<bool> {
        let wanted = frame::length(&self.inbox[..self.filled], FRAME_LIMIT)?.unwrap_or_default();
        if self.inbox.len() < wanted {
            self.inbox.resize(wanted, 0);
        }
        let read = self.stream.read(&mut self.inbox[self.filled..])?;
        self.filled += read;
        let mut at = 0;
        while let Some(frame) = frame::split(&self.inbox[at..self.filled], FRAME_LIMIT)? {
            at += frame.taken;
            act(&frame.header, frame.payload, &mut self.out)?;
        }
        self.inbox.copy_within(at..self.filled, 0);
        self.filled -= at;
        Ok(read > 0)
    }

    /// Answers every request with its own payload, and the kernel's pings, until the other side closes or drains.
    ///
    /// # Errors
    /// When the other side breaks the protocol.
    pub fn echo(mut self) -> anyhow::Result<()> {
        let mut drained = false;
        while !drained {
            let open = self.receive(|header, payload, out| {
                let correlation = header.correlation;
                match header.kind() {
                    Some(Kind::Request) => {
                        let answer = Header { kind: Kind::Response as u8, correlation, ..Header::default() };
                        frame::append(out, &answer, payload);
                    }
                    Some(Kind::Event) if header.service == control::ID && header.method == topic::PING => {
                        let pong = Header { kind: Kind::Event as u8, method: topic::PONG, ..Header::default() };
                        frame::append(out, &pong, payload);
                    }
                    Some(Kind::Event) => drained = header.service == control::ID && header.method == topic::DRAIN,
                    _ => bail!("{header:?} is nothing that an echo is sent"),
                }
                Ok(())
            })?;
            if !open {
                break;
            }
            self.send()?;
        }
        Ok(())
    }
}
