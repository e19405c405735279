//! What the store remembers of its own care: small JSON documents by name.

use crate::error::StoreError;
use crate::schema::notes;
use diesel::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// When something was forgotten that may still be in the files: Unix time in ms.
pub const FORGOTTEN: &str = "forgotten";
/// When the files were last rewritten: Unix time in ms.
pub const VACUUMED: &str = "last_vacuum";
/// What retention did last.
pub const RETAINED: &str = "last_retention";

/// A note; `None` where there is none.
///
/// # Errors
/// [`StoreError::Json`] for one that says something else.
pub fn get<T: DeserializeOwned>(db: &mut SqliteConnection, name: &str) -> Result<Option<T>, StoreError> {
    let value: Option<String> = notes::table.find(name).select(notes::value).first(db).optional()?;
    Ok(value.map(|value| serde_json::from_str(&value)).transpose()?)
}

/// Writes a note over the one of that name.
///
/// # Errors
/// The database's own.
pub fn put<T: Serialize>(db: &mut SqliteConnection, name: &str, value: &T) -> Result<(), StoreError> {
    let value = serde_json::to_string(value)?;
    diesel::replace_into(notes::table).values((notes::name.eq(name), notes::value.eq(value))).execute(db)?;
    Ok(())
}

/// Takes a note away.
///
/// # Errors
/// The database's own.
pub fn remove(db: &mut SqliteConnection, name: &str) -> Result<(), StoreError> {
    diesel::delete(notes::table.find(name)).execute(db)?;
    Ok(())
}
