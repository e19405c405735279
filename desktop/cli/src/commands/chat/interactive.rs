//! The chat at a terminal.

use super::editor::{Prompt, Typed};
use super::slash::{COMMANDS, Slash};
use super::talk::{Answer, Talk, Words};
use super::{past, recollect};
use crate::commands::lifecycle::{probe, show_probe};
use crate::commands::model::{list, set_model};
use crate::commands::pull;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::paint::Role;
use crate::text;
use butterfly_api::model::{Cause, List, Probe, PullRequest};
use butterfly_api::session::Place;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io;
use tokio::signal::unix::{SignalKind, signal};

/// What a command of the chat asks for.
enum After {
    Prompt,
    /// These words are to be answered.
    Say(Words),
    /// The next line begins like this, and is said instead of that message.
    Edit {
        initial: String,
        instead_of: u64,
    },
    Leave,
}

/// Talks until the person leaves.
///
/// # Errors
/// When the terminal is gone.
pub async fn run(mut talk: Talk<'_>) -> Result<Exit, Fault> {
    // A signal may come while the editor has the terminal in its own mode.
    let terminal = Terminal(tcgetattr(io::stdin()).ok());
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let out = talk.context.out.clone();
    let talking = converse(&mut talk);
    tokio::select! {
        exit = talking => exit,
        _ = terminate.recv() => {
            drop(terminal);
            out.line("")?;
            Ok(Exit::Terminated)
        }
        _ = hangup.recv() => Ok(Exit::Terminated),
    }
}

async fn converse(talk: &mut Talk<'_>) -> Result<Exit, Fault> {
    let out = talk.context.out.clone();
    let prompt = Prompt::start(recollect::said_earlier(talk).await);
    greet(talk, &prompt).await?;
    let sign = format!("{} ", out.paint.apply(Role::Accent, "›"));
    let mut leaving = false;
    let mut edit: Option<(String, u64)> = None;
    loop {
        let (typed, place) = match edit.take() {
            Some((initial, message)) => (prompt.edit(&sign, initial).await, Place::InsteadOf(message)),
            None => (prompt.message(&sign).await, Place::End),
        };
        match typed {
            Typed::Line(line) => {
                leaving = false;
                if line.trim().is_empty() {
                    continue;
                }
                let words = match Slash::parse(&line) {
                    None => Words { text: line.trim().to_owned(), place },
                    Some(command) => match obey(talk, &prompt, command).await {
                        Ok(After::Prompt) => continue,
                        Ok(After::Say(words)) => words,
                        Ok(After::Edit { initial, instead_of }) => {
                            edit = Some((initial, instead_of));
                            continue;
                        }
                        Ok(After::Leave) => return Ok(Exit::Done),
                        Err(fault) if fault.exit == Exit::OutputClosed => return Err(fault),
                        Err(fault) => {
                            out.fault(&fault);
                            continue;
                        }
                    },
                };
                match talk.say(words).await? {
                    Answer::Ended(_) | Answer::Interrupted => {}
                    Answer::Failed(fault) => out.fault(&fault),
                }
                out.line("")?;
            }
            // What was being edited stays as it was said.
            Typed::Interrupt { .. } if place != Place::End => {}
            Typed::Interrupt { on_empty: true } if leaving => return Ok(Exit::Done),
            Typed::Interrupt { on_empty } => {
                leaving = on_empty;
                if on_empty {
                    out.remark("Ctrl-C once more, Ctrl-D or /quit leaves");
                }
            }
            Typed::End => return Ok(Exit::Done),
            Typed::Fault(fault) => return Err(fault),
        }
    }
}

/// Says who will answer, and offers what is missing for a better answer.
async fn greet(talk: &mut Talk<'_>, prompt: &Prompt) -> Result<(), Fault> {
    let out = &talk.context.out;
    match probe(&talk.bus).await {
        Ok(probe) => {
            show_probe(talk.context, &probe)?;
            if lacks_a_model(&probe) {
                offer(talk, prompt, &probe).await?;
            }
        }
        Err(failure) => out.warning(&format!("the model worker did not say what it would use: {failure}")),
    }
    out.line(&out.paint.apply(Role::Muted, "/help shows the commands; Ctrl-C stops an answer, Ctrl-D leaves"))?;
    if talk.unsaved {
        out.line(&out.paint.apply(Role::Muted, "nothing of this conversation is saved"))?;
    }
    out.line("")?;
    look_back(talk).await
}

