//! Sending a file of the person's to a worker, piece by piece, with a progress bar.

use crate::context::Context;
use crate::fault::Fault;
use crate::files;
use crate::progress::{Progress, Unit};
use butterfly_api::Chunk;
use butterfly_client::Bus;
use butterfly_wire::frame::CHUNK_LIMIT;
use butterfly_wire::{Failure, Method};
use std::io::Read;
use std::path::Path;

/// Bytes of one piece: the largest that fits into an item of a stream with its envelope.
const PIECE: usize = CHUNK_LIMIT - 64;

/// A file that was opened, so that a name which cannot be read is known before anything is asked or begun.
pub struct Source<'a> {
    file: Box<dyn Read>,
    /// In bytes, where it has one.
    size: Option<u64>,
    path: &'a Path,
}

impl<'a> Source<'a> {
    /// A file, or standard input (`-`).
    ///
    /// # Errors
    /// Names the file and why it cannot be read.
    pub fn open(path: &'a Path) -> Result<Self, Fault> {
        let (file, size) = files::open(path)?;
        Ok(Self { file, size, path })
    }

    /// Uploads it; `what` is said beside the bar. The inner result is the worker's answer.
    ///
    /// # Errors
    /// The file cannot be read to its end, or the worker is not there.
    pub async fn send<M>(
        mut self,
        context: &Context,
        bus: &Bus,
        what: &'static str,
    ) -> Result<Result<M::Reply, Failure>, Fault>
    where
        M: Method<Request = (), Upload = Chunk>,
    {
        let mut progress = Progress::new(&context.out, what, Unit::Bytes);
        let mut upload = bus.upload::<M>(&()).await?;
        let mut sent = 0;
        while let Some(bytes) = self.piece()? {
            sent += bytes.len() as u64;
            // An upload that was answered early says why in its answer.
            if upload.send(&Chunk { bytes }).await.is_err() {
                break;
            }
            progress.at(sent, self.size.unwrap_or(0));
        }
        let answer = upload.finish().await;
        progress.end();
        Ok(answer)
    }

    /// The next piece; `None` at the end.
    fn piece(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        let mut bytes = Vec::with_capacity(PIECE);
        let read = self.file.by_ref().take(PIECE as u64).read_to_end(&mut bytes);
        read.map_err(|fault| files::unreadable(self.path, &fault))?;
        Ok((!bytes.is_empty()).then_some(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_sent_in_pieces_that_fit() {
        let data: Vec<u8> = (0..PIECE * 2 + 5).map(|n| n as u8).collect();
        let file = Box::new(std::io::Cursor::new(data.clone()));
        let mut source = Source { file, size: None, path: Path::new("x") };
        let mut seen = Vec::new();
        while let Some(piece) = source.piece().unwrap() {
            let encoded = butterfly_wire::codec::encode(&Chunk { bytes: piece.clone() }).unwrap();
            assert!(encoded.len() <= CHUNK_LIMIT);
            seen.extend(piece);
        }
        assert_eq!(seen, data);
    }
}
