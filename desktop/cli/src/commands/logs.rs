//! `logs`.

use crate::args;
use crate::context::{Context, status};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::launch::lost;
use crate::render::log::Entry;
use crate::render::units;
use butterfly_api::control;
use butterfly_wire::catalog::{control as service, topic};
use butterfly_wire::control::{LogLine, LogLines, LogsRequest};

/// Lines asked for when some of them will be left out by a filter.
const FILTERED_LINES: u32 = 5_000;

/// Shows log lines.
///
/// # Errors
/// When no kernel runs, or there is no such worker.
pub async fn run(context: &Context, args: &args::Logs) -> Result<Exit, Fault> {
    let bus = context.connect().await?;
    if let Some(worker) = args.worker.as_deref().filter(|worker| *worker != "kernel") {
        super::worker::known(&status(&bus).await?, worker)?;
    }
    // Followed before the kept lines are asked for: what is logged in between comes twice rather than never.
    let events = if args.follow { Some(bus.subscribe(service::ID, topic::LOGS).await?) } else { None };
    let most_lines = if args.level.is_some() { args.lines.max(FILTERED_LINES) } else { args.lines };
    let kept = bus.call::<control::Logs>(&LogsRequest { worker: args.worker.clone(), most_lines }).await?;
    let entries: Vec<_> = kept.lines.iter().map(Entry::parse).filter(|entry| wanted(args, entry)).collect();
    let first = entries.len().saturating_sub(args.lines as usize);
    for entry in &entries[first..] {
        print(context, entry)?;
    }
    let Some(mut events) = events else { return Ok(Exit::Done) };
    let mut seen = Seen::new(kept);
    loop {
        match events.next().await {
            Some(Ok(event)) => {
                for line in event.decode::<LogLines>()?.lines {
                    let entry = Entry::parse(&line);
                    if !seen.take(&line) && wanted(args, &entry) {
                        print(context, &entry)?;
                    }
                }
            }
            Some(Err(dropped)) => context.out.remark(&format!("{} not shown", units::count(dropped, "batch"))),
            None => return Err(lost()),
        }
    }
}

fn wanted(args: &args::Logs, entry: &Entry) -> bool {
    args.worker.as_ref().is_none_or(|worker| *worker == entry.worker)
        && args.level.is_none_or(|least| entry.matters(least))
}

fn print(context: &Context, entry: &Entry) -> Result<(), Fault> {
    let out = &context.out;
    if out.json { out.object(entry) } else { out.line(&entry.render(out.paint)) }
}

/// Kept lines that may come once more as events.
struct Seen {
    lines: Vec<LogLine>,
    newest_unix_ms: u64,
}

impl Seen {
    fn new(kept: LogLines) -> Self {
        let newest_unix_ms = kept.lines.iter().map(|line| line.at_unix_ms).max().unwrap_or(0);
        Self { lines: kept.lines, newest_unix_ms }
    }

    /// Whether this line was shown already. Each kept line stands for one event.
    fn take(&mut self, line: &LogLine) -> bool {
        if self.lines.is_empty() {
            return false;
        }
        if line.at_unix_ms > self.newest_unix_ms {
            // Time has passed the kept lines: from here on everything is new.
            self.lines = Vec::new();
            return false;
        }
        let found = self.lines.iter().rposition(|kept| kept == line);
        found.map(|place| self.lines.remove(place)).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(at_unix_ms: u64, line: &str) -> LogLine {
        LogLine { worker: "model".into(), at_unix_ms, line: line.into() }
    }

    #[test]
    fn a_line_that_was_kept_and_published_is_shown_once() {
        let mut seen = Seen::new(LogLines { lines: vec![line(1, "a"), line(2, "b"), line(2, "b")] });
        assert!(seen.take(&line(2, "b")));
        assert!(seen.take(&line(2, "b")));
        assert!(!seen.take(&line(2, "b")), "a third one is another line");
        assert!(!seen.take(&line(3, "a")));
        assert!(!seen.take(&line(1, "a")), "after a newer line, nothing is a repetition");
    }
}
