//! The kernel's program: options in, exit code out.
//!
//! Exit codes: 0 after an orderly end; 1 when it cannot start; 2 for a command line that it does not understand; 3 when a
//! kernel of this place runs already.

use butterfly_kernel::listener::DoorError;
use butterfly_kernel::{Options, StartError, run};
use std::process::ExitCode;

fn main() -> ExitCode {
    // Before anything is opened. A descriptor that stays open by a refusal is untidy and no more.
    #[cfg(target_os = "linux")]
    let _ = butterfly_sandbox::close_inherited();
    let options = match Options::from_arguments(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(usage) => {
            eprintln!("butterfly-kernel: {usage}");
            return ExitCode::from(2);
        }
    };
    match run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("butterfly-kernel: {fault}");
            match fault {
                StartError::Door(DoorError::Running { .. }) => ExitCode::from(3),
                StartError::Place(_) | StartError::Door(_) | StartError::NoClient | StartError::Runtime(_) => {
                    ExitCode::FAILURE
                }
            }
        }
    }
}
