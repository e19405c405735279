//! Settings: a list of headings with a search on the left, one page of them on the right.

mod control;
mod group;
mod profiles;
mod prose;
mod providers;
mod row;
mod secrets;
mod transfer;

use super::View;
use crate::actions::{Action, always};
use crate::components::{Banner, Button, EmptyState, Glyph, Icon, Skeleton, TextField};
use crate::state::System;
use crate::state::frame::{self, Tone};
use crate::state::settings::row::Group;
use crate::state::settings::{self, Event, Load, Page};
use crate::ui::{Ui, use_ui};
use dioxus::prelude::*;

pub const VIEW: View = View {
    id: "settings",
    title: "Settings",
    icon: Icon::Settings,
    in_sidebar: true,
    render: view,
    panel: Some(panel),
    actions: ACTIONS,
};

const ACTIONS: &[Action] = &[
    Action {
        id: "settings.show",
        title: "Open settings",
        group: "Settings",
        key: Some("Ctrl+,"),
        enabled: always,
        run: |ui| ui.send(frame::Event::Show("settings")),
    },
    Action {
        id: "settings.search",
        title: "Search settings",
        group: "Settings",
        key: None,
        enabled: always,
        run: |ui| {
            ui.send(frame::Event::Show("settings"));
            crate::system::perform(ui, System::Focus("settings-search".into()));
        },
    },
    Action {
        id: "settings.providers",
        title: "Choose who answers",
        group: "Settings",
        key: None,
        enabled: always,
        run: |ui| open(ui, Page::Providers),
    },
    Action {
        id: "settings.test",
        title: "Test the connection to the model server",
        group: "Settings",
        key: None,
        enabled: online,
        run: |ui| {
            open(ui, Page::Providers);
            ui.send(Event::Provider(settings::provider::Event::Test));
        },
    },
    Action {
        id: "settings.secrets",
        title: "Show secrets",
        group: "Settings",
        key: None,
        enabled: always,
        run: |ui| open(ui, Page::Secrets),
    },
    Action {
        id: "settings.profiles",
        title: "Show settings profiles",
        group: "Settings",
        key: None,
        enabled: always,
        run: |ui| open(ui, Page::Profiles),
    },
    Action {
        id: "settings.new_profile",
        title: "New settings profile",
        group: "Settings",
        key: None,
        enabled: online,
        run: |ui| {
            open(ui, Page::Profiles);
            ui.send(Event::Profiles(settings::profiles::Event::New));
        },
    },
    Action {
        id: "settings.export",
        title: "Export settings to a file",
        group: "Settings",
        key: None,
        enabled: online,
        run: |ui| {
            open(ui, Page::Transfer);
            ui.send(Event::Transfer(settings::transfer::Event::Export));
        },
    },
    Action {
        id: "settings.import",
        title: "Import settings",
        group: "Settings",
        key: None,
        enabled: online,
        run: |ui| {
            open(ui, Page::Transfer);
            ui.send(Event::Transfer(settings::transfer::Event::Import));
        },
    },
];

fn online(ui: Ui) -> bool {
    !ui.settings.peek().offline
}

/// Shows a page of the settings.
fn open(ui: Ui, page: Page) {
    ui.send(Event::Show(page));
    ui.send(frame::Event::Show("settings"));
}

fn view() -> Element {
    rsx! { Settings {} }
}

fn panel() -> Element {
    rsx! { List {} }
}

/// What the list leads to: a page, its title and icon, and how many settings on it fit the search.
#[derive(Clone, PartialEq)]
struct Entry {
    page: Page,
    title: String,
    icon: Icon,
    count: Option<usize>,
}

