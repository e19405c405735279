//! Moments: RFC 3339, the days of the (proleptic Gregorian) calendar in UTC, and the time that a query names.
//!
//! Only what can be recognised surely: a day with its month, a month with its year, a year, and days and weeks that are
//! counted from now. It does *not* know time zones' rules or the holidays.

use crate::analysis::Query;
use jiff::SignedDuration;
use jiff::civil::{Date, DateTime};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The last year that is understood; four digits, as in RFC 3339.
const LAST_YEAR: i64 = 9999;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const EPOCH: Date = Date::constant(1970, 1, 1);

/// Days from 1970-01-01; `None` where there is no such day.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let date = Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()?;
    Some(date.duration_since(EPOCH).as_hours() / 24)
}

/// The day after a year, also after the last that the calendar has.
fn after_year(year: i64) -> Option<i64> {
    Some(days(year, 12, 31)? + 1)
}

fn utc(ms: i64) -> DateTime {
    EPOCH.at(0, 0, 0, 0).saturating_add(SignedDuration::from_millis(ms))
}

/// Year, month and day of a moment, in UTC. The calendar ends with the year 9999.
#[must_use]
pub fn civil(ms: i64) -> (i64, i64, i64) {
    let date = utc(ms).date();
    (date.year().into(), date.month().into(), date.day().into())
}

/// A moment as `2023-05-08T13:56:00Z`, in UTC, to the second.
#[must_use]
pub fn rfc3339(ms: i64) -> String {
    utc(ms).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Reads a moment of RFC 3339, with any offset, as Unix time in ms. A time without an offset is taken as UTC, and a date
/// without a time as its midnight; a leap second is the second after.
///
/// # Errors
/// What was expected.
pub fn parse(text: &str) -> Result<i64, String> {
    let wrong = || format!("{:?} is no time; write one as 2023-05-08T13:56:00Z", crate::window::head(text, 40));
    read(text.trim()).ok_or_else(wrong)
}

fn read(text: &str) -> Option<i64> {
    if !text.is_ascii() {
        return None;
    }
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = text.get(from..to)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let is = |place: usize, what: &[u8]| text.as_bytes().get(place).is_some_and(|byte| what.contains(byte));
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    if !is(4, b"-") || !is(7, b"-") {
        return None;
    }
    let midnight = days(year, month, day)? * DAY_MS;
    if text.len() == 10 {
        return Some(midnight);
    }
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !is(10, b"Tt ") || !is(13, b":") || !is(16, b":") || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut rest = &text[19..];
    let mut ms = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return None;
        }
        ms = fraction[..digits]
            .bytes()
            .chain([b'0'; 3])
            .take(3)
            .fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
        rest = &fraction[digits..];
    }
    let offset = match rest.as_bytes() {
        [] | [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let (hours, minutes) = (rest[1..3].parse::<i64>().ok()?, rest[4..6].parse::<i64>().ok()?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 60 + minutes) * if *sign == b'-' { -1 } else { 1 }
        }
        _ => return None,
    };
    Some(midnight + ((hour * 60 + minute - offset) * 60 + second) * 1000 + ms)
}

/// A stretch of time that a query names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Unix time in ms, the first and the first no longer in it.
    pub from_ms: i64,
    pub to_ms: i64,
    /// Such as `8 May 2023`.
    pub name: String,
}

/// What is told within a week after a day was likely on that day's mind.
const AFTERWARDS_MS: i64 = 7 * DAY_MS;

impl Span {
    /// How well a moment fits: 1 within, 0.5 in the week after, else 0.
    #[must_use]
    pub fn fit(&self, at_ms: i64) -> f32 {
        if (self.from_ms..self.to_ms).contains(&at_ms) {
            1.0
        } else if (self.to_ms..self.to_ms + AFTERWARDS_MS).contains(&at_ms) {
            0.5
        } else {
            0.0
        }
    }
}

