//! Where messages are typed: the field, what waits behind a running answer, and what is chosen for the answer.

use super::message::grouped;
use super::messages::Jump;
use crate::components::{Button, ButtonKind, Glyph, Icon, IconButton};
use crate::markdown;
use crate::state::chat::dialog::Dialog;
use crate::state::chat::{BUILTIN, COMPOSER, Event};
use crate::ui::{Ui, use_ui};
use dioxus::prelude::*;

/// The composer.
#[component]
pub fn Composer() -> Element {
    let ui = use_ui();
    let fault = use_memo(move || ui.chat.read().composer.fault.clone());
    let editing = use_memo(move || ui.chat.read().composer.editing.is_some());
    rsx! {
        div { class: "composer-frame",
            Jump {}
            Queue {}
            if let Some(fault) = fault() {
                div { class: "composer-fault", role: "alert", Glyph { icon: Icon::Warning, size: 14 } p { "{markdown::clean(&fault)}" } }
            }
            if editing() {
                div { class: "composer-note",
                    Glyph { icon: Icon::Branch, size: 14 }
                    span { "You say an earlier message differently. What was said stays beside it." }
                    Button { label: "Cancel", kind: ButtonKind::Ghost, id: "cancel-edit", onclick: move |()| ui.send(Event::CancelEdit) }
                }
            }
            div { class: "composer",
                Completions {}
                Field {}
                Bar {}
            }
        }
    }
}

/// The text field. It holds its own text, so that a slow moment never takes a letter back; it is made anew where the
/// program changes the text.
#[component]
fn Field() -> Element {
    let ui = use_ui();
    let revision = use_memo(move || (ui.chat.read().composer.revision, ui.chat.read().thread.id));
    let text = use_memo(move || ui.chat.read().composer.text.clone());
    let offers = use_memo(move || ui.chat.read().completions().len());
    let chosen = use_memo(move || ui.chat.read().composer.completion.unwrap_or_default());
    let had_focus = use_hook(|| CopyValue::new(false));
    rsx! {
        div { class: "grow",
            // It gives the field its height: as much as the text needs.
            div { class: "grow-mirror", "aria-hidden": "true", "{text} " }
            for (revision, _) in [revision()] {
                textarea {
                    key: "{revision}",
                    id: COMPOSER,
                    class: "grow-field",
                    rows: "1",
                    dir: "auto",
                    "aria-label": "Message",
                    "aria-autocomplete": "list",
                    "aria-controls": if offers() > 0 { "completions" },
                    "aria-activedescendant": (offers() > 0).then(|| format!("completion-{}", chosen().min(offers() - 1))),
                    placeholder: "Message, or / for commands",
                    initial_value: "{ui.chat.peek().composer.text}",
                    onmounted: move |event| {
                        let wanted = *had_focus.peek() || revision <= 1;
                        async move {
                            if wanted {
                                // One that is gone again needs no focus.
                                let _ = event.set_focus(true).await;
                            }
                        }
                    },
                    onfocus: move |_| {
                        let mut had_focus = had_focus;
                        had_focus.set(true);
                    },
                    onblur: move |_| {
                        let mut had_focus = had_focus;
                        had_focus.set(false);
                    },
                    oninput: move |event| ui.send(Event::Typed(event.value())),
                    onkeydown: move |event| pressed(ui, &event, offers(), chosen()),
                }
            }
        }
    }
}

/// A key in the field: sending, the completion's list, and a message that is said differently.
fn pressed(ui: Ui, event: &KeyboardEvent, offers: usize, chosen: usize) {
    // Keys that an input method takes are not ours.
    if event.is_composing() {
        return;
    }
    let modifiers = event.modifiers();
    let plain = !modifiers.ctrl() && !modifiers.alt() && !modifiers.meta();
    let done = match event.key() {
        Key::ArrowDown if offers > 0 && plain => Event::Complete((chosen + 1) % offers),
        Key::ArrowUp if offers > 0 && plain => Event::Complete((chosen + offers - 1) % offers),
        Key::Escape if offers > 0 => Event::CloseCompletion,
        Key::Tab if offers > 0 && !modifiers.shift() => Event::Accept,
        Key::Enter if offers > 0 && plain && !modifiers.shift() => Event::Accept,
        Key::Enter if !modifiers.shift() && !modifiers.alt() => Event::Send,
        Key::ArrowUp if plain && ui.chat.peek().composer.text.is_empty() => Event::EditLast,
        _ => return,
    };
    event.prevent_default();
    event.stop_propagation();
    ui.send(done);
}

/// What a command that is being typed may become.
#[component]
fn Completions() -> Element {
    let ui = use_ui();
    let offers = use_memo(move || ui.chat.read().completions());
    let chosen = use_memo(move || ui.chat.read().composer.completion.unwrap_or_default());
    let offers = offers.read();
    if offers.is_empty() {
        return rsx! {};
    }
    let chosen = chosen().min(offers.len() - 1);
    rsx! {
        ul { class: "completions", id: "completions", role: "listbox", "aria-label": "Commands",
            for (at, offer) in offers.iter().enumerate() {
                li {
                    key: "{offer.text}",
                    class: "completion",
                    id: "completion-{at}",
                    role: "option",
                    "aria-selected": "{at == chosen}",
                    // The field keeps the focus.
                    onmousedown: move |event| {
                        event.prevent_default();
                        ui.send(Event::Complete(at));
                        ui.send(Event::Accept);
                    },
                    span { class: "completion-label", "{markdown::clean(&offer.label)}" }
                    span { class: "completion-help", "{offer.help}" }
                }
            }
        }
    }
}

