//! Whether a key exists and a value fits it. Pure; what is refused is refused with what is allowed.

use super::nearest::nearest;
use super::schema::{self, Form, KEYS, Key, Kind};

/// The longest name of a profile, in bytes: it stands in tables and menus.
const PROFILE_BYTES: usize = 64;

/// Numbers are kept to a ten-thousandth: finer than any weight or share is felt, and the same through JSON and back.
const DECIMALS: f64 = 10_000.0;

/// Words by which a name is taken for a secret's.
const SECRET: [&str; 9] =
    ["key", "keys", "apikey", "token", "secret", "password", "passphrase", "credential", "credentials"];

/// The row of a key, in or outside of profiles.
///
/// # Errors
/// For people: there is no such key, it is a secret's name, or profiles cannot have it.
pub fn key(name: &str, in_profile: bool) -> Result<&'static Key, String> {
    let Some(row) = schema::find(name) else { return Err(unknown(name)) };
    if in_profile && !row.in_profiles {
        let why = "it holds for all conversations alike";
        return Err(format!("{name} cannot be set in a profile, because {why}; set it without one"));
    }
    Ok(row)
}

fn unknown(name: &str) -> String {
    match nearest(name, KEYS.iter().map(|row| row.key)) {
        _ if looks_secret(name) => format!(
            "{name} looks like a secret, and secrets are no settings; store it with `butterfly secret set {name}`"
        ),
        Some(meant) => format!("there is no setting {name}; did you mean {meant}?"),
        None => format!("there is no setting {name}; `butterfly config list` shows all of them"),
    }
}

/// Whether a name has a part that names secrets: `openai.api_key`, but not `keyboard`, and not `tokens`, which are counted.
#[must_use]
pub fn looks_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let mut parts = name.split(|c: char| !c.is_ascii_alphanumeric());
    parts.any(|part| SECRET.contains(&part))
}

/// A profile's name.
///
/// # Errors
/// For people: it is empty, too long, or has other characters than letters, digits, `-`, `_` and `.`.
pub fn profile(name: &str) -> Result<(), String> {
    let fits = !name.is_empty() && name.len() <= PROFILE_BYTES;
    if fits && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.')) {
        return Ok(());
    }
    Err(format!("a profile cannot be called {name:?}; use up to {PROFILE_BYTES} letters, digits, - and _"))
}

/// The value as it is stored: without blanks around it, in one spelling.
///
/// # Errors
/// For people: names the key, the value and what is allowed.
pub fn value(row: &Key, text: &str) -> Result<String, String> {
    let text = text.trim();
    let fits = match row.kind {
        Kind::Flag => flag(text).map(|on| on.to_string()),
        Kind::Integer { min, max, .. } => {
            text.parse::<i64>().ok().filter(|number| (min..=max).contains(number)).map(|number| number.to_string())
        }
        Kind::Number { min, max } => {
            let number = text.parse::<f64>().ok().filter(|number| (min..=max).contains(number));
            number.map(|number| ((number * DECIMALS).round() / DECIMALS).to_string())
        }
        Kind::Text { max_bytes, form } => {
            (text.len() <= max_bytes as usize && has_form(text, form)).then(|| text.to_owned())
        }
        Kind::Choice(values) => {
            values.iter().find(|value| value.eq_ignore_ascii_case(text)).map(|value| (*value).to_owned())
        }
        Kind::Url if text.is_empty() => Some(String::new()),
        Kind::Url => return url(text).map_err(|why| format!("{} cannot be {text:?}: {why}", row.key)),
        Kind::Path => path(text).then(|| text.to_owned()),
    };
    fits.ok_or_else(|| format!("{} cannot be {:?}: {}", row.key, shortened(text), allowed(row)))
}

