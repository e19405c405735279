//! The table of workers, live.

use super::ask;
use crate::components::{
    Badge, Button, ButtonKind, Column, EmptyState, Glyph, Icon, IconButton, Skeleton, Sparkline, Spinner, Table,
};
use crate::state::diagnostics::Event;
use crate::state::diagnostics::Tab;
use crate::state::diagnostics::health::next_step;
use crate::state::diagnostics::units::{bytes, count, milliseconds, sentence, short};
use crate::state::diagnostics::workers::{Act, HISTORY, History, Workers};
use crate::state::frame::Tone;
use crate::ui::use_ui;
use butterfly_wire::confinement::Grade;
use butterfly_wire::control::{WorkerState, WorkerStatus};
use dioxus::prelude::*;
use std::collections::VecDeque;

/// One row, as it is drawn.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    worker: WorkerStatus,
    history: History,
    /// What is being done to it.
    acting: Option<Act>,
    is_online: bool,
}

fn rows(workers: &Workers, is_online: bool) -> Vec<Row> {
    let all = workers.status.iter().flat_map(|status| &status.workers);
    all.map(|worker| Row {
        worker: worker.clone(),
        history: workers.histories.get(&worker.name).cloned().unwrap_or_default(),
        acting: workers.acting.get(&worker.name).map(|acting| acting.act),
        is_online,
    })
    .collect()
}

/// The page.
#[component]
pub fn Page() -> Element {
    let ui = use_ui();
    let rows = use_memo(move || {
        let state = ui.diagnostics.read();
        rows(&state.workers, state.is_online)
    });
    let is_online = use_memo(move || ui.diagnostics.read().is_online);
    if rows.read().is_empty() {
        return match is_online() {
            true => rsx! { Skeleton { lines: 6 } },
            false => rsx! {
                EmptyState {
                    icon: Icon::Server,
                    title: "No kernel",
                    text: "There is no connection to the kernel, so there is nothing to show yet. It appears here by itself as soon as one runs.",
                }
            },
        };
    }
    let columns = vec![
        Column::new("Worker"),
        Column::new("State, uptime"),
        Column::new("Memory").end(),
        Column::new("CPU").end(),
        Column::new("Messages/s").end(),
        Column::new("In flight").end(),
        Column::new("Confined"),
        Column::new("Actions").end(),
    ];
    rsx! {
        div { class: "diagnostics-page",
            Kernel {}
            Table { caption: "Workers", columns,
                for row in rows.read().iter() {
                    WorkerRow { key: "{row.worker.name}", row: row.clone() }
                }
            }
            Warnings {}
        }
    }
}

#[component]
fn Kernel() -> Element {
    let ui = use_ui();
    let kernel = use_memo(move || {
        let state = ui.diagnostics.read();
        let kernel = state.workers.status.as_ref()?.kernel.clone();
        Some((kernel, state.workers.kernel.now().map(|(cpu, _)| cpu)))
    });
    let shown = kernel.read();
    let Some((kernel, cpu)) = shown.as_ref() else { return rsx! {} };
    let cpu = cpu.map_or_else(|| "–".to_owned(), |cpu| format!("{cpu:.1} %"));
    let facts = [
        ("Kernel", kernel.version.clone()),
        ("Uptime", milliseconds(kernel.uptime_ms)),
        ("Memory", bytes(kernel.rss_bytes)),
        ("CPU", cpu),
        ("Clients", kernel.clients.to_string()),
        ("Process", kernel.pid.to_string()),
    ];
    rsx! {
        dl { class: "facts", "aria-label": "Kernel",
            for (name, value) in facts {
                div { key: "{name}", class: "fact",
                    dt { "{name}" }
                    dd { "{value}" }
                }
            }
        }
    }
}

/// What the kernel wants people to know.
#[component]
fn Warnings() -> Element {
    let ui = use_ui();
    let warnings = use_memo(move || {
        let state = ui.diagnostics.read();
        state.workers.status.as_ref().map(|status| status.kernel.warnings.clone()).unwrap_or_default()
    });
    rsx! {
        ul { class: "notes",
            for (at, warning) in warnings.read().iter().enumerate() {
                li { key: "{at}", class: "note warning",
                    Glyph { icon: Icon::Warning }
                    span { {sentence(warning)} }
                }
            }
        }
    }
}

/// How a state looks, and its word.
pub fn state_badge(state: &WorkerState) -> (Tone, String) {
    match state {
        WorkerState::Ready => (Tone::Success, "Ready".to_owned()),
        WorkerState::Starting => (Tone::Warning, "Starting".to_owned()),
        WorkerState::Draining => (Tone::Warning, "Finishing".to_owned()),
        WorkerState::Backoff { .. } => (Tone::Warning, "Restarting".to_owned()),
        WorkerState::Stopped => (Tone::Info, "Stopped".to_owned()),
        WorkerState::Held { .. } => (Tone::Danger, "Held".to_owned()),
    }
}

/// How a grade looks, and its word.
pub fn grade_badge(grade: Grade) -> (Tone, &'static str) {
    match grade {
        Grade::Full => (Tone::Success, "Full"),
        Grade::Reduced => (Tone::Warning, "Reduced"),
        Grade::None => (Tone::Danger, "None"),
    }
}

