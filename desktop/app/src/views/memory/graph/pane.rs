//! All about the selected node: what it is, when it held, what it is linked with, and the way to where it was said.

use super::super::parts::node_kind;
use crate::components::{Badge, Button, ButtonKind, Icon, IconButton};
use crate::state::frame::Tone;
use crate::state::memory::forget::{Forgettable, sentence};
use crate::state::memory::graph::Event;
use crate::state::memory::{dates, sheet};
use crate::ui::use_ui;
use butterfly_api::memory::{Fact, Node, NodeKind};
use dioxus::prelude::*;
use jiff::tz::TimeZone;

/// Neighbours that are listed; the rest is counted.
const LISTED: usize = 60;

/// A neighbour: which node, how it is linked where that is no part of its name, what it is called.
#[derive(Clone, PartialEq)]
struct Neighbour {
    node: u32,
    how: &'static str,
    label: String,
    kind: NodeKind,
}

#[derive(Clone, PartialEq)]
struct About {
    node: Node,
    fact: Option<Fact>,
    neighbours: Vec<Neighbour>,
    rest: usize,
}

/// When a node was named, happened, or held.
fn when(node: &Node, zone: &TimeZone) -> String {
    let at = dates::day(node.at_unix_ms, zone);
    match (node.kind, node.until_unix_ms) {
        (NodeKind::Entity, _) => format!("First named {at}"),
        (NodeKind::Event, _) => format!("On {at}"),
        (NodeKind::Fact, Some(until)) => format!("From {at} to {}", dates::day(until, zone)),
        (NodeKind::Fact, None) => format!("Since {at}"),
    }
}

/// The pane.
#[component]
pub(super) fn Pane(node: u32) -> Element {
    let ui = use_ui();
    let about = use_memo(use_reactive!(|(node,)| {
        let memory = ui.memory.read();
        let picture = memory.graph.picture.value()?;
        let mut neighbours: Vec<Neighbour> = picture
            .neighbours(node)
            .filter_map(|(link, other)| {
                let it = picture.nodes.get(other as usize)?;
                let told = match (it.kind, picture.fact(other)) {
                    _ if link.supersedes() && link.to == node => ("corrects", it.label.clone()),
                    _ if link.supersedes() => ("corrected by", it.label.clone()),
                    // Beside its subject a fact is told without it.
                    (NodeKind::Fact, Some(fact)) if link.from != node => ("", sentence(&fact)),
                    (NodeKind::Fact, _) => ("", it.label.clone()),
                    (NodeKind::Entity | NodeKind::Event, _) if link.to == node => ("about", it.label.clone()),
                    (NodeKind::Entity | NodeKind::Event, _) => ("names", it.label.clone()),
                };
                Some(Neighbour { node: other, how: told.0, label: told.1, kind: it.kind })
            })
            .collect();
        let rest = neighbours.len().saturating_sub(LISTED);
        neighbours.truncate(LISTED);
        Some(About { node: picture.nodes.get(node as usize)?.clone(), fact: picture.fact(node), neighbours, rest })
    }));
    let Some(About { node: it, fact, neighbours, rest }) = about() else { return rsx! {} };
    let (kind, class) = node_kind(it.kind);
    let has_ended = it.until_unix_ms.is_some_and(|until| until <= dates::now_unix_ms());
    let (id, label) = (it.id, it.label.clone());
    rsx! {
        aside { class: "graph-pane", "aria-label": "Selected: {it.label}",
            header { class: "graph-pane-head",
                span { class: "node-badge {class}", "{kind}" }
                if has_ended {
                    Badge { tone: Tone::Warning, text: "holds no more" }
                }
                span { class: "graph-spacer" }
                IconButton { icon: Icon::Close, label: "Deselect", id: "graph-deselect", onclick: move |()| ui.send(Event::Deselect) }
            }
            h2 { class: if has_ended { "has-ended" }, "{it.label}" }
            p { class: "muted", "{when(&it, &TimeZone::system())}" }
            div { class: "graph-pane-actions",
                if it.source.is_some() {
                    Button {
                        label: "Where it was said",
                        icon: Icon::Chat,
                        id: "graph-source",
                        onclick: move |()| ui.send(Event::Source),
                    }
                }
                if it.kind != NodeKind::Fact {
                    Button {
                        label: "Look around it",
                        icon: Icon::Graph,
                        id: "graph-around",
                        onclick: move |()| ui.send(Event::Around(Some(label.clone()))),
                    }
                }
                if let Some(fact) = fact.filter(|_| !has_ended) {
                    Button {
                        label: "Correct",
                        icon: Icon::Edit,
                        id: "graph-correct",
                        onclick: move |()| ui.send(sheet::Event::Correct(Box::new(fact.clone()))),
                    }
                }
                if it.kind == NodeKind::Fact {
                    Button {
                        label: "Forget",
                        icon: Icon::Trash,
                        id: "graph-forget",
                        kind: ButtonKind::Ghost,
                        onclick: move |()| ui.send(sheet::Event::Forget(Forgettable::fact(id))),
                    }
                }
            }
            if !neighbours.is_empty() {
                h3 { "Linked with" }
                ul { class: "graph-neighbours",
                    for (at, other) in neighbours.into_iter().enumerate() {
                        li { key: "{at}",
                            button {
                                class: "graph-neighbour",
                                r#type: "button",
                                onclick: move |_| ui.send(Event::Visit(other.node)),
                                span { class: "node-dot {node_kind(other.kind).1}", "aria-hidden": "true" }
                                span { class: "graph-neighbour-text",
                                    if !other.how.is_empty() {
                                        span { class: "faint", "{other.how} " }
                                    }
                                    "{other.label}"
                                }
                            }
                        }
                    }
                }
                if rest > 0 {
                    p { class: "faint", "and {rest} more" }
                }
            }
        }
    }
}
