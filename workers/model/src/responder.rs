//! The built-in responder: answers when there is no language model, and says so.
//!
//! It is *not* a language model: it repeats what memory found, with who said it and when, knows a handful of questions by their
//! words, and says how to connect a model.

use crate::moment;
use crate::provider::{Provider, Work};
use crate::sentence;
use crate::sink::Sink;
use crate::trouble::Trouble;
use butterfly_api::model::{
    ChatEnd, ChatRequest, Embeddings, Finish, Message, ModelDetails, ModelInfo, PullProgress, Pulled, Quote, Role,
    RunningModel, Usage,
};
use butterfly_api::tokens;
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
    /// The answer to the last thing that the person said, from what memory found for it. Pure but for the time, which is given.
    #[must_use]
    pub fn answer(&self, messages: &[Message], recalled: &[Quote], now: SystemTime) -> String {
        let said = messages.iter().rev().find(|message| message.role == Role::User);
        let text = said.map(|message| message.content.trim()).unwrap_or_default();
        match intent(text) {
            Intent::Time => format!("It is {} by this computer's clock. {}", httpdate::fmt_http_date(now), self.who()),
            Intent::Help => format!(
                "I can repeat what was said before, tell the time and date, and what I am. In the chat, /help lists the \
                 commands, /remember and /search use the memory, /model shows and changes the model, and /quit leaves; outside it, \
                 `butterfly status` shows the workers and `butterfly doctor` what is wrong. {} {}",
                self.who(),
                self.how()
            ),
            Intent::Greeting => format!("Hello. {} {}", self.who(), self.how()),
            Intent::WhoAreYou => format!(
                "I am ButterFly Bot, an assistant that runs on your own computer and keeps what you say there. {} {}",
                self.who(),
                self.how()
            ),
            Intent::Remember(what) => {
                format!("Noted: “{}”. Ask me about it in any later conversation. {}", cut(what), self.who())
            }
            Intent::Question => match quoted(text, recalled).or_else(|| said_here(text, messages)) {
                Some(quotes) => format!("This was said before:\n\n{quotes}\n\n{}", self.who()),
                None => {
                    format!("I found nothing about that in what was said before. {} {}", self.who(), self.how())
                }
            },
            Intent::Statement => match quoted(text, recalled) {
                Some(quotes) => {
                    format!("I keep what you say. What was said before about it:\n\n{quotes}\n\n{}", self.who())
                }
                None => format!("I keep what you say, but I cannot converse about it. {} {}", self.who(), self.how()),
            },
        }
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
                "To talk to a language model, choose a provider with `butterfly config set model.provider \
                 ollama` (or openai)."
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
        Err(sentence::unsupported(
            what,
            "choose a provider with `butterfly config set model.provider ollama` (or openai)",
        )
        .into())
    }

    async fn stream(&self, request: &ChatRequest, sink: &mut Sink) -> Result<ChatEnd, Trouble> {
        let answer = self.answer(&request.messages, &request.recalled, SystemTime::now());
        sink.started(NAME, NAME, 0);
        for word in answer.split_inclusive(' ') {
            sink.text(word.to_owned()).await?;
            tokio::time::sleep(self.word).await;
        }
        sink.finish().await?;
        let (first_token_ms, generation_ms) = sink.timing();
        let usage = Usage {
            input_tokens: crate::context::estimate(request),
            output_tokens: tokens::of_text(&answer),
            first_token_ms,
            generation_ms,
            load_ms: 0,
            context_tokens: 0,
            estimated: true,
        };
        Ok(ChatEnd { finish: Finish::Stop, usage })
    }
}

/// What is repeated of what memory found: more than three are a search, for which there is a command.
const QUOTES: usize = 3;

/// The longest quotation, in characters: a few sentences.
const QUOTE_LIMIT: usize = 320;

/// What a message is taken for.
#[derive(Debug, PartialEq, Eq)]
enum Intent<'a> {
    Time,
    Help,
    Greeting,
    WhoAreYou,
    Remember(&'a str),
    Question,
    Statement,
}

/// How one asks for something to be kept. Memory does the keeping, from the same words.
const REMEMBER: [&str; 6] =
    ["please remember that ", "please remember ", "remember that ", "remember: ", "remember ", "note that "];

