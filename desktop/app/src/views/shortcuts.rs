//! Shortcuts: every action with its key, and the dialog in which another one is pressed.

use super::View;
use crate::actions::{self, Action, always};
use crate::components::{
    Badge, Button, ButtonKind, Column, Dialog, EmptyState, Glyph, Icon, IconButton, Table, TextField,
};
use crate::keys::{Chord, Keymap};
use crate::state::frame::{self, Toast, Tone};
use crate::state::settings;
use crate::ui::{Ui, use_ui};
use dioxus::prelude::*;

pub const VIEW: View = View {
    id: "shortcuts",
    title: "Shortcuts",
    icon: Icon::Shortcuts,
    in_sidebar: false,
    render: view,
    panel: None,
    actions: ACTIONS,
};

const ACTIONS: &[Action] = &[
    Action {
        id: "shortcuts.show",
        title: "Show shortcuts",
        group: "Settings",
        key: Some("Ctrl+/"),
        enabled: always,
        run: |ui| ui.send(frame::Event::Show("shortcuts")),
    },
    Action {
        id: "shortcuts.reset",
        title: "Reset all shortcuts",
        group: "Settings",
        key: None,
        enabled: |ui| ui.frame.peek().keys != Keymap::default(),
        run: |ui| keep(ui, &Keymap::default(), "All shortcuts are the usual ones again."),
    },
];

/// Stores what the keys do, and offers to take it back.
fn keep(ui: Ui, keys: &Keymap, text: &str) {
    let before = ui.frame.peek().keys.to_setting();
    set(ui, keys.to_setting());
    let undo = settings::Event::Keep { key: "desktop.keys", value: before };
    ui.send(frame::Event::Toast(Toast::new(Tone::Success, text).with("Undo", undo)));
}

fn set(ui: Ui, value: String) {
    ui.send(settings::Event::Keep { key: "desktop.keys", value });
}

fn view() -> Element {
    rsx! { Shortcuts {} }
}

/// The actions that fit what is looked for, by their headings in order.
fn found(query: &str, keys: &Keymap) -> Vec<(&'static str, Vec<&'static Action>)> {
    let query = query.to_lowercase();
    let fits = |action: &&Action| {
        let key = keys.chord(action.id).map(|chord| chord.to_string()).unwrap_or_default();
        let text = [action.id, action.title, action.group, &key].join("\n").to_lowercase();
        query.split_whitespace().all(|word| text.contains(word))
    };
    let mut groups: Vec<(&'static str, Vec<&'static Action>)> = Vec::new();
    for action in actions::all().filter(fits) {
        match groups.iter_mut().find(|(group, _)| *group == action.group) {
            Some((_, actions)) => actions.push(action),
            None => groups.push((action.group, vec![action])),
        }
    }
    groups
}

