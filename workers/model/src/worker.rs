//! The service: every method of `butterfly_api::model::Model`, over whichever provider is configured.

use crate::answerer::{Answerer, Server};
use crate::choose;
use crate::embedding;
use crate::gate::Gate;
use crate::keys::Keys;
use crate::presets;
use crate::provider::Provider;
use crate::responder;
use crate::sentence;
use crate::settings::{ProviderKind, Settings};
use crate::sink::Sink;
use crate::timeouts::Timeouts;
use crate::trouble::Trouble;
use butterfly_api::health::{Check, Level};
use butterfly_api::model::{
    Cause, ChatEnd, ChatItem, ChatRequest, EmbedRequest, Embeddings, Model, ModelDetails, ModelError, Models, Probe,
    PullProgress, PullRequest, Pulled, Purpose, Running, ShowRequest,
};
use butterfly_client::{Call, Outlet};
use butterfly_wire::frame::FRAME_LIMIT;
use butterfly_wire::{ErrorCode, Failure};
use std::sync::{Arc, PoisonError, RwLock};

/// Texts of one request for vectors, as the service says.
const TEXTS: usize = 64;

/// What a person whose call waits for others is told.
const WAITING: &str = "Other conversations are being answered first.";

/// What the client of a background call is told.
const YIELDING: &str = "Waiting until no conversation needs the model.";

/// The model worker.
pub struct ModelWorker {
    /// The provider as it is configured now. A call keeps the one with which it began.
    server: RwLock<Result<Arc<Server>, ModelError>>,
    timeouts: Arc<Timeouts>,
    pub(crate) keys: Arc<Keys>,
    gate: Gate,
    preset: &'static str,
}

impl ModelWorker {
    /// Takes its settings from the overrides, names without the `BUTTERFLY_` prefix, until [`Self::begin`] has better ones. Settings that cannot be used are
    /// not fatal: every call then says what is wrong with them.
    #[must_use]
    pub fn new(overrides: &[(String, String)]) -> Self {
        Self::with(Settings::from_overrides(overrides), Timeouts::default(), presets::total_memory())
    }

    /// With all that [`Self::new`] finds out by itself given: `memory` is this machine's, in bytes.
    #[must_use]
    pub fn with(settings: Result<Settings, ModelError>, timeouts: Timeouts, memory: Option<u64>) -> Self {
        let preset = presets::for_memory(memory);
        let gate = Gate::new(timeouts.quiet);
        let timeouts = Arc::new(timeouts);
        let unset = ModelError::new(Cause::Misconfigured, "The model worker has no settings yet; try again.");
        let worker = Self { server: RwLock::new(Err(unset)), timeouts, keys: Arc::default(), gate, preset };
        worker.apply(settings);
        worker
    }

    /// Uses these settings from now on; calls that run end as they began.
    pub(crate) fn apply(&self, settings: Result<Settings, ModelError>) {
        let current = self.current();
        let server = match settings {
            Ok(settings) => {
                if current.is_ok_and(|server| *server.settings == settings) {
                    return;
                }
                // A key is for the server that it was asked for.
                self.keys.forget();
                let (timeouts, keys) = (Arc::clone(&self.timeouts), Arc::clone(&self.keys));
                Ok(Arc::new(Server::new(settings, timeouts, keys, self.preset)))
            }
            Err(error) => {
                tracing::warn!("{error}");
                Err(error)
            }
        };
        *self.server.write().unwrap_or_else(PoisonError::into_inner) = server;
    }

