//! The brains worker: the agent loop as the service `session`.
//!
//! It has memory write down what a person says, puts the prompt together from what was said before and what memory
//! finds, asks the model worker on the caller's behalf, streams what comes back, and has that written down as it comes. It
//! is *not* a provider of models (that is the model worker) and *not* where conversations are kept (that is memory). It
//! runs no tools and touches neither file nor network: it reads untrusted text, so it has no authority of its own.
//!
//! Only a conversation that the person chose not to have saved lives here, in [`unsaved`], bounded and gone with the
//! process.
//!
//! Invariants:
//! - What a person said is durable before the model sees it and before the caller hears of the turn; without that there
//!   is no turn.
//! - However an answer ends (whole, failed, stopped, its caller gone), what was said of it is saved, at least once a
//!   second while it comes. Its end is told when it is saved; where it cannot be, the person is told that.
//! - One answer at a time per conversation, until it is saved.
//! - What no longer fits the model's context is left out with a notice, never silently.
//! - Nothing is asked of the model twice once text of the answer was forwarded.
//! - Recall is a help, never a condition: a turn goes on without.

mod answer;
mod away;
mod brains;
mod fits;
mod moment;
mod past;
mod pieces;
mod prepare;
mod prompt;
mod quotes;
mod recall;
mod record;
mod refusal;
mod running;
mod saver;
mod secrets;
mod settings;
mod turn;
mod unsaved;

pub use brains::Brains;
pub use refusal::TEXT_LIMIT;
pub use running::RUNNING;
pub use unsaved::{CONVERSATION_BYTES, CONVERSATIONS};
