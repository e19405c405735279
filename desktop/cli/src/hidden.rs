//! Reading what must not be seen: from a terminal without echo, from a pipe as it is. Never from an argument, which every
//! process of the user can read, and which the shell remembers.

use crate::fault::Fault;
use butterfly_api::secret::{LONGEST, Secret};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io::{self, IsTerminal, Read, Write};

/// Room for the longest value and the end of its line, so that the buffer never moves and leaves a copy behind.
const ROOM: usize = LONGEST + 2;

const CTRL_C: u8 = 0x03;
const CTRL_D: u8 = 0x04;
const BACKSPACE: u8 = 0x08;
const CTRL_U: u8 = 0x15;
const DELETE: u8 = 0x7f;

/// Reads a secret from standard input: a line at a terminal, where `prompt` is shown, else everything, without the newline that
/// `echo` and editors put at the end. Blocks.
///
/// # Errors
/// Ctrl-C and Ctrl-D, input that is no text or too long, and input that cannot be read.
pub fn read(prompt: &str) -> Result<Secret, Fault> {
    let stdin = io::stdin();
    let bytes = if stdin.is_terminal() {
        let _quiet = Quiet::begin()?;
        let mut stderr = io::stderr();
        // A prompt that nobody sees is no reason to stop.
        let _ = write!(stderr, "{prompt}").and_then(|()| stderr.flush());
        let typed = typed(&mut stdin.lock());
        let _ = writeln!(stderr);
        typed?
    } else {
        piped(&mut stdin.lock())?
    };
    secret(bytes)
}

fn secret(bytes: Vec<u8>) -> Result<Secret, Fault> {
    String::from_utf8(bytes).map(Secret::new).map_err(|fault| {
        // What was read is erased, whatever it was.
        drop(Secret::new(String::from_utf8_lossy(&fault.into_bytes()).into_owned()));
        Fault::usage("what was read is no UTF-8 text, so it is no key; copy it again")
    })
}

/// What a person types at a terminal that neither shows nor edits it.
fn typed(input: &mut impl Read) -> Result<Vec<u8>, Fault> {
    let mut value = Vec::with_capacity(ROOM);
    let mut byte = [0];
    loop {
        if input.read(&mut byte)? == 0 {
            return Ok(value);
        }
        match byte[0] {
            b'\r' | b'\n' => return Ok(value),
            CTRL_C => return Err(Fault::interrupted("nothing was set")),
            CTRL_D if value.is_empty() => return Err(Fault::interrupted("nothing was set")),
            CTRL_U => value.clear(),
            DELETE | BACKSPACE => {
                // One character, which may be several bytes.
                while value.pop().is_some_and(|last| last & 0b1100_0000 == 0b1000_0000) {}
            }
            other if value.len() < ROOM => value.push(other),
            _ => return Err(too_long()),
        }
    }
}

/// What comes through a pipe or from a file.
fn piped(input: &mut impl Read) -> Result<Vec<u8>, Fault> {
    let mut value = Vec::with_capacity(ROOM + 1);
    input.take(ROOM as u64 + 1).read_to_end(&mut value)?;
    if value.len() > ROOM {
        return Err(too_long());
    }
    if value.last() == Some(&b'\n') {
        value.pop();
        if value.last() == Some(&b'\r') {
            value.pop();
        }
    }
    Ok(value)
}

fn too_long() -> Fault {
    Fault::usage(format!("what was read is longer than {} KiB, so it is no key; copy it again", LONGEST >> 10))
}

/// A terminal that does not show what is typed, until this is dropped.
struct Quiet(Termios);

impl Quiet {
    fn begin() -> Result<Self, Fault> {
        let before = tcgetattr(io::stdin()).map_err(io::Error::from)?;
        let mut quiet = before.clone();
        // Without signals from keys: one would end the program and leave the terminal like this.
        quiet.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        // What was typed before the prompt was seen was typed for something else.
        tcsetattr(io::stdin(), OptionalActions::Flush, &quiet).map_err(io::Error::from)?;
        Ok(Self(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // There is nobody to tell, and nothing else to try.
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn a_line_is_edited_though_nobody_sees_it() {
        let typed = |bytes: &[u8]| typed(&mut &*bytes).map(|value| String::from_utf8(value).unwrap());
        assert_eq!(typed(b"sk-1234\nrest").unwrap(), "sk-1234");
        assert_eq!(typed("sk-ü\u{7f}\u{8}x\r".as_bytes()).unwrap(), "skx");
        assert_eq!(typed(b"wrong\x15right\n").unwrap(), "right");
        assert_eq!(typed(b"\x7f\x7fab\x04c").unwrap(), "ab\u{4}c");
        assert_eq!(typed(b"half\x03").unwrap_err().exit, Exit::Interrupted);
        assert_eq!(typed(b"\x04").unwrap_err().exit, Exit::Interrupted);
        assert_eq!(typed(&[b'x'; ROOM + 1]).unwrap_err().exit, Exit::Usage);
    }

    #[test]
    fn one_newline_at_the_end_of_a_pipe_is_cut_and_nothing_else() {
        let piped = |bytes: &[u8]| piped(&mut &*bytes).map(|value| String::from_utf8(value).unwrap());
        assert_eq!(piped(b"sk-1234\n").unwrap(), "sk-1234");
        assert_eq!(piped(b"sk-1234\r\n").unwrap(), "sk-1234");
        assert_eq!(piped(b"sk-1234").unwrap(), "sk-1234");
        assert_eq!(piped(b" sk\n1234\n\n").unwrap(), " sk\n1234\n");
        assert_eq!(piped(&[b'x'; LONGEST]).unwrap().len(), LONGEST);
        assert_eq!(piped(&[b'x'; ROOM + 1]).unwrap_err().exit, Exit::Usage);
    }

    #[test]
    fn what_is_no_text_is_refused_without_quoting_it() {
        let fault = secret(b"sk-\xff-1234".to_vec()).err().unwrap();
        assert!(fault.exit == Exit::Usage && !fault.message.contains("1234"), "{}", fault.message);
    }
}
