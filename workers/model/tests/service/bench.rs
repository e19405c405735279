//! What every test stands on.

use butterfly_api::config;
use butterfly_api::model::{
    self, Cause, Chat, ChatEnd, ChatItem, ChatRequest, Message, ModelError, Purpose, Role, Think,
};
use butterfly_api::secret::Secret;
use butterfly_api::vault::{self, VaultCause, VaultError};
use butterfly_client::{Bus, Handler, Incoming, Next, NoHandler, Service, Stream};
use butterfly_kit::model_server::{Installed, ModelServer};
use butterfly_model::{ModelWorker, Settings, Timeouts};
use butterfly_wire::catalog::{self, MethodInfo, topic};
use butterfly_wire::control::Topic;
use butterfly_wire::method::Nothing;
use butterfly_wire::{ErrorCode, Failure, Header, Method};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpSocket;

/// The protocols that most claims are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Ollama,
    OpenAi,
}

pub const BOTH: [Protocol; 2] = [Protocol::Ollama, Protocol::OpenAi];

/// A worker, its server and a caller.
pub struct Bench {
    pub server: ModelServer,
    pub protocol: Protocol,
    pub bus: Bus,
    pub worker: Arc<ModelWorker>,
}

struct Serve(model::Served<ModelWorker>);

impl Handler for Serve {
    fn request(&self, incoming: Incoming) {
        self.0.dispatch(incoming);
    }

    fn event(&self, _: &Bus, _: &Header, _: &[u8]) {}
}

/// No clock ever runs out by itself, and pauses that must pass are short.
pub fn patient() -> Timeouts {
    let never = Duration::from_secs(3600);
    Timeouts {
        connect: Duration::from_secs(10),
        first_token: never,
        idle: never,
        small: never,
        health: Duration::from_secs(10),
        first_notice: never,
        next_notice: never,
        backoff: Duration::from_millis(1),
        retry_after: Duration::from_secs(5),
        quiet: Duration::ZERO,
        pull_idle: never,
        pull_report: Duration::ZERO,
        remember: never,
        details: never,
        word: Duration::ZERO,
    }
}

pub fn settings(pairs: &[(&str, &str)]) -> Result<Settings, ModelError> {
    let owned: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Settings::from_overrides(&owned)
}

/// A caller of a worker with these settings.
pub fn connect(settings: Result<Settings, ModelError>, timeouts: Timeouts) -> (Bus, Arc<ModelWorker>) {
    let worker = Arc::new(ModelWorker::with(settings, timeouts, Some(8 << 30)));
    let (near, far) = tokio::io::duplex(64 << 10);
    butterfly_client::start(far, Arc::new(Serve(model::serve(Arc::clone(&worker)))));
    (butterfly_client::start(near, Arc::new(NoHandler)), worker)
}

/// What stands for everybody else on the bus: the kernel's subscriptions, the config service, and the vault.
pub struct Kernel {
    /// The caller's end.
    pub bus: Bus,
    others: Arc<Others>,
}

struct Others {
    /// `None`: the config service is away.
    values: Mutex<Option<HashMap<String, String>>>,
    secrets: Mutex<HashMap<String, String>>,
    reads: Mutex<Vec<String>>,
}

/// The kernel's own method, which no marker of the services stands for.
struct Subscribe;

impl Method for Subscribe {
    const INFO: &'static MethodInfo = &catalog::control::SUBSCRIBE;
    type Request = Topic;
    type Item = Nothing;
    type Upload = Nothing;
    type Reply = ();
}

struct Answering(Arc<Others>);

