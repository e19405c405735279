//! The timeline: passages by the days on which they were said, newest first; older ones come as one scrolls.

use super::parts::{Kinds, Outdated, Shared, Stand, is_near_end, standing};
use super::passage::Card;
use crate::components::{Button, ButtonKind, EmptyState, Icon, TextField};
use crate::state::memory::timeline::{Day, Event, days};
use crate::state::memory::{dates, sheet};
use crate::ui::use_ui;
use dioxus::prelude::*;
use jiff::tz::TimeZone;

/// The tab.
#[component]
pub(super) fn Timeline() -> Element {
    let ui = use_ui();
    let kind = use_memo(move || ui.memory.read().timeline.kind);
    let tag = use_memo(move || ui.memory.read().timeline.tag.clone());
    rsx! {
        div { class: "memory-bar",
            Kinds { name: "timeline-kind", selected: kind(), onselect: move |kind| ui.send(Event::Kind(kind)) }
            div { class: "memory-date",
                TextField {
                    id: "timeline-tag",
                    label: "Tag",
                    hide_label: true,
                    placeholder: "#tag",
                    value: tag(),
                    oninput: move |text| ui.send(Event::Tag(text)),
                }
            }
        }
        div {
            class: "memory-scroll",
            onscroll: move |event| {
                if is_near_end(&event) && ui.memory.peek().timeline.can_go_on() {
                    ui.send(Event::Older);
                }
            },
            Days {}
        }
    }
}

#[component]
fn Days() -> Element {
    let ui = use_ui();
    // Days are made anew when the passages are others, and not with every event.
    let passages = use_memo(move || ui.memory.read().timeline.passages.value().cloned().map(Shared));
    let days = use_memo(move || {
        passages().map(|passages| days(&passages, dates::now_unix_ms(), &TimeZone::system())).unwrap_or_default()
    });
    let more = use_memo(move || ui.memory.read().timeline.more);
    let loading = use_memo(move || ui.memory.read().timeline.passages.is_loading());
    let failed = use_memo(move || ui.memory.read().timeline.passages.error().map(str::to_owned));
    let filtered = use_memo(move || {
        let memory = ui.memory.read();
        memory.timeline.kind.is_some() || !memory.timeline.tag.trim().is_empty()
    });
    let standing = use_memo(move || {
        let (link, memory) = (ui.link.read(), ui.memory.read());
        let passages = &memory.timeline.passages;
        let has = passages.value().is_some_and(|passages| !passages.is_empty());
        standing(&link, has, passages.value().is_some(), passages.is_loading(), passages.error())
    });
    let has_days = !days.read().is_empty();
    rsx! {
        if has_days {
            Outdated { why: failed() }
        }
        for day in days() {
            // The first of a day stays the first when older ones come.
            OneDay { key: "{day.passages[0].id}", day }
        }
        if more() && has_days {
            div { class: "memory-more",
                Button {
                    label: if loading() { "Reading" } else { "Show older" },
                    kind: ButtonKind::Ghost,
                    disabled: loading(),
                    id: "timeline-older",
                    onclick: move |()| ui.send(Event::Older),
                }
            }
        }
        Stand {
            standing: standing(),
            empty: rsx! {
                if filtered() {
                    EmptyState {
                        icon: Icon::Filter,
                        title: "Nothing of that kind",
                        text: "No passage has this kind and this tag. Choose “All” and leave the tag empty to see everything.",
                    }
                } else {
                    EmptyState {
                        icon: Icon::Memory,
                        title: "Nothing is remembered yet",
                        text: "What is said in a chat is kept here, and what you ask the assistant to remember.",
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

#[component]
fn OneDay(day: Day) -> Element {
    rsx! {
        section { class: "memory-day", "aria-label": "{day.heading}",
            h2 { class: "memory-day-heading", "{day.heading}" }
            ol { class: "passages",
                for passage in day.passages {
                    li { key: "{passage.id}",
                        Card { passage }
                    }
                }
            }
        }
    }
}
