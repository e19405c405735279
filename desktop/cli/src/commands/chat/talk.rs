//! One conversation: saying something, showing the answer, and surviving what dies meanwhile.

use super::key;
use super::past::{self, LastMessage};
use crate::args;
use crate::context::Context;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::launch::{self, RESTART_LIMIT};
use crate::render::chat::{Screen, Shown, end_json, item_json};
use crate::text;
use butterfly_api::session::{EndReason, Place, Send, SendRequest, Stop, StopRequest, TurnEnd, TurnItem};
use butterfly_client::{Bus, Next, Stream};
use butterfly_wire::{ErrorCode, Failure};
use std::future::ready;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// A conversation with the assistant.
pub struct Talk<'a> {
    pub context: &'a Context,
    pub bus: Bus,
    pub conversation: Option<u64>,
    /// Nothing is saved.
    pub unsaved: bool,
    /// The person's last message in this conversation.
    pub last: Option<LastMessage>,
    model: Option<String>,
    thinking: bool,
}

/// Something to be answered.
#[derive(Clone, Debug)]
pub struct Words {
    pub text: String,
    pub place: Place,
}

impl From<&str> for Words {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), place: Place::End }
    }
}

/// Which conversation a chat begins with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Beginning {
    New,
    Last,
    This(u64),
}

impl Beginning {
    /// What the options say; at a terminal a chat goes on where it was.
    #[must_use]
    pub fn of(args: &args::Chat, interactive: bool) -> Self {
        match args.conversation {
            Some(conversation) => Self::This(conversation),
            None if args.resume => Self::Last,
            None if args.new || args.unsaved || !interactive => Self::New,
            None => Self::Last,
        }
    }
}

/// How an answer ended.
#[derive(Debug)]
pub enum Answer {
    Ended(EndReason),
    /// By Ctrl-C.
    Interrupted,
    Failed(Fault),
}

/// How one attempt at an answer ended.
enum Attempt {
    Over(Answer),
    /// The conversation is not known any more: it was not saved, and the worker that kept it was restarted.
    Forgotten,
    /// Nobody could take the message; it was not delivered.
    Undelivered(Failure),
}

impl<'a> Talk<'a> {
    /// Connects, and starts the kernel if none runs.
    ///
    /// # Errors
    /// Where no kernel can be started, and where the last conversation was asked for and cannot be found out.
    pub async fn open(context: &'a Context, args: args::Chat, beginning: Beginning) -> Result<Self, Fault> {
        let running = launch::up(context).await?;
        if running.started {
            context.out.remark(&format!("started the kernel (pid {})", running.status.kernel.pid));
            for warning in &running.status.kernel.warnings {
                context.out.warning(warning);
            }
        }
        if let Some(fault) = launch::held_fault(&running.status) {
            context.out.warning(&fault.message);
        }
        let bus = running.bus;
        let conversation = match beginning {
            Beginning::New => None,
            Beginning::This(conversation) => Some(conversation),
            Beginning::Last => match past::last(&bus).await {
                Ok(last) => last.map(|last| last.id),
                Err(fault) if args.resume => return Err(fault),
                Err(fault) => {
                    let why = fault.message;
                    context.out.warning(&format!("the last conversation is not known, so this is a new one: {why}"));
                    None
                }
            },
        };
        let (model, thinking) = (args.model, !args.no_thinking);
        Ok(Self { context, bus, conversation, unsaved: args.unsaved, last: None, model, thinking })
    }

    /// Another conversation from here on, or a new one.
    pub fn turn_to(&mut self, conversation: Option<u64>) {
        self.conversation = conversation;
        self.last = None;
    }

    /// Says something and shows the answer.
    ///
    /// # Errors
    /// When the output is gone; a failed answer is an [`Answer`].
    pub async fn say(&mut self, words: impl Into<Words>) -> Result<Answer, Fault> {
        let words = words.into();
        if let Err(fault) = self.reconnect().await {
            return Ok(Answer::Failed(fault));
        }
        let mut waited = false;
        loop {
            match self.attempt(&words).await? {
                Attempt::Over(answer) => return Ok(answer),
                Attempt::Forgotten => {
                    self.turn_to(None);
                    self.notice("this conversation was not saved and is gone with a restart; this begins a new one")?;
                }
                Attempt::Undelivered(failure) if waited => return Ok(Answer::Failed(failure.into())),
                Attempt::Undelivered(failure) => {
                    waited = true;
                    let settled = tokio::time::timeout(RESTART_LIMIT, launch::settled(self.context, &self.bus)).await;
                    match settled {
                        Ok(Ok(status)) => {
                            if let Some(fault) = launch::held_fault(&status) {
                                return Ok(Answer::Failed(fault));
                            }
                        }
                        Ok(Err(fault)) => return Ok(Answer::Failed(fault)),
                        Err(_) => return Ok(Answer::Failed(failure.into())),
                    }
                }
            }
        }
    }

