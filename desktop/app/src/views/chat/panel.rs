//! The conversations at the side: search, the list by date, and the trash.

use super::row::{Found, Row};
use crate::components::{Button, ButtonKind, Glyph, Icon, IconButton, Skeleton, TextField};
use crate::state::chat::list::{self, Phase};
use crate::state::chat::{Event, shared::Shared};
use crate::ui::use_ui;
use dioxus::prelude::*;
use jiff::Zoned;

/// The panel.
#[component]
pub fn Panel() -> Element {
    let ui = use_ui();
    let query = use_memo(move || ui.chat.read().list.search.query.clone());
    let trash = use_memo(move || ui.chat.read().list.trash);
    let searching = use_memo(move || !query.read().trim().is_empty());
    rsx! {
        div { class: "panel-head",
            div { class: "panel-search",
                TextField {
                    id: "chat-search",
                    label: "Search conversations",
                    hide_label: true,
                    kind: "search",
                    placeholder: "Search",
                    value: query(),
                    oninput: move |text| ui.send(Event::Search(text)),
                    onkeydown: move |event: KeyboardEvent| {
                        if event.key() == Key::Escape && searching() {
                            event.stop_propagation();
                            ui.send(Event::Search(String::new()));
                        }
                    },
                }
            }
            IconButton { icon: Icon::Plus, label: "New chat", id: "chat-new", onclick: move |()| ui.send(Event::New) }
        }
        if searching() {
            Hits {}
        } else {
            Conversations {}
        }
        div { class: "panel-foot",
            Button {
                label: if trash() { "Back to conversations" } else { "Trash" },
                icon: if trash() { Icon::ChevronLeft } else { Icon::Trash },
                kind: ButtonKind::Ghost,
                id: "chat-trash",
                pressed: trash(),
                onclick: move |()| ui.send(Event::ShowTrash(!trash())),
            }
        }
    }
}

#[component]
fn Conversations() -> Element {
    let ui = use_ui();
    let all = use_memo(move || ui.chat.read().list.conversations.clone());
    let groups = use_memo(move || Shared::new(list::groups(&all.read(), &Zoned::now())));
    let about = use_memo(move || {
        let list = &ui.chat.read().list;
        (list.phase.clone(), list.trash, (list.conversations.len() as u64) < u64::from(list.total))
    });
    let (phase, trash, more) = about();
    let groups = groups();
    rsx! {
        nav {
            class: "conversations",
            id: "chat-list",
            tabindex: "-1",
            "aria-label": if trash { "Deleted conversations" } else { "Conversations" },
            onkeydown: move |event| {
                let step = match event.key() {
                    Key::ArrowDown => 1,
                    Key::ArrowUp => -1,
                    _ => return,
                };
                event.prevent_default();
                super::row::move_focus(step);
            },
            match phase {
                Phase::Loading if groups.is_empty() => rsx! {
                    div { class: "panel-note", Skeleton { lines: 6 } }
                },
                Phase::Failed(why) => rsx! {
                    div { class: "panel-note",
                        p { "The conversations could not be read. {why}" }
                        Button { label: "Try again", icon: Icon::Refresh, onclick: move |()| ui.send(Event::Reload) }
                    }
                },
                Phase::Ready if groups.is_empty() => rsx! {
                    p { class: "panel-note muted",
                        if trash { "The trash is empty. What is deleted stays here for 30 days." } else { "What you talk about is listed here." }
                    }
                },
                Phase::Ready | Phase::Loading => rsx! {},
            }
            for group in groups.iter() {
                section { key: "{group.title}", class: "group", "aria-label": "{group.title}",
                    h3 { class: "group-title",
                        if group.title == "Pinned" {
                            Glyph { icon: Icon::Pin, size: 12 }
                        }
                        "{group.title}"
                    }
                    ul {
                        for conversation in group.rows.iter() {
                            Row { key: "{conversation.id}", conversation: conversation.clone() }
                        }
                    }
                }
            }
            if more {
                Button { label: "Show more", kind: ButtonKind::Ghost, id: "chat-more", onclick: move |()| ui.send(Event::MoreListed) }
            }
        }
    }
}

#[component]
fn Hits() -> Element {
    let ui = use_ui();
    let search = use_memo(move || ui.chat.read().list.search.clone());
    let search = search.read();
    rsx! {
        nav { class: "conversations", id: "chat-hits", "aria-label": "What was found",
            match &search.phase {
                Phase::Loading => rsx! {
                    div { class: "panel-note", Skeleton { lines: 4 } }
                },
                Phase::Failed(why) => rsx! {
                    div { class: "panel-note", role: "alert", p { "{why}" } }
                },
                Phase::Ready => rsx! {
                    p { class: "group-title", role: "status",
                        match search.hits.len() {
                            0 => "Nothing was found".to_owned(),
                            1 => "1 place".to_owned(),
                            count => format!("{count} places"),
                        }
                    }
                },
            }
            ul {
                for (at, hit) in search.hits.iter().enumerate() {
                    Found { key: "{hit.conversation}-{hit.message:?}-{at}", hit: Shared::new(hit.clone()) }
                }
            }
        }
    }
}
