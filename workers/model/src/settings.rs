//! What the person configured: provider, address and names of models.
//!
//! Settings come from the config service, which has the person's and the overrides of this start; where it is away, from the
//! overrides alone, names without the `BUTTERFLY_` prefix:
//!
//! | key                    | override             | value                                                   | default                       |
//! |------------------------|----------------------|---------------------------------------------------------|-------------------------------|
//! | `model.provider`       | `MODEL_PROVIDER`     | `ollama`, `openai` (any server with `/v1`) or `builtin` | `ollama`                      |
//! | `model.url`            | `MODEL_URL`          | `http://host[:port][/path]` or `https://…`              | by provider, below            |
//! | `model.name`           | `MODEL`              | the model that answers when a request names none        | chosen from what is installed |
//! | `memory.summary_model` | `MEMORY_SUMMARY_MODEL` | the one for summaries and extraction                  | the one that answers          |
//! | `model.embedding`      | `MODEL_EMBEDDING`    | the model that embeds when a request names none         | chosen from what is installed |
//! | `model.context_tokens` | `MODEL_CONTEXT`      | the context to ask for when a request names none        | 0: as much as is needed       |
//! | `model.keep_alive`     | `MODEL_KEEP_ALIVE`   | Ollama's `keep_alive`, such as `10m`, `0` or `-1`       | the server's own              |
//!
//! The kernel derives from the first two which TCP ports this worker may connect to, by the same table as
//! [`Settings::tcp_ports`]; it is the kernel's answer that counts, and a wrong one here only makes a connection fail:
//!
//! | provider  | no URL                        | URL                                                                   |
//! |-----------|-------------------------------|-----------------------------------------------------------------------|
//! | `builtin` | none                          | none                                                                  |
//! | `ollama`  | 11434 (`http://127.0.0.1:…`)  | the URL's port, else 80 for http and 443 for https;                   |
//! | `openai`  | 1234 (`http://127.0.0.1:…/v1`)| and 53 where the host is a name other than `localhost`                |

use crate::sentence;
use butterfly_api::model::{ModelError, Purpose};
use reqwest::Url;
use std::net::IpAddr;
use std::str::FromStr;

/// Ollama's standard address.
pub const OLLAMA_URL: &str = "http://127.0.0.1:11434";

/// LM Studio's standard address: of the servers that speak `/v1`, the one that most people have.
pub const OPENAI_URL: &str = "http://127.0.0.1:1234/v1";

/// The longest name of a model; a registry path with a tag stays far below.
const NAME_LIMIT: usize = 256;

/// One setting: its key, and the override's name without prefix.
#[derive(Debug, Clone, Copy)]
struct Setting {
    key: &'static str,
    env: &'static str,
}

const PROVIDER: Setting = Setting { key: "model.provider", env: "MODEL_PROVIDER" };
const URL: Setting = Setting { key: "model.url", env: "MODEL_URL" };
const NAME: Setting = Setting { key: "model.name", env: "MODEL" };
const SUMMARY: Setting = Setting { key: "memory.summary_model", env: "MEMORY_SUMMARY_MODEL" };
const EMBEDDING: Setting = Setting { key: "model.embedding", env: "MODEL_EMBEDDING" };
const CONTEXT: Setting = Setting { key: "model.context_tokens", env: "MODEL_CONTEXT" };
const KEEP_ALIVE: Setting = Setting { key: "model.keep_alive", env: "MODEL_KEEP_ALIVE" };

/// All that this worker reads.
const ALL: [Setting; 7] = [PROVIDER, URL, NAME, SUMMARY, EMBEDDING, CONTEXT, KEEP_ALIVE];

/// The most tokens of context that can be asked for, as the config service says too.
const CONTEXT_LIMIT: u32 = 1 << 20;

/// Where values come from, which is also how a person finds the one that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Service,
    Environment,
}

impl Setting {
    fn name(self, from: Origin) -> String {
        match from {
            Origin::Service => self.key.to_owned(),
            Origin::Environment => format!("BUTTERFLY_{}", self.env),
        }
    }
}

/// Whether a change of this key concerns the model worker.
#[must_use]
pub fn is_ours(key: &str) -> bool {
    ALL.iter().any(|setting| setting.key == key)
}

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

