//! `crashes`.

use crate::args;
use crate::context::{Context, status};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::render::crashes::{CrashView, text};
use crate::render::tree::Names;
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
    // A report knows endpoints; who has their slots now is who had them.
    let status = status(&bus).await?;
    let names: Vec<_> = status.workers.into_iter().map(|worker| (worker.endpoint, worker.name)).collect();
    let names = Names::new(&names);
    let out = &context.out;
    if out.json {
        out.object(&CrashesView {
            reports: crashes.reports.iter().map(|report| CrashView::new(report, &names)).collect(),
        })?;
        return Ok(Exit::Done);
    }
    if crashes.reports.is_empty() {
        out.line("no worker has failed")?;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis() as u64);
    for report in &crashes.reports {
        out.line(&text(report, &names, args.verbose, now, out.paint))?;
    }
    Ok(Exit::Done)
}
