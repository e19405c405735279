//! One answer, from the request to its end, whatever the protocol: waiting, retrying, reading, passing on.
//!
//! Three clocks: until the first of the answer (long, with notices for people), between lines from then on, and the
//! pauses before the request is made again, which happens only while nothing of the answer has come.

use crate::http::{Complaint, Http, Lines, Stop, classify};
use crate::retry::{Pause, Retries};
use crate::sentence::{self, About};
use crate::sink::Sink;
use crate::trouble::{Again, Trouble};
use butterfly_api::model::{ChatEnd, Finish, ToolCall, Usage};
use butterfly_api::tokens;
use std::time::Duration;
use tokio::time::Instant;

/// What a line of the answer says.
#[derive(Debug, PartialEq)]
pub enum Word {
    Thinking(String),
    Text(String),
    ToolCall(ToolCall),
    /// The server reports an error under status 200.
    Error(Complaint),
    /// The end mark.
    Done(Ending),
}

/// What the end mark says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ending {
    pub length: bool,
    pub input_tokens: Option<u32>,
    pub output_tokens: Option<u32>,
    pub load_ms: u32,
}

/// The line is not of the protocol.
#[derive(Debug, PartialEq, Eq)]
pub struct Foreign;

/// Understands one answer, line by line.
pub trait Decoder: Send {
    /// Appends what the line says.
    ///
    /// # Errors
    /// [`Foreign`] for a line that is not of the protocol.
    fn line(&mut self, line: &[u8], words: &mut Vec<Word>) -> Result<(), Foreign>;
}

/// One request for an answer.
pub struct Question<'a> {
    pub http: &'a Http,
    pub path: &'a str,
    pub body: Vec<u8>,
    pub about: About<'a>,
    /// The context that was asked for, in tokens; 0 where the server decides.
    pub context_tokens: u32,
    /// Whether the model is loaded already, as far as is known.
    pub loaded: bool,
    /// The estimate of the input, for servers that count nothing.
    pub input_estimate: u32,
}

