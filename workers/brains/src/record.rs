//! What has been said in a turn so far: written by the one who answers, read by the one who saves.

use crate::past::message_bytes;
use butterfly_api::conversations::{MessageState, PastTurn, Save};
use butterfly_api::memory::Shown;
use butterfly_api::model::{Message, Role, ToolCall, Usage};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// How a turn ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The answer is whole.
    Complete,
    /// It was stopped, or whoever asked went away.
    Stopped,
    /// It failed, for this reason. What was said of it stays.
    Failed(String),
}

#[derive(Default)]
struct Book {
    /// Messages that are whole: what the assistant said in earlier rounds, and the tools' results.
    exchange: Vec<(Message, Option<Usage>)>,
    /// The assistant's message that is coming in. It holds only what was forwarded.
    partial: Option<Message>,
    /// What the partial message cost, once its end has come.
    usage: Option<Usage>,
    /// The model that answers, or was asked to.
    model: String,
    /// What the model was shown, until it is saved.
    shown: Option<Shown>,
    outcome: Option<Outcome>,
    /// Messages of the exchange that are saved.
    saved: usize,
    /// Whether anything came since it was last handed out to be saved.
    dirty: bool,
}

/// One turn's record.
#[derive(Default)]
pub(crate) struct Record {
    book: Mutex<Book>,
    /// Something came.
    changed: Notify,
    /// Something came that should be saved at once.
    urgent: Notify,
}

/// What is to be saved, and what it brings the record to.
pub(crate) struct Batch {
    pub(crate) saves: Vec<Save>,
    exchange: usize,
    has_shown: bool,
    pub(crate) is_last: bool,
}

impl Record {
    /// The messages that are whole.
    pub(crate) fn exchange(&self) -> Vec<Message> {
        self.book().exchange.iter().map(|(message, _)| message.clone()).collect()
    }

    /// The calls for tools in the message that is coming in.
    pub(crate) fn tool_calls(&self) -> Vec<ToolCall> {
        self.book().partial.as_ref().map(|message| message.tool_calls.clone()).unwrap_or_default()
    }

    /// Bytes that the answer takes up so far.
    pub(crate) fn bytes(&self) -> usize {
        let book = self.book();
        book.exchange.iter().map(|(message, _)| message).chain(&book.partial).map(message_bytes).sum()
    }

    /// Whether anything was said in the message that is coming in.
    pub(crate) fn has_partial_text(&self) -> bool {
        self.book().partial.as_ref().is_some_and(|message| !message.content.is_empty())
    }

    /// Whether anything of the answer was said to the person, in this round or an earlier one.
    pub(crate) fn has_answer(&self) -> bool {
        self.book().has_answer()
    }

    pub(crate) fn model(&self) -> String {
        self.book().model.clone()
    }

    pub(crate) fn set_model(&self, model: String) {
        self.book().model = model;
    }

    /// What the model sees; saved with the next words.
    pub(crate) fn set_shown(&self, shown: Shown) {
        self.book().shown = Some(shown);
    }

    /// The next words of the message that is coming in.
    pub(crate) fn say(&self, text: &str) {
        self.write(|message| message.content.push_str(text));
    }

    pub(crate) fn think(&self, text: &str) {
        self.write(|message| message.thinking.push_str(text));
    }

    pub(crate) fn call(&self, call: ToolCall) {
        // Saved when the message is whole: half a list of calls is of no use to anybody.
        self.book().partial_mut().tool_calls.push(call);
    }

    /// Forgets what came of the message that is coming in, because it is asked for anew.
    pub(crate) fn begin_message(&self) {
        let mut book = self.book();
        book.partial = None;
        book.usage = None;
    }

    /// What the message that is coming in cost.
    pub(crate) fn set_usage(&self, usage: Usage) {
        self.book().usage = Some(usage);
    }

