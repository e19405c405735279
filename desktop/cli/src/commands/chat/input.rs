//! Messages that do not come from a keyboard: lines of standard input, and text piped beside `-m`.

use crate::fault::Fault;
use crate::out::Out;
use std::io::{self, BufRead, Read};
use std::time::Duration;
use tokio::sync::mpsc;

/// Bytes of one message that are read: twice what a conversation accepts, so that the refusal is the conversation's, with
/// its figures, and still no endless line fills the memory.
const MESSAGE_BYTES: u64 = 512 << 10;

/// After this time without an end, a person is told what is being waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// What was read.
pub enum Line {
    Text(String),
    Fault(Fault),
}

/// The lines of standard input. The thread that reads them ends with the program.
pub fn lines() -> mpsc::Receiver<Line> {
    // One line ahead: while one is answered, the next may wait.
    let (sender, receiver) = mpsc::channel(1);
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        loop {
            let line = match read_line(&mut input) {
                Ok(Some(text)) => Line::Text(text),
                Ok(None) => return,
                Err(fault) => Line::Fault(fault),
            };
            let ends = matches!(line, Line::Fault(_));
            if sender.blocking_send(line).is_err() || ends {
                return;
            }
        }
    });
    receiver
}

/// The next line without its end; `None` after the last.
fn read_line(input: &mut impl BufRead) -> Result<Option<String>, Fault> {
    let mut bytes = Vec::new();
    let read = input.by_ref().take(MESSAGE_BYTES + 1).read_until(b'\n', &mut bytes)?;
    if read == 0 {
        return Ok(None);
    }
    if read as u64 > MESSAGE_BYTES {
        return Err(too_long("a line of standard input"));
    }
    // Messages are text; what is none is shown as what it is.
    let text = String::from_utf8_lossy(&bytes);
    Ok(Some(text.trim_end_matches(['\n', '\r']).to_owned()))
}

fn too_long(what: &str) -> Fault {
    Fault::usage(format!("{what} is longer than {} KiB, which no conversation accepts; say less", MESSAGE_BYTES >> 10))
}

/// The message, with what comes through a pipe or from a file quoted below it.
///
/// # Errors
/// When standard input cannot be read, or holds too much.
pub fn with_pipe(out: &Out, message: &str) -> Result<String, Fault> {
    if !is_pipe_or_file() {
        return Ok(message.to_owned());
    }
    let (done, waiting) = std::sync::mpsc::channel::<()>();
    let patient = out.clone();
    std::thread::spawn(move || {
        if waiting.recv_timeout(PATIENCE) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            patient.remark("waiting for the end of standard input; with nothing to add, use `</dev/null`");
        }
    });
    let mut bytes = Vec::new();
    let read = io::stdin().lock().take(MESSAGE_BYTES + 1).read_to_end(&mut bytes);
    drop(done);
    if read? as u64 > MESSAGE_BYTES {
        return Err(too_long("standard input"));
    }
    Ok(quote(message, &String::from_utf8_lossy(&bytes)))
}

/// Whether somebody meant to send something: a terminal, a device such as `/dev/null`, and a service's socket do not.
fn is_pipe_or_file() -> bool {
    use rustix::fs::{FileType, fstat};
    let found = fstat(io::stdin()).map(|found| FileType::from_raw_mode(found.st_mode));
    matches!(found, Ok(FileType::Fifo | FileType::RegularFile))
}

/// Markdown: the message, then the text in a fence that it cannot close.
fn quote(message: &str, text: &str) -> String {
    let text = text.trim_end();
    if text.is_empty() {
        return message.to_owned();
    }
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{message}\n\n{fence}\n{text}\n{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_message_and_the_last_needs_no_end() {
        let mut input = io::Cursor::new(b"one\r\n\ntwo ");
        let mut lines = Vec::new();
        while let Some(line) = read_line(&mut input).unwrap() {
            lines.push(line);
        }
        assert_eq!(lines, ["one", "", "two "]);
        assert_eq!(read_line(&mut io::Cursor::new(b"a\xffb")).unwrap().as_deref(), Some("a\u{fffd}b"));
    }

    #[test]
    fn an_endless_line_is_refused_before_it_fills_the_memory() {
        let mut endless = io::BufReader::new(io::repeat(b'x'));
        assert_eq!(read_line(&mut endless).unwrap_err().exit, crate::exit::Exit::Usage);
        let longest = vec![b'x'; MESSAGE_BYTES as usize];
        assert!(read_line(&mut io::Cursor::new(longest)).is_ok());
    }

    #[test]
    fn quoted_text_cannot_leave_its_fence() {
        assert_eq!(quote("Why?", "fn main() {}\n"), "Why?\n\n```\nfn main() {}\n```");
        assert_eq!(quote("Why?", "a\n````\nb"), "Why?\n\n`````\na\n````\nb\n`````");
        assert_eq!(quote("Why?", " \n"), "Why?");
    }
}
