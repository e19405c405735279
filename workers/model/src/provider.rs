//! What every provider can do. One trait, so that the worker's service is written once.

use crate::sink::Sink;
use crate::trouble::Trouble;
use butterfly_api::model::{
    ChatEnd, ChatRequest, Embeddings, ModelDetails, ModelInfo, PullProgress, Pulled, RunningModel,
};
use butterfly_client::Outlet;
use std::pin::Pin;
use std::time::Duration;

/// Work at a provider. Dropping it closes its connection.
pub type Work<'a, T> = Pin<Box<dyn Future<Output = Result<T, Trouble>> + Send + 'a>>;

/// A source of answers.
pub trait Provider: Send + Sync {
    /// The server's version, where it has one to tell; otherwise whether it answers at all. Asks anew each time.
    fn version(&self, limit: Duration) -> Work<'_, String>;
    /// What is installed, as told in one question and what is remembered.
    fn installed(&self) -> Work<'_, Vec<ModelInfo>>;
    /// What is installed, with all that can be found out.
    fn list(&self) -> Work<'_, Vec<ModelInfo>>;
    /// What is loaded now, the one used last first. Empty where the server does not tell.
    fn running(&self) -> Work<'_, Vec<RunningModel>>;
    fn show<'a>(&'a self, model: &'a str) -> Work<'a, ModelDetails>;
    fn pull<'a>(&'a self, model: &'a str, out: &'a mut Outlet<PullProgress>) -> Work<'a, Pulled>;
    fn embed<'a>(&'a self, model: &'a str, texts: &'a [String]) -> Work<'a, Embeddings>;
    fn chat<'a>(&'a self, model: &'a str, request: &'a ChatRequest, sink: &'a mut Sink) -> Work<'a, ChatEnd>;
    /// Forgets what was remembered of installed models.
    fn forget(&self);
}
