//! Frames: a `u32` little-endian length, a header, an opaque payload.

use crate::codec::CodecError;
use crate::header::{HEADER_BYTES, Header};
use thiserror::Error;

/// Bytes of the length prefix. The length counts header and payload, not itself.
pub const LENGTH_BYTES: usize = 4;

/// The longest frame, in bytes, prefix excluded: large enough for a conversation turn with its context, small enough
/// that the per-peer buffers of a full house stay within a laptop's patience.
pub const FRAME_LIMIT: usize = 1 << 20;

/// The longest payload of a stream item, in bytes: what one socket write moves in one go.
pub const CHUNK_LIMIT: usize = 64 << 10;

/// The longest frame before the handshake is complete: a stranger may not make us hold more.
pub const HANDSHAKE_LIMIT: usize = 512;

/// The peer's stream can no longer be trusted to be in step: the connection ends.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum FrameFault {
    #[error("a frame of {length} bytes is over the limit of {limit}")]
    TooLong { length: usize, limit: usize },
    #[error("a frame of {0} bytes is shorter than its header")]
    TooShort(usize),
    #[error("the header is malformed: {0}")]
    Header(#[from] CodecError),
}

/// One frame found at the front of a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    pub header: Header,
    pub payload: &'a [u8],
    /// Bytes of the buffer that this frame took, prefix included.
    pub taken: usize,
}

/// The total length, prefix included, of the frame whose first bytes these are; `None` until the prefix is there.
///
/// # Errors
/// [`FrameFault::TooLong`] and [`FrameFault::TooShort`], before a byte of the body is needed.
#[inline]
pub fn length(buffer: &[u8], limit: usize) -> Result<Option<usize>, FrameFault> {
    let Some(prefix) = buffer.first_chunk::<LENGTH_BYTES>() else {
        return Ok(None);
    };
    let length = u32::from_le_bytes(*prefix) as usize;
    if length > limit {
        return Err(FrameFault::TooLong { length, limit });
    }
    if length < HEADER_BYTES {
        return Err(FrameFault::TooShort(length));
    }
    Ok(Some(LENGTH_BYTES + length))
}

/// Takes one frame off the front of `buffer`; `None` while it is incomplete.
///
/// # Errors
/// A [`FrameFault`] when the stream cannot go on.
#[inline]
pub fn split(buffer: &[u8], limit: usize) -> Result<Option<Frame<'_>>, FrameFault> {
    let Some(taken) = length(buffer, limit)? else {
        return Ok(None);
    };
    let Some(body) = buffer.get(LENGTH_BYTES..taken) else {
        return Ok(None);
    };
    let Some((head, payload)) = body.split_first_chunk::<HEADER_BYTES>() else {
        return Ok(None);
    };
    Ok(Some(Frame { header: Header::from_bytes(head)?, payload, taken }))
}

/// Appends a frame to `out`. The caller has checked that header and payload fit [`FRAME_LIMIT`].
#[inline]
pub fn append(out: &mut Vec<u8>, header: &Header, payload: &[u8]) {
    let length = (HEADER_BYTES + payload.len()) as u32;
    let mut head = [0; LENGTH_BYTES + HEADER_BYTES];
    head[..LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
    head[LENGTH_BYTES..].copy_from_slice(&header.to_bytes());
    out.reserve(head.len() + payload.len());
    out.extend_from_slice(&head);
    out.extend_from_slice(payload);
}

/// The length on the wire of a frame with this many payload bytes.
#[must_use]
pub const fn wire_length(payload: usize) -> usize {
    LENGTH_BYTES + HEADER_BYTES + payload
}
