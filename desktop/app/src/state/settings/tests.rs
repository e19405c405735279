//! The reducers of settings, without a window and without a bus.

mod changing;
mod parts;

use super::*;
use crate::state::System;
use crate::state::frame::{Confirm, Look, Theme};
use butterfly_api::config::{KeyInfo, ValueKind};

/// A setting with its default in force.
pub(crate) fn setting(key: &str, kind: ValueKind, default: &str) -> Setting {
    let info = KeyInfo {
        key: key.into(),
        group: match key.split('.').next() {
            Some("desktop") => "Desktop",
            Some("model") => "Model",
            _ => "Memory",
        }
        .into(),
        kind,
        default: default.into(),
        help: format!("What {key} does."),
        env: format!("BUTTERFLY_{}", key.replace('.', "_").to_uppercase()),
        restarts: matches!(key, "model.provider" | "model.url").then(|| "model".into()),
        in_profiles: matches!(key, "model.name" | "memory.enabled"),
    };
    Setting { info, value: default.into(), source: Source::Default, stored: None, problem: None }
}

pub(crate) fn choice(values: &[&str]) -> ValueKind {
    ValueKind::Choice { values: values.iter().map(|value| (*value).to_owned()).collect() }
}

/// One of each kind, and those that the app itself follows.
pub(crate) fn schema() -> Vec<Setting> {
    let text = || ValueKind::Text { max_bytes: 64, optional: true };
    vec![
        setting("model.provider", choice(&["ollama", "openai", "builtin"]), "ollama"),
        setting("model.url", ValueKind::Url, ""),
        setting("model.name", text(), ""),
        setting("memory.enabled", ValueKind::Bool, "true"),
        setting("memory.db_path", ValueKind::Path, "/data"),
        setting("memory.retention_days", ValueKind::Integer { min: 0, max: 36_500, unit: "days".into() }, "0"),
        setting("memory.summarise_at", ValueKind::Number { min: 0.2, max: 0.95 }, "0.75"),
        setting("desktop.theme", choice(&["system", "light", "dark"]), "system"),
        setting("desktop.accent", choice(&["violet", "blue", "teal", "green"]), "violet"),
        setting("desktop.text_size", ValueKind::Integer { min: 80, max: 160, unit: "percent".into() }, "100"),
        setting("desktop.on_close", choice(&["stop_started", "keep_running"]), "stop_started"),
        setting("desktop.keys", text(), ""),
    ]
}

pub(crate) fn profile(name: &str, values: &[(&str, &str)]) -> Profile {
    Profile { name: name.into(), values: values.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect() }
}

/// A state that has read this.
pub(crate) fn of(settings: Vec<Setting>, profiles: Vec<Profile>) -> State {
    let mut state = State::default();
    state.reduce(Event::Connected);
    let request = state.request;
    state.reduce(Event::Loaded { request, result: Ok(Loaded { settings, profiles }) });
    state
}

/// The same with what was changed of the schema.
fn with(key: &str, change: impl FnOnce(&mut Setting)) -> State {
    let mut settings = schema();
    change(settings.iter_mut().find(|setting| setting.info.key == key).unwrap());
    of(settings, Vec::new())
}

fn state() -> State {
    of(schema(), Vec::new())
}

/// The number and value of the change that is asked for, if one is.
fn asked(effects: &[Outer]) -> Option<(u64, Option<String>)> {
    effects.iter().find_map(|effect| match effect {
        Outer::Settings(Effect::Set { change, value, .. }) => Some((*change, value.clone())),
        _ => None,
    })
}

fn look(effects: &[Outer]) -> Option<Look> {
    effects.iter().find_map(|effect| match effect {
        Outer::Then(event) => match &**event {
            crate::state::Event::Frame(frame::Event::Look(look)) => Some(look.clone()),
            _ => None,
        },
        _ => None,
    })
}

fn toast(effects: &[Outer]) -> Option<Toast> {
    effects.iter().find_map(|effect| match effect {
        Outer::Then(event) => match &**event {
            crate::state::Event::Frame(frame::Event::Toast(toast)) => Some(toast.clone()),
            _ => None,
        },
        _ => None,
    })
}

