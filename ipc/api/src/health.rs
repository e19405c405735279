//! How a worker finds itself. Every worker serves it, through the runtime.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Check {
    /// Short and stable, such as `model server`.
    pub name: String,
    pub level: Level,
    /// One sentence: what was found.
    pub found: String,
    /// What to do next; empty when there is nothing to do.
    pub next_step: String,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Ok,
    Warning,
    Failing,
}

/// All that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Report {
    pub checks: Vec<Check>,
}

crate::service! {
    /// Implemented by the runtime out of what the worker's own checks return.
    pub trait Health in health;
    /// Looks at everything now.
    unary CheckAll = CHECK check(()) => Report;
}