#[component]
fn WorkerRow(row: Row) -> Element {
    let ui = use_ui();
    let Row { worker, history, acting, is_online } = row;
    let is_alive = worker.pid != 0;
    let is_instance = !worker.instance_of.is_empty();
    let name = worker.name.clone();
    let under = match (is_instance, worker.restarts) {
        (true, _) => format!("instance of {}", worker.instance_of),
        (false, 0) => format!("generation {}", worker.generation),
        (false, restarts) => format!("gen. {} · {}", worker.generation, count(u64::from(restarts), "restart")),
    };
    let (tone, word) = state_badge(&worker.state);
    let rates = history.now().filter(|_| is_alive);
    let rss = if is_alive { bytes(worker.rss_bytes) } else { "–".to_owned() };
    let uptime = if is_alive { short(worker.uptime_ms) } else { String::new() };
    let cpu = rates.map_or_else(|| "–".to_owned(), |(cpu, _)| format!("{cpu:.1} %"));
    let messages = rates.map_or_else(|| "–".to_owned(), |(_, messages)| format!("{messages:.1}"));
    let in_flight = match (is_alive, worker.in_flight) {
        (false, _) => "–".to_owned(),
        (true, calls) => calls.to_string(),
    };
    let oldest = (is_alive && worker.in_flight > 0).then(|| milliseconds(worker.oldest_in_flight_ms));
    let queued = (is_alive && worker.queue_bytes > 0).then(|| format!("{} wait for it", bytes(worker.queue_bytes)));
    let (grade_tone, grade) = grade_badge(worker.confinement.grade);
    let missing = worker.confinement.missing.join(", ");
    rsx! {
        tr { class: if worker.state == WorkerState::Ready { "worker" } else { "worker away" }, "data-testid": "worker-{name}",
            th { scope: "row", class: "worker-name",
                span { "{name}" }
                small { class: "faint", "{under}" }
            }
            td {
                span { class: "worker-state",
                    Badge { tone, text: word }
                    if acting.is_some() {
                        Spinner { label: "Working on it" }
                    } else {
                        span { class: "worker-up", title: "Uptime", "{uptime}" }
                    }
                }
            }
            td { class: "end", "{rss}" }
            td { class: "end",
                Metric { value: cpu, values: minute(&history.cpu), label: "CPU of {name} in the last minute" }
            }
            td { class: "end",
                Metric { value: messages, values: minute(&history.messages), label: "Messages of {name} in the last minute" }
            }
            td { class: "end", title: queued,
                span { "{in_flight}" }
                if let Some(oldest) = oldest {
                    small { class: "faint below", "oldest {oldest}" }
                }
            }
            td {
                if is_alive {
                    span { title: if missing.is_empty() { "All of it is in force".to_owned() } else { format!("Missing on this system: {missing}") },
                        Badge { tone: grade_tone, text: grade }
                    }
                } else {
                    span { class: "faint", "–" }
                }
            }
            td { class: "end",
                if !is_instance {
                    Acts { name: name.clone(), state: worker.state.clone(), is_busy: acting.is_some() || !is_online }
                }
            }
        }
        if let Some(note) = note(&worker.state) {
            tr { class: "worker-note",
                td { colspan: "8",
                    div { class: "note {tone.class()}", role: "status",
                        Glyph { icon: tone.icon() }
                        span { "{note}" }
                        if let WorkerState::Held { .. } = worker.state {
                            Button { label: "Show crashes", kind: ButtonKind::Ghost, onclick: move |()| ui.send(Event::Show(Tab::Crashes)) }
                        }
                    }
                }
            }
        }
    }
}

/// Why a worker is not there, and what to do.
fn note(state: &WorkerState) -> Option<String> {
    match state {
        WorkerState::Held { reason } => Some(format!("{} {}.", sentence(reason), next_step(state))),
        WorkerState::Backoff { .. } => {
            Some("It failed and is started again in a moment; its crash report says why.".to_owned())
        }
        WorkerState::Starting | WorkerState::Ready | WorkerState::Draining | WorkerState::Stopped => None,
    }
}

/// A whole minute, whatever of it is known: what was before is nothing.
fn minute(values: &VecDeque<f64>) -> Vec<f64> {
    let before = HISTORY.saturating_sub(values.len());
    std::iter::repeat_n(0.0, before).chain(values.iter().copied()).collect()
}

/// A figure, and the last minute of it.
#[component]
fn Metric(value: String, values: Vec<f64>, label: String) -> Element {
    rsx! {
        span { class: "metric",
            Sparkline { values, label, width: 44, height: 20 }
            span { class: "metric-value", "{value}" }
        }
    }
}

/// What can be done to a worker.
#[component]
fn Acts(name: String, state: WorkerState, is_busy: bool) -> Element {
    let ui = use_ui();
    let second = if Act::Start.applies(&state) { Act::Start } else { Act::Stop };
    let icon = |act: Act| match act {
        Act::Restart => Icon::Refresh,
        Act::Stop => Icon::Stop,
        Act::Start => Icon::Play,
    };
    let acts = [Act::Restart, second];
    rsx! {
        span { class: "worker-acts",
            for act in acts {
                {
                    let (id, label) = (act.label().to_lowercase(), format!("{} {name}", act.label()));
                    let name = name.clone();
                    rsx! {
                        IconButton {
                            key: "{id}",
                            id: "{id}-{name}",
                            icon: icon(act),
                            label,
                            danger: act == Act::Stop,
                            disabled: is_busy || !act.applies(&state),
                            onclick: move |()| ask(ui, &name, act),
                        }
                    }
                }
            }
        }
    }
}
