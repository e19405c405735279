//! Health: what was found, worst first to the eye, each with what to do next.

use crate::components::{Badge, Banner, Button, EmptyState, Glyph, Icon, Skeleton, Spinner};
use crate::state::diagnostics::Event;
use crate::state::diagnostics::health::{Section, summary};
use crate::state::diagnostics::units::{sentence, spelt};
use crate::state::frame::Tone;
use crate::ui::use_ui;
use butterfly_api::health::{Check, Level};
use dioxus::prelude::*;

/// How a level looks, and its word.
pub const fn level_badge(level: Level) -> (Tone, &'static str) {
    match level {
        Level::Ok => (Tone::Success, "OK"),
        Level::Warning => (Tone::Warning, "Warning"),
        Level::Failing => (Tone::Danger, "Failing"),
    }
}

/// The page.
#[component]
pub fn Page() -> Element {
    let ui = use_ui();
    let sections = use_memo(move || {
        let state = ui.diagnostics.read();
        state.health.sections(&state.workers)
    });
    let about = use_memo(move || {
        let state = ui.diagnostics.read();
        (state.is_online, state.health.is_checking(), state.health.is_known())
    });
    let (is_online, is_checking, is_known) = about();
    if sections.read().is_empty() {
        return match is_online {
            true => rsx! { Skeleton { lines: 8 } },
            false => rsx! {
                EmptyState {
                    icon: Icon::Server,
                    title: "Nobody to ask",
                    text: "There is no connection to the kernel. The checks begin by themselves as soon as one runs.",
                }
            },
        };
    }
    let (level, words) = summary(&sections.read());
    let (tone, _) = level_badge(level);
    rsx! {
        div { class: "diagnostics-page health-page",
            Banner { tone,
                div { class: "health-summary",
                    strong { role: "status", if is_checking || !is_known { "Looking at everything…" } else { "{words}" } }
                    Button {
                        id: "check-again",
                        label: "Check again",
                        icon: Icon::Refresh,
                        disabled: is_checking || !is_online,
                        onclick: move |()| ui.send(Event::Check),
                    }
                }
            }
            div { class: "health-sections",
                for section in sections.read().iter() {
                    Place { key: "{section.about}", section: section.clone() }
                }
            }
        }
    }
}

#[component]
fn Place(section: Section) -> Element {
    let (tone, word) = level_badge(section.worst());
    rsx! {
        section { class: "health-section", "aria-label": "{section.about}", "data-testid": "health-{section.about}",
            header {
                h2 { "{section.about}" }
                if section.is_checking {
                    Spinner { label: "Checking {section.about}" }
                } else {
                    Badge { tone, text: word }
                }
            }
            ul {
                for (at, check) in section.checks.iter().enumerate() {
                    Line { key: "{at}", check: check.clone() }
                }
            }
        }
    }
}

#[component]
fn Line(check: Check) -> Element {
    let (tone, word) = level_badge(check.level);
    rsx! {
        li { class: "check {tone.class()}",
            Glyph { icon: tone.icon() }
            span { class: "visually-hidden", "{word}: " }
            div {
                strong { {spelt(&check.name)} }
                span { class: "check-found", {sentence(&check.found)} }
                if !check.next_step.is_empty() {
                    span { class: "check-next", {sentence(&check.next_step)} }
                }
            }
        }
    }
}
