//! What the vector store has yet to learn, and what it is known to hold.
//!
//! Triggers fill the outbox in the same transaction that changes a passage; the worker empties it in batches. A row goes
//! only when the vector store has what it asks for, so that whatever is interrupted is done again. It does *not* know
//! vectors.
//!
//! Invariants:
//! - Every passage that is ready has a row in `embedded` for the serving model, or one in the outbox, or could not be
//!   embedded and was given up (an empty one, or one that the model refuses).
//! - At most one model serves, and at most one is being filled.

pub mod models;
pub mod reconcile;
#[cfg(test)]
mod tests;

use crate::error::StoreError;
use crate::prepared::prepared;
use crate::schema::{embedded, embedding_models, passages, vector_outbox};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text as SqlText};
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};

/// `vector_outbox.action`.
pub const EMBED: i32 = 0;
pub const DELETE: i32 = 1;

/// Someone's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub speaker: String,
    pub text: String,
}

/// A passage to embed, with what was said just before and after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub passage: i64,
    /// 0: it belongs to none.
    pub conversation: i64,
    pub before: Option<Said>,
    pub own: Said,
    pub after: Option<Said>,
}

/// A batch of work.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Work {
    /// The rows that are done with it.
    pub rows: Vec<i64>,
    /// Passages whose vectors are to be deleted: they are gone, or there is nothing in them to embed.
    pub delete: Vec<i64>,
    /// Passages to embed; the neighbours of those named in the outbox among them.
    pub embed: Vec<Due>,
}

impl Work {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

#[derive(QueryableByName)]
struct Passage {
    #[diesel(sql_type = BigInt)]
    conversation: i64,
    #[diesel(sql_type = SqlText)]
    speaker: String,
    #[diesel(sql_type = SqlText)]
    text: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    before: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    after: Option<i64>,
}

/// A passage and the ids of its neighbours: in a transcript along the branch (of several that follow, the newest), among
/// imported memories of one conversation in their order. What else was noted stands alone.
const PASSAGE: &str = "
    SELECT COALESCE(p.conversation_id, 0) AS conversation, p.speaker, p.text,
        CASE WHEN m.id IS NOT NULL THEN m.parent_id
             WHEN p.external_id IS NOT NULL AND p.kind <> 2 THEN
                (SELECT max(b.id) FROM passages b WHERE b.conversation_id = p.conversation_id AND b.id < p.id
                    AND b.kind = p.kind AND b.external_id IS NOT NULL)
        END AS before,
        CASE WHEN m.id IS NOT NULL THEN
                (SELECT max(c.id) FROM messages c JOIN passages r ON r.id = c.id
                    WHERE c.conversation_id = m.conversation_id AND c.parent_id = m.id AND r.ready)
             WHEN p.external_id IS NOT NULL AND p.kind <> 2 THEN
                (SELECT min(a.id) FROM passages a WHERE a.conversation_id = p.conversation_id AND a.id > p.id
                    AND a.kind = p.kind AND a.external_id IS NOT NULL)
        END AS after
    FROM passages p LEFT JOIN messages m ON m.id = p.id
    WHERE p.id = ?1 AND p.ready";

/// The next work: at most `limit` rows of the outbox, oldest first.
///
/// # Errors
/// The database's.
pub fn take(db: &mut SqliteConnection, limit: i64) -> Result<Work, StoreError> {
    let rows: Vec<(i64, i64)> = vector_outbox::table
        .select((vector_outbox::id, vector_outbox::passage_id))
        .order(vector_outbox::id)
        .limit(limit)
        .load(db)?;
    let named: BTreeSet<i64> = rows.iter().map(|(_, passage)| *passage).collect();
    let mut work = Work { rows: rows.into_iter().map(|(row, _)| row).collect(), ..Work::default() };
    let mut known = HashMap::new();
    let mut wanted: Vec<i64> = Vec::new();
    for id in &named {
        match passage(db, &mut known, *id)? {
            Some(found) if !found.text.trim().is_empty() => wanted.push(*id),
            Some(_) | None => work.delete.push(*id),
        }
    }
    // What was embedded before a neighbour came, changed or went is made again with it.
    let mut beside: BTreeSet<i64> = BTreeSet::new();
    for id in named.iter().filter(|id| known.contains_key(id)) {
        let neighbours = known.get(id).map(|passage: &Passage| [passage.before, passage.after]);
        for neighbour in neighbours.into_iter().flatten().flatten().filter(|id| !named.contains(id)) {
            if has_vector(db, neighbour)? {
                beside.insert(neighbour);
            }
        }
    }
    wanted.extend(beside);
    for id in wanted {
        if let Some(due) = due(db, &mut known, id)? {
            work.embed.push(due);
        }
    }
    Ok(work)
}

/// The next deletions alone, for while nothing can be embedded: at most `limit` rows.
///
/// # Errors
/// The database's.
pub fn take_deletions(db: &mut SqliteConnection, limit: i64) -> Result<Work, StoreError> {
    let rows: Vec<(i64, i64)> = vector_outbox::table
        .filter(vector_outbox::action.eq(DELETE))
        .select((vector_outbox::id, vector_outbox::passage_id))
        .order(vector_outbox::id)
        .limit(limit)
        .load(db)?;
    let delete: BTreeSet<i64> = rows.iter().map(|(_, passage)| *passage).collect();
    Ok(Work {
        rows: rows.into_iter().map(|(row, _)| row).collect(),
        delete: delete.into_iter().collect(),
        embed: Vec::new(),
    })
}

fn passage<'a>(
    db: &mut SqliteConnection,
    known: &'a mut HashMap<i64, Passage>,
    id: i64,
) -> Result<Option<&'a Passage>, StoreError> {
    Ok(match known.entry(id) {
        Entry::Occupied(known) => Some(known.into_mut()),
        Entry::Vacant(place) => {
            let found: Option<Passage> = prepared(PASSAGE).bind::<BigInt, _>(id).get_result(db).optional()?;
            found.map(|found| &*place.insert(found))
        }
    })
}

