//! Dates in the proleptic Gregorian calendar, in UTC: this worker sees no file that knows the time zone.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Unix time in ms.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Such as `2026-11-22`. The calendar ends with the year 9999.
pub(crate) fn date(unix_ms: u64) -> String {
    jiff::civil::date(1970, 1, 1).saturating_add(Duration::from_millis(unix_ms)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: u64 = 24 * 60 * 60 * 1000;

    #[test]
    fn days_around_leap_days_and_turns_of_the_year_are_right() {
        for (days, wanted) in [
            (0, "1970-01-01"),
            (364, "1970-12-31"),
            (789, "1972-02-29"),
            (790, "1972-03-01"),
            (11_016, "2000-02-29"),
            (20_779, "2026-11-22"),
            (47_541, "2100-03-01"),
            (u64::MAX / DAY_MS - 1, "9999-12-31"),
        ] {
            assert_eq!(date(days * DAY_MS + DAY_MS - 1), wanted);
        }
    }

    #[test]
    fn every_day_has_the_successor_that_the_calendar_says() {
        let lengths = |year: u64| {
            let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
            [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        };
        let mut day = 0;
        for year in 1970..2405 {
            for (month, length) in lengths(year).into_iter().enumerate() {
                for of_month in 1..=length {
                    assert_eq!(date(day * DAY_MS), format!("{year}-{:02}-{of_month:02}", month + 1));
                    day += 1;
                }
            }
        }
    }
}
