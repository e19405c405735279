//! The settings of one heading, and what a search found under all of them.

use super::row::SettingRow;
use crate::components::{EmptyState, Icon};
use crate::state::settings::field::Place;
use crate::state::settings::{Event, Page};
use crate::ui::use_ui;
use dioxus::prelude::*;

/// What stands below a heading.
fn about(group: &str) -> &'static str {
    match group {
        "Desktop" => "How this app looks and behaves. Changes show at once.",
        "Model" => "Which model answers, and how.",
        "Memory" => "What is kept of conversations, and for how long.",
        "Recall" => "What of it comes up again in an answer. The weights are those that were found best by measuring.",
        "Logs" => "What the workers write down of their work. It never leaves this computer.",
        _ => "",
    }
}

/// A page of settings.
#[component]
pub(super) fn GroupPage(name: String) -> Element {
    let ui = use_ui();
    let of = name.clone();
    let keys = use_memo(move || ui.settings.read().keys_of(&of));
    rsx! {
        div { class: "settings-column",
            header { class: "settings-head",
                h1 { "{name}" }
                p { class: "muted",
                    {about(&name)}
                    if name == "Model" {
                        " "
                        button { class: "link-button", r#type: "button", onclick: move |_| ui.send(Event::Show(Page::Providers)),
                            "Set up a provider"
                        }
                    }
                }
            }
            div { class: "setting-list",
                for key in keys() {
                    SettingRow { key: "{key}", place: Place::outside(key) }
                }
            }
        }
    }
}

/// What a search found.
#[component]
pub(super) fn Found() -> Element {
    let ui = use_ui();
    let query = use_memo(move || ui.settings.read().query.trim().to_owned());
    let groups = use_memo(move || {
        let settings = ui.settings.read();
        let groups = settings.groups().into_iter().filter(|group| group.count > 0);
        groups.map(|group| (settings.keys_of(&group.name), group.name)).collect::<Vec<_>>()
    });
    let count: usize = groups.read().iter().map(|(keys, _)| keys.len()).sum();
    rsx! {
        div { class: "settings-column",
            p { class: "visually-hidden", role: "status", "{count} settings found" }
            if count == 0 {
                EmptyState {
                    icon: Icon::Search,
                    title: "No setting has “{query}” in its name or description.",
                    text: "Try another word, such as model, days or theme.",
                    button { class: "button", r#type: "button", onclick: move |_| ui.send(Event::Query(String::new())), "Show all" }
                }
            }
            for (keys, name) in groups() {
                section { key: "{name}", class: "setting-group",
                    h2 { "{name}" }
                    div { class: "setting-list",
                        for key in keys {
                            SettingRow { key: "{key}", place: Place::outside(key) }
                        }
                    }
                }
            }
        }
    }
}
