//! The two sides of a comparison, both alive at once: the bare relay with what answers behind it, and the kernel with the
//! same behind it; and the caller, a process of its own, that goes to and fro between them.

use crate::samples::Samples;
use anyhow::{Context, bail};
use butterfly_kit::harness::{Instance, Which, program, worker};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The time that a program has to open its sockets.
const PATIENCE: Duration = Duration::from_secs(10);

/// Pause between two looks at whether a socket is there.
const LOOK: Duration = Duration::from_micros(250);

/// A process that ends with its value.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts one of the built programs.
///
/// # Errors
/// When it was not built or does not start.
pub fn start(name: &str, arguments: &[&Path]) -> anyhow::Result<Running> {
    let mut command = Command::new(program(name)?);
    Ok(Running(command.args(arguments).stdin(Stdio::null()).spawn()?))
}

/// Waits until a file is there.
///
/// # Errors
/// When it does not come.
pub fn await_file(path: &Path) -> anyhow::Result<()> {
    let since = Instant::now();
    while !path.exists() {
        if since.elapsed() > PATIENCE {
            bail!("{} never appeared", path.display());
        }
        std::thread::sleep(LOOK);
    }
    Ok(())
}

/// What is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Callee {
    /// Blocking calls and bare frames.
    Echo,
    /// The client library and, behind the kernel, the worker runtime.
    Service,
}

impl Callee {
    /// Its program, and its worker's name in the table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Echo => "bench_echo",
            Self::Service => "bench_service",
        }
    }
}

/// Starts both sides and the caller, which goes to and fro: `rounds` times through the relay, then through the kernel.
///
/// # Errors
/// When a program is missing or fails.
pub async fn compare(
    callee: Callee,
    what: &str,
    rounds: usize,
    per_round: usize,
    bytes: usize,
) -> anyhow::Result<Compared> {
    let folder = tempfile::tempdir()?;
    let (near, far) = (folder.path().join("near"), folder.path().join("far"));
    let _relay = start("bench_relay", &[&near, &far])?;
    await_file(&far)?;
    let _answering = start(callee.name(), &[&far])?;
    let (kernel, bus) = Instance::start(Which::Kit, &["--bench-table", "yes"], &[]).await?;
    let endpoint = worker(&bus, callee.name()).await?.endpoint;
    let output = Command::new(program("bench_caller")?)
        .args([what, callee.name(), &endpoint.to_string()])
        .args([rounds, per_round, bytes].map(|number| number.to_string()))
        .args([near.as_path(), kernel.home.path()])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        bail!("the caller failed at {what}");
    }
    Compared::read(&String::from_utf8(output.stdout)?)
}

/// What the caller measured of both sides.
#[derive(Debug, Default)]
pub struct Compared {
    pub relay: Samples,
    pub kernel: Samples,
}

impl Compared {
    /// Reads what the caller prints: a side and a number on each line.
    fn read(text: &str) -> anyhow::Result<Self> {
        let mut compared = Self::default();
        for line in text.lines() {
            let (side, number) = line.split_once(' ').context("the caller printed no measurement")?;
            let number = number.parse()?;
            match side {
                "relay" => compared.relay.push(number),
                "kernel" => compared.kernel.push(number),
                _ => bail!("the caller knows a side named {side}"),
            }
        }
        if compared.relay.is_empty() || compared.kernel.is_empty() {
            bail!("the caller measured nothing");
        }
        Ok(compared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_caller_prints_is_read_or_refused() {
        let compared = Compared::read("relay 10\nkernel 12.5\nrelay 11\n").unwrap();
        assert_eq!((compared.relay.len(), compared.kernel.median()), (2, 12.5));
        assert!(Compared::read("").is_err(), "no measurement is no result");
        assert!(Compared::read("relay 1\n").is_err(), "nor is one side alone");
        assert!(Compared::read("relay 1\nkernel x\n").is_err());
    }
}
