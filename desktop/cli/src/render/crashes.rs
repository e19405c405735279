//! Crash reports, newest first.

use crate::paint::{Paint, Role};
use crate::render::status::sentence;
use crate::render::tree::Names;
use crate::render::{trace, units};
use crate::text;
use butterfly_wire::control::{CrashReport, Exit};
use serde::Serialize;

#[derive(Serialize)]
pub struct CrashView<'a> {
    worker: &'a str,
    generation: u32,
    pid: u32,
    at_unix_ms: u64,
    at: String,
    uptime_ms: u64,
    exit: ExitView,
    cause: &'a str,
    stderr_tail: &'a [String],
    in_flight: &'a [String],
    headers: Vec<trace::MessageView>,
}

#[derive(Serialize)]
#[serde(tag = "how", rename_all = "snake_case")]
enum ExitView {
    Code { code: i32 },
    Signal { signal: i32 },
    Killed,
}

impl<'a> CrashView<'a> {
    #[must_use]
    pub fn new(report: &'a CrashReport, names: &Names<'_>) -> Self {
        Self {
            worker: &report.worker,
            generation: report.generation,
            pid: report.pid,
            at_unix_ms: report.at_unix_ms,
            at: units::moment(report.at_unix_ms),
            uptime_ms: report.uptime_ms,
            exit: match report.exit {
                Exit::Code(code) => ExitView::Code { code },
                Exit::Signal(signal) => ExitView::Signal { signal },
                Exit::Killed => ExitView::Killed,
            },
            cause: &report.cause,
            stderr_tail: &report.stderr_tail,
            in_flight: &report.in_flight,
            headers: report.headers.iter().filter_map(|record| trace::view(record, names)).collect(),
        }
    }
}

fn exit(exit: Exit) -> String {
    match exit {
        Exit::Code(code) => format!("exit code {code}"),
        Exit::Signal(signal) => match signal_name(signal) {
            Some(name) => format!("signal {signal} ({name})"),
            None => format!("signal {signal}"),
        },
        Exit::Killed => "killed by the kernel".to_owned(),
    }
}

/// The signals that end processes in practice; their numbers are the same on Linux and macOS, SIGBUS and SIGSYS apart.
const fn signal_name(signal: i32) -> Option<&'static str> {
    match signal {
        4 => Some("illegal instruction"),
        6 => Some("aborted"),
        9 => Some("killed"),
        11 => Some("invalid memory access"),
        15 => Some("terminated"),
        _ => None,
    }
}

/// One report. `now_unix_ms` is the present.
#[must_use]
pub fn text(report: &CrashReport, names: &Names<'_>, verbose: bool, now_unix_ms: u64, paint: Paint) -> String {
    let name = format!("{} (generation {})", text::escaped(&report.worker), report.generation);
    let mut lines = vec![
        format!(
            "{}  {}, {}, after {}",
            paint.apply(Role::Strong, &name),
            units::ago(report.at_unix_ms, now_unix_ms),
            paint.apply(Role::Danger, &exit(report.exit)),
            units::milliseconds(report.uptime_ms),
        ),
        format!("  {}", sentence(&report.cause)),
    ];
    if !verbose {
        return lines.join("\n");
    }
    lines.push(format!("  at {}, pid {}", units::moment(report.at_unix_ms), report.pid));
    if !report.in_flight.is_empty() {
        lines.push(format!("  was answering: {}", text::escaped(&report.in_flight.join(", "))));
    }
    if !report.stderr_tail.is_empty() {
        lines.push("  its last output:".to_owned());
        lines.extend(report.stderr_tail.iter().map(|line| format!("    {}", text::escaped(line))));
    }
    if !report.headers.is_empty() {
        lines.push("  its last messages (time since the kernel's start, in s):".to_owned());
        let messages = report.headers.iter().filter_map(|record| trace::view(record, names));
        lines.extend(messages.map(|message| format!("    {}", trace::line(&message, paint))));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> CrashReport {
        CrashReport {
            worker: "model".into(),
            generation: 3,
            pid: 99,
            at_unix_ms: 1_763_820_916_123,
            uptime_ms: 61_000,
            exit: Exit::Signal(9),
            cause: "it was killed from outside".into(),
            stderr_tail: vec!["last \x1b[31mwords".into()],
            in_flight: vec!["model.chat".into()],
            headers: crate::render::tree::tests::sample().records[4..6].to_vec(),
        }
    }

    fn names() -> Names<'static> {
        Names::new(&[])
    }

    #[test]
    fn a_report_says_what_when_and_why() {
        insta::assert_snapshot!(text(&report(), &names(), true, 1_763_820_921_123, Paint::new(false)), @r"
        model (generation 3)  5.0 s ago, signal 9 (killed), after 1 min 1 s
          it was killed from outside.
          at 2025-11-22T14:15:16.123Z, pid 99
          was answering: model.chat
          its last output:
            last \x1b[31mwords
          its last messages (time since the kernel's start, in s):
                 0.001250  #3.4 → #2.1           request    model.chat          #7.0           100 B  user  trace 6
                 0.003000  #2.1 → #3.4           item       model.chat          #7.0           100 B  user  trace 6
        ");
        assert_eq!(text(&report(), &names(), false, 0, Paint::new(false)).lines().count(), 2);
    }

    #[test]
    fn the_object_has_the_documented_shape() {
        let mut report = report();
        report.headers.clear();
        insta::assert_snapshot!(serde_json::to_string(&CrashView::new(&report, &names())).unwrap(), @r#"{"worker":"model","generation":3,"pid":99,"at_unix_ms":1763820916123,"at":"2025-11-22T14:15:16.123Z","uptime_ms":61000,"exit":{"how":"signal","signal":9},"cause":"it was killed from outside","stderr_tail":["last \u001b[31mwords"],"in_flight":["model.chat"],"headers":[]}"#);
    }
}
