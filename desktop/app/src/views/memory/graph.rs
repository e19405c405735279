//! The graph: what is linked with what, drawn or as a list, and all about what is selected.

mod canvas;
mod list;
mod pane;
mod tools;

use super::parts::{Outdated, Stand, standing};
use crate::components::{Banner, Button, EmptyState, Icon};
use crate::state::frame::Tone;
use crate::state::memory::graph::Event;
use crate::ui::use_ui;
use dioxus::prelude::*;

/// The tab.
#[component]
pub(super) fn Graph() -> Element {
    let ui = use_ui();
    let as_list = use_memo(move || ui.memory.read().graph.as_list);
    let selected = use_memo(move || ui.memory.read().graph.selected);
    let cut = use_memo(move || ui.memory.read().graph.picture.value().is_some_and(|picture| picture.cut));
    let failed = use_memo(move || ui.memory.read().graph.picture.error().map(str::to_owned));
    let around = use_memo(move || ui.memory.read().graph.around.clone());
    let standing = use_memo(move || {
        let (link, memory) = (ui.link.read(), ui.memory.read());
        let picture = &memory.graph.picture;
        let has = picture.value().is_some_and(|picture| !picture.nodes.is_empty());
        standing(&link, has, picture.value().is_some(), picture.is_loading(), picture.error())
    });
    let is_shown = standing() == super::parts::Standing::Shown;
    rsx! {
        tools::Tools {}
        if is_shown {
            Outdated { why: failed() }
            if cut() {
                Banner { tone: Tone::Info,
                    p { "There is more than can be drawn at once. Select something and look around it to see what is left out." }
                }
            }
            div { class: "graph", class: if selected().is_some() { "with-pane" },
                if as_list() {
                    list::List {}
                } else {
                    canvas::Canvas {}
                }
                if let Some(node) = selected() {
                    pane::Pane { node }
                }
            }
        }
        Stand {
            standing: standing(),
            empty: rsx! {
                EmptyState {
                    icon: Icon::Graph,
                    title: "Nothing is linked yet",
                    text: "People, places and events that are spoken of appear here, with the facts that link them.",
                    if around().is_some() {
                        Button { label: "Show everything", onclick: move |()| ui.send(Event::Around(None)) }
                    }
                }
            },
        }
    }
}