impl Handler for Answering {
    fn request(&self, incoming: Incoming) {
        let others = Arc::clone(&self.0);
        match (incoming.header.service, incoming.header.method) {
            (catalog::control::ID, _) => incoming.unary::<Subscribe, _, _>(|_, _| async { Ok(()) }),
            (catalog::config::ID, _) => incoming.unary::<config::GetValues, _, _>(move |_, _| async move {
                let values = others.values.lock().unwrap().clone();
                let values = values.ok_or_else(|| Failure::new(ErrorCode::Unavailable, "memory is away"))?;
                Ok(config::Values { values: values.into_iter().collect() })
            }),
            (catalog::vault::ID, _) => incoming.unary::<vault::Read, _, _>(move |_, request| async move {
                others.reads.lock().unwrap().push(request.name.clone());
                let found = others.secrets.lock().unwrap().get(&request.name).cloned();
                let missing = format!("{0} is not set; set it with `butterfly secret set {0}`.", request.name);
                Ok(Secret::new(found.ok_or_else(|| VaultError::new(VaultCause::Missing, missing))?))
            }),
            _ => incoming.refuse(ErrorCode::UnknownMethod, "nobody serves that"),
        }
    }

    fn event(&self, _: &Bus, _: &Header, _: &[u8]) {}
}

impl Kernel {
    /// A worker whose settings name the bench's server; they come from the config service.
    pub async fn of(bench: &Bench) -> Self {
        let (provider, url) = match bench.protocol {
            Protocol::Ollama => ("ollama", bench.server.url()),
            Protocol::OpenAi => ("openai", bench.server.v1_url()),
        };
        Self::with(&[("model.provider", provider), ("model.url", &url)]).await
    }

    pub async fn with(values: &[(&str, &str)]) -> Self {
        let values = values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        // Overrides that would fail at once, so that a test sees whose values are in force.
        Self::start(settings(&[("MODEL_PROVIDER", "openai"), ("MODEL_URL", "http://127.0.0.1:9/v1")]), Some(values))
            .await
    }

    /// A worker whose overrides are the bench's, and whose config service is away.
    pub async fn silent(bench: &Bench) -> Self {
        Self::start(settings(&[("MODEL_URL", &bench.server.url()), ("MODEL", "kit:latest")]), None).await
    }

    async fn start(settings: Result<Settings, ModelError>, values: Option<HashMap<String, String>>) -> Self {
        let worker = Arc::new(ModelWorker::with(settings, patient(), Some(8 << 30)));
        let (near, far) = tokio::io::duplex(64 << 10);
        let inside = butterfly_client::start(far, Arc::new(Serve(model::serve(Arc::clone(&worker)))));
        let others =
            Arc::new(Others { values: Mutex::new(values), secrets: Mutex::default(), reads: Mutex::default() });
        let bus = butterfly_client::start(near, Arc::new(Answering(Arc::clone(&others))));
        worker.begin(inside.background()).await;
        Self { bus, others }
    }

    /// Changes a setting and tells of it.
    pub async fn set(&self, key: &str, value: &str) {
        if let Some(values) = &mut *self.others.values.lock().unwrap() {
            values.insert(key.to_owned(), value.to_owned());
        }
        let changed = config::ConfigChanged { keys: vec![key.to_owned()] };
        self.bus.publish(catalog::config::ID, topic::CONFIG_CHANGED, &changed).await.unwrap();
    }

    /// Sets or deletes a secret, and tells nobody.
    pub fn secret(&self, name: &str, value: Option<&str>) {
        let mut secrets = self.others.secrets.lock().unwrap();
        match value {
            Some(value) => secrets.insert(name.to_owned(), value.to_owned()),
            None => secrets.remove(name),
        };
    }

    /// Tells of a changed secret, and returns when that was heard.
    pub async fn secret_changed(&self, name: &str) {
        let changed = vault::SecretChanged { name: name.to_owned() };
        self.bus.publish(catalog::vault::ID, topic::SECRET_CHANGED, &changed).await.unwrap();
        // Frames arrive in order, and the runtime of a test runs what is ready in order.
        self.bus.call::<model::ProbeServer>(&()).await.unwrap();
    }

    /// The names that the vault was asked for.
    pub fn reads(&self) -> Vec<String> {
        self.others.reads.lock().unwrap().clone()
    }

    pub async fn say(&self, request: &ChatRequest) -> Answer {
        collect(self.bus.stream::<Chat>(request).await.unwrap()).await
    }

