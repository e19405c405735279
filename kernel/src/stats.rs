//! What the system says of a process: memory, processor time, and the confinement that binds each of its threads.

use std::fs;
use std::time::Duration;

/// One reading. Zeros where the system tells nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub rss_bytes: u64,
    pub cpu: Duration,
}

/// Clock ticks per second in `/proc/PID/stat`: 100 on every Linux that a person runs (`USER_HZ`).
const TICKS_PER_SECOND: u64 = 100;

/// Reads a process's use of memory and processor (proc(5): `statm` field 2, `stat` fields 14 and 15).
#[must_use]
pub fn usage(pid: u32) -> Usage {
    let page = 4096;
    let pages = fs::read_to_string(format!("/proc/{pid}/statm"))
        .ok()
        .and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok())
        .unwrap_or_default();
    let ticks = fs::read_to_string(format!("/proc/{pid}/stat"))
        .ok()
        .and_then(|text| {
            // The name, in parentheses, may hold anything; what follows the last one is numbers.
            let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(11);
            let user: u64 = fields.next()?.parse().ok()?;
            let system: u64 = fields.next()?.parse().ok()?;
            Some(user + system)
        })
        .unwrap_or_default();
    Usage { rss_bytes: pages * page, cpu: Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND) }
}

/// The confinement of one thread as `/proc/PID/task/TID/status` shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThreadStatus {
    pub seccomp: u32,
    pub filters: u32,
    pub no_new_privs: bool,
    pub effective: u64,
}

impl ThreadStatus {
    fn parse(text: &str) -> Self {
        let field = |name: &str| {
            text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim)).unwrap_or_default()
        };
        Self {
            seccomp: field("Seccomp").parse().unwrap_or_default(),
            filters: field("Seccomp_filters").parse().unwrap_or_default(),
            no_new_privs: field("NoNewPrivs") == "1",
            effective: u64::from_str_radix(field("CapEff"), 16).unwrap_or(u64::MAX),
        }
    }

    /// A filter is on, privileges cannot grow, and there are none.
    #[must_use]
    pub fn is_confined(&self) -> bool {
        self.seccomp == 2 && self.no_new_privs && self.effective == 0
    }
}

/// Every thread of a process; empty where the system does not tell.
#[must_use]
pub fn threads(pid: u32) -> Vec<ThreadStatus> {
    fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("status")).ok())
        .map(|text| ThreadStatus::parse(&text))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory_and_is_not_confined() {
        let me = std::process::id();
        assert!(usage(me).rss_bytes > 100_000);
        let threads = threads(me);
        assert!(!threads.is_empty());
        assert!(threads.iter().all(|thread| !thread.is_confined()));
    }

    #[test]
    fn a_status_is_read_field_by_field() {
        let text = "Name:\tx\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t3\n";
        let status = ThreadStatus::parse(text);
        assert_eq!((status.seccomp, status.filters), (2, 3));
        assert!(status.is_confined());
        assert!(!ThreadStatus::parse("").is_confined());
    }
}
