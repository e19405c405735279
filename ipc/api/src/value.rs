//! Whether a text is a value of a kind, as the worker that keeps settings and a client that asks for one both check it.
//! Pure; what is refused is refused with what is allowed.
//!
//! The worker has the last word: of a text it may ask for a form that its kind does not tell.

use crate::config::ValueKind;

/// Numbers are kept to a ten-thousandth: finer than any weight or share is felt, and the same through JSON and back.
const DECIMALS: f64 = 10_000.0;

const URL_FORM: &str = "write it as http://host:port or https://host";

/// The value as it is stored: without blanks around it, in one spelling.
///
/// # Errors
/// For people: names the key, the value and what is allowed.
pub fn check(key: &str, kind: &ValueKind, text: &str) -> Result<String, String> {
    let text = text.trim();
    let fits = match kind {
        ValueKind::Bool => flag(text).map(|on| on.to_string()),
        ValueKind::Integer { min, max, .. } => {
            text.parse::<i64>().ok().filter(|number| (min..=max).contains(&number)).map(|number| number.to_string())
        }
        ValueKind::Number { min, max } => {
            let number = text.parse::<f64>().ok().filter(|number| (min..=max).contains(&number));
            number.map(|number| ((number * DECIMALS).round() / DECIMALS).to_string())
        }
        ValueKind::Text { max_bytes, optional } => {
            (text.len() <= *max_bytes as usize && (*optional || !text.is_empty())).then(|| text.to_owned())
        }
        ValueKind::Choice { values } => values.iter().find(|value| value.eq_ignore_ascii_case(text)).cloned(),
        ValueKind::Url if text.is_empty() => Some(String::new()),
        ValueKind::Url => return url(text).map_err(|why| refusal(key, text, &why)),
        ValueKind::Path => path(text).then(|| text.to_owned()),
    };
    fits.ok_or_else(|| refusal(key, text, &allowed(kind)))
}

/// The sentence with which a value is refused.
#[must_use]
pub fn refusal(key: &str, text: &str, allowed: &str) -> String {
    format!("{key} cannot be {:?}: {allowed}", shortened(text))
}

/// What values a kind has, for people.
#[must_use]
pub fn allowed(kind: &ValueKind) -> String {
    match kind {
        ValueKind::Bool => "use true or false".to_owned(),
        ValueKind::Integer { min, max, unit } if unit.is_empty() => format!("use a whole number from {min} to {max}"),
        ValueKind::Integer { min, max, unit } => format!("use a whole number from {min} to {max} ({unit})"),
        ValueKind::Number { min, max } => format!("use a number from {min} to {max}"),
        ValueKind::Text { max_bytes, .. } => format!("use a text of at most {max_bytes} bytes"),
        ValueKind::Choice { values } => match values.as_slice() {
            [rest @ .., last] if !rest.is_empty() => format!("use {} or {last}", rest.join(", ")),
            _ => format!("use {}", values.join(", ")),
        },
        ValueKind::Url => URL_FORM.to_owned(),
        ValueKind::Path => "use an absolute path without . and ..".to_owned(),
    }
}

/// A yes or a no in the spellings that people use.
#[must_use]
pub fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// `scheme://host[:port][/path]` (RFC 3986, without user, query and fragment), without a slash at its end.
fn url(text: &str) -> Result<String, String> {
    let form = || URL_FORM.to_owned();
    let (scheme, rest) = text.split_once("://").ok_or_else(form)?;
    let scheme = scheme.to_ascii_lowercase();
    if !matches!(scheme.as_str(), "http" | "https") || rest.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(form());
    }
    if rest.contains(['?', '#']) {
        return Err("leave out what follows ? or #".to_owned());
    }
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err("leave user and password out; store a key with `butterfly secret set`".to_owned());
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or_else(form)?;
            if host.parse::<std::net::Ipv6Addr>().is_err() {
                return Err(form());
            }
            (host, if port.is_empty() { None } else { Some(port.strip_prefix(':').ok_or_else(form)?) })
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    if host.is_empty() || host.contains(['[', ']', '\\', '%', '"', '<', '>']) {
        return Err(form());
    }
    if port.is_some_and(|port| !port.bytes().all(|b| b.is_ascii_digit()) || port.parse::<u16>().unwrap_or(0) == 0) {
        return Err("a port is a number from 1 to 65535".to_owned());
    }
    Ok(format!("{scheme}://{authority}{}", path.trim_end_matches('/')))
}

fn path(text: &str) -> bool {
    text.starts_with('/')
        && text.len() > 1
        && !text.contains('\0')
        && text.split('/').all(|part| part != "." && part != "..")
}

/// A value in an error is there to be recognised, not to fill the screen.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: &ValueKind, text: &str) -> Result<String, String> {
        check("some.key", kind, text)
    }

    #[test]
    fn bounds_are_allowed_and_what_lies_beyond_names_them() {
        let whole = ValueKind::Integer { min: 80, max: 160, unit: "percent".into() };
        let share = ValueKind::Number { min: 0.2, max: 0.95 };
        for (kind, good, wrong) in [
            (&whole, ["80", " 160 "], ["79", "161", "", "100.5", "many"]),
            (&share, ["0.2", "0.95"], ["0.19", "0.96", "", "NaN", "inf"]),
        ] {
            for text in good {
                assert_eq!(of(kind, text), Ok(text.trim().to_owned()));
            }
            for text in wrong {
                assert_eq!(of(kind, text), Err(refusal("some.key", text, &allowed(kind))), "{text}");
            }
        }
        assert_eq!(allowed(&whole), "use a whole number from 80 to 160 (percent)");
        assert_eq!(of(&share, "0.250004"), Ok("0.25".into()));
    }

    #[test]
    fn texts_are_counted_in_bytes_and_empty_only_where_that_is_a_value() {
        let text = |optional| ValueKind::Text { max_bytes: 4, optional };
        assert_eq!(of(&text(true), "  "), Ok(String::new()));
        assert!(of(&text(false), "").is_err());
        assert_eq!(of(&text(false), "äö"), Ok("äö".into()));
        assert!(of(&text(false), "äöü").unwrap_err().contains("at most 4 bytes"));
        let long = of(&text(false), &"x".repeat(9000)).unwrap_err();
        assert!(long.len() < 200 && long.contains('…'));
    }

    #[test]
    fn flags_and_choices_have_one_spelling() {
        assert_eq!(of(&ValueKind::Bool, "Yes"), Ok("true".into()));
        assert_eq!(of(&ValueKind::Bool, "maybe"), Err("some.key cannot be \"maybe\": use true or false".into()));
        let choice = ValueKind::Choice { values: vec!["a".into(), "b".into(), "c".into()] };
        assert_eq!(of(&choice, "B"), Ok("b".into()));
        assert!(of(&choice, "d").unwrap_err().ends_with("use a, b or c"));
    }

    #[test]
    fn addresses_and_paths_are_whole_and_hold_no_password() {
        assert_eq!(of(&ValueKind::Url, ""), Ok(String::new()));
        assert_eq!(of(&ValueKind::Url, "HTTP://[::1]:8080/v1/"), Ok("http://[::1]:8080/v1".into()));
        assert!(of(&ValueKind::Url, "http://u:p@h").unwrap_err().contains("secret set"));
        assert!(of(&ValueKind::Url, "h:80").unwrap_err().contains("http://host:port"));
        assert_eq!(of(&ValueKind::Path, "/a b/c"), Ok("/a b/c".into()));
        assert!(of(&ValueKind::Path, "/a/../b").is_err());
    }
}
