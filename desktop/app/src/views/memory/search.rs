//! The search: what was found, and why each came up.

use super::parts::{Kinds, Outdated, Stand, standing};
use super::passage::Card;
use crate::components::{Banner, Button, EmptyState, Icon, TextField};
use crate::state::frame::Tone;
use crate::state::memory::search::Event;
use crate::state::memory::{Event as Outer, Tab, forget};
use crate::ui::use_ui;
use butterfly_api::memory::{Found, PassageKind, Reason, ReasonKind};
use dioxus::prelude::*;
use std::sync::Arc;

/// What a reason is called, and what it means.
const fn explained(kind: ReasonKind) -> (&'static str, &'static str, &'static str) {
    match kind {
        ReasonKind::Word => ("Words", "why-word", "It has words of what you look for."),
        ReasonKind::Meaning => ("Meaning", "why-meaning", "It means something near to what you look for."),
        ReasonKind::Link => ("Link", "why-link", "A fact about something that you name leads here."),
        ReasonKind::Recency => ("Recent", "why-recency", "It was said lately."),
        ReasonKind::Tag => ("Tag", "why-tag", "A speaker, tag or day that you name is on it."),
        ReasonKind::Neighbour => {
            ("Beside", "why-neighbour", "It was said just before or after something that matches.")
        }
        ReasonKind::Superseded => ("Outdated", "why-superseded", "It was lowered, because it was corrected later."),
    }
}

/// A score, with its sign; the true minus is as wide as the plus.
fn signed(score: f32) -> String {
    if score < 0.0 { format!("−{:.2}", -score) } else { format!("+{score:.2}") }
}

/// The tab.
#[component]
pub(super) fn Search() -> Element {
    let ui = use_ui();
    let query = use_memo(move || ui.memory.read().search.query.clone());
    let as_of = use_memo(move || ui.memory.read().search.as_of.clone());
    let wrong = use_memo(move || ui.memory.read().search.until().err());
    let kind = use_memo(move || ui.memory.read().search.kind);
    rsx! {
        div { class: "memory-bar",
            div { class: "memory-query",
                TextField {
                    id: "memory-query",
                    label: "Search in memory",
                    hide_label: true,
                    kind: "search",
                    placeholder: "Search by words or by meaning",
                    value: query(),
                    autofocus: true,
                    oninput: move |text| ui.send(Event::Typed(text)),
                    onenter: move |()| ui.send(Event::Submit),
                }
            }
            div { class: "memory-date",
                TextField {
                    id: "memory-as-of",
                    label: "As of",
                    hide_label: true,
                    placeholder: "As of: 2026-11-22",
                    value: as_of(),
                    error: wrong(),
                    oninput: move |text| ui.send(Event::AsOf(text)),
                    onenter: move |()| ui.send(Event::Submit),
                }
            }
        }
        div { class: "memory-bar second",
            KindsOfResults { kind: kind() }
            Told {}
        }
        div { class: "memory-scroll", Results {} }
    }
}

#[component]
fn KindsOfResults(kind: Option<PassageKind>) -> Element {
    let ui = use_ui();
    let counts = use_memo(move || {
        let memory = ui.memory.read();
        let found = &memory.search.answer.value()?.found;
        let of = |kind| found.iter().filter(|found| found.passage.kind == kind).count();
        Some([found.len(), of(PassageKind::Memory), of(PassageKind::Message), of(PassageKind::Summary)])
    });
    rsx! {
        Kinds { name: "search-kind", selected: kind, counts: counts(), onselect: move |kind| ui.send(Event::Kind(kind)) }
    }
}

/// How many were found, in how long.
#[component]
fn Told() -> Element {
    let ui = use_ui();
    let told = use_memo(move || {
        let memory = ui.memory.read();
        if memory.search.answer.is_loading() {
            return "Searching".to_owned();
        }
        let Some(answer) = memory.search.answer.value() else { return String::new() };
        let ms = answer.took_us.div_ceil(1000);
        format!("{} in {ms} ms", forget::count(memory.search.shown().len(), "result"))
    });
    rsx! {
        p { class: "memory-told", role: "status", "{told}" }
    }
}

#[component]
fn Results() -> Element {
    let ui = use_ui();
    let found = use_memo(move || ui.memory.read().search.shown());
    let words = use_memo(move || ui.memory.read().search.answer.value().map(|answer| answer.query.clone()));
    let degraded = use_memo(move || ui.memory.read().search.answer.value().and_then(|answer| answer.degraded.clone()));
    let failed = use_memo(move || ui.memory.read().search.answer.error().map(str::to_owned));
    let nothing_typed = use_memo(move || ui.memory.read().search.query.trim().is_empty());
    let standing = use_memo(move || {
        let (link, memory) = (ui.link.read(), ui.memory.read());
        let answer = &memory.search.answer;
        standing(&link, !found.read().is_empty(), answer.value().is_some(), answer.is_loading(), answer.error())
    });
    let words = words().unwrap_or_default();
    if nothing_typed() {
        return rsx! {
            EmptyState {
                icon: Icon::Search,
                title: "Find anything that was said or noted",
                text: "By its words or by its meaning, with the reasons why it came up. A date in “As of” searches what was known then.",
                Button { label: "Browse the timeline", icon: Icon::Clock, onclick: move |()| ui.send(Outer::Show(Tab::Timeline)) }
            }
        };
    }
    rsx! {
        if let Some(why) = degraded() {
            Banner { tone: Tone::Info, title: "Searched without meaning: by words, links and time.", p { "{why}" } }
        }
        if !found.read().is_empty() {
            Outdated { why: failed() }
        }
        ol { class: "passages", "aria-label": "Results, best first",
            for found in found() {
                li { key: "{found.passage.id}",
                    Result { found, query: words.clone() }
                }
            }
        }
        Stand {
            standing: standing(),
            empty: rsx! {
                EmptyState {
                    icon: Icon::Search,
                    title: "Nothing was found",
                    text: "Try other words, another kind, or no date. What was deleted or forgotten is never found.",
                }
            },
        }
    }
}

#[component]
fn Result(found: Arc<Found>, query: String) -> Element {
    let passage = Arc::new(found.passage.clone());
    rsx! {
        Card { passage, query, whole_date: true,
            details { class: "why",
                summary {
                    "aria-label": "Why this came up, score {found.score:.2}",
                    span { class: "why-score", title: "Score: the sum of its reasons", "{found.score:.2}" }
                    for (at, reason) in found.reasons.iter().enumerate() {
                        Chip { key: "{at}", reason: reason.clone() }
                    }
                    span { class: "why-ask", "Why?" }
                }
                dl {
                    for (at, reason) in found.reasons.iter().enumerate() {
                        div { key: "{at}",
                            dt {
                                "{explained(reason.kind).0} "
                                span { class: "why-number", "{signed(reason.score)}" }
                            }
                            dd {
                                "{explained(reason.kind).2}"
                                if !reason.detail.is_empty() {
                                    span { class: "faint", " {reason.detail}" }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[component]
fn Chip(reason: Reason) -> Element {
    let (title, class, meaning) = explained(reason.kind);
    let number = signed(reason.score);
    rsx! {
        span { class: "why-chip {class}", title: "{meaning} {reason.detail}",
            "{title} "
            span { class: "why-number", "{number}" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::signed;

    #[test]
    fn scores_have_signs() {
        assert_eq!(signed(0.312), "+0.31");
        assert_eq!(signed(-0.2), "−0.20");
        assert_eq!(signed(0.0), "+0.00");
    }
}
