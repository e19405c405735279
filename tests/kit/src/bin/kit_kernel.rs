//! A real kernel with the kit's table, and with the knobs that only tests may turn.

use butterfly_kernel::Options;
use butterfly_kit::table::{BENCH, KIT, talking};
use butterfly_wire::confinement::Layer;
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    match options(std::env::args().skip(1)).and_then(|options| Ok(butterfly_kernel::run(options)?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("kit_kernel: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn options(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Options> {
    let mut options = Options { manifest: &KIT, ..Options::default() };
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| anyhow::anyhow!("{name} needs a value"))?;
        match name.as_str() {
            "--home" => options.home = Some(value.into()),
            "--production-table" => options.manifest = Options::default().manifest,
            "--bench-table" => options.manifest = &BENCH,
            "--talking-table" => options.manifest = talking(),
            "--ping-ms" => options.ping_interval = Duration::from_millis(value.parse()?),
            "--landlock-abi" => options.landlock_abi_limit = Some(value.parse()?),
            "--restarts" => options.policy.restarts = value.parse()?,
            "--dbus-proxy" => options.proxies = vec![value.into()],
            "--twins-without" => {
                let layer = Layer::ALL.into_iter().find(|layer| layer.name() == value);
                options.twins_without.push(layer.ok_or_else(|| anyhow::anyhow!("there is no layer {value}"))?);
            }
            _ => anyhow::bail!("{name} is no option"),
        }
    }
    Ok(options)
}
