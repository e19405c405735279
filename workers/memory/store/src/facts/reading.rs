//! Facts as they are told: by id, by passage, by what they are about, as of a time.

use super::{key, signed, unsigned};
use crate::error::StoreError;
use crate::schema::{entities, fact_sources, facts};
use butterfly_api::memory::{Fact, Facts, FactsRequest};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{SqliteConnection, sql_query};
use std::collections::HashMap;

/// Facts that one answer may hold.
const LIST_LIMIT: u32 = 500;

#[derive(QueryableByName)]
struct FactRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    subject: String,
    #[diesel(sql_type = Text)]
    relation: String,
    #[diesel(sql_type = Text)]
    object: String,
    #[diesel(sql_type = BigInt)]
    from_ms: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    to_ms: Option<i64>,
    #[diesel(sql_type = BigInt)]
    recorded_ms: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    source: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    superseded_by: Option<i64>,
}

/// The columns of [`FactRow`]; the condition follows.
const SELECT: &str = "SELECT f.id, s.name AS subject, f.relation, f.object, f.valid_from_ms AS from_ms, \
    f.valid_to_ms AS to_ms, f.recorded_ms, f.superseded_by, \
    (SELECT passage_id FROM fact_sources WHERE fact_id = f.id ORDER BY said_ms, passage_id LIMIT 1) AS source \
    FROM facts f JOIN entities s ON s.id = f.subject_id ";

impl From<FactRow> for Fact {
    fn from(row: FactRow) -> Self {
        Self {
            id: row.id.unsigned_abs(),
            subject: row.subject,
            relation: row.relation,
            object: row.object,
            valid_from_unix_ms: unsigned(row.from_ms),
            valid_to_unix_ms: row.to_ms.map(unsigned),
            recorded_unix_ms: unsigned(row.recorded_ms),
            source: row.source.map(unsigned),
            superseded_by: row.superseded_by.map(unsigned),
        }
    }
}

/// Facts by their ids, in the order of `ids`; those that are not there are left out.
///
/// # Errors
/// The database's.
pub fn load(db: &mut SqliteConnection, ids: &[i64]) -> Result<Vec<Fact>, StoreError> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(500) {
        let list = chunk.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
        let rows: Vec<FactRow> = sql_query(format!("{SELECT} WHERE f.id IN ({list})")).load(db)?;
        found.extend(rows.into_iter().map(|row| (row.id, Fact::from(row))));
    }
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

/// The facts that were taken from a passage, oldest first.
///
/// # Errors
/// The database's.
pub fn of_passage(db: &mut SqliteConnection, passage: i64) -> Result<Vec<Fact>, StoreError> {
    let ids: Vec<i64> = fact_sources::table
        .filter(fact_sources::passage_id.eq(passage))
        .order(fact_sources::fact_id)
        .select(fact_sources::fact_id)
        .load(db)?;
    load(db, &ids)
}

/// What is held to be true: newest first.
///
/// # Errors
/// The database's.
pub fn list(db: &mut SqliteConnection, request: &FactsRequest, now_ms: i64) -> Result<Facts, StoreError> {
    let at = request.as_of_unix_ms.map_or(now_ms, signed);
    // Without a time, what was said to begin in the future is told too.
    let held = match (request.as_of_unix_ms, request.all) {
        (Some(_), false) => "f.valid_from_ms <= ?1 AND (f.valid_to_ms IS NULL OR f.valid_to_ms > ?1)",
        (Some(_), true) => "f.valid_from_ms <= ?1",
        (None, false) => "(f.valid_to_ms IS NULL OR f.valid_to_ms > ?1)",
        (None, true) => "?1 = ?1",
    };
    let about = match &request.about {
        Some(name) => match entity_of(db, name)? {
            Some(id) => {
                let all = identities(db, id)?.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
                format!("AND (f.subject_id IN ({all}) OR f.object_id IN ({all}))")
            }
            None => return Ok(Facts { facts: Vec::new() }),
        },
        None => String::new(),
    };
    let limit = if request.limit == 0 { LIST_LIMIT } else { request.limit.min(LIST_LIMIT) };
    let rows: Vec<FactRow> = sql_query(format!("{SELECT} WHERE {held} {about} ORDER BY f.id DESC LIMIT {limit}"))
        .bind::<BigInt, _>(at)
        .load(db)?;
    Ok(Facts { facts: rows.into_iter().map(Fact::from).collect() })
}

/// The entity that a name means, if there is one.
pub(crate) fn entity_of(db: &mut SqliteConnection, name: &str) -> Result<Option<i64>, StoreError> {
    Ok(entities::table.filter(entities::key.eq(key::key(name))).select(entities::id).first(db).optional()?)
}

/// An entity and its other names: `user's sister` is `Ana`.
fn identities(db: &mut SqliteConnection, id: i64) -> Result<Vec<i64>, StoreError> {
    let pairs: Vec<(i64, Option<i64>)> = facts::table
        .filter(facts::relation.eq("is named").and(facts::subject_id.eq(id)))
        .select((facts::subject_id, facts::object_id))
        .load(db)?;
    let reverse: Vec<(i64, Option<i64>)> = facts::table
        .filter(facts::object_id.eq(id).and(facts::relation.eq("is named")))
        .select((facts::subject_id, facts::object_id))
        .load(db)?;
    let mut all = vec![id];
    for (subject, object) in pairs.into_iter().chain(reverse) {
        all.extend([Some(subject), object].into_iter().flatten());
    }
    all.sort_unstable();
    all.dedup();
    Ok(all)
}