    fn current(&self) -> Result<Arc<Server>, ModelError> {
        self.server.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn server(&self) -> Result<Arc<Server>, Trouble> {
        self.current().map_err(Trouble::from)
    }

    /// A secret was set or deleted: the next request asks the vault anew.
    pub(crate) fn forget_keys(&self) {
        self.keys.forget();
    }

    async fn answer(&self, background: bool, request: &ChatRequest, sink: &mut Sink) -> Result<ChatEnd, Trouble> {
        let server = &*self.server()?;
        let model = match server.answerer(request.model.as_deref(), request.purpose).await? {
            Answerer::Named(model) => return self.ask(server, background, &model, request, sink).await,
            Answerer::Responder { responder, problem } => {
                return self.respond(background, &responder, problem, request, sink).await;
            }
            Answerer::Chosen { model, .. } => model,
        };
        let result = self.ask(server, background, &model, request, sink).await;
        let gone = |trouble: &Trouble| {
            trouble
                .model_error()
                .is_some_and(|error| matches!(error.cause, Cause::ModelMissing { .. } | Cause::ServerNotRunning))
        };
        match result {
            // What was chosen a while ago is there no more: choose again, once.
            Err(trouble) if gone(&trouble) && !sink.has_begun() => {
                server.forget();
                match server.answerer(None, request.purpose).await? {
                    Answerer::Named(model) | Answerer::Chosen { model, .. } => {
                        self.ask(server, background, &model, request, sink).await
                    }
                    Answerer::Responder { responder, problem } => {
                        self.respond(background, &responder, problem, request, sink).await
                    }
                }
            }
            other => other,
        }
    }

    /// The built-in responder answers people only: who asks in the background would take its words for a model's.
    async fn respond(
        &self,
        background: bool,
        responder: &responder::Responder,
        problem: Option<ModelError>,
        request: &ChatRequest,
        sink: &mut Sink,
    ) -> Result<ChatEnd, Trouble> {
        if background {
            let error = problem.unwrap_or_else(|| {
                let what = "Background work needs a language model, and the built-in responder is none";
                sentence::unsupported(what, "connect a model, for instance by starting Ollama")
            });
            return Err(error.into());
        }
        if let Some(problem) = problem {
            sink.started(responder::NAME, responder::NAME, 0);
            sink.notice(problem.message).await?;
        }
        responder.chat(responder::NAME, request, sink).await
    }

    /// Has a model answer, when it is this call's turn.
    async fn ask(
        &self,
        server: &Server,
        background: bool,
        model: &str,
        request: &ChatRequest,
        sink: &mut Sink,
    ) -> Result<ChatEnd, Trouble> {
        if !background {
            let announced = self.gate.announce();
            let _place = sink.while_waiting(announced.place(), WAITING).await?;
            return server.provider.chat(model, request, sink).await;
        }
        let mut turns = self.gate.background();
        loop {
            sink.while_waiting(turns.turn(), YIELDING).await??;
            tokio::select! {
                biased;
                // Its connection is closed as its future is dropped.
                () = turns.displaced() => sink.discard(),
                done = server.provider.chat(model, request, sink) => return done,
            }
        }
    }

    async fn vectors(&self, background: bool, request: EmbedRequest) -> Result<Embeddings, Trouble> {
        let server = &*self.server()?;
        if request.texts.len() > TEXTS {
            let message = format!("{} texts are too many at once; embed at most {TEXTS}", request.texts.len());
            return Err(Trouble::argument(message));
        }
        let model = server.embedder(request.model.as_deref()).await?;
        if request.texts.is_empty() {
            return Ok(Embeddings { model, vectors: Vec::new() });
        }
        let texts = embedding::prepared(&model, request.embed_as, &request.texts);
        let reply = match self.embed_in_turn(server, background, &model, &texts).await {
            // What was chosen a while ago is there no more: the next call chooses again.
            Err(trouble)
                if trouble.model_error().is_some_and(|error| matches!(error.cause, Cause::ModelMissing { .. })) =>
            {
                server.forget();
                return Err(trouble);
            }
            other => other?,
        };
        let bytes: usize = reply.vectors.iter().map(|vector| vector.len() * size_of::<f32>() + 16).sum();
        if bytes > FRAME_LIMIT - 1024 {
            let fit = request.texts.len() * (FRAME_LIMIT / 2) / bytes;
            let message =
                format!("the vectors of {model} are too long for one answer; embed {} texts at once", fit.max(1));
            return Err(Failure::new(ErrorCode::TooLarge, message).into());
        }
        Ok(reply)
    }

    async fn embed_in_turn(
        &self,
        server: &Server,
        background: bool,
        model: &str,
        texts: &[String],
    ) -> Result<Embeddings, Trouble> {
        if !background {
            let announced = self.gate.announce();
            let _place = announced.place().await;
            return server.provider.embed(model, texts).await;
        }
        let mut turns = self.gate.background();
        loop {
            turns.turn().await?;
            tokio::select! {
                biased;
                () = turns.displaced() => {}
                done = server.provider.embed(model, texts) => return done,
            }
        }
    }

    async fn models(&self) -> Result<Models, Trouble> {
        let server = self.server()?;
        let models = server.provider.list().await?;
        let chosen = match server.answerer(None, Purpose::Chat).await? {
            Answerer::Named(model) | Answerer::Chosen { model, .. } => Some(model),
            Answerer::Responder { problem: None, .. } => Some(responder::NAME.to_owned()),
            Answerer::Responder { problem: Some(_), .. } => None,
        };
        Ok(Models { provider: server.settings.provider.name().to_owned(), models, chosen })
    }

    async fn look(&self) -> Probe {
        let server = match self.current() {
            Ok(server) => server,
            Err(error) => return self.probe("none", String::new(), Seen::nothing(error)),
        };
        let settings = &server.settings;
        let name = settings.provider.name();
        if settings.provider == ProviderKind::Builtin {
            let reason = "The built-in responder answers, because model.provider is builtin.".to_owned();
            let seen = Seen { version: None, chosen: responder::NAME.to_owned(), reason, problem: None };
            return self.probe(name, String::new(), seen);
        }
        let limit = self.timeouts.connect + self.timeouts.health;
        let version = server.provider.version(limit).await.ok();
        self.probe(name, settings.url.to_string(), Self::seen(&server, version).await)
    }

    async fn seen(server: &Server, version: Option<String>) -> Seen {
        match server.answerer(None, Purpose::Chat).await {
            Ok(Answerer::Named(model)) => {
                let reason = format!("{model} answers, because model.name names it.");
                let problem = Self::named_problem(server, &model).await;
                Seen { version, chosen: model, reason, problem }
            }
            Ok(Answerer::Chosen { model, why }) => {
                let reason = format!("{model} answers: it is {why}.");
                Seen { version, chosen: model, reason, problem: None }
            }
            Ok(Answerer::Responder { problem, .. }) => {
                let why = problem.as_ref().map_or("it was named", |problem| problem.message.trim_end_matches('.'));
                let reason = format!("The built-in responder answers, which is no language model: {why}.");
                Seen { version, chosen: responder::NAME.to_owned(), reason, problem }
            }
            Err(Trouble::Model { error, .. }) => Seen { version, ..Seen::nothing(error) },
            Err(Trouble::Call(failure)) => {
                Seen { version, ..Seen::nothing(ModelError::new(Cause::NotTheProtocol, failure.message)) }
            }
        }
    }

    /// What keeps a model that was named from answering, as far as can be seen. Of the servers only Ollama lists all
    /// that it would answer to; llama.cpp answers to any name.
    async fn named_problem(server: &Server, model: &str) -> Option<ModelError> {
        match server.provider.installed().await {
            Ok(installed) => {
                let there = installed.iter().any(|installed| choose::same(&installed.name, model));
                let certain = server.settings.provider == ProviderKind::Ollama;
                (certain && !there).then(|| sentence::missing(&server.settings, model))
            }
            Err(trouble) => trouble.model_error().cloned(),
        }
    }

    fn probe(&self, provider: &str, url: String, seen: Seen) -> Probe {
        Probe {
            provider: provider.to_owned(),
            url,
            server_version: seen.version,
            chosen: seen.chosen,
            reason: seen.reason,
            problem: seen.problem,
            preset: self.preset.to_owned(),
        }
    }

    /// The worker's own health checks: is the server there, is there a model.
    pub async fn checks(&self) -> Vec<Check> {
        let server = match &self.current() {
            Ok(server) => Arc::clone(server),
            Err(error) => return vec![check("model settings", Level::Failing, &error.message)],
        };
        if server.settings.provider == ProviderKind::Builtin {
            return vec![check("model server", Level::Ok, "none is wanted; the built-in responder answers")];
        }
        let limit = self.timeouts.health;
        let version = match server.provider.version(limit).await {
            Ok(version) => version,
            Err(trouble) => return vec![check("model server", Level::Warning, &Failure::from(trouble).message)],
        };
        let name = capital(&sentence::server(&server.settings));
        let answers = check("model server", Level::Ok, &format!("{name} answers (version {version})"));
        let seen = tokio::time::timeout(limit, Self::seen(&server, Some(version))).await;
        let model = match seen {
            Err(_) => check("model", Level::Warning, "The server did not say which models it has; look at its log."),
            Ok(Seen { problem: Some(problem), .. }) => check("model", Level::Warning, &problem.message),
            Ok(Seen { reason, .. }) => check("model", Level::Ok, &reason),
        };
        vec![answers, model]
    }
}

/// What was found about who answers.
struct Seen {
    version: Option<String>,
    chosen: String,
    reason: String,
    problem: Option<ModelError>,
}

impl Seen {
    /// Nobody would answer, for this reason.
    fn nothing(error: ModelError) -> Self {
        Self { version: None, chosen: "none".to_owned(), reason: error.message.clone(), problem: Some(error) }
    }
}

/// A check; the sentence's part behind the semicolon is the next step.
fn check(name: &str, level: Level, sentence: &str) -> Check {
    let (found, next_step) = match level {
        Level::Ok => (sentence, ""),
        Level::Warning | Level::Failing => sentence.split_once("; ").unwrap_or((sentence, "")),
    };
    Check { name: name.to_owned(), level, found: found.to_owned(), next_step: next_step.to_owned() }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

impl Model for ModelWorker {
    async fn chat(&self, call: Call, mut request: ChatRequest, out: Outlet<ChatItem>) -> Result<ChatEnd, Failure> {
        if let Ok(server) = self.current() {
            request.context_tokens = request.context_tokens.or(server.settings.context_tokens);
        }
        let background = call.is_background();
        let mut sink = Sink::new(out, background, self.timeouts.next_notice);
        Ok(self.answer(background, &request, &mut sink).await?)
    }

    async fn list(&self, _: Call, (): ()) -> Result<Models, Failure> {
        Ok(self.models().await?)
    }

    async fn show(&self, _: Call, request: ShowRequest) -> Result<ModelDetails, Failure> {
        Ok(self.server()?.provider.show(request.model.trim()).await?)
    }

    async fn pull(&self, _: Call, request: PullRequest, mut out: Outlet<PullProgress>) -> Result<Pulled, Failure> {
        let server = self.server()?;
        let named = request.model.as_deref().map(str::trim).filter(|name| !name.is_empty());
        let pulled = server.provider.pull(named.unwrap_or(self.preset), &mut out).await;
        server.forget();
        Ok(pulled?)
    }

    async fn running(&self, _: Call, (): ()) -> Result<Running, Failure> {
        Ok(Running { models: self.server()?.provider.running().await? })
    }

    async fn embed(&self, call: Call, request: EmbedRequest) -> Result<Embeddings, Failure> {
        Ok(self.vectors(call.is_background(), request).await?)
    }

    async fn probe(&self, _: Call, (): ()) -> Result<Probe, Failure> {
        Ok(self.look().await)
    }
}