fn span(from_day: i64, to_day: i64, name: String) -> Span {
    Span { from_ms: from_day * DAY_MS, to_ms: to_day * DAY_MS, name }
}

/// The time that a query names, the first if there are several.
#[must_use]
pub fn named(query: &Query, now_ms: i64) -> Option<Span> {
    let words = &query.words;
    let text = |place: usize| words.get(place).map_or("", |word| word.folded.as_str());
    let today = now_ms.div_euclid(DAY_MS);
    (0..words.len()).find_map(|place| {
        let word = text(place);
        if let Some(month) = month(word) {
            // "march" and "may" are verbs too: a month has its capital, or a number beside it.
            let before = place.checked_sub(1).map_or("", text);
            let (after, second) = (text(place + 1), text(place + 2));
            return dated(month, before, after, second, words[place].capital);
        }
        if let (Some(year), Some(month), Some(day)) = (year(word), number(text(place + 1)), number(text(place + 2))) {
            // 2023-05-08, which is cut into three.
            if let Some(from) = days(year, month, day) {
                return Some(span(from, from + 1, day_name(year, month, day)));
            }
        }
        relative(word, text(place + 1), today).or_else(|| {
            let year =
                year(word).filter(|_| matches!(place.checked_sub(1).map_or("", text), "in" | "of" | "during"))?;
            Some(span(days(year, 1, 1)?, after_year(year)?, year.to_string()))
        })
    })
}

fn dated(month: i64, before: &str, after: &str, second: &str, capital: bool) -> Option<Span> {
    let after_day = ordinal(after).filter(|day| (1..=31).contains(day));
    let before_day = ordinal(before).filter(|day| (1..=31).contains(day));
    let (day, year) = match (before_day, after_day) {
        (Some(day), _) => (Some(day), year(after)),
        (None, Some(day)) => (Some(day), year(second)),
        (None, None) => (None, year(after)),
    };
    let year = year.filter(|_| capital || day.is_some())?;
    match day {
        Some(day) => {
            let from = days(year, month, day)?;
            Some(span(from, from + 1, day_name(year, month, day)))
        }
        None => {
            let to = if month == 12 { after_year(year)? } else { days(year, month + 1, 1)? };
            Some(span(days(year, month, 1)?, to, format!("{} {year}", month_name(month))))
        }
    }
}

fn relative(word: &str, next: &str, today: i64) -> Option<Span> {
    // 1970-01-01 was a Thursday; weeks begin on Monday (ISO 8601).
    let monday = today - (today + 3).rem_euclid(7);
    let (year, month, _) = civil(today * DAY_MS);
    let (last_month_year, last_month) = if month == 1 { (year - 1, 12) } else { (year, month - 1) };
    let (from, to) = match (word, next) {
        ("today", _) => (today, today + 1),
        ("yesterday", _) => (today - 1, today),
        ("this", "week") => (monday, monday + 7),
        ("last", "week") => (monday - 7, monday),
        ("this", "month") => (days(year, month, 1)?, today + 1),
        ("last", "month") => (days(last_month_year, last_month, 1)?, days(year, month, 1)?),
        ("this", "year") => (days(year, 1, 1)?, today + 1),
        ("last", "year") => (days(year - 1, 1, 1)?, days(year, 1, 1)?),
        _ => return None,
    };
    let name = if matches!(word, "today" | "yesterday") { word.to_owned() } else { format!("{word} {next}") };
    Some(span(from, to, name))
}

fn month(word: &str) -> Option<i64> {
    let place = MONTHS.iter().position(|name| *name == word || (word.len() == 3 && name.starts_with(word)))?;
    i64::try_from(place + 1).ok()
}

fn month_name(month: i64) -> String {
    let name = usize::try_from(month - 1).ok().and_then(|place| MONTHS.get(place)).copied().unwrap_or_default();
    name[..1].to_uppercase() + &name[1..]
}

fn day_name(year: i64, month: i64, day: i64) -> String {
    format!("{day} {} {year}", month_name(month))
}

