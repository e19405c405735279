//! The conversation that is open: the part of its transcript that was read, and the part of that which is shown.

use super::list::Phase;
use super::shared::Shared;
use butterfly_api::conversations::{Conversation, MessageState, StoredMessage, Transcript};
use butterfly_api::model::Role;
use std::ops::Range;

/// Messages that are shown at first: several screens.
const WINDOW: usize = 60;

/// Messages that come into the window when its edge is near.
const STEP: usize = 40;

/// Messages in the window at most; beyond, the far edge gives way.
const LIMIT: usize = 160;

/// Messages asked for at once.
pub const PAGE: u32 = 100;

/// The open conversation.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Thread {
    /// `None`: it begins with the next message.
    pub id: Option<u64>,
    pub about: Option<Shared<Conversation>>,
    pub phase: Phase,
    /// What people and the assistant said, oldest first; tools' results are not among it.
    pub messages: Vec<Shared<StoredMessage>>,
    /// The oldest message that was read, shown or not: earlier ones are asked for by it.
    oldest: Option<u64>,
    /// More stands before.
    pub more: bool,
    /// Earlier messages are on their way.
    pub reading_earlier: bool,
    /// The answer that runs here.
    pub run: Option<u64>,
    /// The last answer is complete: what waits is sent when the transcript is there.
    pub send_next: bool,
    /// What of `messages` is shown.
    window: Range<usize>,
    /// The end is in sight: what comes is followed.
    pub at_end: bool,
    /// Counts requests to go to the end.
    pub jumps: u64,
    /// A message to go to, and how often that was asked for.
    pub target: Option<(u64, u64)>,
    /// What the program said while a turn was answered, by the turn. It is not saved.
    pub notices: Vec<(u64, Vec<String>)>,
    /// The number of the request whose answer counts.
    pub request: u64,
}

impl Thread {
    /// One that has not begun.
    #[must_use]
    pub fn begin() -> Self {
        Self { phase: Phase::Ready, at_end: true, ..Self::default() }
    }

    /// One whose transcript is yet to be read.
    #[must_use]
    pub fn open(id: u64, about: Option<Shared<Conversation>>) -> Self {
        Self { id: Some(id), about, at_end: true, ..Self::default() }
    }

    /// Its end was read anew. Messages that did not change stay the very same ones, and the window where it was.
    pub fn take(&mut self, transcript: Transcript) {
        self.phase = Phase::Ready;
        self.about = Some(Shared::new(transcript.conversation));
        self.oldest = transcript.messages.first().map(|message| message.id);
        self.more = transcript.more;
        self.reading_earlier = false;
        let first_shown = self.shown().first().map(|message| message.id);
        let old = std::mem::take(&mut self.messages);
        self.messages = transcript
            .messages
            .into_iter()
            .filter(is_shown)
            .map(|message| {
                let same = old.iter().find(|known| known.id == message.id && ***known == message);
                same.cloned().unwrap_or_else(|| Shared::new(message))
            })
            .collect();
        let len = self.messages.len();
        let from = first_shown.and_then(|id| self.position(id));
        self.window = if self.at_end {
            from.unwrap_or(usize::MAX).min(len.saturating_sub(WINDOW)).max(len.saturating_sub(LIMIT))..len
        } else {
            let from = from.unwrap_or_else(|| len.saturating_sub(WINDOW));
            from..len.min(from + LIMIT)
        };
    }

    /// What stands before was read.
    pub fn take_earlier(&mut self, transcript: Transcript) {
        self.reading_earlier = false;
        self.more = transcript.more;
        if let Some(first) = transcript.messages.first() {
            self.oldest = Some(first.id);
        }
        let mut messages: Vec<_> = transcript.messages.into_iter().filter(is_shown).map(Shared::new).collect();
        let added = messages.len();
        messages.append(&mut self.messages);
        self.messages = messages;
        self.window = self.window.start + added..self.window.end + added;
        self.widen_up();
    }

    /// What is shown.
    #[must_use]
    pub fn shown(&self) -> &[Shared<StoredMessage>] {
        self.messages.get(self.window.clone()).unwrap_or_default()
    }

    /// Whether the window reaches the end of the conversation.
    #[must_use]
    pub fn shows_end(&self) -> bool {
        self.window.end >= self.messages.len()
    }

    /// Whether the window begins where the conversation does.
    #[must_use]
    pub fn shows_beginning(&self) -> bool {
        self.window.start == 0 && !self.more
    }

