//! Settings as the app shows and changes them: the schema with its values, profiles, providers, secrets, and what the
//! app itself follows of them.
//!
//! The worker that keeps settings has the last word: what is typed is checked here by the same rule before it asks, and
//! what the worker refuses is shown where it was typed. Nothing of a secret but its name is ever in this state.

pub mod field;
pub mod look;
pub mod profiles;
pub mod provider;
pub mod row;
pub mod sealed;
pub mod secrets;
pub mod title;
pub mod transfer;

use super::Effect as Outer;
use super::frame::{self, Toast, Tone};
use butterfly_api::config::{ChangedSetting, Profile, Setting, Source};
use field::{Field, How, Place};
pub use look::OnClose;
use std::collections::BTreeMap;

/// How far something is read that the bus has.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub enum Load {
    #[default]
    Never,
    /// For the first time.
    Loading,
    Ready,
    /// Why, for people. What was known before stays.
    Failed {
        why: String,
    },
}

/// What the settings view shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    /// The settings with this heading.
    Group(String),
    Providers,
    Profiles,
    Secrets,
    Transfer,
}

/// All that is set.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    pub settings: Vec<Setting>,
    pub profiles: Vec<Profile>,
}

/// The settings.
#[derive(Debug, Clone)]
pub struct State {
    pub load: Load,
    /// The bus is away: what is known stays shown, and cannot be changed.
    pub offline: bool,
    /// In the schema's order, outside of all profiles.
    pub settings: Vec<Setting>,
    pub page: Page,
    /// Looked for in key, title and help of every setting.
    pub query: String,
    /// What the person is changing, by where.
    pub fields: BTreeMap<Place, Field>,
    pub profiles: profiles::State,
    pub provider: provider::State,
    pub secrets: secrets::State,
    pub transfer: transfer::State,
    /// The number of the last question: an answer to an older one is dropped.
    request: u64,
    /// The number of the last change.
    change: u64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            load: Load::Never,
            offline: true,
            settings: Vec::new(),
            page: Page::Group("Desktop".into()),
            query: String::new(),
            fields: BTreeMap::new(),
            profiles: profiles::State::default(),
            provider: provider::State::default(),
            secrets: secrets::State::default(),
            transfer: transfer::State::default(),
            request: 0,
            change: 0,
        }
    }
}

/// What happens to the settings.
#[derive(Debug, Clone)]
pub enum Event {
    /// The bus is there (again): whatever is shown is to be read anew.
    Connected,
    /// The bus is gone; what is known stays shown.
    Lost,
    Show(Page),
    Query(String),
    /// The person asked to read all of it again.
    Reload,
    Loaded {
        request: u64,
        result: Result<Loaded, String>,
    },
    /// Somebody changed a setting.
    Changed,
    /// The app itself sets a key, such as by the command that switches the theme.
    Keep {
        key: &'static str,
        value: String,
    },
    Field(field::Event),
    Profiles(profiles::Event),
    Provider(provider::Event),
    Secrets(secrets::Event),
    Transfer(transfer::Event),
}

/// What the settings need from the bus.
#[derive(Debug, Clone)]
pub enum Effect {
    Load {
        request: u64,
    },
    /// Sets one; `None` goes back to the default, or out of the profile.
    Set {
        change: u64,
        place: Place,
        value: Option<String>,
    },
    Profiles(profiles::Effect),
    Provider(provider::Effect),
    Secrets(secrets::Effect),
    Transfer(transfer::Effect),
}

impl From<Effect> for Outer {
    fn from(effect: Effect) -> Self {
        Self::Settings(effect)
    }
}

impl State {
    /// Changes the state by what happened, and says what is to be done.
    pub fn reduce(&mut self, event: Event) -> Vec<Outer> {
        match event {
            Event::Connected => {
                self.offline = false;
                let mut effects = self.reload();
                effects.extend(self.secrets.reduce(secrets::Event::Connected));
                effects.extend(self.enter());
                effects
            }
            Event::Lost => {
                self.offline = true;
                self.provider.lost();
                Vec::new()
            }
            Event::Show(page) => {
                self.page = page;
                self.query.clear();
                self.enter()
            }
            Event::Query(query) => {
                self.query = query;
                Vec::new()
            }
            Event::Reload | Event::Changed => self.reload(),
            Event::Loaded { request, result } => self.loaded(request, result),
            Event::Keep { key, value } => {
                let place = Place::outside(key);
                let mut effects = self.set(place, Some(value), How::Quiet);
                effects.extend(self.follow());
                effects
            }
            Event::Field(event) => self.field(event),
            Event::Profiles(event) => {
                let reload = matches!(event, profiles::Event::Done { result: Ok(_), .. });
                let mut effects = self.profiles.reduce(event);
                if reload {
                    effects.extend(self.reload());
                }
                effects
            }
            Event::Provider(event) => {
                let reload = matches!(event, provider::Event::Applied { .. });
                let mut effects = self.provider.reduce(event, &self.settings);
                if reload {
                    effects.extend(self.reload());
                }
                effects
            }
            Event::Secrets(event) => self.secrets.reduce(event),
            Event::Transfer(event) => {
                let reload = matches!(event, transfer::Event::Imported { .. } | transfer::Event::Undone { .. });
                let mut effects = self.transfer.reduce(event);
                if reload {
                    effects.extend(self.reload());
                }
                effects
            }
        }
    }

