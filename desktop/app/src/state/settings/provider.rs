//! Who answers: the providers with their usual addresses, and the test of a connection.

use super::{Effect as Outermost, Event as Up, failed};
use crate::state::Effect as Outer;
use crate::state::frame::{Toast, Tone};
use butterfly_api::config::{Imported, Setting, Source};
use butterfly_api::model::{Cause, Models, Probe};

/// A kind of model server, with what it takes to reach one on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    Ollama,
    LmStudio,
    LlamaCpp,
    Vllm,
    /// Any other server with an OpenAI-compatible `/v1`.
    Other,
    Builtin,
}

impl Preset {
    pub const ALL: [Self; 6] = [Self::Ollama, Self::LmStudio, Self::LlamaCpp, Self::Vllm, Self::Other, Self::Builtin];

    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Ollama => "ollama",
            Self::LmStudio => "lm-studio",
            Self::LlamaCpp => "llama-cpp",
            Self::Vllm => "vllm",
            Self::Other => "other",
            Self::Builtin => "builtin",
        }
    }

    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Ollama => "Ollama",
            Self::LmStudio => "LM Studio",
            Self::LlamaCpp => "llama.cpp",
            Self::Vllm => "vLLM",
            Self::Other => "Another server",
            Self::Builtin => "Built-in",
        }
    }

    /// What it is, in a line.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Ollama => "Fetches and runs models; sizes their context. The usual choice.",
            Self::LmStudio => "A desktop app with a server, on port 1234.",
            Self::LlamaCpp => "llama-server, on port 8080.",
            Self::Vllm => "For strong graphics cards, on port 8000.",
            Self::Other => "Anything with an OpenAI-compatible /v1.",
            Self::Builtin => "No model: repeats what is remembered.",
        }
    }

    /// The value of `model.provider`.
    #[must_use]
    pub const fn provider(self) -> &'static str {
        match self {
            Self::Ollama => "ollama",
            Self::LmStudio | Self::LlamaCpp | Self::Vllm | Self::Other => "openai",
            Self::Builtin => "builtin",
        }
    }

    /// The value of `model.url`; `None`: the provider's usual one.
    #[must_use]
    pub const fn url(self) -> Option<&'static str> {
        match self {
            Self::Ollama | Self::LmStudio | Self::Other | Self::Builtin => None,
            Self::LlamaCpp => Some("http://127.0.0.1:8080/v1"),
            Self::Vllm => Some("http://127.0.0.1:8000/v1"),
        }
    }

    /// Where it is unless an address is given.
    #[must_use]
    pub const fn usual(self) -> &'static str {
        match self {
            Self::Ollama => "http://127.0.0.1:11434",
            Self::LmStudio => "http://127.0.0.1:1234/v1",
            Self::LlamaCpp | Self::Vllm | Self::Other | Self::Builtin => "http://host:port/v1",
        }
    }

    /// The secret that such a server may ask for.
    #[must_use]
    pub const fn secret(self) -> Option<&'static str> {
        match self {
            Self::Ollama => Some("ollama.api_key"),
            Self::LmStudio | Self::LlamaCpp | Self::Vllm | Self::Other => Some("openai.api_key"),
            Self::Builtin => None,
        }
    }

    /// Which one these settings mean.
    #[must_use]
    pub fn of(provider: &str, url: &str) -> Self {
        let local = ["http://127.0.0.1:", "http://localhost:"].into_iter().find_map(|start| url.strip_prefix(start));
        let port = local.map(|rest| rest.split('/').next().unwrap_or_default());
        match (provider, url, port) {
            ("builtin", ..) => Self::Builtin,
            ("openai", "", _) | ("openai", _, Some("1234")) => Self::LmStudio,
            ("openai", _, Some("8080")) => Self::LlamaCpp,
            ("openai", _, Some("8000")) => Self::Vllm,
            ("openai", ..) => Self::Other,
            _ => Self::Ollama,
        }
    }
}

