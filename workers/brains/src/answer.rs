//! The agent loop: from the new words to the end of the answer.
//!
//! It is one future. Whoever drops it has stopped the answer: the stream from the model worker goes with it, which
//! closes the connection to the model.

use crate::away::has_gone;
use crate::brains::State;
use crate::fits::Fit;
use crate::moment;
use crate::pieces::{PIECE_BYTES, pieces};
use crate::prompt::Prompt;
use crate::recall::{self, Recollection};
use crate::secrets::Before;
use crate::settings::Settings;
use crate::turn::OpenTurn;
use butterfly_api::model::{
    self, Cause, ChatEnd, ChatItem, ChatRequest, Finish, Message, ModelError, Purpose, Role, Usage,
};
use butterfly_api::session::{EndReason, TurnEnd, TurnItem};
use butterfly_client::{Bus, Next, Outlet};
use butterfly_wire::{ErrorCode, Failure};
use std::sync::Arc;
use std::time::Duration;

/// Times that a model is asked in one turn: tool calls and their results go to and fro, but not for ever.
const ROUNDS: usize = 8;

/// Pauses before a model worker that was away is asked again, in ms: the first restart is immediate, and together they
/// outlast three seconds of restarts.
const RESTART_PAUSES_MS: [u64; 7] = [25, 75, 200, 400, 600, 800, 1000];

/// Bytes of an answer, thinking included, after which it is ended: a model that repeats itself never ends by itself.
pub(crate) const ANSWER_LIMIT: usize = 256 << 10;

/// Time for a person to set a secret that the model wants. Less than a turn may be silent
/// ([`butterfly_wire::catalog::session::SEND`]), and enough to find a key in a provider's pages.
const SECRET_PATIENCE: Duration = Duration::from_secs(10 * 60);

/// One turn being answered.
pub(crate) struct Answer<'a> {
    state: &'a State,
    bus: &'a Bus,
    out: &'a mut Outlet<TurnItem>,
    turn: &'a OpenTurn,
    prompt: Prompt,
    settings: Arc<Settings>,
    /// The model to ask for; `None` leaves the choice to the model worker.
    model: Option<String>,
    /// What became of recall.
    recollection: Recollection,
    /// The model's context as far as it is known, in tokens; 0 where it is not.
    context: u32,
    usage: Option<Usage>,
    /// Turns left out as of the last notice about it.
    announced: u32,
}

/// What is to be answered, and how.
pub(crate) struct Asked {
    pub(crate) prompt: Prompt,
    pub(crate) settings: Arc<Settings>,
    /// The model to ask for; `None` leaves the choice to the model worker.
    pub(crate) model: Option<String>,
    /// The model's context as far as it is known from earlier turns, in tokens; 0 where it is not.
    pub(crate) context: u32,
}

/// How one round with the model ended.
enum Said {
    /// The model's message is complete.
    Message(Finish),
    /// The answer reached [`ANSWER_LIMIT`].
    Overlong,
}

/// How one request to the model ended, if it did not fail.
enum Attempt {
    Said(Said),
    /// The model's context, of this many tokens, is too small for what it was sent.
    TooSmall(u32),
}

impl<'a> Answer<'a> {
    /// `context` is the model's as far as it is known from earlier turns, in tokens; 0 where it is not.
    pub(crate) fn new(
        state: &'a State,
        bus: &'a Bus,
        out: &'a mut Outlet<TurnItem>,
        turn: &'a OpenTurn,
        asked: Asked,
    ) -> Self {
        let Asked { prompt, settings, model, context } = asked;
        let recollection = Recollection::default();
        Self { state, bus, out, turn, prompt, settings, model, recollection, context, usage: None, announced: 0 }
    }

    /// Runs the turn to its end.
    ///
    /// # Errors
    /// The model worker's failure, or [`ErrorCode::Cancelled`] when nobody reads any more.
    pub(crate) async fn run(mut self) -> Result<TurnEnd, Failure> {
        self.recall().await?;
        for _ in 0..ROUNDS {
            match self.round().await? {
                Said::Overlong => {
                    let text = format!("The answer reached {} KiB and was ended there.", ANSWER_LIMIT >> 10);
                    self.notice(text).await?;
                    return self.end(EndReason::Length).await;
                }
                Said::Message(finish) if self.turn.record.tool_calls().is_empty() => {
                    if !self.turn.record.has_answer() {
                        self.notice("The model ended without saying anything; ask again or try another.".to_owned())
                            .await?;
                    }
                    let reason = if finish == Finish::Length { EndReason::Length } else { EndReason::Complete };
                    return self.end(reason).await;
                }
                Said::Message(_) => self.answer_tool_calls(),
            }
        }
        let text =
            format!("The model asked for tools {ROUNDS} times in a row, though it has none; its turn was ended.");
        self.notice(text).await?;
        self.end(EndReason::Complete).await
    }