    /// Asks until the settings that were told of are in force.
    pub async fn until_chosen(&self, model: &str) -> model::Probe {
        loop {
            let probe = self.bus.call::<model::ProbeServer>(&()).await.unwrap();
            if probe.chosen == model {
                return probe;
            }
            tokio::task::yield_now().await;
        }
    }
}

impl Bench {
    /// With `kit:latest` installed.
    pub async fn new(protocol: Protocol) -> Self {
        Self::with(protocol, patient(), &[]).await
    }

    pub async fn with(protocol: Protocol, timeouts: Timeouts, more: &[(&str, &str)]) -> Self {
        let server = ModelServer::start().await.unwrap();
        server.install(Installed::chat("kit"));
        let (provider, url) = match protocol {
            Protocol::Ollama => ("ollama", server.url()),
            Protocol::OpenAi => ("openai", server.v1_url()),
        };
        let mut pairs = vec![("MODEL_PROVIDER", provider), ("MODEL_URL", url.as_str())];
        pairs.extend_from_slice(more);
        let (bus, worker) = connect(settings(&pairs), timeouts);
        Self { server, protocol, bus, worker }
    }

    /// Says something to `kit:latest`.
    pub async fn say(&self, text: &str) -> Answer {
        self.ask(&request(text)).await
    }

    pub async fn ask(&self, request: &ChatRequest) -> Answer {
        collect(self.bus.stream::<Chat>(request).await.unwrap()).await
    }
}

/// A request to `kit:latest`.
pub fn request(text: &str) -> ChatRequest {
    ChatRequest {
        model: Some("kit:latest".to_owned()),
        purpose: Purpose::Chat,
        recalled: Vec::new(),
        messages: vec![Message::new(Role::User, text)],
        tools: Vec::new(),
        think: Think::Default,
        context_tokens: None,
        max_tokens: None,
        temperature: None,
        format: None,
    }
}

/// A request that names no model.
pub fn unnamed(text: &str) -> ChatRequest {
    ChatRequest { model: None, ..request(text) }
}

/// All that came of a chat.
#[derive(Debug)]
pub struct Answer {
    pub items: Vec<ChatItem>,
    pub end: Result<ChatEnd, Failure>,
}

pub async fn collect(mut stream: Stream<Chat>) -> Answer {
    let mut items = Vec::new();
    loop {
        match stream.next().await {
            Ok(Next::Item(item)) => items.push(item),
            Ok(Next::End(end)) => return Answer { items, end: Ok(end) },
            Err(failure) => return Answer { items, end: Err(failure) },
        }
    }
}

impl Answer {
    pub fn text(&self) -> String {
        self.items
            .iter()
            .filter_map(|item| if let ChatItem::Text { text } = item { Some(text.as_str()) } else { None })
            .collect()
    }

    pub fn notices(&self) -> Vec<&str> {
        self.items
            .iter()
            .filter_map(|item| if let ChatItem::Notice { text } = item { Some(text.as_str()) } else { None })
            .collect()
    }

    /// Model, provider and context of the first item.
    pub fn started(&self) -> (&str, &str, u32) {
        match self.items.first() {
            Some(ChatItem::Started { model, provider, context_tokens }) => (model, provider, *context_tokens),
            other => panic!("the first item is {other:?}"),
        }
    }

    /// The declared error that ended it.
    pub fn error(&self) -> ModelError {
        let failure = self.end.as_ref().expect_err("the chat should have failed");
        ModelError::from_failure(failure).unwrap_or_else(|| panic!("not a declared error: {failure:?}"))
    }

    pub fn cause(&self) -> Cause {
        self.error().cause
    }
}

/// An address where nothing listens, and which nobody else gets as long as this lives.
pub struct Nobody {
    pub port: u16,
    _socket: TcpSocket,
}

impl Nobody {
    pub fn listens() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((std::net::Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        Self { port: socket.local_addr().unwrap().port(), _socket: socket }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// The declared error inside a failure.
pub fn declared(failure: &Failure) -> ModelError {
    ModelError::from_failure(failure).unwrap_or_else(|| panic!("not a declared error: {failure:?}"))
}
