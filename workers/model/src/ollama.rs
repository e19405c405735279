//! Ollama through its native API: the only one that takes `num_ctx`, so the only one without silent truncation.

pub(crate) mod chat;
mod models;
mod pull;

use crate::choose;
use crate::context::{self, Exceeded};
use crate::conversation::Question;
use crate::http::{Http, encode};
use crate::keys::Keys;
use crate::provider::{Provider, Work};
use crate::sentence;
use crate::settings::Settings;
use crate::sink::Sink;
use crate::timeouts::Timeouts;
use crate::trouble::Trouble;
use butterfly_api::model::{
    Cause, ChatEnd, ChatRequest, Embeddings, ModelDetails, ModelError, ModelInfo, PullProgress, Pulled, RunningModel,
};
use butterfly_client::Outlet;
use models::{Ps, Show, Tags, Version};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Models that are remembered; who has more asks the server again.
const REMEMBERED: usize = 64;

/// The provider.
pub struct Ollama {
    http: Http,
    memory: Mutex<Memory>,
}

/// What was learnt of models, by name.
#[derive(Default)]
struct Memory {
    details: HashMap<String, (Instant, ModelDetails)>,
    /// The context of the last chat: what the model is loaded with.
    used: HashMap<String, (Instant, u32)>,
}

/// What a chat is asked with.
struct Prepared {
    details: ModelDetails,
    context_tokens: u32,
    loaded: bool,
}

impl Ollama {
    #[must_use]
    pub fn new(settings: Arc<Settings>, timeouts: Arc<Timeouts>, keys: Arc<Keys>) -> Self {
        Self { http: Http::new(settings, timeouts, keys), memory: Mutex::default() }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn tags(&self) -> Result<Vec<ModelInfo>, Trouble> {
        let tags: Tags = self.http.get("/api/tags", self.http.timeouts().small).await?;
        Ok(tags.into_models())
    }

    /// What the server says of one model, asked at most every [`Timeouts::details`].
    async fn details(&self, model: &str) -> Result<ModelDetails, Trouble> {
        let fresh = self.http.timeouts().details;
        if let Some((at, details)) = self.memory().details.get(model)
            && at.elapsed() < fresh
        {
            return Ok(details.clone());
        }
        self.ask_details(model).await
    }

    async fn ask_details(&self, model: &str) -> Result<ModelDetails, Trouble> {
        #[derive(Serialize)]
        struct Body<'a> {
            model: &'a str,
        }
        let about = self.http.about(model, 0);
        let show: Show = self.http.post(&about, "/api/show", &Body { model }, self.http.timeouts().small).await?;
        let details = show.into_details(model);
        let mut memory = self.memory();
        if memory.details.len() >= REMEMBERED {
            memory.details.clear();
        }
        memory.details.insert(model.to_owned(), (Instant::now(), details.clone()));
        Ok(details)
    }

    async fn ps(&self) -> Result<Vec<RunningModel>, Trouble> {
        let ps: Ps = self.http.get("/api/ps", self.http.timeouts().small).await?;
        Ok(ps.into_models())
    }

    /// Decides the context: never less than what the model is loaded with, so that it is not loaded anew.
    async fn prepare(&self, model: &str, request: &ChatRequest) -> Result<Prepared, Trouble> {
        let details = self.details(model).await?;
        let limit = details.info.context_tokens;
        let size = |loaded| {
            context::tokens(request, limit, loaded)
                .map_err(|Exceeded(limit)| Trouble::from(sentence::context_exceeded(model, limit)))
        };
        let needed = size(0)?;
        let used = self.memory().used.get(model).copied();
        if let Some((at, tokens)) = used
            && at.elapsed() < self.http.timeouts().remember
            && tokens >= needed
        {
            return Ok(Prepared { details, context_tokens: size(tokens)?, loaded: true });
        }
        // A server that cannot tell what is loaded costs a reload at worst.
        let running = self.ps().await.unwrap_or_default();
        let found = running.iter().find(|running| choose::same(&running.name, model));
        let context_tokens = size(found.map_or(0, |running| running.context_tokens))?;
        Ok(Prepared { details, context_tokens, loaded: found.is_some() })
    }

