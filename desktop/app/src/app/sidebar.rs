//! The sidebar: the views, and what the shown one puts below them. Where it puts nothing, the icons alone are left, in
//! their places.

use crate::components::{Glyph, Icon};
use crate::state::frame;
use crate::state::link::Phase;
use crate::ui::Ui;
use crate::views::{self, VIEWS};
use dioxus::prelude::*;

/// The sidebar.
#[component]
pub fn Sidebar(ui: Ui) -> Element {
    let view = use_memo(move || ui.frame.read().view);
    let panel = views::find(view()).panel;
    rsx! {
        nav { class: if panel.is_some() { "sidebar" } else { "sidebar rail" }, "aria-label": "Views",
            div { class: "sidebar-head",
                span { class: "logo", Glyph { icon: Icon::Logo, size: 20 } }
                span { class: "sidebar-title", "ButterFly Bot" }
                Health { ui }
            }
            ul { class: "sidebar-views",
                for view in VIEWS.iter().filter(|view| view.in_sidebar) {
                    Entry { key: "{view.id}", ui, id: view.id }
                }
            }
            if let Some(panel) = panel {
                div { class: "sidebar-panel", {panel()} }
            }
        }
    }
}

#[component]
fn Entry(ui: Ui, id: &'static str) -> Element {
    let view = views::find(id);
    let is_current = use_memo(move || ui.frame.read().view == id);
    let key = use_memo(move || ui.frame.read().keys.chord(&format!("{id}.show")).map(|chord| chord.to_string()));
    rsx! {
        li {
            button {
                class: "sidebar-view",
                r#type: "button",
                id: "view-{id}",
                title: key().map_or_else(|| view.title.to_owned(), |key| format!("{} ({key})", view.title)),
                "aria-current": is_current().then_some("page"),
                onclick: move |_| ui.send(frame::Event::Show(id)),
                Glyph { icon: view.icon, size: 18 }
                span { class: "sidebar-word", "{view.title}" }
            }
        }
    }
}

/// A dot that says whether all is well; it leads to Diagnostics.
#[component]
fn Health(ui: Ui) -> Element {
    let (class, text) = {
        let link = ui.link.read();
        match &link.phase {
            Phase::Connected if link.away.is_empty() => ("dot success", "All workers are ready".to_owned()),
            Phase::Connected => {
                let names: Vec<_> = link.away.iter().map(|(name, _)| name.as_str()).collect();
                ("dot warning", format!("Not ready: {}", names.join(", ")))
            }
            Phase::Starting => ("dot warning", "Starting".to_owned()),
            Phase::Lost { .. } | Phase::Failed { .. } => ("dot danger", "The assistant is not running".to_owned()),
        }
    };
    rsx! {
        button {
            class: "health",
            r#type: "button",
            id: "health",
            title: "{text}",
            "aria-label": "{text}. Show diagnostics",
            onclick: move |_| ui.send(frame::Event::Show("diagnostics")),
            span { class }
        }
    }
}