/// Shows where the conversation was, if it goes on.
async fn look_back(talk: &mut Talk<'_>) -> Result<(), Fault> {
    let out = talk.context.out.clone();
    let Some(conversation) = talk.conversation.filter(|_| !talk.unsaved) else { return Ok(()) };
    match past::end(&talk.bus, conversation).await {
        Ok(transcript) => {
            talk.last = past::last_message(&transcript);
            out.line(&past::render(&transcript, out.paint))?;
            out.line("")
        }
        Err(fault) if fault.exit == Exit::OutputClosed => Err(fault),
        Err(fault) => {
            out.warning(&format!("what was said before cannot be shown: {}", fault.message));
            Ok(())
        }
    }
}

/// A server answers, and all that it lacks is a model.
fn lacks_a_model(probe: &Probe) -> bool {
    probe.server_version.is_some()
        && probe.problem.as_ref().is_some_and(|problem| matches!(problem.cause, Cause::ModelMissing { .. }))
}

async fn offer(talk: &mut Talk<'_>, prompt: &Prompt, probe: &Probe) -> Result<(), Fault> {
    let out = &talk.context.out;
    let question = format!("Fetch {} now? [y/N] ", text::escaped(&probe.preset));
    let Typed::Line(answer) = prompt.ask(&question).await else { return Ok(()) };
    if !matches!(answer.trim(), "y" | "Y" | "yes") {
        out.remark("`butterfly model pull` does it later");
        return Ok(());
    }
    match pull::run(talk.context, &talk.bus, PullRequest { model: None }).await {
        Ok(_) => Ok(()),
        Err(fault) if fault.exit == Exit::OutputClosed => Err(fault),
        Err(fault) => {
            out.fault(&fault);
            Ok(())
        }
    }
}

async fn obey(talk: &mut Talk<'_>, prompt: &Prompt, command: Slash) -> Result<After, Fault> {
    let out = &talk.context.out.clone();
    match command {
        Slash::Help => {
            for (usage, what) in COMMANDS {
                out.line(&format!("{}  {what}", out.paint.apply(Role::Accent, &format!("{usage:<15}"))))?;
            }
            out.line(
                &out.paint.apply(Role::Muted, "Ctrl-C stops an answer; twice at an empty prompt, or Ctrl-D, leaves"),
            )?;
        }
        Slash::Remember(words) => {
            talk.reconnect().await?;
            recollect::remember(talk, words).await?;
        }
        Slash::Search(query) => {
            talk.reconnect().await?;
            recollect::search(talk, query).await?;
        }
        Slash::Forget(what) => {
            talk.reconnect().await?;
            recollect::forget(talk, prompt, what).await?;
        }
        Slash::History => {
            talk.reconnect().await?;
            recollect::history(talk).await?;
        }
        Slash::Edit(words) => {
            let Some(last) = last_message(talk)? else { return Ok(After::Prompt) };
            return Ok(match words {
                Some(text) => After::Say(Words { text, place: Place::InsteadOf(last.id) }),
                None => After::Edit { initial: text::Stripper::default().strip(&last.text), instead_of: last.id },
            });
        }
        Slash::Retry => {
            let Some(last) = last_message(talk)? else { return Ok(After::Prompt) };
            return Ok(After::Say(Words { text: String::new(), place: Place::Again(last.id) }));
        }
        Slash::Incomplete(usage) => out.line(&format!("how it is used: {usage}"))?,
        Slash::Model(None) => {
            talk.reconnect().await?;
            let mut models = talk.bus.call::<List>(&()).await?;
            models.chosen = talk.model().map(str::to_owned).or(models.chosen);
            list(talk.context, &models)?;
        }
        Slash::Model(Some(name)) => {
            talk.reconnect().await?;
            set_model(&talk.bus, Some(name.clone())).await?;
            out.line(&format!("conversations now use {}", text::escaped(&name)))?;
            talk.use_model(name);
        }
        Slash::Stop => {
            talk.reconnect().await?;
            out.line(if talk.stop().await? { "stopped" } else { "no answer is running in this conversation" })?;
        }
        Slash::New => {
            talk.turn_to(None);
            out.line("a new conversation begins")?;
        }
        Slash::Quit => return Ok(After::Leave),
        Slash::Unknown(word) => {
            let word = text::escaped(&word);
            out.line(&format!(
                "there is no command {word}; /help shows them, and a space before it makes it a message"
            ))?;
        }
    }
    Ok(After::Prompt)
}

/// The message that an edit or another answer is about; where there is none, says why.
fn last_message(talk: &Talk<'_>) -> Result<Option<past::LastMessage>, Fault> {
    if talk.last.is_none() {
        talk.context.out.line(if talk.unsaved {
            "an unsaved conversation keeps no versions of what was said; say it again instead"
        } else {
            "nothing was said in this conversation yet"
        })?;
    }
    Ok(talk.last.clone())
}

/// The terminal as it was, put back when dropped.
struct Terminal(Option<Termios>);

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // A terminal that is gone needs no restoring.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}
