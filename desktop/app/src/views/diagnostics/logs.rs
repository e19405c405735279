//! Logs: what the processes write, live.

use super::tail::{Scroll, Tail, beside};
use super::trace::{Nothing, PauseButton, Stand, Trouble};
use crate::components::{Badge, Button, EmptyState, Icon, IconButton, Select, TextField};
use crate::state::System;
use crate::state::diagnostics::Event;
use crate::state::diagnostics::feed::Kind;
use crate::state::diagnostics::logs::{Filter, Level, Line};
use crate::state::diagnostics::units::{clock, moment};
use crate::state::frame::Tone;
use crate::system;
use crate::ui::use_ui;
use dioxus::prelude::*;

/// What is on the screen.
#[derive(Debug, PartialEq)]
struct Shown {
    total: usize,
    newer: usize,
    first: usize,
    /// Oldest first.
    lines: Vec<Line>,
}

/// The page.
#[component]
pub fn Page() -> Element {
    let ui = use_ui();
    let scroll = use_signal(Scroll::default);
    let stand = use_memo(move || {
        let state = ui.diagnostics.read();
        let feed = &state.logs_feed;
        Stand {
            is_online: state.is_online,
            is_paused: feed.is_paused,
            is_begun: feed.is_begun,
            lost: feed.lost,
            failed: feed.failed.clone(),
            is_empty: state.logs.lines.is_empty(),
        }
    });
    rsx! {
        div { class: "diagnostics-page feed",
            Toolbar { stand: stand.read().clone() }
            Trouble { kind: Kind::Logs, stand: stand.read().clone() }
            div { class: "feed-stack",
                if stand.read().is_empty {
                    Nothing { stand: stand.read().clone(), words: "No process has written anything yet." }
                } else {
                    List { scroll }
                }
                Whole {}
            }
        }
    }
}

#[component]
fn Toolbar(stand: Stand) -> Element {
    let ui = use_ui();
    let filter = use_memo(move || ui.diagnostics.read().logs.filter.clone());
    let workers = use_memo(move || {
        let state = ui.diagnostics.read();
        let names = state.workers.standing().map(|worker| worker.name.clone());
        let mut options = vec![(String::new(), "All processes".to_owned()), ("kernel".to_owned(), "kernel".to_owned())];
        options.extend(names.map(|name| (name.clone(), name)));
        options
    });
    let levels: Vec<_> = [
        ("", "All levels"),
        ("error", "Errors"),
        ("warn", "Warnings and up"),
        ("info", "Information and up"),
        ("debug", "Debugging and up"),
    ]
    .map(|(value, text)| (value.to_owned(), text.to_owned()))
    .into();
    let current = filter.read().clone();
    let change = move |change: fn(&mut Filter, String), value: String| {
        let mut next = ui.diagnostics.peek().logs.filter.clone();
        change(&mut next, value);
        ui.send(Event::LogFilter(next));
    };
    rsx! {
        div { class: "toolbar", role: "search", "aria-label": "Filter of the logs",
            TextField {
                id: "log-text", label: "Search the logs", hide_label: true, kind: "search", placeholder: "Search the logs",
                value: current.text, oninput: move |value| change(|filter, value| filter.text = value, value),
            }
            Select {
                id: "log-level", label: "Level", hide_label: true, value: current.least.map_or("", Level::name),
                options: levels, onchange: move |value| change(|filter, value| filter.least = Level::of(&value), value),
            }
            Select {
                id: "log-worker", label: "Process", hide_label: true, value: current.worker, options: workers.read().clone(),
                onchange: move |value| change(|filter, value| filter.worker = value, value),
            }
            span { class: "toolbar-rest" }
            PauseButton { kind: Kind::Logs, is_paused: stand.is_paused, is_online: stand.is_online }
        }
    }
}

