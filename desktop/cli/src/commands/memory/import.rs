//! `memory import`: lines of JSON, in the file's order, then the wait for their vectors.

use super::index;
use crate::context::Context;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::render::units;
use crate::text;
use crate::upload::Source;
use butterfly_api::memory::{Import, ImportReport, Indexed};
use butterfly_client::Bus;
use serde::Serialize;
use std::path::Path;

/// What `--json` prints.
#[derive(Serialize)]
struct ImportView<'a> {
    added: u64,
    known: u64,
    refused: Vec<RefusedView<'a>>,
    refused_count: u64,
    /// Passages that still wait for their vectors; `null`: nobody waited.
    waiting: Option<u64>,
    degraded: Option<&'a str>,
}

#[derive(Serialize)]
struct RefusedView<'a> {
    line: u64,
    why: &'a str,
}

pub(super) async fn run(context: &Context, bus: &Bus, path: &Path, no_wait: bool) -> Result<Exit, Fault> {
    let report = send(context, bus, path).await?;
    let out = &context.out;
    if !out.json {
        let (added, known) = (report.added, report.known);
        out.line(&format!("{} taken in, {known} known already", units::count(added, "line")))?;
        for (line, why) in &report.refused {
            out.warning(&format!("line {line} was refused: {why}"));
        }
        let shown = report.refused.len() as u64;
        if report.refused_count > shown {
            out.warning(&format!("and {} more lines were refused", report.refused_count - shown));
        }
    }
    let indexed = if no_wait { None } else { Some(index::settle(context, bus, &mut |_| Ok(())).await?) };
    show(context, &report, indexed.as_ref())?;
    // What was refused is missing: a script must learn of it without reading.
    Ok(if report.refused_count > 0 { Exit::Failed } else { Exit::Done })
}

async fn send(context: &Context, bus: &Bus, path: &Path) -> Result<ImportReport, Fault> {
    let report = Source::open(path)?.send::<Import>(context, bus, "taking in").await?;
    report.map_err(|failure| {
        let mut fault = Fault::from(failure);
        if fault.exit == Exit::CutOff {
            fault.message += "; what was taken in stays, and the same command goes on with the rest";
        }
        fault
    })
}

fn show(context: &Context, report: &ImportReport, indexed: Option<&Indexed>) -> Result<(), Fault> {
    let out = &context.out;
    if out.json {
        return out.object(&ImportView {
            added: report.added,
            known: report.known,
            refused: report.refused.iter().map(|(line, why)| RefusedView { line: *line, why }).collect(),
            refused_count: report.refused_count,
            waiting: indexed.map(|indexed| indexed.waiting),
            degraded: indexed.and_then(|indexed| indexed.degraded.as_deref()),
        });
    }
    if let Some(Indexed { waiting, degraded: Some(why) }) = indexed {
        let left = units::count(*waiting, "passage");
        out.warning(&format!("{left} cannot be found by meaning yet: {}", text::escaped(why)));
    }
    Ok(())
}
