//! The control of a setting, by the kind of its value.

use crate::components::{Button, Glyph, Icon, use_typed};
use crate::state::frame;
use crate::state::settings::field::{Event, Place, is_guarded};
use crate::state::settings::row::{Row, range};
use crate::state::settings::{self, title};
use crate::ui::{Ui, use_ui};
use butterfly_api::config::ValueKind;
use butterfly_api::value;
use dioxus::prelude::*;

/// More characters than these in all choices' titles are a list that opens.
const SIDE_BY_SIDE: usize = 36;

/// How far an arrow key goes where any number is allowed.
const STEP: f64 = 0.05;

/// To a ten-thousandth, as numbers are kept.
const DECIMALS: f64 = 10_000.0;

fn send(ui: Ui, event: Event) {
    ui.send(settings::Event::Field(event));
}

/// The control. It is described by the element `described`, and named by the element `{id}-label`.
#[component]
pub(super) fn Control(
    row: Row,
    id: String,
    described: String,
    options: Option<Vec<(String, String)>>,
    /// What an empty value stands for.
    placeholder: String,
) -> Element {
    let ui = use_ui();
    let disabled = row.locked.is_some();
    if row.info.key == "desktop.keys" {
        return rsx! {
            Button {
                label: "Open shortcuts",
                id,
                icon: Icon::Shortcuts,
                onclick: move |()| ui.send(frame::Event::Show("shortcuts")),
            }
        };
    }
    if let Some(options) = options {
        return rsx! { Choose { id, described, place: row.place, value: row.value, options, disabled } };
    }
    match row.info.kind.clone() {
        ValueKind::Bool => rsx! { Toggle { row, id, described } },
        ValueKind::Choice { values } => {
            let options: Vec<_> =
                values.into_iter().map(|value| (value.clone(), title::choice(&row.info.key, &value))).collect();
            if row.info.key == "desktop.accent" {
                rsx! { Swatches { id, described, place: row.place, value: row.value, options, disabled } }
            } else if options.iter().map(|(_, text)| text.chars().count()).sum::<usize>() <= SIDE_BY_SIDE {
                rsx! { Segments { id, described, place: row.place, value: row.value, options, disabled } }
            } else {
                rsx! { Choose { id, described, place: row.place, value: row.value, options, disabled } }
            }
        }
        ValueKind::Integer { min, max, unit } => rsx! {
            if unit == "percent" {
                Slider { row: row.clone(), id: "{id}-slider", min, max }
            }
            Typed { row, id, described, unit: if unit == "percent" { "%".to_owned() } else { unit }, step: 1.0 }
        },
        ValueKind::Number { .. } => rsx! { Typed { row, id, described, step: STEP } },
        ValueKind::Text { .. } | ValueKind::Url | ValueKind::Path => {
            rsx! { Typed { row, id, described, wide: true, placeholder } }
        }
    }
}

#[component]
fn Toggle(row: Row, id: String, described: String) -> Element {
    let ui = use_ui();
    let is_on = value::flag(&row.value).unwrap_or_default();
    let place = row.place;
    rsx! {
        button {
            id: "{id}",
            class: "switch",
            r#type: "button",
            role: "switch",
            disabled: row.locked.is_some(),
            "aria-checked": "{is_on}",
            "aria-labelledby": "{id}-label",
            "aria-describedby": described,
            onclick: move |_| send(ui, Event::Choose { place: place.clone(), value: (!is_on).to_string() }),
            span { class: "switch-thumb", "aria-hidden": "true" }
        }
    }
}

/// Few choices, side by side.
#[component]
fn Segments(
    id: String,
    described: String,
    place: Place,
    value: String,
    options: Vec<(String, String)>,
    disabled: bool,
) -> Element {
    let ui = use_ui();
    rsx! {
        div { class: "segments", id: "{id}", role: "group", "aria-labelledby": "{id}-label", "aria-describedby": described,
            for (option, text) in options {
                button {
                    key: "{option}",
                    class: "segment",
                    id: "{id}-{option}",
                    r#type: "button",
                    disabled,
                    "aria-pressed": "{option == value}",
                    onclick: {
                        let place = place.clone();
                        move |_| send(ui, Event::Choose { place: place.clone(), value: option.clone() })
                    },
                    "{text}"
                }
            }
        }
    }
}

/// Colours, side by side.
#[component]
fn Swatches(
    id: String,
    described: String,
    place: Place,
    value: String,
    options: Vec<(String, String)>,
    disabled: bool,
) -> Element {
    let ui = use_ui();
    rsx! {
        div { class: "swatches", id: "{id}", role: "group", "aria-labelledby": "{id}-label", "aria-describedby": described,
            for (option, text) in options {
                button {
                    key: "{option}",
                    class: "swatch",
                    id: "{id}-{option}",
                    r#type: "button",
                    disabled,
                    title: "{text}",
                    "aria-label": "{text}",
                    "aria-pressed": "{option == value}",
                    "data-accent": "{option}",
                    onclick: {
                        let (place, option) = (place.clone(), option.clone());
                        move |_| send(ui, Event::Choose { place: place.clone(), value: option.clone() })
                    },
                    if option == value {
                        Glyph { icon: Icon::Check, size: 14 }
                    }
                }
            }
        }
    }
}

