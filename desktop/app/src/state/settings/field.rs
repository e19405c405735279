//! One setting that the person is changing: what is typed, what is being stored, what came of it.
//!
//! At one place one change is under way at a time, so that two of them cannot overtake each other on the bus; what is
//! wanted meanwhile follows it.

use super::{Effect, Event as Outermost, State, failed, title};
use crate::state::Effect as Outer;
use crate::state::frame::{self, Confirm, Toast, Tone};
use butterfly_api::config::{ChangedSetting, Source};
use butterfly_api::value;

/// A key, in a profile or outside of all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub profile: Option<String>,
    pub key: String,
}

impl Place {
    /// Outside of all profiles.
    #[must_use]
    pub fn outside(key: impl Into<String>) -> Self {
        Self { profile: None, key: key.into() }
    }

    #[must_use]
    pub fn within(profile: impl Into<String>, key: impl Into<String>) -> Self {
        Self { profile: Some(profile.into()), key: key.into() }
    }

    /// For elements: unique in the page, and stable.
    #[must_use]
    pub fn element(&self) -> String {
        let key = self.key.replace('.', "-");
        match &self.profile {
            Some(_) => format!("profile-{key}"),
            None => format!("setting-{key}"),
        }
    }
}

/// How a change came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// In the settings view: it is confirmed, and can be undone.
    Person,
    /// It takes one back.
    Undo,
    /// By the app itself; only a failure is told.
    Quiet,
}

/// How far a change has come.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub enum Phase {
    #[default]
    Still,
    Saving {
        change: u64,
        how: How,
        value: Option<String>,
        /// What was set before.
        before: Option<String>,
        /// What was wanted meanwhile.
        next: Option<(Option<String>, How)>,
    },
    Saved,
}

/// A setting that is being changed.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Field {
    /// Typed, and not stored.
    pub draft: Option<String>,
    /// Why it cannot be stored.
    pub error: Option<String>,
    pub phase: Phase,
}

impl Field {
    /// What will be set once all changes are through, if any is under way.
    #[must_use]
    pub fn wanted(&self) -> Option<Option<&str>> {
        match &self.phase {
            Phase::Saving { next: Some((value, _)), .. } | Phase::Saving { value, .. } => Some(value.as_deref()),
            Phase::Still | Phase::Saved => None,
        }
    }
}

/// What happens to a setting that is being changed.
#[derive(Debug, Clone)]
pub enum Event {
    /// Something was typed.
    Typed {
        place: Place,
        text: String,
    },
    /// What was typed is to be stored.
    Commit(Place),
    /// What was typed is forgotten.
    Discard(Place),
    /// Something was chosen: it is stored at once.
    Choose {
        place: Place,
        value: String,
    },
    /// Back to the default, or out of the profile.
    Reset(Place),
    /// The person agreed to what this value brings about.
    Agreed {
        place: Place,
        value: Option<String>,
    },
    /// Takes a change back.
    Undo {
        place: Place,
        value: Option<String>,
    },
    Answered {
        place: Place,
        change: u64,
        result: Result<Box<ChangedSetting>, String>,
    },
}

/// The key of the folder that holds everything: a change moves it.
pub const DATA_FOLDER: &str = "memory.db_path";

/// The key after whose time everything is deleted.
pub const RETENTION: &str = "memory.retention_days";

/// Whether a key is stored only by an explicit command, not when its field is left: what follows cannot be taken back.
#[must_use]
pub fn is_guarded(key: &str) -> bool {
    matches!(key, DATA_FOLDER | RETENTION)
}

impl State {
    pub(super) fn field(&mut self, event: Event) -> Vec<Outer> {
        match event {
            Event::Typed { place, text } => {
                let error = self.fault(&place, &text);
                let field = self.fields.entry(place).or_default();
                field.draft = Some(text);
                field.error = error;
                if field.phase == Phase::Saved {
                    field.phase = Phase::Still;
                }
                Vec::new()
            }
            Event::Discard(place) => {
                if let Some(field) = self.fields.get_mut(&place) {
                    field.draft = None;
                    field.error = None;
                }
                Vec::new()
            }
            Event::Commit(place) => {
                let Some(draft) = self.fields.get(&place).and_then(|field| field.draft.clone()) else {
                    return Vec::new();
                };
                self.choose(place, draft)
            }
            Event::Choose { place, value } => self.choose(place, value),
            Event::Reset(place) => match self.stored(&place) {
                None => {
                    self.fields.remove(&place);
                    Vec::new()
                }
                Some(_) => self.ask_or_set(place, None),
            },
            Event::Agreed { place, value } => self.set(place, value, How::Person),
            Event::Undo { place, value } => self.set(place, value, How::Undo),
            Event::Answered { place, change, result } => self.answered(place, change, result),
        }
    }

    /// Why a text cannot be the value at a place, as far as its kind tells.
    fn fault(&self, place: &Place, text: &str) -> Option<String> {
        let info = &self.setting(&place.key)?.info;
        value::check(&info.key, &info.kind, text).err()
    }

    fn choose(&mut self, place: Place, text: String) -> Vec<Outer> {
        let Some(setting) = self.setting(&place.key) else { return Vec::new() };
        let checked = value::check(&place.key, &setting.info.kind, &text);
        let is_settled = self.fields.get(&place).is_none_or(|field| field.wanted().is_none());
        match checked {
            Err(why) => {
                let field = self.fields.entry(place).or_default();
                field.draft = Some(text);
                field.error = Some(why);
                Vec::new()
            }
            // It is in force already.
            Ok(value) if is_settled && self.in_force(&place).as_ref() == Some(&value) => {
                self.field(Event::Discard(place))
            }
            Ok(value) => self.ask_or_set(place, Some(value)),
        }
    }

