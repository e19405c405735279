//! Numbers with their units, as people read them.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::time::{SystemTime, UNIX_EPOCH};

/// Bytes in binary units (IEC 80000-13).
#[must_use]
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    // 1023.95 would be shown as 1024.0.
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A file's size as shops and download pages give it: decimal units, as few digits as say something.
#[must_use]
pub fn download(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes / 1000),
        1_000_000..1_000_000_000 => format!("{} MB", bytes / 1_000_000),
        1_000_000_000..10_000_000_000 => format!("{:.1} GB", bytes as f64 / 1e9),
        _ => format!("{:.0} GB", bytes as f64 / 1e9),
    }
}

/// Milliseconds as the two largest units that say something.
#[must_use]
pub fn milliseconds(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms} ms"),
        1000..60_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        60_000..3_600_000 => format!("{} min {:02} s", ms / 60_000, ms / 1000 % 60),
        3_600_000..86_400_000 => format!("{} h {:02} min", ms / 3_600_000, ms / 60_000 % 60),
        _ => format!("{} d {:02} h", ms / 86_400_000, ms / 3_600_000 % 24),
    }
}

/// The same for the columns of a table.
#[must_use]
pub fn short(ms: u64) -> String {
    match ms {
        0..60_000 => format!("{} s", ms / 1000),
        60_000..3_600_000 => format!("{}m {:02}s", ms / 60_000, ms / 1000 % 60),
        3_600_000..86_400_000 => format!("{}h {:02}m", ms / 3_600_000, ms / 60_000 % 60),
        _ => format!("{}d {:02}h", ms / 86_400_000, ms / 3_600_000 % 24),
    }
}

/// Time that is left, rounded as an estimate deserves.
#[must_use]
pub fn left(ms: u64) -> String {
    match ms.div_ceil(1000) {
        0..5 => "a few seconds left".to_owned(),
        seconds @ 5..60 => format!("{} s left", seconds.div_ceil(5) * 5),
        seconds @ 60..3600 => format!("{} min left", seconds.div_ceil(60)),
        seconds => format!("{} h {} min left", seconds / 3600, seconds / 60 % 60),
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

/// A number of the kernel's own by its last digits: those before hardly ever differ.
#[must_use]
pub fn ending(number: u64) -> String {
    if number < 10_000 { number.to_string() } else { format!("…{:04}", number % 10_000) }
}

/// A count with its noun.
#[must_use]
pub fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// How long ago a moment was.
#[must_use]
pub fn ago(unix_ms: u64, now_unix_ms: u64) -> String {
    match now_unix_ms.saturating_sub(unix_ms) {
        0..5_000 => "just now".to_owned(),
        ms @ 5_000..60_000 => format!("{} s ago", ms / 1000),
        ms @ 60_000..3_600_000 => format!("{} min ago", ms / 60_000),
        ms @ 3_600_000..86_400_000 => format!("{} h ago", ms / 3_600_000),
        ms => format!("{} ago", count(ms / 86_400_000, "day")),
    }
}

/// The present, Unix time in ms.
#[must_use]
pub fn now_unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis() as u64)
}

/// A moment, Unix time in ms, as the clock on the wall shows it, with milliseconds.
#[must_use]
pub fn clock(unix_ms: u64) -> String {
    formatted(unix_ms, "%H:%M:%S%.3f", TimeZone::system())
}

/// A moment, Unix time in ms, as date and time here.
#[must_use]
pub fn moment(unix_ms: u64) -> String {
    formatted(unix_ms, "%Y-%m-%d %H:%M:%S", TimeZone::system())
}

/// A moment, Unix time in ms, as RFC 3339 in UTC.
#[must_use]
pub fn utc(unix_ms: u64) -> String {
    formatted(unix_ms, "%Y-%m-%dT%H:%M:%SZ", TimeZone::UTC)
}

fn formatted(unix_ms: u64, format: &str, zone: TimeZone) -> String {
    let moment = i64::try_from(unix_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    moment.map_or_else(|| "–".to_owned(), |moment| moment.to_zoned(zone).strftime(format).to_string())
}

/// Text of a process that is not believed: what would move the cursor, reorder or hide text is spelt out.
#[must_use]
pub fn spelt(text: &str) -> String {
    let hidden = |character: char| {
        character.is_control()
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    if !text.contains(hidden) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' => shown.push(' '),
            character if hidden(character) => shown.extend(character.escape_default()),
            character => shown.push(character),
        }
    }
    shown
}

/// Somebody's words with one full stop at their end.
#[must_use]
pub fn sentence(words: &str) -> String {
    let words = spelt(words.trim());
    let mut characters = words.chars();
    let begun: String = match characters.next() {
        // What begins with a command or a name stays as it is written.
        Some(first) if first.is_lowercase() && !words.starts_with('`') => {
            first.to_uppercase().chain(characters).collect()
        }
        _ => words,
    };
    if begun.is_empty() || begun.ends_with(['.', '!', '?']) { begun } else { format!("{begun}.") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_change_unit_where_they_should() {
        assert_eq!([0, 1023, 1024, 6_501_171, 1 << 30].map(bytes), ["0 B", "1023 B", "1.0 KiB", "6.2 MiB", "1.0 GiB"]);
        assert_eq!(
            [400_000, 46_000_000, 5_200_000_000, 13_000_000_000].map(download),
            ["400 kB", "46 MB", "5.2 GB", "13 GB"]
        );
        assert_eq!(
            [999, 59_999, 60_000, 3_725_000, 90_000_000].map(milliseconds),
            ["999 ms", "59.9 s", "1 min 00 s", "1 h 02 min", "1 d 01 h"]
        );
        assert_eq!([999, 65_000, 3_725_000, 90_000_000].map(short), ["0 s", "1m 05s", "1h 02m", "1d 01h"]);
        assert_eq!([7, 161_638_205_479_105].map(ending), ["7", "…9105"]);
        assert_eq!([999, 12_345, 1_234_567].map(microseconds), ["999 µs", "12.34 ms", "1.23 s"]);
        assert_eq!(
            [900, 41_000, 61_000, 5_400_000].map(left),
            ["a few seconds left", "45 s left", "2 min left", "1 h 30 min left"]
        );
    }

    #[test]
    fn moments_are_told_from_the_present() {
        assert_eq!(
            [0, 30_000, 7_200_000, 86_400_000].map(|ms| ago(1_000, 1_000 + ms)),
            ["just now", "30 s ago", "2 h ago", "1 day ago"]
        );
        assert_eq!(utc(1_763_820_916_123), "2025-11-22T14:15:16Z");
        assert_eq!(moment(u64::MAX), "–");
    }

    #[test]
    fn hostile_text_is_spelt_out_and_made_a_sentence() {
        assert_eq!(spelt("\u{1b}[2J\u{202e}evil\tx"), "\\u{1b}[2J\\u{202e}evil x");
        assert_eq!(sentence(" the store is damaged "), "The store is damaged.");
        assert_eq!(sentence("`ollama serve` starts it"), "`ollama serve` starts it.");
        assert_eq!(sentence("Why?"), "Why?");
        assert_eq!(sentence(""), "");
    }
}
