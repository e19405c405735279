//! Transcripts: all that was said, append-only. Served by memory.
//!
//! A conversation is a tree of messages: editing and answering again make branches, and nothing is overwritten. One
//! branch is active. A *turn* is a message of a person's with what followed it; it has that message's id.

use crate::Chunk;
use crate::memory::Shown;
use crate::model::{Message, Role, ToolCall, Usage};
use crate::session::Place;
use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// How far a message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// It is being said.
    Streaming,
    /// It is whole.
    Complete,
    /// It was stopped, or broken off by a failure, after something was said.
    Interrupted,
    /// Nothing was said because of a failure.
    Failed,
}

/// Argument of `begin`: the first thing that happens in a turn, and durable when it is answered.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Begin {
    /// Random, made by the caller: the same key begins the same turn, so that a retry does not say it twice.
    pub key: u64,
    /// `None` begins a conversation.
    pub conversation: Option<u64>,
    pub place: Place,
    pub text: String,
    /// The bits of [`butterfly_wire::Provenance`] that the words carry.
    pub provenance: u16,
}

/// Reply of `begin`: what the model needs to know of what was said before.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Begun {
    pub conversation: u64,
    /// The id of the person's message.
    pub turn: u64,
    /// The turn's number in its branch, from 1.
    pub number: u32,
    /// What is to be answered.
    pub text: String,
    /// Earlier turns of the branch, oldest first, as many as half a frame holds.
    pub earlier: Vec<PastTurn>,
    /// Earlier turns that are not in `earlier`.
    pub left_out: u32,
    /// The summary of the oldest turns, if there is one.
    pub summary: Option<Summary>,
    /// The conversation's settings profile.
    pub profile: Option<String>,
}

/// A turn that is over.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PastTurn {
    pub turn: u64,
    pub number: u32,
    pub user: String,
    /// What followed: the assistant's messages and tools' results, in order.
    pub exchange: Vec<Message>,
    /// Of the last message that followed; [`MessageState::Failed`] if none did.
    pub state: MessageState,
}

/// What stands for older turns in the prompt. The turns themselves stay.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Summary {
    pub id: u64,
    pub text: String,
    pub tags: Vec<String>,
    /// The turns that it sums up: the first and the last, and when they were said (Unix time in ms).
    pub first_turn: u64,
    pub last_turn: u64,
    pub from_unix_ms: u64,
    pub to_unix_ms: u64,
    pub model: String,
}

/// Argument of `save`: one message of an answer, as far as it has come. Saving again replaces what was saved of it
/// while it was being said.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Save {
    pub turn: u64,
    /// Which message of the exchange, from 0.
    pub part: u32,
    pub message: Message,
    pub state: MessageState,
    /// The model that answers.
    pub model: String,
    pub usage: Option<Usage>,
    /// Why it failed or was broken off, for people.
    pub error: Option<String>,
    /// What the model was shown for this turn, with the first save that knows.
    pub shown: Option<Shown>,
}

/// Reply of `save`: durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Saved {
    pub message: u64,
}

/// Reply of `recover`: what nobody is saying any more was marked as interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Recovered {
    pub interrupted: u32,
}

/// One conversation.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Conversation {
    pub id: u64,
    /// The name that an import gave it.
    pub external_id: Option<String>,
    /// The first words that were said in it, or what it was renamed to.
    pub title: String,
    pub created_unix_ms: u64,
    pub updated_unix_ms: u64,
    /// Messages in all branches.
    pub messages: u32,
    pub pinned: bool,
    /// What was typed and not sent.
    pub draft: String,
    /// The settings profile that it uses.
    pub profile: Option<String>,
    /// When it was put in the trash; it is deleted for good 30 days later.
    pub trashed_unix_ms: Option<u64>,
}

/// Argument of `list`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct ListRequest {
    pub offset: u32,
    /// At most 200.
    pub limit: u32,
    /// Those in the trash instead of those that are not.
    pub trash: bool,
}

/// Reply of `list`: pinned ones first, then the one that was spoken in last.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConversationPage {
    pub conversations: Vec<Conversation>,
    pub total: u32,
}

