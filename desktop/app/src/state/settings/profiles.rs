//! Profiles: named sets of settings that a conversation can use.

use super::{Effect as Outermost, Event as Up, Load, failed};
use crate::state::Effect as Outer;
use crate::state::frame::{self, Confirm, Toast, Tone};
use butterfly_api::config::Profile;
use std::collections::BTreeMap;

/// The longest name, in bytes, as the worker has it.
const NAME_BYTES: usize = 64;

/// How many conversations a question names; more are counted.
const NAMED: usize = 5;

/// A conversation that uses a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub conversation: u64,
    pub title: String,
}

/// A name that is being typed.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Naming {
    /// The profile that gets another name; `None`: a new one.
    pub of: Option<String>,
    pub text: String,
    pub error: Option<String>,
}

/// The profiles.
#[derive(Debug, Default, Clone)]
pub struct State {
    pub profiles: Vec<Profile>,
    pub selected: Option<String>,
    pub naming: Option<Naming>,
    /// Whether one is being made, renamed or deleted.
    pub busy: bool,
    /// By profile.
    pub users: BTreeMap<String, Vec<User>>,
    pub users_load: Load,
    request: u64,
    users_request: u64,
}

/// What was done.
#[derive(Debug, Clone, PartialEq)]
pub enum Deed {
    Created { name: String },
    Renamed { from: String, to: String },
    Deleted { profile: Profile, users: Vec<User> },
    Restored { name: String },
}

/// What happens to profiles.
#[derive(Debug, Clone)]
pub enum Event {
    Select(String),
    New,
    Rename(String),
    Name(String),
    CancelName,
    /// The name that was typed is to be used.
    Submit,
    AskDelete(String),
    Delete(String),
    /// Brings back what was deleted.
    Restore {
        profile: Profile,
        users: Vec<User>,
    },
    Done {
        request: u64,
        result: Result<Deed, String>,
    },
    Users {
        request: u64,
        result: Result<BTreeMap<String, Vec<User>>, String>,
    },
}

/// What profiles need from the bus.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Makes a profile with these values, and has these conversations use it.
    Create {
        request: u64,
        profile: Profile,
        users: Vec<User>,
    },
    /// Makes the same under another name, has the conversations use that, and deletes the old one.
    Rename {
        request: u64,
        profile: Profile,
        to: String,
    },
    Delete {
        request: u64,
        profile: Profile,
        users: Vec<User>,
    },
    Users {
        request: u64,
    },
}

fn effect(effect: Effect) -> Vec<Outer> {
    vec![Outermost::Profiles(effect).into()]
}

impl State {
    /// The page is shown.
    pub(super) fn enter(&mut self) -> Vec<Outer> {
        self.users_request += 1;
        if self.users_load != Load::Ready {
            self.users_load = Load::Loading;
        }
        effect(Effect::Users { request: self.users_request })
    }

    pub(super) fn loaded(&mut self, profiles: Vec<Profile>) {
        let is_there = |name: &String| profiles.iter().any(|profile| &profile.name == name);
        if !self.selected.as_ref().is_some_and(is_there) {
            self.selected = profiles.first().map(|profile| profile.name.clone());
        }
        self.profiles = profiles;
    }

