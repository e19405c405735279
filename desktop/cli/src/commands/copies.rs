//! `backup` and `restore`: a copy of the store in a file of the person's own.

use crate::args::memory::{Backup, Restore};
use crate::confirm::confirm;
use crate::context::Context;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::files::Beside;
use crate::launch;
use crate::progress::{Progress, Unit};
use crate::render::units;
use crate::text;
use crate::upload::Source;
use butterfly_api::Chunk;
use butterfly_api::storage::{self, BackedUp, GetStats};
use butterfly_client::Next;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// The worker that holds the store.
const MEMORY: &str = "memory";

#[derive(Serialize)]
struct BackupView<'a> {
    file: &'a str,
    bytes: u64,
    sha256: &'a str,
}

/// Writes a copy. The file is there only once it is whole and what arrived is what was sent.
///
/// # Errors
/// What the memory worker answers, a disk that is full, a sum that differs.
pub async fn backup(context: &Context, args: &Backup) -> Result<Exit, Fault> {
    let bus = launch::serving(context).await?;
    let mut file = Beside::create(&args.file)?;
    // The copy is packed, so this is its size at most; it is near enough for a bar.
    let expected = bus.call::<GetStats>(&()).await?.database_bytes;
    let mut progress = Progress::new(&context.out, "copying", Unit::Bytes);
    let mut stream = bus.stream::<storage::Backup>(&()).await?;
    let mut sum = Sha256::new();
    let mut written = 0;
    let mut interrupt = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
    let BackedUp { bytes, sha256 } = loop {
        let next = tokio::select! {
            next = stream.next() => next?,
            _ = interrupt.recv() => return Err(Fault::interrupted("the copy was stopped; nothing was written")),
        };
        match next {
            Next::Item(Chunk { bytes }) => {
                sum.update(&bytes);
                file.write(&bytes)?;
                written += bytes.len() as u64;
                progress.at(written.min(expected), expected);
            }
            Next::End(end) => break end,
        }
    };
    progress.end();
    let arrived = hexadecimal(&sum.finalize());
    if written != bytes || !arrived.eq_ignore_ascii_case(&sha256) {
        return Err(Fault::failed(format!(
            "the copy arrived damaged ({written} of {bytes} bytes, sha256 {arrived} instead of {sha256}); nothing was written; try again"
        )));
    }
    file.keep()?;
    let name = args.file.to_string_lossy();
    let out = &context.out;
    if out.json {
        out.object(&BackupView { file: &name, bytes, sha256: &sha256 })?;
    } else {
        out.line(&format!("{} holds all that is remembered, {}", text::escaped(&name), units::bytes(bytes)))?;
        out.remark(&format!("sha256 {}", text::escaped(&sha256)));
        out.remark("It is not encrypted; secrets are not in it.");
    }
    Ok(Exit::Done)
}

/// Replaces the store by a copy, once the memory worker has checked it.
///
/// # Errors
/// What the memory worker answers; then nothing has changed.
pub async fn restore(context: &Context, args: &Restore) -> Result<Exit, Fault> {
    let source = Source::open(&args.file)?;
    let bus = launch::serving(context).await?;
    let name = text::escaped(&args.file.to_string_lossy());
    let question =
        format!("What is remembered now is replaced by {name} (and kept aside in the data folder). Replace it?");
    confirm(context, args.yes, &question)?;
    let generation = launch::generation(&bus, MEMORY).await?;
    let restored = source.send::<storage::Restore>(context, &bus, "sending").await??;
    // The copy takes the store's place with the worker's next start: whoever asks then asks the copy.
    let started = tokio::time::timeout(launch::RESTART_LIMIT, launch::succeeded(&bus, MEMORY, generation)).await;
    let out = &context.out;
    match started {
        Ok(started) => started?,
        Err(_) => out.warning("memory is still being started; `butterfly status` shows when it is there"),
    }
    if out.json {
        out.object(&restored)?;
        return Ok(Exit::Done);
    }
    let conversations = units::count(restored.conversations, "conversation");
    out.line(&format!("restored {conversations} with {}", units::count(restored.messages, "message")))?;
    out.remark(&format!("what was there before is kept as {}", text::escaped(&restored.previous)));
    Ok(Exit::Done)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_written_as_the_standard_does() {
        // FIPS 180-4, the example of one block.
        let sum = hexadecimal(&Sha256::digest(b"abc"));
        assert_eq!(sum, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
