//! What happens to conversations, and what they need from the bus.

use super::dialog::{Dialog, Forgetting};
use super::{Fault, ForgetAnswer, Hidden};
use butterfly_api::conversations::{Conversation, ConversationPage, Format, Hit, Transcript, Update};
use butterfly_api::memory::Explanation;
use butterfly_api::model::Models;
use butterfly_api::session::{SendRequest, TurnEnd};
use std::path::PathBuf;

/// What happens to conversations.
#[derive(Debug, Clone)]
pub enum Event {
    /// The bus is there (again): whatever is shown is to be read anew.
    Connected,
    /// The bus is gone; what is known stays shown.
    Lost,

    /// Whatever is shown is to be read anew: something may have been missed, or could not be read.
    Reload,

    // The list.
    Listed {
        request: u64,
        offset: u32,
        result: Result<ConversationPage, String>,
    },
    MoreListed,
    /// A conversation is as this now.
    Touched(Box<Conversation>),
    /// Another branch of it is the active one.
    Branched(Box<Conversation>),
    /// A conversation was deleted for good.
    Gone(u64),
    Search(String),
    Found {
        request: u64,
        result: Result<Vec<Hit>, String>,
    },
    ShowTrash(bool),
    BeginRename(u64),
    CancelRename,
    Rename {
        conversation: u64,
        title: String,
    },
    Pin(u64),
    Delete(u64),
    Restore(u64),
    Deleted(Box<Conversation>),
    Restored(Box<Conversation>),
    Export {
        conversation: u64,
        format: Format,
    },
    Exported {
        name: String,
        messages: u32,
    },
    /// Something that was asked for could not be done; for people.
    Failed(String),

    // The open conversation.
    New,
    Open {
        conversation: u64,
        message: Option<u64>,
    },
    /// The place where something was said.
    OpenMessage {
        conversation: u64,
        message: u64,
    },
    /// The one so many places further down.
    Beside(isize),
    Read {
        conversation: u64,
        request: u64,
        result: Result<Box<Transcript>, String>,
    },
    ReadEarlier {
        conversation: u64,
        before: u64,
        result: Result<Box<Transcript>, String>,
    },
    /// What the program said while this turn was answered.
    Noticed {
        turn: u64,
        notices: Vec<String>,
    },
    NearTop,
    NearEnd,
    AtEnd(bool),
    Latest,
    Branch(u64),
    Copy(u64),
    CopyLast,
    Explain(u64),
    Explained {
        message: u64,
        result: Result<Box<Explanation>, String>,
    },

    // Saying something.
    Typed(String),
    Prefill(String),
    Complete(usize),
    CloseCompletion,
    Accept,
    Send,
    /// These words, as if they had been typed.
    Say(String),
    Unqueue(usize),
    SendQueued,
    Edit(u64),
    EditLast,
    CancelEdit,
    /// The message, or the one that it answers, is to be answered once more.
    Again(u64),
    Regenerate,
    Continue,
    Stop,
    StopRun(u64),
    Started {
        run: u64,
        conversation: u64,
        message: u64,
    },
    Ended {
        run: u64,
        result: Result<TurnEnd, Fault>,
    },
    DraftDue {
        conversation: u64,
        version: u64,
    },
    PickFile,
    DropFile(PathBuf),
    Quoted {
        name: String,
        text: String,
    },
    NotQuoted(String),

    // What is chosen, and dialogs.
    Models(Result<Box<Models>, String>),
    UseModel(Option<String>),
    Profiles(Vec<String>),
    UseProfile(Option<String>),
    Show(Dialog),
    CloseDialog,
    ToggleThinking,
    NeedsSecret {
        run: u64,
        name: String,
        why: String,
    },
    /// The turn goes on: the secret that it waited for is there.
    GoesOn {
        run: u64,
    },
    KeepSecret(Hidden),
    SecretKept {
        run: u64,
        note: Option<String>,
    },
    SecretRefused {
        run: u64,
        why: String,
    },
    DeclineSecret,
    Remember(String),
    Remembered {
        id: u64,
        known: bool,
    },
    Forget(Forgetting),
    ForgetAnswered {
        request: u64,
        result: Result<ForgetAnswer, String>,
    },
}

/// What conversations need from the bus.
#[derive(Debug, Clone)]
pub enum Effect {
    List {
        request: u64,
        offset: u32,
        trash: bool,
    },
    Search {
        request: u64,
        query: String,
    },
    /// The end, at least so many messages, and as far back as this one.
    Read {
        conversation: u64,
        request: u64,
        count: u32,
        until: Option<u64>,
    },
    ReadEarlier {
        conversation: u64,
        before: u64,
    },
    Say {
        run: u64,
        request: SendRequest,
    },
    Stop {
        conversation: u64,
    },
    Update(Update),
    /// Tells when a draft has rested.
    DraftLater {
        conversation: u64,
        version: u64,
    },
    SaveDraft {
        conversation: u64,
        text: String,
    },
    Branch {
        message: u64,
    },
    Delete(u64),
    Restore(u64),
    Export {
        conversation: u64,
        title: String,
        format: Format,
    },
    Explain {
        message: u64,
    },
    Models,
    UseModel(Option<String>),
    Profiles,
    Remember {
        text: String,
        conversation: Option<u64>,
    },
    ForgetSearch {
        request: u64,
        query: String,
    },
    Forget {
        request: u64,
        ids: Vec<u64>,
        dry_run: bool,
    },
    PickFile,
    ReadFile(PathBuf),
    KeepSecret {
        run: u64,
        name: String,
        value: Hidden,
    },
}
