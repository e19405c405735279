//! The facts: what is held to be true, from when to when, where it was said, and what corrected it.

use super::parts::{Outdated, Stand, is_near_end, standing};
use crate::components::{Banner, Button, ButtonKind, Column, EmptyState, Icon, IconButton, Switch, Table, TextField};
use crate::state::frame::Tone;
use crate::state::memory::facts::{Event, FACTS};
use crate::state::memory::forget::{Forgettable, count};
use crate::state::memory::{dates, sheet};
use crate::ui::use_ui;
use butterfly_api::memory::Fact;
use dioxus::prelude::*;
use jiff::tz::TimeZone;
use std::sync::Arc;

/// The tab.
#[component]
pub(super) fn Facts() -> Element {
    let ui = use_ui();
    let find = use_memo(move || ui.memory.read().facts.find.clone());
    let as_of = use_memo(move || ui.memory.read().facts.as_of.clone());
    let wrong = use_memo(move || ui.memory.read().facts.until().err());
    let ended = use_memo(move || ui.memory.read().facts.ended);
    let told = use_memo(move || {
        let memory = ui.memory.read();
        if memory.facts.facts.value().is_none() {
            return String::new();
        }
        count(memory.facts.shown().len(), "fact")
    });
    rsx! {
        div { class: "memory-bar",
            div { class: "memory-query",
                TextField {
                    id: "facts-find",
                    label: "Find facts",
                    hide_label: true,
                    kind: "search",
                    placeholder: "Narrow by words; Enter asks for all about that name",
                    value: find(),
                    oninput: move |text| ui.send(Event::Find(text)),
                    onenter: move |()| {
                        let name = find.peek().clone();
                        ui.send(Event::About((!name.trim().is_empty()).then_some(name)));
                    },
                }
            }
            div { class: "memory-date",
                TextField {
                    id: "facts-as-of",
                    label: "As of",
                    hide_label: true,
                    placeholder: "As of: 2026-11-22",
                    value: as_of(),
                    error: wrong(),
                    oninput: move |text| ui.send(Event::AsOf(text)),
                }
            }
        }
        div { class: "memory-bar second",
            Switch {
                id: "facts-ended",
                label: "Also what holds no more",
                checked: ended(),
                onchange: move |ended| ui.send(Event::Ended(ended)),
            }
            About {}
            p { class: "memory-told", role: "status", "{told}" }
        }
        div {
            class: "memory-scroll",
            onscroll: move |event| {
                if is_near_end(&event) && has_more_rows(ui) {
                    ui.send(Event::MoreRows);
                }
            },
            Rows {}
        }
    }
}

fn has_more_rows(ui: crate::ui::Ui) -> bool {
    let memory = ui.memory.peek();
    memory.facts.shown().len() > memory.facts.rows
}

/// Which entity was asked for, and the way back.
#[component]
fn About() -> Element {
    let ui = use_ui();
    let about = use_memo(move || ui.memory.read().facts.about.clone());
    rsx! {
        if let Some(name) = about() {
            Button {
                label: "About {name}",
                kind: ButtonKind::Ghost,
                icon: Icon::Close,
                id: "facts-about-everything",
                onclick: move |()| ui.send(Event::About(None)),
            }
        }
    }
}

#[component]
fn Rows() -> Element {
    let ui = use_ui();
    let facts = use_memo(move || {
        let memory = ui.memory.read();
        let mut shown = memory.facts.shown();
        let all = shown.len();
        shown.truncate(memory.facts.rows);
        (shown, all)
    });
    let failed = use_memo(move || ui.memory.read().facts.facts.error().map(str::to_owned));
    let cut = use_memo(move || ui.memory.read().facts.is_cut());
    let marked = use_memo(move || ui.memory.read().facts.marked);
    let narrowed = use_memo(move || {
        let memory = ui.memory.read();
        !memory.facts.find.trim().is_empty() || memory.facts.about.is_some() || !memory.facts.as_of.trim().is_empty()
    });
    let standing = use_memo(move || {
        let (link, memory) = (ui.link.read(), ui.memory.read());
        let read = &memory.facts.facts;
        standing(&link, !facts.read().0.is_empty(), read.value().is_some(), read.is_loading(), read.error())
    });
    let columns = ["About", "Relation", "What", "Holds", "Said in", ""].map(Column::new).to_vec();
    let (shown, all) = facts();
    let rest = all - shown.len();
    rsx! {
        if cut() {
            Banner { tone: Tone::Info,
                p { "These are the newest {FACTS} facts. Write a whole name above and press Enter to see all about it." }
            }
        }
        if !shown.is_empty() {
            Outdated { why: failed() }
            Table { caption: "Facts, newest first", columns,
                for fact in shown {
                    Row { key: "{fact.id}", is_marked: marked() == Some(fact.id), fact }
                }
            }
        }
        if rest > 0 {
            div { class: "memory-more",
                Button {
                    label: "Show more of {rest}",
                    kind: ButtonKind::Ghost,
                    id: "facts-more",
                    onclick: move |()| ui.send(Event::MoreRows),
                }
            }
        }
        Stand {
            standing: standing(),
            empty: rsx! {
                if narrowed() {
                    EmptyState {
                        icon: Icon::Filter,
                        title: "No such fact",
                        text: "Nothing that is known has these words, or held at that time.",
                    }
                } else {
                    EmptyState {
                        icon: Icon::Memory,
                        title: "No facts yet",
                        text: "Facts are taken from what is said, such as “my sister lives in Leeds”, each with the time from which it holds.",
                        Button {
                            label: "Remember something",
                            kind: ButtonKind::Primary,
                            icon: Icon::Plus,
                            onclick: move |()| ui.send(sheet::Event::Remember(String::new())),
                        }
                    }
                }
            },
        }
    }
}