    /// Adds to the prompt what memory finds for the new words. Nothing that goes wrong with it stops the turn.
    async fn recall(&mut self) -> Result<(), Failure> {
        if !self.turn.is_saved() {
            return Ok(());
        }
        let first = self.prompt.first_turn(self.turn.id);
        let mut found = recall::ask(self.bus, self.turn, &self.settings, self.context, first).await;
        self.prompt.recall(std::mem::take(&mut found.items), moment::now_ms());
        let notice = found.notice.take();
        self.recollection = found;
        match notice {
            Some(text) => self.notice(text).await,
            None => Ok(()),
        }
    }

    /// One message of the model's, asked for as often as that takes.
    async fn round(&mut self) -> Result<Said, Failure> {
        let mut pauses = RESTART_PAUSES_MS.into_iter();
        let mut may_shrink = true;
        let mut may_retry_shorter = true;
        let mut told_of_restart = false;
        loop {
            self.turn.record.begin_message();
            let messages = self.prompt.messages(&self.turn.user, &self.turn.record.exchange());
            let secrets = self.state.secrets.now();
            let failure = match self.attempt(&messages, may_shrink).await {
                Ok(Attempt::Said(said)) => return Ok(said),
                Ok(Attempt::TooSmall(context)) => {
                    // Once: if what was kept still does not fit by our estimate, the model's own count decides.
                    may_shrink = false;
                    self.context = context;
                    self.prompt.fit(context, &messages);
                    self.remember();
                    continue;
                }
                Err(failure) => failure,
            };
            if self.turn.record.has_partial_text() {
                return Err(self.broken_off(failure).await);
            }
            if let Some(Cause::NeedsSecret { name, why }) = cause(&failure) {
                self.wait_for_secret(name, why, &secrets, failure).await?;
                continue;
            }
            if let Some(Cause::ContextExceeded { limit_tokens }) = cause(&failure)
                && may_retry_shorter
                && self.prompt.fit_after_refusal(limit_tokens, &messages)
            {
                may_retry_shorter = false;
                self.remember();
                continue;
            }
            let pause = pauses.next().filter(|_| has_gone(&failure)).ok_or(failure)?;
            if !told_of_restart {
                told_of_restart = true;
                self.notice("The model worker is being restarted; the question is asked again.".to_owned()).await?;
            }
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }

    /// One request to the model worker, its items forwarded as they come.
    async fn attempt(&mut self, messages: &[Message], may_shrink: bool) -> Result<Attempt, Failure> {
        let request = ChatRequest {
            model: self.model.clone(),
            purpose: Purpose::Chat,
            recalled: self.prompt.quotes(),
            messages: messages.to_vec(),
            tools: Vec::new(),
            think: model::Think::Default,
            context_tokens: self.settings.context_tokens.or_else(|| self.prompt.context(messages)),
            max_tokens: None,
            temperature: None,
            format: None,
        };
        // Kept as well where the model never begins: whoever asks then wants to know all the more.
        self.turn.record.set_shown(self.recollection.shown(self.prompt.shown(self.context, messages)));
        let mut chat = self.bus.stream::<model::Chat>(&request).await?;
        drop(request);
        loop {
            let item = match chat.next().await? {
                Next::Item(item) => item,
                Next::End(end) => {
                    self.announce().await?;
                    self.count(&end, messages).await?;
                    return Ok(Attempt::Said(Said::Message(end.finish)));
                }
            };
            match item {
                ChatItem::Started { model, context_tokens, .. } => {
                    self.turn.record.set_model(model);
                    if context_tokens > 0 {
                        self.context = context_tokens;
                        self.remember();
                    }
                    if context_tokens > 0 && self.prompt.overflows(context_tokens, messages) {
                        if may_shrink && self.prompt.may_shrink() {
                            return Ok(Attempt::TooSmall(context_tokens));
                        }
                        self.warn_of_overflow(context_tokens).await?;
                    }
                    self.turn.record.set_shown(self.recollection.shown(self.prompt.shown(context_tokens, messages)));
                }
                ChatItem::Notice { text } => self.notice(text).await?,
                ChatItem::Thinking { text } => {
                    self.announce().await?;
                    for piece in pieces(&text, PIECE_BYTES) {
                        self.out.send(&TurnItem::Thinking { text: piece.to_owned() }).await?;
                        self.turn.record.think(piece);
                    }
                }
                ChatItem::Text { text } => {
                    self.announce().await?;
                    for piece in pieces(&text, PIECE_BYTES) {
                        self.out.send(&TurnItem::Text { text: piece.to_owned() }).await?;
                        self.turn.record.say(piece);
                    }
                }
                ChatItem::ToolCall(call) => self.turn.record.call(call),
            }
            if self.turn.record.bytes() > ANSWER_LIMIT {
                return Ok(Attempt::Said(Said::Overlong));
            }
        }
    }

    /// No tool is offered, so none exists: the model is told so and may go on without.
    fn answer_tool_calls(&mut self) {
        let results: Vec<_> = self
            .turn
            .record
            .tool_calls()
            .into_iter()
            .map(|call| Message {
                tool_call_id: Some(call.id),
                ..Message::new(Role::Tool, format!("There is no such tool: {}. Answer without it.", call.name))
            })
            .collect();
        self.turn.record.end_message(results);
    }

    /// What a failure in the middle of the answer becomes.
    async fn broken_off(&mut self, failure: Failure) -> Failure {
        if !has_gone(&failure) {
            return failure;
        }
        let text = "The model worker stopped in mid-answer and is being restarted; ask again.".to_owned();
        // Should nobody read the notice, the failure says the same.
        let _ = self.notice(text.clone()).await;
        Failure::new(ErrorCode::PeerDied, text)
    }

    /// Says once per number how many earlier turns the model does not see.
    async fn announce(&mut self) -> Result<(), Failure> {
        let left_out = self.prompt.left_out;
        if left_out == self.announced {
            return Ok(());
        }
        self.announced = left_out;
        let what = match left_out {
            1 => "1 earlier turn no longer fits the model's context".to_owned(),
            n => format!("{n} earlier turns no longer fit the model's context"),
        };
        let them = if left_out == 1 { "it" } else { "them" };
        self.notice(match left_out - self.prompt.not_summed_up().min(left_out) {
            0 => format!("{what}; it answers without {them}."),
            n if n == left_out => format!("{what}; it knows {them} from a summary."),
            n => format!("{what}; it knows {n} of {them} from a summary."),
        })
        .await
    }

    /// The model's provider wants a secret: the turn waits until the vault has it. `failure` is what the model answered.
    async fn wait_for_secret(
        &mut self,
        name: String,
        why: String,
        before: &Before,
        failure: Failure,
    ) -> Result<(), Failure> {
        self.out.send(&TurnItem::NeedsSecret { name: name.clone(), why }).await?;
        let set = self.state.secrets.since(before, &name);
        tokio::time::timeout(SECRET_PATIENCE, set).await.map_err(|_| failure)
    }

    async fn warn_of_overflow(&mut self, context: u32) -> Result<(), Failure> {
        let text = format!("This may be more than the model's context of {context} tokens: it may not see all of it.");
        self.notice(text).await
    }

    async fn notice(&mut self, text: String) -> Result<(), Failure> {
        for piece in pieces(&text, PIECE_BYTES) {
            self.out.send(&TurnItem::Notice { text: piece.to_owned() }).await?;
        }
        Ok(())
    }

    /// Adds up what the rounds cost, and learns how the model counts.
    async fn count(&mut self, end: &ChatEnd, messages: &[Message]) -> Result<(), Failure> {
        let usage = end.usage;
        self.turn.record.set_usage(usage);
        if !usage.estimated {
            self.prompt.learn(messages, usage.input_tokens);
            self.remember();
            // Servers that cut a prompt silently leave exactly this trace.
            if usage.context_tokens > 0 && usage.input_tokens >= usage.context_tokens {
                self.warn_of_overflow(usage.context_tokens).await?;
            }
        }
        self.usage = Some(match self.usage {
            None => usage,
            Some(sum) => Usage {
                input_tokens: sum.input_tokens.saturating_add(usage.input_tokens),
                output_tokens: sum.output_tokens.saturating_add(usage.output_tokens),
                first_token_ms: sum.first_token_ms,
                generation_ms: sum.generation_ms.saturating_add(usage.generation_ms),
                load_ms: sum.load_ms.saturating_add(usage.load_ms),
                context_tokens: usage.context_tokens,
                estimated: sum.estimated || usage.estimated,
            },
        });
        Ok(())
    }

    /// Keeps what was found out about the model's context for the next turn.
    fn remember(&mut self) {
        let fit = Fit {
            model: self.model.clone(),
            first: self.prompt.first(self.turn.number),
            scale: self.prompt.scale,
            context: self.context,
        };
        self.state.fits.keep(self.turn.conversation(), fit);
    }

    async fn end(self, reason: EndReason) -> Result<TurnEnd, Failure> {
        if let Some(usage) = self.usage {
            self.out.send(&TurnItem::Usage(usage)).await?;
        }
        Ok(TurnEnd { reason, model: self.turn.record.model() })
    }
}

fn cause(failure: &Failure) -> Option<Cause> {
    ModelError::from_failure(failure).map(|error| error.cause)
}

#[cfg(test)]
mod tests {
    use super::RESTART_PAUSES_MS;

    #[test]
    fn pauses_outlast_three_seconds_of_restarts_and_not_much_more() {
        assert!((3_000..3_500).contains(&RESTART_PAUSES_MS.iter().sum::<u64>()));
    }
}
