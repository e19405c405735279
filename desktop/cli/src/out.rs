//! Standard output and standard error. A reader that went away ends the command quietly, never with a panic.

use crate::fault::Fault;
use crate::paint::{Paint, Role};
use crate::text;
use rustix::termios::tcgetwinsize;
use serde::Serialize;
use std::ffi::OsStr;
use std::io::{self, IsTerminal, Write};

/// Columns assumed where a terminal does not say.
const USUAL_COLUMNS: usize = 80;

/// Lines assumed where a terminal does not say.
const USUAL_ROWS: usize = 24;

/// How this run of the program writes.
#[derive(Clone, Debug)]
pub struct Out {
    /// Objects for programs instead of words for people.
    pub json: bool,
    /// Standard output is a terminal.
    pub terminal: bool,
    pub paint: Paint,
    error_paint: Paint,
}

impl Out {
    /// Colour needs a terminal that can show it, and nobody who declined it: `--no-color`, `NO_COLOR`
    /// (no-color.org), `TERM=dumb`, `--json`.
    #[must_use]
    pub fn new(json: bool, no_color: bool, variable: impl Fn(&str) -> Option<std::ffi::OsString>) -> Self {
        let declined = json
            || no_color
            || variable("NO_COLOR").is_some_and(|value| !value.is_empty())
            || variable("TERM").as_deref() == Some(OsStr::new("dumb"));
        let terminal = io::stdout().is_terminal();
        Self {
            json,
            terminal,
            paint: Paint::new(terminal && !declined),
            error_paint: Paint::new(io::stderr().is_terminal() && !declined),
        }
    }

    /// Columns of the terminal; `None` where output is no terminal and nothing needs to fit.
    #[must_use]
    pub fn columns(&self) -> Option<usize> {
        if !self.terminal {
            return None;
        }
        let size = tcgetwinsize(io::stdout()).ok();
        Some(size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0).unwrap_or(USUAL_COLUMNS))
    }

    /// Lines of the terminal.
    #[must_use]
    pub fn rows(&self) -> usize {
        let size = tcgetwinsize(io::stdout()).ok();
        size.map(|size| usize::from(size.ws_row)).filter(|rows| *rows > 0).unwrap_or(USUAL_ROWS)
    }

    /// Writes one line to standard output.
    ///
    /// # Errors
    /// When nobody reads it, or it cannot be written.
    pub fn line(&self, line: &str) -> Result<(), Fault> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(line.as_bytes())?;
        stdout.write_all(b"\n")?;
        Ok(stdout.flush()?)
    }

    /// Writes text as it is and shows it at once.
    ///
    /// # Errors
    /// As [`Out::line`].
    pub fn raw(&self, text: &str) -> Result<(), Fault> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        Ok(stdout.flush()?)
    }

    /// Writes an object on one line.
    ///
    /// # Errors
    /// As [`Out::line`].
    pub fn object(&self, value: &impl Serialize) -> Result<(), Fault> {
        let json = serde_json::to_string(value).map_err(|fault| Fault::failed(format!("no JSON: {fault}")))?;
        self.line(&text::terminal_safe_json(json))
    }

    /// A remark for people, beside the output. Whether anybody reads it is not our business.
    pub fn remark(&self, remark: &str) {
        if !self.json {
            let _ = writeln!(io::stderr(), "{}", self.error_paint.apply(Role::Muted, remark));
        }
    }

    /// A warning for people, beside the output.
    pub fn warning(&self, warning: &str) {
        if !self.json {
            let mark = self.error_paint.apply(Role::Warning, "warning:");
            let _ = writeln!(io::stderr(), "{mark} {}", text::escaped(warning));
        }
    }

    /// Says why the program ends: the last object with `--json`, else a sentence on standard error.
    pub fn fault(&self, fault: &Fault) {
        if fault.message.is_empty() {
            return;
        }
        if self.json {
            let _ = self.line(&text::terminal_safe_json(fault.to_json()));
        } else {
            let name = self.error_paint.apply(Role::Danger, "butterfly:");
            let _ = writeln!(io::stderr(), "{name} {}", text::escaped(&fault.message));
        }
    }
}
