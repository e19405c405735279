//! Days and times, as they are typed and as they are told.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// What a person may type.
const WANTED: &str = "write a date like 2026-11-22, a month like 2026-11 or a year like 2026";

fn zoned(unix_ms: u64, zone: &TimeZone) -> Zoned {
    let ms = i64::try_from(unix_ms).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX).to_zoned(zone.clone())
}

fn ms(at: &Zoned) -> u64 {
    u64::try_from(at.timestamp().as_millisecond()).unwrap_or(0)
}

/// The first day of what was typed, and the first one after it.
fn days(text: &str) -> Option<(Date, Date)> {
    let mut parts = text.split('-');
    let year: i16 = parts.next().filter(|year| year.len() == 4)?.parse().ok()?;
    let month: Option<i8> = parts.next().map(str::parse).transpose().ok()?;
    let day: Option<i8> = parts.next().map(str::parse).transpose().ok()?;
    if parts.next().is_some() {
        return None;
    }
    let first = Date::new(year, month.unwrap_or(1), day.unwrap_or(1)).ok()?;
    let after = match (month, day) {
        (Some(_), Some(_)) => first.tomorrow().ok()?,
        (Some(_), None) => first.last_of_month().tomorrow().ok()?,
        (None, _) => first.last_of_year().tomorrow().ok()?,
    };
    Some((first, after))
}

/// The end of a typed day, month or year: Unix time in ms. `None`: nothing was typed.
///
/// # Errors
/// What would be a date.
pub fn end_of(text: &str, zone: &TimeZone) -> Result<Option<u64>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let after = days(text).and_then(|(_, after)| after.to_zoned(zone.clone()).ok());
    after.map(|after| Some(ms(&after).saturating_sub(1))).ok_or_else(|| WANTED.to_owned())
}

/// The beginning of a typed day, month or year: Unix time in ms. `None`: nothing was typed.
///
/// # Errors
/// What would be a date.
pub fn beginning_of(text: &str, zone: &TimeZone) -> Result<Option<u64>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let first = days(text).and_then(|(first, _)| first.to_zoned(zone.clone()).ok());
    first.map(|first| Some(ms(&first))).ok_or_else(|| WANTED.to_owned())
}

/// Such as `22 Nov 2026`.
#[must_use]
pub fn day(unix_ms: u64, zone: &TimeZone) -> String {
    zoned(unix_ms, zone).strftime("%-d %b %Y").to_string()
}

/// Such as `14:05`.
#[must_use]
pub fn time(unix_ms: u64, zone: &TimeZone) -> String {
    zoned(unix_ms, zone).strftime("%H:%M").to_string()
}

/// Such as `22 Nov 2026, 14:05`.
#[must_use]
pub fn moment(unix_ms: u64, zone: &TimeZone) -> String {
    zoned(unix_ms, zone).strftime("%-d %b %Y, %H:%M").to_string()
}

/// The day as a heading: `Today`, `Yesterday`, `Sunday, 22 November 2026`.
#[must_use]
pub fn heading(unix_ms: u64, now_unix_ms: u64, zone: &TimeZone) -> String {
    let (at, now) = (zoned(unix_ms, zone), zoned(now_unix_ms, zone));
    if at.date() == now.date() {
        return "Today".to_owned();
    }
    if now.date().yesterday().is_ok_and(|yesterday| at.date() == yesterday) {
        return "Yesterday".to_owned();
    }
    at.strftime("%A, %-d %B %Y").to_string()
}

/// Whether two moments are of one day.
#[must_use]
pub fn same_day(one: u64, other: u64, zone: &TimeZone) -> bool {
    zoned(one, zone).date() == zoned(other, zone).date()
}

/// The present: Unix time in ms.
#[must_use]
pub fn now_unix_ms() -> u64 {
    u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 22 November 2026, 00:00 in UTC.
    const DAY: u64 = 1_795_305_600_000;
    const HOUR: u64 = 3_600_000;

    #[test]
    fn days_months_and_years_are_read_from_their_beginning_to_their_end() {
        let zone = TimeZone::UTC;
        assert_eq!(beginning_of("2026-11-22", &zone), Ok(Some(DAY)));
        assert_eq!(end_of(" 2026-11-22 ", &zone), Ok(Some(DAY + 24 * HOUR - 1)));
        assert_eq!(end_of("2026-11", &zone), Ok(Some(DAY + 9 * 24 * HOUR - 1)));
        assert_eq!(end_of("2026", &zone), Ok(Some(DAY + 40 * 24 * HOUR - 1)));
        assert_eq!(end_of("", &zone), Ok(None));
        for wrong in ["22.11.2026", "2026-13", "2026-02-30", "26", "2026-11-22-1", "yesterday"] {
            assert!(end_of(wrong, &zone).is_err(), "{wrong}");
            assert!(beginning_of(wrong, &zone).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_day_is_the_persons_day() {
        let east = TimeZone::fixed(jiff::tz::offset(3));
        assert_eq!(beginning_of("2026-11-22", &east), Ok(Some(DAY - 3 * HOUR)));
        assert!(same_day(DAY - 2 * HOUR, DAY, &east));
        assert!(!same_day(DAY - 2 * HOUR, DAY, &TimeZone::UTC));
    }

    #[test]
    fn times_are_told_as_people_do() {
        let zone = TimeZone::UTC;
        assert_eq!(moment(DAY + 14 * HOUR + 5 * 60_000, &zone), "22 Nov 2026, 14:05");
        assert_eq!(day(DAY, &zone), "22 Nov 2026");
        assert_eq!(time(DAY + HOUR, &zone), "01:00");
        let now = DAY + 10 * HOUR;
        assert_eq!(heading(DAY, now, &zone), "Today");
        assert_eq!(heading(DAY - 1, now, &zone), "Yesterday");
        assert_eq!(heading(DAY - 24 * HOUR - 1, now, &zone), "Friday, 20 November 2026");
        assert!(!moment(u64::MAX, &zone).is_empty());
    }
}
