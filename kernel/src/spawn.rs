//! Starting a process: the only place in the project that does.

use butterfly_sandbox::{Profile, launch};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;
use tokio::net::unix::pipe;

/// A process that was started and has not been reaped.
pub struct Process {
    child: Child,
    pub pid: u32,
    pub since: Instant,
    /// The kernel has sent SIGKILL.
    pub killed: bool,
}

/// A process and the kernel's ends of its bus and its standard error.
pub struct Spawned {
    pub process: Process,
    pub bus: UnixStream,
    pub stderr: pipe::Receiver,
}

/// The programs beside the kernel's own.
#[derive(Clone, Debug)]
pub struct Programs(pub PathBuf);

impl Programs {
    /// The folder of the running program.
    ///
    /// # Errors
    /// When the system does not say where it is.
    pub fn beside_the_kernel() -> io::Result<Self> {
        let kernel = std::env::current_exe()?;
        Ok(Self(kernel.parent().unwrap_or(Path::new("/")).to_owned()))
    }

    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

/// Starts a program in the jail, with this standard output, if any. Must be called on the main thread: the child dies with the thread that started it.
///
/// # Errors
/// When the jail cannot be started or the profile not handed over. What goes wrong inside the jail is its exit code.
pub fn confined(programs: &Programs, profile: &Profile, output: Option<OwnedFd>) -> io::Result<Spawned> {
    let output = output.map_or_else(Stdio::null, Stdio::from);
    let mut spawned = start(&mut Command::new(programs.path("butterfly-jail")), output)?;
    let message = launch::to_bytes(profile).map_err(io::Error::other)?;
    // Smaller than a socket's buffer, so this never waits for the jail.
    if let Err(fault) = spawned.bus.write_all(&message) {
        spawned.process.kill();
        return Err(fault);
    }
    spawned.bus.set_nonblocking(true)?;
    Ok(spawned)
}

/// Starts a program as any user's process is: the control of `doctor --prove`, which shows what the jail prevents.
///
/// # Errors
/// When it cannot be started.
pub fn unconfined(program: &Path) -> io::Result<Spawned> {
    let spawned = start(&mut Command::new(program), Stdio::null())?;
    spawned.bus.set_nonblocking(true)?;
    Ok(spawned)
}

/// Starts the jail and tells it nothing: a process of the user's that waits, for the twins to aim at.
///
/// # Errors
/// When it cannot be started.
pub fn decoy(programs: &Programs) -> io::Result<Spawned> {
    start(&mut Command::new(programs.path("butterfly-jail")), Stdio::null())
}

/// Starts a program of the system's that serves one worker. It is no part of the assistant and not confined; it does one thing.
///
/// # Errors
/// When it cannot be started.
pub fn helper(command: &mut Command) -> io::Result<Spawned> {
    start(command, Stdio::null())
}

fn start(command: &mut Command, output: Stdio) -> io::Result<Spawned> {
    let (ours, theirs) = UnixStream::pair()?;
    let mut child = command
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(output)
        .stderr(Stdio::piped())
        .spawn()?;
    let stderr = child.stderr.take().ok_or_else(|| io::Error::other("the child has no standard error"))?;
    let stderr = pipe::Receiver::from_owned_fd(OwnedFd::from(stderr))?;
    let pid = child.id();
    let process = Process { child, pid, since: Instant::now(), killed: false };
    Ok(Spawned { process, bus: ours, stderr })
}

impl Process {
    /// Asks it to end.
    pub fn terminate(&self) {
        let pid = nix::unistd::Pid::from_raw(self.pid as i32);
        // A process that is gone already needs no signal; it is not reaped yet, so the number is still its own.
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
    }

    /// Ends it.
    pub fn kill(&mut self) {
        self.killed = true;
        let _ = self.child.kill();
    }

    /// Its exit status, once it has ended.
    pub fn reap(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }
}

impl Drop for Process {
    /// A process that nobody supervises any more must not go on.
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
