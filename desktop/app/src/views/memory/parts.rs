//! What the tabs share: how they stand while something is read, fails or is not there, and the choice of a kind.

use crate::components::{Button, ButtonKind, EmptyState, Icon, Skeleton};
use crate::state::link;
use crate::state::memory::Event;
use crate::ui::use_ui;
use butterfly_api::memory::{NodeKind, PassageKind};
use dioxus::prelude::*;
use std::ops::Deref;
use std::sync::Arc;

/// Something great that many components look at. Two are equal if they are the same one.
#[derive(Debug)]
pub(super) struct Shared<T>(pub Arc<T>);

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// How a tab stands when it has nothing to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// There is something.
    Shown,
    /// It is being read.
    Loading,
    /// It could not be read.
    Failed(String),
    /// The assistant is not running, and nothing was read before.
    Offline,
    /// It was read, and is empty.
    Empty,
}

/// How a tab stands: `has` something to show, was `read` at all, is `loading`, `failed`.
pub(super) fn standing(link: &link::State, has: bool, read: bool, loading: bool, failed: Option<&str>) -> Standing {
    if has {
        return Standing::Shown;
    }
    if !link.is_connected() {
        return Standing::Offline;
    }
    match failed {
        _ if loading => Standing::Loading,
        Some(why) => Standing::Failed(why.to_owned()),
        None if read => Standing::Empty,
        None => Standing::Loading,
    }
}

/// Whether the memory worker cannot answer now, while the kernel can.
pub(super) fn worker_is_away(link: &link::State) -> bool {
    link.is_connected() && link.away.iter().any(|(name, _)| name == "memory")
}

/// What stands where nothing can be shown; the tab's own words where it is empty.
#[component]
pub(super) fn Stand(standing: Standing, empty: Element) -> Element {
    let ui = use_ui();
    match standing {
        Standing::Shown => rsx! {},
        Standing::Empty => rsx! { {empty} },
        Standing::Loading => rsx! {
            div { class: "memory-loading", "aria-busy": "true",
                Skeleton { lines: 6 }
            }
        },
        Standing::Offline => rsx! {
            EmptyState {
                icon: Icon::Memory,
                title: "Memory cannot be read now",
                text: "The assistant is not running. Nothing is lost: it is shown here as soon as it runs again.",
            }
        },
        Standing::Failed(why) => rsx! {
            div { role: "alert",
                EmptyState { icon: Icon::Warning, title: "This could not be read", text: why,
                    Button {
                        label: "Try again",
                        kind: ButtonKind::Primary,
                        icon: Icon::Refresh,
                        id: "memory-again",
                        onclick: move |()| ui.send(Event::Refresh),
                    }
                }
            }
        },
    }
}

/// Why what is shown is not what is there now: the last reading failed.
#[component]
pub(super) fn Outdated(why: Option<String>) -> Element {
    rsx! {
        if let Some(why) = why {
            div { class: "memory-outdated", role: "alert", p { "This may be out of date: {why}" } }
        }
    }
}

/// One kind of passages, or all of them.
#[component]
pub(super) fn Kinds(
    /// For the ids of its buttons.
    name: String,
    selected: Option<PassageKind>,
    /// How many there are of each, where that is known: all, memories, messages, summaries.
    #[props(default)]
    counts: Option<[usize; 4]>,
    onselect: EventHandler<Option<PassageKind>>,
) -> Element {
    let kinds = [
        (None, "All", "all"),
        (Some(PassageKind::Memory), "Memories", "memory"),
        (Some(PassageKind::Message), "Messages", "message"),
        (Some(PassageKind::Summary), "Summaries", "summary"),
    ];
    rsx! {
        div { class: "memory-segments", role: "group", "aria-label": "Kind",
            for (at, (kind, title, id)) in kinds.into_iter().enumerate() {
                button {
                    key: "{id}",
                    class: "memory-segment",
                    r#type: "button",
                    id: "{name}-{id}",
                    "aria-pressed": "{selected == kind}",
                    onclick: move |_| onselect.call(kind),
                    "{title}"
                    if let Some(counts) = counts {
                        span { class: "memory-count", "{counts[at]}" }
                    }
                }
            }
        }
    }
}

/// The name of a kind of passages.
pub(super) const fn kind(kind: PassageKind) -> &'static str {
    match kind {
        PassageKind::Memory => "Memory",
        PassageKind::Message => "Message",
        PassageKind::Summary => "Summary",
    }
}

/// The name of a kind of nodes, and the class that gives it its shape and colour.
pub(super) const fn node_kind(kind: NodeKind) -> (&'static str, &'static str) {
    match kind {
        NodeKind::Entity => ("Entity", "is-entity"),
        NodeKind::Event => ("Event", "is-event"),
        NodeKind::Fact => ("Fact", "is-fact"),
    }
}

/// Whether the end of what scrolls is near: less than a window away.
pub(super) fn is_near_end(event: &Scrolled) -> bool {
    let (top, height, window) = (event.scroll_top(), event.scroll_height(), event.client_height());
    f64::from(height) - top - f64::from(window) < f64::from(window)
}

type Scrolled = dioxus::prelude::Event<ScrollData>;
