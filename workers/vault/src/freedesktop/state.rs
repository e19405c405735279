//! From what D-Bus and the keyring say to the state of the keyring.

use crate::fault::StoreFault;
use butterfly_api::vault::StoreState;
use secret_service::Error;
use std::io::ErrorKind;
use zbus::DBusError;

/// The longest quotation of the keyring's own words, in characters.
const QUOTE_LIMIT: usize = 120;

const BUS: &str = "org.freedesktop.DBus.Error.";
const KEYRING: &str = "org.freedesktop.Secret.Error.";

/// What an error of the keyring means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The keyring ended since the session with it began; a new session may do.
    Reopen(String),
    /// Nobody offers the service: absent, or vanished if somebody did before.
    Nobody(String),
    /// The connection to the bus is gone.
    Cut(String),
    /// The keyring does not speak the encryption that was asked for.
    NoEncryption,
    State(StoreFault),
}

/// What this error means.
pub(super) fn meaning(error: &Error) -> Meaning {
    let state = |state, detail: &str| Meaning::State(StoreFault::new(state, detail));
    match error {
        Error::Locked => state(StoreState::Locked, "it waits for its password"),
        Error::NoResult => state(StoreState::Locked, "it has no default keyring yet"),
        Error::Prompt => state(StoreState::Denied, "its prompt was dismissed, or it had no way to show one"),
        Error::PromptDisconnected => Meaning::Cut("the connection ended while its prompt was open".to_owned()),
        Error::Unavailable => Meaning::Nobody("nothing on the session bus offers one".to_owned()),
        Error::Crypto(_) => state(StoreState::Denied, "what it sent cannot be decrypted"),
        Error::Zbus(error) => of_bus(error),
        Error::ZbusFdo(error) => named(error.name().as_str(), error.description().unwrap_or_default()),
        Error::Zvariant(_) => state(StoreState::Denied, "what it sent is not of its protocol"),
        other => state(StoreState::Denied, &quote(&other.to_string())),
    }
}

/// What an error of the connection means.
pub(super) fn of_bus(error: &zbus::Error) -> Meaning {
    match error {
        zbus::Error::MethodError(name, text, _) => named(name.as_str(), text.as_deref().unwrap_or_default()),
        zbus::Error::FDO(error) => named(error.name().as_str(), error.description().unwrap_or_default()),
        zbus::Error::InputOutput(fault) if fault.kind() == ErrorKind::TimedOut => {
            Meaning::State(StoreFault::new(StoreState::Slow, "it took too long"))
        }
        zbus::Error::InputOutput(fault) => Meaning::Cut(format!("the session bus ended: {}", fault.kind())),
        zbus::Error::Handshake(text) => {
            let detail = format!("the session bus does not let the vault in: {}", quote(text));
            Meaning::State(StoreFault::new(StoreState::Denied, detail))
        }
        other => Meaning::State(StoreFault::new(StoreState::Denied, quote(&other.to_string()))),
    }
}

/// What a named error of D-Bus or of the keyring means.
fn named(name: &str, text: &str) -> Meaning {
    let quoted = quote(text);
    let state = |state, detail: String| Meaning::State(StoreFault::new(state, detail));
    if let Some(own) = name.strip_prefix(KEYRING) {
        return match own {
            "IsLocked" => state(StoreState::Locked, "it waits for its password".to_owned()),
            "NoSession" | "NoSuchObject" => Meaning::Reopen("it was started anew".to_owned()),
            _ => state(StoreState::Denied, format!("{own}: {quoted}")),
        };
    }
    match name.strip_prefix(BUS).unwrap_or(name) {
        "ServiceUnknown" | "NameHasNoOwner" => Meaning::Nobody("nothing on the session bus offers one".to_owned()),
        own if own.starts_with("Spawn.") => Meaning::Nobody(format!("it cannot be started: {quoted}")),
        "NoReply" if text.contains("disconnected") => Meaning::Nobody("it ended without an answer".to_owned()),
        "NoReply" | "Timeout" | "TimedOut" => {
            state(StoreState::Slow, "the session bus gave up waiting for it".to_owned())
        }
        "Disconnected" => Meaning::Cut("the session bus ended".to_owned()),
        "NotSupported" => Meaning::NoEncryption,
        "AccessDenied" | "AuthFailed" | "InteractiveAuthorizationRequired" => {
            state(StoreState::Denied, format!("access was denied: {quoted}"))
        }
        "UnknownObject" => Meaning::Reopen("it was started anew".to_owned()),
        own => state(StoreState::Denied, format!("{own}: {quoted}")),
    }
}

/// Foreign words, fit for one line.
fn quote(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    let line: String = words.join(" ").chars().take(QUOTE_LIMIT).collect();
    if line.is_empty() { "it gave no reason".to_owned() } else { line.trim_end_matches('.').to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state_of(name: &str, text: &str) -> StoreState {
        match named(name, text) {
            Meaning::State(fault) => fault.state,
            other => panic!("{name} is {other:?}"),
        }
    }

    #[test]
    fn each_named_error_has_its_state() {
        assert_eq!(state_of("org.freedesktop.Secret.Error.IsLocked", ""), StoreState::Locked);
        assert_eq!(state_of("org.freedesktop.DBus.Error.AccessDenied", "no"), StoreState::Denied);
        assert_eq!(state_of("org.freedesktop.DBus.Error.NoReply", "timed out"), StoreState::Slow);
        assert_eq!(state_of("com.example.Whatever", "no"), StoreState::Denied);
        assert!(matches!(named("org.freedesktop.DBus.Error.ServiceUnknown", ""), Meaning::Nobody(_)));
        assert!(matches!(named("org.freedesktop.DBus.Error.Spawn.ChildExited", "x"), Meaning::Nobody(_)));
        assert!(matches!(named("org.freedesktop.Secret.Error.NoSession", ""), Meaning::Reopen(_)));
        assert_eq!(named("org.freedesktop.DBus.Error.NotSupported", ""), Meaning::NoEncryption);
        let ended = named(
            "org.freedesktop.DBus.Error.NoReply",
            "Message recipient disconnected from message bus without replying",
        );
        assert!(matches!(ended, Meaning::Nobody(_)));
    }

    #[test]
    fn foreign_words_are_one_short_line() {
        assert_eq!(quote(" a\n\tb\u{1b}[31m. "), "a b [31m");
        assert_eq!(quote(&"x".repeat(1000)).len(), QUOTE_LIMIT);
        assert_eq!(quote("\n"), "it gave no reason");
    }
}
