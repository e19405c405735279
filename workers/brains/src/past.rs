//! A turn that is over, as the model is told of it.

use butterfly_api::conversations::{MessageState, PastTurn};
use butterfly_api::model::{Message, Role};
use butterfly_api::tokens;

/// Ends an answer that was broken off, so that the model knows why it stops in mid-sentence.
const INTERRUPTED: &str = "[This answer was interrupted here.]";

/// Stands for the answer of a model that ended without one.
const NOTHING_SAID: &str = "[No answer was given.]";

/// An earlier turn, as messages.
pub(crate) struct Past {
    /// Its id; 0 if it is not saved.
    pub(crate) turn: u64,
    pub(crate) number: u32,
    pub(crate) messages: Vec<Message>,
    pub(crate) bytes: usize,
    pub(crate) tokens: u32,
}

impl Past {
    /// From what is kept of a turn. Whatever became of it, the roles alternate.
    pub(crate) fn new(turn: PastTurn) -> Self {
        let mut messages = Vec::with_capacity(turn.exchange.len() + 2);
        messages.push(Message::new(Role::User, turn.user));
        messages.extend(turn.exchange);
        for at in 1..messages.len() {
            // Models want their thinking back with tool results of the same turn, and not later.
            messages[at].thinking.clear();
            // Calls without results, which a crash leaves behind, would confuse them.
            let answered = messages.get(at + 1).is_some_and(|next| next.role == Role::Tool);
            if !answered {
                messages[at].tool_calls.clear();
            }
        }
        messages.retain(|message| {
            message.role != Role::Assistant || !message.content.is_empty() || !message.tool_calls.is_empty()
        });
        let whole = turn.state == MessageState::Complete;
        match messages.last_mut().filter(|last| last.role == Role::Assistant) {
            Some(last) if !whole => {
                last.content.push('\n');
                last.content.push_str(INTERRUPTED);
            }
            Some(_) => {}
            // Many chat templates demand that user and assistant take turns.
            None => messages.push(Message::new(Role::Assistant, if whole { NOTHING_SAID } else { INTERRUPTED })),
        }
        let bytes = messages.iter().map(message_bytes).sum();
        Self { turn: turn.turn, number: turn.number, tokens: tokens::of_messages(&messages), messages, bytes }
    }
}

/// Bytes that a message is charged for.
pub(crate) fn message_bytes(message: &Message) -> usize {
    let calls = message.tool_calls.iter().map(|call| call.id.len() + call.name.len() + call.arguments.len());
    message.content.len() + message.thinking.len() + calls.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use butterfly_api::model::ToolCall;

    fn past(exchange: Vec<Message>) -> Vec<Message> {
        let state = MessageState::Streaming;
        Past::new(PastTurn { turn: 1, number: 1, user: "weather?".to_owned(), exchange, state }).messages
    }

    #[test]
    fn what_a_crash_left_behind_does_not_confuse_the_model() {
        let call = ToolCall { id: "a".into(), name: "b".into(), arguments: "{}".into() };
        let asked = Message { tool_calls: vec![call], thinking: "hm".into(), ..Message::new(Role::Assistant, "") };
        let whole = past(vec![asked.clone(), Message::new(Role::Tool, "none"), Message::new(Role::Assistant, "so")]);
        assert_eq!((whole[1].tool_calls.len(), whole[1].thinking.as_str()), (1, ""));
        assert_eq!(whole[3].content, "so\n[This answer was interrupted here.]");
        let cut = past(vec![asked]);
        assert_eq!((cut.len(), cut[1].content.as_str()), (2, "[This answer was interrupted here.]"));
        assert!(cut[1].tool_calls.is_empty());
    }
}
