//! What stands above the graph: finding, kinds, time, how far around, and drawing or list.

use super::super::parts::node_kind;
use crate::components::{Button, ButtonKind, Icon, Select, TextField};
use crate::state::memory::dates;
use crate::state::memory::graph::Event;
use crate::ui::use_ui;
use butterfly_api::memory::NodeKind;
use dioxus::prelude::*;
use jiff::tz::TimeZone;

const DAY_MS: u64 = 86_400_000;

/// The bar.
#[component]
pub(super) fn Tools() -> Element {
    rsx! {
        div { class: "memory-bar",
            Find {}
            AsList {}
        }
        div { class: "memory-bar second",
            Kinds {}
            When {}
            Around {}
        }
    }
}

/// Finds by names. Enter goes to the next one.
#[component]
fn Find() -> Element {
    let ui = use_ui();
    let find = use_memo(move || ui.memory.read().graph.find.clone());
    let told = use_memo(move || {
        let memory = ui.memory.read();
        if memory.graph.find.trim().is_empty() {
            return String::new();
        }
        match (memory.graph.place_in_found(), memory.graph.found.len()) {
            (_, 0) => "none".to_owned(),
            (Some(place), all) => format!("{place} of {all}"),
            (None, all) => format!("{all} found"),
        }
    });
    rsx! {
        div { class: "memory-query",
            TextField {
                id: "graph-find",
                label: "Find in the graph",
                hide_label: true,
                kind: "search",
                placeholder: "Find by name; Enter goes to the next",
                value: find(),
                oninput: move |text| ui.send(Event::Find(text)),
                onenter: move |()| ui.send(Event::Next),
            }
            span { class: "graph-found", role: "status", "{told}" }
        }
    }
}

/// Drawn or as a list.
#[component]
fn AsList() -> Element {
    let ui = use_ui();
    let as_list = use_memo(move || ui.memory.read().graph.as_list);
    rsx! {
        div { class: "memory-segments", role: "group", "aria-label": "Show as",
            button {
                class: "memory-segment",
                r#type: "button",
                id: "graph-as-graph",
                "aria-pressed": "{!as_list()}",
                onclick: move |_| ui.send(Event::AsList(false)),
                "Graph"
            }
            button {
                class: "memory-segment",
                r#type: "button",
                id: "graph-as-list",
                "aria-pressed": "{as_list}",
                onclick: move |_| ui.send(Event::AsList(true)),
                "List"
            }
        }
    }
}

/// The kinds, which are the legend, too.
#[component]
fn Kinds() -> Element {
    let ui = use_ui();
    let filter = use_memo(move || ui.memory.read().graph.filter);
    let counts =
        use_memo(move || ui.memory.read().graph.picture.value().map(|picture| picture.counts()).unwrap_or_default());
    let kinds = [
        (NodeKind::Entity, "entity", "Entities", counts()[0]),
        (NodeKind::Event, "event", "Events", counts()[1]),
        (NodeKind::Fact, "fact", "Facts", counts()[2]),
    ];
    rsx! {
        div { class: "graph-kinds", role: "group", "aria-label": "Kinds that are shown",
            for (kind, id, title, count) in kinds {
                button {
                    key: "{id}",
                    class: "graph-kind",
                    r#type: "button",
                    id: "graph-kind-{id}",
                    "aria-pressed": "{filter().shows(kind)}",
                    onclick: move |_| ui.send(Event::Toggle(kind)),
                    svg { width: "14", height: "14", view_box: "-7 -7 14 14", "aria-hidden": "true",
                        path { class: "graph-node {node_kind(kind).1}", d: shape(kind) }
                    }
                    "{title}"
                    span { class: "memory-count", "{count}" }
                }
            }
        }
    }
}

/// The shape of a kind in the legend, about 12 wide.
const fn shape(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Entity => "M-5.5 0a5.500 5.500 0 1 0 11 0a5.500 5.500 0 1 0 -11 0Z",
        NodeKind::Event => "M0 -6L6 0L0 6L-6 0Z",
        NodeKind::Fact => "M-3 0a3 3 0 1 0 6 0a3 3 0 1 0 -6 0Z",
    }
}

/// What held at a time: a slider by days, whose end is all times.
#[component]
fn When() -> Element {
    let ui = use_ui();
    let times = use_memo(move || ui.memory.read().graph.picture.value().and_then(|picture| picture.times()));
    let at = use_memo(move || ui.memory.read().graph.filter.at_unix_ms);
    let Some((first, last)) = times() else { return rsx! {} };
    let days = (last - first).div_ceil(DAY_MS);
    if days < 2 {
        return rsx! {};
    }
    let zone = TimeZone::system();
    let (value, told) = match at() {
        Some(at) => (at.saturating_sub(first) / DAY_MS, format!("as of {}", dates::day(at, &zone))),
        None => (days, "at any time".to_owned()),
    };
    rsx! {
        label { class: "graph-when",
            span { class: "graph-when-text", "{told}" }
            input {
                id: "graph-when",
                r#type: "range",
                min: "0",
                max: "{days}",
                value: "{value}",
                "aria-label": "Show what held at a time; the right end is all times",
                "aria-valuetext": "{told}",
                oninput: move |event| {
                    let day = event.value().parse::<u64>().unwrap_or(days);
                    ui.send(Event::At((day < days).then(|| first + day * DAY_MS)));
                },
            }
        }
    }
}

/// Around which entity, how far, and the way back to everything.
#[component]
fn Around() -> Element {
    let ui = use_ui();
    let around = use_memo(move || ui.memory.read().graph.around.clone());
    let depth = use_memo(move || ui.memory.read().graph.depth);
    let steps = [("1", "1 step"), ("2", "2 steps"), ("3", "3 steps"), ("4", "4 steps")];
    let steps = steps.map(|(value, text)| (value.to_owned(), text.to_owned())).to_vec();
    rsx! {
        if let Some(name) = around() {
            div { class: "graph-around",
                Button {
                    label: "Around {name}",
                    kind: ButtonKind::Ghost,
                    icon: Icon::Close,
                    id: "graph-everything",
                    onclick: move |()| ui.send(Event::Around(None)),
                }
                Select {
                    id: "graph-depth",
                    label: "How far around",
                    hide_label: true,
                    value: depth().to_string(),
                    options: steps,
                    onchange: move |steps: String| ui.send(Event::Depth(steps.parse().unwrap_or(2))),
                }
            }
        }
    }
}
