//! The machine and the moment of a run, as far as figures depend on them.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Facts for the report, in order.
#[must_use]
pub fn conditions(date: Option<String>) -> Vec<(&'static str, String)> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    vec![
        ("date", date.unwrap_or_else(today)),
        ("processor", format!("{}, {cores} cores", field("/proc/cpuinfo", "model name"))),
        (
            "memory",
            format!("{} MiB", field("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse().unwrap_or(0) / 1024),
        ),
        ("kernel", format!("{} {}", std::env::consts::OS, read("/proc/sys/kernel/osrelease"))),
        ("compiler", env!("BENCH_RUSTC").to_owned()),
        (
            "build",
            if cfg!(debug_assertions) {
                "dev profile: these figures mean little"
            } else {
                "release profile, no link-time optimisation"
            }
            .to_owned(),
        ),
        ("load average before the run", read("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" ")),
    ]
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|_| "unknown".to_owned()).trim().to_owned()
}

/// The first value of that name in a file of `name: value` lines.
fn field(path: &str, name: &str) -> String {
    let text = read(path);
    let found = text.lines().find_map(|line| line.split_once(':').filter(|(key, _)| key.trim() == name));
    found.map_or_else(|| "unknown".to_owned(), |(_, value)| value.trim().to_owned())
}

fn today() -> String {
    let days = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / 86_400);
    date(days)
}

/// The date so many days after 1970-01-01, in the Gregorian calendar.
fn date(days: u64) -> String {
    jiff::civil::date(1970, 1, 1).saturating_add(Duration::from_secs(days * 86_400)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(11_016), "2000-02-29");
        assert_eq!(date(11_017), "2000-03-01");
        assert_eq!(date(20_088), "2024-12-31");
        assert_eq!(date(20_089), "2025-01-01");
    }
}
