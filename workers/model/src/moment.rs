//! RFC 3339 timestamps, as Ollama writes them, to Unix time.

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

#[cfg(test)]
mod tests {
    use super::unix_ms;

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
