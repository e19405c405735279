//! Workers that are not there for a while: they are restarted, and come back by themselves.

use butterfly_wire::{ErrorCode, Failure};

/// The worker is not there, or was not to the end.
pub(crate) fn has_gone(failure: &Failure) -> bool {
    matches!(failure.code, ErrorCode::PeerDied | ErrorCode::Unavailable | ErrorCode::StaleEndpoint)
}

/// As [`has_gone`], or it is there and cannot take this now: for what may be asked again without harm.
pub(crate) fn may_work_later(failure: &Failure) -> bool {
    has_gone(failure) || matches!(failure.code, ErrorCode::Busy | ErrorCode::DeadlineExceeded)
}