impl ProviderKind {
    /// The secret that its servers want, where they want one.
    #[must_use]
    pub const fn key_name(self) -> Option<&'static str> {
        match self {
            Self::Ollama => Some("ollama.api_key"),
            Self::OpenAi => Some("openai.api_key"),
            Self::Builtin => None,
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
    /// For summaries and extraction; `None`: as for everything else.
    pub summary: Option<String>,
    pub embedding: Option<String>,
    /// Tokens; `None`: as many as are needed.
    pub context_tokens: Option<u32>,
    pub keep_alive: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            provider: ProviderKind::Ollama,
            url: constant_url(OLLAMA_URL),
            model: None,
            summary: None,
            embedding: None,
            context_tokens: None,
            keep_alive: None,
        }
    }
}

impl Settings {
    /// Reads the values of the config service; keys that are not this worker's are ignored, an empty value counts as absent.
    ///
    /// # Errors
    /// [`butterfly_api::model::Cause::Misconfigured`], naming the setting, its value and what is allowed.
    pub fn from_values(values: &[(String, String)]) -> Result<Self, ModelError> {
        Self::read(values, Origin::Service)
    }

    /// Reads the overrides, likewise.
    ///
    /// # Errors
    /// As [`Self::from_values`].
    pub fn from_overrides(overrides: &[(String, String)]) -> Result<Self, ModelError> {
        Self::read(overrides, Origin::Environment)
    }

    fn read(pairs: &[(String, String)], from: Origin) -> Result<Self, ModelError> {
        let value = |wanted: Setting| {
            let name = match from {
                Origin::Service => wanted.key,
                Origin::Environment => wanted.env,
            };
            let found = pairs.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
        };
        let provider = match value(PROVIDER) {
            None | Some("ollama") => ProviderKind::Ollama,
            Some("openai") => ProviderKind::OpenAi,
            Some("builtin") => ProviderKind::Builtin,
            Some(other) => {
                return Err(sentence::misconfigured(&PROVIDER.name(from), other, "use ollama, openai or builtin"));
            }
        };
        let url = match (provider, value(URL)) {
            (ProviderKind::OpenAi, Some(text)) => openai_base(base(from, text)?),
            (ProviderKind::Ollama, Some(text)) => ollama_base(from, base(from, text)?)?,
            (ProviderKind::OpenAi, None) => constant_url(OPENAI_URL),
            (ProviderKind::Ollama, None) | (ProviderKind::Builtin, _) => constant_url(OLLAMA_URL),
        };
        let model = |setting: Setting| value(setting).map(|name| model_name(&setting.name(from), name)).transpose();
        Ok(Self {
            provider,
            url,
            model: model(NAME)?,
            summary: model(SUMMARY)?,
            embedding: model(EMBEDDING)?,
            context_tokens: value(CONTEXT).map(|text| context(from, text)).transpose()?.filter(|tokens| *tokens > 0),
            keep_alive: value(KEEP_ALIVE).map(|text| keep_alive(from, text)).transpose()?,
        })
    }

    /// The model that is set for this purpose, if any is.
    #[must_use]
    pub fn model_for(&self, purpose: Purpose) -> Option<&str> {
        match purpose {
            Purpose::Chat => self.model.as_deref(),
            Purpose::Summary => self.summary.as_deref().or(self.model.as_deref()),
        }
    }

