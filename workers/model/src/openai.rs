//! Servers that speak OpenAI's protocol: LM Studio, llama.cpp, vLLM and many more.
//!
//! The protocol has no way to size the context, to fetch a model or to say what is loaded; where a server tells more in
//! `/models` than the protocol asks (vLLM, llama.cpp), that is used.

mod chat;
mod sse;

use crate::context;
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
    ChatEnd, ChatRequest, Embeddings, ModelDetails, ModelInfo, PullProgress, Pulled, RunningModel,
};
use butterfly_client::Outlet;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Models of one server that are looked at; a public one lists hundreds.
const MODELS: usize = 256;

/// The provider.
pub struct OpenAi {
    http: Http,
    /// Context lengths that the server named, by model.
    limits: Mutex<HashMap<String, u32>>,
}

#[derive(Deserialize)]
struct ModelList {
    data: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    id: String,
    /// Unix time in s.
    #[serde(default)]
    created: u64,
    /// vLLM.
    max_model_len: Option<u32>,
    /// llama.cpp.
    meta: Option<Meta>,
}

#[derive(Deserialize)]
struct Meta {
    n_ctx: Option<u32>,
    n_ctx_train: Option<u32>,
    #[serde(default)]
    size: u64,
}

impl OpenAi {
    #[must_use]
    pub fn new(settings: Arc<Settings>, timeouts: Arc<Timeouts>, keys: Arc<Keys>) -> Self {
        Self { http: Http::new(settings, timeouts, keys), limits: Mutex::default() }
    }

    async fn models(&self, limit: Duration) -> Result<Vec<ModelInfo>, Trouble> {
        let list: ModelList = self.http.get("/models", limit).await?;
        let models: Vec<_> = list.data.into_iter().take(MODELS).map(Listed::into_model).collect();
        let known = models.iter().filter(|model| model.context_tokens > 0);
        *self.limits.lock().unwrap_or_else(PoisonError::into_inner) =
            known.map(|model| (model.name.clone(), model.context_tokens)).collect();
        Ok(models)
    }

    fn limit(&self, model: &str) -> u32 {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner).get(model).copied().unwrap_or_default()
    }

    async fn converse(&self, model: &str, request: &ChatRequest, sink: &mut Sink) -> Result<ChatEnd, Trouble> {
        let limit = self.limit(model);
        let estimate = context::estimate(request);
        if limit > 0 && estimate > limit {
            return Err(sentence::context_exceeded(model, limit).into());
        }
        let question = Question {
            http: &self.http,
            path: "/chat/completions",
            body: encode(&chat::body(model, request)?)?,
            about: self.http.about(model, limit),
            context_tokens: limit,
            loaded: false,
            input_estimate: estimate,
        };
        sink.started(model, self.http.settings().provider.name(), limit);
        let calls_before = request.messages.iter().map(|message| message.tool_calls.len()).sum();
        question.ask(|| chat::Decoder::new(calls_before), sink).await
    }

    async fn vectors(&self, model: &str, texts: &[String]) -> Result<Embeddings, Trouble> {
        #[derive(Serialize)]
        struct Body<'a> {
            model: &'a str,
            input: &'a [String],
            encoding_format: &'static str,
        }
        #[derive(Deserialize)]
        struct Reply {
            data: Vec<Vector>,
        }
        #[derive(Deserialize)]
        struct Vector {
            #[serde(default)]
            index: usize,
            embedding: Vec<f32>,
        }
        let about = self.http.about(model, 0);
        let body = Body { model, input: texts, encoding_format: "float" };
        let mut reply: Reply = self.http.post_patiently(&about, "/embeddings", &body).await?;
        if reply.data.len() != texts.len() {
            let found = format!("it made {} vectors of {} texts", reply.data.len(), texts.len());
            return Err(sentence::not_the_protocol(&about, &found).into());
        }
        // The protocol allows any order; a stable sort keeps the given one where there is no index.
        reply.data.sort_by_key(|vector| vector.index);
        let vectors = reply.data.into_iter().map(|vector| vector.embedding).collect();
        Ok(Embeddings { model: model.to_owned(), vectors })
    }

    async fn find(&self, model: &str) -> Result<ModelDetails, Trouble> {
        let models = self.models(self.http.timeouts().small).await?;
        let Some(info) = models.into_iter().find(|info| info.name == model) else {
            return Err(sentence::missing(self.http.settings(), model).into());
        };
        let empty = String::new;
        Ok(ModelDetails { info, family: empty(), license: empty(), template: empty(), defaults: empty() })
    }
}

impl Listed {
    fn into_model(self) -> ModelInfo {
        let meta = self.meta.as_ref();
        let limit = self.max_model_len.or(meta.and_then(|meta| meta.n_ctx.or(meta.n_ctx_train)));
        ModelInfo {
            name: self.id,
            size_bytes: meta.map_or(0, |meta| meta.size),
            parameters: String::new(),
            quantization: String::new(),
            capabilities: Vec::new(),
            context_tokens: limit.unwrap_or_default(),
            modified_unix_ms: self.created.saturating_mul(1000),
        }
    }
}

impl Provider for OpenAi {
    fn version(&self, limit: Duration) -> Work<'_, String> {
        Box::pin(async move {
            // The protocol names no version; that the list comes shows that the server is there.
            self.models(limit).await?;
            Ok("unknown".to_owned())
        })
    }

    fn installed(&self) -> Work<'_, Vec<ModelInfo>> {
        Box::pin(self.models(self.http.timeouts().small))
    }

    fn list(&self) -> Work<'_, Vec<ModelInfo>> {
        self.installed()
    }

    fn running(&self) -> Work<'_, Vec<RunningModel>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn show<'a>(&'a self, model: &'a str) -> Work<'a, ModelDetails> {
        Box::pin(self.find(model))
    }

    fn pull<'a>(&'a self, _: &'a str, _: &'a mut Outlet<PullProgress>) -> Work<'a, Pulled> {
        Box::pin(async {
            let what = "This server cannot be told to fetch a model, because OpenAI's protocol has no word for it";
            Err(sentence::unsupported(what, "load the model in the server itself").into())
        })
    }

    fn embed<'a>(&'a self, model: &'a str, texts: &'a [String]) -> Work<'a, Embeddings> {
        Box::pin(self.vectors(model, texts))
    }

    fn chat<'a>(&'a self, model: &'a str, request: &'a ChatRequest, sink: &'a mut Sink) -> Work<'a, ChatEnd> {
        Box::pin(self.converse(model, request, sink))
    }

    fn forget(&self) {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
