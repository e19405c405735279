//! The dialogs: noting something, another wording, correcting a fact, and all about one passage.

use super::parts;
use super::passage::speaker;
use crate::components::{Badge, Banner, Button, ButtonKind, Dialog, Icon, Skeleton, Switch, TextArea, TextField};
use crate::state::frame::Tone;
use crate::state::memory::dates;
use crate::state::memory::forget::{Forgettable, sentence};
use crate::state::memory::sheet::{Event, Sheet};
use crate::ui::use_ui;
use butterfly_api::memory::{Details, Fact, Passage, PassageKind};
use dioxus::prelude::*;
use jiff::tz::TimeZone;

/// Whichever dialog is open.
#[component]
pub(super) fn Sheets() -> Element {
    let ui = use_ui();
    let sheet = use_memo(move || ui.memory.read().sheet.sheet.clone());
    match sheet() {
        None => rsx! {},
        Some(Sheet::Remember { text, tags, when }) => rsx! { Remember { text, tags, when } },
        Some(Sheet::Edit { passage, text }) => rsx! { Edit { passage, text } },
        Some(Sheet::Correct { fact, object, from, ended }) => rsx! { Correct { fact, object, from, ended } },
        Some(Sheet::Details { .. }) => rsx! { AllAbout {} },
    }
}

/// Cancel, and the button that writes.
#[component]
fn Foot(label: String) -> Element {
    let ui = use_ui();
    let can_save = use_memo(move || ui.memory.read().sheet.can_save());
    let saving = use_memo(move || ui.memory.read().sheet.saving.is_loading());
    rsx! {
        Button { label: "Cancel", kind: ButtonKind::Ghost, id: "sheet-cancel", onclick: move |()| ui.send(Event::Close) }
        Button {
            label: if saving() { "Saving".to_owned() } else { label },
            kind: ButtonKind::Primary,
            id: "sheet-save",
            disabled: !can_save(),
            onclick: move |()| ui.send(Event::Save),
        }
    }
}

/// What is wrong: with what was typed, or why it was not saved.
#[component]
fn Wrong() -> Element {
    let ui = use_ui();
    let wrong = use_memo(move || {
        let memory = ui.memory.read();
        let failed = memory.sheet.saving.error().map(|why| format!("It was not saved: {why}"));
        memory.sheet.wrong.clone().or(failed)
    });
    rsx! {
        if let Some(wrong) = wrong() {
            Banner { tone: Tone::Danger, p { "{wrong}" } }
        }
    }
}

/// Ctrl+Enter writes, wherever one types.
fn saves(event: &KeyboardEvent) -> bool {
    let modifiers = event.modifiers();
    event.key() == Key::Enter && (modifiers.contains(Modifiers::CONTROL) || modifiers.contains(Modifiers::META))
}

#[component]
fn Remember(text: String, tags: String, when: String) -> Element {
    let ui = use_ui();
    rsx! {
        Dialog { title: "Remember something", onclose: move |()| ui.send(Event::Close), footer: rsx! { Foot { label: "Remember" } },
            TextArea {
                id: "sheet-text",
                label: "What to remember",
                placeholder: "My sister Ana lives in Lisbon since March.",
                rows: 4,
                autofocus: true,
                value: text,
                help: "One thing, in plain words. Facts are taken from it.",
                oninput: move |text| ui.send(Event::Text(text)),
                onkeydown: move |event: KeyboardEvent| {
                    if saves(&event) {
                        event.prevent_default();
                        ui.send(Event::Save);
                    }
                },
            }
            div { class: "sheet-row",
                TextField {
                    id: "sheet-tags",
                    label: "Tags",
                    placeholder: "family home",
                    value: tags,
                    oninput: move |text| ui.send(Event::Tags(text)),
                    onenter: move |()| ui.send(Event::Save),
                }
                TextField {
                    id: "sheet-day",
                    label: "Day, if not today",
                    placeholder: "2026-11-22",
                    value: when,
                    oninput: move |text| ui.send(Event::Day(text)),
                    onenter: move |()| ui.send(Event::Save),
                }
            }
            Wrong {}
        }
    }
}

#[component]
fn Edit(passage: Box<Passage>, text: String) -> Element {
    let ui = use_ui();
    rsx! {
        Dialog { title: "Edit this memory", onclose: move |()| ui.send(Event::Close), footer: rsx! { Foot { label: "Save" } },
            TextArea {
                id: "sheet-text",
                label: "What is remembered",
                rows: 5,
                autofocus: true,
                value: text,
                help: "The new wording is noted first; then the old one is forgotten, with the facts that rest on it alone.",
                oninput: move |text| ui.send(Event::Text(text)),
                onkeydown: move |event: KeyboardEvent| {
                    if saves(&event) {
                        event.prevent_default();
                        ui.send(Event::Save);
                    }
                },
            }
            Wrong {}
        }
    }
}

