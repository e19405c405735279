//! Security: what confinement is actually in force for each worker, what it may touch, and the proof.

use super::workers::grade_badge;
use crate::components::{Badge, Banner, Button, ButtonKind, Column, EmptyState, Glyph, Icon, Skeleton, Spinner, Table};
use crate::state::diagnostics::proof::{Proof, Row as Attempt};
use crate::state::diagnostics::units::{sentence, spelt};
use crate::state::diagnostics::{Event, Proving};
use crate::state::frame::Tone;
use crate::ui::use_ui;
use butterfly_wire::confinement::{Confinement, Grade};
use butterfly_wire::control::Principal;
use butterfly_wire::verdict::Verdict;
use dioxus::prelude::*;

/// One worker, as it is drawn.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    name: String,
    is_alive: bool,
    confinement: Confinement,
    is_open: bool,
    principal: Option<Principal>,
    proving: Option<Proving>,
    is_online: bool,
}

/// The page.
#[component]
pub fn Page() -> Element {
    let ui = use_ui();
    let rows = use_memo(move || {
        let state = ui.diagnostics.read();
        let row = |worker: &butterfly_wire::control::WorkerStatus| Row {
            name: worker.name.clone(),
            is_alive: worker.pid != 0,
            confinement: worker.confinement.clone(),
            is_open: state.opened.as_ref() == Some(&worker.name),
            principal: state.capabilities.iter().find(|principal| principal.name == worker.name).cloned(),
            proving: state.proofs.get(&worker.name).cloned(),
            is_online: state.is_online,
        };
        state.workers.standing().map(row).collect::<Vec<_>>()
    });
    let is_online = use_memo(move || ui.diagnostics.read().is_online);
    if rows.read().is_empty() {
        return match is_online() {
            true => rsx! { Skeleton { lines: 6 } },
            false => rsx! {
                EmptyState { icon: Icon::Shield, title: "No connection", text: "What is enforced can be seen only while the kernel runs." }
            },
        };
    }
    let (tone, words) = verdict(&rows.read());
    let columns = ["Worker", "Grade", "Landlock", "Seccomp", "No new rights", "Network", "Missing here", ""];
    rsx! {
        div { class: "diagnostics-page",
            Banner { tone,
                strong { "{words}" }
                p { class: "muted", "As the kernel read it from the running processes. A worker whose confinement is not in force is held, not started." }
            }
            Table { caption: "Confinement in force", columns: columns.into_iter().map(Column::new).collect::<Vec<_>>(),
                for row in rows.read().iter() {
                    Worker { key: "{row.name}", row: row.clone() }
                }
            }
        }
    }
}

fn verdict(rows: &[Row]) -> (Tone, &'static str) {
    let alive = || rows.iter().filter(|row| row.is_alive);
    if alive().any(|row| row.confinement.grade == Grade::None) {
        return (Tone::Warning, "Some workers have not reported their confinement yet.");
    }
    if alive().any(|row| row.confinement.grade == Grade::Reduced) {
        return (Tone::Warning, "Every worker is confined; this system cannot enforce all that was asked for.");
    }
    (Tone::Success, "Every worker that runs is fully confined.")
}

#[component]
fn Worker(row: Row) -> Element {
    let ui = use_ui();
    let Row { name, is_alive, confinement, is_open, principal, proving, is_online } = row;
    let (tone, grade) = grade_badge(confinement.grade);
    let missing = if confinement.missing.is_empty() { "–".to_owned() } else { confinement.missing.join(", ") };
    let landlock = if confinement.landlock { format!("ABI {}", confinement.landlock_abi) } else { "off".to_owned() };
    let (opened, proved) = (name.clone(), name.clone());
    rsx! {
        tr { "data-testid": "security-{name}",
            th { scope: "row", class: "worker-name",
                button {
                    class: "disclosure",
                    r#type: "button",
                    "aria-expanded": "{is_open}",
                    "aria-controls": "grants-{name}",
                    onclick: move |_| ui.send(Event::Open((!is_open).then(|| opened.clone()))),
                    Glyph { icon: if is_open { Icon::ChevronDown } else { Icon::ChevronRight }, size: 14 }
                    "{name}"
                }
            }
            if is_alive {
                td { Badge { tone, text: grade } }
                td { Force { is_on: confinement.landlock, text: landlock } }
                td { Force { is_on: confinement.seccomp, text: if confinement.seccomp { "on" } else { "off" } } }
                td { Force { is_on: confinement.no_new_privs, text: if confinement.no_new_privs { "on" } else { "off" } } }
                td { {spelt(&confinement.network)} }
                td { class: "muted", {spelt(&missing)} }
            } else {
                td { colspan: "6", class: "faint", "It does not run." }
            }
            td { class: "end",
                if proving == Some(Proving::Asked) {
                    Spinner { label: "Its twin is trying what is forbidden" }
                } else {
                    Button {
                        label: "Prove",
                        id: "prove-{name}",
                        kind: ButtonKind::Ghost,
                        icon: Icon::Shield,
                        disabled: !is_online || !is_alive,
                        onclick: move |()| {
                            ui.send(Event::Open(Some(proved.clone())));
                            ui.send(Event::Prove(proved.clone()));
                        },
                    }
                }
            }
        }
        if is_open {
            tr { class: "grants-row", id: "grants-{name}",
                td { colspan: "8",
                    div { class: "grants",
                        if let Some(proving) = proving {
                            Outcome { proving }
                        }
                        match principal {
                            Some(principal) => rsx! { Grants { principal } },
                            None => rsx! { Skeleton { lines: 3 } },
                        }
                    }
                }
            }
        }
    }
}

