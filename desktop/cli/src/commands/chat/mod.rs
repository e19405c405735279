//! `chat`: one question, a conversation over a pipe, or a conversation at a terminal.

mod editor;
mod input;
mod interactive;
mod key;
mod past;
mod recollect;
mod slash;
mod talk;

use crate::args;
use crate::context::Context;
use crate::exit::Exit;
use crate::fault::Fault;
use butterfly_api::session::EndReason;
use input::Line;
use std::io::{self, IsTerminal};
use talk::{Answer, Beginning, Talk};
use tokio::signal::unix::{SignalKind, signal};

/// Talks with the assistant; starts the kernel if none runs, and leaves it running.
///
/// # Errors
/// In one-shot use, whatever kept the answer from being complete.
pub async fn run(context: &Context, args: args::Chat) -> Result<Exit, Fault> {
    let message = match &args.message {
        Some(message) => Some(input::with_pipe(&context.out, message)?),
        None => None,
    };
    let at_terminal = io::stdin().is_terminal() && context.out.terminal && !context.out.json;
    let interactive = at_terminal && message.is_none();
    let beginning = Beginning::of(&args, interactive);
    let talk = Talk::open(context, args, beginning).await?;
    match message {
        Some(message) => once(talk, &message).await,
        None if interactive => interactive::run(talk).await,
        None => lines(talk).await,
    }
}

/// One question.
async fn once(mut talk: Talk<'_>, message: &str) -> Result<Exit, Fault> {
    match talk.say(message).await? {
        Answer::Ended(reason) => Ok(exit(reason)),
        Answer::Interrupted => Ok(Exit::Interrupted),
        Answer::Failed(fault) => Err(fault),
    }
}

/// Each line of standard input is a turn of one conversation. A turn that fails does not end it.
async fn lines(mut talk: Talk<'_>) -> Result<Exit, Fault> {
    let mut lines = input::lines();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut first_failure = None;
    let mut answered = false;
    loop {
        let line = tokio::select! {
            line = lines.recv() => line,
            _ = interrupt.recv() => return Ok(Exit::Interrupted),
        };
        let text = match line {
            Some(Line::Text(text)) => text,
            Some(Line::Fault(fault)) => return Err(fault),
            None => return Ok(first_failure.unwrap_or(Exit::Done)),
        };
        if text.trim().is_empty() {
            continue;
        }
        if answered && !talk.context.out.json {
            talk.context.out.line("")?;
        }
        answered = true;
        let exit = match talk.say(text.as_str()).await? {
            Answer::Ended(reason) => exit(reason),
            Answer::Interrupted => return Ok(Exit::Interrupted),
            Answer::Failed(fault) => {
                talk.context.out.fault(&fault);
                fault.exit
            }
        };
        if exit != Exit::Done {
            first_failure.get_or_insert(exit);
        }
    }
}

/// What the end of an answer means to a script. One that somebody else stopped is not whole.
const fn exit(reason: EndReason) -> Exit {
    match reason {
        EndReason::Complete | EndReason::Length => Exit::Done,
        EndReason::Stopped => Exit::CutOff,
    }
}
