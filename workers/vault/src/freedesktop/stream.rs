//! The stream to the bus: bytes, and never a descriptor.
//!
//! zbus's own stream asks the bus to pass descriptors, in one write with what comes after. The filter before the bus cannot
//! follow that (flatpak/xdg-dbus-proxy#21) and hangs up. The Secret Service passes none, so the vault neither asks for them nor
//! could take one.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use zbus::connection::socket::{ReadHalf, Socket, Split, WriteHalf};
use zbus::export::async_trait::async_trait;

/// A stream of bytes alone.
pub(super) struct Bytes(pub(super) UnixStream);

impl Socket for Bytes {
    type ReadHalf = Reader;
    type WriteHalf = Writer;

    fn split(self) -> Split<Reader, Writer> {
        let (reader, writer) = self.0.into_split();
        Split::new(Reader(reader), Writer(writer))
    }
}

#[derive(Debug)]
pub(super) struct Reader(OwnedReadHalf);

#[async_trait]
impl ReadHalf for Reader {
    async fn recvmsg(&mut self, into: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
        Ok((self.0.read(into).await?, Vec::new()))
    }
}

#[derive(Debug)]
pub(super) struct Writer(OwnedWriteHalf);

#[async_trait]
impl WriteHalf for Writer {
    async fn sendmsg(&mut self, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<usize> {
        if !descriptors.is_empty() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        self.0.write(bytes).await
    }

    async fn close(&mut self) -> io::Result<()> {
        self.0.shutdown().await
    }
}
