//! A text that grows: only its last block is parsed again.

use super::{Block, build};
use std::sync::Arc;

/// Markdown that comes in pieces.
///
/// A block is settled as soon as another one begins behind it; from then on it is the very same [`Arc`]. A reference that
/// is defined further down is only known to [`super::parse`], which reads the whole when all of it is there.
#[derive(Debug, Default)]
pub struct Stream {
    text: String,
    /// Where the first block that is not settled begins.
    settled_to: usize,
    blocks: Vec<Arc<Block>>,
    /// How many of `blocks` are settled.
    settled: usize,
    /// Bytes that were parsed so far, those that were parsed again counted each time.
    parsed: usize,
}

impl Stream {
    /// Takes what is new of a text that only grows. Another text begins anew.
    pub fn follow(&mut self, text: &str) {
        if text.len() == self.text.len() {
            return;
        }
        match text.get(self.text.len()..) {
            Some(new) if text.as_bytes().starts_with(self.text.as_bytes()) => self.text.push_str(new),
            Some(_) | None => *self = Self { text: text.to_owned(), ..Self::default() },
        }
        self.parse();
    }

    fn parse(&mut self) {
        let open = &self.text[self.settled_to..];
        self.parsed += open.len();
        let fresh = build::blocks(open);
        self.blocks.truncate(self.settled);
        // A line that is not whole may still become something else: a row of the table before it, an underline.
        let whole = open.rfind('\n').map_or(0, |at| at + 1);
        let last = fresh.iter().rev().map(|(at, _)| *at).find(|at| *at < whole).unwrap_or_default();
        // Whatever begins before the last block is settled. What stands before it on its line belongs to it: the
        // indentation of code, the marker of a list.
        let line = open[..last].rfind('\n').map_or(0, |at| at + 1);
        let before = fresh.iter().filter(|(at, _)| *at < line).count();
        self.blocks.extend(fresh.into_iter().map(|(_, block)| Arc::new(block)));
        if before > 0 {
            self.settled += before;
            self.settled_to += line;
        }
    }

    /// All blocks; the last one may still change.
    #[must_use]
    pub fn blocks(&self) -> &[Arc<Block>] {
        &self.blocks
    }

    /// Bytes that were parsed so far.
    #[must_use]
    pub fn parsed(&self) -> usize {
        self.parsed
    }
}
