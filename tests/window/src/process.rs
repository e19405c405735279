//! Programs of the system that a stage stands on: started so that they end with it, or missing and named.

use anyhow::{Context, bail};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use tokio::process::Command as Waited;

/// Where system programs lie that nobody calls by hand.
const ASIDE: [&str; 4] = ["/usr/libexec", "/usr/lib/at-spi2-core", "/usr/lib/at-spi2", "/usr/local/libexec"];

/// A program of the system.
///
/// # Errors
/// Names the package that brings it, where it is missing.
pub fn find(program: &str, package: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(ASIDE.map(PathBuf::from));
    let found = folders.map(|folder| folder.join(program)).find(|path| path.is_file());
    found.with_context(|| {
        format!("{program} is missing, and the window cannot be tested without it: install the package {package}")
    })
}

/// A process that ends with this value, and with this process however that ends.
pub struct Guarded {
    child: Child,
}

impl Guarded {
    /// Starts it. `prepare` gets the command, whose program is set.
    ///
    /// # Errors
    /// Where the program is missing or does not start.
    pub fn start(program: &str, package: &str, prepare: impl FnOnce(&mut Command)) -> anyhow::Result<Self> {
        Self::run(&find(program, package)?, prepare)
    }

    /// Starts the program of this path.
    ///
    /// # Errors
    /// Where it does not start.
    pub fn run(program: &Path, prepare: impl FnOnce(&mut Command)) -> anyhow::Result<Self> {
        // The system ends it when the thread ends that started it, even where nobody can clean up any more.
        let mut command = Command::new(find("setpriv", "util-linux")?);
        command.args(["--pdeathsig", "KILL", "--"]).arg(program);
        prepare(&mut command);
        let child = command.spawn().with_context(|| format!("{} does not start", program.display()))?;
        Ok(Self { child })
    }

    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // Ended already, perhaps.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ends the kernel of a home when this value is dropped, and when this process ends in any other way: a kernel that a
/// window started has a session of its own, and outlives everything else by design.
pub struct Warden {
    child: Child,
}

impl Warden {
    /// Watches over a home. `cli` is the program `butterfly`.
    ///
    /// # Errors
    /// Where it does not start.
    pub fn start(cli: &Path, home: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(find("setsid", "util-linux")?);
        // Nothing is ever written: the pipe closes when its only writer is gone, which is this process.
        command.args(["sh", "-c", "cat > /dev/null; exec \"$0\" --home \"$1\" down"]).arg(cli).arg(home);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self { child: command.spawn().context("no shell starts")? })
    }
}

impl Drop for Warden {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // What it says is of no use any more.
        let _ = self.child.wait();
    }
}

/// Runs a program to its end.
///
/// # Errors
/// Where it fails, with what it said.
pub async fn output(command: Command) -> anyhow::Result<Output> {
    let shown = format!("{command:?}");
    let output = Waited::from(command).kill_on_drop(true).output().await.with_context(|| shown.clone())?;
    if !output.status.success() {
        bail!("{shown}: {}, {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(output)
}

/// Living processes whose environment has this variable with this value.
#[must_use]
pub fn with_variable(name: &str, value: &str) -> Vec<u32> {
    let wanted = format!("{name}={value}").into_bytes();
    let has = |pid: &u32| {
        let variables = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        variables.split(|byte| *byte == 0).any(|variable| variable == wanted)
    };
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(has).collect()
}

/// Whether a process lives; one that ended and was not waited for does not.
#[must_use]
pub fn lives(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// Waits until a process lives no more.
///
/// # Errors
/// Where it goes on.
pub async fn gone(pid: u32) -> anyhow::Result<()> {
    let waiting = async {
        while lives(pid) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(crate::PATIENCE, waiting).await.with_context(|| format!("process {pid} does not end"))
}

/// Sends a signal to a process; one that is gone has no need of it.
pub fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args(["-s", name, "--", &pid.to_string()]).stderr(Stdio::null()).status();
    drop(sent);
}
