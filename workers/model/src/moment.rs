//! RFC 3339 timestamps, as Ollama writes them, to Unix time; and Unix time for people.

/// Unix time in ms of a timestamp such as `2026-05-04T14:56:49.277302595-07:00`; 0 for anything else and for times
/// before 1970.
#[must_use]
pub fn unix_ms(text: &str) -> u64 {
    parse(text).and_then(|ms| u64::try_from(ms).ok()).unwrap_or_default()
}

fn parse(text: &str) -> Option<i64> {
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let mut parts = date.splitn(3, '-').map(number);
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || year > 9999 {
        return None;
    }
    let zone_at = rest.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = rest.split_at(zone_at);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut parts = clock.splitn(3, ':').map(number);
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let digits: String = fraction.chars().take(3).collect();
    let ms = if digits.is_empty() { 0 } else { number(&format!("{digits:0<3}"))? };
    let offset = match zone.as_bytes() {
        [b'Z' | b'z'] => 0,
        [sign, ..] => {
            let (hours, minutes) = zone[1..].split_once(':')?;
            let span = number(hours)? * 60 + number(minutes)?;
            if *sign == b'-' { -span } else { span }
        }
        [] => return None,
    };
    let minutes = (days(year, month, day) * 24 + hour) * 60 + minute - offset;
    Some((minutes * 60 + second) * 1000 + ms)
}

fn number(text: &str) -> Option<i64> {
    (!text.is_empty() && text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// Days from 1970-01-01 in the Gregorian calendar; years begin in March, so that the leap day is a year's last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

const MONTHS: [&str; 12] = [
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

/// A moment such as `14 November 2023, 22:13 UTC`: a confined worker cannot read where on earth it is.
#[must_use]
pub fn for_people(unix_ms: u64) -> String {
    let minutes = unix_ms / 60_000;
    let (of_day, day_number) = (minutes % 1440, i64::try_from(minutes / 1440).unwrap_or_default());
    // The inverse of `days`: eras of 400 years that begin on 1 March.
    let shifted = day_number + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12;
    let year = era * 400 + year_of_era + i64::from(month < 2);
    let name = usize::try_from(month).ok().and_then(|month| MONTHS.get(month)).copied().unwrap_or_default();
    format!("{day} {name} {year}, {:02}:{:02} UTC", of_day / 60, of_day % 60)
}

#[cfg(test)]
mod tests {
    use super::{days, for_people, unix_ms};

    #[test]
    fn a_moment_is_read_by_people_as_it_was_written() {
        assert_eq!(for_people(0), "1 January 1970, 00:00 UTC");
        assert_eq!(for_people(unix_ms("2024-02-29T23:59:59Z")), "29 February 2024, 23:59 UTC");
        assert_eq!(for_people(unix_ms("2000-12-31T12:00:00Z")), "31 December 2000, 12:00 UTC");
        assert_eq!(for_people(unix_ms("2100-03-01T00:00:00Z")), "1 March 2100, 00:00 UTC");
        for day in (0..60_000).step_by(17) {
            let text = for_people(u64::try_from(day).unwrap() * 86_400_000);
            let mut parts = text.split([' ', ',']);
            let number: i64 = parts.next().unwrap().parse().unwrap();
            let month = super::MONTHS.iter().position(|name| Some(*name) == text.split(' ').nth(1)).unwrap();
            let year: i64 = text.split([' ', ',']).nth(2).unwrap().parse().unwrap();
            assert_eq!(days(year, i64::try_from(month).unwrap() + 1, number), day, "{text}");
        }
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