/// From when to when, in words: a fact whose end lies ahead still holds.
fn span(fact: &Fact, zone: &TimeZone) -> String {
    let from = dates::day(fact.valid_from_unix_ms, zone);
    match fact.valid_to_unix_ms {
        Some(to) => format!("{from} – {}", dates::day(to, zone)),
        None => format!("since {from}"),
    }
}

#[component]
fn Row(fact: Arc<Fact>, is_marked: bool) -> Element {
    let ui = use_ui();
    let zone = TimeZone::system();
    let id = fact.id;
    let has_ended = fact.valid_to_unix_ms.is_some_and(|to| to <= dates::now_unix_ms());
    let successor = fact.superseded_by;
    let by = use_memo(use_reactive!(|(successor,)| {
        let memory = ui.memory.read();
        let by = memory.facts.get(successor?)?;
        Some(format!("{} {}", by.relation, by.object))
    }));
    let (subject, corrected) = (fact.subject.clone(), Arc::clone(&fact));
    rsx! {
        tr { id: "fact-{id}", tabindex: "-1", class: "memory-fact", class: if has_ended { "has-ended" }, class: if is_marked { "is-marked" },
            td {
                button {
                    class: "memory-link plain",
                    r#type: "button",
                    title: "Show all about {subject}",
                    onclick: move |_| ui.send(Event::About(Some(subject.clone()))),
                    "{fact.subject}"
                }
            }
            td { class: "muted", "{fact.relation}" }
            td {
                if has_ended {
                    s { class: "memory-fact-object", "{fact.object}" }
                    span { class: "visually-hidden", " (holds no more)" }
                } else {
                    span { class: "memory-fact-object", "{fact.object}" }
                }
                if let Some(successor) = successor {
                    button {
                        class: "memory-link memory-fact-by",
                        r#type: "button",
                        title: "Show what corrected it",
                        onclick: move |_| ui.send(Event::Reveal(successor)),
                        if let Some(by) = by() {
                            "→ {by}"
                        } else {
                            "→ corrected later"
                        }
                    }
                }
            }
            td { class: "memory-when", title: "Recorded {dates::moment(fact.recorded_unix_ms, &zone)}", "{span(&fact, &zone)}" }
            td {
                if let Some(source) = fact.source {
                    button {
                        class: "memory-link",
                        r#type: "button",
                        title: "Go to where it was said",
                        onclick: move |_| ui.send(sheet::Event::Source(source)),
                        "#{source}"
                    }
                }
            }
            td { class: "memory-fact-actions",
                if !has_ended {
                    IconButton {
                        icon: Icon::Edit,
                        label: "Correct this fact",
                        onclick: move |()| ui.send(sheet::Event::Correct(Box::new((*corrected).clone()))),
                    }
                }
                IconButton {
                    icon: Icon::Trash,
                    label: "Forget this fact",
                    danger: true,
                    onclick: move |()| ui.send(sheet::Event::Forget(Forgettable::fact(id))),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_tells_its_end_if_there_is_one() {
        let mut fact = Fact {
            id: 1,
            subject: "a".into(),
            relation: "b".into(),
            object: "c".into(),
            valid_from_unix_ms: 1_795_305_600_000,
            valid_to_unix_ms: None,
            recorded_unix_ms: 0,
            source: None,
            superseded_by: None,
        };
        assert_eq!(span(&fact, &TimeZone::UTC), "since 22 Nov 2026");
        fact.valid_to_unix_ms = Some(1_795_305_600_000 + 86_400_000);
        assert_eq!(span(&fact, &TimeZone::UTC), "22 Nov 2026 – 23 Nov 2026");
    }
}
