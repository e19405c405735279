//! Export and import, with a look at the difference before anything is changed.

use crate::components::{Banner, Button, ButtonKind, Column, Dialog, EmptyState, Icon, Spinner, Table, TextArea};
use crate::state::frame::Tone;
use crate::state::settings;
use crate::state::settings::transfer::{self, Document, Event, Import, name};
use crate::ui::{Ui, use_ui};
use butterfly_api::config::Change;
use dioxus::prelude::*;

fn send(ui: Ui, event: Event) {
    ui.send(settings::Event::Transfer(event));
}

/// The page.
#[component]
pub(super) fn Transfer() -> Element {
    let ui = use_ui();
    let offline = use_memo(move || ui.settings.read().offline);
    let exporting = use_memo(move || ui.settings.read().transfer.exporting);
    let import = use_memo(move || ui.settings.read().transfer.import.clone());
    rsx! {
        div { class: "settings-column",
            header { class: "settings-head",
                h1 { "Export and import" }
                p { class: "muted", "Takes settings and profiles to another computer, or keeps them as they are now." }
            }
            div { class: "setting-list",
                div { class: "setting",
                    div { class: "setting-text",
                        span { class: "field-label", "Export" }
                        p { class: "setting-help",
                            "All settings and profiles, as JSON. Secrets are in it by name only; conversations, and where they are kept, are not."
                        }
                    }
                    div { class: "setting-side",
                        div { class: "setting-control",
                            if exporting() {
                                Spinner { label: "Choosing a file" }
                            }
                            Button { label: "Copy", icon: Icon::Copy, id: "settings-copy", disabled: offline(), onclick: move |()| send(ui, Event::CopyExport) }
                            Button { label: "Save to a file…", icon: Icon::Download, id: "settings-export", disabled: offline() || exporting(), onclick: move |()| send(ui, Event::Export) }
                        }
                    }
                }
                div { class: "setting",
                    div { class: "setting-text",
                        span { class: "field-label", "Import" }
                        p { class: "setting-help",
                            "What would change is shown before anything does. A profile that the file names is replaced as a whole; other profiles stay."
                        }
                    }
                    div { class: "setting-side",
                        div { class: "setting-control",
                            Button { label: "Import…", icon: Icon::Upload, id: "settings-import", disabled: offline(), onclick: move |()| send(ui, Event::Import) }
                        }
                    }
                }
            }
            match import() {
                Import::None => rsx! {},
                Import::Choosing { pasted, error } => rsx! { Choosing { pasted: pasted.json().to_owned(), error } },
                Import::Reading { .. } => rsx! { Waiting { text: "Looking at what would change" } },
                Import::Importing => rsx! { Waiting { text: "Importing" } },
                Import::Preview { origin, changes, secrets, .. } => rsx! { Preview { origin, changes, secrets } },
            }
        }
    }
}

#[component]
fn Choosing(pasted: String, error: Option<String>) -> Element {
    let ui = use_ui();
    let close = move |()| send(ui, Event::Cancel);
    let is_empty = pasted.trim().is_empty();
    rsx! {
        Dialog {
            title: "Import settings",
            onclose: close,
            footer: rsx! {
                Button { label: "Cancel", onclick: close }
                Button { label: "Choose a file…", kind: if is_empty { ButtonKind::Primary } else { ButtonKind::Secondary }, icon: Icon::File, id: "import-file", onclick: move |()| send(ui, Event::ChooseFile) }
                if !is_empty {
                    Button { label: "Show what changes", kind: ButtonKind::Primary, id: "import-preview", onclick: move |()| send(ui, Event::Preview) }
                }
            },
            if let Some(error) = error {
                Banner { tone: Tone::Danger, title: "It was not imported.", p { "{error}" } }
            }
            TextArea {
                id: "import-text",
                label: "Paste an export here, or choose its file",
                rows: 7,
                value: pasted,
                placeholder: r#"{{ "format": "butterfly-settings", … }}"#,
                oninput: move |text| send(ui, Event::Pasted(Document::new(text))),
            }
        }
    }
}

#[component]
fn Waiting(text: String) -> Element {
    let ui = use_ui();
    rsx! {
        Dialog { title: "Import settings", onclose: move |()| send(ui, Event::Cancel),
            div { class: "row", role: "status",
                Spinner { label: text.clone() }
                "{text}"
            }
        }
    }
}

#[component]
fn Preview(origin: String, changes: Vec<Change>, secrets: Vec<String>) -> Element {
    let ui = use_ui();
    let close = move |()| send(ui, Event::Cancel);
    let label = match changes.len() {
        1 => "Import 1 change".to_owned(),
        count => format!("Import {count} changes"),
    };
    let is_same = changes.is_empty();
    let deletes = transfer::deletes(&changes);
    rsx! {
        Dialog {
            title: "What the import changes",
            wide: true,
            onclose: close,
            footer: rsx! {
                Button { label: if is_same { "Close" } else { "Cancel" }, onclick: close }
                if !is_same {
                    Button { label, kind: ButtonKind::Primary, id: "import-agree", onclick: move |()| send(ui, Event::Agree) }
                }
            },
            if is_same {
                EmptyState { icon: Icon::Check, title: "Nothing differs.", text: "All that {origin} sets is set so already.", Fragment {} }
            } else {
                p { class: "muted", "From {origin}. Nothing is changed yet." }
                Table {
                    caption: "Changes",
                    columns: vec![Column::new("Setting"), Column::new("Now"), Column::new("After")],
                    for (at, change) in changes.into_iter().enumerate() {
                        tr { key: "{at}",
                            td {
                                div { {name(&change)} }
                                code { class: "setting-key", "{change.key}" }
                            }
                            td { class: "muted", Value { value: change.before } }
                            td { Value { value: change.after } }
                        }
                    }
                }
            }
            if let Some(days) = deletes {
                Banner { tone: Tone::Danger, title: "It deletes something.",
                    p { "What was said more than {days} days ago is deleted for good, and undo does not bring it back." }
                }
            }
            if !secrets.is_empty() {
                Banner { tone: Tone::Info, title: "These settings may need secrets.",
                    p { {format!("They are not in the file; set each on the page of secrets: {}.", secrets.join(", "))} }
                }
            }
        }
    }
}

#[component]
fn Value(value: Option<String>) -> Element {
    match value {
        None => rsx! { span { class: "faint", "default" } },
        Some(value) if value.is_empty() => rsx! { span { class: "faint", "empty" } },
        Some(value) => rsx! { span { class: "change-value", "{value}" } },
    }
}
