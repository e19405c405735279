//! What every test stands on.

use butterfly_api::model::{self, Cause, Chat, ChatEnd, ChatItem, ChatRequest, Message, ModelError, Role, Think};
use butterfly_client::{Bus, Handler, Incoming, Next, NoHandler, Service, Stream};
use butterfly_kit::model_server::{Installed, ModelServer};
use butterfly_model::{ModelWorker, Settings, Timeouts};
use butterfly_wire::{Failure, Header};
use std::sync::Arc;
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
        Self { server, bus, worker }
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
