//! The launch message: a `u32` little-endian length and a [`Profile`], written by the kernel into the socket pair before the
//! program's own traffic.
//!
//! The reader takes exactly these bytes and not one more, because what follows belongs to the program.

use crate::profile::Profile;
use butterfly_wire::codec::{self, CodecError};
use std::io::{self, Read};
use thiserror::Error;

/// The longest message, in bytes, prefix excluded: room for some thousand path grants, and little enough that a socket pair's
/// default buffer (208 KiB) takes it whole, so that the writer never waits for the reader.
pub const LAUNCH_LIMIT: usize = 64 << 10;

/// The profile does not fit, or the bytes are none.
#[derive(Debug, Error)]
pub enum LaunchError {
    #[error("the profile takes {0} bytes, more than the {LAUNCH_LIMIT} that a launch message may have")]
    TooLong(usize),
    #[error("the launch message is malformed: {0}")]
    Malformed(#[from] CodecError),
    #[error("the launch message cannot be read: {0}")]
    Read(#[from] io::Error),
}

/// The message that starts a program with this profile.
///
/// # Errors
/// [`LaunchError::TooLong`] when the profile holds too many or too long grants; the spawner's fault.
pub fn to_bytes(profile: &Profile) -> Result<Vec<u8>, LaunchError> {
    let body = codec::encode(profile)?;
    if body.len() > LAUNCH_LIMIT {
        return Err(LaunchError::TooLong(body.len()));
    }
    let mut message = Vec::with_capacity(4 + body.len());
    message.extend_from_slice(&(body.len() as u32).to_le_bytes());
    message.extend_from_slice(&body);
    Ok(message)
}

/// Reads one message, and no byte beyond it.
///
/// # Errors
/// [`LaunchError`] when the stream ends early, the length is over the limit or the bytes are no profile.
pub fn read(from: &mut impl Read) -> Result<Profile, LaunchError> {
    let mut prefix = [0; 4];
    from.read_exact(&mut prefix)?;
    let length = u32::from_le_bytes(prefix) as usize;
    if length > LAUNCH_LIMIT {
        return Err(LaunchError::TooLong(length));
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok(codec::decode(&body)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Limits;
    use butterfly_wire::confinement::{PathGrant, Remaining};

    fn profile() -> Profile {
        Profile {
            program: "/bin/true".into(),
            args: vec!["a".into()],
            environment: vec![("K".into(), "V".into())],
            start: vec![PathGrant::read("/usr/lib")],
            remaining: Remaining { tcp_ports: vec![53], ..Remaining::default() },
            limits: Limits { data_bytes: 1, file_bytes: 2, open_files: 3 },
            parent_pid: 7,
        }
    }

    #[test]
    fn reading_stops_at_the_message_s_last_byte() {
        let mut bytes = to_bytes(&profile()).unwrap();
        bytes.extend_from_slice(b"next");
        let mut reader = bytes.as_slice();
        assert_eq!(read(&mut reader).unwrap(), profile());
        assert_eq!(reader, b"next");
    }

    #[test]
    fn a_length_over_the_limit_is_refused_before_anything_is_reserved() {
        let mut reader = u32::MAX.to_le_bytes().to_vec();
        reader.extend_from_slice(&[0; 8]);
        assert!(matches!(read(&mut reader.as_slice()), Err(LaunchError::TooLong(_))));
    }

    #[test]
    fn every_truncation_is_refused() {
        let bytes = to_bytes(&profile()).unwrap();
        for end in 0..bytes.len() {
            assert!(matches!(read(&mut &bytes[..end]), Err(LaunchError::Read(_))), "{end}");
        }
    }

    #[test]
    fn a_profile_that_does_not_fit_is_refused_by_the_writer() {
        let many = (0..9000).map(|i| PathGrant::read(format!("/some/folder/{i}"))).collect();
        assert!(matches!(to_bytes(&Profile { start: many, ..profile() }), Err(LaunchError::TooLong(_))));
    }
}
