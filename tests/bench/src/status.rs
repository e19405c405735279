//! The command that people and scripts run most.

use crate::options::Options;
use crate::report::{Row, Section, Target, Unit};
use crate::samples::Samples;
use anyhow::bail;
use butterfly_kit::harness::{Instance, Which, program};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Times that each is run.
const RUNS: usize = 100;

/// # Errors
/// When a program is missing or fails.
pub async fn measure(options: &Options) -> anyhow::Result<Section> {
    let runs = options.times(RUNS);
    let builtin = [("BUTTERFLY_MODEL_PROVIDER", "builtin")];
    let (kernel, _bus) = Instance::start(Which::Production, &[], &builtin).await?;
    let (mut statuses, mut nothings) = (Samples::default(), Samples::default());
    for _ in 0..runs {
        nothings.push(run(&mut Command::new("/bin/true"))?);
        let mut status = Command::new(program("butterfly")?);
        statuses.push(run(status.arg("status").env("BUTTERFLY_HOME", kernel.home.path()))?);
    }
    let row = |what, status, nothing| Row::new(what, Unit::Milliseconds, status, nothing, "/bin/true");
    Ok(Section {
        title: "`butterfly status`",
        method: format!(
            "The whole command, from its start to its end, {runs} times, its output to nowhere. The baseline is the same \
             harness around `/bin/true`, which does nothing: what starting any process costs here."
        ),
        rows: vec![
            row("median", statuses.median(), nothings.median()).target(Target::AtMost(15.0)),
            row("p99", statuses.p99(), nothings.p99()),
        ],
    })
}

/// Time from start to end, in ms.
fn run(command: &mut Command) -> anyhow::Result<f64> {
    let since = Instant::now();
    let ended = command.stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    let took = since.elapsed();
    if !ended.success() {
        bail!("{command:?} failed: {ended}");
    }
    Ok(took.as_secs_f64() * 1e3)
}
