//! The command line of ButterFly Bot: the program `butterfly`.
//!
//! It is a client of the bus like any other: what it shows it has asked the kernel or a worker. It is *not* a second place
//! for logic: it starts no worker, opens no file of theirs and speaks to no model server.
//!
//! Invariants:
//! - What a model, a log or a worker wrote is shown, never obeyed: it passes [`text`] before it reaches a terminal.
//! - With `--json`, standard output holds JSON alone, failures included.
//! - A command ends with one [`exit::Exit`]; a reader that goes away ends it quietly.
//! - Start-up does nothing but parse the command line and connect.

pub mod args;
pub mod commands;
pub mod confirm;
pub mod context;
pub mod exit;
pub mod fault;
pub mod files;
pub mod hidden;
pub mod launch;
pub mod out;
pub mod paint;
pub mod process;
pub mod progress;
pub mod render;
pub mod text;
pub mod upload;
pub mod when;

use crate::args::Cli;
use crate::context::Context;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::out::Out;
use butterfly_start::Instance;
use clap::{ColorChoice, CommandFactory, FromArgMatches};
use std::ffi::OsString;
use std::io::Write;

/// Runs the program with these arguments, its own name first, and returns its exit code.
#[must_use]
pub fn main(arguments: Vec<OsString>) -> u8 {
    // Errors of the command line are printed before it is parsed.
    let plain = arguments.iter().any(|argument| argument == "--no-color");
    let color = if plain { ColorChoice::Never } else { ColorChoice::Auto };
    let parsed = Cli::command().color(color).try_get_matches_from(arguments);
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come this way too, and a reader that is gone has read enough.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.number() } else { Exit::Done.number() };
        }
    };
    let out = Out::new(cli.json, cli.no_color, |name| std::env::var_os(name));
    let exit = match run(cli, out.clone()) {
        Ok(exit) => exit,
        Err(fault) => {
            out.fault(&fault);
            fault.exit
        }
    };
    let flushed = std::io::stdout().flush();
    match flushed {
        Err(fault) if exit == Exit::Done => Fault::from(fault).exit.number(),
        _ => exit.number(),
    }
}

fn run(cli: Cli, out: Out) -> Result<Exit, Fault> {
    let instance = Instance::find(cli.home.as_deref(), |name| std::env::var_os(name))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let context = Context { instance, out };
    let result = runtime.block_on(commands::run(&context, cli.command));
    // A thread that waits for a key or a line of input never ends by itself.
    runtime.shutdown_background();
    result
}