impl Question<'_> {
    /// Asks, and passes the answer on.
    pub async fn ask<D: Decoder>(&self, decoder: impl Fn() -> D, sink: &mut Sink) -> Result<ChatEnd, Trouble> {
        let timeouts = self.http.timeouts();
        let mut retries = Retries::new(timeouts);
        let mut patience = Patience::new(self);
        loop {
            let trouble = match self.attempt(decoder(), sink, &mut patience).await {
                Ok(end) => return Ok(end),
                Err(trouble) => trouble,
            };
            match retries.after(&trouble, sink.has_begun()) {
                Some(Pause::Own(pause)) => tokio::time::sleep(pause).await,
                Some(Pause::Asked(pause)) => {
                    let server = sentence::server(self.about.settings);
                    sink.notice(format!("{server} asked to wait; trying again in {}.", sentence::seconds(pause)))
                        .await?;
                    tokio::time::sleep(pause).await;
                }
                None => return Err(trouble),
            }
        }
    }

    async fn attempt<D: Decoder>(
        &self,
        mut decoder: D,
        sink: &mut Sink,
        patience: &mut Patience<'_>,
    ) -> Result<ChatEnd, Trouble> {
        let opening = self.http.open(&self.about, self.path, self.body.clone());
        let mut lines = patience.wait(opening, sink).await??;
        let mut words = Vec::new();
        let mut tally = Tally::default();
        loop {
            let more = self.more(&mut lines, sink, patience).await?;
            while let Some(line) = lines.next() {
                decoder.line(line, &mut words).map_err(|Foreign| self.foreign(line))?;
            }
            if let Some(ending) = self.pass_on(&mut words, &mut tally, sink).await? {
                sink.finish().await?;
                return Ok(self.end(&ending, &tally, sink));
            }
            if !more {
                return Err(self.cut_short());
            }
        }
    }

    /// Waits for more of the answer, as long as its stage allows.
    async fn more(&self, lines: &mut Lines, sink: &mut Sink, patience: &mut Patience<'_>) -> Result<bool, Trouble> {
        let filled = if sink.has_begun() {
            let idle = self.http.timeouts().idle;
            match tokio::time::timeout(idle, lines.fill()).await {
                Ok(filled) => filled,
                Err(_) => return Err(sentence::timed_out(&self.about, "nothing more", idle).into()),
            }
        } else {
            patience.wait(lines.fill(), sink).await?
        };
        filled.map_err(|stopped| match stopped {
            Stop::Broken => self.cut_short(),
            Stop::TooLong => sentence::not_the_protocol(&self.about, "it sent a line longer than 1 MiB").into(),
        })
    }

    /// Sends what was said; neighbouring texts, which arrived together, travel together.
    async fn pass_on(
        &self,
        words: &mut Vec<Word>,
        tally: &mut Tally,
        sink: &mut Sink,
    ) -> Result<Option<Ending>, Trouble> {
        let mut words = words.drain(..).peekable();
        while let Some(word) = words.next() {
            match word {
                Word::Text(mut text) => {
                    while let Some(Word::Text(next)) = words.next_if(|next| matches!(next, Word::Text(_))) {
                        text.push_str(&next);
                    }
                    tally.output += tokens::of_text(&text);
                    sink.text(text).await?;
                }
                Word::Thinking(mut text) => {
                    while let Some(Word::Thinking(next)) = words.next_if(|next| matches!(next, Word::Thinking(_))) {
                        text.push_str(&next);
                    }
                    tally.output += tokens::of_text(&text);
                    sink.thinking(text).await?;
                }
                Word::ToolCall(call) => {
                    tally.called = true;
                    tally.output += tokens::of_text(&call.arguments);
                    sink.tool_call(call).await?;
                }
                Word::Error(complaint) => {
                    let error = classify(&self.about, &complaint)
                        .unwrap_or_else(|| sentence::mid_stream(&self.about, &complaint.text));
                    return Err(error.into());
                }
                Word::Done(ending) => return Ok(Some(ending)),
            }
        }
        Ok(None)
    }

    fn end(&self, ending: &Ending, tally: &Tally, sink: &Sink) -> ChatEnd {
        let finish = match (tally.called, ending.length) {
            (true, _) => Finish::ToolCalls,
            (false, true) => Finish::Length,
            (false, false) => Finish::Stop,
        };
        let (first_token_ms, generation_ms) = sink.timing();
        let usage = Usage {
            input_tokens: ending.input_tokens.unwrap_or(self.input_estimate),
            output_tokens: ending.output_tokens.unwrap_or(tally.output),
            first_token_ms,
            generation_ms,
            load_ms: ending.load_ms,
            context_tokens: self.context_tokens,
            estimated: ending.output_tokens.is_none(),
        };
        ChatEnd { finish, usage }
    }

    fn foreign(&self, line: &[u8]) -> Trouble {
        let page = line.trim_ascii_start().first() == Some(&b'<');
        let found = if page { sentence::WEB_PAGE } else { "a line of its answer is not the JSON of this protocol" };
        sentence::not_the_protocol(&self.about, found).into()
    }

    /// Retried while nothing has come: a server that restarts drops its connections.
    fn cut_short(&self) -> Trouble {
        Trouble::from(sentence::truncated(&self.about)).again(Again::Backoff)
    }
}

/// What this side counted of an answer.
#[derive(Default)]
struct Tally {
    called: bool,
    output: u32,
}

/// The wait for the first of the answer, over all attempts.
struct Patience<'a> {
    about: About<'a>,
    loaded: bool,
    since: Instant,
    limit: Duration,
    next_notice: Instant,
    every: Duration,
}

impl<'a> Patience<'a> {
    fn new(question: &Question<'a>) -> Self {
        let timeouts = question.http.timeouts();
        let since = Instant::now();
        Self {
            about: question.about,
            loaded: question.loaded,
            since,
            limit: timeouts.first_token,
            next_notice: since + timeouts.first_notice,
            every: timeouts.next_notice,
        }
    }

    /// Waits for `work`, tells people why it takes so long, and gives up at the limit.
    async fn wait<T>(&mut self, work: impl Future<Output = T>, sink: &mut Sink) -> Result<T, Trouble> {
        let mut work = std::pin::pin!(work);
        let end = self.since + self.limit;
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                () = tokio::time::sleep_until(end) => {
                    return Err(sentence::timed_out(&self.about, "no answer", self.limit).into());
                }
                () = tokio::time::sleep_until(self.next_notice) => {
                    sink.notice(self.text()).await?;
                    self.next_notice = Instant::now() + self.every;
                }
            }
        }
    }

    fn text(&self) -> String {
        let model = self.about.model;
        let waited = sentence::seconds(self.since.elapsed());
        if self.loaded {
            format!("{model} is reading the conversation ({waited} so far).")
        } else {
            format!("Loading model {model} ({waited} so far); a large one takes minutes the first time.")
        }
    }
}