fn entries(groups: Vec<Group>, is_searching: bool) -> Vec<Entry> {
    let of_group = |group: Group| Entry {
        icon: match group.name.as_str() {
            "Desktop" => Icon::Sun,
            "Model" => Icon::Spark,
            "Memory" => Icon::Memory,
            "Recall" => Icon::Search,
            "Logs" => Icon::List,
            _ => Icon::Settings,
        },
        count: is_searching.then_some(group.count),
        title: group.name.clone(),
        page: Page::Group(group.name),
    };
    let page = |page, title: &str, icon| Entry { page, title: title.to_owned(), icon, count: None };
    let (own, others): (Vec<_>, Vec<_>) = groups.into_iter().partition(|group| group.name == "Desktop");
    let mut entries: Vec<_> = own.into_iter().map(of_group).collect();
    entries.push(page(Page::Providers, "Providers", Icon::Server));
    entries.extend(others.into_iter().map(of_group));
    entries.extend([
        page(Page::Profiles, "Profiles", Icon::Person),
        page(Page::Secrets, "Secrets", Icon::Key),
        page(Page::Transfer, "Export and import", Icon::Upload),
    ]);
    entries
}

/// The view.
#[component]
fn Settings() -> Element {
    let ui = use_ui();
    let page = use_memo(move || ui.settings.read().page.clone());
    let is_searching = use_memo(move || !ui.settings.read().query.trim().is_empty());
    let load = use_memo(move || ui.settings.read().load.clone());
    let is_empty = use_memo(move || ui.settings.read().settings.is_empty());
    let has_sidebar = use_memo(move || ui.frame.read().sidebar);
    let again = move |()| ui.send(Event::Reload);
    rsx! {
        div { class: "settings",
            // Else it is in there.
            if !has_sidebar() {
                List {}
            }
            div { class: "settings-page", id: "settings-page",
                match load() {
                    Load::Failed { why } if is_empty() => rsx! {
                        EmptyState { icon: Icon::Warning, title: "The settings could not be read.", text: why,
                            Button { label: "Try again", id: "settings-again", onclick: again }
                        }
                    },
                    Load::Never | Load::Loading if is_empty() => rsx! {
                        div { class: "settings-column late", Skeleton { lines: 9 } }
                    },
                    load => rsx! {
                        if let Load::Failed { why } = load {
                            Banner { tone: Tone::Warning, title: "The settings may have changed since.",
                                p { "{why}" }
                                Button { label: "Read them again", onclick: again }
                            }
                        }
                        if is_searching() {
                            group::Found {}
                        } else {
                            match page() {
                                Page::Group(name) => rsx! { group::GroupPage { key: "{name}", name } },
                                Page::Providers => rsx! { providers::Providers {} },
                                Page::Profiles => rsx! { profiles::Profiles {} },
                                Page::Secrets => rsx! { secrets::Secrets {} },
                                Page::Transfer => rsx! { transfer::Transfer {} },
                            }
                        }
                    },
                }
            }
            secrets::Entering {}
        }
    }
}

/// The search and the headings.
#[component]
fn List() -> Element {
    let ui = use_ui();
    let query = use_memo(move || ui.settings.read().query.clone());
    let entries = use_memo(move || {
        let settings = ui.settings.read();
        entries(settings.groups(), !settings.query.trim().is_empty())
    });
    let page = use_memo(move || ui.settings.read().page.clone());
    let is_searching = !query.read().trim().is_empty();
    rsx! {
        nav { class: "settings-list", "aria-label": "Settings",
            TextField {
                id: "settings-search",
                label: "Search settings",
                hide_label: true,
                kind: "search",
                placeholder: "Search settings",
                value: query(),
                oninput: move |text| ui.send(Event::Query(text)),
                onkeydown: move |event: KeyboardEvent| {
                    if event.key() == Key::Escape && !ui.settings.peek().query.is_empty() {
                        event.stop_propagation();
                        ui.send(Event::Query(String::new()));
                    }
                },
            }
            ul { class: "settings-entries",
                for entry in entries() {
                    li { key: "{entry.title}",
                        button {
                            class: "settings-entry",
                            r#type: "button",
                            "data-testid": "settings-{entry.title}",
                            "aria-current": (!is_searching && page() == entry.page).then_some("page"),
                            disabled: entry.count == Some(0),
                            onclick: move |_| ui.send(Event::Show(entry.page.clone())),
                            Glyph { icon: entry.icon }
                            span { class: "settings-entry-title", "{entry.title}" }
                            if let Some(count) = entry.count.filter(|count| *count > 0) {
                                span { class: "settings-count", "{count}" }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
