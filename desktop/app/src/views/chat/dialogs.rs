//! What is asked or shown above the conversation: models, profiles, help, why an answer came out as it did.

use super::forget::ForgetDialog;
use super::row::day;
use super::secret::SecretDialog;
use crate::components::{Badge, Dialog as Frame, Glyph, Icon, Skeleton, TextField};
use crate::markdown;
use crate::state::chat::dialog::Dialog;
use crate::state::chat::slash::OFFERS;
use crate::state::chat::{BUILTIN, Event, shared::Shared};
use crate::state::frame::Tone;
use crate::ui::{Ui, use_ui};
use crate::views;
use butterfly_api::memory::{Explanation, Found, ReasonKind};
use butterfly_api::model::ModelInfo;
use dioxus::prelude::*;

/// The one that is open.
#[component]
pub fn Dialogs() -> Element {
    let ui = use_ui();
    let dialog = use_memo(move || ui.chat.read().dialog.clone());
    let close = move |()| ui.send(Event::CloseDialog);
    match dialog() {
        Dialog::None => rsx! {},
        Dialog::Models => rsx! {
            Models {}
        },
        Dialog::Profiles => profiles(ui),
        Dialog::Help => rsx! {
            Frame { title: "Commands of the chat", onclose: close,
                dl { class: "help",
                    for offer in OFFERS {
                        dt { key: "{offer.word}", code { "{offer.word} {offer.argument}" } }
                        dd { "{offer.help}" }
                    }
                }
                h3 { "Keys" }
                dl { class: "help",
                    for action in views::find("chat").actions {
                        if let Some(chord) = ui.frame.peek().keys.chord(action.id) {
                            dt { key: "{action.id}", kbd { "{chord}" } }
                            dd { "{action.title}" }
                        }
                    }
                    dt { kbd { "Enter" } }
                    dd { "Send" }
                    dt { kbd { "Shift+Enter" } }
                    dd { "New line" }
                    dt { kbd { "ArrowUp" } }
                    dd { "In the empty field: edit the last message" }
                }
            }
        },
        Dialog::Explain { result, .. } => rsx! {
            Frame { title: "Why this answer", wide: true, onclose: close,
                match result {
                    None => rsx! {
                        Skeleton { lines: 5 }
                    },
                    Some(Err(why)) => rsx! {
                        div { role: "alert", p { "{why}" } }
                    },
                    Some(Ok(explanation)) => rsx! {
                        Why { explanation }
                    },
                }
            }
        },
        Dialog::Secret { name, why, keeping, refused, .. } => rsx! {
            SecretDialog { name, why, keeping, refused }
        },
        Dialog::Forget(forget) => rsx! {
            ForgetDialog { forget }
        },
    }
}

