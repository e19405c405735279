//! Another copy in the database's place: checked first, put beside it, and swapped in at the next opening.
//!
//! The swap is two renames, so that whatever interrupts it is finished at the next opening: as long as the new file is
//! there under its waiting name, it is meant to be the database.
//!
//! Invariants:
//! - A copy gets its waiting name only after all of it was checked and is on the disk.
//! - The database that it replaces is kept, with its log, among the backups.

use crate::database::{FILE, connect_alone};
use crate::error::StoreError;
use crate::migrate::BACKUPS;
use crate::{backups, migrate, opening};
use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use diesel_migrations::MigrationHarness;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

/// A checked copy waits under this name for the next opening, in the data folder, with the time in ms between.
const WAITING: (&str, &str) = ("restore-", ".db");

/// The folder of vectors, made again from the database.
pub const VECTORS: &str = "vectors";

/// A copy that was found to be whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    file: PathBuf,
    pub conversations: u64,
    pub messages: u64,
}

/// Checks a copy as a whole and brings it up to date, where it lies. Nothing that it says of vectors is kept: they are
/// made again.
///
/// # Errors
/// [`StoreError::Refused`] for what is no store of this program's, [`StoreError::Corrupt`] for a damaged one,
/// [`StoreError::Newer`] for a later version's.
pub fn check(file: &Path) -> Result<Checked, StoreError> {
    opening::check_header(file).map_err(in_the_copy)?;
    let mut db = connect_alone(file).map_err(in_the_copy)?;
    integrity(&mut db)?;
    let applied = if has_migrations(&mut db)? { migrate::applied(&mut db)? } else { Vec::new() };
    let known = migrate::known()?;
    if let Some(newer) = applied.iter().find(|version| !known.contains(version)) {
        return Err(StoreError::Newer { found: newer.clone(), known: known.last().cloned().unwrap_or_default() });
    }
    if applied.is_empty() || schema(&mut db)? != schema_after(applied.len())? {
        return Err(StoreError::Refused(
            "the file is a database, but not one of ButterFly Bot's; choose a file that `butterfly backup` wrote"
                .to_owned(),
        ));
    }
    if applied.len() < known.len() {
        db.run_pending_migrations(migrate::MIGRATIONS).map_err(|error| {
            StoreError::Refused(format!("the copy could not be brought up to date ({error}); choose another one"))
        })?;
    }
    words(&mut db)?;
    // Vectors that were made for another state of the store would answer for passages that say something else now.
    db.batch_execute(
        "BEGIN IMMEDIATE; DELETE FROM embedded; DELETE FROM embedding_models; DELETE FROM vector_outbox; \
         INSERT INTO vector_outbox (passage_id, action) SELECT id, 0 FROM passages WHERE ready; COMMIT;",
    )?;
    let counts: Counts = sql_query(
        "SELECT (SELECT count(*) FROM conversations) AS conversations, (SELECT count(*) FROM messages) AS messages",
    )
    .get_result(&mut db)?;
    drop(db);
    File::open(file)?.sync_all()?;
    Ok(Checked {
        file: file.to_owned(),
        conversations: u64::try_from(counts.conversations).unwrap_or(0),
        messages: u64::try_from(counts.messages).unwrap_or(0),
    })
}

#[derive(QueryableByName)]
struct Counts {
    #[diesel(sql_type = BigInt)]
    conversations: i64,
    #[diesel(sql_type = BigInt)]
    messages: i64,
}

/// Lets a checked copy take the database's place at the next opening, and says under which name, within the data folder,
/// the present one will be kept.
///
/// # Errors
/// When the file cannot be renamed.
pub fn schedule(folder: &Path, copy: &Checked, now_ms: i64) -> Result<String, StoreError> {
    for earlier in waiting(folder)? {
        std::fs::remove_file(earlier)?;
    }
    let name = format!("{}{now_ms}{}", WAITING.0, WAITING.1);
    std::fs::rename(&copy.file, folder.join(&name))?;
    File::open(folder)?.sync_all()?;
    Ok(kept_name(now_ms))
}

fn kept_name(now_ms: i64) -> String {
    format!("{BACKUPS}/replaced-{now_ms}.db")
}

