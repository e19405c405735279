//! A conversation as a document: JSON that a later program, or another home, reads back without a loss.
//!
//! Messages are numbered within the document, so that it says the same wherever it comes from. What was derived from
//! them (facts, summaries, vectors, explanations) is not in it: it is made again.

use crate::error::StoreError;
use crate::transcripts::conversations::DRAFT_BYTES;
use crate::transcripts::fits;
use butterfly_api::conversations::MessageState;
use butterfly_api::model::{Role, ToolCall, Usage};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// What `format` says.
pub const FORMAT: &str = "butterfly-conversation";

/// The version that is written. Older ones, once there are any, are read as well.
pub const VERSION: u32 = 1;

/// Bytes of a document that is read: more than a lifetime of typing, and a bound on what one import takes of memory.
pub const DOCUMENT_BYTES: usize = 256 << 20;

/// Bytes of a title, a speaker's, a model's or an external name.
const NAME_BYTES: usize = 1024;

/// One conversation with all its branches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    pub format: String,
    pub version: u32,
    /// The name that an earlier import gave it.
    pub external_id: Option<String>,
    pub title: String,
    /// A person gave the title.
    pub renamed: bool,
    pub created_unix_ms: i64,
    pub updated_unix_ms: i64,
    pub pinned: bool,
    pub draft: String,
    pub profile: Option<String>,
    /// Of the model that answered last; 0 where none did.
    pub context_tokens: i64,
    /// The last message of the active branch.
    pub head: Option<u32>,
    /// Numbered from 1; what a message follows stands before it.
    pub messages: Vec<Entry>,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub number: u32,
    /// What it follows; `None`: it is the first of a branch.
    pub parent: Option<u32>,
    /// The number of the person's message that it is, or belongs to; one beyond the last where that was forgotten.
    pub turn: u32,
    /// Its place in the answer, from 0; -1: it is the person's message.
    pub part: i32,
    /// Which answer it belongs to, from 0; of a person's message: the last one that was begun.
    pub attempt: i64,
    pub role: Role,
    pub speaker: String,
    pub text: String,
    pub state: MessageState,
    pub at_unix_ms: i64,
    /// The bits of [`butterfly_api::conversations::StoredMessage::provenance`].
    pub provenance: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tags: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub thinking: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<String>,
}

impl Document {
    /// As text, with a line's end at its end.
    ///
    /// # Errors
    /// [`StoreError::Json`].
    pub fn text(&self) -> Result<String, StoreError> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }

    /// Reads and checks all of it.
    ///
    /// # Errors
    /// [`StoreError::Refused`], which names the first message that is not right.
    pub fn parse(bytes: &[u8]) -> Result<Self, StoreError> {
        #[derive(Deserialize)]
        struct Kind {
            format: String,
            version: u32,
        }
        let kind: Kind = serde_json::from_slice(bytes).map_err(|error| {
            StoreError::Refused(format!(
                "the file is not an exported conversation ({error}); export one as JSON with `butterfly conversations export`"
            ))
        })?;
        if kind.format != FORMAT {
            return Err(StoreError::Refused(format!(
                "the file is a {:?} and not a {FORMAT}; export a conversation with `butterfly conversations export`",
                kind.format
            )));
        }
        if kind.version != VERSION {
            return Err(StoreError::Refused(format!(
                "the file has version {} of its format and this program reads {VERSION}; use the program that wrote it",
                kind.version
            )));
        }
        let document: Self = serde_json::from_slice(bytes)
            .map_err(|error| StoreError::Refused(format!("the file is damaged ({error}); export it again")))?;
        document.check()?;
        Ok(document)
    }

    fn check(&self) -> Result<(), StoreError> {
        let refused = |what: String| Err(StoreError::Refused(format!("{what}; export it again")));
        let named = [Some(&self.title), self.external_id.as_ref(), self.profile.as_ref()];
        if named.into_iter().flatten().any(|name| name.len() > NAME_BYTES) || self.draft.len() > DRAFT_BYTES {
            return refused("the file's title, name, profile or draft is longer than any may be".to_owned());
        }
        let count = u32::try_from(self.messages.len()).unwrap_or(u32::MAX);
        if self.head.is_some_and(|head| head == 0 || head > count) || (self.head.is_none() && count > 0) {
            return refused("the file names no message as the end of its active branch, or none of its own".to_owned());
        }
        let mut places = HashSet::new();
        let mut names = HashSet::new();
        for (before, entry) in (0_u32..).zip(&self.messages) {
            let number = entry.number;
            if number != before + 1 {
                return refused(format!("message {} of the file has number {number}", before + 1));
            }
            if entry.parent.is_some_and(|parent| parent == 0 || parent >= number) {
                return refused(format!("message {number} of the file follows one that does not stand before it"));
            }
            // A person's message is its own turn; an answer's turn is such a message before it, or one that is gone.
            let opening = entry.part == -1;
            let turn = self.messages.get((entry.turn as usize).wrapping_sub(1));
            let right = match turn {
                Some(turn) if opening => turn.number == number,
                Some(turn) => turn.part == -1 && turn.number < number && entry.attempt <= turn.attempt,
                None => !opening && entry.turn > count,
            };
            if !right || entry.part < -1 || entry.attempt < 0 {
                return refused(format!("message {number} of the file belongs to no turn"));
            }
            if !places.insert((entry.turn, if opening { 0 } else { entry.attempt }, entry.part)) {
                return refused(format!("message {number} of the file has the place of another one"));
            }
            if entry.external_id.as_ref().is_some_and(|name| !names.insert(name)) {
                return refused(format!("message {number} of the file has the name of another one"));
            }
            let short =
                [Some(&entry.speaker), Some(&entry.model), entry.external_id.as_ref(), entry.tool_call_id.as_ref()];
            if short.into_iter().flatten().any(|name| name.len() > NAME_BYTES) {
                return refused(format!("message {number} of the file has a name that is longer than any may be"));
            }
            fits(entry.bytes())?;
        }
        Ok(())
    }
}

impl Entry {
    fn bytes(&self) -> usize {
        let calls = self.tool_calls.iter().map(|call| call.id.len() + call.name.len() + call.arguments.len());
        let images = self.images.iter().map(String::len);
        let rest = self.error.as_ref().map_or(0, String::len) + self.tags.len();
        self.text.len() + self.thinking.len() + rest + calls.sum::<usize>() + images.sum::<usize>()
    }
}
