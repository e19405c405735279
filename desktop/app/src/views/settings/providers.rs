//! Who answers: the kinds of model servers, the address and the key of the one that is chosen, a test of the connection,
//! and the models.

use super::prose::Prose;
use super::row::SettingRow;
use crate::components::{Badge, Banner, Button, ButtonKind, EmptyState, Glyph, Icon, Spinner};
use crate::state::frame::Tone;
use crate::state::settings::field::Place;
use crate::state::settings::provider::{Event, Preset, Test};
use crate::state::settings::{self, secrets};
use crate::ui::use_ui;
use butterfly_api::model::{ModelInfo, Models};
use butterfly_api::vault::Kept;
use dioxus::prelude::*;

/// The page.
#[component]
pub(super) fn Providers() -> Element {
    let ui = use_ui();
    let preset = use_memo(move || {
        let settings = ui.settings.read();
        settings.provider.preset(&settings.settings)
    });
    // Where the environment decides, choosing would change nothing.
    let locked = use_memo(move || ui.settings.read().row(&Place::outside("model.provider")).and_then(|row| row.locked));
    let applying = use_memo(move || ui.settings.read().provider.applying);
    let preset = preset();
    rsx! {
        div { class: "settings-column",
            header { class: "settings-head",
                h1 { "Providers" }
                p { class: "muted", "Where answers come from. Everything stays on this computer unless you give an address elsewhere." }
            }
            if let Some(locked) = locked() {
                Banner { tone: Tone::Warning, title: "The provider cannot be changed here.", p { Prose { text: locked.clone() } } }
            }
            div { class: "presets", role: "group", "aria-label": "Provider",
                for each in Preset::ALL {
                    button {
                        key: "{each.id()}",
                        class: "preset",
                        id: "provider-{each.id()}",
                        r#type: "button",
                        disabled: locked.read().is_some() || applying(),
                        "aria-pressed": "{each == preset}",
                        onclick: move |_| ui.send(settings::Event::Provider(Event::Choose(each))),
                        span { class: "preset-title",
                            "{each.title()}"
                            if each == preset {
                                Glyph { icon: Icon::Check }
                            }
                        }
                        span { class: "preset-about", "{each.about()}" }
                    }
                }
            }
            if preset == Preset::Builtin {
                EmptyState {
                    icon: Icon::Check,
                    title: "There is nothing to set up.",
                    text: "The built-in responder finds what you said before and says when. It cannot think or write; choose a model server for that.",
                    Fragment {}
                }
            } else {
                section { class: "setting-group", "aria-labelledby": "provider-connection",
                    h2 { id: "provider-connection", "Connection" }
                    div { class: "setting-list",
                        SettingRow { key: "{preset.id()}", place: Place::outside("model.url"), placeholder: preset.usual() }
                        if let Some(name) = preset.secret() {
                            ApiKey { key: "{name}", name }
                        }
                        Connection {}
                    }
                }
                ModelsOf {}
            }
        }
    }
}

/// Whether the key is there that the server may ask for.
#[component]
fn ApiKey(name: &'static str) -> Element {
    let ui = use_ui();
    let kept = use_memo(move || ui.settings.read().secrets.find(name).map(|secret| secret.kept));
    let offline = use_memo(move || ui.settings.read().offline);
    let (tone, state) = match kept() {
        Some(Some(Kept::Keyring)) => (Tone::Success, "in the keyring"),
        Some(Some(Kept::Process)) => (Tone::Warning, "until the vault ends"),
        Some(None) => (Tone::Info, "not set"),
        None => (Tone::Info, "not known yet"),
    };
    let is_set = matches!(kept(), Some(Some(_)));
    rsx! {
        div { class: "setting", "data-testid": "provider-key",
            div { class: "setting-text",
                div { class: "setting-title",
                    span { class: "field-label", "API key" }
                    Badge { tone, text: state }
                    code { class: "setting-key", "{name}" }
                }
                p { class: "setting-help", "Only where the server asks for one. It is kept in the system's keyring, and sent to this server alone." }
            }
            div { class: "setting-side",
                div { class: "setting-control",
                    Button {
                        label: if is_set { "Replace…" } else { "Set…" },
                        icon: Icon::Key,
                        id: "provider-set-key",
                        disabled: offline(),
                        onclick: move |()| ui.send(settings::Event::Secrets(secrets::Event::Enter(name.into()))),
                    }
                }
            }
        }
    }
}

