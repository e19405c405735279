//! Diagnostics: what the machine below does, down to restarting one worker in the middle of an answer.

mod crashes;
mod health;
mod logs;
mod security;
mod tail;
mod trace;
mod turn;
mod workers;

use super::View;
use crate::actions::{Action, always};
use crate::components::{Button, Icon, Tab as Head, Tabs};
use crate::state::diagnostics::feed::Kind;
use crate::state::diagnostics::workers::Act;
use crate::state::diagnostics::{Event, Tab};
use crate::state::frame;
use crate::ui::{Ui, use_ui};
use butterfly_wire::control::WorkerState;
use dioxus::prelude::*;

pub const VIEW: View = View {
    id: "diagnostics",
    title: "Diagnostics",
    icon: Icon::Diagnostics,
    in_sidebar: true,
    render: view,
    panel: None,
    actions: ACTIONS,
};

const GROUP: &str = "Diagnostics";

macro_rules! shows {
    ($id:literal, $title:literal, $key:expr, $tab:expr) => {
        Action { id: $id, title: $title, group: GROUP, key: $key, enabled: always, run: |ui| show(ui, $tab) }
    };
}

/// Restart, stop and resume, for a worker that is always there.
macro_rules! act {
    ($id:literal, $title:literal, $name:literal, $act:expr) => {
        Action {
            id: $id,
            title: $title,
            group: "Workers",
            key: None,
            enabled: |ui| can(ui, $name, $act),
            run: |ui| ask(ui, $name, $act),
        }
    };
}

const ACTIONS: &[Action] = &[
    shows!("diagnostics.show", "Show diagnostics", Some("Ctrl+Shift+D"), Tab::Workers),
    shows!("diagnostics.health", "Show health checks", None, Tab::Health),
    shows!("diagnostics.trace", "Show the live trace", None, Tab::Trace),
    shows!("diagnostics.logs", "Show logs", Some("Ctrl+Shift+L"), Tab::Logs),
    shows!("diagnostics.crashes", "Show crash reports", None, Tab::Crashes),
    shows!("diagnostics.security", "Show how workers are confined", None, Tab::Security),
    Action {
        id: "diagnostics.check",
        title: "Check the health of everything",
        group: GROUP,
        key: None,
        enabled: is_online,
        run: |ui| {
            show(ui, Tab::Health);
            ui.send(Event::Check);
        },
    },
    Action {
        id: "diagnostics.turn",
        title: "Show the last turn as a tree",
        group: GROUP,
        key: None,
        enabled: is_online,
        run: |ui| {
            show(ui, Tab::Trace);
            ui.send(Event::OpenTurn(None));
        },
    },
    Action {
        id: "diagnostics.pause",
        title: "Pause or resume what is shown live",
        group: GROUP,
        key: Some("Ctrl+Shift+P"),
        enabled: |ui| shown_feed(ui).is_some(),
        run: |ui| {
            if let Some(kind) = shown_feed(ui) {
                let is_paused = ui.diagnostics.peek().feed_of(kind).is_paused;
                ui.send(Event::Pause(kind, !is_paused));
            }
        },
    },
    Action {
        id: "diagnostics.report",
        title: "Copy a report without secrets",
        group: GROUP,
        key: None,
        enabled: always,
        run: |ui| ui.send(Event::Report),
    },
    act!("workers.restart_model", "Restart the worker model", "model", Act::Restart),
    act!("workers.restart_memory", "Restart the worker memory", "memory", Act::Restart),
    act!("workers.restart_brains", "Restart the worker brains", "brains", Act::Restart),
    act!("workers.restart_vault", "Restart the worker vault", "vault", Act::Restart),
    act!("workers.stop_model", "Stop the worker model", "model", Act::Stop),
    act!("workers.stop_memory", "Stop the worker memory", "memory", Act::Stop),
    act!("workers.stop_brains", "Stop the worker brains", "brains", Act::Stop),
    act!("workers.stop_vault", "Stop the worker vault", "vault", Act::Stop),
    act!("workers.resume_model", "Resume the worker model", "model", Act::Start),
    act!("workers.resume_memory", "Resume the worker memory", "memory", Act::Start),
    act!("workers.resume_brains", "Resume the worker brains", "brains", Act::Start),
    act!("workers.resume_vault", "Resume the worker vault", "vault", Act::Start),
];

