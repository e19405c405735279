//! Crash reports: one small file each, in the state folder, the oldest going first.

use butterfly_wire::codec;
use butterfly_wire::control::{CrashReport, Exit};
use std::collections::VecDeque;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

/// Reports that are kept. A crash loop makes six before the worker is held.
const REPORTS: usize = 50;

/// The reports of this and earlier starts.
pub struct CrashLog {
    folder: PathBuf,
    /// Newest first.
    reports: VecDeque<CrashReport>,
}

impl CrashLog {
    /// Reads what earlier starts left in the folder. A file that is no report is left alone.
    #[must_use]
    pub fn open(folder: PathBuf) -> Self {
        let mut reports: Vec<CrashReport> =
            files(&folder).into_iter().filter_map(|path| codec::decode(&std::fs::read(path).ok()?).ok()).collect();
        reports.sort_by_key(|report| std::cmp::Reverse(report.at_unix_ms));
        reports.truncate(REPORTS);
        Self { folder, reports: reports.into() }
    }

    /// Keeps a report.
    ///
    /// # Errors
    /// When the file cannot be written; the report is still in memory.
    pub fn keep(&mut self, report: CrashReport) -> io::Result<()> {
        let bytes = codec::encode(&report).map_err(io::Error::other)?;
        let name = format!("{:013}-{}-{}.crash", report.at_unix_ms, report.worker, report.generation);
        self.reports.push_front(report);
        self.reports.truncate(REPORTS);
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(self.folder.join(name))?;
        io::Write::write_all(&mut file, &bytes)?;
        let mut kept = files(&self.folder);
        kept.sort();
        for old in kept.iter().take(kept.len().saturating_sub(REPORTS)) {
            std::fs::remove_file(old)?;
        }
        Ok(())
    }

    /// Newest first.
    pub fn reports(&self) -> impl Iterator<Item = &CrashReport> {
        self.reports.iter()
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "crash")).collect()
}

/// How a process ended, for a report.
#[must_use]
pub fn exit_of(status: ExitStatus, killed: bool) -> Exit {
    match (status.signal(), status.code()) {
        (Some(_), _) if killed => Exit::Killed,
        (Some(signal), _) => Exit::Signal(signal),
        (None, code) => Exit::Code(code.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(at_unix_ms: u64) -> CrashReport {
        CrashReport {
            worker: "model".to_owned(),
            generation: 1,
            pid: 7,
            at_unix_ms,
            uptime_ms: 5,
            exit: Exit::Signal(9),
            cause: "killed".to_owned(),
            stderr_tail: vec![],
            in_flight: vec![],
            headers: vec![],
        }
    }

    #[test]
    fn reports_survive_a_restart_newest_first_and_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = CrashLog::open(folder.path().to_owned());
        for at in 0..(REPORTS as u64 + 10) {
            log.keep(report(at)).unwrap();
        }
        std::fs::write(folder.path().join("x.crash"), "no report").unwrap();
        let again = CrashLog::open(folder.path().to_owned());
        let times: Vec<_> = again.reports().map(|report| report.at_unix_ms).collect();
        assert_eq!(times.first(), Some(&(REPORTS as u64 + 9)));
        assert!(times.len() <= REPORTS && times.is_sorted_by(|a, b| a > b));
    }
}
