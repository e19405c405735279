//! Server-sent events out of lines (WHATWG HTML, 9.2.6), as far as completions use them: only `data` matters.
//!
//! A stream's last event counts only when its blank line has come: an end in the middle of an event must not pass for one.

use crate::conversation::Foreign;
use crate::http::LINE_LIMIT;

/// Joins the `data` lines of an event.
#[derive(Default)]
pub struct Events {
    data: Vec<u8>,
    /// A `data` line has come since the last event.
    begun: bool,
}

impl Events {
    /// Takes a line; gives the event that it completes.
    ///
    /// # Errors
    /// [`Foreign`] for a line that is none of this format, and for an event that never ends.
    pub fn line(&mut self, line: &[u8]) -> Result<Option<&[u8]>, Foreign> {
        if line.is_empty() {
            if !std::mem::take(&mut self.begun) {
                return Ok(None);
            }
            return Ok(Some(&self.data));
        }
        let (name, value) = match line.iter().position(|byte| *byte == b':') {
            Some(0) => return Ok(None),
            Some(at) => (&line[..at], &line[at + 1..]),
            None => (line, &line[..0]),
        };
        match name {
            b"data" => {
                let value = value.strip_prefix(b" ").unwrap_or(value);
                if self.begun {
                    self.data.push(b'\n');
                } else {
                    self.data.clear();
                }
                self.begun = true;
                if self.data.len() + value.len() > LINE_LIMIT {
                    return Err(Foreign);
                }
                self.data.extend_from_slice(value);
                Ok(None)
            }
            b"event" | b"id" | b"retry" => Ok(None),
            // The standard ignores unknown fields; here one means that a stranger answers (a page, a bare JSON error).
            _ => Err(Foreign),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(text: &str) -> Result<Vec<String>, Foreign> {
        let mut events = Events::default();
        let mut found = Vec::new();
        for line in text.split('\n') {
            if let Some(data) = events.line(line.as_bytes())? {
                found.push(String::from_utf8(data.to_vec()).unwrap());
            }
        }
        Ok(found)
    }

    #[test]
    fn events_are_joined_and_comments_ignored() {
        let text = ": ping\n\ndata: {\"a\":1}\n\nevent: error\nid: 7\ndata:{\ndata: }\n\nretry: 5\n\ndata: [DONE]\n\n";
        assert_eq!(events(text).unwrap(), ["{\"a\":1}", "{\n}", "[DONE]"]);
    }

    #[test]
    fn an_event_without_its_blank_line_has_not_come() {
        assert!(events("data: [DONE]").unwrap().is_empty());
    }

    #[test]
    fn a_stranger_is_recognised() {
        for text in ["<!doctype html>", "{\"error\":\"no\"}", "hello: world", "just words"] {
            assert_eq!(events(text), Err(Foreign), "{text}");
        }
        let mut parser = Events::default();
        let line = [b"data: ".as_slice(), &vec![b'x'; LINE_LIMIT / 2]].concat();
        assert!(parser.line(&line).is_ok() && parser.line(&line).is_err());
    }
}