/// What came of a test.
#[derive(Debug, Clone, PartialEq)]
pub struct Tested {
    pub probe: Probe,
    /// From the question to the server's answer, with the bus between, in ms.
    pub millis: u64,
}

/// How a test stands.
#[derive(Debug, Default, Clone, PartialEq)]
pub enum Test {
    #[default]
    None,
    Running {
        request: u64,
    },
    Done(Tested),
    /// Nobody could be asked.
    Failed {
        why: String,
    },
}

/// Several settings that are stored together: a value each, `None` for the default.
pub type Values = Vec<(&'static str, Option<String>)>;

/// The provider's page.
#[derive(Debug, Default, Clone)]
pub struct State {
    /// What the person picked, where the settings alone do not tell.
    picked: Option<Preset>,
    /// Settings are being stored.
    pub applying: bool,
    pub test: Test,
    /// What is installed, as far as it is known.
    pub models: Option<Result<Models, String>>,
    /// The `model.*` settings that test and models are about.
    about: Vec<(String, String)>,
    request: u64,
    /// The last question for models: an answer to an older one is dropped.
    models_request: u64,
}

/// What happens to the provider.
#[derive(Debug, Clone)]
pub enum Event {
    Choose(Preset),
    /// Takes a choice back.
    Undo(Values),
    Applied {
        request: u64,
        undo: Option<Values>,
        result: Result<Imported, String>,
    },
    Test,
    Tested {
        request: u64,
        result: Result<Tested, String>,
    },
    Models {
        request: u64,
        result: Result<Models, String>,
    },
}

/// What the provider's page needs from the bus.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Stores them all at once, so that the model worker is restarted once.
    Apply {
        request: u64,
        values: Values,
        undo: Option<Values>,
    },
    Test {
        request: u64,
    },
    Models {
        request: u64,
    },
}

/// What a choice of provider changes: a model's name means nothing on another server.
const CHANGED: [&str; 3] = ["model.provider", "model.url", "model.name"];

impl State {
    /// The page is shown.
    pub(super) fn enter(&mut self) -> Vec<Outer> {
        self.models_request = self.ask();
        vec![Outermost::Provider(Effect::Models { request: self.models_request }).into()]
    }

    pub(super) fn lost(&mut self) {
        self.applying = false;
        if let Test::Running { .. } = self.test {
            self.test = Test::None;
        }
    }

    /// What was found out about another server is forgotten.
    pub(super) fn loaded(&mut self, settings: &[Setting]) {
        let model =
            settings.iter().filter(|setting| matches!(setting.info.key.as_str(), "model.provider" | "model.url"));
        let about: Vec<_> = model.map(|setting| (setting.info.key.clone(), setting.value.clone())).collect();
        if self.about != about {
            self.about = about;
            self.models = None;
            if !matches!(self.test, Test::Running { .. }) {
                self.test = Test::None;
            }
        }
    }

    /// Which one is chosen.
    #[must_use]
    pub fn preset(&self, settings: &[Setting]) -> Preset {
        let value = |key| settings.iter().find(|setting| setting.info.key == key).map_or("", |setting| &setting.value);
        let told = Preset::of(value("model.provider"), value("model.url"));
        match self.picked {
            Some(Preset::Other) if told.provider() == Preset::Other.provider() => Preset::Other,
            Some(_) | None => told,
        }
    }

    fn ask(&mut self) -> u64 {
        self.request += 1;
        self.request
    }