/// Finishes what [`schedule`] began. Called before the database is opened, by who holds the folder's lock.
///
/// # Errors
/// When a file cannot be renamed; the next opening tries again.
pub(crate) fn finish(folder: &Path) -> Result<(), StoreError> {
    let mut waiting = waiting(folder)?;
    let Some(new) = waiting.pop() else { return Ok(()) };
    let name = new.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let number = name.trim_start_matches(WAITING.0).trim_end_matches(WAITING.1);
    let kept = folder.join(kept_name(number.parse().unwrap_or(0)));
    std::fs::create_dir_all(folder.join(BACKUPS))?;
    let present = folder.join(FILE);
    if present.exists() {
        // The log goes first: a database without its log is an older one, a log without its database is nothing.
        let beside = |path: &Path, end: &str| PathBuf::from(format!("{}{end}", path.display()));
        for end in ["-wal", ""] {
            let from = beside(&present, end);
            if from.exists() {
                std::fs::rename(from, beside(&kept, end))?;
            }
        }
    }
    for left in ["-shm", "-wal"] {
        let file = folder.join(format!("{FILE}{left}"));
        if file.exists() {
            std::fs::remove_file(file)?;
        }
    }
    let vectors = folder.join(VECTORS);
    if vectors.exists() {
        std::fs::remove_dir_all(vectors)?;
    }
    std::fs::rename(&new, &present)?;
    File::open(folder)?.sync_all()?;
    tracing::info!(kept = backups::name(folder, &kept), "another copy has taken the database's place");
    Ok(())
}

fn waiting(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(WAITING.0) && name.ends_with(WAITING.1) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// Checks every page, every index and every reference of a copy.
///
/// # Errors
/// [`StoreError::Refused`] with the first fault.
pub(crate) fn integrity(db: &mut SqliteConnection) -> Result<(), StoreError> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Text)]
        integrity_check: String,
    }
    let found: Vec<Found> =
        sql_query("PRAGMA integrity_check(1)").load(db).map_err(|error| in_the_copy(error.into()))?;
    match found.into_iter().map(|row| row.integrity_check).find(|row| row != "ok") {
        None => Ok(()),
        Some(fault) => Err(damaged_copy(&fault)),
    }
}

/// Compares the indexes of words with what they index.
///
/// # Errors
/// [`StoreError::Refused`] where one does not say what the passages say.
pub fn words(db: &mut SqliteConnection) -> Result<(), StoreError> {
    for table in crate::care::word_tables(db)? {
        sql_query(format!("INSERT INTO {table} ({table}, rank) VALUES ('integrity-check', 1)"))
            .execute(db)
            .map_err(|error| damaged_copy(&format!("its index {table} is not that of its texts: {error}")))?;
    }
    Ok(())
}

fn in_the_copy(error: StoreError) -> StoreError {
    match error {
        StoreError::Corrupt { fault, .. } => damaged_copy(&fault),
        StoreError::Database(fault) => damaged_copy(&fault.to_string()),
        other => other,
    }
}

fn damaged_copy(fault: &str) -> StoreError {
    StoreError::Refused(format!("the copy is damaged ({fault}) and was not used; choose another one"))
}

fn has_migrations(db: &mut SqliteConnection) -> Result<bool, StoreError> {
    let found = sql_query("SELECT name FROM sqlite_master WHERE name = '__diesel_schema_migrations'")
        .load::<Name>(db)
        .map_err(|error| in_the_copy(error.into()))?;
    Ok(!found.is_empty())
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    #[allow(dead_code, reason = "its presence is what counts")]
    name: String,
}

#[derive(QueryableByName, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Object {
    #[diesel(sql_type = Text)]
    r#type: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    sql: String,
}

/// All that a database is made of, but for what SQLite makes by itself and what belongs to its indexes of words: another
/// version of SQLite may write those differently. A trigger that somebody added is seen.
fn schema(db: &mut SqliteConnection) -> Result<BTreeSet<Object>, StoreError> {
    let tables = crate::care::word_tables(db)?;
    let objects: Vec<Object> = sql_query(
        "SELECT type, name, coalesce(sql, '') AS sql FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )
    .load(db)
    .map_err(|error| in_the_copy(error.into()))?;
    let inner = |name: &str| {
        tables.iter().any(|table| {
            name.strip_prefix(table.as_str())
                .is_some_and(|rest| ["_data", "_idx", "_content", "_docsize", "_config"].contains(&rest))
        })
    };
    Ok(objects.into_iter().filter(|object| !inner(&object.name)).collect())
}

/// What a new database is made of after so many steps.
fn schema_after(steps: usize) -> Result<BTreeSet<Object>, StoreError> {
    let mut db = connect_alone(Path::new(":memory:"))?;
    for _ in 0..steps {
        db.run_next_migration(migrate::MIGRATIONS)
            .map_err(|error| StoreError::Refused(format!("the schema cannot be made: {error}")))?;
    }
    schema(&mut db)
}