    /// What cannot be taken back is asked about first.
    fn ask_or_set(&mut self, place: Place, value: Option<String>) -> Vec<Outer> {
        let days = |text: &str| text.parse::<u64>().ok().filter(|days| *days > 0);
        let question = match place.key.as_str() {
            DATA_FOLDER => {
                let to = value.clone().unwrap_or_else(|| "the folder where it was at first".into());
                Some(Confirm {
                    title: "Move everything that is remembered?".into(),
                    text: format!(
                        "All conversations and memories are moved to {to}. The memory worker is stopped meanwhile."
                    ),
                    details: vec!["What is there already is never overwritten.".into()],
                    label: "Move".into(),
                    danger: false,
                    event: Box::new(
                        Outermost::Field(Event::Agreed { place: place.clone(), value: value.clone() }).into(),
                    ),
                })
            }
            RETENTION => {
                let before = self.in_force(&place).as_deref().and_then(days);
                // A longer time, or none, deletes nothing.
                value.as_deref().and_then(days).filter(|after| before.is_none_or(|before| *after < before)).map(|after| {
                    let unit = if after == 1 { "day" } else { "days" };
                    Confirm {
                        title: format!("Delete what is older than {after} {unit}?"),
                        text: format!(
                            "Everything that was said more than {after} {unit} ago is deleted in the background, with the \
                             memories made of it. That cannot be taken back."
                        ),
                        details: Vec::new(),
                        label: "Delete the older".into(),
                        danger: true,
                        event: Box::new(
                            Outermost::Field(Event::Agreed { place: place.clone(), value: value.clone() }).into(),
                        ),
                    }
                })
            }
            _ => None,
        };
        match question {
            Some(confirm) => vec![Outer::then(frame::Event::Ask(confirm))],
            None => self.set(place, value, How::Person),
        }
    }

    /// Stores a value, after the one that is being stored there.
    pub(super) fn set(&mut self, place: Place, value: Option<String>, how: How) -> Vec<Outer> {
        let before = self.stored(&place);
        // What was saved before is no news any more.
        self.fields.retain(|_, field| field.phase != Phase::Saved || field.draft.is_some());
        let field = self.fields.entry(place.clone()).or_default();
        field.draft = None;
        field.error = None;
        if let Phase::Saving { next, .. } = &mut field.phase {
            *next = Some((value, how));
            return Vec::new();
        }
        self.change += 1;
        field.phase = Phase::Saving { change: self.change, how, value: value.clone(), before, next: None };
        vec![Effect::Set { change: self.change, place, value }.into()]
    }

    fn answered(&mut self, place: Place, number: u64, result: Result<Box<ChangedSetting>, String>) -> Vec<Outer> {
        let Some(field) = self.fields.get_mut(&place) else { return Vec::new() };
        let (how, value, before, next) = match std::mem::take(&mut field.phase) {
            Phase::Saving { change, how, value, before, next } if change == number => (how, value, before, next),
            other => {
                field.phase = other;
                return Vec::new();
            }
        };
        let mut effects = Vec::new();
        match result {
            Ok(changed) => {
                field.phase = Phase::Saved;
                effects.extend(told(&place, how, &value, before, &changed));
                self.take(&place, value, *changed);
            }
            Err(why) => {
                if how == How::Person && next.is_none() && field.draft.is_none() {
                    field.draft = value;
                    field.error = Some(why);
                } else if next.is_none() {
                    effects.push(failed(&format!("{} was not saved", title::of(&place.key)), &why));
                }
            }
        }
        match next {
            Some((value, how)) => effects.extend(self.set(place, value, how)),
            None => effects.extend(self.follow()),
        }
        effects
    }
}

/// What a person hears of a change that is through.
fn told(
    place: &Place,
    how: How,
    value: &Option<String>,
    before: Option<String>,
    changed: &ChangedSetting,
) -> Option<Outer> {
    let setting = &changed.setting;
    let title = title::of(&place.key);
    let now = title::value(&setting.info, &setting.value);
    let hidden = setting.source == Source::Environment;
    let mut text = match (value, &place.profile) {
        _ if hidden => format!("{title} is stored."),
        (Some(_), Some(name)) => format!("{title} in {name}: {now}."),
        (None, Some(name)) => format!("{title}: as outside of {name}."),
        (Some(_), None) => format!("{title}: {now}."),
        (None, None) => format!("{title}: {now} (default)."),
    };
    if let Some(worker) = &changed.restarted {
        text.push_str(&format!(" The {worker} worker is restarted for it."));
    }
    if let Some(note) = changed.note.as_ref().filter(|_| hidden || setting.info.key == RETENTION) {
        text.push_str(&format!(" {}.", capitalised(note.trim_end_matches('.'))));
    }
    match how {
        How::Quiet if !hidden => None,
        How::Quiet => Some(Outer::toast(Toast::new(Tone::Warning, text))),
        How::Undo => Some(Outer::toast(Toast::new(Tone::Info, text))),
        // Moving everything back, or deleting less, is a decision of its own.
        How::Person if is_guarded(&place.key) => Some(Outer::toast(Toast::new(Tone::Success, text))),
        How::Person => {
            let undo = Outermost::Field(Event::Undo { place: place.clone(), value: before });
            let tone = if hidden { Tone::Warning } else { Tone::Success };
            Some(Outer::toast(Toast::new(tone, text).with("Undo", undo)))
        }
    }
}

fn capitalised(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}