    /// What is known to be set in a profile; it makes one that is not there, as the worker does.
    pub(super) fn set(&mut self, name: &str, key: &str, value: Option<String>) {
        let at = self.profiles.iter().position(|profile| profile.name == name);
        let profile = match at {
            Some(at) => &mut self.profiles[at],
            None => return,
        };
        profile.values.retain(|(other, _)| other != key);
        profile.values.extend(value.map(|value| (key.to_owned(), value)));
    }

    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.name == name)
    }

    /// The conversations that are known to use a profile; `None`: it is not known.
    #[must_use]
    pub fn users_of(&self, name: &str) -> Option<&[User]> {
        (self.users_load == Load::Ready).then(|| self.users.get(name).map_or(&[][..], Vec::as_slice))
    }

    /// Why a profile cannot be called so.
    fn fault(&self, naming: &Naming) -> Option<String> {
        let name = naming.text.trim();
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() {
            Some("A profile needs a name, such as work.".into())
        } else if name.len() > NAME_BYTES || !name.chars().all(plain) {
            Some(format!("Use up to {NAME_BYTES} letters, digits, - and _, without blanks."))
        } else if naming.of.as_deref() != Some(name) && self.find(name).is_some() {
            Some(format!("There is a profile {name} already."))
        } else {
            None
        }
    }

    pub(super) fn reduce(&mut self, event: Event) -> Vec<Outer> {
        match event {
            Event::Select(name) => {
                self.selected = Some(name);
                Vec::new()
            }
            Event::New => {
                self.naming = Some(Naming::default());
                Vec::new()
            }
            Event::Rename(name) => {
                self.naming = Some(Naming { text: name.clone(), of: Some(name), error: None });
                Vec::new()
            }
            Event::Name(text) => {
                if let Some(mut naming) = self.naming.take() {
                    naming.text = text;
                    // An empty name is no mistake yet.
                    naming.error = if naming.text.is_empty() { None } else { self.fault(&naming) };
                    self.naming = Some(naming);
                }
                Vec::new()
            }
            Event::CancelName => {
                self.naming = None;
                Vec::new()
            }
            Event::Submit => self.submit(),
            Event::AskDelete(name) => self.ask_delete(&name),
            Event::Delete(name) => {
                let Some(profile) = self.find(&name).cloned() else { return Vec::new() };
                let users = self.users.get(&name).cloned().unwrap_or_default();
                let request = self.start();
                effect(Effect::Delete { request, profile, users })
            }
            Event::Restore { profile, users } => {
                let request = self.start();
                effect(Effect::Create { request, profile, users })
            }
            Event::Done { request, result } => self.done(request, result),
            Event::Users { request, result } => {
                if request == self.users_request {
                    match result {
                        Ok(users) => {
                            self.users = users;
                            self.users_load = Load::Ready;
                        }
                        Err(why) => self.users_load = Load::Failed { why },
                    }
                }
                Vec::new()
            }
        }
    }

    fn start(&mut self) -> u64 {
        self.request += 1;
        self.busy = true;
        self.request
    }

    fn submit(&mut self) -> Vec<Outer> {
        let Some(naming) = self.naming.clone() else { return Vec::new() };
        if let Some(fault) = self.fault(&naming) {
            self.naming = Some(Naming { error: Some(fault), ..naming });
            return Vec::new();
        }
        let name = naming.text.trim().to_owned();
        match naming.of {
            Some(of) if of == name => {
                self.naming = None;
                Vec::new()
            }
            Some(of) => {
                let Some(profile) = self.find(&of).cloned() else { return Vec::new() };
                let request = self.start();
                effect(Effect::Rename { request, profile, to: name })
            }
            None => {
                let request = self.start();
                effect(Effect::Create { request, profile: Profile { name, values: Vec::new() }, users: Vec::new() })
            }
        }
    }

    fn ask_delete(&self, name: &str) -> Vec<Outer> {
        let (text, details) = match self.users_of(name) {
            None => ("Conversations that use it go on with the ordinary settings.".to_owned(), Vec::new()),
            Some([]) => ("No conversation uses it.".to_owned(), Vec::new()),
            Some(users) => {
                let text = match users.len() {
                    1 => "One conversation uses it, and goes on with the ordinary settings:".to_owned(),
                    count => format!("{count} conversations use it, and go on with the ordinary settings:"),
                };
                let mut details: Vec<_> = users.iter().take(NAMED).map(|user| user.title.clone()).collect();
                if users.len() > NAMED {
                    details.push(format!("and {} more", users.len() - NAMED));
                }
                (text, details)
            }
        };
        vec![Outer::then(frame::Event::Ask(Confirm {
            title: format!("Delete the profile {name}?"),
            text,
            details,
            label: "Delete".into(),
            danger: true,
            event: Box::new(Up::Profiles(Event::Delete(name.to_owned())).into()),
        }))]
    }

    fn done(&mut self, request: u64, result: Result<Deed, String>) -> Vec<Outer> {
        if request == self.request {
            self.busy = false;
        }
        let mut effects = match result {
            Ok(Deed::Created { name }) => {
                self.naming = None;
                let toast = Toast::new(Tone::Success, format!("The profile {name} is there."));
                self.settle(Some(name));
                vec![Outer::toast(toast)]
            }
            Ok(Deed::Renamed { from, to }) => {
                self.naming = None;
                let toast = Toast::new(Tone::Success, format!("The profile {from} is called {to} now."));
                self.settle(Some(to));
                vec![Outer::toast(toast)]
            }
            Ok(Deed::Deleted { profile, users }) => {
                let text = format!("The profile {} is deleted.", profile.name);
                self.profiles.retain(|other| other.name != profile.name);
                self.settle(self.profiles.first().map(|profile| profile.name.clone()));
                let undo = Up::Profiles(Event::Restore { profile, users });
                vec![Outer::toast(Toast::new(Tone::Success, text).with("Undo", undo))]
            }
            Ok(Deed::Restored { name }) => {
                let toast = Toast::new(Tone::Info, format!("The profile {name} is back."));
                self.settle(Some(name));
                vec![Outer::toast(toast)]
            }
            Err(why) => match &mut self.naming {
                Some(naming) => {
                    naming.error = Some(why);
                    Vec::new()
                }
                None => vec![failed("The profile was not changed", &why)],
            },
        };
        effects.extend(self.enter());
        effects
    }

    /// Selects a profile that may be known only once all is read anew.
    fn settle(&mut self, name: Option<String>) {
        if let Some(name) = &name
            && self.find(name).is_none()
        {
            self.profiles.push(Profile { name: name.clone(), values: Vec::new() });
            self.profiles.sort_by(|one, other| one.name.cmp(&other.name));
        }
        self.selected = name;
    }
}
