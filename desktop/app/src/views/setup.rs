//! The first run's one calm card, for the top of the chat, and the label of who answers.

use crate::components::{Badge, Button, ButtonKind, Glyph, Icon, IconButton, Progress, Spinner};
use crate::state::System;
use crate::state::diagnostics::units::{download, left, sentence};
use crate::state::frame::{self, Tone};
use crate::state::settings::{self, Page};
use crate::state::setup::card::{Card as Shown, DOWNLOAD, INSTALL, download_bytes};
use crate::state::setup::pull::Meter;
use crate::state::setup::{Event, Responder};
use crate::system;
use crate::ui::{Ui, use_ui};
use dioxus::prelude::*;

/// A card, with what it needs owned.
#[derive(Debug, Clone, PartialEq)]
enum Owned {
    NotInstalled,
    NotRunning { failed: Option<String> },
    Starting,
    ModelMissing { model: String, is_named: bool },
    Pulling { meter: Meter },
    Broken { meter: Meter, why: Option<String> },
    NeedsSecret { name: String, why: String },
    KeyringLocked { name: String, message: String },
    Other { message: String, in_settings: bool },
}

impl From<Shown<'_>> for Owned {
    fn from(card: Shown<'_>) -> Self {
        match card {
            Shown::NotInstalled => Self::NotInstalled,
            Shown::NotRunning { failed } => Self::NotRunning { failed: failed.map(str::to_owned) },
            Shown::Starting => Self::Starting,
            Shown::ModelMissing { model, is_named } => Self::ModelMissing { model: model.to_owned(), is_named },
            Shown::Pulling { meter } => Self::Pulling { meter: meter.clone() },
            Shown::Broken { meter, why } => Self::Broken { meter: meter.clone(), why: why.map(str::to_owned) },
            Shown::NeedsSecret { name, why } => Self::NeedsSecret { name: name.to_owned(), why: why.to_owned() },
            Shown::KeyringLocked { name, message } => {
                Self::KeyringLocked { name: name.to_owned(), message: message.to_owned() }
            }
            Shown::Other { message, in_settings } => Self::Other { message: message.to_owned(), in_settings },
        }
    }
}

/// The one thing that stands in the way of a language model; nothing when all is well.
#[component]
pub fn Card() -> Element {
    let ui = use_ui();
    let card = use_memo(move || ui.setup.read().card().map(Owned::from));
    let is_asking = use_memo(move || ui.setup.read().is_asking);
    let Some(card) = card() else { return rsx! {} };
    let may_go = !matches!(card, Owned::Pulling { .. } | Owned::Starting);
    let (icon, title) = head(&card);
    rsx! {
        section { class: "setup", "aria-label": "Set up a language model", "data-testid": "setup",
            div { class: "setup-icon",
                Glyph { icon, size: 20 }
            }
            div { class: "setup-body",
                h2 { role: "status", "{title}" }
                {body(ui, card, is_asking())}
            }
            if may_go {
                IconButton { icon: Icon::Close, id: "setup-dismiss", label: "Not now", onclick: move |()| ui.send(Event::Dismiss) }
            }
        }
    }
}

fn head(card: &Owned) -> (Icon, String) {
    match card {
        Owned::NotInstalled => (Icon::Spark, "Connect a language model".to_owned()),
        Owned::NotRunning { .. } => (Icon::Server, "Ollama is installed, but does not run".to_owned()),
        Owned::Starting => (Icon::Server, "Starting Ollama…".to_owned()),
        Owned::ModelMissing { model, is_named: true } => {
            (Icon::Download, format!("{model} is not on this computer yet"))
        }
        Owned::ModelMissing { is_named: false, .. } => (Icon::Download, "One step left: a model".to_owned()),
        Owned::Pulling { meter } if meter.is_fetched() => (Icon::Download, format!("Checking {}…", meter.model)),
        Owned::Pulling { meter } => (Icon::Download, format!("Downloading {}", meter.model)),
        Owned::Broken { meter, why: None } => (Icon::Pause, format!("The download of {} is paused", meter.model)),
        Owned::Broken { meter, why: Some(_) } => (Icon::Warning, format!("The download of {} stopped", meter.model)),
        Owned::NeedsSecret { .. } => (Icon::Key, "The model server wants a key".to_owned()),
        Owned::KeyringLocked { .. } => (Icon::Lock, "The keyring is locked".to_owned()),
        Owned::Other { .. } => (Icon::Warning, "No language model answers".to_owned()),
    }
}

