//! The store's care: counts, files without what was forgotten, and retention.

pub mod retention;

use crate::database::{SCRATCH, Store};
use crate::error::StoreError;
use crate::{backups, migrate, notes, opening, replace};
use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Integer, Text};
use diesel::{QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use std::path::{Path, PathBuf};

/// How many of everything there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, QueryableByName)]
pub struct Counts {
    #[diesel(sql_type = BigInt)]
    pub conversations: i64,
    #[diesel(sql_type = BigInt)]
    pub messages: i64,
    #[diesel(sql_type = BigInt)]
    pub memories: i64,
    #[diesel(sql_type = BigInt)]
    pub summaries: i64,
    #[diesel(sql_type = BigInt)]
    pub entities: i64,
    #[diesel(sql_type = BigInt)]
    pub facts: i64,
    /// Between entities and facts: a fact has one to its subject, and one to its object where that is an entity.
    #[diesel(sql_type = BigInt)]
    pub edges: i64,
}

/// Counts everything.
///
/// # Errors
/// The database's own.
pub fn counts(db: &mut SqliteConnection) -> Result<Counts, StoreError> {
    Ok(sql_query(
        "SELECT (SELECT count(*) FROM conversations) AS conversations, (SELECT count(*) FROM messages) AS messages, \
             (SELECT count(*) FROM passages WHERE kind <> 0 AND kind = 1) AS memories, \
             (SELECT count(*) FROM summaries) AS summaries, (SELECT count(*) FROM entities) AS entities, \
             (SELECT count(*) FROM facts) AS facts, \
             (SELECT count(*) FROM facts) + (SELECT count(*) FROM facts WHERE object_id IS NOT NULL) AS edges",
    )
    .get_result(db)?)
}

/// The FTS5 tables, whatever they index.
pub(crate) fn word_tables(db: &mut SqliteConnection) -> Result<Vec<String>, StoreError> {
    #[derive(QueryableByName)]
    struct Table {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let found: Vec<Table> = sql_query(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE% USING fts5%' \
           AND sql NOT LIKE '% USING fts5vocab%' ORDER BY name",
    )
    .load(db)?;
    // The names come into statements; those of our own are plain words.
    Ok(found
        .into_iter()
        .map(|table| table.name)
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
        .collect())
}

/// Rewrites the database and its indexes of words, so that nothing deleted is left in its files, and deletes our own
/// copies that still hold something that was forgotten. Vectors are not the store's: whoever keeps them rewrites them
/// first.
///
/// # Errors
/// [`StoreError::DiskFull`]: it needs as much room again as the database takes. [`StoreError::Refused`] while somebody
/// keeps the log from being emptied.
pub fn vacuum(store: &Store, now_ms: i64) -> Result<(), StoreError> {
    let forgotten: Option<i64> = store.read(|db| notes::get(db, notes::FORGOTTEN))?;
    store.alone(|db| {
        for table in word_tables(db)? {
            // A term of what was deleted may still mark where a page of the index begins; only a new index is without it.
            let how = if forgotten.is_some() { "rebuild" } else { "optimize" };
            sql_query(format!("INSERT INTO {table} ({table}) VALUES ('{how}')")).execute(db)?;
        }
        // The copy that VACUUM makes is as large as the database: it belongs on the disk, where `TMPDIR` says.
        db.batch_execute("PRAGMA temp_store = FILE;")?;
        let done = db.batch_execute("VACUUM;");
        db.batch_execute("PRAGMA temp_store = MEMORY;")?;
        done?;
        empty_log(db)
    })?;
    if let Some(at) = forgotten {
        for deleted in backups::delete_older(store.folder(), at)? {
            tracing::info!(file = deleted, "deleted a copy that held what was forgotten");
        }
    }
    store.write(|db| {
        // What was forgotten meanwhile waits for the next time.
        if notes::get::<i64>(db, notes::FORGOTTEN)? == forgotten {
            notes::remove(db, notes::FORGOTTEN)?;
        }
        notes::put(db, notes::VACUUMED, &now_ms)
    })
}

/// A log of less than this is left as it is: a turn writes a tenth of it, and appending to a file costs more than writing
/// it again.
const LOG_BYTES: u64 = 1 << 20;

/// Time that a log which somebody reads is waited for: it is cut the next time.
const LOG_WAIT: &str = "PRAGMA busy_timeout = 100;";
const USUAL_WAIT: &str = "PRAGMA busy_timeout = 10000;";

/// Writes the log back into the database and cuts its file, where it has grown long. For quiet times: nobody reads
/// meanwhile. Says whether it was cut.
///
/// # Errors
/// [`StoreError::Refused`] while another program reads the log; the database's.
pub fn cut_log(store: &Store) -> Result<bool, StoreError> {
    let log = PathBuf::from(format!("{}-wal", store.file().display()));
    if std::fs::metadata(log).map_or(0, |about| about.len()) < LOG_BYTES {
        return Ok(false);
    }
    store.alone(|db| {
        db.batch_execute(LOG_WAIT)?;
        let done = empty_log(db);
        db.batch_execute(USUAL_WAIT)?;
        done
    })?;
    Ok(true)
}

/// Writes the log back into the database and cuts it to nothing.
fn empty_log(db: &mut SqliteConnection) -> Result<(), StoreError> {
    #[derive(QueryableByName)]
    struct Done {
        #[diesel(sql_type = Integer)]
        busy: i32,
    }
    let done: Done = sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result(db)?;
    if done.busy == 0 {
        return Ok(());
    }
    Err(StoreError::Refused(
        "the database's log is in use by another program and still holds what was deleted; end that program, then run `butterfly memory vacuum`".to_owned(),
    ))
}

/// Checks the whole database and its indexes of words, beside everything else that goes on.
///
/// It does so on a connection of its own. FTS5 keeps the structure of an index with the connection that last searched it,
/// and its integrity check, alone among its methods, does not look whether that is still the one of now
/// (`fts5IntegrityMethod` never calls `fts5NewTransaction`; SQLite 3.53): on a reader it would call every index damaged
/// whose segments were merged since the reader's last search.
///
/// # Errors
/// [`StoreError::Corrupt`] with the first fault, and the copy to restore.
pub fn verify(store: &Store) -> Result<(), StoreError> {
    // A turn among the readers, so that it keeps to their number and nobody rewrites the file meanwhile.
    store.read(|_| {
        let file = store.file();
        opening::verify(&mut crate::database::connect_alone(&file)?, &file)
    })
}

/// A consistent copy of the whole database, in the scratch folder, checked as a whole. It is the caller's to delete.
///
/// # Errors
/// [`StoreError::DiskFull`]; a copy that is damaged because the database is.
pub fn copy(store: &Store, name: &str) -> Result<PathBuf, StoreError> {
    let copy = store.folder().join(SCRATCH).join(name);
    remove(&copy)?;
    let made = store.read(|_| Ok(())).and_then(|()| {
        let mut db = crate::database::connect_alone(&store.file())?;
        migrate::copy_into(&mut db, &copy)?;
        drop(db);
        let mut db = crate::database::connect_alone(&copy)?;
        replace::integrity(&mut db)?;
        replace::words(&mut db)
    });
    match made {
        Ok(()) => Ok(copy),
        Err(error) => {
            remove(&copy)?;
            Err(error)
        }
    }
}

/// Deletes a file that may not be there.
///
/// # Errors
/// When it is there and stays.
pub fn remove(file: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
#[path = "care/tests.rs"]
mod tests;