    /// Answers come from this model from now on, also when the worker that was told so has forgotten it.
    pub fn use_model(&mut self, model: String) {
        self.model = Some(model);
    }

    /// The model that was asked for here, if one was.
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// Stops the answer that runs in this conversation, if one does.
    pub async fn stop(&self) -> Result<bool, Fault> {
        let Some(conversation) = self.conversation else { return Ok(false) };
        Ok(self.bus.call::<Stop>(&StopRequest { conversation }).await?.was_running)
    }

    /// Finds out whether the kernel went away since the last answer, and gets back to one.
    pub async fn reconnect(&mut self) -> Result<(), Fault> {
        let ended = tokio::select! {
            biased;
            _ = self.bus.ended() => true,
            () = ready(()) => false,
        };
        if !ended {
            return Ok(());
        }
        let running = launch::up(self.context).await?;
        self.bus = running.bus;
        let pid = running.status.kernel.pid;
        let what = if running.started { "was started again" } else { "is another one now" };
        let lost = if self.unsaved && self.conversation.is_some() {
            self.turn_to(None);
            "; what was not saved is gone, and this begins a new conversation"
        } else {
            ""
        };
        self.notice(&format!("the kernel had ended and {what} (pid {pid}){lost}"))
    }

    /// A remark of the program's own, as the answer's notices are shown.
    fn notice(&self, text: &str) -> Result<(), Fault> {
        View::new(self).item(self.context, &TurnItem::Notice { text: text.to_owned() })
    }

    async fn attempt(&mut self, words: &Words) -> Result<Attempt, Fault> {
        // Registered anew for each answer: a Ctrl-C that came before it is not meant for it.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let request = SendRequest {
            conversation: self.conversation,
            text: words.text.clone(),
            place: words.place,
            unsaved: self.unsaved,
            model: self.model.clone(),
        };
        let mut stream = match self.bus.stream::<Send>(&request).await {
            Ok(stream) => stream,
            Err(failure) => return Ok(Attempt::Over(Answer::Failed(failure.into()))),
        };
        let mut view = View::new(self);
        let (mut begun, mut stopping) = (false, false);
        let mut without_key = None;
        loop {
            match next(&mut stream, &mut interrupt).await {
                Came::Next(Ok(Next::Item(item))) => {
                    view.item(self.context, &item)?;
                    match item {
                        TurnItem::Started { conversation, message, .. } => {
                            self.conversation = Some(conversation);
                            self.remember_last(message, words);
                            begun = true;
                        }
                        TurnItem::NeedsSecret { name, why } => {
                            if let Err(fault) = key::ask(self.context, &self.bus, &name, &why).await {
                                without_key = Some(fault);
                                stopping = true;
                                self.ask_to_stop();
                            }
                        }
                        TurnItem::Thinking { .. }
                        | TurnItem::Text { .. }
                        | TurnItem::Notice { .. }
                        | TurnItem::Usage(_) => {}
                    }
                }
                // It was stopped for want of a key: that is why, and nothing else needs to be said.
                Came::Next(Ok(Next::End(_)) | Err(_)) if let Some(fault) = without_key.take() => {
                    view.new_line(self.context)?;
                    return Ok(Attempt::Over(Answer::Failed(fault)));
                }
                Came::Next(Ok(Next::End(end))) => {
                    view.end(self.context, &end)?;
                    return Ok(Attempt::Over(match end.reason {
                        EndReason::Stopped if stopping => Answer::Interrupted,
                        reason => Answer::Ended(reason),
                    }));
                }
                Came::Next(Err(failure)) => {
                    view.new_line(self.context)?;
                    let unsaved = self.unsaved && self.conversation.is_some();
                    return Ok(judge(failure, begun, unsaved, stopping));
                }
                // The second Ctrl-C does not wait for the assistant's agreement: dropping the stream cancels the call.
                Came::Interrupt if stopping || !begun => {
                    view.new_line(self.context)?;
                    return Ok(Attempt::Over(Answer::Interrupted));
                }
                Came::Interrupt => {
                    stopping = true;
                    self.ask_to_stop();
                }
            }
        }
    }

    fn remember_last(&mut self, id: u64, words: &Words) {
        let text = match words.place {
            Place::End | Place::InsteadOf(_) => words.text.clone(),
            Place::Again(_) => self.last.take().map(|last| last.text).unwrap_or_default(),
        };
        self.last = (id != 0).then_some(LastMessage { id, text });
    }

    /// Asks for the end of the answer, which then comes through its stream with all that was said before.
    fn ask_to_stop(&self) {
        let Some(conversation) = self.conversation else { return };
        let bus = self.bus.clone();
        tokio::spawn(async move {
            // If it cannot be asked, the stream ends with the reason, or a second Ctrl-C ends it.
            let _ = bus.call::<Stop>(&StopRequest { conversation }).await;
        });
    }
}

