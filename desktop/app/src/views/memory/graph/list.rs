//! The graph as a table: the same nodes, for the keyboard and for who does not see the drawing.

use super::super::parts::{is_near_end, node_kind};
use crate::components::{Button, ButtonKind, Column, EmptyState, Icon, Table};
use crate::state::memory::dates;
use crate::state::memory::graph::Event;
use crate::ui::use_ui;
use butterfly_api::memory::NodeKind;
use dioxus::prelude::*;
use jiff::tz::TimeZone;

/// A row.
#[derive(Clone, PartialEq)]
struct Row {
    node: u32,
    label: String,
    kind: NodeKind,
    from: u64,
    until: Option<u64>,
    links: usize,
}

/// The list.
#[component]
pub(super) fn List() -> Element {
    let ui = use_ui();
    let rows = use_memo(move || {
        let memory = ui.memory.read();
        let listed = memory.graph.listed();
        let Some(picture) = memory.graph.picture.value() else { return (Vec::new(), 0) };
        let row = |node: &u32| {
            let it = picture.nodes.get(*node as usize)?;
            Some(Row {
                node: *node,
                label: it.label.clone(),
                kind: it.kind,
                from: it.at_unix_ms,
                until: it.until_unix_ms,
                links: picture.degree(*node),
            })
        };
        (listed.iter().take(memory.graph.rows).filter_map(row).collect::<Vec<_>>(), listed.len())
    });
    let selected = use_memo(move || ui.memory.read().graph.selected);
    let (shown, all) = rows();
    let rest = all.saturating_sub(shown.len());
    let columns = vec![
        Column::new("Name"),
        Column::new("Kind"),
        Column::new("From"),
        Column::new("Until"),
        Column::new("Links").end(),
    ];
    rsx! {
        div {
            class: "memory-scroll graph-list",
            onscroll: move |event| {
                if is_near_end(&event) && rows.peek().1 > rows.peek().0.len() {
                    ui.send(Event::MoreRows);
                }
            },
            if shown.is_empty() {
                EmptyState { icon: Icon::Filter, title: "Nothing to list", text: "No node has these words, kinds and this time." }
            } else {
                Table { caption: "Everything in the graph, what is linked most first", columns,
                    for row in shown {
                        OneRow { key: "{row.node}", is_selected: selected() == Some(row.node), row }
                    }
                }
            }
            if rest > 0 {
                div { class: "memory-more",
                    Button {
                        label: "Show more of {rest}",
                        kind: ButtonKind::Ghost,
                        id: "graph-more",
                        onclick: move |()| ui.send(Event::MoreRows),
                    }
                }
            }
        }
    }
}

#[component]
fn OneRow(row: Row, is_selected: bool) -> Element {
    let ui = use_ui();
    let zone = TimeZone::system();
    let (kind, class) = node_kind(row.kind);
    let node = row.node;
    rsx! {
        tr { class: if is_selected { "is-marked" },
            td {
                button {
                    class: "memory-link plain",
                    r#type: "button",
                    id: "row-{node}",
                    "aria-pressed": "{is_selected}",
                    onclick: move |_| ui.send(Event::Visit(node)),
                    span { class: "node-dot {class}", "aria-hidden": "true" }
                    "{row.label}"
                }
            }
            td { class: "muted", "{kind}" }
            td { class: "memory-when", "{dates::day(row.from, &zone)}" }
            td { class: "memory-when",
                if let Some(until) = row.until {
                    "{dates::day(until, &zone)}"
                }
            }
            td { class: "end", "{row.links}" }
        }
    }
}
