//! The line above the conversation: its title, and what can be done with it as a whole.

use crate::components::{Icon, IconButton, Menu, MenuItem};
use crate::markdown;
use crate::state::chat::Event;
use crate::ui::use_ui;
use crate::{actions, state::frame};
use dioxus::prelude::*;

/// The line.
#[component]
pub fn Head() -> Element {
    let ui = use_ui();
    let about = use_memo(move || {
        let chat = ui.chat.read();
        let about = chat.thread.about.as_ref();
        (
            chat.thread.id,
            about.map(|about| markdown::clean(&about.title).into_owned()),
            about.is_some_and(|about| about.pinned),
        )
    });
    let sidebar = use_memo(move || ui.frame.read().sidebar);
    let (id, title, pinned) = about();
    let title = title.unwrap_or_else(|| if id.is_some() { "Conversation" } else { "New chat" }.to_owned());
    let key = move |id: &str| ui.frame.peek().keys.chord(id).map(|chord| chord.to_string()).unwrap_or_default();
    rsx! {
        header { class: "chat-head",
            if !sidebar() {
                IconButton { icon: Icon::Sidebar, label: "Show the sidebar", id: "show-sidebar", onclick: move |()| ui.send(frame::Event::ToggleSidebar) }
            }
            h1 { class: "chat-title", id: "chat-title", dir: "auto", title: "{title}", "{title}" }
            crate::views::setup::ResponderBadge {}
            if let Some(conversation) = id {
                Menu {
                    label: "This conversation",
                    icon: Icon::More,
                    id: "chat-menu",
                    align_end: true,
                    items: vec![
                        MenuItem::new("chat.rename", "Rename").icon(Icon::Edit).key(key("chat.rename")),
                        MenuItem::new("chat.pin", if pinned { "Unpin" } else { "Pin" }).icon(Icon::Pin),
                        MenuItem::new("chat.export", "Export as Markdown").icon(Icon::Download).key(key("chat.export")),
                        MenuItem::new("chat.export_json", "Export as JSON").icon(Icon::Download),
                        MenuItem::new("chat.profile", "Settings profile").icon(Icon::Settings),
                        MenuItem::separator(),
                        MenuItem::new("delete", "Delete").icon(Icon::Trash).danger(),
                    ],
                    onselect: move |chosen: String| match chosen.as_str() {
                        "delete" => ui.send(Event::Delete(conversation)),
                        other => actions::run(ui, other),
                    },
                }
            }
            IconButton { icon: Icon::Plus, label: "New chat", id: "head-new", onclick: move |()| ui.send(Event::New) }
        }
    }
}
