//! The card: the one thing that stands in the way, out of what was found.

use super::Found;
use super::pull::Meter;
use butterfly_api::model::{Cause, ModelError};
use butterfly_api::vault::StoreState;

/// The name under which the model worker's built-in responder is chosen.
pub const RESPONDER: &str = "builtin";

/// Where Ollama is had from.
pub const DOWNLOAD: &str = "https://ollama.com/download";

/// What installs Ollama in a terminal, as its own page says.
#[cfg(target_os = "macos")]
pub const INSTALL: &str = "brew install ollama";
#[cfg(not(target_os = "macos"))]
pub const INSTALL: &str = "curl -fsSL https://ollama.com/install.sh | sh";

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Card<'a> {
    NotInstalled,
    NotRunning {
        /// Why it could not be started from here.
        failed: Option<&'a str>,
    },
    Starting,
    ModelMissing {
        model: &'a str,
        /// Whether the person named it; else it is what fits this machine.
        is_named: bool,
    },
    Pulling {
        meter: &'a Meter,
    },
    /// A pull ended before it was done.
    Broken {
        meter: &'a Meter,
        why: Option<&'a str>,
    },
    NeedsSecret {
        name: &'a str,
        why: &'a str,
    },
    KeyringLocked {
        name: &'a str,
        message: &'a str,
    },
    /// Anything else, in the model worker's own sentence.
    Other {
        message: &'a str,
        /// Whether it is the settings that are wrong.
        in_settings: bool,
    },
}

/// Which card, for what was put aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    NotInstalled,
    NotRunning,
    Starting,
    ModelMissing,
    Pulling,
    Broken,
    NeedsSecret,
    KeyringLocked,
    Other,
}

impl Kind {
    /// Whether somebody may mend it outside of the app without a word.
    #[must_use]
    pub const fn changes_outside(self) -> bool {
        match self {
            Self::NotInstalled | Self::NotRunning | Self::ModelMissing | Self::KeyringLocked | Self::Other => true,
            Self::Starting | Self::Pulling | Self::Broken | Self::NeedsSecret => false,
        }
    }
}

impl<'a> Card<'a> {
    /// What stands in the way, if anything.
    #[must_use]
    pub fn of(found: &'a Found, start_failed: Option<&'a str>) -> Option<Self> {
        let probe = &found.probe;
        let problem: &ModelError = probe.problem.as_ref()?;
        let message = problem.message.as_str();
        let is_ollama = probe.provider == "ollama";
        Some(match &problem.cause {
            Cause::ServerNotRunning if is_ollama && is_local(&probe.url) => match found.has_ollama {
                true => Self::NotRunning { failed: start_failed },
                false => Self::NotInstalled,
            },
            Cause::ModelMissing { model } if is_ollama && !model.is_empty() => {
                Self::ModelMissing { model, is_named: *model != probe.preset }
            }
            Cause::NeedsSecret { name, why } => match &found.keyring {
                Some(store) if store.state == StoreState::Locked => {
                    Self::KeyringLocked { name, message: &store.message }
                }
                _ => Self::NeedsSecret { name, why },
            },
            Cause::Misconfigured | Cause::Unauthorized | Cause::NotTheProtocol => {
                Self::Other { message, in_settings: true }
            }
            Cause::ServerNotRunning
            | Cause::ModelMissing { .. }
            | Cause::OutOfMemory
            | Cause::ContextExceeded { .. }
            | Cause::MidStream
            | Cause::Truncated
            | Cause::RateLimited { .. }
            | Cause::ServerFault { .. }
            | Cause::Rejected { .. }
            | Cause::TimedOut
            | Cause::Unsupported
            | Cause::Displaced => Self::Other { message, in_settings: false },
        })
    }

    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::NotInstalled => Kind::NotInstalled,
            Self::NotRunning { .. } => Kind::NotRunning,
            Self::Starting => Kind::Starting,
            Self::ModelMissing { .. } => Kind::ModelMissing,
            Self::Pulling { .. } => Kind::Pulling,
            Self::Broken { .. } => Kind::Broken,
            Self::NeedsSecret { .. } => Kind::NeedsSecret,
            Self::KeyringLocked { .. } => Kind::KeyringLocked,
            Self::Other { .. } => Kind::Other,
        }
    }
}

/// The host and port of an address, as `OLLAMA_HOST` takes them.
#[must_use]
pub fn authority(url: &str) -> Option<&str> {
    let rest = url.split_once("://")?.1;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    (!host.is_empty()).then_some(host)
}

/// Whether an address is this machine's own.
#[must_use]
pub fn is_local(url: &str) -> bool {
    let Some(authority) = authority(url) else { return false };
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// What a preset takes to download, in bytes; `None` for a model that is none.
#[must_use]
pub fn download_bytes(model: &str) -> Option<u64> {
    // As docs/model.md has them.
    Some(match model {
        "gpt-oss:20b" => 13_000_000_000,
        "qwen3:8b" => 5_200_000_000,
        "qwen3:4b" => 2_500_000_000,
        "qwen3:1.7b" => 1_400_000_000,
        "qwen3:0.6b" => 500_000_000,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_local() {
        for url in [
            "http://127.0.0.1:11434",
            "http://localhost",
            "http://[::1]:1/v1",
            "http://u:p@LOCALHOST:9/",
            "http://127.9.9.9",
        ] {
            assert!(is_local(url), "{url}");
        }
        for url in ["http://192.168.1.7:11434", "https://ollama.com", "http://localhost.evil.example", "", "127.0.0.1"]
        {
            assert!(!is_local(url), "{url}");
        }
        assert_eq!(authority("http://u:p@h:1/v1?x"), Some("h:1"));
    }

    #[test]
    fn the_sizes_are_those_of_the_documentation() {
        let page = include_str!("../../../../../docs/model.md");
        let rows = page.lines().filter(|line| line.starts_with("| ") && line.contains(" GB |") && line.contains('`'));
        let mut seen = 0;
        for row in rows {
            let cells: Vec<_> = row.split('|').map(str::trim).collect();
            let (model, size) = (cells[2].trim_matches('`'), cells[3].trim_end_matches(" GB"));
            let bytes = size.parse::<f64>().unwrap() * 1e9;
            assert_eq!(download_bytes(model).map(|bytes| bytes as f64), Some(bytes), "{model}");
            seen += 1;
        }
        assert_eq!(seen, 5);
    }
}
