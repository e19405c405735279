//! What lies above the view: the command palette, a question, a link's target.

use crate::actions::{self, Action};
use crate::components::{Button, ButtonKind, Dialog, Glyph, Icon, use_typed};
use crate::state::frame::{Confirm, Event, Overlay};
use crate::ui::Ui;
use dioxus::prelude::*;
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// Whatever lies there now.
#[component]
pub fn Overlays(ui: Ui) -> Element {
    let overlay = ui.frame.read().overlay.clone();
    match overlay {
        Overlay::None => rsx! {},
        Overlay::Palette { query, selected } => rsx! {
            Palette { ui, query, selected }
        },
        Overlay::Confirm(confirm) => question(ui, confirm),
        Overlay::Link { url } => rsx! {
            Dialog {
                title: "Open this link?",
                onclose: move |()| ui.send(Event::CloseOverlay),
                footer: rsx! {
                    Button { label: "Cancel", onclick: move |()| ui.send(Event::CloseOverlay) }
                    Button { label: "Open in the browser", kind: ButtonKind::Primary, icon: Icon::External, id: "agree", onclick: move |()| ui.send(Event::Agree) }
                },
                p { "It leads out of the app, to:" }
                code { class: "link-target", "{url}" }
            }
        },
    }
}

fn question(ui: Ui, confirm: Confirm) -> Element {
    let kind = if confirm.danger { ButtonKind::Danger } else { ButtonKind::Primary };
    rsx! {
        Dialog {
            title: confirm.title,
            onclose: move |()| ui.send(Event::CloseOverlay),
            footer: rsx! {
                Button { label: "Cancel", id: "cancel", onclick: move |()| ui.send(Event::CloseOverlay) }
                Button { label: confirm.label, kind, id: "agree", onclick: move |()| ui.send(Event::Agree) }
            },
            p { "{confirm.text}" }
            if !confirm.details.is_empty() {
                ul { class: "details-list",
                    for (at, line) in confirm.details.into_iter().enumerate() {
                        li { key: "{at}", "{line}" }
                    }
                }
            }
        }
    }
}

/// The actions that fit what was typed, best first; all of them for nothing.
fn matching(ui: Ui, query: &str) -> Vec<&'static Action> {
    let offered = actions::all().filter(|action| action.id != "frame.palette" && (action.enabled)(ui));
    if query.trim().is_empty() {
        return offered.collect();
    }
    let mut matcher = Matcher::new(Config::DEFAULT);
    let pattern = Pattern::parse(query, CaseMatching::Ignore, Normalization::Smart);
    let mut buffer = Vec::new();
    let mut found: Vec<_> = offered
        .filter_map(|action| {
            let text = format!("{} {}", action.title, action.group);
            Some((pattern.score(Utf32Str::new(&text, &mut buffer), &mut matcher)?, action))
        })
        .collect();
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    found.into_iter().map(|(_, action)| action).collect()
}

/// A list of all commands, filtered by what is typed (WAI-ARIA Authoring Practices, combobox with a list).
#[component]
fn Palette(ui: Ui, query: String, selected: usize) -> Element {
    let mut typed = use_typed("palette-query", &query);
    let found = matching(ui, &query);
    let selected = selected.min(found.len().saturating_sub(1));
    let ids: Vec<&'static str> = found.iter().map(|action| action.id).collect();
    let close = move || ui.send(Event::CloseOverlay);
    let chosen = ids.get(selected).copied();
    rsx! {
        div { class: "scrim top", onclick: move |_| close(),
            div {
                class: "palette",
                role: "dialog",
                "aria-modal": "true",
                "aria-label": "Commands",
                "data-modal": "true",
                onclick: |event| event.stop_propagation(),
                div { class: "palette-input",
                    Glyph { icon: Icon::Search, size: 18 }
                    input {
                        id: "palette-query",
                        r#type: "text",
                        role: "combobox",
                        placeholder: "What do you want to do?",
                        autocomplete: "off",
                        spellcheck: "false",
                        "aria-label": "Command",
                        "aria-expanded": "true",
                        "aria-controls": "palette-list",
                        "aria-activedescendant": chosen.map(|id| format!("palette-{id}")),
                        initial_value: typed.first(),
                        onmounted: |event| async move {
                            // It is there only as long as the palette is.
                            let _ = event.set_focus(true).await;
                        },
                        oninput: move |event| {
                            typed.typed(&event.value());
                            ui.send(Event::PaletteQuery(event.value()));
                        },
                        onkeydown: move |event| {
                            let count = ids.len().max(1);
                            match event.key() {
                                Key::ArrowDown => ui.send(Event::PaletteSelect((selected + 1) % count)),
                                Key::ArrowUp => ui.send(Event::PaletteSelect((selected + count - 1) % count)),
                                Key::Home if event.modifiers().ctrl() => ui.send(Event::PaletteSelect(0)),
                                Key::End if event.modifiers().ctrl() => ui.send(Event::PaletteSelect(count - 1)),
                                Key::Escape => close(),
                                Key::Enter => {
                                    close();
                                    if let Some(id) = chosen {
                                        actions::run(ui, id);
                                    }
                                }
                                _ => return,
                            }
                            event.prevent_default();
                            event.stop_propagation();
                        },
                    }
                }
                ul { class: "palette-list", id: "palette-list", role: "listbox", "aria-label": "Commands",
                    for (at, action) in found.iter().copied().enumerate() {
                        Offer { key: "{action.id}", ui, id: action.id, selected: at == selected }
                    }
                }
                if found.is_empty() {
                    p { class: "palette-none", role: "status", "No command fits “{query}”." }
                }
            }
        }
    }
}

#[component]
fn Offer(ui: Ui, id: &'static str, selected: bool) -> Element {
    let Some(action) = actions::find(id) else { return rsx! {} };
    let key = ui.frame.peek().keys.chord(id);
    rsx! {
        li {
            class: "palette-item",
            id: "palette-{id}",
            role: "option",
            "aria-selected": "{selected}",
            onclick: move |_| {
                ui.send(Event::CloseOverlay);
                actions::run(ui, id);
            },
            span { class: "palette-group", "{action.group}" }
            span { class: "palette-title", "{action.title}" }
            if let Some(key) = key {
                kbd { "{key}" }
            }
        }
    }
}
