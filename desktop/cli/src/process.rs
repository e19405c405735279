//! Waiting for a process that is not our child to be gone.

use crate::fault::Fault;
use rustix::process::Pid;

/// A process, held so that its number cannot come to mean another one.
pub struct Process {
    #[cfg(target_os = "linux")]
    descriptor: Option<std::os::fd::OwnedFd>,
    #[cfg(not(target_os = "linux"))]
    pid: Option<Pid>,
}

impl Process {
    /// Takes hold of a process; one that is gone already is no error.
    ///
    /// # Errors
    /// When the system gives no handle on it.
    #[cfg(target_os = "linux")]
    pub fn hold(pid: u32) -> Result<Self, Fault> {
        use rustix::process::{PidfdFlags, pidfd_open};
        let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
            return Ok(Self { descriptor: None });
        };
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(descriptor) => Ok(Self { descriptor: Some(descriptor) }),
            Err(rustix::io::Errno::SRCH) => Ok(Self { descriptor: None }),
            Err(fault) => Err(std::io::Error::from(fault).into()),
        }
    }

    /// Resolves when it has ended, whether or not its parent has taken note.
    ///
    /// # Errors
    /// When it cannot be watched.
    #[cfg(target_os = "linux")]
    pub async fn gone(self) -> Result<(), Fault> {
        use rustix::event::{PollFd, PollFlags, poll};
        let Some(descriptor) = self.descriptor else { return Ok(()) };
        // A thread of its own may wait as long as it likes: the program does not wait for it.
        let waiting = tokio::task::spawn_blocking(move || {
            loop {
                match poll(&mut [PollFd::new(&descriptor, PollFlags::IN)], None) {
                    Err(rustix::io::Errno::INTR) => {}
                    Err(fault) => return Err(std::io::Error::from(fault)),
                    Ok(_) => return Ok(()),
                }
            }
        });
        let waited = waiting.await.map_err(|fault| Fault::failed(format!("the process cannot be watched: {fault}")))?;
        Ok(waited?)
    }

    /// Takes hold of a process.
    ///
    /// # Errors
    /// Never on this system.
    #[cfg(not(target_os = "linux"))]
    pub fn hold(pid: u32) -> Result<Self, Fault> {
        Ok(Self { pid: i32::try_from(pid).ok().and_then(Pid::from_raw) })
    }

    /// Resolves when it has ended.
    ///
    /// # Errors
    /// Never on this system.
    #[cfg(not(target_os = "linux"))]
    pub async fn gone(self) -> Result<(), Fault> {
        // No event tells of a process that is not a child in a portable way; this is short and rare.
        while self.pid.is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok()) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_gone_when_it_ended_even_before_its_parent_looks() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut child = std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
            let process = Process::hold(child.id()).unwrap();
            drop(child.stdin.take());
            process.gone().await.unwrap();
            assert!(child.wait().unwrap().success());
        });
    }
}
