//! The live trace: messages as they are routed, and one turn of them as a tree.

use super::tail::{Scroll, Tail, beside};
use super::turn;
use crate::components::{Banner, Button, EmptyState, Icon, Select, Skeleton, Switch, TextField};
use crate::state::System;
use crate::state::diagnostics::Event;
use crate::state::diagnostics::feed::Kind as FeedKind;
use crate::state::diagnostics::trace::{Filter, Message, kind_name, roles};
use crate::state::diagnostics::units::{bytes, count, ending, spelt};
use crate::state::frame::Tone;
use crate::system;
use crate::ui::use_ui;
use butterfly_wire::Kind;
use dioxus::prelude::*;

/// What is on the screen.
#[derive(Debug, PartialEq)]
struct Shown {
    total: usize,
    newer: usize,
    first: usize,
    /// Oldest first.
    messages: Vec<Message>,
}

/// How the feed stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Stand {
    pub is_online: bool,
    pub is_paused: bool,
    pub is_begun: bool,
    pub lost: u64,
    pub failed: Option<String>,
    pub is_empty: bool,
}

/// The page.
#[component]
pub fn Page() -> Element {
    let ui = use_ui();
    let scroll = use_signal(Scroll::default);
    let stand = use_memo(move || {
        let state = ui.diagnostics.read();
        let feed = &state.trace_feed;
        Stand {
            is_online: state.is_online,
            is_paused: feed.is_paused,
            is_begun: feed.is_begun,
            lost: feed.lost,
            failed: feed.failed.clone(),
            is_empty: state.trace.messages.is_empty(),
        }
    });
    let is_turn_open = use_memo(move || ui.diagnostics.read().turn.is_some());
    rsx! {
        div { class: "diagnostics-page feed",
            Toolbar { stand: stand.read().clone() }
            Trouble { kind: FeedKind::Trace, stand: stand.read().clone() }
            div { class: if is_turn_open() { "feed-split open" } else { "feed-split" },
                if stand.read().is_empty {
                    Nothing { stand: stand.read().clone(), words: "Nothing is routed. Say something in the chat, and each message on the bus shows here." }
                } else {
                    List { scroll }
                }
                if is_turn_open() {
                    turn::Pane {}
                }
            }
        }
    }
}

#[component]
fn Toolbar(stand: Stand) -> Element {
    let ui = use_ui();
    let filter = use_memo(move || ui.diagnostics.read().trace.filter.clone());
    let workers = use_memo(move || {
        let state = ui.diagnostics.read();
        let mut options = vec![(String::new(), "All workers".to_owned())];
        options.extend(roles(&state.trace).into_iter().map(|role| (role.clone(), role)));
        options
    });
    let current = filter.read().clone();
    let change = move |change: fn(&mut Filter, String), value: String| {
        let mut next = ui.diagnostics.peek().trace.filter.clone();
        change(&mut next, value);
        ui.send(Event::TraceFilter(next));
    };
    let flag = move |change: fn(&mut Filter, bool), value: bool| {
        let mut next = ui.diagnostics.peek().trace.filter.clone();
        change(&mut next, value);
        ui.send(Event::TraceFilter(next));
    };
    rsx! {
        div { class: "toolbar", role: "search", "aria-label": "Filter of the trace",
            TextField {
                id: "trace-text", label: "Method or trace", hide_label: true, kind: "search", placeholder: "Method or trace",
                value: current.text, oninput: move |value| change(|filter, value| filter.text = value, value),
            }
            Select {
                id: "trace-worker", label: "Worker", hide_label: true, value: current.worker, options: workers.read().clone(),
                onchange: move |value| change(|filter, value| filter.worker = value, value),
            }
            Switch {
                id: "trace-errors", label: "Errors", checked: current.errors_only,
                onchange: move |value| flag(|filter, value| filter.errors_only = value, value),
            }
            Switch {
                id: "trace-all", label: "Items", checked: current.every_message,
                onchange: move |value| flag(|filter, value| filter.every_message = value, value),
            }
            span { class: "toolbar-rest" }
            Button { label: "Last turn", icon: Icon::Branch, disabled: !stand.is_online, id: "last-turn", onclick: move |()| ui.send(Event::OpenTurn(None)) }
            PauseButton { kind: FeedKind::Trace, is_paused: stand.is_paused, is_online: stand.is_online }
        }
    }
}

/// Stops what comes in, and lets it in again.
#[component]
pub fn PauseButton(kind: FeedKind, is_paused: bool, is_online: bool) -> Element {
    let ui = use_ui();
    rsx! {
        Button {
            id: "pause",
            label: if is_paused { "Resume" } else { "Pause" },
            icon: if is_paused { Icon::Play } else { Icon::Pause },
            pressed: is_paused,
            disabled: !is_online,
            onclick: move |()| ui.send(Event::Pause(kind, !is_paused)),
        }
    }
}

