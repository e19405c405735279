//! The fixed-size header of every frame.

use crate::codec::CodecError;
use crate::endpoint::EndpointId;
use crate::provenance::Provenance;
use bincode::{Decode, Encode};
use std::fmt;

/// Length of an encoded header, in bytes.
pub const HEADER_BYTES: usize = 56;

/// What a frame is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Opens a call.
    Request = 0,
    /// Closes a unary call with its result, or with a [`crate::Failure`] when [`Flags::ERROR`] is set.
    Response = 1,
    /// One element of a stream. Costs one credit.
    Item = 2,
    /// Closes a stream, with its closing value or, under [`Flags::ERROR`], a [`crate::Failure`].
    End = 3,
    /// Grants `credit` more items to the other side of a call.
    Credit = 4,
    /// The caller is no longer interested.
    Cancel = 5,
    /// Belongs to no call: published to the subscribers of a topic.
    Event = 6,
}

impl Kind {
    pub const ALL: [Self; 7] =
        [Self::Request, Self::Response, Self::Item, Self::End, Self::Credit, Self::Cancel, Self::Event];

    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Request),
            1 => Some(Self::Response),
            2 => Some(Self::Item),
            3 => Some(Self::End),
            4 => Some(Self::Credit),
            5 => Some(Self::Cancel),
            6 => Some(Self::Event),
            _ => None,
        }
    }
}

/// Bits that qualify a frame.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, Default)]
pub struct Flags(pub u8);

impl Flags {
    pub const NONE: Self = Self(0);
    /// The payload is a [`crate::Failure`].
    pub const ERROR: Self = Self(1);
    /// Nobody is waiting: yields to work that somebody waits for. Inherited by everything done on its behalf.
    pub const BACKGROUND: Self = Self(1 << 1);
    /// On a request: the caller will send items of its own (an upload).
    pub const MORE: Self = Self(1 << 2);
    /// Sent by the caller of the call, whose correlation id it carries; without it, by the callee.
    pub const FROM_CALLER: Self = Self(1 << 3);
    /// Every bit that has a meaning. A frame with any other bit set is malformed.
    pub const KNOWN: Self = Self(0b1111);

    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (Self::ERROR, "error"),
            (Self::BACKGROUND, "background"),
            (Self::MORE, "more"),
            (Self::FROM_CALLER, "from-caller"),
        ];
        let set: Vec<_> = names.iter().filter(|(bit, _)| self.contains(*bit)).map(|(_, name)| *name).collect();
        write!(f, "{{{}}}", set.join(","))
    }
}

/// The header. `docs/protocol.md` gives the byte offsets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, Default)]
pub struct Header {
    /// A [`Kind`] as its number; an unknown one is a fault that ends the peer.
    pub kind: u8,
    pub flags: Flags,
    pub service: u16,
    pub method: u16,
    /// Set by the kernel on delivery. What a sender puts here can only add bits.
    pub provenance: Provenance,
    /// Set by the kernel on delivery; a sender leaves it [`EndpointId::ANY`] or names itself.
    pub source: EndpointId,
    /// Whom to ask, or [`EndpointId::ANY`] for whoever serves `service`.
    pub destination: EndpointId,
    /// With [`Flags::FROM_CALLER`] towards the kernel: the caller's own number for the call. Towards the callee the
    /// kernel replaces it with one of its own, which the callee uses in all it sends back.
    pub correlation: u64,
    /// The correlation id of the call on whose behalf this request is made, as the kernel numbered it; 0 for none.
    pub parent: u64,
    /// On a request: remaining time in ms (for a stream, until the *next* item); 0 asks for the method's default.
    pub deadline_ms: u32,
    /// On a request: how many items the caller is ready for. On a credit frame: how many more.
    pub credit: u32,
    /// Names the tree of calls that one act of a person or of a background job caused. Set by the kernel.
    pub trace: u64,
}

