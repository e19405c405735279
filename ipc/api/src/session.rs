//! Conversations: the agent loop as a service. Served by brains.

use crate::model::Usage;
use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// Where in a conversation something is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// After the last message of the active branch.
    #[default]
    End,
    /// Instead of this message of the person's, as a branch beside it.
    InsteadOf(u64),
    /// Nothing new is said: the message of the person's that this message is, or answers, is answered once more, as a
    /// branch beside the earlier answer. The request's text is not read.
    Again(u64),
}

/// Say something in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct SendRequest {
    /// Which conversation, or `None` to begin one.
    pub conversation: Option<u64>,
    pub text: String,
    pub place: Place,
    /// Go on though nothing can be saved: what is said is gone with the process.
    pub unsaved: bool,
    /// The model for this turn, or `None` for the one in use.
    pub model: Option<String>,
}

/// What happens while a turn is answered.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TurnItem {
    /// First: the conversation, the turn's number in it, from 1, the trace that `butterfly trace` shows, and the id of the
    /// person's message in the transcript, which `butterfly memory explain` takes (0: unsaved). It is durable by now.
    Started {
        conversation: u64,
        turn: u32,
        trace: u64,
        message: u64,
    },
    Thinking {
        text: String,
    },
    Text {
        text: String,
    },
    /// Something the person should know: the model is loading, earlier turns no longer fit, a worker came back.
    Notice {
        text: String,
    },
    Usage(Usage),
    /// The turn waits until the vault has this secret, or until it is stopped.
    NeedsSecret {
        name: String,
        why: String,
    },
}

/// Why a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The answer is complete.
    Complete,
    /// The model ran into its length limit.
    Length,
    /// Somebody stopped it.
    Stopped,
}

/// The end of a turn.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct TurnEnd {
    pub reason: EndReason,
    /// The model that answered.
    pub model: String,
}

/// Argument of `stop`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct StopRequest {
    pub conversation: u64,
}

/// Reply of `stop`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Stopped {
    /// Whether an answer was running.
    pub was_running: bool,
}

/// Argument of `use_model`: the model for turns that name none, or `None` to let the model worker choose again.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct UseModel {
    pub model: Option<String>,
}

crate::service! {
    /// The agent loop.
    pub trait Session in session;
    /// Answers what was said.
    stream Send = SEND send(SendRequest) => TurnEnd, yields TurnItem;
    /// Stops the answer that runs in a conversation; what was said of it stays.
    unary Stop = STOP stop(StopRequest) => Stopped;
    /// Sets the model for turns that name none.
    unary SetModel = USE_MODEL use_model(UseModel) => ();
}
