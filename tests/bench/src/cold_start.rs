//! From nothing to all workers ready.

use crate::options::Options;
use crate::report::{Row, Section, Target, Unit};
use crate::samples::Samples;
use crate::sides::{await_file, start};
use anyhow::{Context, bail};
use butterfly_client::Events;
use butterfly_kit::harness::{Instance, Which, changes, status};
use butterfly_wire::control::{Status, WorkerState};
use butterfly_wire::frame;
use butterfly_wire::{Header, Kind};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Instant;

/// Starts of each kind.
const STARTS: usize = 25;

/// How a kernel is told who answers, and how the report calls it.
const PROVIDERS: [(&str, &[(&str, &str)]); 2] = [
    ("built-in responder", &[("BUTTERFLY_MODEL_PROVIDER", "builtin")]),
    // Port 9 (discard) is where nothing listens.
    ("Ollama that is not running", &[("BUTTERFLY_MODEL_PROVIDER", "ollama"), ("BUTTERFLY_MODEL_URL", NOWHERE)]),
];

const NOWHERE: &str = "http://127.0.0.1:9";

/// # Errors
/// When a program is missing or fails.
pub async fn measure(options: &Options) -> anyhow::Result<Section> {
    let starts = options.times(STARTS);
    let mut kernels = PROVIDERS.map(|_| Samples::default());
    let mut relays = Samples::default();
    for _ in 0..starts {
        relays.push(relay_answers()?);
        for ((_, environment), samples) in PROVIDERS.iter().zip(&mut kernels) {
            samples.push(all_ready(environment).await?);
        }
    }
    let mut rows = Vec::new();
    for ((provider, _), samples) in PROVIDERS.iter().zip(&kernels) {
        let row = |what: &str, kernel, relay| {
            Row::new(format!("{provider}, {what}"), Unit::Milliseconds, kernel, relay, "relay started")
        };
        rows.push(row("median", samples.median(), relays.median()).target(Target::AtMost(250.0)));
        rows.push(row("slowest", samples.largest(), relays.largest()));
    }
    Ok(Section {
        title: "Cold start",
        method: format!(
            "From starting `butterfly-kernel` in an empty home until its table shows every worker ready: each was started \
             in its jail, confined, checked by its canaries, and serves. {starts} starts of each kind. The baseline is \
             the least that a single unconfined process can take: the bare relay, from its start until a frame came back \
             through it."
        ),
        rows,
    })
}

/// Time from the start of a kernel until all of its workers are ready, in ms.
async fn all_ready(environment: &[(&str, &str)]) -> anyhow::Result<f64> {
    let home = tempfile::tempdir()?;
    let since = Instant::now();
    let kernel = Instance::launch(Which::Production, Arc::new(home), &[], environment)?;
    await_file(&kernel.place.socket())?;
    let bus = kernel.connect().await?;
    let mut events = changes(&bus).await?;
    while !all_are_ready(&status(&bus).await?)? {
        any_change(&mut events).await?;
    }
    Ok(since.elapsed().as_secs_f64() * 1e3)
}

fn all_are_ready(status: &Status) -> anyhow::Result<bool> {
    for worker in &status.workers {
        if let WorkerState::Held { reason } = &worker.state {
            bail!("{} is held: {reason}", worker.name);
        }
    }
    Ok(status.workers.iter().all(|worker| worker.state == WorkerState::Ready))
}

async fn any_change(events: &mut Events) -> anyhow::Result<()> {
    events.next().await.map(drop).context("the kernel is gone")
}

/// Time from the start of a relay until a frame came back through it, in ms.
///
/// # Errors
/// When it does not start.
pub fn relay_answers() -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    let (near, far) = (folder.path().join("near"), folder.path().join("far"));
    let since = Instant::now();
    let _relay = start("bench_relay", &[&near, &far])?;
    await_file(&far)?;
    let (mut near, mut far) = (UnixStream::connect(near)?, UnixStream::connect(far)?);
    let mut sent = Vec::new();
    frame::append(&mut sent, &Header { kind: Kind::Event as u8, ..Header::default() }, &[]);
    near.write_all(&sent)?;
    let mut received = vec![0; sent.len()];
    far.read_exact(&mut received)?;
    far.write_all(&received)?;
    near.read_exact(&mut received)?;
    Ok(since.elapsed().as_secs_f64() * 1e3)
}