    async fn converse(&self, model: &str, request: &ChatRequest, sink: &mut Sink) -> Result<ChatEnd, Trouble> {
        let prepared = self.prepare(model, request).await?;
        let can = |what: &str| {
            let capabilities = &prepared.details.info.capabilities;
            capabilities.is_empty() || capabilities.iter().any(|capability| capability == what)
        };
        let options = chat::Fit {
            context_tokens: prepared.context_tokens,
            tools: can("tools"),
            thinking: can("thinking"),
            levels: prepared.details.family == "gptoss" || choose::family(model) == "gpt-oss",
            keep_alive: self.http.settings().keep_alive.as_deref(),
        };
        let body = encode(&chat::body(model, request, &options)?)?;
        sink.started(model, self.http.settings().provider.name(), prepared.context_tokens);
        if !request.tools.is_empty() && !options.tools {
            sink.notice(format!("{model} cannot use tools, so it answers without them.")).await?;
        }
        let question = Question {
            http: &self.http,
            path: "/api/chat",
            body,
            about: self.http.about(model, prepared.details.info.context_tokens),
            context_tokens: prepared.context_tokens,
            loaded: prepared.loaded,
            input_estimate: context::estimate(request),
        };
        let calls_before = request.messages.iter().map(|message| message.tool_calls.len()).sum();
        let end = question.ask(|| chat::Decoder::new(calls_before), sink).await?;
        let mut memory = self.memory();
        if memory.used.len() >= REMEMBERED {
            memory.used.clear();
        }
        memory.used.insert(model.to_owned(), (Instant::now(), prepared.context_tokens));
        Ok(end)
    }

    async fn vectors(&self, model: &str, texts: &[String]) -> Result<Embeddings, Trouble> {
        #[derive(Serialize)]
        struct Body<'a> {
            model: &'a str,
            input: &'a [String],
            truncate: bool,
            #[serde(skip_serializing_if = "Option::is_none")]
            keep_alive: Option<&'a str>,
        }
        #[derive(Deserialize)]
        struct Reply {
            embeddings: Vec<Vec<f32>>,
        }
        let about = self.http.about(model, 0);
        let keep_alive = self.http.settings().keep_alive.as_deref();
        let body = Body { model, input: texts, truncate: true, keep_alive };
        let reply: Reply = self.http.post_patiently(&about, "/api/embed", &body).await?;
        if reply.embeddings.len() != texts.len() {
            let found = format!("it made {} vectors of {} texts", reply.embeddings.len(), texts.len());
            return Err(sentence::not_the_protocol(&about, &found).into());
        }
        Ok(Embeddings { model: model.to_owned(), vectors: reply.embeddings })
    }

    /// Fills in what the list of models leaves out, from what is remembered or asked for.
    async fn complete(&self, models: &mut [ModelInfo], wanted: fn(&ModelInfo) -> bool) {
        for model in models.iter_mut().filter(|model| wanted(model)).take(REMEMBERED) {
            // A model that vanished meanwhile, or that is broken, keeps what the list said.
            let Ok(details) = self.details(&model.name).await else { continue };
            if model.capabilities.is_empty() {
                model.capabilities.clone_from(&details.info.capabilities);
            }
            model.context_tokens = details.info.context_tokens;
        }
    }
}

impl Provider for Ollama {
    fn version(&self, limit: Duration) -> Work<'_, String> {
        Box::pin(async move {
            let version: Version = self.http.get("/api/version", limit).await?;
            Ok(version.version)
        })
    }

    fn installed(&self) -> Work<'_, Vec<ModelInfo>> {
        Box::pin(async {
            let mut models = self.tags().await?;
            self.complete(&mut models, |model| model.capabilities.is_empty()).await;
            Ok(models)
        })
    }

    fn list(&self) -> Work<'_, Vec<ModelInfo>> {
        Box::pin(async {
            let mut models = self.tags().await?;
            self.complete(&mut models, |model| model.context_tokens == 0).await;
            Ok(models)
        })
    }

    fn running(&self) -> Work<'_, Vec<RunningModel>> {
        Box::pin(self.ps())
    }

    fn show<'a>(&'a self, model: &'a str) -> Work<'a, ModelDetails> {
        Box::pin(async move {
            let details = self.ask_details(model).await?;
            let listed = self.tags().await.unwrap_or_default();
            let Some(listed) = listed.into_iter().find(|listed| choose::same(&listed.name, model)) else {
                return Ok(details);
            };
            let info = ModelInfo { size_bytes: listed.size_bytes, name: listed.name, ..details.info };
            Ok(ModelDetails { info, ..details })
        })
    }

    fn pull<'a>(&'a self, model: &'a str, out: &'a mut Outlet<PullProgress>) -> Work<'a, Pulled> {
        Box::pin(async move {
            let pulled = pull::pull(&self.http, model, out).await;
            self.forget();
            pulled
        })
    }

    fn embed<'a>(&'a self, model: &'a str, texts: &'a [String]) -> Work<'a, Embeddings> {
        Box::pin(self.vectors(model, texts))
    }

    fn chat<'a>(&'a self, model: &'a str, request: &'a ChatRequest, sink: &'a mut Sink) -> Work<'a, ChatEnd> {
        Box::pin(async move {
            let result = self.converse(model, request, sink).await;
            let missing = |error: &ModelError| matches!(error.cause, Cause::ModelMissing { .. });
            if result.as_ref().is_err_and(|trouble| trouble.model_error().is_some_and(missing)) {
                self.forget();
            }
            result
        })
    }

    fn forget(&self) {
        *self.memory() = Memory::default();
    }
}
