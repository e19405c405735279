//! Who is at the other end of the bus.

use bincode::{Decode, Encode};
use std::fmt;

/// A peer of the kernel: the slot it occupies and the generation of the slot's occupant.
///
/// A restarted worker keeps its slot and gets the next generation, so that a message meant for its predecessor is
/// refused ([`crate::ErrorCode::StaleEndpoint`]) and never delivered unaware.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode, Default)]
pub struct EndpointId {
    pub slot: u32,
    pub generation: u32,
}

impl EndpointId {
    /// No peer: as a destination it means "whoever serves this service".
    pub const ANY: Self = Self { slot: 0, generation: 0 };
    /// The kernel itself.
    pub const KERNEL: Self = Self { slot: 1, generation: 1 };

    #[must_use]
    pub const fn new(slot: u32, generation: u32) -> Self {
        Self { slot, generation }
    }

    #[must_use]
    pub const fn is_any(self) -> bool {
        self.slot == 0
    }
}

impl fmt::Display for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.slot, self.generation)
    }
}

impl fmt::Debug for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
