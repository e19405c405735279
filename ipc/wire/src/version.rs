//! Protocol version and the magic that opens a connection.

/// First bytes of a Hello payload: "BFLY", so that a stranger on the socket is recognised at once.
pub const MAGIC: [u8; 4] = *b"BFLY";

/// The one version of the protocol there is so far.
pub const VERSION: u16 = 1;

/// The oldest version this side still speaks.
pub const OLDEST: u16 = 1;

/// The newest version that both sides speak, if there is one.
#[must_use]
pub fn agree(oldest: u16, newest: u16) -> Option<u16> {
    let version = newest.min(VERSION);
    (version >= oldest.max(OLDEST)).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::agree;

    #[test]
    fn agrees_on_the_newest_common_version_or_none() {
        assert_eq!(agree(1, 1), Some(1));
        assert_eq!(agree(1, 9), Some(1));
        assert_eq!(agree(2, 9), None);
        assert_eq!(agree(0, 0), None);
    }
}
