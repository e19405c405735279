//! Changing one setting: what is typed, stored, refused, reset and undone.

use super::*;
use field::Event as FieldEvent;

fn send(state: &mut State, event: FieldEvent) -> Vec<Outer> {
    state.reduce(Event::Field(event))
}

fn typed(state: &mut State, key: &str, text: &str) -> Option<String> {
    let place = Place::outside(key);
    send(state, FieldEvent::Typed { place: place.clone(), text: text.into() });
    state.row(&place).unwrap().error
}

#[test]
fn what_is_typed_is_checked_as_the_worker_does() {
    let mut state = state();
    let cases: [(&str, &[&str], &[&str]); 5] = [
        ("desktop.text_size", &["80", "160", " 100 "], &["79", "161", "", "1.5", "many"]),
        ("memory.summarise_at", &["0.2", "0.95"], &["0.19", "0.96", "NaN", ""]),
        ("model.name", &["", "qwen3:8b", &"x".repeat(64)], &[&"x".repeat(65)]),
        ("model.url", &["", "http://127.0.0.1:8080/v1"], &["127.0.0.1:80", "ftp://h", "http://u:p@h"]),
        ("memory.db_path", &["/mnt/big disk"], &["relative", "", "/a/../b"]),
    ];
    for (key, good, wrong) in cases {
        for text in good {
            assert_eq!(typed(&mut state, key, text), None, "{key} {text:?}");
        }
        for text in wrong {
            let kind = &state.setting(key).unwrap().info.kind;
            let expected = butterfly_api::value::check(key, kind, text).unwrap_err();
            assert_eq!(typed(&mut state, key, text), Some(expected), "{key} {text:?}");
        }
    }
}

#[test]
fn what_is_wrong_is_not_sent_and_stays_to_be_mended() {
    let mut state = state();
    let place = Place::outside("desktop.text_size");
    typed(&mut state, "desktop.text_size", "999");
    assert!(asked(&send(&mut state, FieldEvent::Commit(place.clone()))).is_none());
    let row = state.row(&place).unwrap();
    assert_eq!(row.value, "999");
    assert!(row.error.unwrap().contains("from 80 to 160 (percent)"));
    send(&mut state, FieldEvent::Discard(place.clone()));
    let row = state.row(&place).unwrap();
    assert_eq!((row.value.as_str(), row.error), ("100", None));
}

#[test]
fn a_field_that_is_left_as_it_was_changes_nothing() {
    let mut state = state();
    let place = Place::outside("desktop.text_size");
    assert!(send(&mut state, FieldEvent::Commit(place.clone())).is_empty(), "nothing was typed");
    typed(&mut state, "desktop.text_size", " 100");
    assert!(asked(&send(&mut state, FieldEvent::Commit(place.clone()))).is_none());
    assert_eq!(state.row(&place).unwrap().value, "100");
}

#[test]
fn a_change_is_confirmed_and_can_be_undone() {
    let mut state = with("desktop.text_size", |setting| {
        setting.value = "90".into();
        setting.source = Source::Database;
    });
    let place = Place::outside("desktop.text_size");
    typed(&mut state, "desktop.text_size", "120");
    let (change, value) = asked(&send(&mut state, FieldEvent::Commit(place.clone()))).unwrap();
    assert_eq!(value.as_deref(), Some("120"));
    let row = state.row(&place).unwrap();
    assert!(row.saving && row.value == "120" && !row.saved);
    let changed = taken(&state, &place, Some("120"));
    let effects =
        send(&mut state, FieldEvent::Answered { place: place.clone(), change, result: Ok(Box::new(changed)) });
    let row = state.row(&place).unwrap();
    assert!(row.saved && !row.saving);
    assert_eq!(look(&effects).unwrap().text_size, 120);
    let toast = toast(&effects).unwrap();
    assert_eq!(toast.text, "Text size: 120 %.");
    let effects = state.reduce(inner(toast.action.unwrap().1));
    let (change, value) = asked(&effects).unwrap();
    assert_eq!(value.as_deref(), Some("90"), "what was set before, not the default");
    let changed = taken(&state, &place, Some("90"));
    let effects = send(&mut state, FieldEvent::Answered { place, change, result: Ok(Box::new(changed)) });
    assert!(super::toast(&effects).unwrap().action.is_none());
}

