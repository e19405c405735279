//! A setting as it is shown: a row with its title, its value, where that comes from and what can be done with it.

use super::field::{Phase, Place};
use super::{State, title};
use crate::state::frame::Tone;
use butterfly_api::config::{KeyInfo, Setting, Source, ValueKind};

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub place: Place,
    pub info: KeyInfo,
    pub title: String,
    /// What the control shows.
    pub value: String,
    /// Where the value comes from, in a word or two.
    pub source: (Tone, String),
    /// Whether there is something to reset.
    pub is_set: bool,
    /// Why it cannot be stored, or used.
    pub error: Option<String>,
    /// Typed, and only stored on command.
    pub waits: bool,
    pub saving: bool,
    pub saved: bool,
    /// Why it cannot be changed here.
    pub locked: Option<String>,
    /// What a change brings about.
    pub note: Option<String>,
}

/// A heading and how many settings below it fit the search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub name: String,
    pub count: usize,
}

impl State {
    /// The row of a place; `None` where the schema has no such key, or no profile can set it.
    #[must_use]
    pub fn row(&self, place: &Place) -> Option<Row> {
        let setting = self.setting(&place.key).filter(|setting| place.profile.is_none() || setting.info.in_profiles)?;
        let field = self.fields.get(place);
        let stored = self.stored(place);
        let draft = field.and_then(|field| field.draft.as_ref());
        Some(Row {
            title: title::of(&place.key),
            value: self.shown(place).unwrap_or_default(),
            source: source(setting, place, stored.is_some()),
            is_set: stored.is_some() || draft.is_some(),
            error: field
                .and_then(|field| field.error.clone())
                .or_else(|| setting.problem.clone().filter(|_| draft.is_none())),
            waits: draft.is_some() && super::field::is_guarded(&place.key),
            saving: field.is_some_and(|field| field.wanted().is_some()),
            saved: field.is_some_and(|field| field.phase == Phase::Saved && field.draft.is_none()),
            locked: locked(setting),
            note: note(&setting.info),
            info: setting.info.clone(),
            place: place.clone(),
        })
    }

    /// The headings in the schema's order, the app's own first: it is what most people look for.
    #[must_use]
    pub fn groups(&self) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        for setting in &self.settings {
            let fits = usize::from(self.fits(setting));
            match groups.iter_mut().find(|group| group.name == setting.info.group) {
                Some(group) => group.count += fits,
                None => groups.push(Group { name: setting.info.group.clone(), count: fits }),
            }
        }
        groups.sort_by_key(|group| group.name != "Desktop");
        groups
    }

    /// What is shown of a group: the keys that fit the search.
    #[must_use]
    pub fn keys_of(&self, group: &str) -> Vec<String> {
        let of_group = self.settings.iter().filter(|setting| setting.info.group == group && self.fits(setting));
        of_group.map(|setting| setting.info.key.clone()).collect()
    }

    /// The keys that a profile may set.
    #[must_use]
    pub fn keys_in_profiles(&self) -> Vec<String> {
        let settings = self.settings.iter().filter(|setting| setting.info.in_profiles);
        settings.map(|setting| setting.info.key.clone()).collect()
    }

    /// Whether every word that is looked for is in the setting's key, title, help or group.
    fn fits(&self, setting: &Setting) -> bool {
        let info = &setting.info;
        let text =
            [&info.key, &title::of(&info.key), &info.help, &info.group].map(|text| text.to_lowercase()).join("\n");
        self.query.to_lowercase().split_whitespace().all(|word| text.contains(word))
    }
}

fn source(setting: &Setting, place: &Place, is_stored: bool) -> (Tone, String) {
    match (&setting.source, &place.profile) {
        (Source::Environment, _) => (Tone::Warning, "environment".to_owned()),
        (_, Some(_)) if is_stored => (Tone::Success, "in this profile".to_owned()),
        (_, Some(_)) => (Tone::Info, "as elsewhere".to_owned()),
        (Source::Default, None) => (Tone::Info, "default".to_owned()),
        (Source::Database, None) => (Tone::Success, "set".to_owned()),
        (Source::Profile { name }, None) => (Tone::Success, format!("profile {name}")),
    }
}

fn locked(setting: &Setting) -> Option<String> {
    if setting.source != Source::Environment {
        return None;
    }
    let env = &setting.info.env;
    let hidden = match setting.stored.as_deref() {
        None => String::new(),
        Some(stored) => format!(" It hides what is set: {}.", title::value(&setting.info, stored)),
    };
    Some(format!(
        "{env} decides this for as long as the kernel runs.{hidden} Start the kernel without it to change it here."
    ))
}

fn note(info: &KeyInfo) -> Option<String> {
    if info.key == super::field::DATA_FOLDER {
        return Some("A change moves the folder and stops the memory worker meanwhile.".to_owned());
    }
    info.restarts.as_ref().map(|worker| format!("A change may restart the {worker} worker."))
}

/// What a control says of the values that it takes, where that is not plain to see.
#[must_use]
pub fn range(kind: &ValueKind) -> Option<String> {
    match kind {
        ValueKind::Integer { min, max, .. } => Some(format!("{} – {}", grouped(*min), grouped(*max))),
        ValueKind::Number { min, max } => Some(format!("{min} – {max}")),
        ValueKind::Bool | ValueKind::Text { .. } | ValueKind::Choice { .. } | ValueKind::Url | ValueKind::Path => None,
    }
}

/// A number with its thousands apart.
fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = if number < 0 { "−".to_owned() } else { String::new() };
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_can_be_read() {
        let whole = |min, max| range(&ValueKind::Integer { min, max, unit: String::new() });
        assert_eq!(whole(0, 1_048_576), Some("0 – 1,048,576".into()));
        assert_eq!(whole(-1000, 999), Some("−1,000 – 999".into()));
        assert_eq!(range(&ValueKind::Number { min: 0.2, max: 0.95 }), Some("0.2 – 0.95".into()));
        assert_eq!(range(&ValueKind::Url), None);
    }
}
