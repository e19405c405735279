//! Why an attempt came to nothing, and whether another one may fare better.

use butterfly_api::model::ModelError;
use butterfly_wire::{ErrorCode, Failure};
use std::time::Duration;

/// Whether the same request may be made again, as long as nothing of the answer has been passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    Never,
    /// After a pause of our own choice: the server had a fault.
    Backoff,
    /// After the pause that the server asked for.
    After(Duration),
}

/// Why an attempt came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// Not the model server's doing: the reader is gone, or the argument is none.
    Call(Failure),
    Model {
        error: ModelError,
        again: Again,
    },
}

impl Trouble {
    /// The caller's argument is not usable.
    pub fn argument(message: impl Into<String>) -> Self {
        Self::Call(Failure::new(ErrorCode::BadPayload, message))
    }

    #[must_use]
    pub fn again(self, again: Again) -> Self {
        match self {
            Self::Call(failure) => Self::Call(failure),
            Self::Model { error, .. } => Self::Model { error, again },
        }
    }

    /// The declared error, where it is one.
    #[must_use]
    pub fn model_error(&self) -> Option<&ModelError> {
        match self {
            Self::Call(_) => None,
            Self::Model { error, .. } => Some(error),
        }
    }
}

impl From<ModelError> for Trouble {
    fn from(error: ModelError) -> Self {
        Self::Model { error, again: Again::Never }
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Call(failure)
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Call(failure) => failure,
            Trouble::Model { error, .. } => error.into(),
        }
    }
}
