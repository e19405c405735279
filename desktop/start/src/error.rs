//! Why there is no instance, or no kernel that serves.

use butterfly_client::ConnectError;
use butterfly_wire::Failure;
use butterfly_wire::place::PlaceError;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// An instance could not be found, or its kernel not be started or watched. The text says what to do.
#[derive(Debug, Error)]
pub enum StartError {
    #[error("--home needs a folder, and was given an empty name")]
    EmptyHome,
    #[error("--home {} cannot be used: {fault}", .folder.display())]
    UnusableHome { folder: PathBuf, fault: io::Error },
    /// Paths travel as text.
    #[error("the home folder {} is no valid UTF-8; please name one that is", .0.display())]
    NoText(PathBuf),
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("{} is missing; all programs belong into one folder: build them together with `make build`", .0.display())]
    NoProgram(PathBuf),
    #[error("{} cannot be started: {fault}", .program.display())]
    NotStartable { program: PathBuf, fault: io::Error },
    /// The file that takes the kernel's standard error.
    #[error("{} cannot be written: {fault}", .path.display())]
    Log { path: PathBuf, fault: io::Error },
    /// It ended before it opened its socket.
    #[error("the kernel did not start ({how}): {reason}")]
    Ended { how: String, reason: String },
    #[error("the kernel (pid {pid}) opened no socket within {seconds} s; {reason}")]
    NoSocket { pid: u32, seconds: u64, reason: String },
    #[error(
        "the kernel runs, but its workers are not ready after {seconds} s; `butterfly status` and `butterfly logs` say more"
    )]
    NotReady { seconds: u64 },
    /// What the kernel answered.
    #[error("{}", .0.message)]
    Answer(#[from] Failure),
    /// While it was being watched.
    #[error("the kernel ended; `butterfly up` starts it again, `butterfly crashes` and `butterfly logs` say what was")]
    Lost,
    /// The system did not answer about this process or the kernel's.
    #[error("reading or writing failed: {0}")]
    Io(#[from] io::Error),
}
