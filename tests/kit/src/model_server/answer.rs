//! One request: routed, recorded, and answered as its scenario says.

use super::api;
use super::scenario::{Ending, Load, Play, Scenario, Step};
use super::state::{Endpoint, Progress, State};
use super::v1;
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::Value;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// The body of an answer: what arrives through a channel. Dropped before its end, the client has gone.
pub(super) struct Stream {
    parts: mpsc::Receiver<Result<Bytes, io::Error>>,
    progress: Progress,
}

impl Body for Stream {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let part = std::task::ready!(self.parts.poll_recv(context));
        if !matches!(part, Some(Ok(_))) {
            self.progress.complete();
        }
        Poll::Ready(part.map(|part| part.map(Frame::data)))
    }
}

/// Where an answer's bytes are written.
pub(super) struct Pen {
    parts: mpsc::Sender<Result<Bytes, io::Error>>,
    chunk_bytes: Option<usize>,
}

/// The client has gone.
pub(super) struct Gone;

impl Pen {
    pub(super) async fn write(&self, bytes: impl Into<Vec<u8>>) -> Result<(), Gone> {
        let bytes: Vec<u8> = bytes.into();
        let size = self.chunk_bytes.unwrap_or(bytes.len()).max(1);
        for piece in bytes.chunks(size) {
            self.parts.send(Ok(Bytes::copy_from_slice(piece))).await.map_err(|_| Gone)?;
        }
        Ok(())
    }

    /// Breaks the connection.
    pub(super) async fn cut(&self) {
        let _ = self.parts.send(Err(io::Error::other("cut, as the scenario says"))).await;
    }

    /// Says nothing more, until the client goes.
    pub(super) async fn stall(&self) {
        self.parts.closed().await;
    }
}

/// Which protocol a path belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Ollama,
    OpenAi,
}

/// Writes one protocol's answer.
pub(super) trait Writer: Send {
    fn step(&mut self, step: &Step) -> Vec<u8>;
    /// The lines that end an answer as it should end.
    fn end(&mut self, length: bool) -> Vec<u8>;
    fn error(&self, message: &str) -> Vec<u8>;
}

fn route(method: &Method, path: &str) -> Option<(Protocol, Endpoint)> {
    let get = *method == Method::GET;
    let post = *method == Method::POST;
    let found = match path {
        "/api/chat" if post => (Protocol::Ollama, Endpoint::Chat),
        "/api/embed" if post => (Protocol::Ollama, Endpoint::Embed),
        "/api/pull" if post => (Protocol::Ollama, Endpoint::Pull),
        "/api/show" if post => (Protocol::Ollama, Endpoint::Show),
        "/api/tags" if get => (Protocol::Ollama, Endpoint::Tags),
        "/api/ps" if get => (Protocol::Ollama, Endpoint::Ps),
        "/api/version" if get => (Protocol::Ollama, Endpoint::Version),
        "/v1/chat/completions" if post => (Protocol::OpenAi, Endpoint::Chat),
        "/v1/embeddings" if post => (Protocol::OpenAi, Endpoint::Embed),
        "/v1/models" if get => (Protocol::OpenAi, Endpoint::Tags),
        _ => return None,
    };
    Some(found)
}

