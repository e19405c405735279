//! Dates in a text, relative to when it was said: only those that are meant surely.
//!
//! Days are days of UTC. `next Friday` and `on Friday` are the first Friday after the day on which it was said. It does
//! *not* guess: `3/4/26`, `soon`, `in the summer` are no dates.

use butterfly_recall::moment;

pub(crate) const DAY_MS: i64 = 24 * 60 * 60 * 1000;

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

/// From Monday, as ISO 8601 counts.
const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// How exactly a date is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grain {
    Day,
    /// A day of any year: a birthday.
    DayOfYear,
    Month,
    Year,
}

/// A date, and which words of the text say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dated {
    /// The first word, and one past the last.
    pub(crate) first: usize,
    pub(crate) end: usize,
    /// Its beginning: Unix time in ms. Of a day without a year, the first such day that is not past when it was said.
    pub(crate) at_ms: i64,
    pub(crate) grain: Grain,
    /// As it is kept: `2026-03-12`, `12 March`, `2026-03`, `2026`.
    pub(crate) label: String,
}

/// The first date among `words` (as they stand in the text, with punctuation), said at `said_ms`.
pub(crate) fn find(words: &[&str], said_ms: i64) -> Option<Dated> {
    (0..words.len()).find_map(|place| at(words, place, said_ms))
}

/// The date that begins at this word.
pub(crate) fn at(words: &[&str], place: usize, said_ms: i64) -> Option<Dated> {
    let word = |offset: usize| words.get(place + offset).map_or(String::new(), |word| plain(word));
    let first = word(0);
    if first.is_empty() {
        return None;
    }
    let today = said_ms.div_euclid(DAY_MS);
    let made = |length: usize, day: i64, grain: Grain, label: String| {
        Some(Dated { first: place, end: place + length, at_ms: day * DAY_MS, grain, label })
    };
    if first.len() == 10 && first.as_bytes()[4] == b'-' {
        let day = moment::parse(&first).ok()?.div_euclid(DAY_MS);
        return made(1, day, Grain::Day, iso(day));
    }
    let relative = match (first.as_str(), word(1).as_str()) {
        ("today" | "tonight", _) => Some((1, today)),
        ("tomorrow", _) => Some((1, today + 1)),
        ("yesterday", _) => Some((1, today - 1)),
        (lead @ ("next" | "this" | "on" | "last"), name) => {
            WEEKDAYS.iter().position(|day| *day == name).map(|weekday| (2, weekday_near(today, weekday as i64, lead)))
        }
        _ => None,
    };
    if let Some((length, day)) = relative {
        return made(length, day, Grain::Day, iso(day));
    }
    // 12 March 2026, 12th of March; March 12, 2026; March 2026.
    let (day, skip) = match ordinal(&first) {
        Some(day) if word(1) == "of" => (Some(day), 2),
        Some(day) => (Some(day), 1),
        None => (None, 0),
    };
    if let Some(day) = day {
        let month = month(&word(skip))?;
        return match year(&word(skip + 1)) {
            Some(year) => made(skip + 2, number_of(year, month, day)?, Grain::Day, iso(number_of(year, month, day)?)),
            None => day_of_year(place, skip + 1, month, day, today),
        };
    }
    if let Some(month) = month(&first) {
        // Verbs and names are no months: `may`, `march` need a number beside them.
        if let Some(day) = ordinal(&word(1)) {
            return match year(&word(2)) {
                Some(year) => made(3, number_of(year, month, day)?, Grain::Day, iso(number_of(year, month, day)?)),
                None => day_of_year(place, 2, month, day, today),
            };
        }
        // There is no 31 February: what is left of it is no month either.
        let before = place.checked_sub(1).and_then(|before| words.get(before));
        if before.is_some_and(|word| plain(word).starts_with(|c: char| c.is_ascii_digit())) {
            return None;
        }
        let year = year(&word(1))?;
        return made(2, number_of(year, month, 1)?, Grain::Month, format!("{year:04}-{month:02}"));
    }
    let year = year(&first)?;
    let before = place.checked_sub(1).and_then(|before| words.get(before)).map(|word| plain(word));
    if !matches!(before.as_deref(), Some("in" | "since")) {
        return None;
    }
    made(1, number_of(year, 1, 1)?, Grain::Year, format!("{year:04}"))
}

