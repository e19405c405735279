//! Passages whose facts have yet to be taken: first by rules, then by a model.
//!
//! What is in here waits; nothing is lost when it stays, and nothing is taken twice when it is gone.

use crate::error::StoreError;
use crate::prepared::prepared;
use crate::schema::{entities, extraction_outbox, facts};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use diesel::{SqliteConnection, sql_query};

/// Who reads a passage next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Rules,
    Model,
}

impl Stage {
    fn number(self) -> i32 {
        match self {
            Self::Rules => 0,
            Self::Model => 1,
        }
    }
}

/// Passages that may wait for a model. Beyond that the oldest are let go: a model that is installed after a year should
/// not spend a night on it.
const WAIT_FOR_MODEL: i64 = 500;

/// A passage that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub passage: i64,
    /// Of the model.
    pub attempts: u32,
    pub speaker: String,
    pub text: String,
    /// Unix time in ms when it was said.
    pub at_ms: i64,
    pub conversation: Option<i64>,
    /// A person said or noted it: not the assistant, a tool or a summary.
    pub by_person: bool,
    /// It is a message, out of which memories are noted; a memory is one already.
    pub is_message: bool,
    /// It came in bulk, with a name of its own: no model is asked about it.
    pub imported: bool,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    passage_id: i64,
    #[diesel(sql_type = Integer)]
    attempts: i32,
    #[diesel(sql_type = Text)]
    speaker: String,
    #[diesel(sql_type = Text)]
    text: String,
    #[diesel(sql_type = BigInt)]
    at_ms: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    conversation_id: Option<i64>,
    #[diesel(sql_type = Integer)]
    kind: i32,
    #[diesel(sql_type = Nullable<Integer>)]
    role: Option<i32>,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    imported: bool,
}

/// The columns of [`Row`]; the condition follows.
const SELECT: &str = "SELECT o.passage_id, o.attempts, p.speaker, p.text, p.at_ms, p.conversation_id, p.kind, m.role, \
    p.external_id IS NOT NULL AS imported FROM extraction_outbox o JOIN passages p ON p.id = o.passage_id LEFT JOIN messages m ON m.id = p.id";

impl From<Row> for Waiting {
    fn from(row: Row) -> Self {
        Self {
            passage: row.passage_id,
            attempts: u32::try_from(row.attempts).unwrap_or(0),
            speaker: row.speaker,
            text: row.text,
            at_ms: row.at_ms,
            conversation: row.conversation_id,
            // 1: a user's message, a memory.
            by_person: row.kind == 1 || row.kind == 0 && row.role.is_none_or(|role| role == 1),
            is_message: row.kind == 0,
            imported: row.imported,
        }
    }
}

/// Has a passage's facts taken in the background. Nothing happens where it waits already.
///
/// # Errors
/// The database's.
pub fn enqueue(db: &mut SqliteConnection, passage: i64) -> Result<(), StoreError> {
    diesel::insert_or_ignore_into(extraction_outbox::table)
        .values(extraction_outbox::passage_id.eq(passage))
        .execute(db)?;
    Ok(())
}

/// Has a passage, whose facts the rules have taken, read by a model as well.
///
/// # Errors
/// The database's.
pub fn for_model(db: &mut SqliteConnection, passage: i64) -> Result<(), StoreError> {
    diesel::replace_into(extraction_outbox::table)
        .values((extraction_outbox::passage_id.eq(passage), extraction_outbox::stage.eq(Stage::Model.number())))
        .execute(db)?;
    prepared(
        "DELETE FROM extraction_outbox WHERE stage = 1 AND passage_id <= \
         (SELECT passage_id FROM extraction_outbox WHERE stage = 1 ORDER BY passage_id DESC LIMIT 1 OFFSET ?1)",
    )
    .bind::<BigInt, _>(WAIT_FOR_MODEL)
    .execute(db)?;
    Ok(())
}

/// What waits for this stage and is due: for the rules in the order in which it was said, for a model the newest first.
///
/// # Errors
/// The database's.
pub fn due(db: &mut SqliteConnection, stage: Stage, now_ms: i64, limit: u32) -> Result<Vec<Waiting>, StoreError> {
    let order = match stage {
        Stage::Rules => "ASC",
        Stage::Model => "DESC",
    };
    let rows: Vec<Row> = sql_query(format!(
        "{SELECT} WHERE o.stage = ?1 AND o.not_before_ms <= ?2 ORDER BY o.passage_id {order} LIMIT {limit}"
    ))
    .bind::<Integer, _>(stage.number())
    .bind::<BigInt, _>(now_ms)
    .load(db)?;
    Ok(rows.into_iter().map(Waiting::from).collect())
}

