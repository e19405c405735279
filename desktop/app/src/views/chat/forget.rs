//! Forgetting: what was found by the words, what would go with it, and the button that does it.

use super::row::day;
use crate::components::{Button, ButtonKind, Dialog, Icon, Skeleton};
use crate::markdown;
use crate::state::chat::Event;
use crate::state::chat::dialog::{Forget, ForgetStep, Forgetting};
use crate::ui::use_ui;
use butterfly_api::memory::Forgotten;
use dioxus::prelude::*;

/// The dialog, at each of its steps.
#[component]
pub fn ForgetDialog(forget: Forget) -> Element {
    let ui = use_ui();
    let does = move |event: Forgetting| ui.send(Event::Forget(event));
    let footer = match &forget.step {
        ForgetStep::Choosing { found, chosen } if !found.is_empty() => rsx! {
            Button { label: "Cancel", onclick: move |()| ui.send(Event::CloseDialog) }
            Button { label: "Forget {chosen.len()} of them", kind: ButtonKind::Primary, id: "forget-ask", disabled: chosen.is_empty(), onclick: move |()| does(Forgetting::Ask) }
        },
        ForgetStep::Agreeing { .. } => rsx! {
            Button { label: "Keep it", onclick: move |()| ui.send(Event::CloseDialog) }
            Button { label: "Forget for good", kind: ButtonKind::Danger, icon: Icon::Trash, id: "forget-agree", onclick: move |()| does(Forgetting::Agree) }
        },
        ForgetStep::Choosing { .. } | ForgetStep::Looking | ForgetStep::Working | ForgetStep::Failed(_) => rsx! {
            Button { label: "Close", onclick: move |()| ui.send(Event::CloseDialog) }
        },
    };
    rsx! {
        Dialog { title: "Forget", wide: true, onclose: move |()| ui.send(Event::CloseDialog), footer,
            match &forget.step {
                ForgetStep::Looking | ForgetStep::Working => rsx! {
                    Skeleton { lines: 4 }
                },
                ForgetStep::Failed(why) => rsx! {
                    div { role: "alert", p { "{why}" } }
                },
                ForgetStep::Choosing { found, .. } if found.is_empty() => rsx! {
                    p { "Nothing that was said or noted has the words “{markdown::clean(&forget.query)}”." }
                },
                ForgetStep::Choosing { found, chosen } => rsx! {
                    p { class: "muted", "What has the words “{markdown::clean(&forget.query)}”. Choose what is to be forgotten; the next step says what goes with it." }
                    ul { class: "recalled",
                        for item in found.iter() {
                            li { key: "{item.passage.id}", class: "recalled-item",
                                label { class: "forget-choice",
                                    input {
                                        r#type: "checkbox",
                                        id: "forget-{item.passage.id}",
                                        checked: chosen.contains(&item.passage.id),
                                        onchange: {
                                            let id = item.passage.id;
                                            move |_| does(Forgetting::Toggle(id))
                                        },
                                    }
                                    span {
                                        span { class: "recalled-text", dir: "auto", "{markdown::clean(&item.passage.text)}" }
                                        span { class: "faint", "#{item.passage.id} · {markdown::clean(&item.passage.speaker)} · {day(item.passage.at_unix_ms)}" }
                                    }
                                }
                            }
                        }
                    }
                },
                ForgetStep::Agreeing { would_go, .. } => rsx! {
                    p { "This cannot be taken back. It would go, from all that is remembered:" }
                    ul { class: "details-list",
                        for (at, line) in lines(would_go).into_iter().enumerate() {
                            li { key: "{at}", dir: "auto", "{line}" }
                        }
                    }
                },
            }
        }
    }
}

/// What goes, a line each.
fn lines(gone: &Forgotten) -> Vec<String> {
    let mut lines: Vec<String> =
        gone.passages.iter().map(|it| format!("#{} {}: {}", it.id, it.speaker, it.text)).collect();
    lines.extend(gone.facts.iter().map(|it| format!("the fact: {} {} {}", it.subject, it.relation, it.object)));
    lines.extend(gone.entities.iter().map(|name| format!("all links of {name}, of which nothing else speaks")));
    if gone.explanations > 0 {
        lines.push(format!("the explanations of {} answers that quoted it", gone.explanations));
    }
    if !gone.backups.is_empty() {
        lines.push(format!("{} backup files still hold it until the store is tidied up next", gone.backups.len()));
    }
    lines.iter().map(|line| markdown::clean(line).into_owned()).collect()
}
