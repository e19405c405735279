//! What the server does with a request.

use serde_json::{Value, json};
use std::time::Duration;

/// One request's fate.
#[derive(Debug, Clone)]
pub enum Scenario {
    /// An answer that streams.
    Play(Play),
    /// An error status, in the protocol's own words.
    Refuse { status: u16, message: String, headers: Vec<(&'static str, String)> },
    /// Anything at all, under any status.
    Page { status: u16, content_type: &'static str, body: String },
    /// Takes the request and never answers.
    Silence,
    /// Closes the connection without an answer.
    Hangup,
    /// A pull that breaks off after so many new bytes.
    PullCut { after_bytes: u64 },
    /// A pull that stops reporting after so many new bytes.
    PullStall { after_bytes: u64 },
}

/// An answer that streams.
#[derive(Debug, Clone)]
pub struct Play {
    pub load: Load,
    pub steps: Vec<Step>,
    pub ending: Ending,
    /// Before each step.
    pub delay: Duration,
    /// Cuts what is sent into pieces of so many bytes, wherever that may be in a character.
    pub chunk_bytes: Option<usize>,
    /// `/v1`: thinking travels as `reasoning_content` instead of `reasoning`.
    pub reasoning_content: bool,
    /// `/v1`: all tool calls have index 0.
    pub same_index: bool,
    /// `/v1`: usage is never sent.
    pub without_usage: bool,
}

/// What comes before the headers.
#[derive(Debug, Clone, Copy)]
pub enum Load {
    Loaded,
    Takes(Duration),
    /// Until [`super::ModelServer::release`].
    Held,
}

/// What an answer is made of.
#[derive(Debug, Clone)]
pub enum Step {
    Thinking(String),
    Text(String),
    Call {
        id: Option<String>,
        name: String,
        arguments: Value,
    },
    /// Sent as it is.
    Raw(Vec<u8>),
    /// Until [`super::ModelServer::release`].
    Hold,
}

/// How an answer ends.
#[derive(Debug, Clone)]
pub enum Ending {
    Stop,
    /// The length limit was reached.
    Length,
    /// An error line under status 200.
    Error(String),
    /// The body ends properly, but without the end mark.
    CutClean,
    /// The connection breaks.
    CutHard,
    /// Nothing comes any more.
    Stall,
}

impl Default for Play {
    fn default() -> Self {
        Self::say("Hello from the kit.")
    }
}

impl Play {
    /// These words, one step each.
    #[must_use]
    pub fn say(text: &str) -> Self {
        Self::steps(text.split_inclusive(' ').map(|word| Step::Text(word.to_owned())))
    }

    /// So many tokens: `token-1 token-2 …`.
    #[must_use]
    pub fn tokens(count: usize) -> Self {
        Self::steps((1..=count).map(|at| Step::Text(format!("token-{at} "))))
    }

    #[must_use]
    pub fn steps(steps: impl IntoIterator<Item = Step>) -> Self {
        Self {
            load: Load::Loaded,
            steps: steps.into_iter().collect(),
            ending: Ending::Stop,
            delay: Duration::ZERO,
            chunk_bytes: None,
            reasoning_content: false,
            same_index: false,
            without_usage: false,
        }
    }

    #[must_use]
    pub fn ending(self, ending: Ending) -> Self {
        Self { ending, ..self }
    }

    #[must_use]
    pub fn loading(self, load: Load) -> Self {
        Self { load, ..self }
    }

    #[must_use]
    pub fn delay(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    #[must_use]
    pub fn in_chunks_of(self, bytes: usize) -> Self {
        Self { chunk_bytes: Some(bytes), ..self }
    }
}

impl From<Play> for Scenario {
    fn from(play: Play) -> Self {
        Self::Play(play)
    }
}

impl Scenario {
    #[must_use]
    pub fn say(text: &str) -> Self {
        Play::say(text).into()
    }

    #[must_use]
    pub fn refuse(status: u16, message: &str) -> Self {
        Self::Refuse { status, message: message.to_owned(), headers: Vec::new() }
    }

    /// 429 with a Retry-After: seconds, or an HTTP date.
    #[must_use]
    pub fn rate_limited(retry_after: &str) -> Self {
        let headers = vec![("retry-after", retry_after.to_owned())];
        Self::Refuse { status: 429, message: "too many requests".to_owned(), headers }
    }

    /// What Ollama says when a model does not fit.
    #[must_use]
    pub fn out_of_memory() -> Self {
        Self::refuse(500, "model requires more system memory (12.9 GiB) than is available (5.1 GiB)")
    }

    /// What servers say when a conversation does not fit.
    #[must_use]
    pub fn context_exceeded() -> Self {
        Self::refuse(400, "the input length exceeds the context length")
    }

    /// The sign-in page of a network.
    #[must_use]
    pub fn captive_portal() -> Self {
        let body = "<!doctype html><title>Sign in to the network</title>".to_owned();
        Self::Page { status: 200, content_type: "text/html; charset=utf-8", body }
    }

    #[must_use]
    pub fn not_json() -> Self {
        let body = "this is not the protocol\n".to_owned();
        Self::Page { status: 200, content_type: "application/octet-stream", body }
    }

    /// A line of so many bytes.
    #[must_use]
    pub fn huge_line(bytes: usize) -> Self {
        Play::steps([Step::Raw(vec![b'x'; bytes])]).into()
    }

    /// Thinking, then text.
    #[must_use]
    pub fn thinking() -> Self {
        let mut play = Play::say("The sky is blue.");
        play.steps.insert(0, Step::Thinking("They ask about the sky.".to_owned()));
        play.into()
    }

    /// Two tool calls; under `/v1` both with index 0.
    #[must_use]
    pub fn two_tool_calls() -> Self {
        let call = |id: &str, city: &str| Step::Call {
            id: Some(id.to_owned()),
            name: "weather".to_owned(),
            arguments: json!({ "city": city }),
        };
        let play = Play::steps([call("call_a", "Graz"), call("call_b", "Linz")]);
        Self::Play(Play { same_index: true, ..play })
    }

    /// The scenarios that can be asked for by name, each with what it does.
    pub const NAMES: [(&'static str, &'static str); 20] = [
        ("normal", "answers"),
        ("thinking", "thinks, then answers"),
        ("tools", "calls two tools, with index 0 under /v1"),
        ("error-line", "reports an error under status 200 in the middle"),
        ("truncated", "ends the body without the end mark"),
        ("cut", "breaks the connection in the middle"),
        ("stall", "stops sending in the middle"),
        ("silent", "never answers"),
        ("hangup", "closes the connection without an answer"),
        ("not-json", "sends words that are no JSON"),
        ("html", "sends a web page, as a captive portal does"),
        ("huge-line", "sends a line of 2 MiB"),
        ("split", "cuts characters in two between chunks"),
        ("401", "wants a key"),
        ("429", "asks to wait for a second"),
        ("500", "has a fault, every time"),
        ("503", "is overloaded, every time"),
        ("oom", "has too little memory for the model"),
        ("context", "finds the conversation too long"),
        ("missing", "has no such model"),
    ];

    /// A scenario by its name, made from the answer that the server would give otherwise.
    #[must_use]
    pub fn named(name: &str, usual: Play) -> Option<Self> {
        let half = |ending| {
            let mut play = usual.clone();
            play.steps.truncate(usual.steps.len().div_ceil(2));
            Some(Self::Play(play.ending(ending)))
        };
        match name {
            "normal" => Some(usual.into()),
            "thinking" => Some(Self::thinking()),
            "tools" => Some(Self::two_tool_calls()),
            "error-line" => half(Ending::Error("an unknown error was encountered while running the model".to_owned())),
            "truncated" => half(Ending::CutClean),
            "cut" => half(Ending::CutHard),
            "stall" => half(Ending::Stall),
            "silent" => Some(Self::Silence),
            "hangup" => Some(Self::Hangup),
            "not-json" => Some(Self::not_json()),
            "html" => Some(Self::captive_portal()),
            "huge-line" => Some(Self::huge_line(2 << 20)),
            "split" => Some(Play::say("Grüße, 🦋 und 日本語!").in_chunks_of(1).into()),
            "401" => Some(Self::refuse(401, "unauthorized")),
            "429" => Some(Self::rate_limited("1")),
            "500" => Some(Self::refuse(500, "something went wrong")),
            "503" => Some(Self::refuse(503, "server busy, please try again")),
            "oom" => Some(Self::out_of_memory()),
            "context" => Some(Self::context_exceeded()),
            "missing" => Some(Self::refuse(404, "model not found")),
            _ => None,
        }
    }
}
