//! `crashes`.

use crate::args;
use crate::context::Context;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::render::crashes::{CrashView, text};
use butterfly_api::control;
use serde::Serialize;
use std::time::{SystemTime, UNIX_EPOCH};

#[derive(Serialize)]
struct CrashesView<'a> {
    reports: Vec<CrashView<'a>>,
}

/// Prints the newest crash reports.
///
/// # Errors
/// When no kernel runs.
pub async fn run(context: &Context, args: &args::Crashes) -> Result<Exit, Fault> {
    let bus = context.connect().await?;
    let mut crashes = bus.call::<control::Crashes>(&()).await?;
    crashes.reports.truncate(args.reports);
    let out = &context.out;
    if out.json {
        out.object(&CrashesView { reports: crashes.reports.iter().map(CrashView::from).collect() })?;
        return Ok(Exit::Done);
    }
    if crashes.reports.is_empty() {
        out.line("no worker has failed")?;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis() as u64);
    for report in &crashes.reports {
        out.line(&text(report, args.verbose, now, out.paint))?;
    }
    Ok(Exit::Done)
}