/// Answers a request; an error closes the connection.
pub(super) async fn answer(request: Request<Incoming>, state: Arc<State>) -> io::Result<Response<Stream>> {
    let mut progress = Progress::new(&state);
    let path = request.uri().path().to_owned();
    let routed = route(request.method(), &path).filter(|(protocol, _)| state.speaks(*protocol));
    let authorization =
        request.headers().get("authorization").map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let allowed = state.lets_in(authorization.as_deref());
    let body = request.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    state.record(&path, routed.map(|(_, endpoint)| endpoint), body.clone(), authorization);
    let Some((protocol, endpoint)) = routed else {
        return whole(progress, 404, "text/plain", "404 page not found".to_owned());
    };
    if !allowed {
        return whole(progress, 401, "application/json", complaint(protocol, 401, "unauthorized"));
    }
    let model = body["model"].as_str().unwrap_or_default().to_owned();
    match state.scenario(endpoint, &model) {
        None => usual(progress, &state, protocol, endpoint, body).await,
        Some(Scenario::Play(play)) if endpoint == Endpoint::Chat => chat(progress, state, protocol, body, play).await,
        Some(Scenario::Play(play)) if endpoint == Endpoint::Pull => {
            let steps = play.steps.iter().map(|step| match step {
                Step::Text(text) => serde_json::json!({ "status": text.trim() }),
                _ => serde_json::json!({ "status": "working" }),
            });
            let mut lines: Vec<u8> = steps.flat_map(|line| api::line(&line)).collect();
            if let Ending::Error(message) = &play.ending {
                lines.extend(api::line(&serde_json::json!({ "error": message })));
            }
            whole(progress, 200, api::NDJSON, String::from_utf8_lossy(&lines).into_owned())
        }
        Some(Scenario::Play(play)) => {
            wait(&state, play.load).await;
            usual(progress, &state, protocol, endpoint, body).await
        }
        Some(Scenario::Refuse { status, message, headers }) => {
            let mut response = whole(progress, status, "application/json", complaint(protocol, status, &message))?;
            for (name, value) in headers {
                let value = value.parse().map_err(io::Error::other)?;
                response.headers_mut().insert(name, value);
            }
            Ok(response)
        }
        Some(Scenario::Page { status, content_type, body }) => whole(progress, status, content_type, body),
        Some(Scenario::Silence) => std::future::pending().await,
        Some(Scenario::Hangup) => {
            progress.complete();
            Err(io::Error::other("hung up, as the scenario says"))
        }
        Some(Scenario::PullCut { after_bytes }) => {
            api::pull(progress, state, &model, Some((after_bytes, Ending::CutHard)))
        }
        Some(Scenario::PullStall { after_bytes }) => {
            api::pull(progress, state, &model, Some((after_bytes, Ending::Stall)))
        }
    }
}

async fn usual(
    progress: Progress,
    state: &Arc<State>,
    protocol: Protocol,
    endpoint: Endpoint,
    body: Value,
) -> io::Result<Response<Stream>> {
    let model = body["model"].as_str().unwrap_or_default().to_owned();
    let json = |progress, value: Value| whole(progress, 200, "application/json", value.to_string());
    let needs_model = matches!(endpoint, Endpoint::Chat | Endpoint::Embed | Endpoint::Show);
    let installed = state.library().find(&model).cloned();
    match (endpoint, installed) {
        (_, None) if needs_model => {
            let message = match protocol {
                Protocol::Ollama => format!("model '{model}' not found"),
                Protocol::OpenAi => format!("The model `{model}` does not exist."),
            };
            whole(progress, 404, "application/json", complaint(protocol, 404, &message))
        }
        (Endpoint::Chat, _) => {
            let said = body["messages"].as_array().and_then(|messages| messages.last()?["content"].as_str());
            let play = Play::say(&format!("You said: {}", said.unwrap_or_default()));
            chat(progress, Arc::clone(state), protocol, body, play).await
        }
        (Endpoint::Embed, _) => {
            let value = match protocol {
                Protocol::Ollama => api::embed(&body),
                Protocol::OpenAi => v1::embed(&body),
            };
            json(progress, value)
        }
        (Endpoint::Show, Some(model)) => json(progress, super::library::Library::show(&model)),
        (Endpoint::Tags, _) => {
            let value = match protocol {
                Protocol::Ollama => state.library().tags(),
                Protocol::OpenAi => state.library().v1_models(),
            };
            json(progress, value)
        }
        (Endpoint::Ps, _) => {
            let value = state.library().ps();
            json(progress, value)
        }
        (Endpoint::Version | Endpoint::Show, _) => json(progress, serde_json::json!({ "version": "0.33.0" })),
        (Endpoint::Pull, _) => api::pull(progress, Arc::clone(state), &model, None),
    }
}