    /// What a page needs beside the settings, when it is shown and when the bus is back.
    fn enter(&mut self) -> Vec<Outer> {
        if self.offline {
            return Vec::new();
        }
        match self.page {
            Page::Group(_) | Page::Transfer => Vec::new(),
            Page::Providers => {
                let mut effects = self.provider.enter();
                effects.extend(self.secrets.reduce(secrets::Event::Load));
                effects
            }
            Page::Profiles => self.profiles.enter(),
            Page::Secrets => self.secrets.reduce(secrets::Event::Load),
        }
    }

    fn reload(&mut self) -> Vec<Outer> {
        self.request += 1;
        if self.load != Load::Ready {
            self.load = Load::Loading;
        }
        vec![Effect::Load { request: self.request }.into()]
    }

    fn loaded(&mut self, request: u64, result: Result<Loaded, String>) -> Vec<Outer> {
        if request != self.request {
            return Vec::new();
        }
        match result {
            Ok(Loaded { settings, profiles }) => {
                self.load = Load::Ready;
                self.settings = settings;
                self.profiles.loaded(profiles);
                let profiles = &self.profiles.profiles;
                self.fields.retain(|place, _| {
                    place.profile.as_ref().is_none_or(|name| profiles.iter().any(|profile| &profile.name == name))
                });
                self.provider.loaded(&self.settings);
                let groups = self.groups();
                if let Page::Group(name) = &self.page
                    && !groups.iter().any(|group| group.name == *name)
                    && let Some(first) = groups.into_iter().next()
                {
                    self.page = Page::Group(first.name);
                }
                self.follow()
            }
            Err(why) => {
                self.load = Load::Failed { why };
                Vec::new()
            }
        }
    }

    /// Tells the frame what it follows of the settings.
    fn follow(&self) -> Vec<Outer> {
        let value = |key: &str| self.shown(&Place::outside(key));
        vec![Outer::then(frame::Event::Look(look::look(value))), Outer::then(frame::Event::Keys(look::keys(value)))]
    }

    /// What closing the window does to the assistant.
    #[must_use]
    pub fn on_close(&self) -> OnClose {
        OnClose::of(self.shown(&Place::outside("desktop.on_close")).as_deref())
    }

    /// Whether the system's notifications are wanted.
    #[must_use]
    pub fn notifications(&self) -> bool {
        look::flag(self.shown(&Place::outside("desktop.notifications")), true)
    }

    /// The setting of a key, outside of all profiles.
    #[must_use]
    pub fn setting(&self, key: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.info.key == key)
    }

    /// What is set at a place itself; `None`: nothing is.
    #[must_use]
    pub fn stored(&self, place: &Place) -> Option<String> {
        if let Some(name) = &place.profile {
            let profile = self.profiles.profiles.iter().find(|profile| &profile.name == name)?;
            return profile.values.iter().find(|(key, _)| *key == place.key).map(|(_, value)| value.clone());
        }
        let setting = self.setting(&place.key)?;
        match setting.source {
            Source::Database => Some(setting.value.clone()),
            Source::Default => None,
            Source::Environment | Source::Profile { .. } => setting.stored.clone(),
        }
    }

    /// What is in force at a place, as far as is known.
    #[must_use]
    pub fn in_force(&self, place: &Place) -> Option<String> {
        let setting = self.setting(&place.key)?;
        let of_profile = place.profile.as_ref().filter(|_| setting.source != Source::Environment);
        of_profile.and_then(|_| self.stored(place)).or_else(|| Some(setting.value.clone()))
    }

    /// What a control shows: what is typed, else what is being stored, else what is in force.
    #[must_use]
    pub fn shown(&self, place: &Place) -> Option<String> {
        let field = self.fields.get(place);
        if let Some(draft) = field.and_then(|field| field.draft.clone()) {
            return Some(draft);
        }
        match field.and_then(Field::wanted) {
            Some(Some(value)) => Some(value.to_owned()),
            Some(None) if place.profile.is_some() => self.in_force(&Place::outside(&place.key)),
            Some(None) => self.setting(&place.key).map(|setting| setting.info.default.clone()),
            None => self.in_force(place),
        }
    }

    /// Takes in what the worker made of a change.
    fn take(&mut self, place: &Place, value: Option<String>, changed: ChangedSetting) {
        match &place.profile {
            None => {
                if let Some(setting) = self.settings.iter_mut().find(|setting| setting.info.key == place.key) {
                    *setting = changed.setting;
                }
            }
            Some(name) => {
                // In the worker's spelling, where it is the profile's value that is in force.
                let spelled = matches!(changed.setting.source, Source::Profile { .. }).then_some(changed.setting.value);
                self.profiles.set(name, &place.key, value.map(|value| spelled.unwrap_or(value)));
            }
        }
    }
}

/// A message about something that failed.
fn failed(what: &str, why: &str) -> Outer {
    Outer::toast(Toast::new(Tone::Danger, format!("{what}: {why}")))
}

#[cfg(test)]
pub(crate) mod tests;