fn question(effects: &[Outer]) -> Option<Confirm> {
    effects.iter().find_map(|effect| match effect {
        Outer::Then(event) => match &**event {
            crate::state::Event::Frame(frame::Event::Ask(confirm)) => Some(confirm.clone()),
            _ => None,
        },
        _ => None,
    })
}

/// What an event of settings says that a toast or a question carries.
fn inner(event: Box<crate::state::Event>) -> Event {
    match *event {
        crate::state::Event::Settings(event) => event,
        other => panic!("{other:?} is not about settings"),
    }
}

/// The worker's answer to a change that it took.
fn taken(state: &State, place: &Place, value: Option<&str>) -> ChangedSetting {
    let mut setting = state.setting(&place.key).unwrap().clone();
    match (value, &place.profile) {
        (Some(value), None) => (setting.value, setting.source) = (value.into(), Source::Database),
        (Some(value), Some(name)) => {
            (setting.value, setting.source) = (value.into(), Source::Profile { name: name.clone() });
        }
        (None, _) => (setting.value, setting.source) = (setting.info.default.clone(), Source::Default),
    }
    ChangedSetting { setting, restarted: None, note: None }
}

#[test]
fn what_was_asked_before_is_not_shown_after_what_was_asked_later() {
    let mut state = State::default();
    state.reduce(Event::Connected);
    let first = state.request;
    state.reduce(Event::Changed);
    let second = state.request;
    let mut newer = schema();
    newer[0].value = "openai".into();
    let loaded = |settings| Ok(Loaded { settings, profiles: Vec::new() });
    state.reduce(Event::Loaded { request: second, result: loaded(newer.clone()) });
    assert!(state.reduce(Event::Loaded { request: first, result: loaded(schema()) }).is_empty());
    assert_eq!(state.settings, newer);
    // A failure of the older one changes nothing either.
    state.reduce(Event::Loaded { request: first, result: Err("gone".into()) });
    assert_eq!(state.load, Load::Ready);
}

#[test]
fn a_failure_keeps_what_was_known() {
    let mut state = state();
    state.reduce(Event::Changed);
    let request = state.request;
    state.reduce(Event::Loaded { request, result: Err("memory is away".into()) });
    assert_eq!(state.load, Load::Failed { why: "memory is away".into() });
    assert_eq!(state.settings, schema());
    state.reduce(Event::Lost);
    assert!(state.offline && state.settings == schema());
}

#[test]
fn the_app_follows_what_is_in_force() {
    let mut state = State::default();
    state.reduce(Event::Connected);
    let mut settings = schema();
    for (key, value) in [("desktop.theme", "dark"), ("desktop.text_size", "120"), ("desktop.on_close", "keep_running")]
    {
        settings.iter_mut().find(|setting| setting.info.key == key).unwrap().value = value.into();
    }
    let result = Ok(Loaded { settings, profiles: Vec::new() });
    let effects = state.reduce(Event::Loaded { request: state.request, result });
    let expected = Look { theme: Theme::Dark, text_size: 120, ..Look::default() };
    assert_eq!(look(&effects), Some(expected));
    assert_eq!(state.on_close(), OnClose::KeepRunning);
    assert!(state.notifications(), "a key that the schema does not have is as usual");
}

#[test]
fn what_the_app_keeps_holds_before_the_worker_has_answered() {
    let mut state = state();
    let keep = Event::Keep { key: "desktop.theme", value: "dark".into() };
    let effects = state.reduce(keep);
    let (change, value) = asked(&effects).unwrap();
    assert_eq!(value.as_deref(), Some("dark"));
    assert_eq!(look(&effects).unwrap().theme, Theme::Dark);
    // What was read before the change does not take it back.
    state.reduce(Event::Changed);
    let result = Ok(Loaded { settings: schema(), profiles: Vec::new() });
    let effects = state.reduce(Event::Loaded { request: state.request, result });
    assert_eq!(look(&effects).unwrap().theme, Theme::Dark);
    let place = Place::outside("desktop.theme");
    let changed = taken(&state, &place, Some("dark"));
    let effects = state.reduce(Event::Field(field::Event::Answered { place, change, result: Ok(Box::new(changed)) }));
    assert!(toast(&effects).is_none(), "it is no news to who pressed the key");
    assert_eq!(look(&effects).unwrap().theme, Theme::Dark);
}

