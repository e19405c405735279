//! Room on the disk.

use std::path::Path;

/// Less than this is no room: SQLite needs some pages of its log before it can even undo what did not fit.
const NONE_BYTES: u64 = 256 << 10;

/// Bytes that this user can still write below `folder`; `None` where the system does not say.
#[must_use]
pub fn available(folder: &Path) -> Option<u64> {
    let volume = rustix::fs::statvfs(folder).ok()?;
    Some(volume.f_bavail.saturating_mul(volume.f_frsize))
}

pub(crate) fn is_full(folder: &Path) -> bool {
    available(folder).is_some_and(|bytes| bytes < NONE_BYTES)
}

/// Bytes of a file or folder with all that is in it; what cannot be read counts nothing.
#[must_use]
pub fn used(path: &Path) -> u64 {
    let Ok(metadata) = std::fs::symlink_metadata(path) else { return 0 };
    if !metadata.is_dir() {
        return metadata.len();
    }
    let Ok(entries) = std::fs::read_dir(path) else { return 0 };
    entries.filter_map(Result::ok).map(|entry| used(&entry.path())).sum()
}