/// What keeps a feed from being complete.
#[component]
pub fn Trouble(kind: FeedKind, stand: Stand) -> Element {
    let ui = use_ui();
    rsx! {
        if let Some(why) = stand.failed {
            Banner { tone: Tone::Danger, title: "It cannot be followed",
                p { {spelt(&why)} }
                Button { label: "Try again", icon: Icon::Refresh, onclick: move |()| ui.send(Event::Pause(kind, false)) }
            }
        }
        if stand.lost > 0 {
            Banner { tone: Tone::Warning,
                p { "More came than could be shown: {count(stand.lost, \"batch\").replace(\"batchs\", \"batches\")} of it were left out." }
            }
        }
    }
}

/// What stands in the place of an empty feed.
#[component]
pub fn Nothing(stand: Stand, words: String) -> Element {
    if stand.failed.is_some() {
        return rsx! {};
    }
    let (icon, title, text) = match (stand.is_online, stand.is_paused) {
        (false, _) => (Icon::Server, "No connection", "It goes on by itself as soon as the kernel is back.".to_owned()),
        (true, true) => (Icon::Pause, "Paused", "Nothing was let in yet. Resume to see what comes.".to_owned()),
        (true, false) if !stand.is_begun => {
            return rsx! {
                div { class: "feed-wait", Skeleton { lines: 10 } }
            };
        }
        (true, false) => (Icon::Clock, "Quiet", words),
    };
    rsx! {
        EmptyState { icon, title, text }
    }
}

#[component]
fn List(scroll: Signal<Scroll>) -> Element {
    let ui = use_ui();
    let shown = use_memo(move || {
        let state = ui.diagnostics.read();
        let until = state.trace_feed.held_at;
        let all = state.trace.shown(None).count();
        let total = if until.is_none() { all } else { state.trace.shown(until).count() };
        let range = scroll.read().rows(total);
        let mut messages: Vec<_> = state.trace.shown(until).skip(range.start).take(range.len()).cloned().collect();
        messages.reverse();
        Shown { total, newer: all - total, first: range.start, messages }
    });
    let open = use_memo(move || ui.diagnostics.read().turn.as_ref().and_then(|turn| turn.trace));
    let shown = shown.read();
    if shown.total == 0 {
        return rsx! {
            EmptyState { icon: Icon::Filter, title: "Nothing fits the filter", text: "Messages were routed, but none that the filter shows.",
                Button { label: "Show all", onclick: move |()| ui.send(Event::TraceFilter(Filter { every_message: true, ..Filter::default() })) }
            }
        };
    }
    let last = shown.messages.iter().rev().find(|message| message.trace != 0).map(|message| message.number);
    let rows = shown.messages.iter().map(|message| {
        let is_open = message.trace != 0 && open() == Some(message.trace);
        let is_stop = Some(message.number) == last;
        (message.number, rsx! { Row { message: message.clone(), is_open, is_stop } })
    });
    rsx! {
        Tail {
            label: "Messages, oldest first",
            total: shown.total,
            newer: shown.newer,
            first: shown.first,
            scroll,
            onaway: move |away| ui.send(Event::Hold(FeedKind::Trace, away)),
            rows: rows.collect::<Vec<_>>(),
        }
    }
}

/// A message. The keyboard stops at the newest one, and goes from there by the arrows.
#[component]
fn Row(message: Message, is_open: bool, is_stop: bool) -> Element {
    let ui = use_ui();
    let time = format!("{}.{:03}", message.at_us / 1_000_000, message.at_us / 1000 % 1000);
    let kind = kind_name(message.kind);
    let class = match (message.is_error, message.kind) {
        (true, _) => "message error",
        (false, Kind::Item | Kind::Credit | Kind::Event) => "message quiet",
        (false, _) => "message",
    };
    let (trace, number) = (message.trace, message.number);
    let mut notes = message.provenance.clone();
    if message.is_background {
        notes.push("background");
    }
    rsx! {
        div { class, "data-open": is_open,
            span { class: "message-time", title: "{message.at_us} µs after the kernel's start", "{time}" }
            span { class: "message-kind", if message.is_error { "failed" } else { "{kind}" } }
            span { class: "message-method", {spelt(&message.method)} }
            span { class: "message-ends", {spelt(&format!("{} → {}", message.from, message.to))} }
            span { class: "message-bytes", {bytes(u64::from(message.bytes))} }
            span { class: "message-notes", {notes.join(" ")} }
            if trace != 0 {
                button {
                    class: "message-trace",
                    r#type: "button",
                    id: "message-{number}",
                    tabindex: if is_stop { "0" } else { "-1" },
                    onkeydown: move |event| {
                        let next = {
                            let state = ui.diagnostics.peek();
                            let shown = state.trace.shown(state.trace_feed.held_at).filter(|message| message.trace != 0);
                            beside(shown.map(|message| message.number), number, &event.key())
                        };
                        if let Some(next) = next {
                            event.prevent_default();
                            system::perform(ui, System::Focus(format!("message-{next}")));
                        }
                    },
                    title: "Show trace {trace} as a tree",
                    "aria-label": "Show trace {trace} as a tree",
                    onclick: move |_| ui.send(Event::OpenTurn(Some(trace))),
                    {ending(trace)}
                }
            } else {
                span {}
            }
        }
    }
}