#[component]
fn Force(is_on: bool, text: String) -> Element {
    rsx! {
        span { class: if is_on { "force on" } else { "force off" },
            Glyph { icon: if is_on { Icon::Check } else { Icon::Close }, size: 14 }
            "{text}"
        }
    }
}

/// What the capability table lets it do.
#[component]
fn Grants(principal: Principal) -> Element {
    let lists = [
        ("Serves", &principal.serves),
        ("May call", &principal.calls),
        ("May touch", &principal.grants),
        ("May follow", &principal.subscribes),
        ("May publish", &principal.publishes),
        ("May start", &principal.starts),
    ];
    rsx! {
        dl { class: "grant-lists",
            for (name, list) in lists {
                div { key: "{name}",
                    dt { "{name}" }
                    dd {
                        if list.is_empty() {
                            span { class: "faint", "nothing" }
                        } else {
                            ul { class: "chips",
                                for (at, grant) in list.iter().enumerate() {
                                    li { key: "{at}", code { {spelt(grant)} } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What came of a proof.
#[component]
fn Outcome(proving: Proving) -> Element {
    match proving {
        Proving::Asked => rsx! {
            p { class: "muted", role: "status", "Its twin, the same program in the same confinement, tries what is forbidden…" }
        },
        Proving::Failed(why) => rsx! {
            Banner { tone: Tone::Danger, title: "It proved nothing", p { {sentence(&why)} } }
        },
        Proving::Proved(proof) => rsx! { Proved { proof } },
    }
}

#[component]
fn Proved(proof: Proof) -> Element {
    let (tone, words) = match proof.is_good() {
        true => (Tone::Success, format!("{} attempts were denied, and nothing got through.", proof.denied())),
        false => (Tone::Danger, "The confinement did not hold in all attempts.".to_owned()),
    };
    let columns = vec![Column::new("Attempt"), Column::new("Outcome"), Column::new("Grant that it lacks")];
    rsx! {
        Banner { tone,
            strong { role: "status", "{words}" }
            for (at, wrong) in proof.wrong.iter().enumerate() {
                p { key: "{at}", {sentence(wrong)} }
            }
        }
        div { class: "attempts",
            Table { caption: "What its twin tried", columns,
                for attempt in proof.rows {
                    AttemptRow { key: "{attempt.attempt}", attempt }
                }
            }
        }
    }
}

#[component]
fn AttemptRow(attempt: Attempt) -> Element {
    let (tone, word, why) = match (&attempt.verdict, attempt.excused) {
        (Verdict::Denied { error }, _) => (Tone::Success, "Denied", error.clone()),
        (Verdict::NotTestable { why }, _) => (Tone::Info, "Not testable here", why.clone()),
        (Verdict::GotThrough, Some(missing)) => (Tone::Warning, "Got through", format!("this system lacks {missing}")),
        (Verdict::GotThrough, None) => (Tone::Danger, "Got through", String::new()),
        (Verdict::Unclear { why }, _) => (Tone::Danger, "Unclear", why.clone()),
    };
    rsx! {
        tr {
            td { code { {spelt(&attempt.attempt)} } }
            td {
                Badge { tone, text: word }
                span { class: "muted attempt-why", {spelt(&why)} }
            }
            td { class: "muted", {spelt(&attempt.grant)} }
        }
    }
}
