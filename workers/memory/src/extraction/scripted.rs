//! For tests: a model at the far end of a real connection, which answers what the test says.

use crate::config::Config;
use crate::core::Core;
use butterfly_api::model::{
    ChatEnd, ChatItem, ChatRequest, EmbedRequest, Embeddings, Finish, Model, ModelDetails, Models, Probe, PullProgress,
    PullRequest, Pulled, Running, ShowRequest, Usage,
};
use butterfly_client::{Bus, Call, Handler, Incoming, NoHandler, Outlet, Service, start};
use butterfly_store::Store;
use butterfly_wire::{ErrorCode, Failure, Header};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

type Answer = dyn Fn(&ChatRequest) -> Result<String, Failure> + Send + Sync;

/// The model.
pub(crate) struct Scripted {
    provider: &'static str,
    answer: Box<Answer>,
    pub(crate) asked: Mutex<Vec<ChatRequest>>,
    count: watch::Sender<usize>,
}

impl Scripted {
    pub(crate) fn new(
        provider: &'static str,
        answer: impl Fn(&ChatRequest) -> Result<String, Failure> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { provider, answer: Box::new(answer), asked: Mutex::default(), count: watch::Sender::new(0) })
    }

    /// Waits until it was asked so often.
    pub(crate) async fn asked_times(&self, times: usize) {
        self.count.subscribe().wait_for(|count| *count >= times).await.unwrap();
    }

    pub(crate) fn times(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn refused<T>() -> Result<T, Failure> {
    Err(Failure::new(ErrorCode::UnknownMethod, "the script has no such scene"))
}

impl Model for Scripted {
    async fn chat(&self, _: Call, request: ChatRequest, mut out: Outlet<ChatItem>) -> Result<ChatEnd, Failure> {
        let answer = (self.answer)(&request);
        self.asked.lock().unwrap().push(request);
        self.count.send_modify(|count| *count += 1);
        let provider = self.provider.to_owned();
        out.send(&ChatItem::Started { model: "tiny".to_owned(), provider, context_tokens: 4096 }).await?;
        out.send(&ChatItem::Text { text: answer? }).await?;
        Ok(ChatEnd { finish: Finish::Stop, usage: Usage::default() })
    }

    async fn list(&self, _: Call, (): ()) -> Result<Models, Failure> {
        refused()
    }

    async fn show(&self, _: Call, _: ShowRequest) -> Result<ModelDetails, Failure> {
        refused()
    }

    async fn pull(&self, _: Call, _: PullRequest, _: Outlet<PullProgress>) -> Result<Pulled, Failure> {
        refused()
    }

    async fn running(&self, _: Call, (): ()) -> Result<Running, Failure> {
        refused()
    }

    async fn embed(&self, _: Call, _: EmbedRequest) -> Result<Embeddings, Failure> {
        refused()
    }

    async fn probe(&self, _: Call, (): ()) -> Result<Probe, Failure> {
        refused()
    }
}

struct Serving(Box<dyn Service>);

impl Handler for Serving {
    fn request(&self, incoming: Incoming) {
        self.0.dispatch(incoming);
    }

    fn event(&self, _: &Bus, _: &Header, _: &[u8]) {}
}

/// A store of its own, connected to that model.
pub(crate) fn worker(
    model: Option<&Arc<Scripted>>,
    overrides: &[(&str, &str)],
) -> (tempfile::TempDir, Arc<Core>, Arc<Config>) {
    let folder = tempfile::tempdir().unwrap();
    let core = Core::new(Arc::new(Store::open(folder.path()).unwrap()));
    let overrides: Vec<(String, String)> =
        overrides.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let config = Config::open(Arc::clone(core.store()), &overrides).unwrap();
    if let Some(model) = model {
        let (near, far) = tokio::io::duplex(64 << 10);
        let served = butterfly_api::model::serve(Arc::clone(model));
        start(far, Arc::new(Serving(Box::new(served))));
        core.connected(start(near, Arc::new(NoHandler)));
    }
    (folder, core, config)
}
