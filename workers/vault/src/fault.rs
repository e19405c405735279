//! Why the keyring did not do what it was asked: one of its states, and what was seen.

use butterfly_api::vault::StoreState;
use keyring_core::Error;
use std::time::Duration;
use thiserror::Error as ThisError;

/// The keyring is in this state. `detail` is the end of a sentence ("because …") and never holds a value.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[error("{detail}")]
pub struct StoreFault {
    pub state: StoreState,
    pub detail: String,
}

impl StoreFault {
    #[must_use]
    pub fn new(state: StoreState, detail: impl Into<String>) -> Self {
        Self { state, detail: detail.into() }
    }
}

/// A limit of time, as a part of a sentence.
pub(crate) fn for_people(limit: Duration) -> String {
    match limit.as_secs() {
        0 => format!("{} ms", limit.as_millis()),
        seconds => format!("{seconds} s"),
    }
}

/// How a fault travels through `keyring-core`, whose errors know no states.
impl From<StoreFault> for Error {
    fn from(fault: StoreFault) -> Self {
        Self::NoStorageAccess(Box::new(fault))
    }
}

/// And how it comes out again. Errors that carry a stored value are named, not shown.
impl From<Error> for StoreFault {
    fn from(error: Error) -> Self {
        match error {
            Error::NoStorageAccess(inner) => match inner.downcast::<StoreFault>() {
                Ok(fault) => *fault,
                Err(other) => Self::new(StoreState::Locked, other.to_string()),
            },
            Error::PlatformFailure(inner) => Self::new(StoreState::Denied, inner.to_string()),
            Error::BadEncoding(_) => Self::new(StoreState::Denied, "what it keeps under this name is no text"),
            Error::BadDataFormat(..) => Self::new(StoreState::Denied, "what it keeps under this name is damaged"),
            Error::NoEntry => Self::new(StoreState::Ready, "it keeps nothing under this name"),
            Error::NoDefaultStore => Self::new(StoreState::Absent, "no keyring was chosen"),
            other => Self::new(StoreState::Denied, other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_survives_the_way_through_the_keyrings_trait() {
        for state in
            [StoreState::Absent, StoreState::Locked, StoreState::Slow, StoreState::Denied, StoreState::Vanished]
        {
            let fault = StoreFault::new(state, "for a reason");
            assert_eq!(StoreFault::from(Error::from(fault.clone())), fault);
        }
    }

    #[test]
    fn an_error_that_carries_a_value_does_not_show_it() {
        for error in [
            Error::BadEncoding(b"sk-stored".to_vec()),
            Error::BadDataFormat(b"sk-stored".to_vec(), Box::new(std::io::Error::other("sk-stored"))),
        ] {
            let fault = StoreFault::from(error);
            assert!(!format!("{fault} {fault:?}").contains("sk-stored"), "{fault:?}");
        }
    }
}
