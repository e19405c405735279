//! What was said just before and just after a passage.
//!
//! In a transcript that is the message that it follows, and of those that follow it the latest: the branch that was kept.
//! What was noted by itself has no neighbours.

use crate::error::StoreError;
use crate::search::json;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{SqliteConnection, sql_query};
use std::collections::HashMap;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    before: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    after: Option<i64>,
}

/// The passages before and after one.
pub type Sides = (Option<i64>, Option<i64>);

/// The neighbours of each of `ids`.
///
/// # Errors
/// The database's.
pub fn of(db: &mut SqliteConnection, ids: &[i64]) -> Result<HashMap<i64, Sides>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<Row> = sql_query(
        "SELECT m.id, m.parent_id AS before, (SELECT max(f.id) FROM messages f JOIN passages p ON p.id = f.id \
            WHERE f.conversation_id = m.conversation_id AND f.parent_id = m.id AND p.ready) AS after \
         FROM json_each(?1) AS wanted JOIN messages m ON m.id = wanted.value",
    )
    .bind::<Text, _>(json(ids.iter().copied()))
    .load(db)?;
    Ok(rows.into_iter().map(|row| (row.id, (row.before, row.after))).collect())
}
