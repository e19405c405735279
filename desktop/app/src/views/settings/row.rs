//! One setting: what it is on the left, its control on the right, and below what is wrong with it or to be known.

use super::control::Control;
use crate::components::{Badge, Button, ButtonKind, Glyph, Icon, IconButton, Spinner};
use crate::state::settings::field::{DATA_FOLDER, Event, Place};
use crate::state::settings::row::Row;
use crate::state::settings::{self};
use crate::ui::use_ui;
use dioxus::prelude::*;

/// A setting at a place. Give it a key that has the whole place in it.
#[component]
pub(super) fn SettingRow(
    place: Place,
    /// What may be chosen, where more is known than the schema says: value and text.
    #[props(default)]
    options: Option<Vec<(String, String)>>,
    /// What an empty value stands for.
    #[props(default)]
    placeholder: String,
) -> Element {
    let ui = use_ui();
    let at = place.clone();
    let row = use_memo(move || ui.settings.read().row(&at));
    let offline = use_memo(move || ui.settings.read().offline);
    let row = row.read();
    let Some(row) = row.as_ref() else { return rsx! {} };
    let Row { info, title, .. } = row;
    let id = place.element();
    let (tone, source) = row.source.clone();
    let send = move |event| ui.send(settings::Event::Field(event));
    let (saves, discards, resets) = (place.clone(), place.clone(), place.clone());
    // Below it stands all that a screen reader should say of the control.
    let described = format!("{id}-note");
    rsx! {
        div {
            class: if row.error.is_some() { "setting invalid" } else { "setting" },
            "data-testid": "{id}-row",
            "data-source": source.clone(),
            div { class: "setting-text",
                div { class: "setting-title",
                    label { class: "field-label", id: "{id}-label", r#for: "{id}", "{title}" }
                    Badge { tone, text: source.clone() }
                    code { class: "setting-key", "{info.key}" }
                    span { class: "setting-progress",
                        if row.saving && offline() {
                            Glyph { icon: Icon::Clock, size: 14 }
                            "Waits for the assistant"
                        } else if row.saving {
                            Spinner { label: "Saving" }
                        } else if row.saved {
                            span { class: "setting-saved",
                                Glyph { icon: Icon::Check, size: 14 }
                                "Saved"
                            }
                        }
                    }
                }
                p { class: "setting-help", id: described.clone(), "{info.help}" }
                if let Some(note) = row.note.as_ref() {
                    p { class: "setting-note",
                        Glyph { icon: Icon::Refresh, size: 14 }
                        span { "{note}" }
                    }
                }
                if let Some(locked) = row.locked.as_ref() {
                    p { class: "setting-note warning",
                        Glyph { icon: Icon::Lock, size: 14 }
                        span { "{locked}" }
                    }
                }
            }
            div { class: "setting-side",
                div { class: "setting-control",
                    if row.is_set {
                        IconButton {
                            icon: Icon::Undo,
                            id: "{id}-reset",
                            label: if place.profile.is_some() { "Take {title} out of the profile" } else { "Reset {title} to its default" },
                            onclick: move |()| send(Event::Reset(resets.clone())),
                        }
                    }
                    Control { row: row.clone(), id: id.clone(), described: described.clone(), options, placeholder }
                }
                if let Some(error) = row.error.as_ref() {
                    div { class: "field-error", id: "{id}-error", role: "alert",
                        Glyph { icon: Icon::Warning, size: 14 }
                        p { "{error}" }
                    }
                }
                if row.waits {
                    div { class: "row end",
                        Button { label: "Discard", kind: ButtonKind::Ghost, onclick: move |()| send(Event::Discard(discards.clone())) }
                        Button {
                            label: if info.key == DATA_FOLDER { "Move…" } else { "Save" },
                            kind: ButtonKind::Primary,
                            id: "{id}-save",
                            disabled: row.error.is_some(),
                            onclick: move |()| send(Event::Commit(saves.clone())),
                        }
                    }
                }
            }
        }
    }
}
