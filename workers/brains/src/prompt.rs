//! What the model is told: the system prompt, the conversation so far, the new words; and what of it fits.

use crate::store::{Earlier, Turn, TurnState};
use butterfly_api::model::{Message, Role};
use std::collections::VecDeque;

/// Says what it is and whose. Short: small models lose the thread of long ones, and every turn pays for it.
const SYSTEM: &str = "You are ButterFly Bot, a personal assistant that runs on the user's own computer. \
    Answer in the user's language, directly and briefly; go into detail when asked to. \
    Say so when you do not know something, and never invent what you did or found.";

/// Ends an answer that was broken off, so that the model knows why it stops in mid-sentence.
const INTERRUPTED: &str = "[This answer was interrupted here.]";

/// Stands for the answer of a model that ended without one.
const NOTHING_SAID: &str = "[No answer was given.]";

/// Tokens that a message takes beside its text: role, separators.
const MESSAGE_TOKENS: u32 = 8;

/// Bytes of text that one request may hold. Three quarters of a frame leave room for lengths, roles and names.
const REQUEST_BYTES: usize = 768 << 10;

/// Most tokens that are kept free for the answer.
const ANSWER_TOKENS: u32 = 2048;

/// What the model worker leaves for the answer at least, where the choice of the context is its own.
const WORKERS_CHOICE_TOKENS: u32 = 4096;

/// The largest context that is asked for. Beyond it, an 8B model's context alone takes more than 4 GiB.
const LARGEST_CONTEXT: u32 = 32_768;

/// An earlier turn, as messages.
struct Past {
    number: u32,
    messages: Vec<Message>,
    bytes: usize,
    tokens: u32,
}

/// Everything before the turn that is being answered, and how much of it still fits.
pub(crate) struct Prompt {
    past: VecDeque<Past>,
    /// Earlier turns that the model does not see.
    pub(crate) left_out: u32,
    /// Tokens counted by the model per token estimated here; at least 1.
    pub(crate) scale: f32,
}

impl Prompt {
    /// From what was said before, less what turned out not to fit in an earlier turn with the same model.
    pub(crate) fn new(earlier: &Earlier, model: Option<&String>) -> Self {
        let fit = earlier.fit.as_ref().filter(|fit| fit.model.as_ref() == model);
        let past = earlier.turns.iter().filter(|turn| turn.state != TurnState::Unanswered).map(past).collect();
        let mut prompt = Self { past, left_out: earlier.gone, scale: fit.map_or(1.0, |fit| fit.scale) };
        while prompt.past.front().is_some_and(|past| fit.is_some_and(|fit| past.number < fit.first)) {
            prompt.leave_out_oldest();
        }
        prompt
    }

    /// The messages to send, for a turn that began with `user` and has come as far as `exchange`. What one frame cannot
    /// hold is left out first.
    pub(crate) fn messages(&mut self, user: &str, exchange: &[Message]) -> Vec<Message> {
        let current = SYSTEM.len() + user.len() + exchange.iter().map(crate::store::message_bytes).sum::<usize>();
        while current + self.past.iter().map(|past| past.bytes).sum::<usize>() > REQUEST_BYTES
            && self.leave_out_oldest()
        {}
        let mut messages = vec![Message::new(Role::System, SYSTEM)];
        messages.extend(self.past.iter().flat_map(|past| past.messages.iter().cloned()));
        messages.push(Message::new(Role::User, user));
        messages.extend_from_slice(exchange);
        messages
    }

    /// The context to ask for; `None` leaves it to the model worker, which knows what the model is loaded with and
    /// spares a server to load it anew. It estimates tokens as [`estimate`] does, so it needs to be told only when this
    /// model has counted many more, and when a conversation has grown so long that its context would fill the memory.
    pub(crate) fn context(&self, messages: &[Message]) -> Option<u32> {
        let estimated = tokens_of(messages);
        let needed = self.scaled(estimated).saturating_add(ANSWER_TOKENS);
        if needed > LARGEST_CONTEXT {
            return Some(LARGEST_CONTEXT);
        }
        // Powers of two: with each other size the model is loaded anew.
        (needed > estimated.saturating_add(WORKERS_CHOICE_TOKENS)).then(|| needed.next_power_of_two())
    }

    /// Whether a context of this many tokens is too small for the messages and an answer.
    pub(crate) fn overflows(&self, context: u32, messages: &[Message]) -> bool {
        self.scaled(tokens_of(messages)) > for_prompt(context)
    }

    /// Leaves out the oldest turns until the messages need no more than three quarters of `context`: the quarter keeps
    /// the next turns from leaving out one more each, which would have the server read everything anew every time.
    /// Returns whether anything was left out.
    pub(crate) fn fit(&mut self, context: u32, messages: &[Message]) -> bool {
        self.shrink(for_prompt(context) / 4 * 3, messages)
    }

