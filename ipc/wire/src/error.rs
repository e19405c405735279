//! How a call fails.

use bincode::{Decode, Encode};
use std::fmt;
use thiserror::Error;

/// Why a call failed, as the kernel or the callee saw it. Append only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Encode, Decode)]
pub enum ErrorCode {
    /// A queue or table is full. Nothing was done; try again later.
    Busy,
    /// The capability table does not allow this call.
    Denied,
    /// The remaining time ran out. The callee was told to stop.
    DeadlineExceeded,
    /// The callee ended before it answered. Whether it acted is unknown.
    PeerDied,
    /// Nobody serves this now: starting, stopped or held.
    Unavailable,
    /// The service has no such method.
    UnknownMethod,
    /// The payload is no valid argument of this method.
    BadPayload,
    /// The caller, or somebody on its behalf, cancelled.
    Cancelled,
    /// A frame, item or argument is larger than the limit.
    TooLarge,
    /// The endpoint has been restarted since; look it up again.
    StaleEndpoint,
    /// The call belongs to no trace: neither a parent nor background work.
    NoTrace,
    /// The callee has a fault of its own.
    Internal,
    /// An outcome that the method declares; `detail` is the service's error type.
    Declared,
    /// The connection to the kernel is gone.
    Disconnected,
    /// The other side broke the protocol.
    Protocol,
}

impl ErrorCode {
    pub const ALL: [Self; 15] = [
        Self::Busy,
        Self::Denied,
        Self::DeadlineExceeded,
        Self::PeerDied,
        Self::Unavailable,
        Self::UnknownMethod,
        Self::BadPayload,
        Self::Cancelled,
        Self::TooLarge,
        Self::StaleEndpoint,
        Self::NoTrace,
        Self::Internal,
        Self::Declared,
        Self::Disconnected,
        Self::Protocol,
    ];

    /// The code's name in documents, logs and `--json` output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Denied => "denied",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::PeerDied => "peer_died",
            Self::Unavailable => "unavailable",
            Self::UnknownMethod => "unknown_method",
            Self::BadPayload => "bad_payload",
            Self::Cancelled => "cancelled",
            Self::TooLarge => "too_large",
            Self::StaleEndpoint => "stale_endpoint",
            Self::NoTrace => "no_trace",
            Self::Internal => "internal",
            Self::Declared => "declared",
            Self::Disconnected => "disconnected",
            Self::Protocol => "protocol",
        }
    }

    /// Whether an idempotent call to *whoever serves the service* may be tried again as it is. One that named an endpoint
    /// may not, unless it was merely [`Self::Busy`]: that endpoint does not come back.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::Busy | Self::PeerDied | Self::Unavailable)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The payload of every frame with [`crate::Flags::ERROR`].
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, Error)]
#[error("{message}")]
pub struct Failure {
    pub code: ErrorCode,
    /// One sentence for people: what happened, why, what to do next.
    pub message: String,
    /// With [`ErrorCode::Declared`]: the service's error type, encoded. Otherwise empty.
    pub detail: Vec<u8>,
}

impl Failure {
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), detail: Vec::new() }
    }
}
