//! Runs the benchmarks one after the other, prints the page, and writes it to the project's documents.

use anyhow::Context;
use butterfly_bench::options::{NAMES, Options};
use butterfly_bench::report::{Section, page};
use butterfly_bench::{
    cold_start, durable, first_token, in_flight, keeping, machine, memory, memory_vectors, restart, round_trip, status,
    stream, tokens, window_hours, window_start, window_stream,
};
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("butterfly-bench: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<()> {
    let options = Options::from_arguments(std::env::args().skip(1))?;
    let conditions = machine::conditions(options.date.clone());
    let mut sections = Vec::new();
    for name in NAMES.into_iter().filter(|name| options.wants(name)) {
        eprintln!("measuring {name}");
        sections.push(measure(name, &options).await.with_context(|| format!("{name} could not be measured"))?);
    }
    let page = page(&conditions, &sections);
    print!("{page}");
    if let Some(path) = options.page() {
        std::fs::write(&path, page).with_context(|| {
            format!("{} cannot be written; run this in the project's folder, or name a file with --out", path.display())
        })?;
        eprintln!("written to {}", path.display());
    }
    Ok(())
}

async fn measure(name: &str, options: &Options) -> anyhow::Result<Section> {
    match name {
        "round-trip" => round_trip::measure(options).await,
        "in-flight" => in_flight::measure(options).await,
        "stream" => stream::measure(options).await,
        "first-token" => first_token::measure(options).await,
        "tokens" => tokens::measure(options).await,
        "cold-start" => cold_start::measure(options).await,
        "restart" => restart::measure(options).await,
        "memory" => memory::measure(options).await,
        "status" => status::measure(options).await,
        "vectors" => memory_vectors::measure(options).await,
        "durable" => durable::measure(options).await,
        "keeping" => keeping::measure(options).await,
        "window-start" => window_start::measure(options).await,
        "window-stream" => window_stream::measure(options).await,
        "window-hours" => window_hours::measure(options).await,
        _ => anyhow::bail!("there is no benchmark {name}"),
    }
}