    /// As [`Self::fit`], when the server counted too many tokens although the estimate may say that they fit: leaves
    /// out at least one turn, and half of everything if possible. `limit` is 0 where the server does not say.
    pub(crate) fn fit_after_refusal(&mut self, limit: u32, messages: &[Message]) -> bool {
        let half = self.scaled(tokens_of(messages)) / 2;
        let room = if limit == 0 { half } else { half.min(for_prompt(limit) / 4 * 3) };
        self.shrink(room, messages)
    }

    /// The number of the oldest turn that the model sees, or of `current` if it sees no earlier one.
    pub(crate) fn first(&self, current: u32) -> u32 {
        self.past.front().map_or(current, |past| past.number)
    }

    /// Learns from what the model counted for `messages`. Estimates only grow by it: servers that reuse what they have
    /// read before count too few.
    pub(crate) fn learn(&mut self, messages: &[Message], counted: u32) {
        let estimated = tokens_of(messages).max(1);
        // Four times off is no estimate of the same text any more.
        self.scale = self.scale.max((counted as f32 / estimated as f32).min(4.0));
    }

    fn shrink(&mut self, room: u32, messages: &[Message]) -> bool {
        let mut tokens = tokens_of(messages);
        let before = self.left_out;
        while self.scaled(tokens) > room {
            let Some(oldest) = self.past.front().map(|past| past.tokens) else { break };
            tokens = tokens.saturating_sub(oldest);
            self.leave_out_oldest();
        }
        self.left_out > before
    }

    fn scaled(&self, tokens: u32) -> u32 {
        (tokens as f32 * self.scale).ceil() as u32
    }

    fn leave_out_oldest(&mut self) -> bool {
        let gone = self.past.pop_front().is_some();
        self.left_out += u32::from(gone);
        gone
    }
}

/// Tokens of a context that the prompt may take: a small context gives a quarter of itself to the answer.
fn for_prompt(context: u32) -> u32 {
    context - ANSWER_TOKENS.min(context / 4)
}

fn past(turn: &Turn) -> Past {
    let mut messages = Vec::with_capacity(turn.exchange.len() + 2);
    messages.push(Message::new(Role::User, turn.user.clone()));
    messages.extend(turn.exchange.iter().cloned());
    let interrupted = turn.state == TurnState::Interrupted;
    match messages.last_mut().filter(|last| last.role == Role::Assistant) {
        Some(last) if interrupted => {
            last.content.push('\n');
            last.content.push_str(INTERRUPTED);
        }
        Some(_) => {}
        // Many chat templates demand that user and assistant take turns.
        None => messages.push(Message::new(Role::Assistant, if interrupted { INTERRUPTED } else { NOTHING_SAID })),
    }
    let bytes = messages.iter().map(crate::store::message_bytes).sum();
    Past { number: turn.number, tokens: tokens_of(&messages), messages, bytes }
}

fn tokens_of(messages: &[Message]) -> u32 {
    messages.iter().map(|message| tokens(message).saturating_add(MESSAGE_TOKENS)).fold(0, u32::saturating_add)
}

fn tokens(message: &Message) -> u32 {
    let calls = message.tool_calls.iter().map(|call| estimate(&call.name) + estimate(&call.arguments));
    estimate(&message.content) + estimate(&message.thinking) + calls.sum::<u32>()
}

