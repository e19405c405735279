//! Asking before something is lost.

use crate::context::Context;
use crate::fault::Fault;
use std::io::{self, BufRead, IsTerminal, Write};

/// Asks a question that names what will be lost; `yes` answers it beforehand. Nobody at a terminal means nobody to ask.
///
/// # Errors
/// A usage fault where nobody can be asked, an interruption where the answer is no.
pub fn confirm(context: &Context, yes: bool, question: &str) -> Result<(), Fault> {
    if yes {
        return Ok(());
    }
    if context.out.json || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Fault::usage(format!("{question} Nobody is here to answer: add --yes")));
    }
    let mut error = io::stderr().lock();
    write!(error, "{question} [y/N] ")?;
    error.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(Fault::interrupted("nothing was changed"))
}
