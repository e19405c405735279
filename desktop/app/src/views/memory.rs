//! The memory view: search, timeline, facts and the graph, with the dialogs above them.

mod actions;
mod facts;
mod graph;
mod parts;
mod passage;
mod search;
mod sheets;
mod timeline;

use super::View;
use crate::components::{Banner, Button, ButtonKind, Icon, Tab as Head, Tabs};
use crate::state::frame::Tone;
use crate::state::memory::{Event, Tab, sheet};
use crate::ui::use_ui;
use dioxus::prelude::*;

pub const VIEW: View = View {
    id: "memory",
    title: "Memory",
    icon: Icon::Memory,
    in_sidebar: true,
    render: view,
    panel: None,
    actions: actions::ACTIONS,
};

fn view() -> Element {
    rsx! { Memory {} }
}

/// The whole view.
#[component]
fn Memory() -> Element {
    let ui = use_ui();
    use_effect(move || ui.send(Event::Opened));
    use_drop(move || ui.send(Event::Closed));
    let tab = use_memo(move || ui.memory.read().tab);
    let newer = use_memo(move || ui.memory.read().newer);
    let away = use_memo(move || parts::worker_is_away(&ui.link.read()));
    let heads = vec![
        Head::new(Tab::Search.id(), "Search"),
        Head::new(Tab::Timeline.id(), "Timeline"),
        Head::new(Tab::Facts.id(), "Facts"),
        Head::new(Tab::Graph.id(), "Graph"),
    ];
    rsx! {
        div { class: "memory", "data-tab": tab().id(),
            header { class: "memory-head",
                h1 { "Memory" }
                div { class: "memory-head-actions",
                    Button {
                        label: if newer() { "Show what is new" } else { "Refresh" },
                        kind: ButtonKind::Ghost,
                        icon: Icon::Refresh,
                        id: "memory-refresh",
                        onclick: move |()| ui.send(Event::Refresh),
                    }
                    Button {
                        label: "Remember something",
                        kind: ButtonKind::Primary,
                        icon: Icon::Plus,
                        id: "memory-remember",
                        onclick: move |()| ui.send(sheet::Event::Remember(String::new())),
                    }
                }
            }
            if away() {
                Banner { tone: Tone::Warning,
                    p { "The memory worker is away. What you see is as it was last; it is read anew when the worker is back." }
                }
            }
            Tabs {
                label: "Memory",
                tabs: heads,
                selected: tab().id(),
                onselect: move |id: String| ui.send(Event::Show(Tab::of(&id))),
                match tab() {
                    Tab::Search => rsx! { search::Search {} },
                    Tab::Timeline => rsx! { timeline::Timeline {} },
                    Tab::Facts => rsx! { facts::Facts {} },
                    Tab::Graph => rsx! { graph::Graph {} },
                }
            }
            sheets::Sheets {}
        }
    }
}

#[cfg(test)]
#[path = "memory/tests.rs"]
mod tests;