fn number(word: &str) -> Option<i64> {
    (!word.is_empty() && word.len() <= 2 && word.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| word.parse().ok())?
}

/// `8` or `8th`.
fn ordinal(word: &str) -> Option<i64> {
    number(["st", "nd", "rd", "th"].iter().find_map(|suffix| word.strip_suffix(suffix)).unwrap_or(word))
}

fn year(word: &str) -> Option<i64> {
    let digits = word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| word.parse().ok()).flatten().filter(|year| (1900..=LAST_YEAR).contains(year))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(query: &str) -> Option<String> {
        let now = parse("2026-11-22T17:00:00Z").unwrap();
        named(&Query::parse(query), now)
            .map(|span| format!("{} {}..{}", span.name, rfc3339(span.from_ms), rfc3339(span.to_ms)))
    }

    #[test]
    fn moments_are_read_with_any_offset() {
        assert_eq!(parse("1970-01-01T00:00:00Z"), Ok(0));
        assert_eq!(parse("2023-05-08T13:56:00Z"), Ok(1_683_554_160_000));
        assert_eq!(parse("2023-05-08T15:56:00.250+02:00"), Ok(1_683_554_160_250));
        assert_eq!(parse("2023-05-08 13:56:00"), Ok(1_683_554_160_000));
        assert_eq!(parse("2000-02-29"), Ok(951_782_400_000));
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "yesterday",
            "2023-13-01T00:00:00Z",
            "2023-02-29",
            "2023-05-08T24:00:00Z",
            "2023-05-08T1:2:3Z",
            "2023-05-08T10:00:00+2",
            "٢٠٢٣-05-08",
            "2023-05-08T10:00:00.Z",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn query_names_days_months_years_and_what_is_counted_from_now() {
        assert_eq!(
            name("what did Ana do on 8 May, 2023?").as_deref(),
            Some("8 May 2023 2023-05-08T00:00:00Z..2023-05-09T00:00:00Z")
        );
        assert_eq!(
            name("on October 13th 2023").as_deref(),
            Some("13 October 2023 2023-10-13T00:00:00Z..2023-10-14T00:00:00Z")
        );
        assert_eq!(name("in June 2023").as_deref(), Some("June 2023 2023-06-01T00:00:00Z..2023-07-01T00:00:00Z"));
        assert_eq!(name("on 2023-05-08").as_deref(), Some("8 May 2023 2023-05-08T00:00:00Z..2023-05-09T00:00:00Z"));
        assert!(name("in December 9999").is_some() && name("in 9999").is_some(), "the calendar's last month and year");
        assert_eq!(name("in 2022").as_deref(), Some("2022 2022-01-01T00:00:00Z..2023-01-01T00:00:00Z"));
        assert_eq!(
            name("what did I say yesterday").as_deref(),
            Some("yesterday 2026-11-21T00:00:00Z..2026-11-22T00:00:00Z")
        );
        assert_eq!(name("last week").as_deref(), Some("last week 2026-11-09T00:00:00Z..2026-11-16T00:00:00Z"));
        assert_eq!(name("last month").as_deref(), Some("last month 2026-10-01T00:00:00Z..2026-11-01T00:00:00Z"));
    }

    #[test]
    fn what_only_looks_like_a_time_is_none() {
        for query in ["may I march 5 miles", "version 2023", "the march of 40 men", "31 February 2023", "last straw"] {
            assert_eq!(name(query), None, "{query}");
        }
    }

    proptest! {
        #[test]
        fn day_read_back_is_the_day_written(ms in -60_000_000_000_000i64..250_000_000_000_000) {
            prop_assert_eq!(parse(&rfc3339(ms)), Ok(ms.div_euclid(1000) * 1000));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}|[0-9T:Z.+-]{0,30}") {
            let _ = parse(&text);
            let _ = named(&Query::parse(&text), 0);
        }
    }
}
