//! Secrets by name, and the keyring. A value is typed once, and never shown.

use super::prose::Prose;
use crate::components::{Badge, Banner, Button, ButtonKind, Dialog, EmptyState, Icon, IconButton, Skeleton, Spinner};
use crate::state::frame::Tone;
use crate::state::settings::sealed::Sealed;
use crate::state::settings::secrets::{Event, state_of};
use crate::state::settings::{self, Load};
use crate::ui::{Ui, use_ui};
use butterfly_api::vault::{Kept, SecretInfo, StoreState};
use dioxus::prelude::*;

fn send(ui: Ui, event: Event) {
    ui.send(settings::Event::Secrets(event));
}

/// The page.
#[component]
pub(super) fn Secrets() -> Element {
    let ui = use_ui();
    let load = use_memo(move || ui.settings.read().secrets.load.clone());
    let secrets = use_memo(move || ui.settings.read().secrets.secrets.clone());
    let busy = use_memo(move || ui.settings.read().secrets.busy.clone());
    let offline = use_memo(move || ui.settings.read().offline);
    let load = load();
    let failed = match &load {
        Load::Failed { why } => Some(why.clone()),
        Load::Never | Load::Loading | Load::Ready => None,
    };
    rsx! {
        div { class: "settings-column",
            header { class: "settings-head",
                h1 { "Secrets" }
                p { class: "muted",
                    "Keys that workers may ask for, kept in the system's keyring. No window, log or export shows a value."
                }
            }
            if let Some(why) = failed.clone() {
                if secrets.read().is_empty() {
                    EmptyState { icon: Icon::Lock, title: "The vault could not be asked.", text: why,
                        Button { label: "Try again", id: "secrets-again", onclick: move |()| send(ui, Event::Load) }
                    }
                } else {
                    Banner { tone: Tone::Warning, title: "This may have changed since.", p { "{why}" } }
                }
            } else if secrets.read().is_empty() && load != Load::Ready {
                Skeleton { lines: 4 }
            }
            Keyring {}
            if !secrets.read().is_empty() {
                div { class: "setting-list",
                    for secret in secrets() {
                        One {
                            key: "{secret.name}",
                            is_busy: busy.read().as_ref() == Some(&secret.name),
                            disabled: offline() || busy.read().is_some(),
                            secret,
                        }
                    }
                }
            }
        }
    }
}

/// How the keyring is, with what to do next.
#[component]
fn Keyring() -> Element {
    let ui = use_ui();
    let store = use_memo(move || ui.settings.read().secrets.store.clone());
    let offline = use_memo(move || ui.settings.read().offline);
    let Some(store) = store() else { return rsx! {} };
    let (tone, word) = state_of(store.state);
    rsx! {
        div { id: "keyring",
            Banner { tone, title: "The keyring is {word}.",
                p { Prose { text: store.message.clone() } }
                if store.state != StoreState::Ready {
                    Button { label: "Look again", icon: Icon::Refresh, id: "keyring-again", disabled: offline(), onclick: move |()| send(ui, Event::Load) }
                }
            }
        }
    }
}

#[component]
fn One(secret: SecretInfo, is_busy: bool, disabled: bool) -> Element {
    let ui = use_ui();
    let SecretInfo { name, purpose, used_by, kept } = secret;
    let (tone, state) = match kept {
        Some(Kept::Keyring) => (Tone::Success, "in the keyring"),
        Some(Kept::Process) => (Tone::Warning, "until the vault ends"),
        None => (Tone::Info, "not set"),
    };
    let users = used_by.join(", ");
    let (enters, deletes) = (name.clone(), name.clone());
    rsx! {
        div { class: "setting", "data-testid": "secret-{name}",
            div { class: "setting-text",
                div { class: "setting-title",
                    code { class: "secret-name", "{name}" }
                    Badge { tone, text: state }
                    if is_busy {
                        Spinner { label: "The keyring is asked" }
                    }
                }
                p { class: "setting-help", "It is {purpose}." }
                p { class: "setting-note", "Read by: {users}" }
            }
            div { class: "setting-side",
                div { class: "setting-control",
                    Button {
                        label: if kept.is_some() { "Replace…" } else { "Set…" },
                        icon: Icon::Key,
                        id: "secret-set-{name}",
                        disabled,
                        onclick: move |()| send(ui, Event::Enter(enters.clone())),
                    }
                    if kept.is_some() {
                        IconButton {
                            icon: Icon::Trash,
                            label: "Delete {name}",
                            danger: true,
                            id: "secret-delete-{name}",
                            disabled,
                            onclick: move |()| send(ui, Event::AskDelete(deletes.clone())),
                        }
                    }
                }
            }
        }
    }
}