#[component]
fn Correct(fact: Box<Fact>, object: String, from: String, ended: bool) -> Element {
    let ui = use_ui();
    rsx! {
        Dialog { title: "Correct this fact", onclose: move |()| ui.send(Event::Close), footer: rsx! { Foot { label: "Correct" } },
            p { class: "sheet-quote",
                "{fact.subject} "
                span { class: "muted", "{fact.relation}" }
                " {fact.object}"
            }
            if !ended {
                TextField {
                    id: "sheet-text",
                    label: "What holds instead",
                    value: object,
                    autofocus: true,
                    oninput: move |text| ui.send(Event::Text(text)),
                    onenter: move |()| ui.send(Event::Save),
                }
            }
            Switch {
                id: "sheet-ended",
                label: "It holds no more, and nothing instead",
                checked: ended,
                onchange: move |ended| ui.send(Event::Ended(ended)),
            }
            TextField {
                id: "sheet-day",
                label: "From which day, if not today",
                placeholder: "2026-11-22",
                help: "The fact ends then, and stays for looks into the past.",
                value: from,
                oninput: move |text| ui.send(Event::Day(text)),
                onenter: move |()| ui.send(Event::Save),
            }
            Wrong {}
        }
    }
}

#[component]
fn AllAbout() -> Element {
    let ui = use_ui();
    let details = use_memo(move || ui.memory.read().sheet.details.value().cloned());
    let failed = use_memo(move || ui.memory.read().sheet.details.error().map(str::to_owned));
    let title = details()
        .map_or_else(|| "Passage".to_owned(), |it| format!("{} #{}", parts::kind(it.passage.kind), it.passage.id));
    let footer = details().map(|details| rsx! { PassageFoot { passage: Box::new(details.passage) } });
    rsx! {
        Dialog { title, wide: true, onclose: move |()| ui.send(Event::Close), footer,
            if let Some(details) = details() {
                Told { details }
            } else if let Some(why) = failed() {
                Banner { tone: Tone::Danger, title: "It could not be read.", p { "{why}" } }
            } else {
                Skeleton { lines: 4 }
            }
        }
    }
}

#[component]
fn PassageFoot(passage: Box<Passage>) -> Element {
    let ui = use_ui();
    let id = passage.id;
    let has_source = passage.kind == PassageKind::Message || passage.source.is_some();
    let edited = passage.clone();
    rsx! {
        Button {
            label: "Forget",
            kind: ButtonKind::Ghost,
            icon: Icon::Trash,
            id: "passage-forget",
            onclick: move |()| ui.send(Event::Forget(Forgettable::passage(id))),
        }
        if passage.kind == PassageKind::Memory {
            Button {
                label: "Edit",
                icon: Icon::Edit,
                id: "passage-edit",
                onclick: move |()| ui.send(Event::Edit(edited.clone())),
            }
        }
        if has_source {
            Button {
                label: "Open the conversation there",
                kind: ButtonKind::Primary,
                icon: Icon::Chat,
                id: "passage-source",
                onclick: move |()| ui.send(Event::Source(id)),
            }
        }
    }
}

#[component]
fn Told(details: Box<Details>) -> Element {
    let ui = use_ui();
    let zone = TimeZone::system();
    let Details { passage, facts, derived, embedded_by } = *details;
    let vector = embedded_by.unwrap_or_else(|| "none yet; it is found by its words".to_owned());
    rsx! {
        div { class: "row",
            span { class: "passage-speaker", "{speaker(&passage.speaker)}" }
            for tag in passage.tags.iter() {
                Badge { key: "{tag}", tone: Tone::Info, text: "#{tag}" }
            }
            span { class: "muted", "{dates::moment(passage.at_unix_ms, &zone)}" }
        }
        p { class: "passage-text whole", "{passage.text}" }
        if !facts.is_empty() {
            h3 { "Facts taken from it" }
            ul { class: "sheet-list",
                for fact in facts {
                    li { key: "{fact.id}", class: if fact.valid_to_unix_ms.is_some() { "has-ended" },
                        "{sentence(&fact)} "
                        span { class: "faint", "since {dates::day(fact.valid_from_unix_ms, &zone)}" }
                    }
                }
            }
        }
        if !derived.is_empty() {
            h3 { "Made from it" }
            ul { class: "sheet-list",
                for other in derived {
                    li { key: "{other.id}",
                        button {
                            class: "memory-link",
                            r#type: "button",
                            onclick: move |_| ui.send(Event::Details(other.id)),
                            "{parts::kind(other.kind)} #{other.id}"
                        }
                        " {crate::state::memory::forget::quoted(&other.text)}"
                    }
                }
            }
        }
        dl { class: "sheet-facts",
            dt { "Vector by" }
            dd { "{vector}" }
            if let Some(name) = passage.external_id {
                dt { "Imported as" }
                dd { "{name}" }
            }
            if let Some(name) = passage.conversation {
                dt { "Conversation" }
                dd { "{name}" }
            }
        }
    }
}