fn body(ui: Ui, card: Owned, is_asking: bool) -> Element {
    match card {
        Owned::NotInstalled => rsx! {
            p { "Ollama runs models on this computer, so nothing you say leaves it. Until then the built-in responder answers from what you told it." }
            Command { text: INSTALL }
            div { class: "row",
                Button { label: "Download Ollama", id: "setup-download", kind: ButtonKind::Primary, icon: Icon::External, onclick: move |()| ui.send(frame::Event::FollowLink(DOWNLOAD.to_owned())) }
                Again { ui, is_asking }
                span { class: "faint", "It is noticed by itself once it runs." }
            }
        },
        Owned::NotRunning { failed } => rsx! {
            if let Some(why) = failed {
                div { class: "setup-why", role: "alert", p { {sentence(&why)} } }
            } else {
                p { "Started from here, it goes on running when you close the app. Until then the built-in responder answers from what you told it." }
            }
            div { class: "row",
                Button { label: "Start Ollama", id: "setup-start", kind: ButtonKind::Primary, icon: Icon::Play, onclick: move |()| ui.send(Event::StartServer) }
                Again { ui, is_asking }
            }
        },
        Owned::Starting => rsx! {
            div { class: "row",
                Spinner { label: "Waiting for Ollama" }
                p { class: "muted", "It answers in a few seconds, on a cold disk a little later." }
            }
        },
        Owned::ModelMissing { model, is_named } => {
            let size = download_bytes(&model)
                .map_or_else(String::new, |bytes| format!(" It is a download of {}.", download(bytes)));
            let words = match is_named {
                true => format!("The settings name {model}, and Ollama does not have it.{size}"),
                false => format!(
                    "Ollama runs and has no model that can chat. {model} fits the memory of this computer.{size}"
                ),
            };
            rsx! {
                p { "{words}" }
                div { class: "row",
                    Button { label: "Download {model}", id: "setup-pull", kind: ButtonKind::Primary, icon: Icon::Download, onclick: move |()| ui.send(Event::Pull) }
                    Again { ui, is_asking }
                }
            }
        }
        Owned::Pulling { meter } => rsx! {
            div { class: "setup-pull",
                Progress { label: "Download of {meter.model}", value: meter.share(), text: figures(&meter) }
                Button { label: "Cancel", id: "setup-cancel", onclick: move |()| ui.send(Event::StopPull) }
            }
            p { class: "faint", "You can chat meanwhile; what was downloaded stays if you stop." }
        },
        Owned::Broken { meter, why } => rsx! {
            if let Some(why) = why {
                div { class: "setup-why", role: "alert", p { {sentence(&why)} } }
            }
            p { {kept(&meter)} }
            div { class: "row",
                Button { label: "Resume", id: "setup-pull", kind: ButtonKind::Primary, icon: Icon::Download, onclick: move |()| ui.send(Event::Pull) }
            }
        },
        Owned::NeedsSecret { name, why } => rsx! {
            p { {sentence(&why)} }
            div { class: "row",
                Button { label: "Set {name}", id: "setup-secret", kind: ButtonKind::Primary, icon: Icon::Key, onclick: move |()| settings_of(ui, Page::Secrets) }
                Again { ui, is_asking }
            }
        },
        Owned::KeyringLocked { name, message } => rsx! {
            p { {sentence(&message)} }
            p { class: "muted", "The model server needs {name}, which is kept in the keyring." }
            div { class: "row",
                Again { ui, is_asking }
                Button { label: "Set it anew", id: "setup-secret", onclick: move |()| settings_of(ui, Page::Secrets) }
            }
        },
        Owned::Other { message, in_settings } => rsx! {
            p { {sentence(&message)} }
            div { class: "row",
                Again { ui, is_asking }
                Button {
                    label: "Open settings",
                    id: "setup-settings",
                    kind: if in_settings { ButtonKind::Primary } else { ButtonKind::Ghost },
                    onclick: move |()| settings_of(ui, Page::Providers),
                }
            }
        },
    }
}

/// Leads to a page of the settings.
fn settings_of(ui: Ui, page: Page) {
    ui.send(settings::Event::Show(page));
    ui.send(frame::Event::Show("settings"));
}

/// How far, how quick, how long yet.
fn figures(meter: &Meter) -> String {
    let Some(share) = meter.share() else {
        return if meter.status.is_empty() { "Asking the server…".to_owned() } else { sentence(&meter.status) };
    };
    if meter.is_fetched() {
        return sentence(&meter.status);
    }
    let mut parts = vec![
        format!("{:.0} %", (share * 100.0).floor()),
        format!("{} of {}", download(meter.completed()), download(meter.total())),
    ];
    if let Some(speed) = meter.speed() {
        parts.push(if speed == 0 { "waiting for the server".to_owned() } else { format!("{}/s", download(speed)) });
    }
    parts.extend(meter.left_ms().map(left));
    parts.join(" · ")
}

/// What is there of a broken pull.
fn kept(meter: &Meter) -> String {
    match meter.total() {
        0 => "It goes on where it was.".to_owned(),
        total => format!("{} of {} are here; it goes on from there.", download(meter.completed()), download(total)),
    }
}

/// Looks again.
#[component]
fn Again(ui: Ui, is_asking: bool) -> Element {
    rsx! {
        Button {
            label: "Check again",
            id: "setup-again",
            kind: ButtonKind::Ghost,
            icon: Icon::Refresh,
            disabled: is_asking,
            onclick: move |()| ui.send(Event::Probe),
        }
    }
}

/// Something to be typed in a terminal.
#[component]
fn Command(text: String) -> Element {
    let ui = use_ui();
    let copied = text.clone();
    rsx! {
        div { class: "setup-command",
            code { "{text}" }
            IconButton {
                icon: Icon::Copy,
                label: "Copy the command",
                id: "setup-copy",
                onclick: move |()| {
                    system::perform(ui, System::Copy(copied.clone()));
                    ui.send(frame::Event::Toast(frame::Toast::new(Tone::Success, "The command is on the clipboard.")));
                },
            }
        }
    }
}

/// Says that the built-in responder answers, and why; nothing where a language model does.
#[component]
pub fn ResponderBadge() -> Element {
    let ui = use_ui();
    let label = use_memo(move || {
        ui.setup.read().responder().map(|responder| match responder {
            Responder::Chosen => "The settings ask for the built-in responder. It is no language model.".to_owned(),
            Responder::Instead(why) => why.to_owned(),
        })
    });
    let Some(why) = label() else { return rsx! {} };
    rsx! {
        span { title: "{why}", "data-testid": "responder",
            Badge { tone: Tone::Info, text: "Built-in responder" }
            span { class: "visually-hidden", " {why}" }
        }
    }
}

#[cfg(test)]
mod tests;
