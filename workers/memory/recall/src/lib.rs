//! Recall, as pure functions: what a query asks for, what is embedded for a passage, and how candidates are ranked.
//!
//! It knows text, scores and time; it does *not* know SQL, vectors' storage, the bus or a model, and it never waits.
//! `docs/memory.md` tells the ranking so that it can be redone by hand.
//!
//! Invariants:
//! - Any text is a query, of any length and of any bytes that are UTF-8; what is read of it and what comes of it is bounded.
//! - What goes to FTS5 is quoted, always: nothing that a person types is syntax there.
//! - The same candidates and weights give the same order, and each score is the sum of its reasons.

pub mod analysis;
pub mod asking;
pub mod fusion;
pub mod moment;
pub mod near;
pub mod stem;
pub mod stopwords;
pub mod tokens;
pub mod weigh;
pub mod window;
pub mod words;

pub use analysis::{Query, Term};
pub use fusion::{Candidate, Kind, Ranked, Reason, Weights};
