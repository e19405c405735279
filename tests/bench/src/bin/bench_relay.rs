//! The baseline: a program that passes whole frames on between two sockets, and does nothing else.
//!
//! One thread of tokio, one task and one 64 KiB buffer for each direction. It decodes no header, checks no right, keeps no
//! account and no table of calls: it is what moving these bytes through a third process costs by itself.

use anyhow::Context;
use butterfly_wire::frame::{self, FRAME_LIMIT};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

/// Bytes read at once.
const BUFFER_BYTES: usize = 64 << 10;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // As the kernel does: Linux shares out processor time by session, so both sides must have as many.
    let _ = nix::unistd::setsid();
    let mut arguments = std::env::args_os().skip(1);
    let mut listen = || {
        let path = arguments.next().context("usage: bench_relay SOCKET SOCKET")?;
        Ok::<_, anyhow::Error>(UnixListener::bind(path)?)
    };
    let (first, second) = (listen()?, listen()?);
    let ((first, _), (second, _)) = tokio::try_join!(first.accept(), second.accept())?;
    let ((from_first, to_first), (from_second, to_second)) = (first.into_split(), second.into_split());
    let forth = tokio::spawn(copy(from_first, to_second));
    let back = tokio::spawn(copy(from_second, to_first));
    tokio::select! {
        ended = forth => ended?,
        ended = back => ended?,
    }
}

/// Passes frames on until the sender closes.
async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> anyhow::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut filled = 0;
    loop {
        let read = from.read(&mut buffer[filled..]).await?;
        if read == 0 {
            return Ok(());
        }
        filled += read;
        let mut whole = 0;
        while let Some(length) = frame::length(&buffer[whole..filled], FRAME_LIMIT)? {
            if whole + length > filled {
                if length > buffer.len() {
                    buffer.resize(length, 0);
                }
                break;
            }
            whole += length;
        }
        to.write_all(&buffer[..whole]).await?;
        buffer.copy_within(whole..filled, 0);
        filled -= whole;
    }
}
