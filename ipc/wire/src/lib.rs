//! The wire: what travels between the kernel, its workers and its clients.
//!
//! This crate *is* the vocabulary: frame, header, endpoint, catalog of services and methods, control
//! messages, errors and version. It is *not* a transport: it knows no socket, no runtime and no process.
//!
//! Invariants:
//! - A peer's bytes are examined in this order: length, version, rights, decode. No byte
//!   sequence panics, no allocation is larger than [`frame::FRAME_LIMIT`], and all that one frame decodes to takes less
//!   than four times that.
//! - bincode is called in [`codec`] alone (`docs/adr/0001-bincode.md`).
//! - Enums grow only at their end; the golden bytes in `tests/` hold every message to that.

pub mod catalog;
pub mod codec;
pub mod confinement;
pub mod control;
pub mod endpoint;
pub mod error;
pub mod frame;
pub mod header;
pub mod limits;
pub mod method;
pub mod place;
pub mod provenance;
pub mod verdict;
pub mod version;

pub use bincode::{Decode, Encode};
pub use endpoint::EndpointId;
pub use error::{ErrorCode, Failure};
pub use header::{Flags, Header, Kind};
pub use method::Method;
pub use provenance::Provenance;