/// The kind of value that a key takes, for people.
#[must_use]
pub fn allowed(row: &Key) -> String {
    match row.kind {
        Kind::Flag => "use true or false".to_owned(),
        Kind::Integer { min, max, unit } => format!("use a whole number from {min} to {max} ({unit})"),
        Kind::Number { min, max } => format!("use a number from {min} to {max}"),
        Kind::Text { max_bytes, form: Form::ModelName } => {
            format!("use a model's name without blanks, such as gpt-oss:20b, of at most {max_bytes} bytes")
        }
        Kind::Text { form: Form::KeepAlive, .. } => "use a time such as 10m, 0 or -1".to_owned(),
        Kind::Choice(values) => match values {
            [rest @ .., last] if !rest.is_empty() => format!("use {} or {last}", rest.join(", ")),
            _ => format!("use {}", values.join(", ")),
        },
        Kind::Url => "write it as http://host:port or https://host".to_owned(),
        Kind::Path => "use an absolute path without . and ..".to_owned(),
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

fn has_form(text: &str, form: Form) -> bool {
    match form {
        Form::ModelName => !text.chars().any(|c| c.is_whitespace() || c.is_control()),
        Form::KeepAlive => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let number = digits.trim_end_matches(|c: char| c.is_ascii_alphabetic());
            let unit = &digits[number.len()..];
            text.is_empty() || (number.parse::<u32>().is_ok() && matches!(unit, "" | "s" | "m" | "h"))
        }
    }
}

/// `scheme://host[:port][/path]` (RFC 3986, without user, query and fragment), without a slash at its end.
fn url(text: &str) -> Result<String, String> {
    let form = || "write it as http://host:port or https://host".to_owned();
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

    fn set(name: &str, text: &str) -> Result<String, String> {
        value(key(name, false)?, text)
    }

    #[test]
    fn unknown_keys_name_the_nearest() {
        assert_eq!(
            set("model.providr", "x"),
            Err("there is no setting model.providr; did you mean model.provider?".into())
        );
        assert!(set("nonsense", "x").unwrap_err().contains("butterfly config list"));
    }

    #[test]
    fn what_looks_like_a_secret_is_sent_to_the_vault() {
        for name in ["openai.api_key", "OPENAI_API_KEY", "model.token", "anthropic.apikey", "db.password", "a.keys"] {
            assert!(set(name, "x").unwrap_err().contains(&format!("butterfly secret set {name}")), "{name}");
        }
        for name in ["keyboard.layout", "monkey", "memory.recall_tokens_x"] {
            assert!(!set(name, "x").unwrap_err().contains("secret"), "{name}");
        }
        assert_eq!(set("memory.recall_tokens", "5"), Ok("5".into()), "a known key is no secret, whatever its name");
    }

    #[test]
    fn bounds_are_allowed_and_what_lies_beyond_names_them() {
        for row in KEYS {
            let (below, min, max, above) = match row.kind {
                Kind::Integer { min, max, .. } => {
                    ((min - 1).to_string(), min.to_string(), max.to_string(), (max + 1).to_string())
                }
                Kind::Number { min, max } => {
                    ((min - 0.01).to_string(), min.to_string(), max.to_string(), (max + 0.01).to_string())
                }
                Kind::Flag | Kind::Text { .. } | Kind::Choice(_) | Kind::Url | Kind::Path => continue,
            };
            assert_eq!(value(row, &min), Ok(min.clone()));
            assert_eq!(value(row, &max), Ok(max.clone()));
            for wrong in [below.as_str(), above.as_str(), "", "many", "NaN", "inf", "1e99", "0x10"] {
                let message = value(row, wrong).unwrap_err();
                assert!(message.contains(row.key) && message.contains(&min) && message.contains(&max), "{message}");
            }
        }
    }

    #[test]
    fn values_are_stored_in_one_spelling() {
        assert_eq!(set("memory.enabled", " Yes "), Ok("true".into()));
        assert_eq!(set("memory.enabled", "off"), Ok("false".into()));
        assert_eq!(set("model.provider", "OpenAI"), Ok("openai".into()));
        assert_eq!(set("memory.summarise_at", "0.80"), Ok("0.8".into()));
        assert_eq!(set("memory.retention_days", "007"), Ok("7".into()));
        assert_eq!(set("model.url", "HTTP://h:1/v1/"), Ok("http://h:1/v1".into()));
        assert_eq!(set("model.url", ""), Ok(String::new()));
    }

    #[test]
    fn choices_and_forms_say_what_is_allowed() {
        assert_eq!(
            set("model.provider", "gpt5"),
            Err("model.provider cannot be \"gpt5\": use ollama, openai or builtin".into())
        );
        assert!(set("memory.enabled", "maybe").unwrap_err().contains("true or false"));
        assert!(set("model.name", "two words").unwrap_err().contains("without blanks"));
        assert!(set("model.name", &"x".repeat(257)).is_err_and(|message| message.len() < 250));
        for good in ["10m", "0", "-1", "30", "-5h", ""] {
            assert_eq!(set("model.keep_alive", good), Ok(good.to_owned()));
        }
        for wrong in ["soon", "10d", "1.5h", "m", "--1"] {
            assert!(set("model.keep_alive", wrong).is_err(), "{wrong}");
        }
        for wrong in ["relative", "/", "/a/../b", "/a/./b", "", "/a\0b"] {
            assert!(set("memory.db_path", wrong).is_err(), "{wrong}");
        }
        assert_eq!(set("memory.db_path", "/mnt/big disk/b"), Ok("/mnt/big disk/b".into()));
    }

    #[test]
    fn addresses_have_a_scheme_a_host_and_nothing_secret() {
        for good in ["http://127.0.0.1:11434", "https://api.example.com/v1", "http://[::1]:8080", "http://[fe80::1]/v1"]
        {
            assert_eq!(set("model.url", good), Ok(good.to_owned()));
        }
        let wrong = [
            "127.0.0.1:11434",
            "ftp://h",
            "http://",
            "http://:80",
            "http://h:0",
            "http://h:65536",
            "http://h:+8",
            "http://h:",
            "http://u:p@h",
            "http://h?key=1",
            "http://h#x",
            "http://a b",
            "http://[::1",
            "http://[x]:1",
            "http://[::1]8",
            "http:///v1",
        ];
        for wrong in wrong {
            assert!(set("model.url", wrong).is_err_and(|message| message.contains("model.url")), "{wrong}");
        }
        assert!(set("model.url", "http://u:p@h").unwrap_err().contains("secret set"));
    }

    #[test]
    fn profiles_have_plain_names_and_only_what_concerns_one_conversation() {
        for good in ["work", "home-2", "día_1"] {
            assert_eq!(profile(good), Ok(()));
        }
        for wrong in ["", "two words", "a/b", "a\nb", &"x".repeat(65)] {
            assert!(profile(wrong).is_err(), "{wrong:?}");
        }
        assert!(key("model.name", true).is_ok());
        assert!(key("model.provider", true).unwrap_err().contains("all conversations"));
    }
}
