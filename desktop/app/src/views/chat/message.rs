//! A message of the transcript, and what can be done with it.

use super::blocks::Blocks;
use crate::components::{Badge, Button, Glyph, Icon, IconButton};
use crate::markdown;
use crate::state::chat::{self, BUILTIN, shared::Shared};
use crate::state::frame::Tone;
use crate::ui::use_ui;
use butterfly_api::conversations::{MessageState, StoredMessage};
use butterfly_api::model::{Role, Usage};
use dioxus::prelude::*;

/// Bytes of a message that are shown at once. Nobody reads more in one go, and laying it out takes long.
const CLIP: usize = 96 << 10;

/// A message.
#[component]
pub fn Said(message: Shared<StoredMessage>, is_last: bool) -> Element {
    match message.role {
        Role::User => rsx! {
            Asked { message, is_last }
        },
        Role::Assistant | Role::System | Role::Tool => rsx! {
            Answered { message, is_last }
        },
    }
}

/// Text that is cut where it is very long, until somebody wants the rest.
#[component]
fn Text(message: Shared<StoredMessage>) -> Element {
    let mut all = use_signal(|| false);
    let mut end = message.text.len();
    if end > CLIP && !all() {
        end = message.text.floor_char_boundary(CLIP);
    }
    let shared = message.clone();
    let blocks = use_memo(use_reactive!(|(shared, end)| {
        let text = &shared.text[..end];
        if shared.role == Role::User { markdown::plain(text) } else { markdown::parse(text) }
    }));
    let rest = (message.text.len() - end).div_ceil(1024);
    rsx! {
        Blocks { blocks: blocks() }
        if rest > 0 {
            Button { label: "Show the other {rest} KiB", icon: Icon::ChevronDown, onclick: move |()| all.set(true) }
        }
    }
}

#[component]
fn Asked(message: Shared<StoredMessage>, is_last: bool) -> Element {
    let ui = use_ui();
    let id = message.id;
    rsx! {
        article { class: "said user", id: "message-{id}", tabindex: "-1", "data-anchor": "{id}", "aria-label": "You",
            div { class: "card", Text { message: message.clone() } }
            div { class: "said-tools",
                Versions { versions: message.versions.clone(), id }
                IconButton { icon: Icon::Copy, label: "Copy", onclick: move |()| ui.send(chat::Event::Copy(id)) }
                IconButton { icon: Icon::Edit, label: "Edit and ask again", id: "edit-{id}", onclick: move |()| ui.send(chat::Event::Edit(id)) }
            }
        }
    }
}

#[component]
fn Answered(message: Shared<StoredMessage>, is_last: bool) -> Element {
    let ui = use_ui();
    let (id, turn) = (message.id, message.turn);
    let show_thinking = use_memo(move || ui.chat.read().show_thinking);
    let footer = use_memo(move || ui.frame.read().look.usage_footer);
    let error = message.error.clone();
    let notices = use_memo(move || {
        // What also stands as the reason below is said once.
        let notices = ui.chat.read().thread.notices(turn).to_vec();
        notices.into_iter().filter(|notice| Some(notice) != error.as_ref()).collect::<Vec<_>>()
    });
    let is_builtin = message.model == BUILTIN;
    rsx! {
        article {
            class: if is_last { "said assistant last" } else { "said assistant" },
            id: "message-{id}",
            tabindex: "-1",
            "data-anchor": "{id}",
            "aria-label": "Assistant",
            if is_builtin {
                div { class: "speaker",
                    Badge { tone: Tone::Info, text: "Built-in responder" }
                    span { class: "faint", "no language model is connected" }
                }
            }
            for (at, notice) in notices().into_iter().enumerate() {
                Notice { key: "{at}", text: notice }
            }
            if !message.thinking.is_empty() {
                Thinking { text: message.thinking.clone(), open: show_thinking(), going: false }
            }
            Text { message: message.clone() }
            State { message: message.clone(), is_last }
            div { class: "said-foot",
                div { class: "said-tools",
                    Versions { versions: message.versions.clone(), id }
                    if !message.text.is_empty() {
                        IconButton { icon: Icon::Copy, label: "Copy", onclick: move |()| ui.send(chat::Event::Copy(id)) }
                    }
                    IconButton { icon: Icon::Refresh, label: "Answer again", id: "again-{id}", onclick: move |()| ui.send(chat::Event::Again(id)) }
                    IconButton { icon: Icon::Question, label: "Why this answer", id: "why-{id}", onclick: move |()| ui.send(chat::Event::Explain(turn)) }
                }
                if let Some(usage) = message.usage.filter(|_| footer()) {
                    UsageLine { usage, model: message.model.clone() }
                }
            }
        }
    }
}

/// Why an answer is not whole, and what can be done about it.
#[component]
fn State(message: Shared<StoredMessage>, is_last: bool) -> Element {
    let ui = use_ui();
    let id = message.id;
    let why = markdown::clean(message.error.as_deref().unwrap_or_default()).into_owned();
    match message.state {
        MessageState::Complete => rsx! {},
        MessageState::Streaming => rsx! {
            p { class: "state", role: "status", Glyph { icon: Icon::Clock, size: 14 } "This answer is being said." }
        },
        MessageState::Interrupted => rsx! {
            div { class: "state interrupted", role: "status",
                Glyph { icon: Icon::Pause, size: 14 }
                p { class: "state-text", if why.is_empty() { "This answer was stopped." } else { "This answer was broken off. {why}" } }
                if is_last {
                    Button { label: "Continue", id: "continue", onclick: move |()| ui.send(chat::Event::Continue) }
                    Button { label: "Answer again", onclick: move |()| ui.send(chat::Event::Again(id)) }
                }
            }
        },
        MessageState::Failed => rsx! {
            div { class: "state failed", role: "alert",
                Glyph { icon: Icon::Danger, size: 16 }
                p { class: "state-text", if why.is_empty() { "There is no answer, because of a failure." } else { "{why}" } }
                Button { label: "Retry", icon: Icon::Refresh, id: "retry-{id}", onclick: move |()| ui.send(chat::Event::Again(id)) }
            }
        },
    }
}