/// The test, and what came of it.
#[component]
fn Connection() -> Element {
    let ui = use_ui();
    let test = use_memo(move || ui.settings.read().provider.test.clone());
    let offline = use_memo(move || ui.settings.read().offline);
    let is_running = matches!(*test.read(), Test::Running { .. });
    rsx! {
        div { class: "setting test",
            div { class: "setting-text",
                span { class: "field-label", "Test" }
                p { class: "setting-help", "Asks the server for its version and its models. Nothing that you said is sent." }
            }
            div { class: "setting-side",
                div { class: "setting-control",
                    if is_running {
                        Spinner { label: "Asking the server" }
                    }
                    Button {
                        label: "Test connection",
                        icon: Icon::Link,
                        id: "provider-test",
                        disabled: is_running || offline(),
                        onclick: move |()| ui.send(settings::Event::Provider(Event::Test)),
                    }
                }
            }
            div { class: "test-result", role: "status", id: "provider-result",
                match &*test.read() {
                    Test::None | Test::Running { .. } => rsx! {},
                    Test::Failed { why } => rsx! {
                        Banner { tone: Tone::Danger, title: "The model worker could not be asked.", p { Prose { text: why.clone() } } }
                    },
                    Test::Done(tested) => {
                        let (tone, headline, rest) = tested.words();
                        let secret = tested.secret().map(str::to_owned);
                        rsx! {
                            Banner { tone, title: headline,
                                p { Prose { text: rest.clone() } }
                                if let Some(name) = secret {
                                    Button {
                                        label: "Set the key…",
                                        kind: ButtonKind::Primary,
                                        onclick: move |()| ui.send(settings::Event::Secrets(secrets::Event::Enter(name.clone()))),
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Which models do what.
#[component]
fn ModelsOf() -> Element {
    let ui = use_ui();
    let models = use_memo(move || ui.settings.read().provider.models.clone());
    let value = move |key: &'static str| {
        use_memo(move || ui.settings.read().row(&Place::outside(key)).map(|row| row.value).unwrap_or_default())
    };
    let (name, embedding, summary) = (value("model.name"), value("model.embedding"), value("memory.summary_model"));
    let models = models.read();
    let (list, why) = match models.as_ref() {
        None => (None, None),
        Some(Ok(models)) => (Some(models), None),
        Some(Err(why)) => (None, Some(why.clone())),
    };
    let by_itself = match list.and_then(|models| models.chosen.as_ref()) {
        Some(chosen) => format!("Chosen by itself ({chosen})"),
        None => "Chosen by itself".to_owned(),
    };
    // Without a list of what is there a name can still be typed.
    let offered = |can: &str, none: &str, current: String| list.map(|models| options(models, can, none, &current));
    rsx! {
        section { class: "setting-group", "aria-labelledby": "provider-models",
            h2 { id: "provider-models", "Models" }
            if let Some(why) = why {
                p { class: "setting-note warning",
                    Glyph { icon: Icon::Warning, size: 14 }
                    span { "What is installed is not known: {why}" }
                }
            }
            div { class: "setting-list",
                SettingRow { key: "name-{list.is_some()}", place: Place::outside("model.name"), options: offered("completion", &by_itself, name()) }
                SettingRow { key: "embedding-{list.is_some()}", place: Place::outside("model.embedding"), options: offered("embedding", "The smallest that can", embedding()) }
                SettingRow { key: "summary-{list.is_some()}", place: Place::outside("memory.summary_model"), options: offered("completion", "The one that answers", summary()) }
            }
        }
    }
}

/// The models that can do something, as far as the server tells, with what is chosen now.
fn options(models: &Models, can: &str, none: &str, current: &str) -> Vec<(String, String)> {
    let fits = |model: &&ModelInfo| model.capabilities.is_empty() || model.capabilities.iter().any(|it| it == can);
    let text = |model: &ModelInfo| {
        let size = if model.parameters.is_empty() { String::new() } else { format!("  ·  {}", model.parameters) };
        format!("{}{size}", model.name)
    };
    let mut options = vec![(String::new(), none.to_owned())];
    options.extend(models.models.iter().filter(fits).map(|model| (model.name.clone(), text(model))));
    if !options.iter().any(|(name, _)| name == current) {
        options.push((current.to_owned(), format!("{current}  ·  not on this server")));
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_is_chosen_and_gone_is_still_shown() {
        let model = |name: &str, can: &[&str]| ModelInfo {
            name: name.into(),
            size_bytes: 0,
            parameters: "8B".into(),
            quantization: String::new(),
            capabilities: can.iter().map(|can| (*can).to_owned()).collect(),
            context_tokens: 0,
            modified_unix_ms: 0,
        };
        let models = Models {
            provider: "ollama".into(),
            models: vec![model("chats", &["completion"]), model("embeds", &["embedding"]), model("untold", &[])],
            chosen: None,
        };
        let names = |can, current: &str| {
            options(&models, can, "none", current).into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(names("completion", ""), ["", "chats", "untold"]);
        assert_eq!(names("embedding", "chats"), ["", "embeds", "untold", "chats"]);
        let gone = options(&models, "completion", "none", "gone").pop();
        assert_eq!(gone, Some(("gone".into(), "gone  ·  not on this server".into())));
    }
}
