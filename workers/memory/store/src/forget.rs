//! Forgetting: passages and facts, and all that was made of them alone.
//!
//! What hangs together by references goes by the schema's cascades and triggers (index rows, sources of facts, facts
//! without sources, mentions, memories that were taken from a message, vectors through their outbox). Here is what takes
//! a decision: which summaries and explanations told of it, which entities nothing speaks of any more, what a message's
//! successors follow now, and what a conversation is called. A preview does it all and takes it back, so that it cannot
//! say anything else than what would happen.
//!
//! Bytes are left in the files until [`crate::care::vacuum`] has rewritten them.

use crate::database::FILE;
use crate::error::StoreError;
use crate::schema::{conversations, embedded, entities, fact_sources, facts, mentions, messages, passages};
use crate::search::json;
use crate::transcripts::conversations::automatic_title;
use crate::{backups, notes, shown};
use butterfly_api::memory::{Fact, Forgotten, Passage};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Nullable, Text};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

/// Ids in one statement: well below SQLite's 32766 parameters.
const BATCH: usize = 500;

/// Passages whose texts a reply tells: with more, none would fit a frame. The rest are counted by the lists' owners.
const TOLD_BYTES: usize = 512 << 10;

/// Forgets passages, facts and what was made of them alone, or only says what would go. Unknown ids are passed over.
///
/// # Errors
/// The database's own; then nothing is forgotten.
pub fn forget(
    db: &mut SqliteConnection,
    passages: &[i64],
    facts: &[i64],
    dry_run: bool,
) -> Result<Forgotten, StoreError> {
    if !dry_run {
        return carry_out(db, passages, facts);
    }
    let mut forgotten = Forgotten::default();
    let undone = db.transaction::<(), StoreError, _>(|db| {
        forgotten = carry_out(db, passages, facts)?;
        Err(StoreError::Database(diesel::result::Error::RollbackTransaction))
    });
    match undone {
        Ok(()) | Err(StoreError::Database(diesel::result::Error::RollbackTransaction)) => Ok(forgotten),
        Err(error) => Err(error),
    }
}

