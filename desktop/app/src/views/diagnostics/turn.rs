//! One turn as an indented tree with times, and a bar for each call.

use crate::components::{Button, EmptyState, Icon, IconButton, Skeleton};
use crate::state::diagnostics::Event;
use crate::state::diagnostics::turn::{Outcome, Span, Turn};
use crate::state::diagnostics::units::{bytes, count, ending, microseconds, spelt};
use crate::ui::use_ui;
use dioxus::prelude::*;

/// Deeper calls are drawn at this depth: no turn of ours is deeper, and a hostile one shall not leave the pane.
const DEEPEST: usize = 8;

/// Calls that are drawn; more than that is no tree that anybody reads.
const DRAWN: usize = 400;

/// The pane.
#[component]
pub fn Pane() -> Element {
    let ui = use_ui();
    let open = use_memo(move || {
        let state = ui.diagnostics.read();
        state.turn.as_ref().map(|turn| (turn.trace, turn.is_loading, turn.failed.clone(), turn.tree.clone()))
    });
    let shown = open.read();
    let Some((trace, is_loading, failed, tree)) = shown.as_ref() else { return rsx! {} };
    let trace = *trace;
    let title = trace.map_or_else(|| "Last turn".to_owned(), |trace| format!("Trace {}", ending(trace)));
    rsx! {
        aside { class: "turn", "aria-label": "{title}",
            header { class: "turn-head",
                h2 { title: trace.map(|trace| trace.to_string()), "{title}" }
                if let Some(tree) = tree {
                    span { class: "muted", title: count(tree.messages as u64, "message"), {summary(tree)} }
                }
                span { class: "toolbar-rest" }
                IconButton { icon: Icon::Refresh, label: "Read it again", disabled: *is_loading, onclick: move |()| ui.send(Event::OpenTurn(trace)) }
                IconButton { icon: Icon::Close, label: "Close the tree", id: "close-turn", onclick: move |()| ui.send(Event::CloseTurn) }
            }
            if *is_loading {
                Skeleton { lines: 5 }
            } else if let Some(tree) = tree {
                Tree { tree: tree.clone() }
            } else {
                EmptyState { icon: Icon::Branch, title: "No turn", text: failed.clone().unwrap_or_default(),
                    Button { label: "Close", onclick: move |()| ui.send(Event::CloseTurn) }
                }
            }
        }
    }
}

fn summary(tree: &Turn) -> String {
    format!("{} · {}", microseconds(tree.duration_us), count(tree.spans.len() as u64, "call"))
}

#[component]
fn Tree(tree: Turn) -> Element {
    let whole = tree.duration_us.max(1);
    let left_out = tree.spans.len().saturating_sub(DRAWN);
    rsx! {
        div { class: "turn-tree", role: "list", tabindex: "0", "aria-label": "Calls of trace {tree.trace}, each with how deep it is",
            for span in tree.spans.iter().take(DRAWN) {
                Branch { key: "{span.correlation}", span: span.clone(), whole }
            }
            if left_out > 0 {
                p { class: "muted", "{left_out} more calls are not drawn." }
            }
        }
    }
}

#[component]
fn Branch(span: Span, whole: u64) -> Element {
    let percent = |part: u64| (part as f64 / whole as f64 * 100.0).clamp(0.0, 100.0);
    let (start, width) = (percent(span.start_us), percent(span.duration_us).max(0.4));
    let (class, word) = match span.outcome {
        Outcome::Open => ("open", "still open"),
        Outcome::Done => ("done", ""),
        Outcome::Failed => ("failed", "failed"),
        Outcome::Cancelled => ("cancelled", "cancelled"),
    };
    let duration = match span.outcome {
        Outcome::Open => "open".to_owned(),
        Outcome::Done | Outcome::Failed | Outcome::Cancelled => microseconds(span.duration_us),
    };
    let mut facts = vec![format!("begins after {}", microseconds(span.start_us))];
    if span.is_beheaded {
        facts.push("its beginning is no longer remembered".to_owned());
    }
    if let Some(first) = span.first_item_us {
        facts.push(format!("{}, the first after {}", count(u64::from(span.items), "item"), microseconds(first)));
    }
    facts.push(bytes(span.bytes));
    let facts = facts.join(" · ");
    let indent = span.depth.min(DEEPEST) * 14;
    rsx! {
        div { class: "span {class}", role: "listitem", title: "{facts}",
            div { class: "span-words", style: "padding-left: {indent}px",
                span { class: "span-method", {spelt(&span.method)} }
                span { class: "span-ends", {spelt(&format!("{} → {}", span.from, span.to))} }
                if !word.is_empty() {
                    span { class: "span-outcome", "{word}" }
                }
                span { class: "span-time", "{duration}" }
            }
            div { class: "span-track", "aria-hidden": "true",
                div { class: "span-bar", style: "left: min({start}%, calc(100% - 2px)); width: {width}%" }
            }
            span { class: "visually-hidden", "level {span.depth + 1} · {facts}" }
        }
    }
}
