//! How the store fails.

use std::path::PathBuf;
use thiserror::Error;

/// A fault of the store's, or of whoever asked it. Each message says what to do next.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The file is not a database, or a damaged one.
    #[error("the database {file} is damaged ({fault}); restore the copy {backup} with `butterfly restore`", file = .file.display(), backup = .backup.as_ref().map_or_else(|| "that you have".to_owned(), |path| path.display().to_string()))]
    Corrupt { file: PathBuf, fault: String, backup: Option<PathBuf> },
    /// A later version of this program made it.
    #[error(
        "the database was written by a newer version of ButterFly Bot (schema {found}, this one knows {known}); install that version, or restore an older copy"
    )]
    Newer { found: String, known: String },
    /// Another process has it open.
    #[error("another ButterFly Bot uses this data folder; stop it first, or choose another home")]
    InUse,
    /// It was closed because another one takes its place in a moment.
    #[error("the store is being replaced; try again in a moment")]
    Closed,
    /// No room.
    #[error("the disk is full: nothing was saved; make room, then say it again")]
    DiskFull,
    /// What was asked for is not there.
    #[error("{0}")]
    NotFound(String),
    /// What was asked for makes no sense here.
    #[error("{0}")]
    Refused(String),
    #[error("the store failed: {0}")]
    Database(diesel::result::Error),
    #[error("the store failed: {0}")]
    Io(#[from] std::io::Error),
    #[error("the store holds something that it cannot read: {0}")]
    Json(#[from] serde_json::Error),
}

impl From<diesel::result::Error> for StoreError {
    fn from(error: diesel::result::Error) -> Self {
        let message = error.to_string();
        if message.contains("database or disk is full") { Self::DiskFull } else { Self::Database(error) }
    }
}
