//! Tabs (WAI-ARIA Authoring Practices, tabs with automatic activation).

use dioxus::prelude::*;

/// One tab's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tab {
    pub id: String,
    pub title: String,
    count: Option<usize>,
}

impl Tab {
    #[must_use]
    pub fn new(id: impl Into<String>, title: impl Into<String>) -> Self {
        Self { id: id.into(), title: title.into(), count: None }
    }

    /// With a number beside its title.
    #[must_use]
    pub fn count(mut self, count: usize) -> Self {
        self.count = Some(count);
        self
    }
}

/// The heads, and the panel of the one that is selected.
#[component]
pub fn Tabs(
    label: String,
    tabs: Vec<Tab>,
    selected: String,
    onselect: EventHandler<String>,
    children: Element,
) -> Element {
    let ids: Vec<String> = tabs.iter().map(|tab| tab.id.clone()).collect();
    let here = ids.iter().position(|id| *id == selected).unwrap_or(0);
    let panel = ids.get(here).cloned().unwrap_or_default();
    rsx! {
        div { class: "tabs",
            div {
                class: "tab-list",
                role: "tablist",
                "aria-label": "{label}",
                // The head's script moves the focus after the selection.
                "data-tabs": "true",
                onkeydown: move |event| {
                    let count = ids.len();
                    let to = match event.key() {
                        Key::ArrowRight => (here + 1) % count,
                        Key::ArrowLeft => (here + count - 1) % count,
                        Key::Home => 0,
                        Key::End => count - 1,
                        _ => return,
                    };
                    event.prevent_default();
                    onselect.call(ids[to].clone());
                },
                for tab in tabs {
                    TabHead { key: "{tab.id}", selected: tab.id == panel, tab, onselect }
                }
            }
            div {
                class: "tab-panel",
                role: "tabpanel",
                id: "panel-{panel}",
                "aria-labelledby": "tab-{panel}",
                {children}
            }
        }
    }
}

#[component]
fn TabHead(tab: Tab, selected: bool, onselect: EventHandler<String>) -> Element {
    let id = tab.id.clone();
    rsx! {
        button {
            class: "tab",
            r#type: "button",
            role: "tab",
            id: "tab-{tab.id}",
            tabindex: if selected { "0" } else { "-1" },
            "aria-selected": "{selected}",
            "aria-controls": "panel-{tab.id}",
            onclick: move |_| onselect.call(id.clone()),
            span { "{tab.title}" }
            if let Some(count) = tab.count {
                span { class: "tab-count", "{count}" }
            }
        }
    }
}
