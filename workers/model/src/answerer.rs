//! Who answers a request: a model of the server's, or the built-in responder, and why.

use crate::choose;
use crate::keys::Keys;
use crate::ollama::Ollama;
use crate::openai::OpenAi;
use crate::provider::Provider;
use crate::responder::{self, Reason, Responder};
use crate::sentence;
use crate::settings::{ProviderKind, Settings};
use crate::timeouts::Timeouts;
use crate::trouble::Trouble;
use butterfly_api::model::{Cause, ModelError, Purpose};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::Instant;

/// The configured provider, and what was chosen at it.
pub struct Server {
    pub settings: Arc<Settings>,
    pub provider: Box<dyn Provider>,
    pub preset: &'static str,
    timeouts: Arc<Timeouts>,
    /// The model that was chosen last, and why.
    chosen: Mutex<Option<(Instant, String, &'static str)>>,
    /// The embedding model that was chosen last.
    embeds: Mutex<Option<(Instant, String)>>,
}

/// Who answers.
pub enum Answerer {
    /// A model that somebody named: if it cannot answer, nobody does.
    Named(String),
    /// The model that was chosen, and why, as the end of a sentence.
    Chosen { model: String, why: &'static str },
    /// The built-in responder; with `problem`, for want of a model.
    Responder { responder: Responder, problem: Option<ModelError> },
}

impl Server {
    #[must_use]
    pub fn new(settings: Settings, timeouts: Arc<Timeouts>, keys: Arc<Keys>, preset: &'static str) -> Self {
        let settings = Arc::new(settings);
        let provider: Box<dyn Provider> = match settings.provider {
            ProviderKind::Ollama => Box::new(Ollama::new(Arc::clone(&settings), Arc::clone(&timeouts), keys)),
            ProviderKind::OpenAi => Box::new(OpenAi::new(Arc::clone(&settings), Arc::clone(&timeouts), keys)),
            ProviderKind::Builtin => Box::new(Responder { reason: Reason::Wanted, preset, word: timeouts.word }),
        };
        Self { settings, provider, preset, timeouts, chosen: Mutex::new(None), embeds: Mutex::new(None) }
    }

    /// Who answers a chat for this purpose that names this model, or none.
    ///
    /// # Errors
    /// When the server answers, but not as it should.
    pub async fn answerer(&self, named: Option<&str>, purpose: Purpose) -> Result<Answerer, Trouble> {
        let named = named.map(str::trim).filter(|name| !name.is_empty());
        if self.settings.provider == ProviderKind::Builtin || named == Some(responder::NAME) {
            return Ok(self.responder(Reason::Wanted, None));
        }
        if let Some(name) = named.or_else(|| self.settings.model_for(purpose)) {
            return Ok(if name == responder::NAME {
                self.responder(Reason::Wanted, None)
            } else {
                Answerer::Named(name.to_owned())
            });
        }
        if let Some((model, why)) = self.remembered() {
            return Ok(Answerer::Chosen { model, why });
        }
        let installed = match self.provider.installed().await {
            Ok(installed) => installed,
            Err(trouble) => {
                return match trouble.model_error() {
                    Some(error) if error.cause == Cause::ServerNotRunning => {
                        let how = sentence::how_to_start(&self.settings);
                        Ok(self.responder(Reason::NoServer { how }, Some(error.clone())))
                    }
                    Some(_) | None => Err(trouble),
                };
            }
        };
        let running = self.provider.running().await.unwrap_or_default();
        let loaded: Vec<String> = running.into_iter().map(|running| running.name).collect();
        let Some((model, why)) = choose::for_chat(&installed, &loaded) else {
            let can_pull = self.settings.provider == ProviderKind::Ollama;
            let problem = sentence::none_installed(&self.settings, self.preset);
            return Ok(self.responder(Reason::NoModel { can_pull }, Some(problem)));
        };
        tracing::info!(model = model.name, why, "chose a model");
        *self.chosen.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), model.name.clone(), why));
        Ok(Answerer::Chosen { model: model.name.clone(), why })
    }

    /// The model that embeds for a request that names this one, or none.
    ///
    /// # Errors
    /// When there is none.
    pub async fn embedder(&self, named: Option<&str>) -> Result<String, Trouble> {
        let named = named.map(str::trim).filter(|name| !name.is_empty());
        if let Some(name) = named.or(self.settings.embedding.as_deref()) {
            return Ok(name.to_owned());
        }
        if self.settings.provider == ProviderKind::Builtin {
            let what = "Texts cannot be turned into vectors, because the built-in responder is no language model";
            let next = "set model.provider to ollama or openai with `butterfly config set`";
            return Err(sentence::unsupported(what, next).into());
        }
        if let Some((at, model)) = self.embeds.lock().unwrap_or_else(PoisonError::into_inner).as_ref()
            && at.elapsed() < self.timeouts.remember
        {
            return Ok(model.clone());
        }
        let installed = self.provider.installed().await?;
        let Some(model) = choose::for_embedding(&installed) else {
            return Err(sentence::no_embedding(&self.settings, crate::presets::EMBEDDING).into());
        };
        tracing::info!(model = model.name, "chose an embedding model");
        *self.embeds.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), model.name.clone()));
        Ok(model.name.clone())
    }

    /// Forgets the choice and what was learnt of models.
    pub fn forget(&self) {
        *self.chosen.lock().unwrap_or_else(PoisonError::into_inner) = None;
        *self.embeds.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.provider.forget();
    }

    fn remembered(&self) -> Option<(String, &'static str)> {
        let chosen = self.chosen.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, model, why) = chosen.as_ref()?;
        (at.elapsed() < self.timeouts.remember).then(|| (model.clone(), *why))
    }

    fn responder(&self, reason: Reason, problem: Option<ModelError>) -> Answerer {
        let responder = Responder { reason, preset: self.preset, word: self.timeouts.word };
        Answerer::Responder { responder, problem }
    }
}
