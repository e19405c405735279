//! Secrets by name, and how the keyring is. Their values pass by in [`Sealed`] and are never part of this state.

use super::sealed::Sealed;
use super::{Effect as Outermost, Event as Up, Load, failed};
use crate::state::Effect as Outer;
use crate::state::frame::{self, Confirm, Toast, Tone};
use butterfly_api::vault::{Kept, SecretInfo, Secrets, Store, StoreState, Stored};

/// What is known of secrets.
#[derive(Debug, Default, Clone)]
pub struct State {
    pub load: Load,
    pub secrets: Vec<SecretInfo>,
    pub store: Option<Store>,
    /// The one whose value is being asked for.
    pub entering: Option<String>,
    /// Why the value that was entered was not stored.
    pub error: Option<String>,
    /// The one that is being stored or deleted; the keyring may be asking the person meanwhile.
    pub busy: Option<String>,
    request: u64,
}

/// What happens to secrets.
#[derive(Debug, Clone)]
pub enum Event {
    Connected,
    Load,
    Loaded {
        request: u64,
        result: Result<Secrets, String>,
    },
    /// One was set or deleted, by whomever.
    Changed,
    /// The person wants to set it.
    Enter(String),
    Cancel,
    Store {
        name: String,
        value: Sealed,
    },
    Stored {
        request: u64,
        name: String,
        result: Result<Stored, String>,
    },
    AskDelete(String),
    Delete(String),
    Deleted {
        request: u64,
        name: String,
        result: Result<bool, String>,
    },
}

/// What secrets need from the bus.
#[derive(Debug, Clone)]
pub enum Effect {
    Load { request: u64 },
    Store { request: u64, name: String, value: Sealed },
    Delete { request: u64, name: String },
}

fn effect(effect: Effect) -> Vec<Outer> {
    vec![Outermost::Secrets(effect).into()]
}

impl State {
    pub(super) fn reduce(&mut self, event: Event) -> Vec<Outer> {
        match event {
            // Who never looked at them need not hear of them now.
            Event::Connected | Event::Changed if self.load == Load::Never => Vec::new(),
            Event::Connected | Event::Changed | Event::Load => {
                self.request += 1;
                if self.load != Load::Ready {
                    self.load = Load::Loading;
                }
                effect(Effect::Load { request: self.request })
            }
            Event::Loaded { request, result } => {
                if request == self.request {
                    match result {
                        Ok(Secrets { secrets, store }) => {
                            self.secrets = secrets;
                            self.store = Some(store);
                            self.load = Load::Ready;
                        }
                        Err(why) => self.load = Load::Failed { why },
                    }
                }
                Vec::new()
            }
            Event::Enter(name) => {
                self.entering = Some(name);
                self.error = None;
                Vec::new()
            }
            Event::Cancel => {
                self.entering = None;
                self.error = None;
                Vec::new()
            }
            Event::Store { name, value } => {
                if let Some(fault) = value.fault() {
                    self.error = Some(fault.to_owned());
                    return Vec::new();
                }
                self.error = None;
                self.request += 1;
                self.busy = Some(name.clone());
                effect(Effect::Store { request: self.request, name, value })
            }
            Event::Stored { request: _, name, result } => {
                let is_shown = self.entering.as_ref() == Some(&name);
                self.done(&name);
                match result {
                    Ok(stored) => {
                        if is_shown {
                            self.entering = None;
                        }
                        let mut effects = vec![Outer::toast(told(&name, &stored))];
                        effects.extend(self.reduce(Event::Load));
                        effects
                    }
                    Err(why) if is_shown => {
                        self.error = Some(why);
                        Vec::new()
                    }
                    Err(why) => vec![failed(&format!("{name} was not stored"), &why)],
                }
            }
            Event::AskDelete(name) => {
                let used_by =
                    self.secrets.iter().find(|secret| secret.name == name).map(|secret| secret.used_by.join(", "));
                vec![Outer::then(frame::Event::Ask(Confirm {
                    title: format!("Delete {name}?"),
                    text: "Its value cannot be shown or brought back; keep a copy if you may need it.".into(),
                    details: used_by
                        .filter(|users| !users.is_empty())
                        .map(|users| format!("The {users} worker asks for it and goes without."))
                        .into_iter()
                        .collect(),
                    label: "Delete".into(),
                    danger: true,
                    event: Box::new(Up::Secrets(Event::Delete(name)).into()),
                }))]
            }
            Event::Delete(name) => {
                self.request += 1;
                self.busy = Some(name.clone());
                effect(Effect::Delete { request: self.request, name })
            }
            Event::Deleted { request: _, name, result } => {
                self.done(&name);
                match result {
                    Ok(existed) => {
                        let text = if existed { format!("{name} is deleted.") } else { format!("{name} was not set.") };
                        let mut effects = vec![Outer::toast(Toast::new(Tone::Success, text))];
                        effects.extend(self.reduce(Event::Load));
                        effects
                    }
                    Err(why) => vec![failed(&format!("{name} was not deleted"), &why)],
                }
            }
        }
    }

    fn done(&mut self, name: &str) {
        if self.busy.as_deref() == Some(name) {
            self.busy = None;
        }
    }

    /// What is known of one.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&SecretInfo> {
        self.secrets.iter().find(|secret| secret.name == name)
    }
}

fn told(name: &str, stored: &Stored) -> Toast {
    match (&stored.kept, &stored.note) {
        (Kept::Keyring, None) => Toast::new(Tone::Success, format!("{name} is in the keyring.")),
        (Kept::Keyring, Some(note)) => Toast::new(Tone::Success, format!("{name} is in the keyring. {note}")),
        (Kept::Process, Some(note)) => Toast::new(Tone::Warning, note.clone()),
        (Kept::Process, None) => Toast::new(Tone::Warning, format!("{name} is kept in memory until the vault ends.")),
    }
}

/// How the keyring is, in a word, and how bad that is.
#[must_use]
pub fn state_of(state: StoreState) -> (Tone, &'static str) {
    match state {
        StoreState::Ready => (Tone::Success, "unlocked"),
        StoreState::Absent => (Tone::Warning, "absent"),
        StoreState::Locked => (Tone::Warning, "locked"),
        StoreState::Slow => (Tone::Warning, "slow"),
        StoreState::Denied => (Tone::Danger, "refused"),
        StoreState::Vanished => (Tone::Danger, "gone"),
    }
}
