//! Transcripts: conversations, what was said in them, and their branches.
//!
//! Messages form a tree per conversation (`parent_id`); the conversation's `head` names the last message of the active
//! branch. A *turn* is a person's message with what follows it. Answering it again makes another *attempt*, whose
//! messages stand beside the earlier ones. The functions take a connection inside a transaction ([`crate::Store::read`],
//! [`crate::Store::write`]) and the time in Unix ms, so that nothing here reads a clock.
//!
//! Invariants:
//! - Only a message that is still being said is ever changed; all else is added.
//! - A message's parent has a smaller id, so that the greatest id below a message is the end of a branch.
//! - A passage becomes `ready`, which is when it can be found, with the last save of its message.

pub mod branches;
pub mod conversations;
pub mod document;
pub mod export;
pub mod reading;
pub(crate) mod rows;
pub mod saving;
pub mod search;
mod snippets;
pub mod titles;
pub mod turns;

use crate::error::StoreError;

/// Who a person's messages are said by.
pub const USER: &str = "user";
/// Who a model's messages are said by.
pub const ASSISTANT: &str = "assistant";

/// Bytes of one reply that transcripts may fill: half a frame (1 MiB), as the rest carries what stands around them.
pub const PAGE_BYTES: usize = 512 << 10;

/// Bytes of one message with all that belongs to it. What is more could be kept, but never sent in one frame again.
pub const MESSAGE_BYTES: usize = 768 << 10;

/// Bytes that a message is counted with beside its texts: numbers, names and the frame's own words for them.
const ROW_BYTES: usize = 256;

/// An id as the bus carries it. Rows are numbered from 1, so that nothing is lost.
#[must_use]
pub fn id(id: i64) -> u64 {
    u64::try_from(id).unwrap_or(0)
}

/// An id as the database knows it. One that no row can have becomes one that no row has.
#[must_use]
pub fn row(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(-1)
}

/// Refuses a text that could not be sent in one frame.
pub(crate) fn fits(bytes: usize) -> Result<(), StoreError> {
    if bytes <= MESSAGE_BYTES {
        return Ok(());
    }
    Err(StoreError::Refused(format!(
        "the message has {bytes} bytes, more than the {MESSAGE_BYTES} that one may have; say it in several messages"
    )))
}

#[cfg(test)]
mod tests;
