//! What stays resident while nothing happens.

use crate::first_token::{ask_the_bus, configured, model_server};
use crate::options::Options;
use crate::report::{Row, Section, Target, Unit};
use crate::samples::Samples;
use crate::sides::{await_file, start};
use anyhow::Context;
use butterfly_client::Bus;
use butterfly_kit::harness::{Instance, Which, status};
use std::time::Duration;

/// Kernels.
const KERNELS: usize = 5;

/// How long nothing happens before anybody looks: what a start needed has been given back by then, or never is.
const REST: Duration = Duration::from_secs(2);

/// # Errors
/// When a program is missing or fails.
pub async fn measure(options: &Options) -> anyhow::Result<Section> {
    let kernels = options.times(KERNELS);
    let (mut idle, mut after) = (Resident::default(), Resident::default());
    let mut relays = Samples::default();
    for _ in 0..kernels {
        relays.push(relay()?);
        let (_server, url) = model_server(&[])?;
        let (_kernel, bus) = Instance::start(Which::Production, &[], &configured(&url)).await?;
        tokio::time::sleep(REST).await;
        idle.look(&bus).await?;
        ask_the_bus(&bus).await?;
        tokio::time::sleep(REST).await;
        after.look(&bus).await?;
    }
    let mut rows = Vec::new();
    for (when, resident) in [("idle", &idle), ("after a chat turn", &after)] {
        let row = |what: &str, samples: &Samples| {
            Row::new(format!("{what}, {when}"), Unit::Mebibytes, samples.largest(), relays.largest(), "relay")
        };
        rows.push(row("kernel", &resident.kernel).target(Target::AtMost(8.0)));
        rows.push(row("model and brains together", &resident.model_and_brains).target(Target::AtMost(30.0)));
        rows.push(row("memory, with a small store", &resident.memory).target(Target::AtMost(40.0)));
        rows.push(row("vault", &resident.vault));
    }
    Ok(Section {
        title: "Resident memory",
        method: format!(
            "As `butterfly status` shows it (pages of programs and libraries that processes share count for each of them): \
             {rest} s after all workers were ready, and again {rest} s after one answered chat turn. The largest of \
             {kernels} kernels. The baseline is the bare relay at rest: the least that a process with this async runtime \
             takes.",
            rest = REST.as_secs(),
        ),
        rows,
    })
}

/// Resident memory in MiB.
#[derive(Default)]
struct Resident {
    kernel: Samples,
    model_and_brains: Samples,
    memory: Samples,
    vault: Samples,
}

impl Resident {
    async fn look(&mut self, bus: &Bus) -> anyhow::Result<()> {
        let status = status(bus).await?;
        self.kernel.push(mebibytes(status.kernel.rss_bytes));
        let of = |names: &[&str]| {
            let named = status.workers.iter().filter(|worker| names.contains(&worker.name.as_str()));
            mebibytes(named.map(|worker| worker.rss_bytes).sum())
        };
        self.model_and_brains.push(of(&["model", "brains"]));
        self.memory.push(of(&["memory"]));
        self.vault.push(of(&["vault"]));
        Ok(())
    }
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// The bare relay's, in MiB.
fn relay() -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    let (near, far) = (folder.path().join("near"), folder.path().join("far"));
    let relay = start("bench_relay", &[&near, &far])?;
    await_file(&far)?;
    std::thread::sleep(REST);
    let found = std::fs::read_to_string(format!("/proc/{}/status", relay.0.id()))?;
    let resident = found.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("the system does not say")?;
    let kibibytes: f64 = resident.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes / 1024.0)
}
