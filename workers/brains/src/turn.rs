//! A turn that is being answered. Dropping it closes it, whatever ended it.

use crate::store::{Fit, Store, Turn, TurnState, message_bytes};
use butterfly_api::model::{Message, Role};
use std::sync::Arc;
use tokio::sync::watch;

/// The running turn of a conversation: the only one, until this is dropped.
pub(crate) struct OpenTurn {
    store: Arc<Store>,
    pub(crate) conversation: u64,
    pub(crate) number: u32,
    pub(crate) user: String,
    /// Messages that are complete: what the assistant said in earlier rounds, and the tools' results.
    pub(crate) exchange: Vec<Message>,
    /// The assistant's message that is coming in. It holds only what was forwarded.
    pub(crate) partial: Message,
    /// The model that answers, or was asked to.
    pub(crate) model: String,
    pub(crate) fit: Option<Fit>,
    state: TurnState,
    stopped: watch::Receiver<bool>,
}

impl OpenTurn {
    pub(crate) fn new(
        store: Arc<Store>,
        conversation: u64,
        number: u32,
        user: String,
        stopped: watch::Receiver<bool>,
    ) -> Self {
        Self {
            store,
            conversation,
            number,
            user,
            exchange: Vec::new(),
            partial: Message::new(Role::Assistant, ""),
            model: String::new(),
            fit: None,
            state: TurnState::Interrupted,
            stopped,
        }
    }

    /// Resolves when somebody asked this turn to stop.
    pub(crate) fn stop_asked(&self) -> impl Future<Output = ()> + use<> {
        let mut stopped = self.stopped.clone();
        async move {
            // The sender lives until the turn is closed; should it ever be gone, nobody can ask any more.
            if stopped.wait_for(|asked| *asked).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Bytes that the answer takes up so far.
    pub(crate) fn answer_bytes(&self) -> usize {
        self.exchange.iter().map(message_bytes).sum::<usize>() + message_bytes(&self.partial)
    }

    /// Forgets what came of the answer that is coming in, because it is asked for anew.
    pub(crate) fn begin_message(&mut self) {
        self.partial = Message::new(Role::Assistant, "");
    }

    /// The message that was coming in is complete, and `results` answer the tool calls in it.
    pub(crate) fn end_message(&mut self, results: impl IntoIterator<Item = Message>) {
        self.exchange.push(std::mem::replace(&mut self.partial, Message::new(Role::Assistant, "")));
        self.exchange.extend(results);
    }

    /// Whether anything of the answer was said to the person, in this round or an earlier one.
    pub(crate) fn has_answer(&self) -> bool {
        !self.partial.content.is_empty() || self.exchange.iter().any(|message| !message.content.is_empty())
    }

    /// The answer is whole.
    pub(crate) fn complete(&mut self) {
        self.state = TurnState::Complete;
    }

    /// The answer failed. What was said of it stays; without a word, the question is as if never asked.
    pub(crate) fn fail(&mut self) {
        if !self.has_answer() {
            self.state = TurnState::Unanswered;
        }
    }
}

impl Drop for OpenTurn {
    fn drop(&mut self) {
        let mut exchange = std::mem::take(&mut self.exchange);
        // A tool call whose result will never come would confuse the model; text that came with it stays.
        self.partial.tool_calls.clear();
        if !self.partial.content.is_empty() {
            exchange.push(std::mem::replace(&mut self.partial, Message::new(Role::Assistant, "")));
        }
        // Models want their thinking back with tool results of the same turn, and not later.
        for message in &mut exchange {
            message.thinking = String::new();
        }
        let turn = Turn { number: self.number, user: std::mem::take(&mut self.user), exchange, state: self.state };
        self.store.close(self.conversation, turn, self.fit.take());
    }
}
