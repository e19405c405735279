//! Opening a conversation, typing in it and sending.

use super::composer::{Composer, DRAFT_LIMIT};
use super::shared::Shared;
use super::slash::{self, Slash};
use super::thread::Thread;
use super::{Aside, Effect, Event, State};
use crate::state::frame;
use crate::state::{Effect as Outer, System};
use butterfly_api::conversations::Transcript;
use butterfly_api::session::Place;

impl State {
    /// Opens a conversation, or a new one.
    pub(super) fn open(&mut self, conversation: Option<u64>, message: Option<u64>) -> Vec<Outer> {
        let mut effects =
            vec![Outer::then(frame::Event::Show("chat")), Outer::System(System::Focus(super::COMPOSER.into()))];
        if conversation.is_some() && conversation == self.thread.id {
            if let Some(message) = message
                && !self.thread.jump_to(message)
            {
                effects.extend(self.reread());
            }
            return effects;
        }
        effects.extend(self.put_aside());
        let about = conversation.and_then(|id| self.list.find(id)).cloned();
        self.thread = match conversation {
            Some(id) => Thread::open(id, about.clone()),
            None => Thread::begin(),
        };
        if let Some(id) = conversation {
            self.list.unread.remove(&id);
            self.thread.run = self.runs.iter().find(|(_, run)| run.conversation == Some(id)).map(|(run, _)| *run);
        }
        let revision = self.composer.revision + 1;
        self.composer = match self.asides.remove(&conversation) {
            Some(Aside { draft, queue }) => Composer::with(draft, queue),
            None => Composer::with(about.map(|about| about.draft.clone()).unwrap_or_default(), Default::default()),
        };
        self.composer.revision = revision;
        if let Some(message) = message {
            self.thread.jump_to(message);
        }
        effects.extend(self.reread());
        effects
    }

    /// Keeps what was typed for when this conversation is opened again.
    fn put_aside(&mut self) -> Vec<Outer> {
        let effects = self.save_draft();
        let draft = self.composer.draft().to_owned();
        let queue = std::mem::take(&mut self.composer.queue);
        let key = self.thread.id;
        if draft.is_empty() && queue.is_empty() && key.is_none() {
            self.asides.remove(&key);
        } else {
            self.asides.insert(key, Aside { draft, queue });
        }
        effects
    }

    pub(super) fn typed(&mut self, text: String) -> Vec<Outer> {
        self.composer.typed(text);
        self.draft_later()
    }

    /// The beginning of a command, for who chose it by a button.
    pub(super) fn prefill(&mut self, text: String) -> Vec<Outer> {
        if self.composer.is_blank() {
            self.composer.set(text);
            self.composer.completion = Some(0);
        }
        vec![Outer::System(System::Focus(super::COMPOSER.into()))]
    }

    pub(super) fn draft_later(&self) -> Vec<Outer> {
        let Some(conversation) = self.thread.id.filter(|_| self.composer.editing.is_none()) else { return Vec::new() };
        vec![Outer::Chat(Effect::DraftLater { conversation, version: self.composer.version })]
    }

    /// Whether something was typed in this conversation and not sent.
    #[must_use]
    pub fn has_draft(&self, conversation: u64) -> bool {
        let draft = if self.thread.id == Some(conversation) {
            self.composer.draft()
        } else if let Some(aside) = self.asides.get(&Some(conversation)) {
            &aside.draft
        } else {
            self.list.find(conversation).map_or("", |known| &known.draft)
        };
        !draft.trim().is_empty()
    }

    pub(super) fn draft_due(&mut self, conversation: u64, version: u64) -> Vec<Outer> {
        if self.thread.id == Some(conversation) && self.composer.version == version {
            return self.save_draft();
        }
        Vec::new()
    }

    fn save_draft(&mut self) -> Vec<Outer> {
        let Some(conversation) = self.thread.id else { return Vec::new() };
        let composer = &mut self.composer;
        if composer.saved == composer.version || composer.draft().len() > DRAFT_LIMIT {
            return Vec::new();
        }
        composer.saved = composer.version;
        vec![Outer::Chat(Effect::SaveDraft { conversation, text: composer.draft().to_owned() })]
    }

    /// What the completion offers now.
    #[must_use]
    pub fn completions(&self) -> Vec<slash::Completion> {
        if self.composer.completion.is_none() {
            return Vec::new();
        }
        let names: Option<Vec<_>> =
            self.models.as_ref().map(|models| models.models.iter().map(|it| it.name.clone()).collect());
        slash::complete(&self.composer.text, &names.unwrap_or_default(), &self.profiles)
    }