/// A list from which a model is chosen; what is typed narrows it down.
#[component]
fn Models() -> Element {
    let ui = use_ui();
    let mut query = use_signal(String::new);
    let mut at = use_signal(|| 0_usize);
    let known = use_memo(move || (ui.chat.read().models.clone(), ui.chat.read().models_fault.clone()));
    let (models, fault) = known();
    let chosen = ui.chat.peek().model.clone();
    let typed = query().to_lowercase();
    let automatic = models.as_ref().and_then(|models| models.chosen.clone());
    let mut offers: Vec<(Option<String>, String, String)> = Vec::new();
    if typed.is_empty() {
        let now = automatic
            .as_deref()
            .map_or("the built-in responder", |name| if name == BUILTIN { "the built-in responder" } else { name });
        offers.push((None, "Automatic".to_owned(), format!("now {now}")));
    }
    for model in models.iter().flat_map(|models| models.models.iter()) {
        if model.name.to_lowercase().contains(&typed) && !is_embedding(model) {
            offers.push((Some(model.name.clone()), model.name.clone(), about(model)));
        }
    }
    let last = offers.len().saturating_sub(1);
    let picks: Vec<Option<String>> = offers.iter().map(|(name, _, _)| name.clone()).collect();
    rsx! {
        Frame { title: "Choose the model", onclose: move |()| ui.send(Event::CloseDialog),
            TextField {
                id: "model-query",
                label: "Find a model",
                hide_label: true,
                kind: "search",
                placeholder: "Find a model",
                autofocus: true,
                value: query(),
                oninput: move |text| {
                    query.set(text);
                    at.set(0);
                },
                onkeydown: move |event: KeyboardEvent| {
                    match event.key() {
                        Key::ArrowDown => at.set((at() + 1).min(last)),
                        Key::ArrowUp => at.set(at().saturating_sub(1)),
                        Key::Enter => {
                            if let Some(pick) = picks.get(at().min(last)) {
                                ui.send(Event::UseModel(pick.clone()));
                            }
                        }
                        _ => return,
                    }
                    event.prevent_default();
                },
            }
            if let Some(fault) = fault {
                div { class: "composer-fault", role: "alert", Glyph { icon: Icon::Warning, size: 14 } p { "{fault}" } }
            } else if models.is_none() {
                Skeleton { lines: 3 }
            }
            ul { class: "picks", role: "listbox", "aria-label": "Models",
                for (index, (name, title, about)) in offers.into_iter().enumerate() {
                    li {
                        key: "{title}",
                        class: "picking",
                        role: "option",
                        "aria-selected": "{index == at().min(last)}",
                        onclick: {
                            let name = name.clone();
                            move |_| ui.send(Event::UseModel(name.clone()))
                        },
                        span { class: "picking-mark", if name == chosen { Glyph { icon: Icon::Check } } }
                        span { class: "picking-title", "{markdown::clean(&title)}" }
                        span { class: "picking-about", "{markdown::clean(&about)}" }
                    }
                }
            }
        }
    }
}

fn is_embedding(model: &ModelInfo) -> bool {
    !model.capabilities.is_empty() && !model.capabilities.iter().any(|it| it == "completion")
}

/// Parameters, quantization, size and context of a model, as far as they are known.
fn about(model: &ModelInfo) -> String {
    let mut parts: Vec<String> =
        [&model.parameters, &model.quantization].into_iter().filter(|it| !it.is_empty()).cloned().collect();
    if model.size_bytes > 0 {
        parts.push(format!("{:.1} GB", model.size_bytes as f64 / 1e9));
    }
    if model.context_tokens > 0 {
        parts.push(format!("{} k context", model.context_tokens / 1024));
    }
    parts.join(" · ")
}

fn profiles(ui: Ui) -> Element {
    let (names, chosen) = {
        let chat = ui.chat.read();
        (chat.profiles.clone(), chat.thread.about.as_ref().and_then(|about| about.profile.clone()))
    };
    let none = names.is_empty();
    let offers = std::iter::once(None).chain(names.into_iter().map(Some));
    rsx! {
        Frame { title: "Choose the settings profile", onclose: move |()| ui.send(Event::CloseDialog),
            p { class: "muted", "A profile is a named set of settings, such as a model or a system prompt, for this conversation alone." }
            if none {
                p { "There is none yet. Settings make them." }
            }
            div { class: "picks", role: "radiogroup", "aria-label": "Profiles",
                for name in offers {
                    button {
                        key: "{name:?}",
                        class: "picking",
                        r#type: "button",
                        role: "radio",
                        "aria-checked": "{name == chosen}",
                        onclick: {
                            let name = name.clone();
                            move |_| ui.send(Event::UseProfile(name.clone()))
                        },
                        span { class: "picking-mark", if name == chosen { Glyph { icon: Icon::Check } } }
                        span { class: "picking-title", {name.as_deref().map_or("No profile".to_owned(), |name| markdown::clean(name).into_owned())} }
                    }
                }
            }
        }
    }
}

