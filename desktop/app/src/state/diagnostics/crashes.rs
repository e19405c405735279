//! Crash reports: the list, and the one that is looked at.

use butterfly_wire::control::{CrashReport, Exit};

/// What names a report: who, which generation, when (Unix time in ms).
pub type Key = (String, u32, u64);

/// The reports, newest first.
#[derive(Debug, Default)]
pub struct Crashes {
    pub reports: Vec<CrashReport>,
    /// Whether they were read at least once.
    pub is_known: bool,
    pub failed: Option<String>,
    selected: Option<Key>,
}

/// What names this report.
#[must_use]
pub fn key(report: &CrashReport) -> Key {
    (report.worker.clone(), report.generation, report.at_unix_ms)
}

impl Crashes {
    /// The reports came, or could not be read. What was known stays then.
    pub fn read(&mut self, reports: Result<Vec<CrashReport>, String>) {
        match reports {
            Ok(reports) => {
                self.reports = reports;
                self.is_known = true;
                self.failed = None;
            }
            Err(why) => self.failed = Some(why),
        }
    }

    pub fn select(&mut self, key: Key) {
        self.selected = Some(key);
    }

    /// The one that is looked at: the newest, unless another was chosen that is still kept.
    #[must_use]
    pub fn selected(&self) -> Option<&CrashReport> {
        let chosen = self.selected.as_ref();
        self.reports.iter().find(|report| chosen == Some(&key(report))).or_else(|| self.reports.first())
    }
}

/// How a process ended.
#[must_use]
pub fn exit(exit: Exit) -> String {
    match exit {
        Exit::Code(code) => format!("exit code {code}"),
        Exit::Signal(signal) => match signal_name(signal) {
            Some(name) => format!("signal {signal} ({name})"),
            None => format!("signal {signal}"),
        },
        Exit::Killed => "killed by the kernel".to_owned(),
    }
}

/// The signals that end processes in practice; their numbers are the same on Linux and macOS.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn report(worker: &str, at_unix_ms: u64) -> CrashReport {
        CrashReport {
            worker: worker.into(),
            generation: 1,
            pid: 7,
            at_unix_ms,
            uptime_ms: 5,
            exit: Exit::Signal(9),
            cause: "killed".into(),
            stderr_tail: Vec::new(),
            in_flight: Vec::new(),
            headers: Vec::new(),
        }
    }

    #[test]
    fn a_choice_stays_while_newer_ones_come_and_falls_back_when_it_goes() {
        let mut crashes = Crashes::default();
        assert!(crashes.selected().is_none());
        crashes.read(Ok(vec![report("model", 2), report("memory", 1)]));
        assert_eq!(crashes.selected().map(|report| report.at_unix_ms), Some(2));
        crashes.select(key(&report("memory", 1)));
        crashes.read(Ok(vec![report("brains", 3), report("model", 2), report("memory", 1)]));
        assert_eq!(crashes.selected().map(|report| report.at_unix_ms), Some(1));
        crashes.read(Err("the kernel is gone".into()));
        assert_eq!(crashes.reports.len(), 3, "what was known stays");
        crashes.read(Ok(vec![report("brains", 3)]));
        assert_eq!(crashes.selected().map(|report| report.at_unix_ms), Some(3));
    }

    #[test]
    fn an_exit_is_told_in_words() {
        let all = [Exit::Code(2), Exit::Signal(11), Exit::Signal(64), Exit::Killed].map(exit);
        assert_eq!(all, ["exit code 2", "signal 11 (invalid memory access)", "signal 64", "killed by the kernel"]);
    }
}
