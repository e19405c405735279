//! The brains worker: the agent loop as the service `session`.
//!
//! It holds the conversations, asks the model worker on the caller's behalf, and streams what comes back. It is *not* a
//! provider of models (that is the model worker), runs no tools and touches neither file nor network: it reads untrusted
//! text, so it has no authority of its own.
//!
//! Conversations live in this process's memory, bounded by [`store::CONVERSATIONS`] and [`store::CONVERSATION_BYTES`];
//! the one that was used longest ago and is idle makes room for a new one, and a restart of this worker begins with
//! none. [`store`] is the only file that knows where turns are kept: whoever keeps them elsewhere replaces it.
//!
//! Invariants:
//! - One answer at a time per conversation. However its future ends (an answer, a failure, a stop, a caller that went
//!   away), the turn is closed, and what was said of it stays, marked as interrupted where it is not complete.
//! - What no longer fits the model's context is left out with a notice, never silently.
//! - Nothing is asked of the model twice once text of the answer was forwarded.

mod answer;
mod brains;
mod pieces;
mod prompt;
mod store;
mod turn;

pub use brains::Brains;
pub use store::{CONVERSATION_BYTES, CONVERSATIONS, TEXT_LIMIT};
