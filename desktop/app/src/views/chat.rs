//! The chat: the conversation that is open, with the others at its side.

mod blocks;
mod code;
mod commands;
mod composer;
mod dialogs;
mod forget;
mod head;
mod live;
mod message;
mod messages;
mod panel;
mod row;
mod secret;
#[cfg(test)]
mod tests;
mod welcome;

use super::View;
use crate::components::Icon;
use crate::state::chat::Event;
use crate::ui::use_ui;
use dioxus::html::HasFileData;
use dioxus::prelude::*;

pub const VIEW: View = View {
    id: "chat",
    title: "Chat",
    icon: Icon::Chat,
    in_sidebar: true,
    render: view,
    panel: Some(panel),
    actions: commands::ACTIONS,
};

fn view() -> Element {
    rsx! {
        Chat {}
    }
}

fn panel() -> Element {
    rsx! {
        panel::Panel {}
    }
}

/// The open conversation.
#[component]
pub fn Chat() -> Element {
    let ui = use_ui();
    let mut over = use_signal(|| false);
    rsx! {
        section {
            class: if over() { "chat dropping" } else { "chat" },
            "aria-label": "Conversation",
            ondragover: move |event| {
                event.prevent_default();
                over.set(true);
            },
            ondragleave: move |_| over.set(false),
            ondrop: move |event| {
                event.prevent_default();
                over.set(false);
                for file in event.files() {
                    ui.send(Event::DropFile(file.path()));
                }
            },
            head::Head {}
            div { class: "chat-card", crate::views::setup::Card {} }
            messages::Messages {}
            composer::Composer {}
            dialogs::Dialogs {}
            if over() {
                div { class: "drop", "aria-hidden": "true", "Drop a text file to quote it" }
            }
        }
    }
}
