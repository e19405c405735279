//! A conversation in the list, and a place that a search found.

use crate::components::{Glyph, Icon, IconButton, Menu, MenuItem, Spinner};
use crate::markdown;
use crate::state::chat::list::pieces;
use crate::state::chat::{Event, shared::Shared};
use crate::ui::use_ui;
use crate::window;
use butterfly_api::conversations::{Conversation, Format, Hit};
use dioxus::prelude::*;
use jiff::{Timestamp, Zoned};

/// A conversation.
#[component]
pub fn Row(conversation: Shared<Conversation>) -> Element {
    let ui = use_ui();
    let id = conversation.id;
    let marks = use_memo(move || {
        let chat = ui.chat.read();
        (
            chat.thread.id == Some(id),
            chat.runs_in(id),
            chat.list.unread.contains(&id),
            chat.list.renaming == Some(id),
            chat.has_draft(id),
        )
    });
    let (is_open, runs, unread, renaming, drafted) = marks();
    let title = markdown::clean(&conversation.title).into_owned();
    let trashed = conversation.trashed_unix_ms.is_some();
    if renaming {
        return rsx! {
            li { class: "conversation", Rename { id, title: conversation.title.clone() } }
        };
    }
    rsx! {
        li { class: if is_open { "conversation open" } else { "conversation" },
            button {
                class: "conversation-title",
                r#type: "button",
                id: "conversation-{id}",
                "data-row": "{id}",
                title: "{title}",
                "aria-current": is_open.then_some("true"),
                onclick: move |_| ui.send(Event::Open { conversation: id, message: None }),
                ondoubleclick: move |_| ui.send(Event::BeginRename(id)),
                span { class: "conversation-name", dir: "auto", "{title}" }
                if runs {
                    Spinner { label: "Being answered" }
                } else if unread {
                    span { class: "dot success", role: "img", "aria-label": "New answer" }
                } else if drafted && !is_open {
                    span { class: "draft", title: "Something was typed and not sent", Glyph { icon: Icon::Edit, size: 12 } }
                }
            }
            if trashed {
                IconButton { icon: Icon::Undo, label: "Take out of the trash", id: "restore-{id}", onclick: move |()| ui.send(Event::Restore(id)) }
            } else {
                Menu {
                    label: "More about {title}",
                    icon: Icon::More,
                    id: "conversation-menu-{id}",
                    align_end: true,
                    items: vec![
                        MenuItem::new("rename", "Rename").icon(Icon::Edit),
                        MenuItem::new("pin", if conversation.pinned { "Unpin" } else { "Pin" }).icon(Icon::Pin),
                        MenuItem::new("markdown", "Export as Markdown").icon(Icon::Download),
                        MenuItem::new("json", "Export as JSON").icon(Icon::Download),
                        MenuItem::separator(),
                        MenuItem::new("delete", "Delete").icon(Icon::Trash).danger(),
                    ],
                    onselect: move |chosen: String| match chosen.as_str() {
                        "rename" => ui.send(Event::BeginRename(id)),
                        "pin" => ui.send(Event::Pin(id)),
                        "markdown" => ui.send(Event::Export { conversation: id, format: Format::Markdown }),
                        "json" => ui.send(Event::Export { conversation: id, format: Format::Json }),
                        "delete" => ui.send(Event::Delete(id)),
                        _ => {}
                    },
                }
            }
        }
    }
}

/// The field in which a title is typed. Leaving it keeps what was typed, Escape does not.
#[component]
fn Rename(id: u64, title: String) -> Element {
    let ui = use_ui();
    let mut typed = use_signal(|| title.clone());
    let mut left = use_signal(|| false);
    let mut keep = move || {
        if !left() {
            left.set(true);
            ui.send(Event::Rename { conversation: id, title: typed() });
        }
    };
    rsx! {
        input {
            class: "input rename",
            id: "rename-{id}",
            r#type: "text",
            "aria-label": "Title of the conversation",
            initial_value: "{title}",
            autocomplete: "off",
            spellcheck: "false",
            onmounted: |event| async move {
                // It is there only as long as it is typed in.
                let _ = event.set_focus(true).await;
            },
            oninput: move |event| typed.set(event.value()),
            onblur: move |_| keep(),
            onkeydown: move |event| match event.key() {
                Key::Enter => {
                    event.prevent_default();
                    keep();
                }
                Key::Escape => {
                    event.stop_propagation();
                    left.set(true);
                    ui.send(Event::CancelRename);
                }
                _ => event.stop_propagation(),
            },
        }
    }
}

