//! From the death of a worker to its successor.

use crate::cold_start::relay_answers;
use crate::options::Options;
use crate::report::{Row, Section, Target, Unit};
use crate::samples::Samples;
use anyhow::{Context, bail};
use butterfly_client::Bus;
use butterfly_kit::harness::{Instance, Which, changes, worker};
use butterfly_wire::control::{WorkerChanged, WorkerState};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::time::Instant;

/// Kernels, in each of which every worker is killed once: the first restart is immediate, a second one is not meant to be.
const KERNELS: usize = 20;

/// Who is killed.
const WORKERS: [&str; 2] = ["model", "brains"];

/// # Errors
/// When a program is missing or fails.
pub async fn measure(options: &Options) -> anyhow::Result<Section> {
    let kernels = options.times(KERNELS);
    let mut restarts = WORKERS.map(|_| Samples::default());
    let mut relays = Samples::default();
    for _ in 0..kernels {
        let builtin = [("BUTTERFLY_MODEL_PROVIDER", "builtin")];
        let (_kernel, bus) = Instance::start(Which::Production, &[], &builtin).await?;
        for (name, samples) in WORKERS.iter().zip(&mut restarts) {
            relays.push(relay_answers()?);
            samples.push(back_again(&bus, name).await?);
        }
    }
    let mut rows = Vec::new();
    for (name, samples) in WORKERS.iter().zip(&restarts) {
        let row = |what: &str, worker, relay| {
            Row::new(format!("{name}, {what}"), Unit::Milliseconds, worker, relay, "relay started")
        };
        rows.push(row("median", samples.median(), relays.median()).target(Target::AtMost(60.0)));
        rows.push(row("slowest", samples.largest(), relays.largest()));
    }
    Ok(Section {
        title: "Restart",
        method: format!(
            "From `kill -9` of a worker until a client hears that its successor is ready: the death was noticed, whoever \
             waited was told, a crash report was written, and the successor was started, confined and checked. {kernels} \
             times each, in a kernel of its own, since only the first restart of a worker in a while is immediate. The \
             baseline is the cold start's."
        ),
        rows,
    })
}

/// Time from the end of a worker until its successor is ready, in ms.
async fn back_again(bus: &Bus, name: &str) -> anyhow::Result<f64> {
    let before = worker(bus, name).await?;
    let mut events = changes(bus).await?;
    let since = Instant::now();
    kill(Pid::from_raw(i32::try_from(before.pid)?), Signal::SIGKILL)?;
    loop {
        let Ok(event) = events.next().await.context("the kernel is gone")? else { bail!("events were lost") };
        let changed: WorkerChanged = event.decode()?;
        if changed.name == name && changed.generation > before.generation && changed.state == WorkerState::Ready {
            return Ok(since.elapsed().as_secs_f64() * 1e3);
        }
    }
}
