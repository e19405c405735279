//! Typed methods: which Rust types stand behind a service and method number.

use crate::catalog::MethodInfo;
use bincode::{Decode, Encode};

/// A method of a service, as a type. `butterfly-api` declares one per row of the catalog.
pub trait Method: Send + Sync + 'static {
    /// The row of [`crate::catalog`] that this is.
    const INFO: &'static MethodInfo;
    /// The argument.
    type Request: Encode + Decode<()> + Send + 'static;
    /// What the callee streams; [`Nothing`] for a unary method.
    type Item: Encode + Decode<()> + Send + 'static;
    /// What the caller streams; [`Nothing`] unless it is an upload.
    type Upload: Encode + Decode<()> + Send + 'static;
    /// The value that closes the call.
    type Reply: Encode + Decode<()> + Send + 'static;
}

/// The element type of a stream that carries nothing. It has no values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Nothing {}