    /// The upper edge is near. Returns the message before which more is to be read, if it is.
    pub fn near_top(&mut self) -> Option<u64> {
        if self.window.start > 0 {
            self.widen_up();
            return None;
        }
        let wanted = self.more && !self.reading_earlier && self.phase == Phase::Ready;
        let before = self.oldest.filter(|_| wanted)?;
        self.reading_earlier = true;
        Some(before)
    }

    /// The lower edge is near.
    pub fn near_end(&mut self) {
        let end = self.messages.len().min(self.window.end + STEP);
        self.window = self.window.start.max(end.saturating_sub(LIMIT))..end;
    }

    fn widen_up(&mut self) {
        let start = self.window.start.saturating_sub(STEP);
        let limit = start + LIMIT;
        if self.window.end > limit {
            self.at_end = false;
        }
        self.window = start..self.window.end.min(limit);
    }

    /// Shows the end.
    pub fn jump_to_end(&mut self) {
        let len = self.messages.len();
        self.window = len.saturating_sub(WINDOW)..len;
        self.at_end = true;
        self.jumps += 1;
        self.target = None;
    }

    /// Shows a message. Returns whether it was read.
    pub fn jump_to(&mut self, message: u64) -> bool {
        let times = self.target.map_or(0, |(_, times)| times) + 1;
        let Some(at) = self.position(message) else {
            self.target = Some((message, times));
            return false;
        };
        let from = at.saturating_sub(WINDOW / 2);
        self.window = from..self.messages.len().min(from + WINDOW);
        self.at_end = false;
        self.target = Some((message, times));
        true
    }

    #[must_use]
    pub fn position(&self, message: u64) -> Option<usize> {
        self.messages.iter().position(|known| known.id == message)
    }

    #[must_use]
    pub fn find(&self, message: u64) -> Option<&Shared<StoredMessage>> {
        self.messages.iter().find(|known| known.id == message)
    }

    /// The person's last message.
    #[must_use]
    pub fn last_asked(&self) -> Option<&Shared<StoredMessage>> {
        self.messages.iter().rev().find(|message| message.role == Role::User)
    }

    /// The assistant's last message, if it is the end.
    #[must_use]
    pub fn last_answer(&self) -> Option<&Shared<StoredMessage>> {
        self.messages.last().filter(|message| message.role == Role::Assistant)
    }

    /// The last thing that the assistant said.
    #[must_use]
    pub fn last_reply(&self) -> Option<&Shared<StoredMessage>> {
        self.messages.iter().rev().find(|it| it.role == Role::Assistant && !it.text.is_empty())
    }

    /// Cuts off what stands from this message on, because something else will stand there; with `keep` after it.
    pub fn cut(&mut self, message: u64, keep: bool) {
        if let Some(at) = self.position(message) {
            self.messages.truncate(if keep { at + 1 } else { at });
            let len = self.messages.len();
            self.window = self.window.start.min(len.saturating_sub(1))..self.window.end.min(len);
        }
    }

    /// Leaves out what a run of this window shows itself.
    pub fn leave_out_streaming(&mut self) {
        let len = self.messages.len();
        self.messages.retain(|message| message.state != MessageState::Streaming);
        let gone = len - self.messages.len();
        self.window.end = self.window.end.saturating_sub(gone).max(self.window.start.min(self.messages.len()));
    }

    /// How many messages are to be read again: all that were, or at the end only the last ones, so that a conversation
    /// takes no more the longer it goes on. Earlier ones are read once more when somebody scrolls up to them.
    #[must_use]
    pub fn count(&self) -> u32 {
        if self.at_end { PAGE } else { u32::try_from(self.messages.len()).unwrap_or(u32::MAX).max(PAGE) }
    }

    /// What of the model's context the last answer used, and the context, in tokens.
    #[must_use]
    pub fn context(&self) -> Option<(u32, u32)> {
        let usage = self.messages.iter().rev().find_map(|message| message.usage)?;
        let used = usage.input_tokens.saturating_add(usage.output_tokens);
        (usage.context_tokens > 0).then_some((used, usage.context_tokens))
    }

    /// What the program said while this turn was answered.
    #[must_use]
    pub fn notices(&self, turn: u64) -> &[String] {
        self.notices.iter().find(|(it, _)| *it == turn).map_or(&[], |(_, notices)| notices)
    }
}

/// Tools' results and the system's words are no part of the talk; neither is a message that only asks for tools.
fn is_shown(message: &StoredMessage) -> bool {
    match message.role {
        Role::User => true,
        Role::Assistant => {
            message.tool_calls.is_empty() || !message.text.is_empty() || message.state != MessageState::Complete
        }
        Role::System | Role::Tool => false,
    }
}
