//! Crash reports: the list, and all about one of them.

use crate::components::{Badge, Banner, EmptyState, Icon, Skeleton};
use crate::state::diagnostics::Event;
use crate::state::diagnostics::crashes::{exit, key};
use crate::state::diagnostics::logs::{Level, Line};
use crate::state::diagnostics::trace::{Message, kind_name};
use crate::state::diagnostics::units::{ago, bytes, milliseconds, moment, now_unix_ms, sentence, spelt};
use crate::state::frame::Tone;
use crate::ui::use_ui;
use butterfly_wire::control::{CrashReport, LogLine};
use dioxus::prelude::*;

/// What the page needs of the state.
#[derive(PartialEq)]
struct Shown {
    is_online: bool,
    is_known: bool,
    failed: Option<String>,
    reports: Vec<CrashReport>,
    selected: Option<CrashReport>,
}

/// The page.
#[component]
pub fn Page() -> Element {
    let ui = use_ui();
    let shown = use_memo(move || {
        let state = ui.diagnostics.read();
        Shown {
            is_online: state.is_online,
            is_known: state.crashes.is_known,
            failed: state.crashes.failed.clone().filter(|_| state.is_online),
            reports: state.crashes.reports.clone(),
            selected: state.crashes.selected().cloned(),
        }
    });
    let shown = shown.read();
    rsx! {
        div { class: "diagnostics-page feed",
            if let Some(why) = &shown.failed {
                Banner { tone: Tone::Danger, title: "The reports cannot be read", p { {sentence(why)} } }
            }
            match (&shown.selected, shown.is_known, shown.is_online) {
                (Some(selected), ..) => rsx! {
                    div { class: "crashes",
                        List { reports: shown.reports.clone(), selected: selected.clone() }
                        Detail { key: "{selected.worker}-{selected.at_unix_ms}", report: selected.clone() }
                    }
                },
                (None, true, _) => rsx! {
                    EmptyState {
                        icon: Icon::Shield,
                        title: "No worker has failed",
                        text: "If one does, it is started again by itself, and what is known of the cause stands here. Reports hold no message.",
                    }
                },
                (None, false, true) => rsx! { Skeleton { lines: 6 } },
                (None, false, false) => rsx! {
                    EmptyState { icon: Icon::Server, title: "No connection", text: "The kernel keeps the reports; they show as soon as it is back." }
                },
            }
        }
    }
}

#[component]
fn List(reports: Vec<CrashReport>, selected: CrashReport) -> Element {
    let ui = use_ui();
    let now = now_unix_ms();
    rsx! {
        ul { class: "crash-list", "aria-label": "Crash reports, newest first",
            for report in reports {
                {
                    let name = key(&report);
                    let is_selected = name == key(&selected);
                    rsx! {
                        li { key: "{name.0}-{name.1}-{name.2}",
                            button {
                                class: "crash",
                                r#type: "button",
                                "aria-current": is_selected.then_some("true"),
                                onclick: move |_| ui.send(Event::SelectCrash(name.clone())),
                                span { class: "crash-name",
                                    strong { "{report.worker}" }
                                    span { class: "faint", title: moment(report.at_unix_ms), {ago(report.at_unix_ms, now)} }
                                }
                                span { class: "muted", {exit(report.exit)} }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[component]
fn Detail(report: CrashReport) -> Element {
    let ui = use_ui();
    let names = use_memo(move || {
        // A report knows endpoints; who has their slots now is who had them.
        ui.diagnostics.read().names().clone()
    });
    let headers: Vec<Message> = report
        .headers
        .iter()
        .enumerate()
        .filter_map(|(at, record)| Message::of(at as u64, record, &names.read()))
        .collect();
    let end_us = headers.last().map_or(0, |message| message.at_us);
    rsx! {
        article { class: "crash-detail", tabindex: "0", "aria-label": "Crash report of {report.worker}",
            header {
                h2 { "{report.worker}" }
                Badge { tone: Tone::Danger, text: exit(report.exit) }
            }
            p { class: "crash-cause", {sentence(&report.cause)} }
            dl { class: "facts",
                div { class: "fact", dt { "When" } dd { {moment(report.at_unix_ms)} } }
                div { class: "fact", dt { "After" } dd { {milliseconds(report.uptime_ms)} } }
                div { class: "fact", dt { "Generation" } dd { "{report.generation}" } }
                div { class: "fact", dt { "Process" } dd { "{report.pid}" } }
            }
            if !report.in_flight.is_empty() {
                section {
                    h3 { "It was answering" }
                    ul { class: "chips",
                        for (at, call) in report.in_flight.iter().enumerate() {
                            li { key: "{at}", code { {spelt(call)} } }
                        }
                    }
                }
            }
            section {
                h3 { "Its last words" }
                if report.stderr_tail.is_empty() {
                    p { class: "muted", "It wrote nothing." }
                } else {
                    pre { class: "words", tabindex: "0", "aria-label": "The last lines that it wrote",
                        for (at, line) in report.stderr_tail.iter().enumerate() {
                            Word { key: "{at}", line: Line::of(0, &LogLine { worker: String::new(), at_unix_ms: 0, line: line.clone() }) }
                        }
                    }
                }
            }
            if !headers.is_empty() {
                section {
                    h3 { "Its last messages" }
                    div { class: "headers", role: "table", "aria-label": "The last messages to and from it",
                        for message in headers {
                            div { key: "{message.number}", class: if message.is_error { "message error" } else { "message" }, role: "row",
                                span { class: "message-time", role: "cell", {before(end_us - message.at_us.min(end_us))} }
                                span { class: "message-kind", role: "cell", if message.is_error { "failed" } else { {kind_name(message.kind)} } }
                                span { class: "message-method", role: "cell", {spelt(&message.method)} }
                                span { class: "message-ends", role: "cell", {spelt(&format!("{} → {}", message.from, message.to))} }
                                span { class: "message-bytes", role: "cell", {bytes(u64::from(message.bytes))} }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// One line of its last words, without what a log record has around it.
#[component]
fn Word(line: Line) -> Element {
    let class = match line.level {
        Some(Level::Error) | None => "word error",
        Some(Level::Warn) => "word warn",
        Some(Level::Info | Level::Debug | Level::Trace) => "word",
    };
    let text = [line.message, line.fields].join(" ");
    rsx! {
        span { class, {text.trim_end()} }
    }
}

/// How long before the last message.
fn before(us: u64) -> String {
    format!("−{}.{:03} s", us / 1_000_000, us / 1000 % 1000)
}
