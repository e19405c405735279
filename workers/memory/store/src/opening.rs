//! What is looked at before a database counts as open: whose it is, and whether it is whole.

use crate::backups;
use crate::database::FILE;
use crate::error::StoreError;
use crate::migrate::BACKUPS;
use crate::replace::VECTORS;
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Read};
use std::path::Path;

/// The file whose lock says that a process uses the folder. It stays when the process ends; its lock does not.
const LOCK: &str = "lock";

/// Databases up to this size are read as a whole at the start: 16 MiB take some 20 ms. Larger ones are checked in the
/// background, and page by page as they are used.
const CHECKED_BYTES: u64 = 16 << 20;

/// The first bytes of every database (SQLite, "Database File Format", 1.3).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Locks the folder for this process (flock(2)).
///
/// # Errors
/// [`StoreError::InUse`] where another process, or another store of this one, has it.
pub(crate) fn lock(folder: &Path) -> Result<File, StoreError> {
    let file = File::options().create(true).truncate(false).write(true).open(folder.join(LOCK))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Empties the folder of what did not come to count before the last process ended.
pub(crate) fn sweep(scratch: &Path) -> Result<(), StoreError> {
    match std::fs::read_dir(scratch) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(std::fs::create_dir_all(scratch)?),
        Err(error) => return Err(error.into()),
        Ok(entries) => {
            for entry in entries {
                let path = entry?.path();
                let removed = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
                if let Err(error) = removed {
                    tracing::warn!(%error, file = %path.display(), "a left-over file cannot be deleted");
                }
            }
        }
    }
    Ok(())
}

/// Refuses a file that is no database at all, before SQLite touches it or its log.
pub(crate) fn check_header(file: &Path) -> Result<(), StoreError> {
    let mut opened = match File::open(file) {
        Ok(opened) => opened,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let mut header = [0; MAGIC.len()];
    let length = opened.metadata()?.len();
    if length == 0 {
        // A database that nothing was written to yet, or one that lost everything: then something stands beside it.
        let folder = file.parent().unwrap_or(file);
        return match is_filled(&folder.join(VECTORS)) || is_filled(&folder.join(BACKUPS)) {
            true => Err(damaged(file, "it is empty, and was not".to_owned())),
            false => Ok(()),
        };
    }
    let whole = opened.read_exact(&mut header).is_ok();
    if whole && &header == MAGIC {
        return Ok(());
    }
    Err(damaged(file, "it does not begin like a database".to_owned()))
}

/// Checks a small database as a whole, and of a large one what every use of it needs.
pub(crate) fn check(db: &mut SqliteConnection, file: &Path) -> Result<(), StoreError> {
    if std::fs::metadata(file)?.len() <= CHECKED_BYTES {
        return verify(db, file);
    }
    sql_query("SELECT count(*) FROM sqlite_master").execute(db)?;
    Ok(())
}

/// Reads the whole database: pages, their order, and the indexes of words.
///
/// # Errors
/// [`StoreError::Corrupt`] with the first fault that was found.
pub(crate) fn verify(db: &mut SqliteConnection, file: &Path) -> Result<(), StoreError> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Text)]
        quick_check: String,
    }
    let found: Result<Vec<Found>, _> = sql_query("PRAGMA quick_check(1)").load(db);
    match found {
        Ok(found) => match found.into_iter().map(|row| row.quick_check).find(|row| row != "ok") {
            None => Ok(()),
            Some(fault) => Err(damaged(file, fault)),
        },
        Err(error) => match StoreError::from(error) {
            StoreError::Database(error) => Err(damaged(file, error.to_string())),
            other => Err(other),
        },
    }
}

fn is_filled(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some())
}

/// The refusal of a damaged database, with the newest copy of it.
pub(crate) fn damaged(file: &Path, fault: String) -> StoreError {
    let backup = file.parent().filter(|_| file.ends_with(FILE)).and_then(backups::newest);
    // A check of SQLite's names the database on a line of its own before it says what is wrong with it.
    let fault = fault.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default().to_owned();
    StoreError::Corrupt { file: file.to_owned(), fault, backup }
}