    /// The message that was coming in is whole, and `results` answer the tool calls in it.
    pub(crate) fn end_message(&self, results: impl IntoIterator<Item = Message>) {
        let mut book = self.book();
        let (message, usage) = (book.partial.take(), book.usage.take());
        book.exchange.push((message.unwrap_or_else(nothing), usage));
        book.exchange.extend(results.into_iter().map(|result| (result, None)));
        book.dirty = true;
        drop(book);
        self.changed.notify_one();
        self.urgent.notify_one();
    }

    /// Nothing more is said. Only the first outcome counts.
    pub(crate) fn end(&self, outcome: Outcome) {
        let mut book = self.book();
        if book.outcome.is_some() {
            return;
        }
        if outcome != Outcome::Complete
            && let Some(partial) = &mut book.partial
        {
            // A tool call whose result will never come would confuse the model; text that came with it stays.
            partial.tool_calls.clear();
        }
        book.outcome = Some(outcome);
        book.dirty = true;
        drop(book);
        self.changed.notify_one();
        self.urgent.notify_one();
    }

    pub(crate) fn is_over(&self) -> bool {
        self.book().outcome.is_some()
    }

    /// Resolves when there is something to save.
    pub(crate) async fn unsaved(&self) {
        while !self.book().dirty {
            self.changed.notified().await;
        }
    }

    /// Resolves when something should be saved at once: a message has ended, or the turn.
    pub(crate) async fn urgent(&self) {
        self.urgent.notified().await;
    }

    /// What is to be saved of turn `turn` now. [`Self::kept`] or [`Self::not_kept`] must follow.
    pub(crate) fn batch(&self, turn: u64) -> Batch {
        let mut book = self.book();
        book.dirty = false;
        let mut shown = book.shown.clone();
        let has_shown = shown.is_some();
        let save = |part: usize, message: &Message, state, usage, error, shown: Option<Shown>| Save {
            turn,
            part: u32::try_from(part).unwrap_or(u32::MAX),
            message: message.clone(),
            state,
            model: book.model.clone(),
            usage,
            error,
            shown,
        };
        let mut saves = Vec::new();
        for (part, (message, usage)) in book.exchange.iter().enumerate().skip(book.saved) {
            saves.push(save(part, message, MessageState::Complete, *usage, None, shown.take()));
        }
        if let Some((message, state, error)) = book.last_message() {
            let usage = if book.outcome.is_some() { book.usage } else { None };
            saves.push(save(book.exchange.len(), &message, state, usage, error, shown.take()));
        }
        Batch { exchange: book.exchange.len(), has_shown, is_last: book.outcome.is_some(), saves }
    }

    /// The batch is durable.
    pub(crate) fn kept(&self, batch: &Batch) {
        let mut book = self.book();
        book.saved = book.saved.max(batch.exchange);
        if batch.has_shown && !batch.saves.is_empty() {
            book.shown = None;
        }
    }

    /// The batch could not be saved: all of it is to be saved again.
    pub(crate) fn not_kept(&self) {
        self.book().dirty = true;
        self.changed.notify_one();
    }

    /// The turn as later ones are told of it, where nobody else keeps it.
    pub(crate) fn past(&self, turn: u64, number: u32, user: String) -> PastTurn {
        let book = self.book();
        let mut exchange: Vec<_> = book.exchange.iter().map(|(message, _)| message.clone()).collect();
        let last = book.last_message();
        let state = last.as_ref().map_or(MessageState::Complete, |(_, state, _)| *state);
        exchange.extend(last.map(|(message, ..)| message));
        PastTurn { turn, number, user, exchange, state }
    }

