//! What several of these tests do.

use anyhow::{Context, bail};
use butterfly_api::conversations::{self, ShowRequest, Transcript};
use butterfly_api::memory::{self, AddRequest, Added, Results, SearchRequest};
use butterfly_api::session::{Place, Send, SendRequest, TurnEnd, TurnItem};
use butterfly_client::{Bus, Next, Stream};
use butterfly_kit::harness::{Instance, PATIENCE, program};
use butterfly_kit::model_server::{Installed, ModelServer};
use butterfly_wire::{ErrorCode, Failure};
use std::future::Future;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// Without any model server.
pub const BUILTIN: (&str, &str) = ("BUTTERFLY_MODEL_PROVIDER", "builtin");

/// Bound of a whole test here: two hundred restarts take their time on a small machine.
const LONG: Duration = Duration::from_secs(600);

/// Runs a test on a runtime of its own.
pub fn run<F: Future<Output = anyhow::Result<()>>>(test: F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let outcome = runtime.block_on(async { tokio::time::timeout(LONG, test).await });
    outcome.expect("the test hangs").unwrap();
}

/// A model server with a chat model and one that makes vectors.
pub async fn server() -> anyhow::Result<ModelServer> {
    let server = ModelServer::start().await?;
    server.install(Installed::chat("kit:latest"));
    server.install(Installed::embedding("kit-embed:latest"));
    Ok(server)
}

/// Something to say.
pub fn say(conversation: Option<u64>, text: &str) -> SendRequest {
    SendRequest { conversation, text: text.to_owned(), place: Place::End, unsaved: false, model: None }
}

/// What a turn gave.
#[derive(Default)]
pub struct Turn {
    pub conversation: u64,
    /// The person's message in the transcript.
    pub message: u64,
    pub text: String,
    pub notices: Vec<String>,
    pub end: Option<Result<TurnEnd, Failure>>,
}

/// Says it and reads the answer to its end.
pub async fn turn(bus: &Bus, request: &SendRequest) -> anyhow::Result<Turn> {
    let mut stream = bus.stream::<Send>(request).await?;
    let mut turn = Turn::default();
    while turn.end.is_none() {
        step(&mut stream, &mut turn).await;
    }
    Ok(turn)
}

/// Reads one item of a turn.
pub async fn step(stream: &mut Stream<Send>, turn: &mut Turn) {
    match stream.next().await {
        Ok(Next::Item(TurnItem::Started { conversation, message, .. })) => {
            turn.conversation = conversation;
            turn.message = message;
        }
        Ok(Next::Item(TurnItem::Text { text })) => turn.text.push_str(&text),
        Ok(Next::Item(TurnItem::Notice { text })) => turn.notices.push(text),
        Ok(Next::Item(TurnItem::Thinking { .. } | TurnItem::Usage(_) | TurnItem::NeedsSecret { .. })) => {}
        Ok(Next::End(end)) => turn.end = Some(Ok(end)),
        Err(failure) => turn.end = Some(Err(failure)),
    }
}

/// A conversation's active branch.
pub async fn transcript(bus: &Bus, conversation: u64) -> anyhow::Result<Transcript> {
    Ok(bus.call::<conversations::Show>(&ShowRequest { conversation, before: None, limit: 1000 }).await?)
}

/// Notes something.
pub async fn note(bus: &Bus, text: &str) -> anyhow::Result<Added> {
    let request = AddRequest { text: text.to_owned(), ..AddRequest::default() };
    Ok(bus.call::<memory::Add>(&request).await?)
}

/// Looks for something.
pub async fn search(bus: &Bus, query: &str) -> anyhow::Result<Results> {
    let request = SearchRequest { query: query.to_owned(), limit: 10, ..SearchRequest::default() };
    Ok(bus.call::<memory::Search>(&request).await?)
}

/// Waits until every passage has its vector.
pub async fn indexed(bus: &Bus) -> anyhow::Result<()> {
    let mut stream = bus.stream::<memory::Index>(&()).await?;
    loop {
        if let Next::End(end) = stream.next().await? {
            if end.waiting > 0 {
                bail!("{} passages have no vector: {:?}", end.waiting, end.degraded);
            }
            return Ok(());
        }
    }
}

/// Calls until a worker that is being restarted answers; any other failure is returned.
pub async fn patiently<T, F: Future<Output = Result<T, Failure>>>(mut call: impl FnMut() -> F) -> anyhow::Result<T> {
    let tried = async {
        loop {
            match call().await {
                Ok(reply) => return Ok(reply),
                Err(failure) if matches!(failure.code, ErrorCode::Unavailable | ErrorCode::PeerDied) => {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                Err(failure) => return Err(failure),
            }
        }
    };
    Ok(tokio::time::timeout(PATIENCE, tried).await.context("the worker never came back")??)
}

/// Runs the command line against an instance.
pub async fn butterfly(instance: &Instance, arguments: &[&str], input: &str) -> anyhow::Result<Output> {
    cli(instance.home.path(), arguments, input).await
}

/// Runs the command line with this home.
pub async fn cli(home: &Path, arguments: &[&str], input: &str) -> anyhow::Result<Output> {
    use std::io::Write as _;
    let mut command = Command::new(program("butterfly")?);
    command.args(arguments).env("BUTTERFLY_HOME", home);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let input = input.to_owned();
    let done = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn()?;
        // Whoever does not read its input may close it.
        let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input.as_bytes()));
        child.wait_with_output()
    });
    Ok(done.await??)
}

/// What a successful command wrote.
pub fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Files below a folder that hold these bytes.
pub fn files_with(folder: &Path, needle: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_symlink() {
                continue;
            } else if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = std::fs::read(&path)
                && bytes.windows(needle.len()).any(|window| window == needle)
            {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

/// Numbers that look random and are the same in every run (xorshift64*).
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }
}
