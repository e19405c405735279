//! The memory worker's program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    butterfly_runtime::run(butterfly_memory::assemble::worker)
}
