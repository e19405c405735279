//! Retention: what is older than the settings allow goes, in small batches, so that nobody waits long for the database.

use crate::database::Store;
use crate::error::StoreError;
use crate::schema::{conversations, passages};
use crate::transcripts::conversations::TRASH_MS;
use crate::{forget, notes};
use butterfly_api::storage::Retained;
use diesel::prelude::*;

/// Passages that go in one transaction: some 10 ms, less than anybody notices.
const BATCH: i64 = 100;

/// One day, in ms.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Deletes for good what has been in the trash for 30 days and, where `days` is not 0, what was said or noted longer ago
/// than so many days, with all that was made of it. It notes what it did.
///
/// # Errors
/// The database's own; what went before stays gone, and the next run goes on.
pub fn retain(store: &Store, days: i64, now_ms: i64) -> Result<Retained, StoreError> {
    let mut done = Retained { at_unix_ms: u64::try_from(now_ms).unwrap_or(0), conversations: 0, passages: 0, facts: 0 };
    for conversation in store.read(|db| overdue(db, now_ms))? {
        while batch(store, &mut done, |db| {
            Ok(passages::table
                .filter(passages::conversation_id.eq(conversation))
                .select(passages::id)
                .limit(BATCH)
                .load(db)?)
        })? {}
        store.write(|db| remove(db, conversation))?;
        done.conversations += 1;
    }
    if days > 0 {
        let limit = now_ms.saturating_sub(days.saturating_mul(DAY_MS));
        while batch(store, &mut done, |db| {
            // What is being said just now is not old, whatever the clock says.
            Ok(passages::table
                .filter(passages::at_ms.lt(limit))
                .filter(passages::ready.eq(true))
                .select(passages::id)
                .limit(BATCH)
                .load(db)?)
        })? {}
        for conversation in store.read(|db| empty(db, limit))? {
            store.write(|db| remove(db, conversation))?;
            done.conversations += 1;
        }
    }
    store.write(|db| notes::put(db, notes::RETAINED, &done))?;
    Ok(done)
}

/// Forgets what `which` names, and says whether there was anything.
fn batch(
    store: &Store,
    done: &mut Retained,
    which: impl FnOnce(&mut SqliteConnection) -> Result<Vec<i64>, StoreError>,
) -> Result<bool, StoreError> {
    let gone = store.write(|db| {
        let ids = which(db)?;
        if ids.is_empty() { Ok(None) } else { forget::forget(db, &ids, &[], false).map(Some) }
    })?;
    let Some(gone) = gone else { return Ok(false) };
    done.passages += u64::try_from(gone.passages.len()).unwrap_or(0);
    done.facts += u64::try_from(gone.facts.len()).unwrap_or(0);
    Ok(true)
}

fn overdue(db: &mut SqliteConnection, now_ms: i64) -> Result<Vec<i64>, StoreError> {
    Ok(conversations::table
        .filter(conversations::trashed_ms.le(now_ms.saturating_sub(TRASH_MS)))
        .select(conversations::id)
        .load(db)?)
}

/// Conversations of which nothing is left, and in which nothing was said since.
fn empty(db: &mut SqliteConnection, limit_ms: i64) -> Result<Vec<i64>, StoreError> {
    Ok(conversations::table
        .filter(conversations::updated_ms.lt(limit_ms))
        .filter(diesel::dsl::not(diesel::dsl::exists(
            passages::table.filter(passages::conversation_id.eq(conversations::id.nullable())),
        )))
        .select(conversations::id)
        .load(db)?)
}

fn remove(db: &mut SqliteConnection, conversation: i64) -> Result<(), StoreError> {
    diesel::delete(conversations::table.filter(conversations::id.eq(conversation))).execute(db)?;
    notes::put(db, notes::FORGOTTEN, &crate::facts::now_ms())
}