/// How a question begins that forgot its question mark.
const ASKING: [&str; 20] = [
    "who", "whose", "whom", "what", "when", "where", "which", "why", "how", "is", "are", "was", "were", "do", "does",
    "did", "can", "could", "tell", "have",
];

fn intent(text: &str) -> Intent<'_> {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let any = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
    let asks = text.ends_with('?') || words.first().is_some_and(|word| ASKING.contains(word));
    if !text.ends_with('?')
        && let Some(what) = REMEMBER.iter().find_map(|start| after(text, start)).filter(|what| !what.is_empty())
    {
        return Intent::Remember(what);
    }
    // "What time is it?", but neither "What is my sister's date of birth?" nor "When did he come today?".
    let about_somebody = any(&["my", "our", "your", "his", "her", "their", "was", "were", "did", "when", "of"]);
    if any(&["time", "date", "clock", "today"]) && words.len() <= 6 && !about_somebody {
        return Intent::Time;
    }
    if any(&["help", "commands"]) && words.len() <= 4 {
        return Intent::Help;
    }
    if any(&["hello", "hi", "hey", "hallo", "servus"]) && words.len() <= 3 {
        return Intent::Greeting;
    }
    if matches!(words.as_slice(), ["who" | "what", "are", "you", ..] | ["who" | "what", "is", "this"])
        && words.len() <= 4
    {
        return Intent::WhoAreYou;
    }
    if asks { Intent::Question } else { Intent::Statement }
}

/// What follows these words, which are ASCII, whatever their case.
fn after<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    let head = text.get(..start.len())?;
    head.eq_ignore_ascii_case(start).then(|| text[start.len()..].trim())
}

