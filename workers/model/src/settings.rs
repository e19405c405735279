//! What the person configured: provider, address and names of models.
//!
//! Settings arrive as the overrides that the kernel read once at its start, names without the `BUTTERFLY_` prefix:
//!
//! | name                 | value                                                     | default                        |
//! |----------------------|-----------------------------------------------------------|--------------------------------|
//! | `MODEL_PROVIDER`     | `ollama`, `openai` (any server with `/v1`) or `builtin`   | `ollama`                       |
//! | `MODEL_URL`          | `http://host[:port][/path]` or `https://…`                | by provider, below             |
//! | `MODEL`              | the model that answers when a request names none          | chosen from what is installed  |
//! | `MODEL_EMBEDDING`    | the model that embeds when a request names none           | chosen from what is installed  |
//! | `MODEL_KEEP_ALIVE`   | Ollama's `keep_alive`, such as `10m`, `0` or `-1`         | the server's own               |
//!
//! The kernel derives from the first two which TCP ports this worker may connect to, by the same table as
//! [`Settings::tcp_ports`]; it is the kernel's answer that counts, and a wrong one here only makes a connection fail:
//!
//! | provider  | no `MODEL_URL`                | `MODEL_URL`                                                           |
//! |-----------|-------------------------------|-----------------------------------------------------------------------|
//! | `builtin` | none                          | none                                                                  |
//! | `ollama`  | 11434 (`http://127.0.0.1:…`)  | the URL's port, else 80 for http and 443 for https;                   |
//! | `openai`  | 1234 (`http://127.0.0.1:…/v1`)| and 53 where the host is a name other than `localhost`                |

use crate::sentence;
use butterfly_api::model::ModelError;
use reqwest::Url;
use std::net::IpAddr;
use std::str::FromStr;

/// Ollama's standard address.
pub const OLLAMA_URL: &str = "http://127.0.0.1:11434";

/// LM Studio's standard address: of the servers that speak `/v1`, the one that most people have.
pub const OPENAI_URL: &str = "http://127.0.0.1:1234/v1";

/// The longest name of a model; a registry path with a tag stays far below.
const NAME_LIMIT: usize = 256;

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderKind {
    Ollama,
    OpenAi,
    Builtin,
}

impl ProviderKind {
    /// As it is written in `MODEL_PROVIDER`, and as clients see it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ollama => "ollama",
            Self::OpenAi => "openai",
            Self::Builtin => "builtin",
        }
    }
}

/// Valid settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub provider: ProviderKind,
    /// The base of every request; without a trailing slash. Unused by the built-in responder.
    pub url: Url,
    pub model: Option<String>,
    pub embedding: Option<String>,
    pub keep_alive: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            provider: ProviderKind::Ollama,
            url: constant_url(OLLAMA_URL),
            model: None,
            embedding: None,
            keep_alive: None,
        }
    }
}

impl Settings {
    /// Reads the overrides; names that are not this worker's are ignored, an empty value counts as absent.
    ///
    /// # Errors
    /// [`butterfly_api::model::Cause::Misconfigured`], naming the setting, its value and what is allowed.
    pub fn from_overrides(overrides: &[(String, String)]) -> Result<Self, ModelError> {
        let value = |wanted: &str| {
            let found = overrides.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
        };
        let provider = match value("MODEL_PROVIDER") {
            None | Some("ollama") => ProviderKind::Ollama,
            Some("openai") => ProviderKind::OpenAi,
            Some("builtin") => ProviderKind::Builtin,
            Some(other) => {
                return Err(sentence::misconfigured("MODEL_PROVIDER", other, "use ollama, openai or builtin"));
            }
        };
        let url = match (provider, value("MODEL_URL")) {
            (ProviderKind::OpenAi, Some(text)) => openai_base(base(text)?),
            (ProviderKind::Ollama, Some(text)) => ollama_base(base(text)?)?,
            (ProviderKind::OpenAi, None) => constant_url(OPENAI_URL),
            (ProviderKind::Ollama, None) | (ProviderKind::Builtin, _) => constant_url(OLLAMA_URL),
        };
        Ok(Self {
            provider,
            url,
            model: value("MODEL").map(|name| model_name("MODEL", name)).transpose()?,
            embedding: value("MODEL_EMBEDDING").map(|name| model_name("MODEL_EMBEDDING", name)).transpose()?,
            keep_alive: value("MODEL_KEEP_ALIVE").map(keep_alive).transpose()?,
        })
    }

