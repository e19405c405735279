//! The answer that is being said: Markdown as it grows, of which only the last block is read again.

use super::blocks::Blocks;
use super::message::{Notice, Thinking};
use crate::components::{Glyph, Icon};
use crate::markdown::{Stream, clean};
use crate::state::answer::Phase;
use crate::ui::use_ui;
use dioxus::prelude::*;
use std::cell::RefCell;
use std::rc::Rc;

/// The answer of a run.
#[component]
pub fn Live(run: u64) -> Element {
    let ui = use_ui();
    let stream = use_hook(|| Rc::new(RefCell::new(Stream::default())));
    let show_thinking = use_memo(move || ui.chat.read().show_thinking);
    let stopping = use_memo(move || ui.chat.read().runs.get(&run).is_some_and(|run| run.stopping));
    let connected = use_memo(move || ui.chat.read().connected);
    let answers = ui.answer.read();
    let Some(answer) = answers.runs.get(&run) else { return rsx! {} };
    let blocks = {
        let mut stream = stream.borrow_mut();
        stream.follow(&answer.text);
        stream.blocks().to_vec()
    };
    let (status, fault) = match &answer.phase {
        Phase::Over { fault } => (None, fault.as_deref().map(|fault| clean(fault).into_owned())),
        _ if stopping() => (Some("Stopping".to_owned()), None),
        _ if answer.waits_for.is_some() => (answer.waits_for.as_ref().map(|name| format!("Waiting for {name}")), None),
        // What is sent while nobody is there waits for the next connection.
        Phase::Waiting if !connected() => (Some("Waiting for the assistant".to_owned()), None),
        Phase::Waiting => (Some("Working".to_owned()), None),
        Phase::Thinking | Phase::Speaking => (None, None),
    };
    let is_over = answer.is_over();
    rsx! {
        article { class: "said assistant live", id: "live", "data-anchor": "live", "aria-label": "Assistant", "aria-busy": "{!is_over}",
            for (at, notice) in answer.notices.iter().enumerate() {
                Notice { key: "{at}", text: notice.clone() }
            }
            if !answer.thinking.is_empty() {
                Thinking {
                    text: answer.thinking.clone(),
                    open: show_thinking(),
                    going: answer.phase == Phase::Thinking,
                }
            }
            if !blocks.is_empty() {
                Blocks { blocks, growing: !is_over }
            }
            if let Some(status) = status {
                p { class: "working", role: "status",
                    span { class: "dots", "aria-hidden": "true", i {} i {} i {} }
                    "{status}"
                }
            }
            if let Some(fault) = fault {
                div { class: "state failed", role: "alert",
                    Glyph { icon: Icon::Danger, size: 16 }
                    p { class: "state-text", "{fault}" }
                }
            }
        }
    }
}
