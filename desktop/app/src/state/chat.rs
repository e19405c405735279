//! Conversations: the list, the one that is open, what is being typed, and which answers run.
//!
//! The words of a running answer stand in [`super::answer`]: they change thirty times a second, and nothing here does.

pub mod composer;
pub mod dialog;
mod event;
mod keeping;
pub mod list;
mod runs;
pub mod shared;
pub mod slash;
mod talking;
#[cfg(test)]
pub(crate) mod tests;
pub mod thread;

use super::frame::{Toast, Tone};
use super::{Effect as Outer, answer};
use butterfly_api::memory::{Forgotten, Found};
use butterfly_api::model::Models;
use butterfly_api::secret::Secret;
use butterfly_api::session::Place;
use butterfly_wire::ErrorCode;
use composer::Composer;
use dialog::Dialog;
pub use event::{Effect, Event};
use list::List;
use shared::Shared;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use thread::Thread;

/// The model worker's own name for what answers where there is no language model.
pub const BUILTIN: &str = "builtin";

/// Conversations, and what is done in them.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Whether the bus is there.
    pub connected: bool,
    pub list: List,
    pub thread: Thread,
    pub composer: Composer,
    /// Answers that run, by the number that they were given here.
    pub runs: BTreeMap<u64, Run>,
    /// Of conversations that are not open; `None`: of the one that has not begun.
    asides: HashMap<Option<u64>, Aside>,
    pub models: Option<Shared<Models>>,
    /// Why the models are not known, for people.
    pub models_fault: Option<String>,
    /// The model for what is said from now on; `None`: the model worker chooses.
    pub model: Option<String>,
    pub profiles: Vec<String>,
    pub dialog: Dialog,
    /// Thinking is shown without being asked for.
    pub show_thinking: bool,
    /// The last number that was given to a request or run.
    last: u64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            connected: false,
            list: List::default(),
            thread: Thread::begin(),
            composer: Composer::default(),
            runs: BTreeMap::new(),
            asides: HashMap::new(),
            models: None,
            models_fault: None,
            model: None,
            profiles: Vec::new(),
            dialog: Dialog::None,
            show_thinking: false,
            last: 0,
        }
    }
}

/// What was typed in a conversation that is not open.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Aside {
    draft: String,
    queue: VecDeque<String>,
}

/// An answer that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// `None`: it begins one, whose number is not known yet.
    pub conversation: Option<u64>,
    /// The person's words; empty where earlier ones are answered again.
    pub text: String,
    pub place: Place,
    /// The person's message once it is durable.
    pub message: Option<u64>,
    /// Somebody asked for its end.
    pub stopping: bool,
    /// It has ended; what is shown of it stays until the transcript is there.
    pub over: bool,
}

/// A secret on its way to the vault: `{:?}` shows nothing of it, and a clone is no copy.
#[derive(Clone)]
pub struct Hidden(Secret);

impl Hidden {
    #[must_use]
    pub fn new(secret: Secret) -> Self {
        Self(secret)
    }

    /// The value, for the one that hands it on.
    #[must_use]
    pub fn into_inner(self) -> Secret {
        self.0
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.expose().is_empty()
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Hidden")
    }
}

/// Why something failed, for people and for programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub code: ErrorCode,
    pub message: String,
}

/// What a search for what is to be forgotten found, or what would go.
#[derive(Debug, Clone)]
pub enum ForgetAnswer {
    Found(Vec<Found>),
    WouldGo(Box<Forgotten>),
    Gone(Box<Forgotten>),
}