#[test]
fn what_the_app_could_not_keep_is_taken_back_and_told() {
    let mut state = state();
    let effects = state.reduce(Event::Keep { key: "desktop.theme", value: "dark".into() });
    let (change, _) = asked(&effects).unwrap();
    let place = Place::outside("desktop.theme");
    let effects =
        state.reduce(Event::Field(field::Event::Answered { place, change, result: Err("memory is away".into()) }));
    assert_eq!(look(&effects).unwrap().theme, Theme::System);
    let toast = toast(&effects).unwrap();
    assert_eq!((toast.tone, toast.text.as_str()), (Tone::Danger, "Theme was not saved: memory is away"));
}

#[test]
fn what_a_key_is_bound_to_becomes_the_keymap() {
    let mut state = state();
    let effects = state.reduce(Event::Keep { key: "desktop.keys", value: "frame.sidebar=Ctrl+J".into() });
    let keys = effects.iter().find_map(|effect| match effect {
        Outer::Then(event) => match &**event {
            crate::state::Event::Frame(frame::Event::Keys(keys)) => Some(keys.clone()),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(keys.unwrap().chord("frame.sidebar").unwrap().to_string(), "Ctrl+J");
}

#[test]
fn a_search_looks_at_key_title_and_help() {
    let mut state = state();
    let found = |state: &mut State, query: &str| {
        state.reduce(Event::Query(query.into()));
        let groups = state.groups();
        groups.iter().flat_map(|group| state.keys_of(&group.name)).collect::<Vec<_>>()
    };
    assert_eq!(found(&mut state, "text_size"), ["desktop.text_size"]);
    assert_eq!(found(&mut state, "ACCENT colour"), ["desktop.accent"]);
    assert_eq!(found(&mut state, "what memory.enabled does"), ["memory.enabled"]);
    assert_eq!(found(&mut state, "nonsense"), [""; 0]);
    assert_eq!(found(&mut state, "  ").len(), schema().len());
    let counts: Vec<_> = state.groups().into_iter().map(|group| (group.name, group.count)).collect();
    assert_eq!(counts, [("Desktop".into(), 5), ("Model".into(), 3), ("Memory".into(), 4)]);
}

#[test]
fn a_page_that_is_opened_ends_the_search_and_asks_for_what_it_needs() {
    let mut state = state();
    state.reduce(Event::Query("theme".into()));
    assert_eq!(state.reduce(Event::Show(Page::Group("Model".into()))).len(), 0);
    assert_eq!(state.query, "");
    let of = |effects: Vec<Outer>| effects.iter().map(|effect| format!("{effect:?}")).collect::<String>();
    assert!(of(state.reduce(Event::Show(Page::Providers))).contains("Models"));
    assert!(of(state.reduce(Event::Show(Page::Profiles))).contains("Users"));
    assert!(of(state.reduce(Event::Show(Page::Secrets))).contains("Secrets(Load"));
    state.reduce(Event::Lost);
    assert!(state.reduce(Event::Show(Page::Providers)).is_empty(), "nobody could answer");
    let effects = of(state.reduce(Event::Connected));
    assert!(effects.contains("Load {") && effects.contains("Models"), "{effects}");
}

#[test]
fn a_heading_that_the_schema_does_not_have_gives_way_to_one_that_it_has() {
    let settings = schema().into_iter().filter(|setting| setting.info.group != "Desktop").collect();
    assert_eq!(of(settings, Vec::new()).page, Page::Group("Model".into()));
    assert_eq!(state().page, Page::Group("Desktop".into()));
}