/// The view.
#[component]
fn Shortcuts() -> Element {
    let ui = use_ui();
    let mut query = use_signal(String::new);
    let mut changing = use_signal(|| None::<&'static str>);
    let keys = use_memo(move || ui.frame.read().keys.clone());
    let groups = found(&query.read(), &keys.read());
    let is_changed = *keys.read() != Keymap::default();
    rsx! {
        div { class: "settings-column shortcuts",
            header { class: "settings-head",
                h1 { "Shortcuts" }
                p { class: "muted", "Every command has a name and can have a key. All of them are in the palette, too." }
            }
            div { class: "shortcuts-tools",
                TextField {
                    id: "shortcuts-search",
                    label: "Search shortcuts",
                    hide_label: true,
                    kind: "search",
                    placeholder: "Search by name or key",
                    value: query(),
                    oninput: move |text| query.set(text),
                }
                Button {
                    label: "Reset all",
                    icon: Icon::Undo,
                    id: "shortcuts-reset",
                    disabled: !is_changed,
                    onclick: move |()| actions::run(ui, "shortcuts.reset"),
                }
            }
            if groups.is_empty() {
                EmptyState {
                    icon: Icon::Search,
                    title: "No command has “{query}” in its name or key.",
                    text: "Try another word, such as chat, copy or Ctrl.",
                    Button { label: "Show all", onclick: move |()| query.set(String::new()) }
                }
            }
            for (group, actions) in groups {
                section { key: "{group}", class: "setting-group",
                    h2 { "{group}" }
                    Table {
                        caption: "Shortcuts: {group}",
                        columns: vec![Column::new("Command"), Column::new("Key"), Column::new("")],
                        for action in actions {
                            Row {
                                key: "{action.id}",
                                id: action.id,
                                title: action.title,
                                chord: keys.read().chord(action.id).map(|chord| chord.to_string()),
                                is_changed: keys.read().is_changed(action.id),
                                onchange: move |()| changing.set(Some(action.id)),
                            }
                        }
                    }
                }
            }
            if let Some(id) = changing() {
                Press { key: "{id}", id, onclose: move |()| changing.set(None) }
            }
        }
    }
}

#[component]
fn Row(
    id: &'static str,
    title: &'static str,
    chord: Option<String>,
    is_changed: bool,
    onchange: EventHandler<()>,
) -> Element {
    let ui = use_ui();
    let reset = move |()| {
        let mut keys = ui.frame.peek().keys.clone();
        keys.reclaim(id);
        keep(ui, &keys, &format!("{title} has its usual key again."));
    };
    rsx! {
        tr { "data-testid": "shortcut-{id}",
            td {
                div { class: "shortcut-title",
                    "{title}"
                    if is_changed {
                        Badge { tone: Tone::Success, text: "changed" }
                    }
                    code { class: "setting-key", "{id}" }
                }
            }
            td { class: "shortcut-key",
                match chord {
                    Some(chord) => rsx! { Keys { chord } },
                    None => rsx! { span { class: "faint", "none" } },
                }
            }
            td { class: "end",
                div { class: "shortcut-buttons",
                    if is_changed {
                        IconButton { icon: Icon::Undo, label: "Reset the key of {title}", id: "shortcut-reset-{id}", onclick: reset }
                    }
                    IconButton {
                        icon: Icon::Edit,
                        label: "Change the key of {title}",
                        id: "shortcut-change-{id}",
                        onclick: move |()| onchange.call(()),
                    }
                }
            }
        }
    }
}

/// A chord, key by key.
#[component]
fn Keys(chord: String) -> Element {
    let (held, key) = match chord.strip_suffix("++") {
        Some(held) => (held, "+"),
        None => chord.rsplit_once('+').unwrap_or(("", &chord)),
    };
    let held: Vec<_> = held.split('+').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let key = match key {
        "ArrowUp" => "↑",
        "ArrowDown" => "↓",
        "ArrowLeft" => "←",
        "ArrowRight" => "→",
        key => key,
    };
    rsx! {
        span { class: "keys", "aria-label": "{chord}",
            for name in held {
                kbd { key: "{name}", "{name}" }
            }
            kbd { "{key}" }
        }
    }
}

/// What a chord would do for an action.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    /// It has it already.
    Same,
    Free,
    /// This one has it, and would have none.
    Taken(&'static str),
    /// It is needed to type or to move.
    Unfit,
}

fn judge(keys: &Keymap, id: &str, chord: &Chord) -> Verdict {
    if !chord.is_bindable() {
        return Verdict::Unfit;
    }
    match keys.action(chord) {
        Some(action) if action.id == id => Verdict::Same,
        Some(action) => Verdict::Taken(action.title),
        None => Verdict::Free,
    }
}

/// The dialog in which another chord is pressed.
#[component]
fn Press(id: &'static str, onclose: EventHandler<()>) -> Element {
    let ui = use_ui();
    let mut pressed = use_signal(|| None::<Chord>);
    let title = actions::find(id).map_or(id, |action| action.title);
    let keys = use_memo(move || ui.frame.read().keys.clone());
    let current = keys.read().chord(id);
    let verdict = pressed.read().as_ref().map(|chord| judge(&keys.read(), id, chord));
    let can_use = matches!(verdict, Some(Verdict::Free | Verdict::Taken(_)));
    let accept = Callback::new(move |()| {
        let Some(chord) = pressed.peek().clone() else { return };
        let mut keys = ui.frame.peek().keys.clone();
        let text = format!("{chord}: {title}.");
        keys.bind(id, Some(chord));
        keep(ui, &keys, &text);
        onclose.call(());
    });
    let remove = move |()| {
        let mut keys = ui.frame.peek().keys.clone();
        keys.bind(id, None);
        keep(ui, &keys, &format!("{title} has no key."));
        onclose.call(());
    };
    rsx! {
        Dialog {
            title: "{title}",
            onclose: move |()| onclose.call(()),
            footer: rsx! {
                if current.is_some() {
                    Button { label: "Have no key", kind: ButtonKind::Ghost, id: "shortcut-remove", onclick: remove }
                }
                Button { label: "Cancel", onclick: move |()| onclose.call(()) }
                Button {
                    label: if matches!(verdict, Some(Verdict::Taken(_))) { "Use it anyway" } else { "Use it" },
                    kind: ButtonKind::Primary,
                    id: "shortcut-use",
                    disabled: !can_use,
                    onclick: move |()| accept.call(()),
                }
            },
            div {
                class: "press",
                id: "shortcut-press",
                tabindex: "0",
                role: "application",
                "aria-label": "Press the new keys for {title}. Enter uses them, Escape closes.",
                onmounted: |event| async move {
                    // Without it the person clicks.
                    let _ = event.set_focus(true).await;
                },
                onkeydown: move |event| {
                    let chord = Chord::pressed(event.modifiers(), &event.key());
                    let is_plain = !chord.ctrl && !chord.alt;
                    match event.key() {
                        // These stay what they are, so that nobody is caught in here.
                        Key::Tab | Key::Escape if is_plain => {}
                        Key::Enter if is_plain => {
                            event.prevent_default();
                            event.stop_propagation();
                            if can_use {
                                accept.call(());
                            }
                        }
                        Key::Control | Key::Shift | Key::Alt | Key::Meta | Key::AltGraph => event.stop_propagation(),
                        _ => {
                            event.prevent_default();
                            event.stop_propagation();
                            pressed.set(Some(chord));
                        }
                    }
                },
                match pressed.read().as_ref().or(current.as_ref()) {
                    Some(chord) => rsx! { Keys { chord: chord.to_string() } },
                    None => rsx! { span { class: "faint", "none" } },
                }
                p { class: "muted", "Press the new keys" }
            }
            p { class: "press-verdict", role: "status", id: "shortcut-verdict",
                match verdict {
                    None => rsx! {},
                    Some(Verdict::Same) => rsx! { "These are its keys already." },
                    Some(Verdict::Free) => rsx! {
                        Glyph { icon: Icon::Check }
                        "These keys are free."
                    },
                    Some(Verdict::Taken(other)) => rsx! {
                        Glyph { icon: Icon::Warning }
                        "They run “{other}” now, which would have no key."
                    },
                    Some(Verdict::Unfit) => rsx! {
                        Glyph { icon: Icon::Warning }
                        "That key is needed to type or to move; add Ctrl or Alt."
                    },
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