impl Header {
    /// The kind, if it is one this version knows.
    #[must_use]
    pub const fn kind(&self) -> Option<Kind> {
        Kind::from_byte(self.kind)
    }

    #[must_use]
    pub const fn is_error(&self) -> bool {
        self.flags.contains(Flags::ERROR)
    }

    #[must_use]
    pub const fn from_caller(&self) -> bool {
        self.flags.contains(Flags::FROM_CALLER)
    }

    /// The header's bytes as they travel. Written by hand, because every message passes here twice in every process; a
    /// test holds it to what the codec makes of the same fields.
    #[must_use]
    #[inline]
    pub fn to_bytes(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[0] = self.kind;
        bytes[1] = self.flags.0;
        bytes[2..4].copy_from_slice(&self.service.to_le_bytes());
        bytes[4..6].copy_from_slice(&self.method.to_le_bytes());
        bytes[6..8].copy_from_slice(&self.provenance.0.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.source.slot.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.source.generation.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.destination.slot.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.destination.generation.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.correlation.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.parent.to_le_bytes());
        bytes[40..44].copy_from_slice(&self.deadline_ms.to_le_bytes());
        bytes[44..48].copy_from_slice(&self.credit.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.trace.to_le_bytes());
        bytes
    }

    /// Reads a header.
    ///
    /// # Errors
    /// [`CodecError::Malformed`] for an unknown kind or flag.
    #[inline]
    pub fn from_bytes(bytes: &[u8; HEADER_BYTES]) -> Result<Self, CodecError> {
        let header = Self {
            kind: bytes[0],
            flags: Flags(bytes[1]),
            service: u16::from_le_bytes(part(bytes, 2)),
            method: u16::from_le_bytes(part(bytes, 4)),
            provenance: Provenance(u16::from_le_bytes(part(bytes, 6))),
            source: EndpointId::new(u32::from_le_bytes(part(bytes, 8)), u32::from_le_bytes(part(bytes, 12))),
            destination: EndpointId::new(u32::from_le_bytes(part(bytes, 16)), u32::from_le_bytes(part(bytes, 20))),
            correlation: u64::from_le_bytes(part(bytes, 24)),
            parent: u64::from_le_bytes(part(bytes, 32)),
            deadline_ms: u32::from_le_bytes(part(bytes, 40)),
            credit: u32::from_le_bytes(part(bytes, 44)),
            trace: u64::from_le_bytes(part(bytes, 48)),
        };
        if header.kind().is_none() {
            return Err(CodecError::Malformed(format!("kind {} is unknown", header.kind)));
        }
        if !Flags::KNOWN.contains(header.flags) {
            return Err(CodecError::Malformed(format!("flags {:#x} are unknown", header.flags.0)));
        }
        Ok(header)
    }
}

/// `N` bytes from `at` on; the callers' offsets are constants, so the bounds are checked when this is compiled.
#[inline]
fn part<const N: usize>(bytes: &[u8; HEADER_BYTES], at: usize) -> [u8; N] {
    std::array::from_fn(|index| bytes[at + index])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_has_its_documented_length_and_layout() {
        let header = Header {
            kind: Kind::Credit as u8,
            flags: Flags::FROM_CALLER,
            service: 0x0102,
            method: 0x0304,
            provenance: Provenance(0x0506),
            source: EndpointId::new(7, 8),
            destination: EndpointId::new(9, 10),
            correlation: 11,
            parent: 12,
            deadline_ms: 13,
            credit: 14,
            trace: 15,
        };
        let bytes = header.to_bytes();
        assert_eq!(bytes[..8], [4, 8, 2, 1, 4, 3, 6, 5]);
        assert_eq!(bytes[8..12], [7, 0, 0, 0]);
        assert_eq!(bytes[24..32], [11, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[48..52], [15, 0, 0, 0]);
        assert_eq!(Header::from_bytes(&bytes).unwrap(), header);
        assert_eq!(bytes, crate::codec::encode_header(&header), "by hand as by the codec");
    }
}
