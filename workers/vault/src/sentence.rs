//! What people read: what happened, why, what to do next. One message per state, and none holds a value.

use crate::fault::StoreFault;
use crate::names::{self, Name};
use butterfly_api::secret::{LONGEST, SHORTEST};
use butterfly_api::vault::{Store, StoreState, VaultCause, VaultError};

/// The state as the first half of a sentence, and what to do about it as the second.
fn halves(fault: &StoreFault) -> (String, &'static str) {
    let detail = fault.detail.trim_end_matches('.');
    match fault.state {
        StoreState::Ready => ("the keyring is unlocked and answers".to_owned(), ""),
        StoreState::Absent => (
            format!("there is no OS keyring here ({detail})"),
            "install and start one, such as gnome-keyring, KWallet or KeePassXC, and then run `butterfly restart vault`",
        ),
        StoreState::Locked => (
            format!("the OS keyring is locked ({detail})"),
            "unlock it by logging in at the desktop or in its own app (such as Passwords and Keys), or let \
             `butterfly secret set NAME` bring up its prompt",
        ),
        StoreState::Slow => (
            format!("the OS keyring does not answer ({detail})"),
            "look for a prompt of it behind other windows, or restart it by logging in anew, and try again",
        ),
        StoreState::Denied => (
            format!("the OS keyring refused ({detail})"),
            "try again and answer its prompt with its password, or allow the access in its own settings",
        ),
        StoreState::Vanished => (
            format!("the OS keyring was there and is gone ({detail})"),
            "start it again, for instance by logging in anew, and then run `butterfly restart vault`; what it keeps is not lost",
        ),
    }
}

/// How the keyring is.
pub fn state(found: Result<(), StoreFault>) -> Store {
    match found {
        Ok(()) => Store { state: StoreState::Ready, message: "The OS keyring is unlocked and answers.".to_owned() },
        Err(fault) => {
            let (what, next) = halves(&fault);
            Store { state: fault.state, message: format!("{}; {next}.", capital(&what)) }
        }
    }
}

/// A call that failed because of the keyring's state.
pub fn store(fault: StoreFault) -> VaultError {
    let store = state(Err(fault));
    VaultError::new(VaultCause::Store(store.state), store.message)
}

/// Why something that was set is in memory only.
pub fn in_memory(name: &str, fault: &StoreFault) -> String {
    let (what, next) = halves(fault);
    format!(
        "{name} is kept in memory only and forgotten when the assistant ends, because {what}; {next}, and set it again."
    )
}

/// What is in memory was deleted, and what the keyring may hold was not.
pub fn deleted_in_memory_only(name: &str, fault: &StoreFault) -> VaultError {
    let (what, next) = halves(fault);
    let message =
        format!("{name} was deleted from memory, but not from the keyring: {what}; {next}, and delete it again.");
    VaultError::new(VaultCause::Store(fault.state), message)
}

pub fn unknown(name: &str) -> VaultError {
    // Somebody may have typed the secret where its name belongs.
    let shown: String = name.chars().filter(|c| !c.is_control()).take(24).collect();
    let cut = if shown.len() < name.len() { "…" } else { "" };
    let meant = names::nearest(name).unwrap_or_default();
    let all: Vec<_> = names::NAMES.iter().map(|row| row.name).collect();
    let message =
        format!("There is no secret named `{shown}{cut}`; did you mean {meant}? (There are: {}.)", all.join(", "));
    VaultError::new(VaultCause::UnknownName, message)
}

pub fn not_yours(row: &Name) -> VaultError {
    let readers = row.readers.join(", ");
    let message = format!("{} is read by {readers} alone; use what it is for, nothing else gets its value.", row.name);
    VaultError::new(VaultCause::NotYours, message)
}

pub fn missing(row: &Name) -> VaultError {
    let message =
        format!("{} is not set, and it is {}; set it with `butterfly secret set {}`.", row.name, row.purpose, row.name);
    VaultError::new(VaultCause::Missing, message)
}

/// What is wrong with a value, if anything. Never quotes it.
pub fn unusable(name: &str, value: &str) -> Option<String> {
    let what = if value.is_empty() {
        "is empty".to_owned()
    } else if value.len() < SHORTEST {
        format!("is shorter than {SHORTEST} bytes, too short to be kept out of logs")
    } else if value.len() > LONGEST {
        format!("is longer than {} KiB", LONGEST >> 10)
    } else if value.chars().any(char::is_control) {
        "holds a line break or another control character".to_owned()
    } else if value.trim() != value {
        "begins or ends with a space".to_owned()
    } else {
        return None;
    };
    Some(format!(
        "What was given for {name} {what}; nothing was changed, copy the key again and set it without anything around it."
    ))
}

pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    const FAULTS: [StoreState; 5] =
        [StoreState::Absent, StoreState::Locked, StoreState::Slow, StoreState::Denied, StoreState::Vanished];

    #[test]
    fn the_five_states_are_five_messages_each_with_a_next_step() {
        let mut messages = HashSet::new();
        let mut steps = HashSet::new();
        for state_ in FAULTS {
            let fault = StoreFault::new(state_, "so it said.");
            let found = state(Err(fault.clone()));
            assert_eq!(found.state, state_);
            let (what, next) = found.message.split_once("; ").unwrap();
            assert!(
                next.len() > 20 && found.message.ends_with('.') && !found.message.contains(". "),
                "{}",
                found.message
            );
            assert!(what.starts_with(char::is_uppercase), "{what}");
            assert!(messages.insert(what.to_owned()) && steps.insert(next.to_owned()), "{}", found.message);
            assert!(in_memory("openai.api_key", &fault).contains("memory only"));
        }
    }

    #[test]
    fn a_value_is_refused_with_its_reason_and_never_quoted() {
        let long = "x".repeat(LONGEST + 1);
        for bad in ["", "abc", "sk-1234\n", "sk-\u{0}1234", " sk-1234", long.as_str()] {
            let sentence = unusable("openai.api_key", bad).unwrap();
            assert!(bad.len() < 4 || !sentence.contains(bad), "{sentence}");
        }
        assert_eq!(unusable("openai.api_key", "sk-1234 with space"), None);
    }

    #[test]
    fn an_unknown_name_names_the_nearest_and_is_not_repeated_in_full() {
        let error = unknown("sk-proj-0123456789abcdef0123456789abcdef");
        assert!(!error.message.contains("0123456789abcdef0123"), "{}", error.message);
        assert!(unknown("openai.apikey").message.contains("did you mean openai.api_key?"));
    }
}