fn due(db: &mut SqliteConnection, known: &mut HashMap<i64, Passage>, id: i64) -> Result<Option<Due>, StoreError> {
    let Some((conversation, own, before, after)) = passage(db, known, id)?.map(|own| {
        (own.conversation, Said { speaker: own.speaker.clone(), text: own.text.clone() }, own.before, own.after)
    }) else {
        return Ok(None);
    };
    let mut said = |id: Option<i64>| -> Result<Option<Said>, StoreError> {
        let Some(id) = id else { return Ok(None) };
        let found = passage(db, known, id)?.filter(|found| !found.text.trim().is_empty());
        Ok(found.map(|found| Said { speaker: found.speaker.clone(), text: found.text.clone() }))
    };
    Ok(Some(Due { passage: id, conversation, before: said(before)?, own, after: said(after)? }))
}

fn has_vector(db: &mut SqliteConnection, passage: i64) -> Result<bool, StoreError> {
    Ok(diesel::select(diesel::dsl::exists(embedded::table.filter(embedded::passage_id.eq(passage)))).get_result(db)?)
}

/// The vector store holds these vectors now: notes whose they are, and that this work is done.
///
/// # Errors
/// The database's.
pub fn embedded(
    db: &mut SqliteConnection,
    model: i64,
    version: i64,
    passages: &[i64],
    rows: &[i64],
) -> Result<(), StoreError> {
    let mut replaced = false;
    for passage in passages {
        let new = diesel::insert_or_ignore_into(embedded::table)
            .values((embedded::passage_id.eq(passage), embedded::model_id.eq(model)))
            .execute(db)?;
        replaced |= new == 0;
    }
    let of_model = embedding_models::table.filter(embedding_models::id.eq(model));
    diesel::update(of_model).set(embedding_models::version.eq(version)).execute(db)?;
    if replaced {
        diesel::update(of_model).set(embedding_models::stale.eq(true)).execute(db)?;
    }
    done(db, rows)
}

/// The vector store no longer has vectors of these passages.
///
/// # Errors
/// The database's.
pub fn deleted(db: &mut SqliteConnection, passages: &[i64], rows: &[i64]) -> Result<(), StoreError> {
    let mut gone = 0;
    for passage in passages {
        gone += diesel::delete(embedded::table.filter(embedded::passage_id.eq(passage))).execute(db)?;
    }
    if gone > 0 {
        diesel::update(embedding_models::table).set(embedding_models::stale.eq(true)).execute(db)?;
    }
    done(db, rows)
}

/// This work is done, or nothing can be done about it.
///
/// # Errors
/// The database's.
pub fn done(db: &mut SqliteConnection, rows: &[i64]) -> Result<(), StoreError> {
    for row in rows {
        diesel::delete(vector_outbox::table.filter(vector_outbox::id.eq(row))).execute(db)?;
    }
    Ok(())
}

/// Those of the passages that are there and can be found.
///
/// # Errors
/// The database's.
pub fn there(db: &mut SqliteConnection, ids: &[i64]) -> Result<HashSet<i64>, StoreError> {
    let mut there = HashSet::new();
    for id in ids {
        let found = passages::table.filter(passages::id.eq(id)).filter(passages::ready);
        if diesel::select(diesel::dsl::exists(found)).get_result(db)? {
            there.insert(*id);
        }
    }
    Ok(there)
}

/// Passages that wait for their vector.
///
/// # Errors
/// The database's.
pub fn waiting(db: &mut SqliteConnection) -> Result<u64, StoreError> {
    let count: i64 = vector_outbox::table
        .filter(vector_outbox::action.eq(EMBED))
        .select(diesel::dsl::count(vector_outbox::passage_id).aggregate_distinct())
        .first(db)?;
    Ok(count.unsigned_abs())
}

/// Those of the passages that still have a row in the outbox.
pub(crate) fn queued(db: &mut SqliteConnection) -> Result<HashSet<i64>, StoreError> {
    Ok(vector_outbox::table.select(vector_outbox::passage_id).distinct().load(db)?.into_iter().collect())
}
