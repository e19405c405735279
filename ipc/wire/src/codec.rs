//! The one place that calls bincode: payloads with variable-width integers, little-endian, within the limit of one frame, and
//! every byte must be consumed. (A header has the layout that bincode gives it with fixed-width integers; `header` writes it.)

use crate::frame::FRAME_LIMIT;
use crate::header::HEADER_BYTES;
use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use bincode::{Decode, Encode};
use thiserror::Error;

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

/// Gives a type of another crate the encoding of a string, without its being one to anybody else: `$show` borrows the text
/// (`fn(&T) -> &str`), `$make` takes it in (`fn(String) -> T`).
#[macro_export]
macro_rules! travels_as_text {
    ($type:ty, $show:path, $make:path) => {
        impl $crate::codec::traits::Encode for $type {
            fn encode<E: $crate::codec::traits::Encoder>(
                &self,
                encoder: &mut E,
            ) -> Result<(), $crate::codec::traits::EncodeError> {
                $crate::codec::traits::Encode::encode($show(self), encoder)
            }
        }

        impl<Context> $crate::codec::traits::Decode<Context> for $type {
            fn decode<D: $crate::codec::traits::Decoder<Context = Context>>(
                decoder: &mut D,
            ) -> Result<Self, $crate::codec::traits::DecodeError> {
                <String as $crate::codec::traits::Decode<Context>>::decode(decoder).map($make)
            }
        }

        impl<'de, Context> $crate::codec::traits::BorrowDecode<'de, Context> for $type {
            fn borrow_decode<D: $crate::codec::traits::BorrowDecoder<'de, Context = Context>>(
                decoder: &mut D,
            ) -> Result<Self, $crate::codec::traits::DecodeError> {
                <Self as $crate::codec::traits::Decode<Context>>::decode(decoder)
            }
        }
    };
}

/// What [`travels_as_text`] expands to names these.
#[doc(hidden)]
pub mod traits {
    pub use bincode::de::{BorrowDecode, BorrowDecoder, Decode, Decoder};
    pub use bincode::enc::{Encode, Encoder};
    pub use bincode::error::{DecodeError, EncodeError};
}

/// A header as bincode writes it with fixed-width integers: what [`crate::Header::to_bytes`] is held to.
#[cfg(test)]
pub(crate) fn encode_header(header: &crate::Header) -> [u8; HEADER_BYTES] {
    let fixed = bincode::config::standard().with_little_endian().with_fixed_int_encoding();
    let mut bytes = [0; HEADER_BYTES];
    let written = bincode::encode_into_slice(header, bytes.as_mut_slice(), fixed).unwrap();
    assert_eq!(written, HEADER_BYTES);
    bytes
}