fn show(ui: Ui, tab: Tab) {
    ui.send(frame::Event::Show("diagnostics"));
    ui.send(Event::Show(tab));
}

fn is_online(ui: Ui) -> bool {
    ui.diagnostics.peek().is_online
}

fn can(ui: Ui, worker: &str, act: Act) -> bool {
    let state = ui.diagnostics.peek();
    let is_free = !state.workers.acting.contains_key(worker);
    state.is_online && is_free && state.workers.find(worker).is_some_and(|worker| act.applies(&worker.state))
}

/// Does it to a worker; stopping is asked about first.
fn ask(ui: Ui, worker: &str, act: Act) {
    let worker = worker.to_owned();
    ui.send(match act {
        Act::Stop => Event::AskStop(worker),
        Act::Restart | Act::Start => Event::Act { worker, act },
    });
}

/// The feed that is on the screen.
fn shown_feed(ui: Ui) -> Option<Kind> {
    if ui.frame.peek().view != "diagnostics" {
        return None;
    }
    match ui.diagnostics.peek().tab {
        Tab::Trace => Some(Kind::Trace),
        Tab::Logs => Some(Kind::Logs),
        Tab::Workers | Tab::Health | Tab::Crashes | Tab::Security => None,
    }
}

fn view() -> Element {
    rsx! {
        Diagnostics {}
    }
}

/// What the page's head needs to know.
#[derive(Debug, PartialEq)]
struct Summary {
    tab: Tab,
    is_online: bool,
    is_reporting: bool,
    away: usize,
    crashes: usize,
}

/// All pages, of which one is shown.
#[component]
fn Diagnostics() -> Element {
    let ui = use_ui();
    use_effect(move || ui.send(Event::Visible(true)));
    use_drop(move || {
        // When the whole app goes, its state may have gone before.
        if ui.diagnostics.try_peek().is_ok() {
            ui.send(Event::Visible(false));
        }
    });
    let summary = use_memo(move || {
        let state = ui.diagnostics.read();
        Summary {
            tab: state.tab,
            is_online: state.is_online,
            is_reporting: state.is_reporting,
            away: state.workers.standing().filter(|worker| worker.state != WorkerState::Ready).count(),
            crashes: state.crashes.reports.len(),
        }
    });
    let summary = summary.read();
    let head = |tab: Tab| {
        let (title, count) = match tab {
            Tab::Workers => ("Workers", 0),
            Tab::Health => ("Health", 0),
            Tab::Trace => ("Trace", 0),
            Tab::Logs => ("Logs", 0),
            Tab::Crashes => ("Crashes", summary.crashes),
            Tab::Security => ("Security", 0),
        };
        let head = Head::new(tab.id(), title);
        if count > 0 { head.count(count) } else { head }
    };
    rsx! {
        div { class: "diagnostics",
            header { class: "diagnostics-head",
                div { class: "diagnostics-title",
                    h1 { "Diagnostics" }
                    p { class: "muted", role: "status", "{subtitle(&summary)}" }
                }
                Button {
                    id: "copy-report",
                    label: if summary.is_reporting { "Gathering…" } else { "Copy report" },
                    icon: Icon::Copy,
                    disabled: summary.is_reporting,
                    onclick: move |()| ui.send(Event::Report),
                }
            }
            Tabs {
                label: "Diagnostics",
                tabs: Tab::ALL.into_iter().map(head).collect::<Vec<_>>(),
                selected: summary.tab.id(),
                onselect: move |id: String| ui.send(Event::Show(Tab::of(&id))),
                match summary.tab {
                    Tab::Workers => rsx! { workers::Page {} },
                    Tab::Health => rsx! { health::Page {} },
                    Tab::Trace => rsx! { trace::Page {} },
                    Tab::Logs => rsx! { logs::Page {} },
                    Tab::Crashes => rsx! { crashes::Page {} },
                    Tab::Security => rsx! { security::Page {} },
                }
            }
        }
    }
}

fn subtitle(summary: &Summary) -> String {
    match (summary.is_online, summary.away) {
        (false, _) => "There is no connection to the kernel; what is shown was true when there was.".to_owned(),
        (true, 0) => "All workers are ready.".to_owned(),
        (true, 1) => "One worker is not ready.".to_owned(),
        (true, away) => format!("{away} workers are not ready."),
    }
}

#[cfg(test)]
mod tests;