impl State {
    /// Changes the state by what happened, and says what is to be done.
    pub fn reduce(&mut self, event: Event) -> Vec<Outer> {
        match event {
            Event::Connected => self.connected(),
            Event::Lost => self.lost(),
            Event::Reload => self.reload(),

            Event::Listed { request, offset, result } => self.listed(request, offset, result),
            Event::MoreListed => self.more_listed(),
            Event::Touched(conversation) => self.touched(*conversation),
            Event::Branched(conversation) => self.branched(*conversation),
            Event::Gone(conversation) => self.gone(conversation),
            Event::Search(query) => self.search(query),
            Event::Found { request, result } => self.found(request, result),
            Event::ShowTrash(trash) => self.show_trash(trash),
            Event::BeginRename(conversation) => {
                self.list.renaming = Some(conversation);
                Vec::new()
            }
            Event::CancelRename => {
                self.list.renaming = None;
                Vec::new()
            }
            Event::Rename { conversation, title } => self.rename(conversation, title),
            Event::Pin(conversation) => self.pin(conversation),
            Event::Delete(conversation) => vec![Outer::Chat(Effect::Delete(conversation))],
            Event::Restore(conversation) => vec![Outer::Chat(Effect::Restore(conversation))],
            Event::Deleted(conversation) => self.deleted(*conversation),
            Event::Restored(conversation) => self.restored(*conversation),
            Event::Export { conversation, format } => self.export(conversation, format),
            Event::Exported { name, messages } => {
                let count = if messages == 1 { "1 message".to_owned() } else { format!("{messages} messages") };
                vec![Outer::toast(Toast::new(Tone::Success, format!("{name} holds {count}.")))]
            }
            Event::Failed(message) => vec![Outer::toast(Toast::new(Tone::Danger, message))],

            Event::New => self.open(None, None),
            Event::Open { conversation, message } => self.open(Some(conversation), message),
            Event::OpenMessage { conversation, message } => self.open(Some(conversation), Some(message)),
            Event::Beside(step) => match self.list.beside(self.thread.id, step) {
                Some(conversation) => self.open(Some(conversation), None),
                None => Vec::new(),
            },
            Event::Read { conversation, request, result } => self.read(conversation, request, result),
            Event::ReadEarlier { conversation, before, result } => self.read_earlier(conversation, before, result),
            Event::NearTop => match (self.thread.id, self.thread.near_top()) {
                (Some(conversation), Some(before)) => {
                    vec![Outer::Chat(Effect::ReadEarlier { conversation, before })]
                }
                (_, _) => Vec::new(),
            },
            Event::Noticed { turn, notices } => {
                self.thread.notices.push((turn, notices));
                Vec::new()
            }
            Event::NearEnd => {
                self.thread.near_end();
                Vec::new()
            }
            Event::AtEnd(at_end) => {
                self.thread.at_end = at_end && self.thread.shows_end();
                Vec::new()
            }
            Event::Latest => {
                self.thread.jump_to_end();
                Vec::new()
            }
            Event::Branch(message) => vec![Outer::Chat(Effect::Branch { message })],
            Event::Copy(message) => self.copy(Some(message)),
            Event::CopyLast => self.copy(None),
            Event::Explain(message) => {
                self.dialog = Dialog::Explain { message, result: None };
                vec![Outer::Chat(Effect::Explain { message })]
            }
            Event::Explained { message, result } => {
                if let Dialog::Explain { message: asked, result: shown } = &mut self.dialog
                    && *asked == message
                {
                    *shown = Some(result.map(|explanation| Shared::new(*explanation)));
                }
                Vec::new()
            }

            Event::Typed(text) => self.typed(text),
            Event::Prefill(text) => self.prefill(text),
            Event::Complete(at) => {
                self.composer.completion = Some(at);
                Vec::new()
            }
            Event::CloseCompletion => {
                self.composer.completion = None;
                Vec::new()
            }
            Event::Accept => self.accept(),
            Event::Send => self.send(),
            Event::Say(text) => self.say(text, Place::End),
            Event::Unqueue(at) => {
                if let Some(text) = self.composer.queue.remove(at)
                    && self.composer.is_blank()
                {
                    self.composer.set(text);
                }
                Vec::new()
            }
            Event::SendQueued => self.send_queued(),
            Event::Edit(message) => self.edit(message),
            Event::EditLast => match self.thread.last_asked().map(|message| message.id) {
                Some(message) => self.edit(message),
                None => Vec::new(),
            },
            Event::CancelEdit => {
                if self.composer.editing.is_some() {
                    // What was typed instead goes; the draft is back.
                    let _ = self.composer.take();
                }
                Vec::new()
            }
            Event::Again(message) => self.say(String::new(), Place::Again(message)),
            Event::Regenerate => match self.thread.last_asked().map(|message| message.id) {
                Some(message) => self.say(String::new(), Place::Again(message)),
                None => Vec::new(),
            },
            Event::Continue => self.say("Please go on from where you stopped.".to_owned(), Place::End),
            Event::Stop => match self.thread.run {
                Some(run) => self.stop(run),
                None => Vec::new(),
            },
            Event::StopRun(run) => self.stop(run),
            Event::Started { run, conversation, message } => self.started(run, conversation, message),
            Event::Ended { run, result } => self.ended(run, result),
            Event::DraftDue { conversation, version } => self.draft_due(conversation, version),
            Event::PickFile => vec![Outer::Chat(Effect::PickFile)],
            Event::DropFile(path) => vec![Outer::Chat(Effect::ReadFile(path))],
            Event::Quoted { name, text } => {
                self.composer.quote(&name, &text);
                let mut effects = self.draft_later();
                effects.push(Outer::System(super::System::Focus(COMPOSER.into())));
                effects
            }
            Event::NotQuoted(why) => vec![Outer::toast(Toast::new(Tone::Warning, why))],

            Event::Models(result) => {
                match result {
                    Ok(models) => (self.models, self.models_fault) = (Some(Shared::new(*models)), None),
                    Err(why) => self.models_fault = Some(why),
                }
                Vec::new()
            }
            Event::UseModel(model) => {
                self.model.clone_from(&model);
                self.dialog = Dialog::None;
                vec![Outer::Chat(Effect::UseModel(model)), Outer::System(super::System::Focus(COMPOSER.into()))]
            }
            Event::Profiles(names) => {
                self.profiles = names;
                Vec::new()
            }
            Event::UseProfile(name) => self.use_profile(name),
            Event::Show(dialog) => self.show(dialog),
            Event::CloseDialog => {
                self.dialog = Dialog::None;
                vec![Outer::System(super::System::Focus(COMPOSER.into()))]
            }
            Event::ToggleThinking => {
                self.show_thinking = !self.show_thinking;
                Vec::new()
            }
            Event::NeedsSecret { run, name, why } => {
                self.dialog = Dialog::Secret { run, name, why, keeping: false, refused: None };
                Vec::new()
            }
            Event::GoesOn { run } => {
                self.close_secret(run);
                Vec::new()
            }
            Event::KeepSecret(value) => self.keep_secret(value),
            Event::SecretKept { run, note } => {
                self.close_secret(run);
                note.map(|note| Outer::toast(Toast::new(Tone::Info, note))).into_iter().collect()
            }
            Event::SecretRefused { run, why } => {
                if let Dialog::Secret { run: asked, keeping, refused, .. } = &mut self.dialog
                    && *asked == run
                {
                    *keeping = false;
                    *refused = Some(why);
                }
                Vec::new()
            }
            Event::DeclineSecret => match std::mem::take(&mut self.dialog) {
                Dialog::Secret { run, .. } => self.stop(run),
                other => {
                    self.dialog = other;
                    Vec::new()
                }
            },
            Event::Remember(text) => {
                vec![Outer::Chat(Effect::Remember { text, conversation: self.thread.id })]
            }
            Event::Remembered { id, known } => {
                let text = if known { format!("Known already, as #{id}.") } else { format!("Noted, as #{id}.") };
                vec![Outer::toast(Toast::new(Tone::Success, text))]
            }
            Event::Forget(event) => self.forget(event),
            Event::ForgetAnswered { request, result } => self.forget_answered(request, result),
        }
    }

    /// A number that was not given before.
    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Tells [`answer`] what happened to a run.
    fn tell(event: answer::Event) -> Outer {
        Outer::then(event)
    }
}

/// The id of the field that messages are typed in.
pub const COMPOSER: &str = "composer";