/// Many choices, in a list that opens.
#[component]
fn Choose(
    id: String,
    described: String,
    place: Place,
    value: String,
    options: Vec<(String, String)>,
    disabled: bool,
) -> Element {
    let ui = use_ui();
    rsx! {
        div { class: "input-frame select",
            select {
                id: "{id}",
                class: "input",
                disabled,
                "aria-describedby": described,
                onchange: move |event| send(ui, Event::Choose { place: place.clone(), value: event.value() }),
                for (option, text) in options {
                    option { key: "{option}", value: "{option}", selected: option == value, "{text}" }
                }
            }
            Glyph { icon: Icon::ChevronDown }
        }
    }
}

/// What is seen rather than counted, such as the text's size.
#[component]
fn Slider(row: Row, id: String, min: i64, max: i64) -> Element {
    let ui = use_ui();
    let place = row.place;
    rsx! {
        input {
            id: "{id}",
            class: "slider",
            r#type: "range",
            min: "{min}",
            max: "{max}",
            step: "5",
            value: "{row.value}",
            disabled: row.locked.is_some(),
            "aria-label": "{row.title}",
            onchange: move |event| send(ui, Event::Choose { place: place.clone(), value: event.value() }),
        }
    }
}

/// What is typed: it is checked at once, and stored when the field is left or by Enter.
#[component]
fn Typed(
    row: Row,
    id: String,
    described: String,
    #[props(default)] unit: String,
    /// What the arrow keys add; 0: nothing.
    #[props(default)]
    step: f64,
    #[props(default)] wide: bool,
    #[props(default)] placeholder: String,
) -> Element {
    let ui = use_ui();
    let (types, leaves, presses) = (row.place.clone(), row.place.clone(), row.place.clone());
    let range = range(&row.info.kind);
    let kind = row.info.kind.clone();
    let current = row.value.clone();
    let is_guarded = is_guarded(&row.info.key);
    let waits = row.waits;
    let mut typed = use_typed(&id, &row.value);
    let described = match (&row.error, &range) {
        (Some(_), _) => format!("{id}-error {described}"),
        (None, Some(_)) => format!("{described} {id}-range"),
        (None, None) => described,
    };
    rsx! {
        div { class: if wide { "typed wide" } else { "typed" },
            div {
                class: match unit.chars().count() {
                    0 => "typed-frame",
                    1 => "typed-frame sign",
                    _ => "typed-frame unit",
                },
                input {
                    id: "{id}",
                    class: "input",
                    r#type: "text",
                    inputmode: if wide { "text" } else { "decimal" },
                    autocomplete: "off",
                    spellcheck: "false",
                    initial_value: typed.first(),
                    placeholder: if placeholder.is_empty() { "not set" } else { "{placeholder}" },
                    disabled: row.locked.is_some(),
                    "aria-invalid": row.error.is_some().then_some("true"),
                    "aria-describedby": described,
                    oninput: move |event| {
                        typed.typed(&event.value());
                        send(ui, Event::Typed { place: types.clone(), text: event.value() });
                    },
                    onblur: move |_| {
                        if !is_guarded {
                            send(ui, Event::Commit(leaves.clone()));
                        }
                    },
                    onkeydown: move |event| {
                        let place = presses.clone();
                        match event.key() {
                            Key::Enter => {
                                event.prevent_default();
                                send(ui, Event::Commit(place));
                            }
                            Key::Escape if waits || ui.settings.peek().fields.get(&place).is_some_and(|field| field.draft.is_some()) => {
                                event.prevent_default();
                                event.stop_propagation();
                                send(ui, Event::Discard(place));
                            }
                            Key::ArrowUp if step > 0.0 => {
                                event.prevent_default();
                                if let Some(text) = stepped(&kind, &current, step) {
                                    send(ui, Event::Typed { place, text });
                                }
                            }
                            Key::ArrowDown if step > 0.0 => {
                                event.prevent_default();
                                if let Some(text) = stepped(&kind, &current, -step) {
                                    send(ui, Event::Typed { place, text });
                                }
                            }
                            _ => {}
                        }
                    },
                }
                if !unit.is_empty() {
                    span { class: "typed-unit", "{unit}" }
                }
            }
            if let Some(range) = range {
                span { class: "typed-range", id: "{id}-range", "{range}" }
            }
        }
    }
}

/// The number beside this one, where it is one and that is allowed.
fn stepped(kind: &ValueKind, text: &str, step: f64) -> Option<String> {
    let number = text.trim().parse::<f64>().ok()? + step;
    let text = match kind {
        ValueKind::Integer { .. } => format!("{number:.0}"),
        // Sums of decimals have ends of their own.
        _ => ((number * DECIMALS).round() / DECIMALS).to_string(),
    };
    value::check("", kind, &text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrow_keys_stop_at_the_borders() {
        let days = ValueKind::Integer { min: 0, max: 2, unit: "days".into() };
        assert_eq!(stepped(&days, "1", 1.0), Some("2".into()));
        assert_eq!(stepped(&days, "2", 1.0), None);
        assert_eq!(stepped(&days, "0", -1.0), None);
        assert_eq!(stepped(&days, "soon", 1.0), None);
        let share = ValueKind::Number { min: 0.2, max: 0.95 };
        assert_eq!(stepped(&share, "0.9", STEP), Some("0.95".into()));
        assert_eq!(stepped(&share, "0.95", STEP), None);
    }
}
