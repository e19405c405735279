//! Whether a key exists and a value fits it. Pure; what is refused is refused with what is allowed.
//!
//! What clients can check too, before they ask, stands in [`butterfly_api::value`].

use super::nearest::nearest;
use super::schema::{self, Form, KEYS, Key, Kind};
use butterfly_api::value;

/// The longest name of a profile, in bytes: it stands in tables and menus.
const PROFILE_BYTES: usize = 64;

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
    let Kind::Text { max_bytes, form } = row.kind else {
        return value::check(row.key, &row.kind.for_clients(), text);
    };
    let text = text.trim();
    let fits = text.len() <= max_bytes as usize && has_form(text, form);
    if fits { Ok(text.to_owned()) } else { Err(value::refusal(row.key, text, &allowed(row))) }
}

/// The kind of value that a key takes, for people.
#[must_use]
pub fn allowed(row: &Key) -> String {
    match row.kind {
        Kind::Text { max_bytes, form: Form::ModelName } => {
            format!("use a model's name without blanks, such as gpt-oss:20b, of at most {max_bytes} bytes")
        }
        Kind::Text { form: Form::KeepAlive, .. } => "use a time such as 10m, 0 or -1".to_owned(),
        Kind::Text { max_bytes, form: Form::Shortcuts } => {
            format!(
                "use an action with its key, such as chat.new=Ctrl+N, blanks between them, of at most {max_bytes} bytes"
            )
        }
        Kind::Flag | Kind::Integer { .. } | Kind::Number { .. } | Kind::Choice(_) | Kind::Url | Kind::Path => {
            value::allowed(&row.kind.for_clients())
        }
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
        // Which actions and keys there are, only the app knows.
        Form::Shortcuts => text.split_whitespace().all(|pair| {
            let action = pair.split_once('=').map_or("", |(action, _)| action);
            !action.is_empty()
                && action.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._".contains(&b))
        }),
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
        for good in ["", "chat.new=Ctrl+N", "chat.new=Ctrl+= chat.stop= a.b_c=Alt+F4"] {
            assert_eq!(set("desktop.keys", good), Ok(good.to_owned()));
        }
        for wrong in ["Ctrl+N", "=Ctrl+N", "Chat.New=Ctrl+N", "chat.new = Ctrl+N", "chat.new=Ctrl+N Ctrl+M"] {
            assert!(set("desktop.keys", wrong).unwrap_err().contains("chat.new=Ctrl+N"), "{wrong}");
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
