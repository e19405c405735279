//! Numbers with their units, as people read them.

use jiff::civil::DateTime;
use std::time::Duration;

/// Bytes in binary units (IEC 80000-13), three digits at most before the point.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    // 1023.95 would be printed as 1024.0.
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// Milliseconds as the two largest units that say something.
#[must_use]
pub fn milliseconds(ms: u64) -> String {
    let (seconds, minutes, hours, days) = (ms / 1000, ms / 60_000, ms / 3_600_000, ms / 86_400_000);
    match ms {
        0..1000 => format!("{ms} ms"),
        1000..60_000 => format!("{}.{} s", seconds, ms % 1000 / 100),
        60_000..3_600_000 => format!("{minutes} min {} s", seconds % 60),
        3_600_000..86_400_000 => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

/// The same for the columns of a table.
#[must_use]
pub fn short_milliseconds(ms: u64) -> String {
    match ms {
        0..60_000 => milliseconds(ms),
        60_000..3_600_000 => format!("{}m {:02}s", ms / 60_000, ms / 1000 % 60),
        3_600_000..86_400_000 => format!("{}h {:02}m", ms / 3_600_000, ms / 60_000 % 60),
        _ => format!("{}d {:02}h", ms / 86_400_000, ms / 3_600_000 % 24),
    }
}

/// Microseconds with three digits that count.
#[must_use]
pub fn microseconds(us: u64) -> String {
    match us {
        0..1000 => format!("{us} µs"),
        1000..1_000_000 => format!("{}.{:02} ms", us / 1000, us % 1000 / 10),
        _ => format!("{}.{:02} s", us / 1_000_000, us % 1_000_000 / 10_000),
    }
}

/// A count with its noun.
#[must_use]
pub fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// A moment, Unix time in ms, as RFC 3339 in UTC. That knows four digits of a year: what lies beyond is shown as its end.
#[must_use]
pub fn moment(unix_ms: u64) -> String {
    utc(unix_ms).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// The same to the minute, as tables show it, in UTC.
#[must_use]
pub fn minute(unix_ms: u64) -> String {
    utc(unix_ms).strftime("%Y-%m-%d %H:%M").to_string()
}

fn utc(unix_ms: u64) -> DateTime {
    DateTime::constant(1970, 1, 1, 0, 0, 0, 0).saturating_add(Duration::from_millis(unix_ms))
}

/// How long ago a moment was, given the present one.
#[must_use]
pub fn ago(unix_ms: u64, now_unix_ms: u64) -> String {
    match now_unix_ms.saturating_sub(unix_ms) {
        0..1000 => "just now".to_owned(),
        elapsed => format!("{} ago", milliseconds(elapsed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_change_unit_where_they_should() {
        let shown: Vec<_> = [0, 1023, 1024, 6_501_171, 1_073_741_823, 1 << 40, u64::MAX].map(bytes).into();
        assert_eq!(shown, ["0 B", "1023 B", "1.0 KiB", "6.2 MiB", "1.0 GiB", "1.0 TiB", "16384.0 PiB"]);
    }

    #[test]
    fn times_show_two_units() {
        let shown: Vec<_> = [999, 1000, 59_999, 60_000, 3_725_000, 90_000_000].map(milliseconds).into();
        assert_eq!(shown, ["999 ms", "1.0 s", "59.9 s", "1 min 0 s", "1 h 2 min", "1 d 1 h"]);
        let shown: Vec<_> = [59_999, 60_000, 3_725_000, 90_000_000].map(short_milliseconds).into();
        assert_eq!(shown, ["59.9 s", "1m 00s", "1h 02m", "1d 01h"]);
        let shown: Vec<_> = [999, 1000, 12_345, 1_234_567].map(microseconds).into();
        assert_eq!(shown, ["999 µs", "1.00 ms", "12.34 ms", "1.23 s"]);
    }

    #[test]
    fn moments_follow_the_calendar() {
        assert_eq!(moment(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(moment(951_782_400_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(moment(1_763_820_916_123), "2025-11-22T14:15:16.123Z");
        assert_eq!(moment(4_102_444_799_999), "2099-12-31T23:59:59.999Z");
        assert_eq!(moment(u64::MAX), "9999-12-31T23:59:59.999Z");
        assert_eq!(minute(1_763_820_916_123), "2025-11-22 14:15");
    }
}
