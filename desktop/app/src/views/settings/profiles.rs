//! Profiles: the list, and what the selected one sets.

use super::row::SettingRow;
use crate::components::{Button, ButtonKind, Dialog, EmptyState, Icon, TextField};
use crate::state::settings;
use crate::state::settings::field::Place;
use crate::state::settings::profiles::{Event, Naming};
use crate::ui::{Ui, use_ui};
use dioxus::prelude::*;

fn send(ui: Ui, event: Event) {
    ui.send(settings::Event::Profiles(event));
}

/// The page.
#[component]
pub(super) fn Profiles() -> Element {
    let ui = use_ui();
    let names = use_memo(move || {
        let settings = ui.settings.read();
        settings
            .profiles
            .profiles
            .iter()
            .map(|profile| (profile.name.clone(), profile.values.len()))
            .collect::<Vec<_>>()
    });
    let selected = use_memo(move || ui.settings.read().profiles.selected.clone());
    let naming = use_memo(move || ui.settings.read().profiles.naming.clone());
    let offline = use_memo(move || ui.settings.read().offline);
    rsx! {
        div { class: "settings-column",
            header { class: "settings-head",
                h1 { "Profiles" }
                p { class: "muted",
                    "A profile is a set of settings that a conversation can use instead of the ordinary ones, such as another model for work."
                }
            }
            if names.read().is_empty() {
                EmptyState {
                    icon: Icon::Person,
                    title: "There is no profile yet.",
                    text: "Make one, change what it should do otherwise, and choose it in a conversation.",
                    Button { label: "New profile", kind: ButtonKind::Primary, icon: Icon::Plus, id: "profile-new", disabled: offline(), onclick: move |()| send(ui, Event::New) }
                }
            } else {
                div { class: "profile-row", role: "group", "aria-label": "Profiles",
                    for (name, count) in names() {
                        button {
                            key: "{name}",
                            class: "profile-chip",
                            id: "profile-{name}",
                            r#type: "button",
                            "aria-pressed": "{selected.read().as_ref() == Some(&name)}",
                            onclick: {
                                let name = name.clone();
                                move |_| send(ui, Event::Select(name.clone()))
                            },
                            span { "{name}" }
                            span { class: "settings-count", title: "{count} settings", "{count}" }
                        }
                    }
                    Button { label: "New", kind: ButtonKind::Ghost, icon: Icon::Plus, id: "profile-new", disabled: offline(), onclick: move |()| send(ui, Event::New) }
                }
                if let Some(name) = selected() {
                    OneProfile { key: "{name}", name }
                }
            }
            if let Some(naming) = naming() {
                Name { naming }
            }
        }
    }
}

#[component]
fn OneProfile(name: String) -> Element {
    let ui = use_ui();
    let of = name.clone();
    let users = use_memo(move || {
        let settings = ui.settings.read();
        settings.profiles.users_of(&of).map(|users| users.iter().map(|user| user.title.clone()).collect::<Vec<_>>())
    });
    let keys = use_memo(move || ui.settings.read().keys_in_profiles());
    let busy = use_memo(move || {
        let settings = ui.settings.read();
        settings.profiles.busy || settings.offline
    });
    let used = match users.read().as_deref() {
        None => String::new(),
        Some([]) => "No conversation uses it; choose it in the menu of one.".to_owned(),
        Some([title]) => format!("Used by “{title}”."),
        Some([title, rest @ ..]) => format!("Used by “{title}” and {} more.", rest.len()),
    };
    let (renames, deletes) = (name.clone(), name.clone());
    rsx! {
        section { class: "setting-group", "aria-labelledby": "profile-title",
            header { class: "profile-head",
                div {
                    h2 { id: "profile-title", "{name}" }
                    p { class: "muted", id: "profile-users", "{used}" }
                }
                div { class: "row",
                    Button { label: "Rename…", icon: Icon::Edit, id: "profile-rename", disabled: busy(), onclick: move |()| send(ui, Event::Rename(renames.clone())) }
                    Button { label: "Delete", icon: Icon::Trash, kind: ButtonKind::Ghost, id: "profile-delete", disabled: busy(), onclick: move |()| send(ui, Event::AskDelete(deletes.clone())) }
                }
            }
            div { class: "setting-list",
                for key in keys() {
                    SettingRow { key: "{key}", place: Place::within(name.clone(), key) }
                }
            }
        }
    }
}

/// A profile gets its name.
#[component]
fn Name(naming: Naming) -> Element {
    let ui = use_ui();
    let busy = use_memo(move || ui.settings.read().profiles.busy);
    let is_new = naming.of.is_none();
    let close = move |()| send(ui, Event::CancelName);
    rsx! {
        Dialog {
            title: if is_new { "New profile" } else { "Rename the profile" },
            onclose: close,
            footer: rsx! {
                Button { label: "Cancel", onclick: close }
                Button {
                    label: if is_new { "Create" } else { "Rename" },
                    kind: ButtonKind::Primary,
                    id: "profile-submit",
                    disabled: naming.error.is_some() || naming.text.trim().is_empty() || busy(),
                    onclick: move |()| send(ui, Event::Submit),
                }
            },
            TextField {
                id: "profile-name",
                label: "Name",
                value: naming.text.clone(),
                placeholder: "work",
                autofocus: true,
                help: if is_new { "Letters, digits, - and _." } else { "Conversations that use it go on using it under its new name." },
                error: naming.error.clone(),
                oninput: move |text| send(ui, Event::Name(text)),
                onenter: move |()| send(ui, Event::Submit),
            }
        }
    }
}