/// What the model was shown for a turn.
#[component]
fn Why(explanation: Shared<Explanation>) -> Element {
    let ui = use_ui();
    let Some(shown) = &explanation.shown else {
        return rsx! {
            p { "What the model was shown for this was not kept, or has been forgotten." }
        };
    };
    let prompt = if shown.context_tokens > 0 {
        format!(
            "About {} of {} tokens of context",
            super::message::grouped(shown.prompt_tokens),
            super::message::grouped(shown.context_tokens)
        )
    } else {
        format!("About {} tokens", super::message::grouped(shown.prompt_tokens))
    };
    let left_out = match shown.turns_left_out {
        0 => "none was left out".to_owned(),
        1 => "1 was left out".to_owned(),
        count => format!("{count} were left out"),
    };
    let model = if explanation.model == BUILTIN { "Built-in responder" } else { &explanation.model };
    rsx! {
        dl { class: "why-facts",
            dt { "Answered by" }
            dd { "{markdown::clean(model)}" }
            dt { "Prompt" }
            dd { "{prompt}" }
            dt { "Earlier turns" }
            dd { "{shown.turns} in full; {left_out}" }
            dt { "Memory" }
            dd { if shown.memory_enabled { "on" } else { "off" } }
        }
        if let Some(degraded) = &shown.degraded {
            p { class: "why-note", Glyph { icon: Icon::Warning, size: 14 } span { "{markdown::clean(degraded)}" } }
        }
        if let Some(summary) = &shown.summary {
            h3 { "The summary that stood for older turns" }
            blockquote { class: "why-summary", dir: "auto", "{markdown::clean(&summary.text)}" }
        }
        h3 {
            match shown.recalled.len() {
                0 => "Nothing was recalled".to_owned(),
                1 => "1 recalled item".to_owned(),
                count => format!("{count} recalled items"),
            }
        }
        ul { class: "recalled",
            for found in shown.recalled.iter() {
                Recalled { key: "{found.passage.id}", found: Shared::new(found.clone()), onopen: move |(conversation, message)| {
                    ui.send(Event::CloseDialog);
                    ui.send(Event::Open { conversation, message: Some(message) });
                } }
            }
        }
    }
}

/// An item of memory, and why it came up.
#[component]
fn Recalled(found: Shared<Found>, onopen: EventHandler<(u64, u64)>) -> Element {
    let passage = &found.passage;
    let source = passage.source.unwrap_or(passage.id);
    let leads_to = passage.conversation_id;
    rsx! {
        li { class: "recalled-item",
            p { class: "recalled-text", dir: "auto", "{markdown::clean(&passage.text)}" }
            div { class: "recalled-foot",
                span { class: "faint", "#{passage.id} · {markdown::clean(&passage.speaker)} · {day(passage.at_unix_ms)} · score {found.score:.2}" }
                if let Some(conversation) = leads_to {
                    button { class: "text-button", r#type: "button", onclick: move |_| onopen.call((conversation, source)), "Show where it was said" }
                }
            }
            div { class: "why-reasons",
                for (at, reason) in found.reasons.iter().enumerate() {
                    span { key: "{at}", class: "why-reason", title: "{markdown::clean(&reason.detail)}",
                        Badge { tone: if reason.kind == ReasonKind::Superseded { Tone::Warning } else { Tone::Info }, text: "{named(reason.kind)} {reason.score:+.2}" }
                        span { class: "why-detail", "{markdown::clean(&reason.detail)}" }
                    }
                }
            }
        }
    }
}

/// What made it come up, in a word.
pub fn named(kind: ReasonKind) -> &'static str {
    match kind {
        ReasonKind::Word => "words",
        ReasonKind::Meaning => "meaning",
        ReasonKind::Link => "link",
        ReasonKind::Recency => "recent",
        ReasonKind::Tag => "tag",
        ReasonKind::Neighbour => "nearby",
        ReasonKind::Superseded => "corrected",
    }
}
