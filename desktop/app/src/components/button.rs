//! Buttons.

use super::{Glyph, Icon};
use dioxus::prelude::*;

/// How much a button asks to be pressed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum ButtonKind {
    /// The one thing to do here.
    Primary,
    #[default]
    Secondary,
    /// Beside others, without a frame.
    Ghost,
    /// It destroys something.
    Danger,
}

impl ButtonKind {
    const fn class(self) -> &'static str {
        match self {
            Self::Primary => "button primary",
            Self::Secondary => "button",
            Self::Ghost => "button ghost",
            Self::Danger => "button danger",
        }
    }
}

/// A button with words.
#[component]
pub fn Button(
    label: String,
    #[props(default)] kind: ButtonKind,
    #[props(default)] icon: Option<Icon>,
    #[props(default)] disabled: bool,
    /// For a button that stays down: whether it is.
    #[props(default)]
    pressed: Option<bool>,
    #[props(default)] id: Option<String>,
    onclick: EventHandler<()>,
) -> Element {
    rsx! {
        button {
            class: kind.class(),
            r#type: "button",
            id,
            disabled,
            "aria-pressed": pressed.map(|pressed| pressed.to_string()),
            onclick: move |event| {
                event.stop_propagation();
                onclick.call(());
            },
            if let Some(icon) = icon {
                Glyph { icon }
            }
            span { "{label}" }
        }
    }
}

/// A button with an icon alone; the label is its name and its tooltip.
#[component]
pub fn IconButton(
    icon: Icon,
    label: String,
    #[props(default)] disabled: bool,
    #[props(default)] pressed: Option<bool>,
    #[props(default)] danger: bool,
    #[props(default)] id: Option<String>,
    onclick: EventHandler<()>,
) -> Element {
    rsx! {
        button {
            class: if danger { "icon-button danger" } else { "icon-button" },
            r#type: "button",
            id,
            disabled,
            title: "{label}",
            "aria-label": "{label}",
            "aria-pressed": pressed.map(|pressed| pressed.to_string()),
            onclick: move |event| {
                event.stop_propagation();
                onclick.call(());
            },
            Glyph { icon }
        }
    }
}