    /// The chosen completion becomes the text; a whole command is run.
    pub(super) fn accept(&mut self) -> Vec<Outer> {
        let Some(at) = self.composer.completion else { return Vec::new() };
        let mut offered = self.completions();
        if offered.is_empty() {
            return Vec::new();
        }
        let chosen = offered.swap_remove(at.min(offered.len() - 1));
        let whole = chosen.whole;
        self.composer.set(chosen.text);
        if whole && !self.composer.text.ends_with(' ') {
            return self.send();
        }
        self.composer.completion = Some(0);
        Vec::new()
    }

    /// Sends what was typed, or runs it as a command.
    pub(super) fn send(&mut self) -> Vec<Outer> {
        if self.composer.is_blank() {
            return Vec::new();
        }
        if self.composer.editing.is_none()
            && let Some(command) = Slash::parse(&self.composer.text)
        {
            if !matches!(command, Slash::Incomplete(_) | Slash::Unknown(_)) {
                let _ = self.composer.take();
            }
            let mut effects = self.command(command);
            effects.extend(self.draft_later());
            return effects;
        }
        let (text, editing) = self.composer.take();
        let text = text.trim_end().to_owned();
        let mut effects = match editing {
            Some(message) => self.say(text, Place::InsteadOf(message)),
            None => self.say(text, Place::End),
        };
        effects.extend(self.save_draft());
        effects
    }

    pub(super) fn edit(&mut self, message: u64) -> Vec<Outer> {
        let Some(text) = self.thread.find(message).map(|message| message.text.clone()) else { return Vec::new() };
        let draft = self.composer.draft().to_owned();
        self.composer.set(text);
        self.composer.editing = Some((message, draft));
        vec![Outer::System(System::Focus(super::COMPOSER.into()))]
    }

    pub(super) fn read(
        &mut self,
        conversation: u64,
        request: u64,
        result: Result<Box<Transcript>, String>,
    ) -> Vec<Outer> {
        if self.thread.id != Some(conversation) || self.thread.request != request {
            return Vec::new();
        }
        let transcript = match result {
            Ok(transcript) => *transcript,
            Err(why) => {
                if self.thread.phase != super::list::Phase::Ready {
                    self.thread.phase = super::list::Phase::Failed(why);
                }
                return Vec::new();
            }
        };
        let first_time = self.thread.messages.is_empty();
        // A draft that was saved elsewhere, where nothing was typed here yet.
        if first_time && self.composer.version == 0 && self.composer.text != transcript.conversation.draft {
            self.composer.set(transcript.conversation.draft.clone());
            (self.composer.version, self.composer.saved) = (0, 0);
        }
        self.list.upsert(transcript.conversation.clone());
        let sought = self.thread.target.map(|(message, _)| message).filter(|it| self.thread.find(*it).is_none());
        self.thread.take(transcript);
        let mut effects = Vec::new();
        if let Some(run) = self.thread.run {
            if self.runs.get(&run).is_none_or(|run| run.over) {
                effects.push(self.forget_run(run));
            } else {
                self.thread.leave_out_streaming();
                self.cut_for(run);
            }
        }
        match sought {
            Some(message) => {
                self.thread.jump_to(message);
            }
            None if first_time => self.thread.jump_to_end(),
            None => {}
        }
        if std::mem::take(&mut self.thread.send_next) {
            effects.extend(self.send_queued());
        }
        effects
    }

    pub(super) fn read_earlier(
        &mut self,
        conversation: u64,
        _before: u64,
        result: Result<Box<Transcript>, String>,
    ) -> Vec<Outer> {
        if self.thread.id != Some(conversation) || !self.thread.reading_earlier {
            return Vec::new();
        }
        match result {
            Ok(transcript) => {
                self.thread.take_earlier(*transcript);
                Vec::new()
            }
            Err(why) => {
                self.thread.reading_earlier = false;
                vec![Outer::then(Event::Failed(why))]
            }
        }
    }

    /// What stands for the person's words of a run that the transcript does not have yet.
    #[must_use]
    pub fn pending(&self) -> Option<Shared<String>> {
        let run = self.runs.get(&self.thread.run?)?;
        let known = run.message.is_some_and(|message| self.thread.find(message).is_some());
        (!known && !run.text.is_empty()).then(|| Shared::new(run.text.clone()))
    }
}