    /// Whether nobody on the way can read what is sent: over TLS, on this machine, or in a network of one's own.
    #[must_use]
    pub fn hides_what_it_sends(&self) -> bool {
        if self.url.scheme() == "https" || self.is_local() {
            return true;
        }
        match IpAddr::from_str(host(&self.url)) {
            Ok(IpAddr::V4(address)) => address.is_private() || address.is_link_local(),
            Ok(IpAddr::V6(address)) => address.is_unique_local() || address.is_unicast_link_local(),
            Err(_) => false,
        }
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

fn base(from: Origin, text: &str) -> Result<Url, ModelError> {
    let wrong = |what: &str| Err(sentence::misconfigured(&URL.name(from), text, what));
    let Ok(mut url) = Url::parse(text) else {
        return wrong("write it as http://host:port or https://host");
    };
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return wrong("write it as http://host:port or https://host");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("leave user and password out: keys are set with `butterfly secret set`");
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

fn ollama_base(from: Origin, url: Url) -> Result<Url, ModelError> {
    let wrong = |what: &str| Err(sentence::misconfigured(&URL.name(from), url.as_str(), what));
    let last = url.path().rsplit('/').next().unwrap_or_default();
    if last == "v1" {
        let provider = PROVIDER.name(from);
        return wrong(&format!(
            "that is the address of an OpenAI-compatible server: set {provider} to openai, or leave /v1 out"
        ));
    }
    if last == "api" {
        return wrong("leave /api out, it is added by itself");
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

fn context(from: Origin, text: &str) -> Result<u32, ModelError> {
    text.parse().ok().filter(|tokens| *tokens <= CONTEXT_LIMIT).ok_or_else(|| {
        let what = format!("use a number of tokens from 0 (as many as are needed) to {CONTEXT_LIMIT}");
        sentence::misconfigured(&CONTEXT.name(from), text, &what)
    })
}

fn keep_alive(from: Origin, text: &str) -> Result<String, ModelError> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let number = digits.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = &digits[number.len()..];
    if number.parse::<u32>().is_err() || !matches!(unit, "" | "s" | "m" | "h") {
        return Err(sentence::misconfigured(&KEEP_ALIVE.name(from), text, "use a time such as 10m, 0 or -1"));
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
            ("MODEL_URL", "http://me:pw@host", "butterfly secret set"),
            ("MODEL_URL", "http://host/?key=1", "?"),
            ("MODEL_URL", "http://host:1234/v1", "MODEL_PROVIDER to openai"),
            ("MODEL_URL", "http://host/api", "/api"),
            ("MODEL", "two words", "gpt-oss:20b"),
            ("MODEL_EMBEDDING", "a\tb", "gpt-oss:20b"),
            ("MODEL_KEEP_ALIVE", "forever", "10m"),
            ("MODEL_CONTEXT", "-1", "0 (as many as are needed)"),
            ("MODEL_CONTEXT", "9999999", "1048576"),
            ("MEMORY_SUMMARY_MODEL", "two words", "gpt-oss:20b"),
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
    fn what_the_config_service_says_is_read_by_its_keys() {
        let read = |pairs: &[(&str, &str)]| {
            let owned: Vec<_> = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            Settings::from_values(&owned)
        };
        let settings = read(&[
            ("model.provider", "openai"),
            ("model.url", "http://127.0.0.1:9/v1"),
            ("model.name", "m"),
            ("memory.summary_model", "s"),
            ("model.embedding", ""),
            ("model.context_tokens", "0"),
            ("memory.enabled", "true"),
        ])
        .unwrap();
        assert_eq!((settings.provider, settings.tcp_ports()), (ProviderKind::OpenAi, vec![9]));
        assert_eq!((settings.model_for(Purpose::Chat), settings.model_for(Purpose::Summary)), (Some("m"), Some("s")));
        assert_eq!((settings.embedding, settings.context_tokens), (None, None));
        let only = read(&[("model.name", "m"), ("model.context_tokens", "8192")]).unwrap();
        assert_eq!((only.model_for(Purpose::Summary), only.context_tokens), (Some("m"), Some(8192)));
        let error = read(&[("model.url", "http://h/v1")]).unwrap_err();
        assert!(
            error.message.starts_with("model.url ") && error.message.contains("model.provider to openai"),
            "{error}"
        );
        assert!(ALL.iter().all(|setting| is_ours(setting.key)) && !is_ours("memory.enabled"));
    }

    #[test]
    fn a_key_is_hidden_by_tls_or_stays_near() {
        let hidden = |url: &str| read(&[("MODEL_URL", url)]).unwrap().hides_what_it_sends();
        for url in [
            "https://api.example",
            "http://localhost:1",
            "http://127.0.0.1:1",
            "http://[::1]:1",
            "http://192.168.1.5:1",
        ] {
            assert!(hidden(url), "{url}");
        }
        for url in ["http://api.example", "http://8.8.8.8", "http://[2001:db8::1]", "http://box.lan:1"] {
            assert!(!hidden(url), "{url}");
        }
    }

    #[test]
    fn keep_alive_gets_the_unit_that_ollama_demands() {
        let kept = |value| read(&[("MODEL_KEEP_ALIVE", value)]).unwrap().keep_alive.unwrap();
        assert_eq!(kept("10m"), "10m");
        assert_eq!(kept("-1"), "-1s");
        assert_eq!(kept("0"), "0s");
    }
}