    pub(super) fn reduce(&mut self, event: Event, settings: &[Setting]) -> Vec<Outer> {
        match event {
            Event::Choose(preset) => {
                if preset == self.preset(settings) {
                    return Vec::new();
                }
                self.picked = Some(preset);
                let stored = |key: &str| {
                    let setting = settings.iter().find(|setting| setting.info.key == key)?;
                    match setting.source {
                        Source::Database => Some(setting.value.clone()),
                        Source::Default => None,
                        Source::Environment | Source::Profile { .. } => setting.stored.clone(),
                    }
                };
                let undo: Values = CHANGED.into_iter().map(|key| (key, stored(key))).collect();
                // Another server keeps the address until a person gives one.
                let url = if preset == Preset::Other { stored("model.url") } else { preset.url().map(str::to_owned) };
                let values = vec![
                    ("model.provider", Some(preset.provider().to_owned())),
                    ("model.url", url),
                    ("model.name", None),
                ];
                self.apply(values, Some(undo))
            }
            Event::Undo(values) => {
                self.picked = None;
                self.apply(values, None)
            }
            Event::Applied { request: _, undo, result } => {
                self.applying = false;
                let mut effects = match (result, undo) {
                    (Ok(imported), Some(undo)) => {
                        let mut text = format!("{} answers from now on.", self.picked.map_or("It", Preset::title));
                        if !imported.restarted.is_empty() {
                            text.push_str(" The model worker is restarted for it.");
                        }
                        vec![Outer::toast(
                            Toast::new(Tone::Success, text).with("Undo", Up::Provider(Event::Undo(undo))),
                        )]
                    }
                    (Ok(_), None) => vec![Outer::toast(Toast::new(Tone::Info, "The former provider is back."))],
                    (Err(why), _) => {
                        self.picked = None;
                        vec![failed("The provider was not changed", &why)]
                    }
                };
                self.test = Test::None;
                self.models = None;
                effects.extend(self.enter());
                effects
            }
            Event::Test => {
                let request = self.ask();
                self.test = Test::Running { request };
                vec![Outermost::Provider(Effect::Test { request }).into()]
            }
            Event::Tested { request, result } => {
                if self.test != (Test::Running { request }) {
                    return Vec::new();
                }
                match result {
                    Ok(tested) => {
                        let is_there = tested.probe.problem.is_none();
                        self.test = Test::Done(tested);
                        if is_there { self.enter() } else { Vec::new() }
                    }
                    Err(why) => {
                        self.test = Test::Failed { why };
                        Vec::new()
                    }
                }
            }
            Event::Models { request, result } => {
                if request == self.models_request {
                    self.models = Some(result);
                }
                Vec::new()
            }
        }
    }

    fn apply(&mut self, values: Values, undo: Option<Values>) -> Vec<Outer> {
        self.applying = true;
        let request = self.ask();
        vec![Outermost::Provider(Effect::Apply { request, values, undo }).into()]
    }
}

impl Tested {
    /// What came of it, in words: how good it is, a headline, the rest.
    #[must_use]
    pub fn words(&self) -> (Tone, String, String) {
        let probe = &self.probe;
        let millis = self.millis;
        let url = probe.url.trim_end_matches('/');
        match (&probe.problem, &probe.server_version) {
            (None, _) if probe.provider == "builtin" => {
                (Tone::Info, "The built-in responder needs no server.".into(), probe.reason.clone())
            }
            (None, Some(version)) if !version.is_empty() => {
                (Tone::Success, format!("Connected in {millis} ms, server version {version}."), probe.reason.clone())
            }
            (None, _) => (Tone::Success, format!("Connected in {millis} ms."), probe.reason.clone()),
            (Some(problem), _) => {
                let tone = match problem.cause {
                    Cause::ModelMissing { .. } | Cause::NeedsSecret { .. } => Tone::Warning,
                    _ => Tone::Danger,
                };
                let headline = match problem.cause {
                    Cause::ModelMissing { .. } => format!("Connected in {millis} ms, but no model can answer."),
                    Cause::NeedsSecret { .. } => "The server asks for a key.".to_owned(),
                    Cause::ServerNotRunning => format!("Nothing answers at {url}."),
                    _ => format!("{url} cannot be used."),
                };
                (tone, headline, problem.message.clone())
            }
        }
    }

    /// The secret that the server asks for, if it does.
    #[must_use]
    pub fn secret(&self) -> Option<&str> {
        match &self.probe.problem.as_ref()?.cause {
            Cause::NeedsSecret { name, .. } => Some(name),
            _ => None,
        }
    }
}
