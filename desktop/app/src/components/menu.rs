//! A button that opens a menu (WAI-ARIA Authoring Practices, menu button).

use super::{Glyph, Icon};
use dioxus::prelude::*;

/// An entry of a menu, or a line between entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MenuItem {
    /// What `onselect` is called with; empty for a line.
    pub id: String,
    pub label: String,
    icon: Option<Icon>,
    danger: bool,
    disabled: bool,
    checked: Option<bool>,
    key: Option<String>,
}

impl MenuItem {
    #[must_use]
    pub fn new(id: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            label: label.into(),
            icon: None,
            danger: false,
            disabled: false,
            checked: None,
            key: None,
        }
    }

    /// A line between groups of entries.
    #[must_use]
    pub fn separator() -> Self {
        Self::new("", "")
    }

    #[must_use]
    pub fn icon(mut self, icon: Icon) -> Self {
        self.icon = Some(icon);
        self
    }

    /// It destroys something.
    #[must_use]
    pub fn danger(mut self) -> Self {
        self.danger = true;
        self
    }

    #[must_use]
    pub fn disabled(mut self, disabled: bool) -> Self {
        self.disabled = disabled;
        self
    }

    /// One of several that may be on.
    #[must_use]
    pub fn checked(mut self, checked: bool) -> Self {
        self.checked = Some(checked);
        self
    }

    /// The key that does the same.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }
}

/// The menu's button, and the menu while it is open.
#[component]
pub fn Menu(
    /// The button's name, and its tooltip where it has no text.
    label: String,
    #[props(default)] icon: Option<Icon>,
    #[props(default)] text: Option<String>,
    items: Vec<MenuItem>,
    #[props(default)] align_end: bool,
    #[props(default)] id: Option<String>,
    #[props(default)] disabled: bool,
    onselect: EventHandler<String>,
) -> Element {
    let mut open = use_signal(|| false);
    let class = if text.is_some() { "button ghost menu-button" } else { "icon-button" };
    rsx! {
        div { class: "menu-anchor",
            button {
                class,
                r#type: "button",
                id,
                disabled,
                title: text.is_none().then(|| label.clone()),
                "aria-label": "{label}",
                "aria-haspopup": "menu",
                "aria-expanded": "{open}",
                onclick: move |event| {
                    event.stop_propagation();
                    open.toggle();
                },
                onkeydown: move |event| {
                    if event.key() == Key::ArrowDown {
                        event.prevent_default();
                        open.set(true);
                    }
                },
                if let Some(icon) = icon {
                    Glyph { icon }
                }
                if let Some(text) = &text {
                    span { class: "menu-text", "{text}" }
                    Glyph { icon: Icon::ChevronDown, size: 14 }
                }
            }
            if open() {
                div { class: "menu-scrim", onclick: move |event| {
                    event.stop_propagation();
                    open.set(false);
                } }
                div {
                    class: if align_end { "menu end" } else { "menu" },
                    role: "menu",
                    tabindex: "-1",
                    "aria-label": "{label}",
                    // The head's script moves the focus between entries by the arrow keys, and back to the button.
                    "data-menu": "true",
                    onkeydown: move |event| {
                        if matches!(event.key(), Key::Escape | Key::Tab) {
                            event.stop_propagation();
                            open.set(false);
                        }
                    },
                    for (at, item) in items.into_iter().enumerate() {
                        Entry { key: "{at}", item, onselect: move |id| {
                            open.set(false);
                            onselect.call(id);
                        } }
                    }
                }
            }
        }
    }
}

#[component]
fn Entry(item: MenuItem, onselect: EventHandler<String>) -> Element {
    if item.id.is_empty() {
        return rsx! {
            div { class: "menu-line", role: "separator" }
        };
    }
    let role = if item.checked.is_some() { "menuitemradio" } else { "menuitem" };
    let id = item.id.clone();
    rsx! {
        button {
            class: if item.danger { "menu-item danger" } else { "menu-item" },
            r#type: "button",
            role,
            tabindex: "-1",
            disabled: item.disabled,
            "data-item": "{item.id}",
            "aria-checked": item.checked.map(|checked| checked.to_string()),
            onclick: move |event| {
                event.stop_propagation();
                onselect.call(id.clone());
            },
            span { class: "menu-icon",
                if let Some(icon) = item.icon {
                    Glyph { icon }
                } else if item.checked == Some(true) {
                    Glyph { icon: Icon::Check }
                }
            }
            span { class: "menu-label", "{item.label}" }
            if let Some(key) = item.key {
                kbd { "{key}" }
            }
        }
    }
}