/// Moves the focus along the list's rows.
pub fn move_focus(step: i8) {
    // What is looked for are the rows themselves; groups and menus lie between them.
    let script = format!(
        "(() => {{ const rows = [...document.querySelectorAll('[data-row]')]; \
         const at = rows.indexOf(document.activeElement?.closest('li')?.querySelector('[data-row]')); \
         rows[Math.min(rows.length - 1, Math.max(0, at + ({step})))]?.focus(); }})()"
    );
    if !cfg!(test) {
        window::run(&script);
    }
}

/// A place where the words were found.
#[component]
pub fn Found(hit: Shared<Hit>) -> Element {
    let ui = use_ui();
    let (conversation, message) = (hit.conversation, hit.message);
    let title = markdown::clean(&hit.title).into_owned();
    let found = pieces(&hit.snippet, &hit.matches);
    let when = when(hit.at_unix_ms, &Zoned::now());
    let exact = day(hit.at_unix_ms);
    rsx! {
        li {
            button {
                class: "hit",
                r#type: "button",
                onclick: move |_| ui.send(Event::Open { conversation, message }),
                span { class: "hit-head",
                    if message.is_some() {
                        span { class: "hit-title", dir: "auto", "{title}" }
                    } else {
                        span { class: "hit-title", dir: "auto",
                            for (at, piece) in found.iter().enumerate() {
                                Piece { key: "{at}", text: piece.text.clone(), matched: piece.matched }
                            }
                        }
                    }
                    span { class: "hit-when", title: "{exact}", "{when}" }
                }
                if message.is_some() {
                    span { class: "hit-snippet", dir: "auto",
                        for (at, piece) in found.iter().enumerate() {
                            Piece { key: "{at}", text: piece.text.clone(), matched: piece.matched }
                        }
                    }
                }
            }
        }
    }
}

#[component]
fn Piece(text: String, matched: bool) -> Element {
    let text = markdown::clean(&text).into_owned();
    if matched {
        rsx! { mark { "{text}" } }
    } else {
        rsx! { "{text}" }
    }
}

/// The day of a time in ms since 1970, such as `14 Mar 2026`.
pub fn day(unix_ms: u64) -> String {
    at(unix_ms, &Zoned::now()).map(|at| at.strftime("%-d %b %Y").to_string()).unwrap_or_default()
}

/// The shortest that tells when: the time today, the day this year, else the day and the year.
fn when(unix_ms: u64, now: &Zoned) -> String {
    let Some(at) = at(unix_ms, now) else { return String::new() };
    let format = match (at.date() == now.date(), at.year() == now.year()) {
        (true, _) => "%H:%M",
        (false, true) => "%-d %b",
        (false, false) => "%-d %b %Y",
    };
    at.strftime(format).to_string()
}

fn at(unix_ms: u64, now: &Zoned) -> Option<Zoned> {
    let at = Timestamp::from_millisecond(i64::try_from(unix_ms).ok()?).ok()?;
    Some(at.to_zoned(now.time_zone().clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_as_short_as_it_can_be() {
        let now: Zoned = "2026-03-15T12:00[Europe/Berlin]".parse().unwrap();
        let ms = |text: &str| {
            let at: Zoned = text.parse().unwrap();
            u64::try_from(at.timestamp().as_millisecond()).unwrap()
        };
        assert_eq!(when(ms("2026-03-15T09:05[Europe/Berlin]"), &now), "09:05");
        assert_eq!(when(ms("2026-01-02T09:05[Europe/Berlin]"), &now), "2 Jan");
        assert_eq!(when(ms("2025-12-31T23:59[Europe/Berlin]"), &now), "31 Dec 2025");
        assert_eq!(when(u64::MAX, &now), "");
    }
}