/// The dialog in which a value is typed, while one is asked for.
#[component]
pub(super) fn Entering() -> Element {
    let ui = use_ui();
    let entering = use_memo(move || ui.settings.read().secrets.entering.clone());
    match entering() {
        Some(name) => rsx! { Enter { key: "{name}", name } },
        None => rsx! {},
    }
}

#[component]
fn Enter(name: String) -> Element {
    let ui = use_ui();
    // Erased with the dialog, and by each key that is pressed.
    let mut typed = use_signal(|| None::<Sealed>);
    let error = use_memo(move || ui.settings.read().secrets.error.clone());
    let of = name.clone();
    let is_busy = use_memo(move || ui.settings.read().secrets.busy.as_ref() == Some(&of));
    let info = {
        let of = name.clone();
        use_memo(move || ui.settings.read().secrets.find(&of).cloned())
    };
    let is_set = info.read().as_ref().is_some_and(|info| info.kept.is_some());
    let purpose = info.read().as_ref().map(|info| info.purpose.clone());
    let store = Callback::new(move |()| {
        if let Some(value) = typed.peek().clone().filter(|_| !is_busy()) {
            send(ui, Event::Store { name: name.clone(), value });
        }
    });
    let close = move |()| send(ui, Event::Cancel);
    rsx! {
        Dialog {
            title: if is_set { "Replace the key" } else { "Set the key" },
            onclose: close,
            footer: rsx! {
                if is_busy() {
                    span { class: "row muted", role: "status",
                        Spinner { label: "Asking the keyring" }
                        "The keyring may ask for its password in a window of its own."
                    }
                }
                Button { label: "Cancel", onclick: close }
                Button {
                    label: "Store",
                    kind: ButtonKind::Primary,
                    id: "secret-store",
                    disabled: typed.read().is_none() || is_busy(),
                    onclick: move |()| store.call(()),
                }
            },
            if let Some(purpose) = purpose {
                p { class: "muted", "It is {purpose}." }
            }
            div { class: if error.read().is_some() { "field invalid" } else { "field" },
                label { class: "field-label", r#for: "secret-value", "Value" }
                // It has no value of ours: what is typed is in the page alone, and in `typed`.
                input {
                    id: "secret-value",
                    class: "input",
                    r#type: "password",
                    autocomplete: "off",
                    spellcheck: "false",
                    "aria-invalid": error.read().is_some().then_some("true"),
                    "aria-describedby": "secret-note",
                    onmounted: |event| async move {
                        // Without it the person clicks.
                        let _ = event.set_focus(true).await;
                    },
                    oninput: move |event| {
                        let value = event.value();
                        typed.set((!value.is_empty()).then(|| Sealed::new(value)));
                    },
                    onkeydown: move |event| {
                        if event.key() == Key::Enter {
                            event.prevent_default();
                            store.call(());
                        }
                    },
                }
                if let Some(error) = error() {
                    div { class: "field-error", id: "secret-note", role: "alert", p { "{error}" } }
                } else {
                    p { class: "field-help", id: "secret-note", "It goes to the keyring and is not shown again. Keep a copy where you got it." }
                }
            }
        }
    }
}
