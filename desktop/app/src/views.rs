//! The views. Adding one is a file here, and a line in [`VIEWS`].

use crate::actions::Action;
use crate::components::Icon;
use dioxus::prelude::*;

mod chat;
mod diagnostics;
mod gallery;
mod memory;
mod settings;
pub mod setup;
mod shortcuts;

/// A view: what the sidebar shows of it, how it is drawn, and what can be done in it.
#[derive(Clone, Copy)]
pub struct View {
    /// Stable, such as `chat`.
    pub id: &'static str,
    pub title: &'static str,
    pub icon: Icon,
    /// Whether the sidebar leads to it; the rest is reached by key and palette.
    pub in_sidebar: bool,
    pub render: fn() -> Element,
    /// What the sidebar shows below the views while this one is shown, such as the conversations.
    pub panel: Option<fn() -> Element>,
    pub actions: &'static [Action],
}

/// In the sidebar's order.
pub const VIEWS: &[View] =
    &[chat::VIEW, memory::VIEW, diagnostics::VIEW, settings::VIEW, shortcuts::VIEW, gallery::VIEW];

/// The view of this id; the first where there is none.
#[must_use]
pub fn find(id: &str) -> &'static View {
    VIEWS.iter().find(|view| view.id == id).unwrap_or(&VIEWS[0])
}
