//! What any store must be able to do, whatever it is made of. [`crate::Store`] is the one there is; the tests in this
//! folder say what another one would have to hold to.
//!
//! Jobs, grants and the audit log join with the workers that need them.

mod sqlite;

use crate::error::StoreError;
use crate::search::words::Frequent;
use butterfly_api::conversations::{
    Begin, Begun, BranchRequest, Conversation, ConversationPage, Format, Hits, Imported, ListRequest, Save,
    SearchRequest, ShowRequest, Transcript, Update,
};
use butterfly_api::memory::{Correction, Fact, Facts, FactsRequest, GraphRequest, GraphView, Passage, Passages};

pub use crate::facts::Statement;
pub use crate::passages::Note;
pub use crate::settings::{Edit, Stored};
pub use crate::transcripts::saving::Kept;

/// A conversation written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub text: String,
    pub messages: u32,
}

/// All that was said. Each method is one transaction: done and durable when it returns `Ok`, not done otherwise. Times are
/// Unix ms.
pub trait Transcripts: Send + Sync {
    /// Begins a turn; the same key begins the same one.
    ///
    /// # Errors
    /// [`StoreError::Refused`], [`StoreError::NotFound`], or the store's own.
    fn begin(&self, request: &Begin, now_ms: i64) -> Result<Begun, StoreError>;

    /// Keeps a message of an answer, as far as it has come.
    ///
    /// # Errors
    /// As above; a message that is over is never changed.
    fn save(&self, request: &Save, provenance: u16, now_ms: i64) -> Result<Kept, StoreError>;

    /// Marks what nobody is saying any more, and returns the conversations with the number of messages.
    ///
    /// # Errors
    /// The store's own.
    fn recover(&self) -> Result<(Vec<u64>, u32), StoreError>;

    /// A page of conversations.
    ///
    /// # Errors
    /// The store's own.
    fn conversations(&self, request: &ListRequest) -> Result<ConversationPage, StoreError>;

    /// A page of the active branch.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    fn transcript(&self, request: &ShowRequest) -> Result<Transcript, StoreError>;

    /// Finds words in titles and messages.
    ///
    /// # Errors
    /// The store's own.
    fn find(&self, request: &SearchRequest, frequent: &Frequent) -> Result<Hits, StoreError>;

    /// Renames, pins, keeps a draft, chooses a profile.
    ///
    /// # Errors
    /// [`StoreError::Refused`], [`StoreError::NotFound`].
    fn change(&self, request: &Update) -> Result<Conversation, StoreError>;

    /// Switches to the branch through a message.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    fn branch(&self, request: BranchRequest) -> Result<Conversation, StoreError>;

    /// Puts a conversation into the trash.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    fn trash(&self, conversation: u64, now_ms: i64) -> Result<Conversation, StoreError>;

    /// Takes one out of the trash.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    fn untrash(&self, conversation: u64) -> Result<Conversation, StoreError>;

    /// Writes a conversation down.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    fn write_down(&self, conversation: u64, format: Format) -> Result<Written, StoreError>;

    /// Reads one that was written down as JSON.
    ///
    /// # Errors
    /// [`StoreError::Refused`]: then nothing was imported.
    fn read_back(&self, document: &[u8]) -> Result<Imported, StoreError>;
}

/// What was noted.
pub trait Memories: Send + Sync {
    /// Notes something, and says whether the very same was known.
    ///
    /// # Errors
    /// [`StoreError::Refused`].
    fn note(&self, note: &Note) -> Result<(u64, bool), StoreError>;

    /// One passage.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    fn passage(&self, id: u64) -> Result<Passage, StoreError>;

    /// Passages, newest first.
    ///
    /// # Errors
    /// The store's own.
    fn passages(&self, request: &butterfly_api::memory::ListRequest) -> Result<Passages, StoreError>;
}

/// What is held to be true, and how it is linked.
pub trait Graph: Send + Sync {
    /// Records a statement of a passage.
    ///
    /// # Errors
    /// [`StoreError::Refused`].
    fn state(&self, statement: &Statement, source: u64, now_ms: i64) -> Result<Fact, StoreError>;

    /// What holds, or held then.
    ///
    /// # Errors
    /// The store's own.
    fn held(&self, request: &FactsRequest, now_ms: i64) -> Result<Facts, StoreError>;

    /// Ends a fact by a correction.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Refused`].
    fn correct(&self, correction: &Correction, now_ms: i64) -> Result<Facts, StoreError>;

    /// Entities, events and facts around something.
    ///
    /// # Errors
    /// The store's own.
    fn around(&self, request: &GraphRequest) -> Result<GraphView, StoreError>;
}

/// What is set.
pub trait Configuration: Send + Sync {
    /// All of it.
    ///
    /// # Errors
    /// The store's own.
    fn settings(&self) -> Result<Stored, StoreError>;

    /// Carries out all of these edits, or none.
    ///
    /// # Errors
    /// The store's own.
    fn edit(&self, edits: &[Edit]) -> Result<(), StoreError>;
}

/// A whole store.
pub trait Storage: Transcripts + Memories + Graph + Configuration {}

impl<T: Transcripts + Memories + Graph + Configuration> Storage for T {}

#[cfg(test)]
mod conformance;
