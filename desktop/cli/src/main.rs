//! The program `butterfly`; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(butterfly_cli::main(std::env::args_os().collect()))
}
