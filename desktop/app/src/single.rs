//! One window for each instance: whoever comes second raises the first one's window, and ends.

use butterfly_wire::place::Place;
use rustix::fs::{FlockOperation, flock};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::time::Duration;

/// What the second one says.
const RAISE: &[u8] = b"raise\n";

/// Time for the first one to take the word.
const PATIENCE: Duration = Duration::from_secs(2);

/// Who this process is.
pub enum Claim {
    /// The only one.
    First(Raise),
    /// Another one has the window; it was raised.
    Raised,
}

/// Where later starts ask for the window. It ends with the process, and with it the claim.
pub struct Raise {
    listener: UnixListener,
    /// Locked as long as it is open.
    lock: File,
}

/// Claims the window of an instance.
///
/// # Errors
/// When the runtime folder cannot be used.
pub fn claim(place: &Place) -> io::Result<Claim> {
    let socket = socket(place);
    let folder = socket.parent().map_or_else(|| place.runtime.clone(), PathBuf::from);
    DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let lock =
        OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(folder.join("desktop.lock"))?;
    if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
        let mut stream = UnixStream::connect(&socket)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(RAISE)?;
        return Ok(Claim::Raised);
    }
    // Nobody has the lock, so what lies there is a leftover.
    match std::fs::remove_file(&socket) {
        Err(fault) if fault.kind() != io::ErrorKind::NotFound => return Err(fault),
        _ => {}
    }
    Ok(Claim::First(Raise { listener: UnixListener::bind(&socket)?, lock }))
}

/// Beside the kernel's socket, whose path is known to be short enough.
fn socket(place: &Place) -> PathBuf {
    place.socket().with_file_name("app.sock")
}

impl Raise {
    /// Calls `raise` for each later start, on a thread of its own.
    pub fn listen(self, raise: impl Fn() + Send + 'static) {
        let Self { listener, lock } = self;
        std::thread::spawn(move || {
            // The claim lasts as long as this thread.
            let _lock = lock;
            for stream in listener.incoming().flatten() {
                let mut word = Vec::new();
                let heard = stream.set_read_timeout(Some(PATIENCE)).is_ok()
                    && stream.take(RAISE.len() as u64).read_to_end(&mut word).is_ok();
                if heard && word == RAISE {
                    raise();
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_one_raises_the_first() {
        let home = tempfile::tempdir().unwrap();
        let place = Place::under(home.path());
        let Claim::First(raise) = claim(&place).unwrap() else { panic!("nobody else is there") };
        let (raised, asked) = std::sync::mpsc::channel();
        raise.listen(move || raised.send(()).unwrap());
        assert!(matches!(claim(&place).unwrap(), Claim::Raised));
        asked.recv().unwrap();
    }

    #[test]
    fn a_leftover_of_a_crash_is_taken_over() {
        let home = tempfile::tempdir().unwrap();
        let place = Place::under(home.path());
        drop(claim(&place).unwrap());
        assert!(socket(&place).exists(), "a process that crashes leaves its socket");
        assert!(matches!(claim(&place).unwrap(), Claim::First(_)));
    }
}
