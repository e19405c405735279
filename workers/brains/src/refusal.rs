//! Why a turn does not begin.

use butterfly_wire::{ErrorCode, Failure};
use thiserror::Error;

/// Bytes that one message of a person's may have. A quarter of a frame: with the answer to it, it still leaves room.
pub const TEXT_LIMIT: usize = 256 << 10;

/// Why a turn cannot begin, as far as this worker decides it.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum Refusal {
    #[error("there is nothing to answer: the message is empty; say something")]
    Empty,
    #[error("the message has {0} bytes, more than the {TEXT_LIMIT} that are accepted; say it in several messages")]
    TooLong(usize),
    #[error("a message can be said anew only in the conversation that it belongs to; name that conversation")]
    NoConversation,
    #[error(
        "there is no unsaved conversation {0} here: it was gone with a restart or made room for newer ones; begin a new one"
    )]
    Unknown(u64),
    #[error(
        "conversation {0} is not being saved, and what was said in it cannot be saved any more; go on in it unsaved, or \
         begin a new one"
    )]
    NotSaved(u64),
    #[error("an unsaved conversation keeps no versions of what was said; say it again instead")]
    NoBranches,
    #[error("an answer is already running in this conversation; wait for its end or stop it first")]
    Running,
    #[error("as many answers are running as this assistant gives at once; wait for one of them to end")]
    Full,
    /// With what memory said.
    #[error(
        "this would not be saved: {0}; ask again when memory is back (`butterfly doctor memory` says what is wrong), or \
         talk without saving (`butterfly chat --unsaved`)"
    )]
    MemoryAway(String),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal {
            Refusal::Empty
            | Refusal::NoConversation
            | Refusal::Unknown(_)
            | Refusal::NotSaved(_)
            | Refusal::NoBranches => ErrorCode::BadPayload,
            Refusal::TooLong(_) => ErrorCode::TooLarge,
            Refusal::Running | Refusal::Full => ErrorCode::Busy,
            // Not `Unavailable`: this worker is there, and asking it once more at once is of no use.
            Refusal::MemoryAway(_) => ErrorCode::Internal,
        };
        Self::new(code, refusal.to_string())
    }
}

/// What a person may say in one message.
pub(crate) fn check_text(text: &str) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::Empty);
    }
    if text.len() > TEXT_LIMIT {
        return Err(Refusal::TooLong(text.len()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_and_overlong_texts_are_refused() {
        assert_eq!(check_text(" \n\t"), Err(Refusal::Empty));
        assert_eq!(check_text(&"x".repeat(TEXT_LIMIT + 1)), Err(Refusal::TooLong(TEXT_LIMIT + 1)));
        assert_eq!(check_text(&"x".repeat(TEXT_LIMIT)), Ok(()));
    }
}