/// A message of the person's that nobody answered.
#[component]
pub fn Unanswered(message: u64) -> Element {
    let ui = use_ui();
    rsx! {
        div { class: "state interrupted", role: "status",
            Glyph { icon: Icon::Pause, size: 14 }
            p { class: "state-text", "This was not answered." }
            Button { label: "Retry", icon: Icon::Refresh, id: "retry-{message}", onclick: move |()| ui.send(chat::Event::Again(message)) }
        }
    }
}

/// Something that the program said meanwhile.
#[component]
pub fn Notice(text: String) -> Element {
    let text = markdown::clean(&text).into_owned();
    rsx! {
        p { class: "notice", Glyph { icon: Icon::Info, size: 14 } span { "{text}" } }
    }
}

/// What the model thought before it spoke.
#[component]
pub fn Thinking(text: String, open: bool, going: bool) -> Element {
    let mut is_open = use_signal(|| open);
    use_effect(use_reactive!(|open| is_open.set(open)));
    let text = markdown::clean(&text).into_owned();
    rsx! {
        div { class: "thinking",
            button {
                class: "thinking-head",
                r#type: "button",
                "aria-expanded": "{is_open}",
                onclick: move |_| is_open.toggle(),
                Glyph { icon: if is_open() { Icon::ChevronDown } else { Icon::ChevronRight }, size: 14 }
                span { class: if going { "going" }, if going { "Thinking" } else { "Thought" } }
            }
            if is_open() {
                p { class: "thinking-text", dir: "auto", "{text}" }
            }
        }
    }
}

/// Which of several versions is shown, and the way to the others.
#[component]
fn Versions(versions: Vec<u64>, id: u64) -> Element {
    let ui = use_ui();
    let Some(at) = versions.iter().position(|version| *version == id).filter(|_| versions.len() > 1) else {
        return rsx! {};
    };
    let to = |at: Option<usize>| at.and_then(|at| versions.get(at).copied());
    let (before, after) = (to(at.checked_sub(1)), to(Some(at + 1)));
    let switch = move |version: Option<u64>| {
        if let Some(version) = version {
            ui.send(chat::Event::Branch(version));
        }
    };
    rsx! {
        div { class: "versions", role: "group", "aria-label": "Versions",
            IconButton { icon: Icon::ChevronLeft, label: "Earlier version", disabled: before.is_none(), onclick: move |()| switch(before) }
            span { class: "versions-count", "{at + 1}/{versions.len()}" }
            IconButton { icon: Icon::ChevronRight, label: "Later version", disabled: after.is_none(), onclick: move |()| switch(after) }
        }
    }
}

/// What an answer cost.
#[component]
pub fn UsageLine(usage: Usage, model: String) -> Element {
    rsx! {
        p { class: "usage",
            for (at, part) in parts(&usage, &model).into_iter().enumerate() {
                span { key: "{at}", "{part}" }
            }
        }
    }
}

/// Tokens in and out, tokens per second, time to the first token, model.
fn parts(usage: &Usage, model: &str) -> Vec<String> {
    let about = if usage.estimated { "≈ " } else { "" };
    let mut parts = vec![
        format!("{about}{} tokens in", grouped(usage.input_tokens)),
        format!("{about}{} out", grouped(usage.output_tokens)),
    ];
    if usage.generation_ms > 0 && usage.output_tokens > 1 {
        let speed = f64::from(usage.output_tokens) * 1000.0 / f64::from(usage.generation_ms);
        parts.push(format!("{} tokens/s", rate(speed)));
    }
    match usage.first_token_ms {
        0 => {}
        ms @ ..1000 => parts.push(format!("first token {ms} ms")),
        ms => parts.push(format!("first token {:.1} s", f64::from(ms) / 1000.0)),
    }
    if !model.is_empty() {
        parts.push(if model == BUILTIN {
            "built-in responder".to_owned()
        } else {
            markdown::clean(model).into_owned()
        });
    }
    parts
}

/// A rate in three digits: what a finer one says is chance.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn rate(rate: f64) -> String {
    if rate < 99.95 { format!("{rate:.1}") } else { grouped(rate.round() as u32) }
}

/// A number with thin spaces between thousands (ISO 80000-1, 7.3.1).
pub fn grouped(number: u32) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_cost_has_units() {
        let usage = Usage {
            input_tokens: 12_345,
            output_tokens: 300,
            first_token_ms: 1_840,
            generation_ms: 6_000,
            ..Usage::default()
        };
        assert_eq!(
            parts(&usage, "qwen3:8b"),
            ["12\u{202f}345 tokens in", "300 out", "50.0 tokens/s", "first token 1.8 s", "qwen3:8b"]
        );
        assert_eq!(parts(&Usage { first_token_ms: 84, ..usage }, "")[3], "first token 84 ms");
        assert_eq!([rate(9.96), rate(99.94), rate(99.96), rate(7307.7)], ["10.0", "99.9", "100", "7\u{202f}308"]);
        let nothing = Usage { estimated: true, ..Usage::default() };
        assert_eq!(parts(&nothing, BUILTIN), ["≈ 0 tokens in", "≈ 0 out", "built-in responder"]);
    }
}
