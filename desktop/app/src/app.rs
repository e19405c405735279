//! The root: the frame around the views, and the loop that brings them what happens.

mod overlay;
mod sidebar;
mod toasts;

use crate::actions;
use crate::bridge;
use crate::components::{Banner, Button, ButtonKind, Spinner};
use crate::keys::Chord;

use crate::state::frame::{self, Tone};
use crate::state::link::{self, Phase};
use crate::ui::Ui;
use crate::{views, window};
use butterfly_start::Instance;
use dioxus::prelude::*;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Styles, in the order in which they build on each other.
pub const STYLES: &str = concat!(
    include_str!("../assets/tokens.css"),
    include_str!("../assets/base.css"),
    include_str!("../assets/components.css"),
    include_str!("../assets/frame.css"),
    include_str!("../assets/chat.css"),
    include_str!("../assets/setup.css"),
    include_str!("../assets/memory.css"),
    include_str!("../assets/diagnostics.css"),
    include_str!("../assets/settings.css"),
);

/// The whole app. Needs an `Arc<Instance>` in its context: which kernel it is about.
#[component]
pub fn App() -> Element {
    let instance = use_context::<Arc<Instance>>();
    let ui = use_context_provider(|| {
        let (effects, asked) = bridge::channel();
        let (happened, mut events) = mpsc::unbounded_channel();
        let ui = Ui::new(effects);
        // The bridge has threads of its own; this thread only takes in what happened.
        tokio::spawn(bridge::run(instance, asked, happened));
        spawn(async move {
            let mut last = Instant::now();
            while let Some(batch) = bridge::batch(&mut events, &mut last).await {
                for event in batch {
                    ui.send(event);
                }
            }
        });
        ui
    });
    window::use_window(ui);
    rsx! {
        Frame { ui }
    }
}

/// What is shown of a state: everything inside of the window.
#[component]
pub fn Frame(ui: Ui) -> Element {
    let look = use_memo(move || ui.frame.read().look.clone());
    let view = use_memo(move || ui.frame.read().view);
    let sidebar = use_memo(move || ui.frame.read().sidebar);
    let current = views::find(view());
    let look = look.read();
    rsx! {
        div {
            class: "app",
            id: "app",
            "data-theme": look.theme.word(),
            "data-accent": "{look.accent}",
            "data-motion": if look.reduced_motion { "reduced" },
            "data-sidebar": if sidebar() { "shown" } else { "hidden" },
            style: "font-size: {look.text_size}%",
            onkeydown: move |event| press(ui, &event),
            a { class: "skip-link", href: "#main", onclick: move |event| {
                event.prevent_default();
                crate::system::perform(ui, crate::state::System::Focus("main".into()));
            }, "Skip to the content" }
            if sidebar() {
                sidebar::Sidebar { ui }
            }
            main { class: "main", id: "main", tabindex: "-1", "aria-label": current.title,
                Connection { ui }
                div { class: "view", key: "{current.id}", {(current.render)()} }
            }
            overlay::Overlays { ui }
            toasts::Toasts { ui }
        }
    }
}

/// A key was pressed anywhere: it runs the action that it is bound to.
fn press(ui: Ui, event: &KeyboardEvent) {
    let chord = Chord::pressed(event.modifiers(), &event.key());
    if ui.frame.peek().rebinding.is_some() {
        event.prevent_default();
        if chord.key == "Escape" {
            ui.send(frame::Event::Rebind(None));
        } else if chord.is_bindable() {
            ui.send(frame::Event::Bound(chord));
        }
        return;
    }
    if chord.is_typing() {
        return;
    }
    let Some(action) = ui.frame.peek().keys.action(&chord) else { return };
    // What lies above the view has the keys to itself, but for the one that closes it.
    let is_covered = !matches!(ui.frame.peek().overlay, frame::Overlay::None);
    if is_covered && action.id != "frame.palette" {
        return;
    }
    if (action.enabled)(ui) {
        event.prevent_default();
        actions::run(ui, action.id);
    }
}

/// What is wrong with the connection, while something is.
#[component]
fn Connection(ui: Ui) -> Element {
    let phase = use_memo(move || ui.link.read().phase.clone());
    let start = move |()| ui.send(link::Event::Start);
    match phase() {
        Phase::Connected => rsx! {},
        Phase::Starting => rsx! {
            div { class: "connection", role: "status",
                Spinner { label: "Starting" }
                "Starting the assistant"
            }
        },
        Phase::Lost { why } => rsx! {
            Banner { tone: Tone::Warning, title: "The assistant is not running.",
                p { "{why} What you see stays; what you do waits until it is back." }
                Button { label: "Start it", kind: ButtonKind::Primary, id: "start-kernel", onclick: start }
            }
        },
        Phase::Failed { why } => rsx! {
            Banner { tone: Tone::Danger, title: "The assistant is not running.",
                p { "{why}" }
                Button { label: "Start it", kind: ButtonKind::Primary, id: "start-kernel", onclick: start }
            }
        },
    }
}
