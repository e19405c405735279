//! A turn waits for a secret: it is typed here and goes to the vault alone.
//!
//! The field keeps its own text. It is read once, when it is sent, straight into a value that erases itself.

use crate::components::{Button, Dialog, Glyph, Icon, Spinner};
use crate::markdown;
use crate::state::chat::{Event, Hidden};
use crate::ui::use_ui;
use butterfly_api::secret::Secret;
use dioxus::prelude::*;

/// The name of the field in its form.
const FIELD: &str = "secret";

/// Asks for a secret.
#[component]
pub fn SecretDialog(name: String, why: String, keeping: bool, refused: Option<String>) -> Element {
    let ui = use_ui();
    rsx! {
        Dialog { title: "This answer needs a key", onclose: move |()| ui.send(Event::DeclineSecret),
            form {
                class: "secret",
                onsubmit: move |event| {
                    event.prevent_default();
                    if let Some(FormValue::Text(value)) = event.get_first(FIELD) {
                        ui.send(Event::KeepSecret(Hidden::new(Secret::new(value))));
                    }
                },
                p { "{markdown::clean(&why)}" }
                label { class: "field-label", r#for: "secret-value", "{markdown::clean(&name)}" }
                input {
                    id: "secret-value",
                    class: "input",
                    r#type: "password",
                    name: FIELD,
                    autocomplete: "off",
                    spellcheck: "false",
                    disabled: keeping,
                    "aria-invalid": refused.is_some().then_some("true"),
                    "aria-describedby": "secret-note",
                    onmounted: |event| async move {
                        // It is there only as long as it is asked for.
                        let _ = event.set_focus(true).await;
                    },
                }
                p { id: "secret-note", class: if refused.is_some() { "field-error" } else { "field-help" }, role: refused.is_some().then_some("alert"),
                    {refused.as_deref().unwrap_or("It is kept in the keyring of your system, is never shown again, and the answer goes on by itself.")}
                }
                div { class: "row end",
                    if keeping {
                        Spinner { label: "Keeping it" }
                    }
                    Button { label: "Cancel and stop the answer", id: "secret-decline", onclick: move |()| ui.send(Event::DeclineSecret) }
                    button { class: "button primary", r#type: "submit", id: "secret-keep", disabled: keeping,
                        Glyph { icon: Icon::Key }
                        span { "Keep it and go on" }
                    }
                }
            }
        }
    }
}