fn carry_out(db: &mut SqliteConnection, asked: &[i64], facts_asked: &[i64]) -> Result<Forgotten, StoreError> {
    let going = closure(db, asked)?;
    let named = touched_entities(db, &going, facts_asked)?;
    let likely = touched_facts(db, &going, facts_asked)?;
    let links = count_links(db, &going)?;
    let to_entities = linked_objects(db, &likely)?;
    let mut forgotten = Forgotten {
        passages: told(db, &going)?,
        vectors: count(vectors(db, &going)?),
        explanations: shown::forget(db, &going)?,
        ..Forgotten::default()
    };
    reparent(db, &going)?;
    let homes = conversations_of(db, &going)?;
    for batch in facts_asked.chunks(BATCH) {
        diesel::delete(facts::table.filter(facts::id.eq_any(batch))).execute(db)?;
    }
    for batch in going.chunks(BATCH) {
        diesel::delete(passages::table.filter(passages::id.eq_any(batch))).execute(db)?;
    }
    forgotten.facts = without_rest(db, likely)?;
    forgotten.entities = drop_entities(db, named)?;
    let ends = forgotten.facts.iter().filter(|fact| to_entities.contains(&fact.id)).count();
    forgotten.edges = count(links + forgotten.facts.len() + ends);
    for conversation in homes {
        rename(db, conversation)?;
    }
    if !(forgotten.passages.is_empty() && forgotten.facts.is_empty()) {
        let now = crate::facts::now_ms();
        notes::put(db, notes::FORGOTTEN, &now)?;
        forgotten.backups = folder(db)?.map(|folder| backups::names(Path::new(&folder))).unwrap_or_default();
    }
    Ok(forgotten)
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// The passages that were asked for, memories that were taken from one of them, and summaries that sum one up, and so on.
fn closure(db: &mut SqliteConnection, asked: &[i64]) -> Result<Vec<i64>, StoreError> {
    let found: Vec<Id> = sql_query(
        "WITH RECURSIVE going (id) AS ( \
             SELECT p.id FROM json_each(?) AS asked JOIN passages p ON p.id = asked.value \
             UNION SELECT p.id FROM passages p JOIN going ON p.source_id = going.id \
             UNION SELECT s.summary_id FROM summary_sources s JOIN going ON s.passage_id = going.id) \
         SELECT id FROM going ORDER BY id",
    )
    .bind::<Text, _>(json(asked.iter().copied()))
    .load(db)?;
    Ok(found.into_iter().map(|row| row.id).collect())
}

/// What goes, as callers know it; texts are left out once they would not fit a reply.
fn told(db: &mut SqliteConnection, going: &[i64]) -> Result<Vec<Passage>, StoreError> {
    let mut told = Vec::with_capacity(going.len());
    let mut left = TOLD_BYTES;
    for id in going {
        let mut passage = crate::passages::one(db, crate::transcripts::id(*id))?.passage();
        match left.checked_sub(passage.text.len() + passage.tags.len() * 8 + 64) {
            Some(rest) => left = rest,
            None => {
                passage.text.clear();
                passage.tags.clear();
            }
        }
        told.push(passage);
    }
    Ok(told)
}

/// Facts that rest on one of these passages, or were asked for.
fn touched_facts(db: &mut SqliteConnection, going: &[i64], asked: &[i64]) -> Result<Vec<Fact>, StoreError> {
    let mut ids: BTreeSet<i64> = asked.iter().copied().collect();
    for batch in going.chunks(BATCH) {
        let resting: Vec<i64> = fact_sources::table
            .filter(fact_sources::passage_id.eq_any(batch))
            .select(fact_sources::fact_id)
            .load(db)?;
        ids.extend(resting);
    }
    let ids: Vec<i64> = ids.into_iter().collect();
    crate::facts::load(db, &ids)
}

/// Entities that these passages name, or that facts on them or the asked ones are about.
fn touched_entities(db: &mut SqliteConnection, going: &[i64], asked: &[i64]) -> Result<Vec<i64>, StoreError> {
    let found: Vec<Id> = sql_query(
        "WITH gone (id) AS (SELECT value FROM json_each(?1)), \
             about (id) AS (SELECT value FROM json_each(?2) \
                 UNION SELECT fact_id FROM fact_sources JOIN gone ON gone.id = passage_id) \
         SELECT entity_id AS id FROM mentions JOIN gone ON gone.id = passage_id \
         UNION SELECT subject_id FROM facts JOIN about USING (id) \
         UNION SELECT object_id FROM facts JOIN about USING (id) WHERE object_id IS NOT NULL",
    )
    .bind::<Text, _>(json(going.iter().copied()))
    .bind::<Text, _>(json(asked.iter().copied()))
    .load(db)?;
    Ok(found.into_iter().map(|row| row.id).collect())
}

fn count_links(db: &mut SqliteConnection, going: &[i64]) -> Result<usize, StoreError> {
    let mut links = 0;
    for batch in going.chunks(BATCH) {
        let named: i64 = mentions::table.filter(mentions::passage_id.eq_any(batch)).count().get_result(db)?;
        links += usize::try_from(named).unwrap_or(0);
    }
    Ok(links)
}

/// Those of `facts` that have a second edge, to an entity that is their object.
fn linked_objects(db: &mut SqliteConnection, of: &[Fact]) -> Result<HashSet<u64>, StoreError> {
    let ids: Vec<i64> = of.iter().map(|fact| crate::transcripts::row(fact.id)).collect();
    let mut linked = HashSet::new();
    for batch in ids.chunks(BATCH) {
        let found: Vec<i64> = facts::table
            .filter(facts::id.eq_any(batch))
            .filter(facts::object_id.is_not_null())
            .select(facts::id)
            .load(db)?;
        linked.extend(found.into_iter().map(crate::transcripts::id));
    }
    Ok(linked)
}

fn vectors(db: &mut SqliteConnection, going: &[i64]) -> Result<usize, StoreError> {
    let mut found = 0;
    for batch in going.chunks(BATCH) {
        let held: i64 = embedded::table.filter(embedded::passage_id.eq_any(batch)).count().get_result(db)?;
        found += usize::try_from(held).unwrap_or(0);
    }
    Ok(found)
}

/// Those of `likely` that are gone.
fn without_rest(db: &mut SqliteConnection, likely: Vec<Fact>) -> Result<Vec<Fact>, StoreError> {
    let mut left = HashSet::new();
    let ids: Vec<i64> = likely.iter().map(|fact| crate::transcripts::row(fact.id)).collect();
    for batch in ids.chunks(BATCH) {
        let kept: Vec<i64> = facts::table.filter(facts::id.eq_any(batch)).select(facts::id).load(db)?;
        left.extend(kept.into_iter().map(crate::transcripts::id));
    }
    Ok(likely.into_iter().filter(|fact| !left.contains(&fact.id)).collect())
}

/// Deletes those entities that no passage names and no fact is about, and returns their names.
fn drop_entities(db: &mut SqliteConnection, named: Vec<i64>) -> Result<Vec<String>, StoreError> {
    #[derive(QueryableByName)]
    struct Named {
        #[diesel(sql_type = BigInt)]
        id: i64,
        #[diesel(sql_type = Text)]
        name: String,
    }
    let silent: Vec<Named> = sql_query(
        "SELECT e.id, e.name FROM json_each(?) AS asked JOIN entities e ON e.id = asked.value \
         WHERE NOT EXISTS (SELECT 1 FROM mentions WHERE entity_id = e.id) \
           AND NOT EXISTS (SELECT 1 FROM facts WHERE subject_id = e.id) \
           AND NOT EXISTS (SELECT 1 FROM facts WHERE object_id = e.id) ORDER BY e.name",
    )
    .bind::<Text, _>(json(named))
    .load(db)?;
    for batch in silent.chunks(BATCH) {
        let ids: Vec<i64> = batch.iter().map(|entity| entity.id).collect();
        diesel::delete(entities::table.filter(entities::id.eq_any(ids))).execute(db)?;
    }
    Ok(silent.into_iter().map(|entity| entity.name).collect())
}

fn conversations_of(db: &mut SqliteConnection, going: &[i64]) -> Result<BTreeSet<i64>, StoreError> {
    let mut homes = BTreeSet::new();
    for batch in going.chunks(BATCH) {
        let found: Vec<i64> =
            messages::table.filter(messages::id.eq_any(batch)).select(messages::conversation_id).distinct().load(db)?;
        homes.extend(found);
    }
    Ok(homes)
}

/// What followed a message that goes follows the nearest one before it that stays, and a branch that ended with it ends
/// there.
fn reparent(db: &mut SqliteConnection, going: &[i64]) -> Result<(), StoreError> {
    let gone: HashSet<i64> = going.iter().copied().collect();
    let mut parents: HashMap<i64, Option<i64>> = HashMap::new();
    for batch in going.chunks(BATCH) {
        let found: Vec<(i64, Option<i64>)> =
            messages::table.filter(messages::id.eq_any(batch)).select((messages::id, messages::parent_id)).load(db)?;
        parents.extend(found);
    }
    let stays = |mut message: Option<i64>| {
        while let Some(at) = message
            && gone.contains(&at)
        {
            message = parents.get(&at).copied().flatten();
        }
        message
    };
    for message in parents.keys().copied() {
        let before = stays(Some(message));
        let children: Vec<Id> = sql_query(
            "SELECT m.id FROM messages g JOIN messages m ON m.conversation_id = g.conversation_id AND m.parent_id = g.id \
             WHERE g.id = ?",
        )
        .bind::<BigInt, _>(message)
        .load(db)?;
        // References between messages that go together must not stand in the way of deleting them one by one.
        for child in children {
            let parent = if gone.contains(&child.id) { None } else { before };
            sql_query("UPDATE messages SET parent_id = ? WHERE id = ?")
                .bind::<Nullable<BigInt>, _>(parent)
                .bind::<BigInt, _>(child.id)
                .execute(db)?;
        }
        let ends: Vec<i64> =
            conversations::table.filter(conversations::head.eq(message)).select(conversations::id).load(db)?;
        for conversation in ends {
            let head = match before {
                Some(before) => Some(before),
                None => newest(db, conversation, going)?,
            };
            diesel::update(conversations::table.filter(conversations::id.eq(conversation)))
                .set(conversations::head.eq(head))
                .execute(db)?;
        }
    }
    Ok(())
}

/// The newest message of another branch, where nothing of the active one stays.
fn newest(db: &mut SqliteConnection, conversation: i64, going: &[i64]) -> Result<Option<i64>, StoreError> {
    let found: Option<Id> = sql_query(
        "SELECT id FROM messages WHERE conversation_id = ?1 AND id NOT IN (SELECT value FROM json_each(?2)) \
         ORDER BY id DESC LIMIT 1",
    )
    .bind::<BigInt, _>(conversation)
    .bind::<Text, _>(json(going.iter().copied()))
    .get_result(db)
    .optional()?;
    Ok(found.map(|row| row.id))
}

/// A title that was made of the first words must not tell what was forgotten.
fn rename(db: &mut SqliteConnection, conversation: i64) -> Result<(), StoreError> {
    let title = automatic_title(db, conversation)?;
    diesel::update(
        conversations::table.filter(conversations::id.eq(conversation)).filter(conversations::renamed.eq(false)),
    )
    .set(conversations::title.eq(title))
    .execute(db)?;
    Ok(())
}

/// The data folder of this connection's database.
fn folder(db: &mut SqliteConnection) -> Result<Option<String>, StoreError> {
    #[derive(QueryableByName)]
    struct Attached {
        #[diesel(sql_type = Text)]
        file: String,
    }
    let attached: Vec<Attached> = sql_query("PRAGMA database_list").load(db)?;
    Ok(attached.into_iter().find_map(|one| one.file.strip_suffix(FILE).map(str::to_owned)))
}

#[cfg(test)]
#[path = "forget/tests.rs"]
mod tests;
