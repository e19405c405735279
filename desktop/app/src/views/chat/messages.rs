//! The messages: the part of the conversation that is shown, and the place in it.

use super::live::Live;
use super::message::{Said, Unanswered};
use super::welcome::Welcome;
use crate::components::{Banner, Button, Glyph, Icon, Skeleton, Spinner};
use crate::markdown;
use crate::state::chat::list::Phase;
use crate::state::chat::{self, shared::Shared};
use crate::state::frame::Tone;
use crate::ui::{Ui, use_ui};
use crate::window;
use butterfly_api::conversations::StoredMessage;
use butterfly_api::model::Role;
use dioxus::prelude::*;

/// Keeps the end in sight while it is, and what is being read where it is.
const SCROLL: &str = include_str!("../../../assets/scroll.js");

/// Messages whose beginning needs no mark: one did not scroll far to it.
const SHORT: usize = 20;

/// What stands in the column.
#[derive(Clone, PartialEq)]
struct Shown {
    id: Option<u64>,
    phase: Phase,
    messages: Vec<Shared<StoredMessage>>,
    run: Option<u64>,
    shows_end: bool,
    shows_beginning: bool,
    reading_earlier: bool,
}

/// The column of messages.
#[component]
pub fn Messages() -> Element {
    let ui = use_ui();
    use_hook(|| {
        if !cfg!(test) {
            window::run(SCROLL);
        }
    });
    let shown = use_memo(move || {
        let chat = ui.chat.read();
        let thread = &chat.thread;
        Shown {
            id: thread.id,
            phase: thread.phase.clone(),
            messages: thread.shown().to_vec(),
            run: thread.run,
            shows_end: thread.shows_end(),
            shows_beginning: thread.shows_beginning(),
            reading_earlier: thread.reading_earlier,
        }
    });
    let jumps = use_memo(move || ui.chat.read().thread.jumps);
    let target = use_memo(move || ui.chat.read().thread.target);
    let shown = shown.read();
    let is_new = shown.id.is_none() && shown.run.is_none();
    let last = shown.messages.last().map(|message| (message.id, message.role));
    rsx! {
        div {
            class: "messages",
            id: "messages",
            role: "region",
            tabindex: "0",
            "aria-label": "Messages",
            div {
                class: "column",
                id: "message-column",
                // Where the column's script goes, and how often that was asked for.
                "data-end": format!("{} {jumps}", shown.id.unwrap_or_default()),
                "data-show": target().map(|(message, times)| format!("{message} {times}")),
                if is_new {
                    Welcome {}
                } else if let Phase::Failed(why) = &shown.phase {
                    Banner { tone: Tone::Danger, title: "This conversation could not be read.",
                        p { "{why}" }
                        Button { label: "Try again", icon: Icon::Refresh, onclick: move |()| ui.send(chat::Event::Reload) }
                    }
                } else if shown.phase == Phase::Loading && shown.messages.is_empty() {
                    div { class: "messages-loading", Skeleton { lines: 5 } }
                }
                if shown.reading_earlier {
                    div { class: "earlier", Spinner { label: "Reading earlier messages" } "Earlier messages" }
                } else if shown.shows_beginning && shown.messages.len() > SHORT {
                    div { class: "beginning", "The beginning of this conversation" }
                }
                for message in shown.messages.iter() {
                    Said {
                        key: "{message.id}",
                        message: message.clone(),
                        is_last: shown.shows_end && shown.run.is_none() && last.map(|(id, _)| id) == Some(message.id),
                    }
                }
                if shown.shows_end {
                    if shown.run.is_some() {
                        Pending {}
                    } else if let Some((id, Role::User)) = last {
                        Unanswered { message: id }
                    }
                    // Each run has an element of its own.
                    for run in shown.run {
                        Live { key: "{run}", run }
                    }
                }
            }
        }
        Announcer {}
        // What the column's script presses: the place in it changes too often to be told each time.
        div { hidden: true,
            button { id: "scroll-top", r#type: "button", onclick: move |_| near_top(ui) }
            button { id: "scroll-bottom", r#type: "button", onclick: move |_| near_end(ui) }
            button { id: "scroll-end", r#type: "button", onclick: move |_| at_end(ui, true) }
            button { id: "scroll-away", r#type: "button", onclick: move |_| at_end(ui, false) }
        }
    }
}

/// The upper edge comes into reach.
fn near_top(ui: Ui) {
    let wanted = {
        let chat = ui.chat.peek();
        let thread = &chat.thread;
        !thread.shows_beginning() && !thread.reading_earlier
    };
    if wanted {
        ui.send(chat::Event::NearTop);
    }
}

/// The lower edge comes into reach.
fn near_end(ui: Ui) {
    if !ui.chat.peek().thread.shows_end() {
        ui.send(chat::Event::NearEnd);
    }
}

/// The end comes into sight, or leaves it.
fn at_end(ui: Ui, at_end: bool) {
    if ui.chat.peek().thread.at_end != at_end {
        ui.send(chat::Event::AtEnd(at_end));
    }
}

/// The person's words that the transcript does not have yet.
#[component]
fn Pending() -> Element {
    let ui = use_ui();
    let text = use_memo(move || ui.chat.read().pending().map(|text| (*text).clone()));
    let Some(text) = text() else { return rsx! {} };
    rsx! {
        article { class: "said user", "data-anchor": "pending", "aria-label": "You",
            div { class: "card", super::blocks::Blocks { blocks: markdown::plain(&text) } }
            // As high as when its buttons are there, so that the answer stays where it is.
            div { class: "said-tools" }
        }
    }
}

/// Leads back to the end.
#[component]
pub fn Jump() -> Element {
    let ui = use_ui();
    let away = use_memo(move || {
        let chat = ui.chat.read();
        let thread = &chat.thread;
        (!thread.at_end && !thread.messages.is_empty()).then(|| chat.is_running())
    });
    let Some(running) = away() else { return rsx! {} };
    rsx! {
        button {
            class: "jump",
            id: "jump-latest",
            r#type: "button",
            onclick: move |_| ui.send(chat::Event::Latest),
            Glyph { icon: Icon::ChevronDown, size: 14 }
            "Jump to latest"
            if running {
                Spinner { label: "An answer is running" }
            }
        }
    }
}

/// Tells those who do not see the column what happens in it: that an answer begins, and what it was, but not each word.
#[component]
fn Announcer() -> Element {
    let ui = use_ui();
    let text = use_memo(move || {
        let chat = ui.chat.read();
        if chat.is_running() {
            return "The assistant is answering.".to_owned();
        }
        match chat.thread.last_answer() {
            Some(answer) => {
                let begin: String = answer.text.chars().take(600).collect();
                format!("Answer: {}", markdown::clean(&begin))
            }
            None => String::new(),
        }
    });
    rsx! {
        div { class: "visually-hidden", role: "status", "aria-live": "polite", "{text}" }
    }
}
