//! Fields of a form: a label, a control, a line of help, and what is wrong with the value.

use super::{Glyph, Icon, use_typed};
use dioxus::prelude::*;

/// The frame of a control: its label above, help or the fault below.
#[component]
pub fn Field(
    label: String,
    for_id: String,
    #[props(default)] hide_label: bool,
    #[props(default)] help: Option<String>,
    #[props(default)] error: Option<String>,
    children: Element,
) -> Element {
    rsx! {
        div { class: if error.is_some() { "field invalid" } else { "field" },
            label { class: if hide_label { "visually-hidden" } else { "field-label" }, r#for: "{for_id}", "{label}" }
            {children}
            if let Some(error) = &error {
                div { class: "field-error", id: "{for_id}-note", role: "alert",
                    Glyph { icon: Icon::Warning, size: 14 }
                    p { "{error}" }
                }
            } else if let Some(help) = help {
                p { class: "field-help", id: "{for_id}-note", "{help}" }
            }
        }
    }
}

/// The id of the line below a control, where there is one.
fn note(id: &str, help: Option<&String>, error: Option<&String>) -> Option<String> {
    (help.is_some() || error.is_some()).then(|| format!("{id}-note"))
}

/// One line of text.
#[component]
pub fn TextField(
    id: String,
    label: String,
    value: String,
    oninput: EventHandler<String>,
    #[props(default)] hide_label: bool,
    /// As HTML's `input type`: text, search, password, number.
    #[props(default = "text".to_owned())]
    kind: String,
    #[props(default)] placeholder: String,
    #[props(default)] help: Option<String>,
    #[props(default)] error: Option<String>,
    #[props(default)] disabled: bool,
    #[props(default)] autofocus: bool,
    #[props(default)] onkeydown: Option<EventHandler<KeyboardEvent>>,
    #[props(default)] onenter: Option<EventHandler<()>>,
    /// The value is final: the focus left, or Enter was pressed.
    #[props(default)]
    onchange: Option<EventHandler<String>>,
) -> Element {
    let described = note(&id, help.as_ref(), error.as_ref());
    let mut typed = use_typed(&id, &value);
    rsx! {
        Field { label, for_id: id.clone(), hide_label, help, error: error.clone(),
            div { class: if kind == "search" { "input-frame search" } else { "input-frame" },
                if kind == "search" {
                    Glyph { icon: Icon::Search }
                }
                input {
                    id: "{id}",
                    class: "input",
                    r#type: "{kind}",
                    initial_value: typed.first(),
                    placeholder: "{placeholder}",
                    disabled,
                    autofocus,
                    autocomplete: "off",
                    spellcheck: "false",
                    "aria-invalid": error.is_some().then_some("true"),
                    "aria-describedby": described,
                    onmounted: move |event| async move {
                        if autofocus {
                            // An element that is gone again needs no focus.
                            let _ = event.set_focus(true).await;
                        }
                    },
                    oninput: move |event| {
                        typed.typed(&event.value());
                        oninput.call(event.value());
                    },
                    onchange: move |event| {
                        if let Some(onchange) = onchange {
                            onchange.call(event.value());
                        }
                    },
                    onkeydown: move |event| {
                        if let Some(onenter) = onenter.filter(|_| event.key() == Key::Enter) {
                            event.prevent_default();
                            onenter.call(());
                        }
                        if let Some(onkeydown) = onkeydown {
                            onkeydown.call(event);
                        }
                    },
                }
            }
        }
    }
}

/// Text of several lines.
#[component]
pub fn TextArea(
    id: String,
    label: String,
    value: String,
    oninput: EventHandler<String>,
    #[props(default)] hide_label: bool,
    #[props(default)] placeholder: String,
    #[props(default = 3)] rows: u16,
    #[props(default)] help: Option<String>,
    #[props(default)] error: Option<String>,
    #[props(default)] autofocus: bool,
    #[props(default)] onkeydown: Option<EventHandler<KeyboardEvent>>,
) -> Element {
    let described = note(&id, help.as_ref(), error.as_ref());
    let mut typed = use_typed(&id, &value);
    rsx! {
        Field { label, for_id: id.clone(), hide_label, help, error: error.clone(),
            textarea {
                id: "{id}",
                class: "input area",
                rows: "{rows}",
                initial_value: typed.first(),
                placeholder: "{placeholder}",
                "aria-invalid": error.is_some().then_some("true"),
                "aria-describedby": described,
                onmounted: move |event| async move {
                    if autofocus {
                        // An element that is gone again needs no focus.
                        let _ = event.set_focus(true).await;
                    }
                },
                oninput: move |event| {
                        typed.typed(&event.value());
                        oninput.call(event.value());
                    },
                onkeydown: move |event| {
                    if let Some(onkeydown) = onkeydown {
                        onkeydown.call(event);
                    }
                },
            }
        }
    }
}

/// One of several values.
#[component]
pub fn Select(
    id: String,
    label: String,
    value: String,
    /// Value and text of each.
    options: Vec<(String, String)>,
    onchange: EventHandler<String>,
    #[props(default)] hide_label: bool,
    #[props(default)] help: Option<String>,
    #[props(default)] error: Option<String>,
    #[props(default)] disabled: bool,
) -> Element {
    let described = note(&id, help.as_ref(), error.as_ref());
    rsx! {
        Field { label, for_id: id.clone(), hide_label, help, error,
            div { class: "input-frame select",
                select {
                    id: "{id}",
                    class: "input",
                    disabled,
                    "aria-describedby": described,
                    onchange: move |event| onchange.call(event.value()),
                    for (option, text) in options {
                        option { key: "{option}", value: "{option}", selected: option == value, "{text}" }
                    }
                }
                Glyph { icon: Icon::ChevronDown }
            }
        }
    }
}

/// On or off.
#[component]
pub fn Switch(
    id: String,
    label: String,
    checked: bool,
    onchange: EventHandler<bool>,
    #[props(default)] help: Option<String>,
    #[props(default)] disabled: bool,
) -> Element {
    let described = note(&id, help.as_ref(), None);
    rsx! {
        div { class: "field switch-field",
            button {
                id: "{id}",
                class: "switch",
                r#type: "button",
                role: "switch",
                disabled,
                "aria-checked": "{checked}",
                "aria-labelledby": "{id}-label",
                "aria-describedby": described,
                onclick: move |_| onchange.call(!checked),
                span { class: "switch-thumb", "aria-hidden": "true" }
            }
            div { class: "switch-text",
                label { class: "field-label", id: "{id}-label", r#for: "{id}", "{label}" }
                if let Some(help) = help {
                    p { class: "field-help", id: "{id}-note", "{help}" }
                }
            }
        }
    }
}
