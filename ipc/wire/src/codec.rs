//! The one place that calls bincode: headers with fixed-width integers, payloads with variable-width ones.
//!
//! Both are little-endian, both run with a limit of one frame, and both demand that every byte is consumed.

use crate::frame::FRAME_LIMIT;
use crate::header::{HEADER_BYTES, Header};
use bincode::config::{Configuration, Fixint, Limit, LittleEndian, Varint};
use bincode::{Decode, Encode};
use thiserror::Error;

/// Fixed-width little-endian integers: every header has the same length.
const HEADER: Configuration<LittleEndian, Fixint, Limit<HEADER_BYTES>> =
    bincode::config::standard().with_little_endian().with_fixed_int_encoding().with_limit::<HEADER_BYTES>();

/// Variable-width little-endian integers; no payload may claim more memory than a frame could hold.
const PAYLOAD: Configuration<LittleEndian, Varint, Limit<FRAME_LIMIT>> =
    bincode::config::standard().with_little_endian().with_variable_int_encoding().with_limit::<FRAME_LIMIT>();

/// The peer's bytes are not what they claim to be. Always the sender's fault.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum CodecError {
    #[error("the bytes are no valid message: {0}")]
    Malformed(String),
    #[error("{0} bytes are left over after the message")]
    LeftOver(usize),
    #[error("the message is longer than a frame may be")]
    TooLong,
}

/// Encodes a payload.
///
/// # Errors
/// [`CodecError::TooLong`] when the encoding is longer than [`FRAME_LIMIT`] less the header.
pub fn encode<T: Encode>(value: &T) -> Result<Vec<u8>, CodecError> {
    let bytes = bincode::encode_to_vec(value, PAYLOAD).map_err(|fault| CodecError::Malformed(fault.to_string()))?;
    if bytes.len() > FRAME_LIMIT - HEADER_BYTES {
        return Err(CodecError::TooLong);
    }
    Ok(bytes)
}

/// Decodes a payload and demands that all of it was used.
///
/// # Errors
/// [`CodecError::Malformed`] for anything that is no `T`, [`CodecError::LeftOver`] for trailing bytes.
pub fn decode<T: Decode<()>>(bytes: &[u8]) -> Result<T, CodecError> {
    let (value, used) =
        bincode::decode_from_slice(bytes, PAYLOAD).map_err(|fault| CodecError::Malformed(fault.to_string()))?;
    match bytes.len() - used {
        0 => Ok(value),
        rest => Err(CodecError::LeftOver(rest)),
    }
}

/// Encodes a header into its fixed number of bytes.
pub(crate) fn encode_header(header: &Header, into: &mut [u8; HEADER_BYTES]) {
    // A header has a fixed size and the buffer is exactly that size: encoding cannot fail, and the golden
    // test in `header` holds us to it.
    let written = bincode::encode_into_slice(header, into.as_mut_slice(), HEADER);
    debug_assert_eq!(written.ok(), Some(HEADER_BYTES));
}

/// Decodes a header from its fixed number of bytes.
pub(crate) fn decode_header(bytes: &[u8; HEADER_BYTES]) -> Result<Header, CodecError> {
    bincode::decode_from_slice(bytes.as_slice(), HEADER)
        .map(|(header, _)| header)
        .map_err(|fault| CodecError::Malformed(fault.to_string()))
}