/// Argument of `show`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ShowRequest {
    pub conversation: u64,
    /// Only what stands before this message of the active branch; `None`: the end.
    pub before: Option<u64>,
    /// At most this many, fewer where they would not fit half a frame.
    pub limit: u32,
}

/// Reply of `show`.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize)]
pub struct Transcript {
    pub conversation: Conversation,
    /// Of the active branch, oldest first.
    pub messages: Vec<StoredMessage>,
    /// Whether more stands before.
    pub more: bool,
}

/// A message as it is kept.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize)]
pub struct StoredMessage {
    pub id: u64,
    pub external_id: Option<String>,
    pub parent: Option<u64>,
    /// The turn that it belongs to.
    pub turn: u64,
    pub role: Role,
    pub speaker: String,
    pub text: String,
    pub thinking: String,
    pub tool_calls: Vec<ToolCall>,
    pub tool_call_id: Option<String>,
    pub state: MessageState,
    pub error: Option<String>,
    pub model: String,
    /// The bits of [`butterfly_wire::Provenance`].
    pub provenance: u16,
    pub usage: Option<Usage>,
    pub at_unix_ms: u64,
    /// The messages that stand at this place in some branch, itself included, oldest first.
    pub versions: Vec<u64>,
}

/// Argument of `search`: in titles and in what was said.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SearchRequest {
    pub query: String,
    /// At most 100.
    pub limit: u32,
}

/// Reply of `search`, best first.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Hits {
    pub hits: Vec<Hit>,
}

/// One place where it was found.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Hit {
    pub conversation: u64,
    pub title: String,
    /// `None`: in the title.
    pub message: Option<u64>,
    pub speaker: String,
    pub at_unix_ms: u64,
    /// The words around it.
    pub snippet: String,
    /// What of the snippet matched, as byte ranges from and to.
    pub matches: Vec<(u32, u32)>,
}

/// Argument of `update`: what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Update {
    pub conversation: u64,
    pub title: Option<String>,
    pub pinned: Option<bool>,
    pub draft: Option<String>,
    /// The empty name: none.
    pub profile: Option<String>,
}

/// Names a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Which {
    pub conversation: u64,
}

/// Argument of `branch`: the branch through this message becomes the active one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct BranchRequest {
    pub message: u64,
}

/// What an export is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// All branches and all that is known of them; `import` reads it back.
    Json,
    /// The active branch, to be read by people.
    Markdown,
}

/// Argument of `export`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ExportRequest {
    pub conversation: u64,
    pub format: Format,
}

/// The end of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Exported {
    pub messages: u32,
    pub bytes: u64,
}

/// Reply of `import`: all of it, or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Imported {
    pub conversation: u64,
    pub title: String,
    pub messages: u32,
}

/// Event: a conversation changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Changed {
    pub conversation: u64,
}

crate::service! {
    /// Transcripts.
    pub trait Conversations in conversations;
    /// Begins a turn: what the person said is durable when this is answered.
    unary BeginTurn = BEGIN begin(Begin) => Begun;
    /// Keeps an answer as it comes.
    unary SaveMessage = SAVE save(Save) => Saved;
    /// Marks what nobody is saying any more: for the one who says it, at its start.
    unary Recover = RECOVER recover(()) => Recovered;
    /// Conversations, a page at a time.
    unary List = LIST list(ListRequest) => ConversationPage;
    /// What was said in one, from its end.
    unary Show = SHOW show(ShowRequest) => Transcript;
    /// Finds words in titles and messages.
    unary Search = SEARCH search(SearchRequest) => Hits;
    /// Renames, pins, keeps a draft, chooses a profile.
    unary Change = UPDATE update(Update) => Conversation;
    /// Switches to another branch.
    unary Branch = BRANCH branch(BranchRequest) => Conversation;
    /// Puts one into the trash.
    unary Delete = DELETE delete(Which) => Conversation;
    /// Takes one out of the trash.
    unary Restore = RESTORE restore(Which) => Conversation;
    /// Writes one down.
    stream Export = EXPORT export(ExportRequest) => Exported, yields Chunk;
    /// Reads one that was exported as JSON.
    upload Import = IMPORT import(()) => Imported, takes Chunk;
}
