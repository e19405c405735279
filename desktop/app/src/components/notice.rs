//! What a place says about itself: badges, banners, and what stands where nothing is yet.

use super::{Glyph, Icon, IconButton};
use crate::state::frame::Tone;
use dioxus::prelude::*;

impl Tone {
    /// The class that gives an element this tone.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Success => "success",
            Self::Warning => "warning",
            Self::Danger => "danger",
        }
    }

    #[must_use]
    pub const fn icon(self) -> Icon {
        match self {
            Self::Info => Icon::Info,
            Self::Success => Icon::Check,
            Self::Warning => Icon::Warning,
            Self::Danger => Icon::Danger,
        }
    }
}

/// A word or two about what stands beside it.
#[component]
pub fn Badge(tone: Tone, text: String) -> Element {
    rsx! {
        span { class: "badge {tone.class()}", "{text}" }
    }
}

/// Something about the whole place, until it is mended or closed.
#[component]
pub fn Banner(
    tone: Tone,
    #[props(default)] title: Option<String>,
    #[props(default)] onclose: Option<EventHandler<()>>,
    children: Element,
) -> Element {
    let role = if tone == Tone::Danger { "alert" } else { "status" };
    rsx! {
        div { class: "banner {tone.class()}", role,
            Glyph { icon: tone.icon(), size: 18 }
            div { class: "banner-body",
                if let Some(title) = title {
                    strong { "{title}" }
                }
                {children}
            }
            if let Some(onclose) = onclose {
                IconButton { icon: Icon::Close, label: "Dismiss", onclick: move |()| onclose.call(()) }
            }
        }
    }
}

/// Nothing is here yet, and why, and what to do.
#[component]
pub fn EmptyState(icon: Icon, title: String, text: String, children: Element) -> Element {
    rsx! {
        div { class: "empty",
            div { class: "empty-icon",
                Glyph { icon, size: 28 }
            }
            h3 { "{title}" }
            p { "{text}" }
            div { class: "empty-actions", {children} }
        }
    }
}

/// What stands in the place of text that is being fetched.
#[component]
pub fn Skeleton(#[props(default = 3)] lines: u8) -> Element {
    rsx! {
        div { class: "skeleton", role: "status", "aria-label": "Loading",
            for line in 0..lines {
                span { key: "{line}", class: "skeleton-line" }
            }
        }
    }
}
