//! Brings the schema up to date, and copies what is there before that.

use crate::error::StoreError;
use diesel::migration::{Migration, MigrationSource};
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;
use diesel::{RunQueryDsl, SqliteConnection, sql_query};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::error::Error;
use std::path::Path;

/// The schema's steps, oldest first.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../../migrations");

/// Copies made before a migration, within the data folder.
pub const BACKUPS: &str = "backups";

/// Applies what is missing.
///
/// # Errors
/// [`StoreError::Newer`] where the database knows steps that this program does not; [`StoreError::DiskFull`] where there
/// is no room for the copy.
pub fn run(db: &mut SqliteConnection, folder: &Path) -> Result<(), StoreError> {
    let applied = applied(db)?;
    let known = known()?;
    if let Some(newer) = applied.iter().find(|version| !known.contains(version)) {
        return Err(StoreError::Newer { found: newer.clone(), known: known.last().cloned().unwrap_or_default() });
    }
    if applied.len() == known.len() {
        return Ok(());
    }
    if let Some(from) = applied.last() {
        let backups = folder.join(BACKUPS);
        std::fs::create_dir_all(&backups)?;
        let copy = backups.join(format!("before-migration-from-{from}.db"));
        if copy.exists() {
            std::fs::remove_file(&copy)?;
        }
        copy_into(db, &copy)?;
        tracing::info!(copy = %copy.display(), "copied the database before bringing it up to date");
    }
    db.run_pending_migrations(MIGRATIONS).map_err(fault)?;
    Ok(())
}

/// Writes a consistent copy of the database to a file that does not exist, and sees that it is on the disk.
///
/// # Errors
/// The database's own.
pub(crate) fn copy_into(db: &mut SqliteConnection, copy: &Path) -> Result<(), StoreError> {
    sql_query("VACUUM INTO ?").bind::<Text, _>(copy.to_string_lossy().into_owned()).execute(db)?;
    std::fs::File::open(copy)?.sync_all()?;
    Ok(())
}

/// The versions of the steps that this program knows, oldest first.
pub(crate) fn known() -> Result<Vec<String>, StoreError> {
    let steps: Vec<Box<dyn Migration<Sqlite>>> = MIGRATIONS.migrations().map_err(fault)?;
    let mut versions: Vec<String> = steps.iter().map(|step| step.name().version().to_string()).collect();
    versions.sort();
    Ok(versions)
}

/// The versions of the steps that were applied to a database, oldest first.
pub(crate) fn applied(db: &mut SqliteConnection) -> Result<Vec<String>, StoreError> {
    let mut versions: Vec<String> = db.applied_migrations().map_err(fault)?.iter().map(ToString::to_string).collect();
    versions.sort();
    Ok(versions)
}

fn fault(error: Box<dyn Error + Send + Sync>) -> StoreError {
    match error.downcast::<diesel::result::Error>() {
        Ok(error) => StoreError::from(*error),
        Err(error) => {
            let words = error.to_string();
            if words.contains("disk is full") {
                return StoreError::DiskFull;
            }
            StoreError::Refused(format!(
                "the database could not be brought up to date ({words}); the copy made before is among its backups, and `butterfly doctor` says more"
            ))
        }
    }
}