/// How many passages wait for the rules, counted up to `limit`.
///
/// # Errors
/// The database's.
pub fn waiting_for_rules(db: &mut SqliteConnection, limit: u32) -> Result<u32, StoreError> {
    let found: Vec<i64> = extraction_outbox::table
        .filter(extraction_outbox::stage.eq(Stage::Rules.number()))
        .select(extraction_outbox::passage_id)
        .limit(i64::from(limit))
        .load(db)?;
    Ok(u32::try_from(found.len()).unwrap_or(u32::MAX))
}

/// A passage as it waits, for whichever stage; `None`: it does not.
///
/// # Errors
/// The database's.
pub fn waiting(db: &mut SqliteConnection, passage: i64) -> Result<Option<Waiting>, StoreError> {
    let rows: Vec<Row> = sql_query(format!("{SELECT} WHERE o.passage_id = ?")).bind::<BigInt, _>(passage).load(db)?;
    Ok(rows.into_iter().next().map(Waiting::from))
}

/// A passage as it would wait, whether it does or not; `None`: there is none.
///
/// # Errors
/// The database's.
pub fn of(db: &mut SqliteConnection, passage: i64) -> Result<Option<Waiting>, StoreError> {
    let found: Option<Row> = prepared(
        "SELECT p.id AS passage_id, 0 AS attempts, p.speaker, p.text, p.at_ms, p.conversation_id, p.kind, m.role, \
             p.external_id IS NOT NULL AS imported FROM passages p LEFT JOIN messages m ON m.id = p.id WHERE p.id = ?1",
    )
    .bind::<BigInt, _>(passage)
    .get_result(db)
    .optional()?;
    Ok(found.map(Waiting::from))
}

/// When the next passage of this stage is due: Unix time in ms; `None`: none waits.
///
/// # Errors
/// The database's.
pub fn next_due(db: &mut SqliteConnection, stage: Stage) -> Result<Option<i64>, StoreError> {
    Ok(extraction_outbox::table
        .filter(extraction_outbox::stage.eq(stage.number()))
        .order(extraction_outbox::not_before_ms)
        .select(extraction_outbox::not_before_ms)
        .first(db)
        .optional()?)
}

/// Puts a passage off after an attempt that failed.
///
/// # Errors
/// The database's.
pub fn put_off(db: &mut SqliteConnection, passage: i64, attempts: u32, not_before_ms: i64) -> Result<(), StoreError> {
    diesel::update(extraction_outbox::table.find(passage))
        .set((
            extraction_outbox::attempts.eq(i32::try_from(attempts).unwrap_or(i32::MAX)),
            extraction_outbox::not_before_ms.eq(not_before_ms),
        ))
        .execute(db)?;
    Ok(())
}

/// Nothing more is taken from a passage.
///
/// # Errors
/// The database's.
pub fn done(db: &mut SqliteConnection, passage: i64) -> Result<(), StoreError> {
    diesel::delete(extraction_outbox::table.find(passage)).execute(db)?;
    Ok(())
}

/// Lets go of all that waits for this stage.
///
/// # Errors
/// The database's.
pub fn let_go(db: &mut SqliteConnection, stage: Stage) -> Result<(), StoreError> {
    diesel::delete(extraction_outbox::table.filter(extraction_outbox::stage.eq(stage.number()))).execute(db)?;
    Ok(())
}

/// Lets go of all that waits. Returns how many passages that were.
///
/// # Errors
/// The database's.
pub fn clear(db: &mut SqliteConnection) -> Result<usize, StoreError> {
    Ok(diesel::delete(extraction_outbox::table).execute(db)?)
}

/// The one fact that holds one value at a time and says `object` now, as subject and relation; `None` where there is
/// none, or more than one: then nobody can tell which is meant.
///
/// # Errors
/// The database's.
pub fn only_about(db: &mut SqliteConnection, object: &str, at_ms: i64) -> Result<Option<(String, String)>, StoreError> {
    let key = super::key::key(object);
    let rows: Vec<(String, String)> = facts::table
        .inner_join(entities::table.on(entities::id.eq(facts::subject_id)))
        .filter(facts::object_id.eq_any(
            crate::schema::entities::table.filter(entities::key.eq(&key)).select(entities::id).load::<i64>(db)?,
        ))
        .filter(facts::valid_from_ms.le(at_ms).and(facts::valid_to_ms.is_null().or(facts::valid_to_ms.gt(at_ms))))
        .select((entities::name, facts::relation))
        .load(db)?;
    let mut single = rows.into_iter().filter(|(_, relation)| super::relation::is_single(relation));
    let first = single.next();
    Ok(if single.next().is_some() { None } else { first })
}