#[test]
fn what_was_not_set_before_is_unset_by_undo() {
    let mut state = state();
    let place = Place::outside("memory.enabled");
    let effects = send(&mut state, FieldEvent::Choose { place: place.clone(), value: "false".into() });
    let (change, _) = asked(&effects).unwrap();
    let changed = taken(&state, &place, Some("false"));
    let effects = send(&mut state, FieldEvent::Answered { place, change, result: Ok(Box::new(changed)) });
    let effects = state.reduce(inner(toast(&effects).unwrap().action.unwrap().1));
    assert_eq!(asked(&effects).unwrap().1, None);
}

#[test]
fn the_worker_has_the_last_word() {
    let mut state = state();
    let place = Place::outside("model.name");
    typed(&mut state, "model.name", "two words");
    let (change, _) = asked(&send(&mut state, FieldEvent::Commit(place.clone()))).unwrap();
    let why = "model.name cannot be \"two words\": use a model's name without blanks";
    send(&mut state, FieldEvent::Answered { place: place.clone(), change, result: Err(why.into()) });
    let row = state.row(&place).unwrap();
    assert_eq!((row.value.as_str(), row.error.as_deref()), ("two words", Some(why)));
    assert_eq!(state.in_force(&place).as_deref(), Some(""));
}

#[test]
fn changes_of_one_setting_do_not_overtake_each_other() {
    let mut state = state();
    let place = Place::outside("memory.enabled");
    let choose = |value: &str| FieldEvent::Choose { place: place.clone(), value: value.into() };
    let (first, _) = asked(&send(&mut state, choose("false"))).unwrap();
    assert!(asked(&send(&mut state, choose("true"))).is_none(), "it waits for the first");
    assert!(asked(&send(&mut state, choose("false"))).is_none());
    assert!(asked(&send(&mut state, choose("true"))).is_none());
    assert_eq!(state.row(&place).unwrap().value, "true", "the control shows what is wanted");
    let changed = taken(&state, &place, Some("false"));
    // An answer to something else changes nothing.
    send(&mut state, FieldEvent::Answered { place: place.clone(), change: first + 9, result: Err("late".into()) });
    let effects =
        send(&mut state, FieldEvent::Answered { place: place.clone(), change: first, result: Ok(Box::new(changed)) });
    let (second, value) = asked(&effects).unwrap();
    assert_eq!((second, value.as_deref()), (first + 1, Some("true")), "the last that was wanted, and only that");
    let changed = taken(&state, &place, Some("true"));
    send(&mut state, FieldEvent::Answered { place: place.clone(), change: second, result: Ok(Box::new(changed)) });
    assert!(!state.row(&place).unwrap().saving);
}

#[test]
fn what_is_typed_while_it_is_saved_is_kept() {
    let mut state = state();
    let place = Place::outside("model.name");
    typed(&mut state, "model.name", "one");
    let (change, _) = asked(&send(&mut state, FieldEvent::Commit(place.clone()))).unwrap();
    typed(&mut state, "model.name", "one-and-a-half");
    let changed = taken(&state, &place, Some("one"));
    send(&mut state, FieldEvent::Answered { place: place.clone(), change, result: Ok(Box::new(changed)) });
    assert_eq!(state.row(&place).unwrap().value, "one-and-a-half");
    let (_, value) = asked(&send(&mut state, FieldEvent::Commit(place))).unwrap();
    assert_eq!(value.as_deref(), Some("one-and-a-half"));
}

#[test]
fn badges_say_where_a_value_comes_from() {
    let badge = |state: &State, place: &Place| state.row(place).unwrap().source.1;
    let key = "model.name";
    let set = |value: &str, source: Source| {
        let value = value.to_owned();
        with(key, move |setting| (setting.value, setting.source) = (value, source))
    };
    let place = Place::outside(key);
    assert_eq!(badge(&state(), &place), "default");
    assert!(!state().row(&place).unwrap().is_set);
    let stored = set("m", Source::Database);
    assert_eq!(badge(&stored, &place), "set");
    assert!(stored.row(&place).unwrap().is_set);
    let hidden = with(key, |setting| {
        (setting.value, setting.source) = ("env".into(), Source::Environment);
        setting.stored = Some("m".into());
    });
    let row = hidden.row(&place).unwrap();
    assert_eq!(row.source, (Tone::Warning, "environment".into()));
    let locked = row.locked.unwrap();
    assert!(locked.contains("BUTTERFLY_MODEL_NAME") && locked.contains("It hides what is set: m."), "{locked}");
    assert!(row.is_set, "what is hidden can still be reset");
}

