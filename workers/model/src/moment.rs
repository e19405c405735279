//! RFC 3339 timestamps, as Ollama writes them, to Unix time; and Unix time for people.

use jiff::Timestamp;
use jiff::civil::date;
use std::time::Duration;

/// Unix time in ms of a timestamp such as `2026-05-04T14:56:49.277302595-07:00`; 0 for anything else and for times
/// before 1970.
#[must_use]
pub fn unix_ms(text: &str) -> u64 {
    text.parse::<Timestamp>().ok().and_then(|moment| u64::try_from(moment.as_millisecond()).ok()).unwrap_or_default()
}

/// A moment such as `14 November 2023, 22:13 UTC`: a confined worker cannot read where on earth it is. The calendar ends
/// with the year 9999.
#[must_use]
pub fn for_people(unix_ms: u64) -> String {
    let moment = date(1970, 1, 1).at(0, 0, 0, 0).saturating_add(Duration::from_millis(unix_ms));
    moment.strftime("%-d %B %Y, %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::{for_people, unix_ms};

    #[test]
    fn a_moment_is_read_by_people_as_it_was_written() {
        assert_eq!(for_people(0), "1 January 1970, 00:00 UTC");
        assert_eq!(for_people(unix_ms("2024-02-29T23:59:59Z")), "29 February 2024, 23:59 UTC");
        assert_eq!(for_people(unix_ms("2000-12-31T12:00:00Z")), "31 December 2000, 12:00 UTC");
        assert_eq!(for_people(unix_ms("2100-03-01T00:00:00Z")), "1 March 2100, 00:00 UTC");
        let months = [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ];
        for (month, name) in (1..).zip(months) {
            let moment = unix_ms(&format!("2023-{month:02}-09T08:07:59Z"));
            assert_eq!(for_people(moment), format!("9 {name} 2023, 08:07 UTC"));
        }
        assert_eq!(for_people(u64::MAX), "31 December 9999, 23:59 UTC");
    }

    #[test]
    fn timestamps_are_read_with_their_zone() {
        assert_eq!(unix_ms("1970-01-01T00:00:00Z"), 0);
        assert_eq!(unix_ms("1994-11-06T08:49:37Z"), 784_111_777_000);
        assert_eq!(unix_ms("1994-11-06T10:19:37.5+01:30"), 784_111_777_500);
        assert_eq!(unix_ms("1994-11-06T01:49:37.277302595-07:00"), 784_111_777_277);
        assert_eq!(unix_ms("2024-02-29T00:00:00Z") + 86_400_000, unix_ms("2024-03-01T00:00:00Z"));
        assert_eq!(unix_ms("2000-12-31T23:59:59Z") + 1000, unix_ms("2001-01-01T00:00:00Z"));
    }

    #[test]
    fn anything_else_is_zero() {
        for text in ["", "yesterday", "2024-13-01T00:00:00Z", "2024-01-01T00:00:00", "2024-01-01T25:00:00Z", "T", "é-T"]
        {
            assert_eq!(unix_ms(text), 0, "{text}");
        }
    }
}