    /// The ports that this worker connects to, by the table above.
    #[must_use]
    pub fn tcp_ports(&self) -> Vec<u16> {
        if self.provider == ProviderKind::Builtin {
            return Vec::new();
        }
        let mut ports: Vec<u16> = self.url.port_or_known_default().into_iter().collect();
        if self.needs_dns() {
            ports.push(53);
        }
        ports
    }

    /// Whether the host is a name that must be looked up.
    #[must_use]
    pub fn needs_dns(&self) -> bool {
        let host = host(&self.url);
        host != "localhost" && IpAddr::from_str(host).is_err()
    }

    /// Host and port as people write them.
    #[must_use]
    pub fn address(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        match self.url.port_or_known_default() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// Whether the server is meant to run on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let host = host(&self.url);
        host == "localhost" || IpAddr::from_str(host).is_ok_and(|address| address.is_loopback())
    }
}

/// The host without the brackets of an IPv6 address.
fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']')
}

/// Our own constants are URLs; `constants_are_urls` holds them to it. The fallback is the smallest URL there is.
fn constant_url(text: &'static str) -> Url {
    match Url::parse(text) {
        Ok(url) => url,
        Err(_) => constant_url("http://127.0.0.1"),
    }
}

fn base(text: &str) -> Result<Url, ModelError> {
    let wrong = |what: &str| Err(sentence::misconfigured("MODEL_URL", text, what));
    let Ok(mut url) = Url::parse(text) else {
        return wrong("write it as http://host:port or https://host");
    };
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return wrong("write it as http://host:port or https://host");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("leave user and password out: keys come with the vault");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return wrong("leave out what follows ? or #");
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// A bare address means its `/v1`.
fn openai_base(mut url: Url) -> Url {
    if url.path().trim_end_matches('/').is_empty() {
        url.set_path("/v1");
    }
    url
}

fn ollama_base(url: Url) -> Result<Url, ModelError> {
    let last = url.path().rsplit('/').next().unwrap_or_default();
    if last == "v1" {
        let what = "that is the address of an OpenAI-compatible server: set MODEL_PROVIDER to openai, or leave /v1 out";
        return Err(sentence::misconfigured("MODEL_URL", url.as_str(), what));
    }
    if last == "api" {
        return Err(sentence::misconfigured("MODEL_URL", url.as_str(), "leave /api out, it is added by itself"));
    }
    Ok(url)
}

fn model_name(setting: &str, name: &str) -> Result<String, ModelError> {
    if name.len() > NAME_LIMIT || name.chars().any(|c| c.is_whitespace() || c.is_control()) {
        let what = "use a model's name without spaces, such as gpt-oss:20b";
        return Err(sentence::misconfigured(setting, name, what));
    }
    Ok(name.to_owned())
}

fn keep_alive(text: &str) -> Result<String, ModelError> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let number = digits.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = &digits[number.len()..];
    if number.parse::<u32>().is_err() || !matches!(unit, "" | "s" | "m" | "h") {
        return Err(sentence::misconfigured("MODEL_KEEP_ALIVE", text, "use a time such as 10m, 0 or -1"));
    }
    // A bare number is seconds; as a string Ollama demands a unit.
    Ok(if unit.is_empty() { format!("{text}s") } else { text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use butterfly_api::model::Cause;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, ModelError> {
        let owned: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Settings::from_overrides(&owned)
    }

    #[test]
    fn constants_are_urls() {
        assert_eq!(Settings::default().url.as_str(), "http://127.0.0.1:11434/");
        assert_eq!(read(&[("MODEL_PROVIDER", "openai")]).unwrap().url.as_str(), OPENAI_URL);
        assert_eq!(read(&[]).unwrap(), Settings::default());
    }

    #[test]
    fn ports_follow_the_table() {
        let ports = |pairs: &[(&str, &str)]| read(pairs).unwrap().tcp_ports();
        let url = |url: &str| ports(&[("MODEL_URL", url)]);
        assert_eq!(ports(&[]), [11434]);
        assert_eq!(ports(&[("MODEL_PROVIDER", "openai")]), [1234]);
        assert!(ports(&[("MODEL_PROVIDER", "builtin"), ("MODEL_URL", "http://10.0.0.1:1")]).is_empty());
        assert_eq!(url("http://localhost:9"), [9]);
        assert_eq!(url("http://localhost"), [80]);
        assert_eq!(url("http://[::1]:8080"), [8080]);
        assert_eq!(url("https://10.1.2.3/ollama/"), [443]);
        assert_eq!(url("http://box.lan:11434"), [11434, 53]);
        assert_eq!(url("https://models.example"), [443, 53]);
    }

    #[test]
    fn a_bare_address_of_an_openai_server_means_its_v1() {
        let url = |url: &str| read(&[("MODEL_PROVIDER", "openai"), ("MODEL_URL", url)]).unwrap().url.to_string();
        assert_eq!(url("http://127.0.0.1:8080"), "http://127.0.0.1:8080/v1");
        assert_eq!(url("http://127.0.0.1:8080/"), "http://127.0.0.1:8080/v1");
        assert_eq!(url("http://127.0.0.1:8080/v1/"), "http://127.0.0.1:8080/v1");
        assert_eq!(url("http://127.0.0.1:8080/proxy/v1"), "http://127.0.0.1:8080/proxy/v1");
    }

    #[test]
    fn a_bad_value_names_itself_and_what_is_allowed() {
        for (name, value, expected) in [
            ("MODEL_PROVIDER", "gpt", "ollama, openai or builtin"),
            // The kernel takes the word as it stands, and would grant other ports.
            ("MODEL_PROVIDER", "OpenAI", "ollama, openai or builtin"),
            ("MODEL_URL", "127.0.0.1:11434", "http://host:port"),
            ("MODEL_URL", "ftp://host", "http://host:port"),
            ("MODEL_URL", "http://me:pw@host", "vault"),
            ("MODEL_URL", "http://host/?key=1", "?"),
            ("MODEL_URL", "http://host:1234/v1", "MODEL_PROVIDER to openai"),
            ("MODEL_URL", "http://host/api", "/api"),
            ("MODEL", "two words", "gpt-oss:20b"),
            ("MODEL_EMBEDDING", "a\tb", "gpt-oss:20b"),
            ("MODEL_KEEP_ALIVE", "forever", "10m"),
        ] {
            let error = read(&[(name, value)]).unwrap_err();
            assert_eq!(error.cause, Cause::Misconfigured);
            assert!(error.message.contains(&format!("BUTTERFLY_{name}")), "{}", error.message);
            assert!(error.message.contains(expected), "{}", error.message);
        }
        let hidden = read(&[("MODEL_URL", "http://me:hunter2@host")]).unwrap_err();
        assert!(!hidden.message.contains("hunter2"), "a password must not be repeated: {}", hidden.message);
    }

    #[test]
    fn keep_alive_gets_the_unit_that_ollama_demands() {
        let kept = |value| read(&[("MODEL_KEEP_ALIVE", value)]).unwrap().keep_alive.unwrap();
        assert_eq!(kept("10m"), "10m");
        assert_eq!(kept("-1"), "-1s");
        assert_eq!(kept("0"), "0s");
    }
}