/// What a failed attempt means; `unsaved`: in a conversation that lives in a worker's memory alone.
fn judge(failure: Failure, begun: bool, unsaved: bool, stopping: bool) -> Attempt {
    match failure.code {
        ErrorCode::BadPayload if !begun && unsaved => Attempt::Forgotten,
        ErrorCode::Unavailable if !begun => Attempt::Undelivered(failure),
        ErrorCode::Cancelled if stopping => Attempt::Over(Answer::Interrupted),
        ErrorCode::PeerDied | ErrorCode::Disconnected => {
            let next_step = if failure.message.contains("ask again") { "" } else { "; ask again" };
            let message = format!("the answer was cut off: {}{next_step}", failure.message.trim_end_matches('.'));
            Attempt::Over(Answer::Failed(Fault::new(Exit::CutOff, failure.code.name(), message)))
        }
        _ => Attempt::Over(Answer::Failed(failure.into())),
    }
}

/// What came first.
enum Came {
    Next(Result<Next<TurnItem, TurnEnd>, Failure>),
    Interrupt,
}

async fn next(stream: &mut Stream<Send>, interrupt: &mut Signal) -> Came {
    tokio::select! {
        biased;
        _ = interrupt.recv() => Came::Interrupt,
        next = stream.next() => Came::Next(next),
    }
}

/// How an answer is shown.
enum View {
    Objects,
    Screen(Screen),
}

impl View {
    fn new(talk: &Talk<'_>) -> Self {
        let out = &talk.context.out;
        if out.json { Self::Objects } else { Self::Screen(Screen::new(out.paint, out.terminal, talk.thinking)) }
    }

    fn item(&mut self, context: &Context, item: &TurnItem) -> Result<(), Fault> {
        match self {
            Self::Objects => context.out.line(&text::terminal_safe_json(item_json(item)?)),
            Self::Screen(screen) => show(context, screen.item(item)),
        }
    }

    fn end(&mut self, context: &Context, end: &TurnEnd) -> Result<(), Fault> {
        match self {
            Self::Objects => context.out.line(&text::terminal_safe_json(end_json(end)?)),
            Self::Screen(screen) => show(context, screen.end(end)),
        }
    }

    fn new_line(&mut self, context: &Context) -> Result<(), Fault> {
        match self {
            Self::Objects => Ok(()),
            Self::Screen(screen) => context.out.raw(&screen.new_line()),
        }
    }
}

fn show(context: &Context, shown: Shown) -> Result<(), Fault> {
    if let Some(remark) = &shown.remark {
        context.out.remark(remark);
    }
    if shown.out.is_empty() { Ok(()) } else { context.out.raw(&shown.out) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(code: ErrorCode, begun: bool, unsaved: bool) -> Attempt {
        judge(Failure::new(code, "brains ended"), begun, unsaved, false)
    }

    fn beginning(arguments: &[&str], interactive: bool) -> Beginning {
        use clap::Parser;
        let line = ["butterfly", "chat"].iter().chain(arguments);
        let args::Command::Chat(chat) = args::Cli::try_parse_from(line).unwrap().command else { panic!("no chat") };
        Beginning::of(&chat, interactive)
    }

    #[test]
    fn a_chat_at_a_terminal_goes_on_and_one_of_a_script_begins_anew_unless_told_otherwise() {
        assert_eq!((beginning(&[], true), beginning(&[], false)), (Beginning::Last, Beginning::New));
        assert_eq!((beginning(&["--new"], true), beginning(&["--unsaved"], true)), (Beginning::New, Beginning::New));
        assert_eq!(beginning(&["--continue", "-m", "x"], false), Beginning::Last);
        assert_eq!(beginning(&["-c", "7"], true), Beginning::This(7));
        assert_eq!(beginning(&["-c", "7", "-m", "x"], false), Beginning::This(7));
    }

    #[test]
    fn an_unsaved_conversation_that_is_lost_is_begun_anew_but_only_before_anything_was_said() {
        assert!(matches!(judged(ErrorCode::BadPayload, false, true), Attempt::Forgotten));
        assert!(matches!(judged(ErrorCode::BadPayload, true, true), Attempt::Over(_)));
        assert!(matches!(judged(ErrorCode::BadPayload, false, false), Attempt::Over(_)));
    }

    #[test]
    fn only_a_message_that_nobody_took_is_sent_again() {
        assert!(matches!(judged(ErrorCode::Unavailable, false, false), Attempt::Undelivered(_)));
        assert!(matches!(judged(ErrorCode::Unavailable, true, false), Attempt::Over(_)));
        assert!(matches!(judged(ErrorCode::PeerDied, false, false), Attempt::Over(_)));
    }

    #[test]
    fn a_death_in_mid_answer_is_said_clearly_and_has_its_exit_code() {
        let Attempt::Over(Answer::Failed(fault)) = judged(ErrorCode::PeerDied, true, true) else {
            panic!("a death is a failed answer");
        };
        assert_eq!(fault.exit, Exit::CutOff);
        assert_eq!(fault.message, "the answer was cut off: brains ended; ask again");
    }
}
