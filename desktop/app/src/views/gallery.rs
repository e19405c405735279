//! The component kit, each part in each state. Shown only when the program runs with `BUTTERFLY_DESKTOP_GALLERY=1`.

use super::View;
use crate::actions::Action;
use crate::components::{
    Badge, Banner, Button, ButtonKind, Column, Dialog, EmptyState, Glyph, Icon, IconButton, Menu, MenuItem, Progress,
    Select, Skeleton, Sparkline, Spinner, Switch, Tab, Table, Tabs, TextArea, TextField,
};
use crate::state::frame::{self, Toast, Tone};
use crate::ui::{Ui, use_ui};
use dioxus::prelude::*;

pub const VIEW: View = View {
    id: "gallery",
    title: "Components",
    icon: Icon::Gallery,
    in_sidebar: false,
    render: view,
    panel: None,
    actions: ACTIONS,
};

const ACTIONS: &[Action] = &[Action {
    id: "gallery.show",
    title: "Show the component gallery",
    group: "Developer",
    key: None,
    enabled: is_wanted,
    run: |ui| ui.send(frame::Event::Show("gallery")),
}];

fn is_wanted(_: Ui) -> bool {
    std::env::var_os("BUTTERFLY_DESKTOP_GALLERY").is_some()
}

const TONES: [Tone; 4] = [Tone::Info, Tone::Success, Tone::Warning, Tone::Danger];

fn view() -> Element {
    rsx! {
        Gallery {}
    }
}

/// All of it on one page.
#[component]
fn Gallery() -> Element {
    rsx! {
        div { class: "page gallery",
            h1 { "Components" }
            Buttons {}
            Fields {}
            Notices {}
            Data {}
            section {
                h2 { "Icons" }
                div { class: "gallery-icons",
                    for (at, icon) in Icon::ALL.iter().enumerate() {
                        span { key: "{at}", title: "{icon:?}", Glyph { icon: *icon, size: 20 } }
                    }
                }
            }
        }
    }
}

#[component]
fn Buttons() -> Element {
    let ui = use_ui();
    let mut dialog = use_signal(|| false);
    rsx! {
        section {
            h2 { "Buttons, menus, dialogs" }
            div { class: "row",
                Button { label: "Primary", kind: ButtonKind::Primary, onclick: |()| {} }
                Button { label: "Secondary", icon: Icon::Download, onclick: |()| {} }
                Button { label: "Ghost", kind: ButtonKind::Ghost, onclick: |()| {} }
                Button { label: "Danger", kind: ButtonKind::Danger, icon: Icon::Trash, onclick: |()| {} }
                Button { label: "Disabled", disabled: true, onclick: |()| {} }
                Button { label: "Pressed", pressed: true, onclick: |()| {} }
                IconButton { icon: Icon::Edit, label: "Edit", onclick: |()| {} }
                IconButton { icon: Icon::Pin, label: "Pinned", pressed: true, onclick: |()| {} }
                IconButton { icon: Icon::Trash, label: "Delete", danger: true, onclick: |()| {} }
            }
            div { class: "row",
                Menu {
                    label: "Model",
                    text: "qwen3:8b",
                    id: "gallery-menu",
                    items: vec![
                        MenuItem::new("a", "qwen3:8b").checked(true),
                        MenuItem::new("b", "gpt-oss:20b").checked(false),
                        MenuItem::separator(),
                        MenuItem::new("c", "Fetch another …").icon(Icon::Download).key("Ctrl+Shift+M"),
                        MenuItem::new("d", "Delete").icon(Icon::Trash).danger(),
                        MenuItem::new("e", "Not now").disabled(true),
                    ],
                    onselect: |_| {},
                }
                Button { label: "Open a dialog", id: "gallery-dialog", onclick: move |()| dialog.set(true) }
                for tone in TONES {
                    Button {
                        key: "{tone:?}",
                        label: "Toast: {tone:?}",
                        onclick: move |()| ui.send(frame::Event::Toast(Toast::new(tone, "Something happened."))),
                    }
                }
            }
            if dialog() {
                Dialog {
                    title: "A dialog",
                    onclose: move |()| dialog.set(false),
                    footer: rsx! {
                        Button { label: "Cancel", onclick: move |()| dialog.set(false) }
                        Button { label: "Do it", kind: ButtonKind::Primary, onclick: move |()| dialog.set(false) }
                    },
                    p { "Nothing behind it can be reached until it is closed." }
                    TextField { id: "gallery-dialog-field", label: "A field", value: "", autofocus: true, oninput: |_| {} }
                }
            }
        }
    }
}

#[component]
fn Fields() -> Element {
    let mut text = use_signal(String::new);
    let mut on = use_signal(|| true);
    let mut choice = use_signal(|| "b".to_owned());
    let options = [("a", "First"), ("b", "Second")].map(|(value, text)| (value.to_owned(), text.to_owned()));
    rsx! {
        section {
            h2 { "Fields" }
            div { class: "gallery-fields",
                TextField { id: "gallery-text", label: "Text", value: text(), help: "A line of help.", oninput: move |value| text.set(value) }
                TextField { id: "gallery-bad", label: "Refused", value: "900", error: "Give a number from 1 to 365.", oninput: |_| {} }
                TextField { id: "gallery-search", label: "Search", hide_label: true, kind: "search", placeholder: "Search", value: "", oninput: |_| {} }
                TextField { id: "gallery-off", label: "Disabled", value: "", disabled: true, oninput: |_| {} }
                Select { id: "gallery-select", label: "Choice", value: choice(), options: options.to_vec(), onchange: move |value| choice.set(value) }
                TextArea { id: "gallery-area", label: "Several lines", value: "One\nTwo", oninput: |_| {} }
                Switch { id: "gallery-switch", label: "A switch", help: "What it does.", checked: on(), onchange: move |value| on.set(value) }
            }
        }
    }
}

#[component]
fn Notices() -> Element {
    rsx! {
        section {
            h2 { "Notices" }
            div { class: "row",
                for tone in TONES {
                    Badge { key: "{tone:?}", tone, text: "{tone:?}" }
                }
            }
            for tone in TONES {
                Banner { key: "{tone:?}", tone, title: "{tone:?}", onclose: |()| {}, "What it is about, in a sentence." }
            }
            EmptyState {
                icon: Icon::Memory,
                title: "Nothing is remembered yet",
                text: "What you say in a chat is kept here, and can be found again.",
                Button { label: "Start a chat", kind: ButtonKind::Primary, onclick: |()| {} }
            }
            Skeleton {}
        }
    }
}

#[component]
fn Data() -> Element {
    let mut tab = use_signal(|| "one".to_owned());
    rsx! {
        section {
            h2 { "Data" }
            Tabs {
                label: "Example",
                tabs: vec![Tab::new("one", "First"), Tab::new("two", "Second").count(12)],
                selected: tab(),
                onselect: move |id| tab.set(id),
                p { "The panel of " {tab} }
            }
            Table { caption: "Example", columns: vec![Column::new("Worker"), Column::new("Memory").end(), Column::new("Load")],
                tr {
                    td { "model" }
                    td { class: "end", "10.2 MiB" }
                    td { Sparkline { values: vec![1.0, 4.0, 2.0, 8.0, 5.0, 6.0], label: "messages a second" } }
                }
            }
            div { class: "row",
                Progress { label: "Fetching", value: 0.42, text: "42 %, 3 min left" }
                Progress { label: "Looking" }
                Spinner { label: "Working" }
            }
        }
    }
}
