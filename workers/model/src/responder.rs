//! The built-in responder: answers when there is no language model, and says so.
//!
//! It is *not* a language model: it knows a handful of questions by their words, and says how to connect a model.

use crate::provider::{Provider, Work};
use crate::sentence;
use crate::sink::Sink;
use crate::trouble::Trouble;
use butterfly_api::model::{
    ChatEnd, ChatRequest, Embeddings, Finish, Message, ModelDetails, ModelInfo, PullProgress, Pulled, Role,
    RunningModel, Usage,
};
use butterfly_client::Outlet;
use std::time::{Duration, SystemTime};

/// Its name where a model's name is expected.
pub const NAME: &str = "builtin";

/// Why it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// It was asked for by name or by `MODEL_PROVIDER`.
    Wanted,
    /// No server answers; how one is started.
    NoServer { how: &'static str },
    /// The server has no model that can chat.
    NoModel { can_pull: bool },
}

/// The responder.
#[derive(Debug, Clone)]
pub struct Responder {
    pub reason: Reason,
    /// What a pull without a name would fetch.
    pub preset: &'static str,
    pub word: Duration,
}

impl Responder {
    /// The answer to the last thing that the person said. Pure but for the time, which is given.
    #[must_use]
    pub fn answer(&self, messages: &[Message], now: SystemTime) -> String {
        let said = messages.iter().rev().find(|message| message.role == Role::User);
        let text = said.map(|message| message.content.to_lowercase()).unwrap_or_default();
        let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let any = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
        if any(&["time", "date", "clock", "today"]) && words.len() <= 8 {
            return format!("It is {} by this computer's clock. {}", httpdate::fmt_http_date(now), self.who());
        }
        if any(&["help", "commands"]) && words.len() <= 6 {
            return format!(
                "I can tell the time and date, and what I am. In the chat, /help lists the commands, /model shows and \
                 changes the model, and /quit leaves; outside it, `butterfly status` shows the workers and `butterfly \
                 doctor` what is wrong. {} {}",
                self.who(),
                self.how()
            );
        }
        if any(&["hello", "hi", "hey", "hallo", "servus"]) && words.len() <= 3 {
            return format!("Hello. {} {}", self.who(), self.how());
        }
        if any(&["who", "what"]) && any(&["you", "this"]) && words.len() <= 6 {
            return format!(
                "I am ButterFly Bot, an assistant that runs on your own computer and keeps what you say there. {} {}",
                self.who(),
                self.how()
            );
        }
        format!("I cannot answer that. {} {}", self.who(), self.how())
    }

    fn who(&self) -> &'static str {
        match self.reason {
            Reason::Wanted => "This is the built-in responder, which is no language model; it was chosen on purpose.",
            Reason::NoServer { .. } | Reason::NoModel { .. } => {
                "This is the built-in responder, which is no language model: none is connected."
            }
        }
    }

    fn how(&self) -> String {
        match self.reason {
            Reason::Wanted => {
                "To talk to a language model, start without BUTTERFLY_MODEL_PROVIDER=builtin, or pick one of \
                 `butterfly model list` with /model."
                    .to_owned()
            }
            Reason::NoServer { how } => {
                format!(
                    "To connect one, {how}; then `butterfly model pull {}` fetches a model that fits this computer, \
                     and the next message goes to it.",
                    self.preset
                )
            }
            Reason::NoModel { can_pull: true } => {
                format!(
                    "The model server runs but has no model to chat with: `butterfly model pull {}` fetches one that \
                     fits this computer, and the next message goes to it.",
                    self.preset
                )
            }
            Reason::NoModel { can_pull: false } => {
                "The model server runs but has no model to chat with: load one there, and the next message goes to it."
                    .to_owned()
            }
        }
    }

    fn unsupported<T>(&self, what: &str) -> Result<T, Trouble> {
        Err(sentence::unsupported(what, "start Ollama and leave BUTTERFLY_MODEL_PROVIDER unset").into())
    }

    async fn stream(&self, request: &ChatRequest, sink: &mut Sink) -> Result<ChatEnd, Trouble> {
        let answer = self.answer(&request.messages, SystemTime::now());
        sink.started(NAME, NAME, 0);
        for word in answer.split_inclusive(' ') {
            sink.text(word.to_owned()).await?;
            tokio::time::sleep(self.word).await;
        }
        sink.finish().await?;
        let (first_token_ms, generation_ms) = sink.timing();
        let usage = Usage {
            input_tokens: crate::context::estimate(request),
            output_tokens: crate::context::of_text(&answer),
            first_token_ms,
            generation_ms,
            load_ms: 0,
            context_tokens: 0,
            estimated: true,
        };
        Ok(ChatEnd { finish: Finish::Stop, usage })
    }
}

impl Provider for Responder {
    fn version(&self, _: Duration) -> Work<'_, String> {
        Box::pin(async { Ok(env!("CARGO_PKG_VERSION").to_owned()) })
    }

    fn installed(&self) -> Work<'_, Vec<ModelInfo>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn list(&self) -> Work<'_, Vec<ModelInfo>> {
        self.installed()
    }

    fn running(&self) -> Work<'_, Vec<RunningModel>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn show<'a>(&'a self, _: &'a str) -> Work<'a, ModelDetails> {
        Box::pin(async { self.unsupported("The built-in responder is no language model and has no details") })
    }

    fn pull<'a>(&'a self, _: &'a str, _: &'a mut Outlet<PullProgress>) -> Work<'a, Pulled> {
        Box::pin(async { self.unsupported("The built-in responder cannot fetch models") })
    }

    fn embed<'a>(&'a self, _: &'a str, _: &'a [String]) -> Work<'a, Embeddings> {
        Box::pin(async { self.unsupported("The built-in responder cannot make vectors of texts") })
    }

    fn chat<'a>(&'a self, _: &'a str, request: &'a ChatRequest, sink: &'a mut Sink) -> Work<'a, ChatEnd> {
        Box::pin(self.stream(request, sink))
    }

    fn forget(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn responder(reason: Reason) -> Responder {
        Responder { reason, preset: "qwen3:4b", word: Duration::ZERO }
    }

    fn say(reason: Reason, text: &str) -> String {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        responder(reason).answer(&[Message::new(Role::System, "help"), Message::new(Role::User, text)], now)
    }

    #[test]
    fn every_answer_says_that_it_is_no_language_model() {
        let reasons = [Reason::Wanted, Reason::NoServer { how: "start it" }, Reason::NoModel { can_pull: true }];
        for reason in reasons {
            for text in ["", "hello", "help", "what time is it?", "who are you?", "Write a poem about butterflies."] {
                let answer = say(reason.clone(), text);
                assert!(answer.contains("no language model"), "{text}: {answer}");
            }
        }
    }

    #[test]
    fn it_says_how_to_connect_a_model() {
        let answer = say(Reason::NoServer { how: "start it with `ollama serve`" }, "why is the sky blue?");
        assert!(answer.contains("`ollama serve`") && answer.contains("butterfly model pull qwen3:4b"), "{answer}");
        let answer = say(Reason::NoModel { can_pull: true }, "why is the sky blue?");
        assert!(answer.contains("butterfly model pull qwen3:4b"), "{answer}");
        let answer = say(Reason::NoModel { can_pull: false }, "why is the sky blue?");
        assert!(answer.contains("load one there") && !answer.contains("pull"), "{answer}");
    }

    #[test]
    fn it_knows_the_time() {
        let answer = say(Reason::Wanted, "What's the time?");
        assert!(answer.contains("Sun, 06 Nov 1994 08:49:37 GMT"), "{answer}");
    }
}