/// Tokens of a text: one per 3.5 ASCII characters (English 4, source code 3), one per other character (CJK about 1,
/// Cyrillic about half). What is off is learned from the model's own count.
fn estimate(text: &str) -> u32 {
    let ascii = text.bytes().filter(u8::is_ascii).count();
    let other = text.chars().count() - ascii;
    u32::try_from((ascii * 2).div_ceil(7) + other).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(number: u32, state: TurnState, answer: &str) -> Turn {
        let exchange = if answer.is_empty() { vec![] } else { vec![Message::new(Role::Assistant, answer)] };
        Turn { number, user: format!("question {number}"), exchange, state }
    }

    fn earlier(turns: Vec<Turn>) -> Earlier {
        Earlier { turns, gone: 0, fit: None }
    }

    fn told(messages: &[Message]) -> Vec<(Role, &str)> {
        messages.iter().skip(1).map(|message| (message.role, message.content.as_str())).collect()
    }

    #[test]
    fn roles_alternate_whatever_became_of_earlier_turns() {
        let mut prompt = Prompt::new(
            &earlier(vec![
                turn(1, TurnState::Complete, "one"),
                turn(2, TurnState::Unanswered, ""),
                turn(3, TurnState::Interrupted, "thr"),
                turn(4, TurnState::Interrupted, ""),
                turn(5, TurnState::Complete, ""),
            ]),
            None,
        );
        let messages = prompt.messages("now", &[]);
        assert_eq!(messages[0].role, Role::System);
        assert_eq!(
            told(&messages),
            [
                (Role::User, "question 1"),
                (Role::Assistant, "one"),
                (Role::User, "question 3"),
                (Role::Assistant, "thr\n[This answer was interrupted here.]"),
                (Role::User, "question 4"),
                (Role::Assistant, "[This answer was interrupted here.]"),
                (Role::User, "question 5"),
                (Role::Assistant, "[No answer was given.]"),
                (Role::User, "now"),
            ]
        );
        assert_eq!(prompt.left_out, 0);
    }

    #[test]
    fn oldest_turns_go_first_until_the_rest_fits_and_are_counted() {
        let answer = "word ".repeat(300);
        let turns = (1..=10).map(|number| turn(number, TurnState::Complete, &answer)).collect();
        let mut prompt = Prompt::new(&earlier(turns), None);
        let all = prompt.messages("now", &[]);
        assert!(prompt.overflows(4096, &all));
        assert!(prompt.fit(4096, &all));
        let kept = prompt.messages("now", &[]);
        assert!(!prompt.overflows(4096, &kept));
        assert_eq!(prompt.left_out, prompt.first(11) - 1);
        assert!(prompt.left_out > 0 && prompt.left_out < 10);
        assert_eq!(kept.last().map(|message| message.content.as_str()), Some("now"));
        assert!(!prompt.fit(4096, &kept), "nothing more has to go");
    }

    #[test]
    fn refusal_leaves_out_something_even_where_the_estimate_says_that_all_fits() {
        let turns = (1..=4).map(|number| turn(number, TurnState::Complete, "short")).collect();
        let mut prompt = Prompt::new(&earlier(turns), None);
        let messages = prompt.messages("now", &[]);
        assert!(prompt.fit_after_refusal(0, &messages));
        let mut alone = Prompt::new(&earlier(vec![]), None);
        let messages = alone.messages("now", &[]);
        assert!(!alone.fit_after_refusal(4096, &messages));
    }

    #[test]
    fn no_request_outgrows_its_frame() {
        let big = "x".repeat(200 << 10);
        let turns = (1..=4).map(|number| turn(number, TurnState::Complete, &big)).collect();
        let mut prompt = Prompt::new(&earlier(turns), None);
        let bytes: usize = prompt.messages(&big, &[]).iter().map(crate::store::message_bytes).sum();
        assert!(bytes <= REQUEST_BYTES);
        assert_eq!(prompt.left_out, 2);
    }

    #[test]
    fn what_did_not_fit_is_remembered_for_the_same_model_only() {
        let mut before = earlier((1..=4).map(|number| turn(number, TurnState::Complete, "a")).collect());
        let model = Some("m".to_owned());
        before.fit = Some(crate::store::Fit { model: model.clone(), first: 3, scale: 2.0 });
        let same = Prompt::new(&before, model.as_ref());
        assert_eq!((same.left_out, same.first(5), same.scale), (2, 3, 2.0));
        let other = Prompt::new(&before, None);
        assert_eq!((other.left_out, other.first(5), other.scale), (0, 1, 1.0));
    }

    #[test]
    fn estimates_grow_with_what_the_model_counts_and_never_shrink() {
        let mut prompt = Prompt::new(&earlier(vec![]), None);
        let messages = prompt.messages(&"word ".repeat(1000), &[]);
        let before = prompt.scaled(tokens_of(&messages));
        prompt.learn(&messages, 10);
        assert_eq!(prompt.scaled(tokens_of(&messages)), before);
        prompt.learn(&messages, 2 * before);
        assert_eq!(prompt.scaled(tokens_of(&messages)), 2 * before);
        prompt.learn(&messages, u32::MAX);
        assert_eq!(prompt.scaled(tokens_of(&messages)), 4 * before);
    }

    #[test]
    fn context_is_the_model_workers_choice_unless_it_cannot_know_or_memory_would_not_do() {
        let mut prompt = Prompt::new(&earlier(vec![]), None);
        let messages = prompt.messages(&"word ".repeat(3000), &[]);
        assert_eq!(prompt.context(&messages), None);
        prompt.scale = 2.0;
        assert_eq!(prompt.context(&messages), Some(16_384));
        let long = prompt.messages(&"word ".repeat(30_000), &[]);
        assert_eq!(prompt.context(&long), Some(LARGEST_CONTEXT));
    }
}