fn day_of_year(first: usize, length: usize, month: i64, day: i64, today: i64) -> Option<Dated> {
    let (year, ..) = moment::civil(today * DAY_MS);
    // 29 February is some years away at most.
    let coming = (year..year + 9).find_map(|year| number_of(year, month, day).filter(|number| *number >= today))?;
    let name = MONTHS.get(usize::try_from(month - 1).ok()?)?;
    let label = format!("{day} {}{}", name[..1].to_uppercase(), &name[1..]);
    Some(Dated { first, end: first + length, at_ms: coming * DAY_MS, grain: Grain::DayOfYear, label })
}

/// A day's number from 1970-01-01, where there is such a day.
fn number_of(year: i64, month: i64, day: i64) -> Option<i64> {
    moment::parse(&format!("{year:04}-{month:02}-{day:02}")).ok().map(|ms| ms.div_euclid(DAY_MS))
}

fn iso(day: i64) -> String {
    let (year, month, day) = moment::civil(day * DAY_MS);
    format!("{year:04}-{month:02}-{day:02}")
}

fn weekday_near(today: i64, weekday: i64, lead: &str) -> i64 {
    // 1970-01-01 was a Thursday.
    let ahead = (weekday - (today + 3)).rem_euclid(7);
    match lead {
        "last" => today - (-ahead).rem_euclid(7) - if ahead == 0 { 7 } else { 0 },
        _ => today + if ahead == 0 { 7 } else { ahead },
    }
}

/// A word without the punctuation around it, in lower case.
fn plain(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}

fn month(word: &str) -> Option<i64> {
    let place = MONTHS.iter().position(|name| *name == word || word.len() == 3 && name.starts_with(word))?;
    i64::try_from(place + 1).ok()
}

fn ordinal(word: &str) -> Option<i64> {
    let digits = ["st", "nd", "rd", "th"].iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word);
    if digits.is_empty() || digits.len() > 2 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|day| (1..=31).contains(day))
}

fn year(word: &str) -> Option<i64> {
    if word.len() != 4 || !word.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    word.parse().ok().filter(|year| (1900..=2100).contains(year))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-03-04, a Wednesday, 10:00.
    fn said() -> i64 {
        moment::parse("2026-03-04T10:00:00Z").unwrap()
    }

    fn label(text: &str) -> Option<String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        find(&words, said()).map(|dated| dated.label)
    }

    #[test]
    fn dates_that_are_meant_surely_are_found() {
        for (text, expected) in [
            ("on 2026-03-12.", "2026-03-12"),
            ("on 12 March 2026", "2026-03-12"),
            ("the 12th of March 2026", "2026-03-12"),
            ("on March 12, 2026, at noon", "2026-03-12"),
            ("her birthday is March 12th", "12 March"),
            ("29 February", "29 February"),
            ("tomorrow", "2026-03-05"),
            ("yesterday.", "2026-03-03"),
            ("next Friday", "2026-03-06"),
            ("on Wednesday", "2026-03-11"),
            ("last Wednesday", "2026-02-25"),
            ("last Tuesday", "2026-03-03"),
            ("in March 2025", "2025-03"),
            ("since 2019", "2019"),
        ] {
            assert_eq!(label(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_sure_date_is_none() {
        for text in [
            "we may go",
            "march on",
            "3/4/26",
            "soon",
            "31 February 2026",
            "room 2019",
            "12 eggs",
            "Friday",
            "32 March 2026",
            "",
            "in 20199",
            "2026-13-01",
        ] {
            assert_eq!(label(text), None, "{text}");
        }
    }

    #[test]
    fn day_without_a_year_is_the_next_one() {
        let words = ["March", "3"];
        assert_eq!(find(&words, said()).map(|dated| iso(dated.at_ms / DAY_MS)), Some("2027-03-03".to_owned()));
        let words = ["March", "4"];
        assert_eq!(find(&words, said()).map(|dated| iso(dated.at_ms / DAY_MS)), Some("2026-03-04".to_owned()));
    }
}
