//! `butterfly-jail`: confines itself as its launch message says, and becomes the program.
//!
//! It *is* started by the kernel alone, with one end of a socket pair on descriptor 0, from which it reads exactly one launch
//! message. What follows on that socket belongs to the program. It is *not* long-lived: it decides nothing, and either
//! becomes the program or ends with a [`JailExit`] code and one sentence on standard error.

use butterfly_sandbox::launch::{self, LaunchError};
use butterfly_sandbox::{JailError, JailExit, Profile, confine_and_exec};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::AsFd;
use std::process::ExitCode;

fn main() -> ExitCode {
    let error = match profile() {
        Ok(profile) => confine_and_exec(&profile),
        Err(error) => JailError::new(JailExit::Launch, error.to_string()),
    };
    eprintln!("butterfly-jail: {error}");
    ExitCode::from(error.exit.code())
}

/// Reads the launch message through a duplicate of descriptor 0: the standard library's own handle reads ahead.
fn profile() -> Result<Profile, LaunchError> {
    let bus = io::stdin().as_fd().try_clone_to_owned()?;
    launch::read(&mut Waiting(bus.into()))
}

/// A descriptor that may be non-blocking. Its flags are left alone: they are the program's, too.
struct Waiting(File);

impl Read for Waiting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    poll(&mut [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)], PollTimeout::NONE)?;
                }
                other => return other,
            }
        }
    }
}