/// What waits until the running answer is over.
#[component]
fn Queue() -> Element {
    let ui = use_ui();
    let waiting = use_memo(move || {
        let chat = ui.chat.read();
        (chat.composer.queue.iter().cloned().collect::<Vec<_>>(), chat.is_running())
    });
    let (waiting, running) = waiting();
    if waiting.is_empty() {
        return rsx! {};
    }
    rsx! {
        ul { class: "queue", "aria-label": "Messages that wait",
            for (at, text) in waiting.into_iter().enumerate() {
                li { key: "{at}", class: "queued",
                    Glyph { icon: Icon::Clock, size: 14 }
                    span { class: "queued-text", dir: "auto", "{markdown::clean(&text)}" }
                    if at == 0 && !running {
                        Button { label: "Send now", id: "send-queued", onclick: move |()| ui.send(Event::SendQueued) }
                    }
                    IconButton { icon: Icon::Close, label: "Do not send", id: "unqueue-{at}", onclick: move |()| ui.send(Event::Unqueue(at)) }
                }
            }
        }
    }
}

/// What stands below the text.
#[component]
fn Bar() -> Element {
    let ui = use_ui();
    let running = use_memo(move || ui.chat.read().is_running());
    let blank = use_memo(move || ui.chat.read().composer.is_blank());
    let model = use_memo(move || model_name(ui));
    let profile = use_memo(move || {
        let chat = ui.chat.read();
        let named = chat.thread.about.as_ref().and_then(|about| about.profile.clone());
        (named, chat.thread.id.is_some() && !chat.profiles.is_empty())
    });
    let (profile, may_profile) = profile();
    let send_label = if running() { "Send when this answer is over" } else { "Send" };
    rsx! {
        div { class: "composer-bar",
            IconButton { icon: Icon::File, label: "Quote a text file", id: "attach", onclick: move |()| ui.send(Event::PickFile) }
            button {
                class: "button ghost pick",
                r#type: "button",
                id: "pick-model",
                title: "Choose the model",
                "aria-haspopup": "dialog",
                onclick: move |_| ui.send(Event::Show(Dialog::Models)),
                Glyph { icon: Icon::Spark, size: 14 }
                span { class: "pick-text", "{model}" }
            }
            if may_profile || profile.is_some() {
                button {
                    class: "button ghost pick",
                    r#type: "button",
                    id: "pick-profile",
                    title: "Choose the settings profile",
                    "aria-haspopup": "dialog",
                    onclick: move |_| ui.send(Event::Show(Dialog::Profiles)),
                    Glyph { icon: Icon::Settings, size: 14 }
                    span { class: "pick-text", {profile.map_or_else(|| "No profile".to_owned(), |name| markdown::clean(&name).into_owned())} }
                }
            }
            span { class: "composer-space" }
            Meter {}
            if running() {
                button { class: "round stop", r#type: "button", id: "stop", title: "Stop (Esc)", "aria-label": "Stop the answer", onclick: move |_| ui.send(Event::Stop),
                    Glyph { icon: Icon::Stop, size: 16 }
                }
            }
            if !running() || !blank() {
                button {
                    class: "round send",
                    r#type: "button",
                    id: "send",
                    title: "{send_label} (Enter)",
                    "aria-label": "{send_label}",
                    disabled: blank(),
                    onclick: move |_| ui.send(Event::Send),
                    Glyph { icon: if running() { Icon::Clock } else { Icon::Send }, size: 16 }
                }
            }
        }
    }
}

/// The model that the next answer comes from, as far as it is known.
pub fn model_name(ui: Ui) -> String {
    let chat = ui.chat.read();
    let chosen = chat.models.as_ref().and_then(|models| models.chosen.clone());
    match chat.model.clone().or(chosen) {
        Some(name) if name == BUILTIN => "Built-in responder".to_owned(),
        Some(name) => markdown::clean(&name).into_owned(),
        None if ui.setup.read().responder().is_some() => "Built-in responder".to_owned(),
        None => "Model".to_owned(),
    }
}

/// How much of the model's context the conversation takes.
#[component]
fn Meter() -> Element {
    let ui = use_ui();
    let context = use_memo(move || ui.chat.read().thread.context());
    let Some((used, limit)) = context() else { return rsx! {} };
    let share = (f64::from(used) / f64::from(limit)).min(1.0);
    let percent = (share * 100.0).round();
    let tone = if share > 0.9 { "full" } else { "" };
    let text = format!("{} of {} tokens of context used", grouped(used), grouped(limit));
    // A circle of radius 7 has a circumference of 44.
    let dash = share * 43.98;
    rsx! {
        div { class: "meter {tone}", id: "context-meter", role: "meter", title: "{text}", "aria-label": "Context used", "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": "{percent}", "aria-valuetext": "{text}",
            svg { width: "18", height: "18", view_box: "0 0 18 18", "aria-hidden": "true",
                circle { class: "meter-ring", cx: "9", cy: "9", r: "7", fill: "none", stroke_width: "2.5" }
                circle { class: "meter-share", cx: "9", cy: "9", r: "7", fill: "none", stroke_width: "2.5", stroke_dasharray: "{dash:.1} 44", transform: "rotate(-90 9 9)" }
            }
            span { "{percent:.0} %" }
        }
    }
}