    fn write(&self, write: impl FnOnce(&mut Message)) {
        let mut book = self.book();
        write(book.partial_mut());
        book.dirty = true;
        drop(book);
        self.changed.notify_one();
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn partial_mut(&mut self) -> &mut Message {
        self.partial.get_or_insert_with(nothing)
    }

    fn has_answer(&self) -> bool {
        self.exchange.iter().map(|(message, _)| message).chain(&self.partial).any(|message| !message.content.is_empty())
    }

    /// The message after the whole ones, as it is to be kept now; `None` where there is nothing to keep.
    fn last_message(&self) -> Option<(Message, MessageState, Option<String>)> {
        let said = self.partial.clone();
        match &self.outcome {
            None => {
                let mut message = said.filter(|said| !said.content.is_empty() || !said.thinking.is_empty())?;
                message.tool_calls.clear();
                Some((message, MessageState::Streaming, None))
            }
            // Also where the model said nothing at all, for then that is its answer.
            Some(Outcome::Complete) if said.is_none() && !self.exchange.is_empty() => None,
            Some(Outcome::Complete) => Some((said.unwrap_or_else(nothing), MessageState::Complete, None)),
            // Also where nothing was said of this message: the turn is not whole, and later ones must know.
            Some(Outcome::Stopped) => Some((said.unwrap_or_else(nothing), MessageState::Interrupted, None)),
            Some(Outcome::Failed(why)) => {
                let state = if self.has_answer() { MessageState::Interrupted } else { MessageState::Failed };
                Some((said.unwrap_or_else(nothing), state, Some(why.clone())))
            }
        }
    }
}

fn nothing() -> Message {
    Message::new(Role::Assistant, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(batch: &Batch) -> Vec<(u32, MessageState, &str)> {
        batch.saves.iter().map(|save| (save.part, save.state, save.message.content.as_str())).collect()
    }

    #[test]
    fn words_are_handed_out_as_they_come_and_what_was_not_kept_comes_again() {
        let record = Record::default();
        assert!(record.batch(1).saves.is_empty());
        record.say("half");
        record.set_shown(Shown::default());
        let first = record.batch(1);
        assert_eq!(states(&first), [(0, MessageState::Streaming, "half")]);
        assert!(first.saves[0].shown.is_some());
        record.not_kept();
        record.say(" of it");
        let second = record.batch(1);
        assert_eq!(states(&second), [(0, MessageState::Streaming, "half of it")]);
        assert!(second.saves[0].shown.is_some(), "what was shown was not kept either");
        record.kept(&second);
        record.end(Outcome::Complete);
        let last = record.batch(1);
        assert_eq!(states(&last), [(0, MessageState::Complete, "half of it")]);
        assert!(last.is_last && last.saves[0].shown.is_none());
    }

    #[test]
    fn rounds_are_parts_and_a_whole_one_is_saved_once() {
        let record = Record::default();
        record.say("let me look");
        record.end_message([Message::new(Role::Tool, "none")]);
        let first = record.batch(1);
        assert_eq!(states(&first), [(0, MessageState::Complete, "let me look"), (1, MessageState::Complete, "none")]);
        record.kept(&first);
        record.say("no");
        assert_eq!(states(&record.batch(1)), [(2, MessageState::Streaming, "no")]);
    }

    #[test]
    fn endings_leave_the_state_that_later_turns_need() {
        let after = |words: &str, outcome: Outcome| {
            let record = Record::default();
            if !words.is_empty() {
                record.say(words);
            }
            record.call(ToolCall { id: "a".into(), name: "b".into(), arguments: "{}".into() });
            record.end(outcome);
            record.end(Outcome::Complete);
            let save = record.batch(1).saves.pop().unwrap();
            (save.state, save.error, save.message.tool_calls.len(), record.past(1, 1, String::new()).state)
        };
        let failed = || Outcome::Failed("no server".to_owned());
        let why = Some("no server".to_owned());
        let interrupted = MessageState::Interrupted;
        assert_eq!(after("half", Outcome::Stopped), (interrupted, None, 0, interrupted));
        assert_eq!(after("", Outcome::Stopped), (interrupted, None, 0, interrupted));
        assert_eq!(after("half", failed()), (interrupted, why.clone(), 0, interrupted));
        assert_eq!(after("", failed()), (MessageState::Failed, why, 0, MessageState::Failed));
        assert_eq!(after("", Outcome::Complete), (MessageState::Complete, None, 1, MessageState::Complete));
    }
}
