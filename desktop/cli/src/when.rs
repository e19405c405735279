//! A moment on the command line: RFC 3339, or a date, which is its beginning in UTC.

use jiff::civil::{Date, date};
use std::str::FromStr;

/// Unix time in ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When(pub u64);

/// What is said of anything else.
const FORM: &str =
    "write a time as 2026-03-01T18:30:00Z (with an offset such as +01:00 where it is not UTC) or as a date, 2026-03-01";

impl FromStr for When {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).map(When).ok_or(FORM)
    }
}

/// RFC 3339, section 5.6, with a blank allowed for the `T`. A leap second counts as the second after it. Before 1970
/// there is nothing.
fn parse(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = bytes.get(from..to).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
        Some(digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
    };
    let is = |at: usize, any: &[u8]| bytes.get(at).is_some_and(|byte| any.contains(byte));
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    if !is(4, b"-") || !is(7, b"-") {
        return None;
    }
    let day = Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()?;
    let midnight = day.duration_since(date(1970, 1, 1)).as_secs() * 1000;
    if bytes.len() == 10 {
        return u64::try_from(midnight).ok();
    }
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !is(10, b"Tt ") || !is(13, b":") || !is(16, b":") || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut at = 19;
    let mut fraction = 0;
    if is(at, b".") {
        let digits = bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return None;
        }
        // Digits beyond the third say nothing in ms.
        let shown = digits.min(3);
        fraction = number(at + 1, at + 1 + shown)? * 10_i64.pow(3 - u32::try_from(shown).ok()?);
        at += 1 + digits;
    }
    let offset_minutes = match bytes.get(at..)? {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let (hours, minutes) = (number(at + 1, at + 3)?, number(at + 4, at + 6)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 60 + minutes) * if *sign == b'-' { -1 } else { 1 }
        }
        _ => return None,
    };
    let seconds = (hour * 60 + minute - offset_minutes) * 60 + second;
    u64::try_from(midnight + seconds * 1000 + fraction).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::units::moment;

    #[test]
    fn times_are_read_with_their_offsets() {
        for (text, shown) in [
            ("1970-01-01", "1970-01-01T00:00:00.000Z"),
            ("2026-03-01", "2026-03-01T00:00:00.000Z"),
            ("2024-02-29T23:59:59Z", "2024-02-29T23:59:59.000Z"),
            ("2026-03-01T18:30:00.5+01:00", "2026-03-01T17:30:00.500Z"),
            ("2026-03-01t18:30:00.123456789-02:30", "2026-03-01T21:00:00.123Z"),
            ("2026-01-01 00:30:00+01:00", "2025-12-31T23:30:00.000Z"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(text.parse::<When>().map(|when| moment(when.0)), Ok(shown.to_owned()), "{text}");
        }
    }

    #[test]
    fn every_day_of_a_leap_cycle_is_the_one_that_is_shown() {
        for day in 0..(400 * 366_u64) {
            let shown = moment(day * 86_400_000);
            let Some(date) = shown.get(..10).filter(|_| shown.len() == 24) else { break };
            assert_eq!(date.parse::<When>(), Ok(When(day * 86_400_000)), "{date}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused_with_the_form() {
        for text in [
            "",
            "now",
            "2026",
            "2026-3-1",
            "2026-13-01",
            "2026-02-30",
            "2025-02-29",
            "2026-03-01T",
            "2026-03-01T18:30",
            "2026-03-01T18:30:00",
            "2026-03-01T24:00:00Z",
            "2026-03-01T18:30:00.Z",
            "2026-03-01T18:30:00+1",
            "1969-12-31",
            "2026-03-01T18:30:00+24:00",
            "2026-03-01Z",
            "2026-03-01T18:30:00Zx",
            "２０２６-03-01",
        ] {
            assert_eq!(text.parse::<When>(), Err(FORM), "{text}");
        }
    }
}
