//! Where the information in a trace has come from.

use bincode::{Decode, Encode};
use std::fmt;

/// A set of origins. The kernel ORs in the sender's bits from the manifest and keeps the union per trace; no
/// worker can clear a bit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, Default)]
pub struct Provenance(pub u16);

impl Provenance {
    pub const NONE: Self = Self(0);
    /// Typed by the person at a client.
    pub const USER: Self = Self(1);
    /// Fetched from the network.
    pub const WEB: Self = Self(1 << 1);
    /// Read from a file.
    pub const FILE: Self = Self(1 << 2);
    /// Returned by a tool.
    pub const TOOL: Self = Self(1 << 3);
    /// Said by a plugin.
    pub const PLUGIN: Self = Self(1 << 4);
    /// Started by a scheduled job.
    pub const JOB: Self = Self(1 << 5);
    /// Written by a language model.
    pub const MODEL: Self = Self(1 << 6);
    /// Recalled from memory.
    pub const MEMORY: Self = Self(1 << 7);

    const NAMES: [(Self, &'static str); 8] = [
        (Self::USER, "user"),
        (Self::WEB, "web"),
        (Self::FILE, "file"),
        (Self::TOOL, "tool"),
        (Self::PLUGIN, "plugin"),
        (Self::JOB, "job"),
        (Self::MODEL, "model"),
        (Self::MEMORY, "memory"),
    ];

    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The names of the bits that are set, lowest first.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(bit, _)| self.contains(*bit)).map(|(_, name)| name)
    }
}

impl fmt::Debug for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.names().collect();
        write!(f, "{{{}}}", names.join(","))
    }
}