/// Loads, sends the headers only then, and plays the rest.
async fn chat(
    progress: Progress,
    state: Arc<State>,
    protocol: Protocol,
    body: Value,
    play: Play,
) -> io::Result<Response<Stream>> {
    wait(&state, play.load).await;
    let model = body["model"].as_str().unwrap_or_default();
    let context = body["options"]["num_ctx"].as_u64().and_then(|context| u32::try_from(context).ok());
    state.library().load(model, context.unwrap_or(4096));
    let content_type = match protocol {
        Protocol::Ollama => api::NDJSON,
        Protocol::OpenAi => "text/event-stream",
    };
    let (pen, response) = open(progress, content_type, play.chunk_bytes)?;
    let mut writer: Box<dyn Writer> = match protocol {
        Protocol::Ollama => Box::new(api::Chat::new(&body)),
        Protocol::OpenAi => Box::new(v1::Chat::new(&body, &play)),
    };
    tokio::spawn(async move {
        // A client that has gone ends the play; the body's end has counted it.
        let _ = perform(&state, &play, writer.as_mut(), &pen).await;
    });
    Ok(response)
}

async fn perform(state: &State, play: &Play, writer: &mut dyn Writer, pen: &Pen) -> Result<(), Gone> {
    // By the clock: a step that comes late does not make those after it late.
    let mut due = tokio::time::Instant::now();
    for step in &play.steps {
        if !play.delay.is_zero() {
            due += play.delay;
            tokio::time::sleep_until(due).await;
        }
        match step {
            Step::Hold => tokio::select! {
                () = state.hold() => due = tokio::time::Instant::now(),
                () = pen.stall() => return Err(Gone),
            },
            Step::Raw(bytes) => pen.write(bytes.clone()).await?,
            Step::Thinking(_) | Step::Text(_) | Step::Call { .. } => pen.write(writer.step(step)).await?,
        }
    }
    match &play.ending {
        Ending::Stop => pen.write(writer.end(false)).await,
        Ending::Length => pen.write(writer.end(true)).await,
        Ending::Error(message) => pen.write(writer.error(message)).await,
        Ending::CutClean => Ok(()),
        Ending::CutHard => {
            pen.cut().await;
            Ok(())
        }
        Ending::Stall => {
            pen.stall().await;
            Ok(())
        }
    }
}

async fn wait(state: &State, load: Load) {
    match load {
        Load::Loaded => {}
        Load::Takes(time) => tokio::time::sleep(time).await,
        Load::Held => state.hold().await,
    }
}

/// An answer whose body is written piece by piece.
pub(super) fn open(
    progress: Progress,
    content_type: &'static str,
    chunk_bytes: Option<usize>,
) -> io::Result<(Pen, Response<Stream>)> {
    // One piece at a time: what the client does not read is not produced.
    let (sender, parts) = mpsc::channel(1);
    let response = Response::builder()
        .header("content-type", content_type)
        .body(Stream { parts, progress })
        .map_err(io::Error::other)?;
    Ok((Pen { parts: sender, chunk_bytes }, response))
}

fn whole(progress: Progress, status: u16, content_type: &'static str, body: String) -> io::Result<Response<Stream>> {
    let (pen, mut response) = open(progress, content_type, None)?;
    *response.status_mut() = StatusCode::from_u16(status).map_err(io::Error::other)?;
    tokio::spawn(async move {
        let _ = pen.write(body).await;
    });
    Ok(response)
}

fn complaint(protocol: Protocol, status: u16, message: &str) -> String {
    match protocol {
        Protocol::Ollama => serde_json::json!({ "error": message }).to_string(),
        Protocol::OpenAi => {
            let kind = if status < 500 { "invalid_request_error" } else { "server_error" };
            serde_json::json!({ "error": {
                "message": message, "type": kind, "param": null, "code": null } })
            .to_string()
        }
    }
}
