//! `completions`.

use crate::args::{Cli, Completions};
use crate::context::Context;
use crate::exit::Exit;
use crate::fault::Fault;
use clap::CommandFactory;

/// Prints a shell's completion script.
///
/// # Errors
/// When nobody reads it.
pub fn run(context: &Context, args: &Completions) -> Result<Exit, Fault> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "butterfly", &mut script);
    context.out.raw(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