#[test]
fn a_profile_shows_what_it_changes_and_what_is_as_elsewhere() {
    let mut state = of(schema(), vec![profile("work", &[("model.name", "qwen3:8b")])]);
    let row = |state: &State, key: &str| state.row(&Place::within("work", key));
    assert_eq!(row(&state, "model.name").unwrap().source.1, "in this profile");
    assert_eq!(row(&state, "model.name").unwrap().value, "qwen3:8b");
    assert_eq!(row(&state, "memory.enabled").unwrap().source.1, "as elsewhere");
    assert_eq!(row(&state, "memory.enabled").unwrap().value, "true");
    assert_eq!(row(&state, "model.url"), None, "no profile can set it");
    let place = Place::within("work", "memory.enabled");
    let effects = send(&mut state, FieldEvent::Choose { place: place.clone(), value: "false".into() });
    let (change, _) = asked(&effects).unwrap();
    let changed = taken(&state, &place, Some("false"));
    let effects =
        send(&mut state, FieldEvent::Answered { place: place.clone(), change, result: Ok(Box::new(changed)) });
    assert_eq!(toast(&effects).unwrap().text, "Remember in work: off.");
    assert_eq!(row(&state, "memory.enabled").unwrap().source.1, "in this profile");
    assert_eq!(state.row(&Place::outside("memory.enabled")).unwrap().value, "true", "outside nothing changed");
    let (change, value) = asked(&send(&mut state, FieldEvent::Reset(place.clone()))).unwrap();
    assert_eq!(value, None);
    assert_eq!(row(&state, "memory.enabled").unwrap().value, "true", "the control shows what it will be");
    let changed = taken(&state, &place, None);
    send(&mut state, FieldEvent::Answered { place, change, result: Ok(Box::new(changed)) });
    assert_eq!(row(&state, "memory.enabled").unwrap().source.1, "as elsewhere");
}

#[test]
fn what_cannot_be_taken_back_is_asked_about() {
    let mut state = with("memory.retention_days", |setting| {
        (setting.value, setting.source) = ("90".into(), Source::Database);
    });
    let place = Place::outside("memory.retention_days");
    let commit = |state: &mut State, text: &str| {
        typed(state, "memory.retention_days", text);
        send(state, FieldEvent::Commit(place.clone()))
    };
    let effects = commit(&mut state, "30");
    assert!(asked(&effects).is_none());
    let question = question(&effects).unwrap();
    assert!(question.danger && question.text.contains("more than 30 days ago"), "{}", question.text);
    assert!(state.row(&place).unwrap().waits, "until somebody agrees it is only typed");
    let (_, value) = asked(&state.reduce(inner(question.event))).unwrap();
    assert_eq!(value.as_deref(), Some("30"));
    for longer in ["91", "0"] {
        let mut state = with("memory.retention_days", |setting| {
            (setting.value, setting.source) = ("90".into(), Source::Database);
        });
        assert!(asked(&commit(&mut state, longer)).is_some(), "{longer} deletes nothing more");
    }
}

#[test]
fn the_data_folder_moves_only_when_somebody_agreed() {
    let mut state = state();
    let place = Place::outside("memory.db_path");
    typed(&mut state, "memory.db_path", "/mnt/big");
    let effects = send(&mut state, FieldEvent::Commit(place.clone()));
    assert!(asked(&effects).is_none());
    assert!(question(&effects).unwrap().text.contains("/mnt/big"));
    typed(&mut state, "memory.db_path", "relative");
    let effects = send(&mut state, FieldEvent::Commit(place));
    assert!(question(&effects).is_none() && asked(&effects).is_none());
}

#[test]
fn an_override_that_hides_a_change_is_told_of() {
    let mut state = state();
    let effects = state.reduce(Event::Keep { key: "desktop.theme", value: "dark".into() });
    let (change, _) = asked(&effects).unwrap();
    let place = Place::outside("desktop.theme");
    let mut changed = taken(&state, &place, Some("light"));
    changed.setting.source = Source::Environment;
    changed.note = Some("BUTTERFLY_DESKTOP_THEME is set and hides it".into());
    let effects = send(&mut state, FieldEvent::Answered { place, change, result: Ok(Box::new(changed)) });
    assert!(toast(&effects).unwrap().text.contains("BUTTERFLY_DESKTOP_THEME is set and hides it"));
    assert_eq!(look(&effects).unwrap().theme, Theme::Light, "what is in force");
}
