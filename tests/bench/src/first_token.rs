//! What the bus adds to the time that a model takes to its first token.

use crate::options::Options;
use crate::report::{Row, Section, Target, Unit};
use crate::samples::Samples;
use crate::sides::Running;
use anyhow::{Context, bail};
use butterfly_api::session::{Place, Send, SendRequest, TurnItem};
use butterfly_client::{Bus, Next};
use butterfly_kit::harness::{Instance, Which, program};
use reqwest::Client;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Questions to each side.
const QUESTIONS: usize = 200;

/// Questions before it counts: the model worker learns what the server has, connections and buffers are made.
const WARM_UP: usize = 5;

/// The question; every time in a conversation of its own, so that the prompt does not grow.
const QUESTION: &str = "What is a butterfly?";

/// The fake model server's model.
const MODEL: &str = "kit:latest";

/// # Errors
/// When a program is missing or fails.
pub async fn measure(options: &Options) -> anyhow::Result<Section> {
    let questions = options.times(QUESTIONS);
    let (_server, url) = model_server(&[])?;
    let environment = configured(&url);
    let (_kernel, bus) = Instance::start(Which::Production, &[], &environment).await?;
    let client = client()?;
    let (mut direct, mut through_the_bus) = (Samples::default(), Samples::default());
    for turn in 0..WARM_UP + questions {
        let (alone, bused) = (ask_directly(&client, &url).await?.first, ask_the_bus(&bus).await?.first);
        if turn >= WARM_UP {
            direct.push(alone);
            through_the_bus.push(bused);
        }
    }
    let row = |what, bus, direct| Row::new(what, Unit::Milliseconds, bus, direct, "direct HTTP");
    Ok(Section {
        title: "Time to first token",
        method: format!(
            "{questions} questions to each side, in turns. Through the bus: client, kernel, brains, kernel, model, and from \
             there HTTP to a local server that speaks Ollama's protocol and answers at once; from the call until the \
             first text is in the client's hands. Direct: the same kind of HTTP client (reqwest, HTTP/1.1, configured as \
             the model worker's) in the same process as the bus client, to the same server, until the first line with \
             text is decoded. Both have asked {WARM_UP} questions before it counts, and both open a connection for each \
             question, as the model worker does on one machine."
        ),
        rows: vec![
            row("median", through_the_bus.median(), direct.median()).target(Target::AddedAtMost(2.0)),
            row("p99", through_the_bus.p99(), direct.p99()),
        ],
    })
}

/// How a kernel is told of that server.
#[must_use]
pub fn configured(url: &str) -> [(&'static str, &str); 3] {
    [("BUTTERFLY_MODEL_PROVIDER", "ollama"), ("BUTTERFLY_MODEL_URL", url), ("BUTTERFLY_MODEL", MODEL)]
}

/// When an answer came, in ms from the question on.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Answered {
    /// The first text.
    pub first: f64,
    /// The end.
    pub whole: f64,
}

/// A server that speaks Ollama's protocol and answers at once, and its address.
///
/// # Errors
/// When it does not start.
pub fn model_server(arguments: &[&str]) -> anyhow::Result<(Running, String)> {
    let mut child = Command::new(program("kit_model_server")?)
        .args(["--model", MODEL])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let stdout = child.stdout.take().context("the model server has no output")?;
    let server = Running(child);
    let mut port = String::new();
    BufReader::new(stdout).read_line(&mut port)?;
    Ok((server, format!("http://127.0.0.1:{}", port.trim())))
}

/// A client like the model worker's.
///
/// # Errors
/// When it cannot be set up.
pub fn client() -> anyhow::Result<Client> {
    // No host here is asked for a certificate; reqwest wants to know all the same how it would check one.
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let builder = Client::builder().tls_backend_preconfigured(tls).no_proxy().http1_only();
    Ok(builder.pool_max_idle_per_host(0).tcp_nodelay(true).build()?)
}

/// Asks the server itself.
///
/// # Errors
/// When there is no text in the answer.
pub async fn ask_directly(client: &Client, url: &str) -> anyhow::Result<Answered> {
    let since = Instant::now();
    let body = serde_json::to_vec(&serde_json::json!({
        "model": MODEL,
        "messages": [
            { "role": "system", "content": "You are a helpful assistant." },
            { "role": "user", "content": QUESTION },
        ],
        "stream": true,
        "options": { "num_ctx": 4096 },
    }))?;
    let request = client.post(format!("{url}/api/chat")).header("content-type", "application/json").body(body);
    let mut response = request.send().await?.error_for_status()?;
    let mut received = Vec::new();
    let mut first = None;
    while let Some(chunk) = response.chunk().await? {
        received.extend_from_slice(&chunk);
        while let Some(end) = received.iter().position(|byte| *byte == b'\n') {
            let line: serde_json::Value = serde_json::from_slice(&received[..end])?;
            received.drain(..=end);
            let text = line["message"]["content"].as_str().unwrap_or_default();
            if !text.is_empty() {
                first.get_or_insert_with(|| since.elapsed());
            }
        }
    }
    answered(since, first)
}

fn answered(since: Instant, first: Option<Duration>) -> anyhow::Result<Answered> {
    let first = first.context("the answer has no word")?;
    Ok(Answered { first: first.as_secs_f64() * 1e3, whole: since.elapsed().as_secs_f64() * 1e3 })
}

/// Asks as every client does.
///
/// # Errors
/// When there is no text in the answer.
pub async fn ask_the_bus(bus: &Bus) -> anyhow::Result<Answered> {
    let since = Instant::now();
    let request =
        SendRequest { conversation: None, text: QUESTION.to_owned(), place: Place::End, unsaved: false, model: None };
    let mut turn = bus.stream::<Send>(&request).await?;
    let mut first = None;
    loop {
        match turn.next().await? {
            Next::Item(TurnItem::Text { .. }) => {
                first.get_or_insert_with(|| since.elapsed());
            }
            Next::Item(TurnItem::Notice { text }) => bail!("the answer began with a notice: {text}"),
            Next::Item(TurnItem::NeedsSecret { name, .. }) => bail!("the server wants the secret {name}"),
            Next::Item(TurnItem::Started { .. } | TurnItem::Thinking { .. } | TurnItem::Usage(_)) => {}
            Next::End(_) => return answered(since, first),
        }
    }
}
