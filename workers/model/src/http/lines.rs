//! The lines of an answer that streams, NDJSON and server-sent events alike.
//!
//! Lines are cut from bytes, so a character that is split between two reads is whole again before anyone looks at it.
//! A line has a bound, which is why this is not a general event-stream crate: those buffer a line without end.

use reqwest::Response;

/// The longest line. A server's largest honest line is a tool call's arguments.
pub const LINE_LIMIT: usize = 1 << 20;

/// What stops reading.
#[derive(Debug, PartialEq, Eq)]
pub enum Stop {
    /// The connection broke.
    Broken,
    /// A line is longer than [`LINE_LIMIT`].
    TooLong,
}

/// A streaming answer.
pub struct Lines {
    response: Response,
    buffer: LineBuffer,
}

impl Lines {
    pub(super) fn new(response: Response) -> Self {
        Self { response, buffer: LineBuffer::default() }
    }

    /// Waits for more bytes; `false` when the answer has ended. A last line without its end then counts as a line.
    pub async fn fill(&mut self) -> Result<bool, Stop> {
        match self.response.chunk().await {
            Ok(Some(chunk)) => self.buffer.push(&chunk).map(|()| true),
            Ok(None) => {
                self.buffer.close();
                Ok(false)
            }
            Err(_) => Err(Stop::Broken),
        }
    }

    /// The next complete line that has arrived, without its end.
    pub fn next(&mut self) -> Option<&[u8]> {
        self.buffer.next()
    }
}

/// Cuts lines out of chunks.
#[derive(Default)]
struct LineBuffer {
    bytes: Vec<u8>,
    /// Bytes before this were given out.
    start: usize,
    /// Bytes before this hold no end of a line.
    searched: usize,
}

impl LineBuffer {
    fn push(&mut self, chunk: &[u8]) -> Result<(), Stop> {
        self.bytes.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        self.bytes.extend_from_slice(chunk);
        // Only what is behind the last line's end can be a line that never ends.
        let last = self.bytes[self.searched..].iter().rposition(|byte| *byte == b'\n');
        let open = last.map_or(self.bytes.len(), |at| self.bytes.len() - (self.searched + at + 1));
        if open > LINE_LIMIT { Err(Stop::TooLong) } else { Ok(()) }
    }

    fn close(&mut self) {
        if self.start < self.bytes.len() && self.bytes.last() != Some(&b'\n') {
            self.bytes.push(b'\n');
        }
    }

    fn next(&mut self) -> Option<&[u8]> {
        let Some(length) = self.bytes[self.searched..].iter().position(|byte| *byte == b'\n') else {
            self.searched = self.bytes.len();
            return None;
        };
        let (from, to) = (self.start, self.searched + length);
        self.start = to + 1;
        self.searched = self.start;
        let line = &self.bytes[from..to];
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(chunks: &[&[u8]]) -> Vec<String> {
        let mut buffer = LineBuffer::default();
        let mut lines = Vec::new();
        for chunk in chunks {
            buffer.push(chunk).unwrap();
            while let Some(line) = buffer.next() {
                lines.push(String::from_utf8(line.to_vec()).unwrap());
            }
        }
        buffer.close();
        while let Some(line) = buffer.next() {
            lines.push(String::from_utf8(line.to_vec()).unwrap());
        }
        lines
    }

    #[test]
    fn lines_are_whole_wherever_the_chunks_were_cut() {
        let text = "{\"a\":\"süß 🦋\"}\r\n\n{\"b\":2}\nlast";
        let whole = cut(&[text.as_bytes()]);
        assert_eq!(whole, ["{\"a\":\"süß 🦋\"}", "", "{\"b\":2}", "last"]);
        for at in 0..text.len() {
            let (head, tail) = text.as_bytes().split_at(at);
            assert_eq!(cut(&[head, tail]), whole, "cut at {at}");
        }
        let single: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(cut(&single), whole);
    }

    #[test]
    fn a_line_without_end_is_refused_and_long_chunks_are_not() {
        let mut buffer = LineBuffer::default();
        let chunk = vec![b'x'; LINE_LIMIT / 2];
        buffer.push(&chunk).unwrap();
        assert!(buffer.next().is_none());
        buffer.push(&chunk).unwrap();
        assert!(buffer.next().is_none());
        assert_eq!(buffer.push(b"x"), Err(Stop::TooLong));

        let mut buffer = LineBuffer::default();
        buffer.push(&b"0123456789\n".repeat(LINE_LIMIT / 4)).unwrap();
        assert_eq!(std::iter::from_fn(|| buffer.next().map(<[u8]>::len)).count(), LINE_LIMIT / 4);
    }
}