/// The best of what was found, as a list; `None` where it is nothing but the message itself.
fn quoted(asked: &str, recalled: &[Quote]) -> Option<String> {
    let others = recalled.iter().filter(|quote| !quote.text.trim().eq_ignore_ascii_case(asked));
    let lines: Vec<_> = others
        .take(QUOTES)
        .map(|quote| {
            format!(
                "- {}, on {}: “{}”",
                speaker(&quote.speaker),
                moment::for_people(quote.at_unix_ms),
                cut(&quote.text)
            )
        })
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// What the person said in this conversation that has a word of the question, as a list: memory leaves out what the prompt holds
/// anyway. Most words in common first, then the latest.
fn said_here(asked: &str, messages: &[Message]) -> Option<String> {
    let telling = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
        words.filter(|word| word.chars().count() > 2 && !COMMON.contains(&word.as_str())).collect()
    };
    let wanted = telling(asked);
    let alike = |one: &str, other: &str| {
        one == other
            || (one.len().min(other.len()) > 3 && one.starts_with(other))
            || (one.len().min(other.len()) > 3 && other.starts_with(one))
    };
    let mut found: Vec<(usize, &str)> = Vec::new();
    for message in messages.iter().rev().filter(|message| message.role == Role::User) {
        let said = message.content.trim();
        let words = telling(said);
        let shared = wanted.iter().filter(|wanted| words.iter().any(|word| alike(word, wanted))).count();
        if shared > 0 && !said.ends_with('?') && !said.eq_ignore_ascii_case(asked) {
            found.push((shared, said));
        }
    }
    found.sort_by_key(|(shared, _)| std::cmp::Reverse(*shared));
    let lines: Vec<_> = found
        .iter()
        .take(QUOTES)
        .map(|(_, said)| format!("- You, earlier in this conversation: “{}”", cut(said)))
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Words that say nothing about what is asked.
const COMMON: [&str; 24] = [
    "what", "when", "where", "which", "who", "whose", "how", "why", "the", "and", "are", "was", "were", "does", "did",
    "you", "your", "our", "his", "her", "its", "that", "this", "remember",
];

/// Who said it, to the person who asks.
fn speaker(name: &str) -> &str {
    match name.trim() {
        "" => "Somebody",
        name if name.eq_ignore_ascii_case("user") || name.eq_ignore_ascii_case("you") => "You",
        name if name.eq_ignore_ascii_case("assistant") => "The assistant",
        name => name,
    }
}

/// One line of bounded length, cut between words where there are any.
fn cut(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some((end, _)) = line.char_indices().nth(QUOTE_LIMIT) else { return line };
    let head = &line[..end];
    let end = head.rfind(' ').unwrap_or(head.len());
    format!("{} …", &head[..end])
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
        responder(reason).answer(&[Message::new(Role::System, "help"), Message::new(Role::User, text)], &[], now)
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

    fn quote(speaker: &str, text: &str, at_unix_ms: u64) -> Quote {
        Quote { speaker: speaker.to_owned(), text: text.to_owned(), at_unix_ms }
    }

    fn ask(text: &str, recalled: &[Quote]) -> String {
        responder(Reason::Wanted).answer(&[Message::new(Role::User, text)], recalled, SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn a_question_is_answered_with_who_said_what_and_when() {
        let recalled = [
            quote("user", "My sister  lives in\nGraz now.", 1_700_000_000_000),
            quote("Caroline", "She moved from Linz.", 0),
            quote("user", "Where does my sister live?", 5),
            quote("assistant", "A long way.", 9),
            quote("user", "A fourth.", 9),
        ];
        let answer = ask("Where does my sister live?", &recalled);
        assert!(answer.contains("- You, on 14 November 2023, 22:13 UTC: “My sister lives in Graz now.”"), "{answer}");
        assert!(answer.contains("- Caroline, on 1 January 1970, 00:00 UTC: “She moved from Linz.”"), "{answer}");
        assert!(answer.contains("- The assistant, on"), "{answer}");
        assert!(!answer.contains("fourth") && answer.matches("“").count() == 3, "three, best first: {answer}");
        assert!(answer.find("Graz").unwrap() < answer.find("Linz").unwrap());
        assert!(answer.ends_with("it was chosen on purpose."), "how to get a model is no part of an answer: {answer}");
    }

    #[test]
    fn nothing_found_is_said_plainly() {
        for recalled in [&[][..], &[quote("user", "where does my sister live?", 1)]] {
            let answer = ask("Where does my sister live?", recalled);
            assert!(answer.contains("found nothing about that"), "{answer}");
        }
    }

    #[test]
    fn what_was_said_in_this_conversation_is_quoted_too() {
        let said = |texts: &[&str]| {
            let messages: Vec<_> = texts.iter().map(|text| Message::new(Role::User, *text)).collect();
            responder(Reason::Wanted).answer(&messages, &[], SystemTime::UNIX_EPOCH)
        };
        let answer =
            said(&["remember that my bike is red", "my boat leaks", "where is my bike?", "What colour is my bike?"]);
        assert!(answer.contains("- You, earlier in this conversation: “remember that my bike is red”"), "{answer}");
        assert_eq!(answer.matches("“").count(), 1, "neither other things nor questions: {answer}");
        assert!(said(&["my boat leaks", "What colour is my bike?"]).contains("found nothing about that"));
    }

    #[test]
    fn what_is_to_be_remembered_is_confirmed() {
        for text in ["remember that the key is under the mat.", "Please remember the key is under the mat."] {
            let answer = ask(text, &[quote("user", "Something else.", 1)]);
            assert!(
                answer.starts_with("Noted: “the key is under the mat.”") && answer.contains("no language model"),
                "{answer}"
            );
        }
        assert_eq!(intent("Do you remember where the key is?"), Intent::Question);
        assert_eq!(intent("remember when we went to Graz?"), Intent::Question);
    }

    #[test]
    fn a_question_about_a_date_is_not_one_for_the_clock() {
        for text in ["What is my sister's date of birth?", "when did she come today?", "What time was my appointment?"]
        {
            assert_eq!(intent(text), Intent::Question, "{text}");
        }
        for text in ["What's the time?", "what time is it", "Which date is today?", "What's today's date?"] {
            assert_eq!(intent(text), Intent::Time, "{text}");
        }
        assert_eq!(intent("My sister lives in Graz."), Intent::Statement);
        assert_eq!(intent("what are you?"), Intent::WhoAreYou);
        assert_eq!(intent("What are you going to do about Graz?"), Intent::Question);
        assert_eq!(intent("🦋"), Intent::Statement);
    }

    #[test]
    fn a_long_quotation_is_cut_between_words() {
        let answer = ask("What was it?", &[quote("user", &"Grüße ".repeat(200), 1)]);
        let shown = answer.split('“').nth(1).unwrap().split('”').next().unwrap();
        assert!(shown.ends_with("Grüße …") && shown.chars().count() <= QUOTE_LIMIT + 2, "{shown}");
    }
}
