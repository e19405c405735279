//! Our own copies of the database, in the data folder: made before a migration, or kept when another copy took its place.
//!
//! Copies that a person asked for are *not* here: they were sent to the client, which owns them.

use crate::error::StoreError;
use crate::migrate::BACKUPS;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The copies' files, oldest first.
#[must_use]
pub fn list(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder.join(BACKUPS)) else { return Vec::new() };
    let mut found: Vec<(SystemTime, PathBuf)> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.path().extension().is_some_and(|end| end == "db"))
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    found.sort();
    found.into_iter().map(|(_, path)| path).collect()
}

/// The newest copy, to restore from.
#[must_use]
pub fn newest(folder: &Path) -> Option<PathBuf> {
    list(folder).pop()
}

/// Their names within the data folder.
#[must_use]
pub fn names(folder: &Path) -> Vec<String> {
    list(folder).iter().map(|path| name(folder, path)).collect()
}

/// Deletes those that were made before this time (Unix ms), and returns their names: what was forgotten then is still
/// in them. One whose time is not certain goes, too.
///
/// # Errors
/// When one of them cannot be deleted.
pub fn delete_older(folder: &Path, than_ms: i64) -> Result<Vec<String>, StoreError> {
    let limit = UNIX_EPOCH + Duration::from_millis(u64::try_from(than_ms).unwrap_or(0));
    let mut deleted = Vec::new();
    for path in list(folder) {
        let made = std::fs::metadata(&path)?.modified();
        // File systems cut times to seconds, some to two.
        if made.is_ok_and(|made| made > limit + Duration::from_secs(2)) {
            continue;
        }
        for end in ["db", "db-wal", "db-shm", "db-journal"] {
            let file = path.with_extension(end);
            if file.exists() {
                std::fs::remove_file(&file)?;
            }
        }
        deleted.push(name(folder, &path));
    }
    Ok(deleted)
}

pub(crate) fn name(folder: &Path, path: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).display().to_string()
}
