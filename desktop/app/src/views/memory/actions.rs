//! What can be done in the memory view, each by its name.

use crate::actions::{Action, always};
use crate::state::memory::forget::Forgettable;
use crate::state::memory::graph;
use crate::state::memory::sheet::{self, Sheet};
use crate::state::memory::{Event, Tab, show};
use crate::ui::Ui;
use butterfly_api::memory::PassageKind;
use dioxus::prelude::ReadableExt;

const GROUP: &str = "Memory";

fn go(ui: Ui, tab: Tab) {
    for event in show(tab) {
        ui.send(event);
    }
}

/// To the tab that was shown last.
fn go_back(ui: Ui) {
    let tab = ui.memory.peek().tab;
    go(ui, tab);
}

fn is_open(ui: Ui) -> bool {
    ui.frame.peek().view == "memory"
}

/// Whether the graph is looked at, drawn.
fn is_drawn(ui: Ui) -> bool {
    is_graph(ui) && !ui.memory.peek().graph.as_list
}

fn is_graph(ui: Ui) -> bool {
    is_open(ui) && ui.memory.peek().tab == Tab::Graph && ui.memory.peek().graph.picture.value().is_some()
}

/// What one has before one's eyes: the passage of the open dialog, or the graph's selected fact.
fn at_hand(ui: Ui) -> Option<Forgettable> {
    let memory = ui.memory.peek();
    if let Some(Sheet::Details { id }) = memory.sheet.sheet {
        return Some(Forgettable::passage(id));
    }
    is_graph(ui).then(|| memory.graph.selected_fact())?.map(Forgettable::fact)
}

fn editable(ui: Ui) -> Option<sheet::Event> {
    let memory = ui.memory.peek();
    if let Some(Sheet::Details { .. }) = memory.sheet.sheet {
        let passage = &memory.sheet.details.value()?.passage;
        return (passage.kind == PassageKind::Memory).then(|| sheet::Event::Edit(Box::new(passage.clone())));
    }
    let graph = &memory.graph;
    let fact = is_graph(ui).then(|| graph.picture.value()?.fact(graph.selected?))??;
    Some(sheet::Event::Correct(Box::new(fact)))
}

fn said(ui: Ui) -> Option<sheet::Event> {
    let memory = ui.memory.peek();
    if let Some(Sheet::Details { id }) = memory.sheet.sheet {
        return Some(sheet::Event::Source(id));
    }
    let graph = &memory.graph;
    let node = is_graph(ui).then(|| graph.picture.value()?.nodes.get(graph.selected? as usize))??;
    node.source.map(sheet::Event::Source)
}

macro_rules! action {
    ($id:literal, $title:literal, $key:expr, $enabled:expr, $run:expr $(,)?) => {
        Action { id: $id, title: $title, group: GROUP, key: $key, enabled: $enabled, run: $run }
    };
}

pub(super) const ACTIONS: &[Action] = &[
    action!("memory.show", "Show memory", Some("Ctrl+Shift+E"), always, go_back),
    action!("memory.search", "Search in memory", None, always, |ui| go(ui, Tab::Search)),
    action!("memory.timeline", "Show the timeline of memory", None, always, |ui| go(ui, Tab::Timeline)),
    action!("memory.facts", "Show the facts", None, always, |ui| go(ui, Tab::Facts)),
    action!("memory.graph", "Show the memory graph", None, always, |ui| go(ui, Tab::Graph)),
    action!("memory.graph.list", "Show the memory graph as a list", None, always, |ui| {
        go(ui, Tab::Graph);
        let as_list = ui.memory.peek().graph.as_list;
        ui.send(graph::Event::AsList(!as_list));
    }),
    action!("memory.graph.find", "Find in the memory graph", None, is_graph, |ui| ui.send(Event::Focus("graph-find"))),
    action!("memory.graph.in", "Zoom into the memory graph", None, is_drawn, |ui| ui.send(graph::Event::ZoomIn)),
    action!("memory.graph.out", "Zoom out of the memory graph", None, is_drawn, |ui| ui.send(graph::Event::ZoomOut)),
    action!("memory.graph.fit", "Show all of the memory graph", None, is_drawn, |ui| ui.send(graph::Event::Fit)),
    action!("memory.graph.everything", "Show the graph around everything", None, is_graph, |ui| {
        ui.send(graph::Event::Around(None));
    }),
    action!("memory.remember", "Remember something", None, always, |ui| {
        go_back(ui);
        ui.send(sheet::Event::Remember(String::new()));
    }),
    action!("memory.edit", "Correct what is selected", None, |ui| editable(ui).is_some(), |ui| {
        if let Some(event) = editable(ui) {
            ui.send(event);
        }
    }),
    action!("memory.source", "Go to where the selected was said", None, |ui| said(ui).is_some(), |ui| {
        if let Some(event) = said(ui) {
            ui.send(event);
        }
    }),
    action!("memory.forget", "Forget what is selected", None, |ui| at_hand(ui).is_some(), |ui| {
        if let Some(what) = at_hand(ui) {
            ui.send(sheet::Event::Forget(what));
        }
    }),
    action!("memory.refresh", "Read memory anew", None, is_open, |ui| ui.send(Event::Refresh)),
];