#[component]
fn List(scroll: Signal<Scroll>) -> Element {
    let ui = use_ui();
    let shown = use_memo(move || {
        let state = ui.diagnostics.read();
        let until = state.logs_feed.held_at;
        let all = state.logs.shown(None).count();
        let total = if until.is_none() { all } else { state.logs.shown(until).count() };
        let range = scroll.read().rows(total);
        let mut lines: Vec<_> = state.logs.shown(until).skip(range.start).take(range.len()).cloned().collect();
        lines.reverse();
        Shown { total, newer: all - total, first: range.start, lines }
    });
    let selected = use_memo(move || ui.diagnostics.read().logs.selected);
    let shown = shown.read();
    if shown.total == 0 {
        return rsx! {
            EmptyState { icon: Icon::Filter, title: "Nothing fits the filter", text: "There are lines, but none that the filter shows.",
                Button { label: "Show all", onclick: move |()| ui.send(Event::LogFilter(Filter::default())) }
            }
        };
    }
    let last = shown.lines.last().map(|line| line.number);
    let rows = shown.lines.iter().map(|line| {
        let is_selected = selected() == Some(line.number);
        let is_stop = is_selected || (selected().is_none() && Some(line.number) == last);
        (line.number, rsx! { Row { line: line.clone(), is_selected, is_stop } })
    });
    rsx! {
        Tail {
            label: "Lines, oldest first",
            total: shown.total,
            newer: shown.newer,
            first: shown.first,
            scroll,
            onaway: move |away| ui.send(Event::Hold(Kind::Logs, away)),
            rows: rows.collect::<Vec<_>>(),
        }
    }
}

/// How a level looks, and its word.
const fn level_badge(level: Option<Level>) -> (&'static str, &'static str) {
    match level {
        Some(Level::Error) => ("error", "Error"),
        Some(Level::Warn) => ("warn", "Warn"),
        Some(Level::Info) => ("info", "Info"),
        Some(Level::Debug) => ("quiet", "Debug"),
        Some(Level::Trace) => ("quiet", "Trace"),
        None => ("plain", ""),
    }
}

/// A line. The keyboard stops at one of them, and goes from there by the arrows.
#[component]
fn Row(line: Line, is_selected: bool, is_stop: bool) -> Element {
    let ui = use_ui();
    let (class, word) = level_badge(line.level);
    let number = line.number;
    rsx! {
        button {
            class: "log {class}",
            r#type: "button",
            id: "log-{number}",
            tabindex: if is_stop { "0" } else { "-1" },
            "aria-pressed": "{is_selected}",
            onkeydown: move |event| {
                let next = {
                    let state = ui.diagnostics.peek();
                    let numbers = state.logs.shown(state.logs_feed.held_at).map(|line| line.number);
                    beside(numbers, number, &event.key())
                };
                if let Some(next) = next {
                    event.prevent_default();
                    ui.send(Event::SelectLine(Some(next)));
                    system::perform(ui, System::Focus(format!("log-{next}")));
                }
            },
            onclick: move |_| ui.send(Event::SelectLine((!is_selected).then_some(number))),
            span { class: "log-time", {clock(line.at_unix_ms)} }
            span { class: "log-level", "{word}" }
            span { class: "log-worker", "{line.worker}" }
            span { class: "log-message",
                "{line.message}"
                if !line.fields.is_empty() {
                    span { class: "faint", " {line.fields}" }
                }
            }
        }
    }
}

/// The whole of the line that was chosen.
#[component]
fn Whole() -> Element {
    let ui = use_ui();
    let line = use_memo(move || {
        let state = ui.diagnostics.read();
        state.logs.selected.and_then(|number| state.logs.find(number)).cloned()
    });
    let shown = line.read();
    let Some(line) = shown.as_ref() else { return rsx! {} };
    let tone = match line.level {
        Some(Level::Error) => Tone::Danger,
        Some(Level::Warn) => Tone::Warning,
        Some(Level::Info | Level::Debug | Level::Trace) | None => Tone::Info,
    };
    let word = line.level.map_or("No level", Level::name);
    let text = format!("{} {} {}", line.target, line.message, line.fields).trim().to_owned();
    rsx! {
        aside { class: "log-whole", "aria-label": "The chosen line",
            header { class: "turn-head",
                Badge { tone, text: word }
                strong { "{line.worker}" }
                span { class: "muted", {moment(line.at_unix_ms)} }
                span { class: "toolbar-rest" }
                IconButton { icon: Icon::Copy, label: "Copy the line", onclick: move |()| system::perform(ui, System::Copy(text.clone())) }
                IconButton { icon: Icon::Close, label: "Close the line", onclick: move |()| ui.send(Event::SelectLine(None)) }
            }
            if !line.target.is_empty() {
                p { class: "faint mono", "{line.target}" }
            }
            p { class: "log-text", "{line.message}" }
            if !line.fields.is_empty() {
                p { class: "log-text muted", "{line.fields}" }
            }
        }
    }
}
