//! Brings the schema up to date, and copies what is there before that.

use crate::error::StoreError;
use diesel::sql_types::Text;
use diesel::{RunQueryDsl, SqliteConnection, sql_query};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::path::Path;

/// The schema's steps, oldest first.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../../migrations");

/// Copies made before a migration, within the data folder.
pub const BACKUPS: &str = "backups";

/// Applies what is missing.
///
/// # Errors
/// [`StoreError::Newer`] where the database knows steps that this program does not.
pub fn run(db: &mut SqliteConnection, folder: &Path) -> Result<(), StoreError> {
    let fault = |error: Box<dyn std::error::Error + Send + Sync>| {
        StoreError::Refused(format!("the database could not be brought up to date: {error}"))
    };
    let applied = db.applied_migrations().map_err(fault)?;
    let pending = db.pending_migrations(MIGRATIONS).map_err(fault)?;
    let known: Vec<String> = {
        let mut all: Vec<String> = pending.iter().map(|step| step.name().version().to_string()).collect();
        let names: Vec<_> =
            diesel::migration::MigrationSource::<diesel::sqlite::Sqlite>::migrations(&MIGRATIONS).map_err(fault)?;
        all.extend(names.iter().map(|step| step.name().version().to_string()));
        all
    };
    if let Some(newer) = applied.iter().map(ToString::to_string).find(|version| !known.contains(version)) {
        let newest = known.iter().max().cloned().unwrap_or_default();
        return Err(StoreError::Newer { found: newer, known: newest });
    }
    if pending.is_empty() {
        return Ok(());
    }
    if !applied.is_empty() {
        let backups = folder.join(BACKUPS);
        std::fs::create_dir_all(&backups)?;
        let from = applied.iter().map(ToString::to_string).max().unwrap_or_default();
        let copy = backups.join(format!("before-migration-from-{from}.db"));
        if copy.exists() {
            std::fs::remove_file(&copy)?;
        }
        sql_query("VACUUM INTO ?").bind::<Text, _>(copy.to_string_lossy().into_owned()).execute(db)?;
        tracing::info!(copy = %copy.display(), "copied the database before bringing it up to date");
    }
    db.run_pending_migrations(MIGRATIONS).map_err(fault)?;
    Ok(())
}
