//! Facts: statements about entities that hold from one time to another, and the passages that they came from.
//!
//! A fact is *never* overwritten: a newer statement ends it, and it stays for "as of". Whether one ends the other is
//! decided by time arithmetic ([`interval`]) among facts of the same subject and relation only, and only where the relation
//! holds one value at a time ([`relation`]). What is likely or similar plays no part.
//!
//! Invariants:
//! - Facts of one subject and one such relation never hold at the same time.
//! - A fact goes with the last of its sources (a trigger sees to it), and what it had ended holds again.

pub mod interval;
pub mod key;
pub mod outbox;
mod reading;
pub mod relation;

pub use outbox::enqueue;
pub(crate) use reading::entity_of;
pub use reading::{list, load, of_passage};

use crate::error::StoreError;
use crate::schema::{entities, fact_sources, facts, mentions, passages};
use butterfly_api::memory::{Correction, Fact, Facts};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{SqliteConnection, sql_query};
use interval::{Place, Span};

/// Most bytes of a name, a relation or an object. Longer ones are sentences.
pub const NAME_BYTES: usize = 160;

/// What an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A person, a place, a thing.
    Entity,
    /// Something that happens at a time: Unix time in ms.
    Event { at_ms: i64 },
}

/// Something that facts can be about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thing {
    /// As people write it, or [`key::USER`].
    pub name: String,
    pub kind: Kind,
}

impl Thing {
    #[must_use]
    pub fn entity(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: Kind::Entity }
    }
}

/// What a statement says of its subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Object {
    /// Another entity.
    Thing(Thing),
    /// A date, a number, an address: nothing that facts can be about.
    Value(String),
}

impl Object {
    /// As people write it.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Thing(thing) => &thing.name,
            Self::Value(value) => value,
        }
    }
}

/// A statement, as it was taken from a passage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub subject: Thing,
    /// In any of the ways that [`relation::canonical`] knows.
    pub relation: String,
    pub object: Object,
    /// From when on it holds: Unix time in ms.
    pub from_ms: i64,
}

/// What became of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    pub fact: Fact,
    /// It was known before.
    pub known: bool,
}

/// The current time: Unix time in ms.
#[must_use]
pub fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Records what a passage states. An exact duplicate gains a source instead.
///
/// # Errors
/// [`StoreError::Refused`] where a name is empty or longer than [`NAME_BYTES`]; the database's.
pub fn record(
    db: &mut SqliteConnection,
    statement: &Statement,
    source: i64,
    now_ms: i64,
) -> Result<Recorded, StoreError> {
    let relation = relation::canonical(&statement.relation);
    for part in [statement.subject.name.as_str(), &relation, statement.object.text()] {
        if key::key(part).is_empty() || part.len() > NAME_BYTES {
            return Err(StoreError::Refused(format!(
                "a fact's parts have 1 to {NAME_BYTES} bytes, this one not: {part}"
            )));
        }
    }
    let subject = entity(db, &statement.subject, statement.from_ms)?;
    let object = match &statement.object {
        Object::Thing(thing) => Some(entity(db, thing, statement.from_ms)?),
        Object::Value(_) => None,
    };
    let text = statement.object.text().trim();
    let single = relation::is_single(&relation);
    let row = Row { subject, relation, object: text.to_owned(), object_id: object, single, now_ms };
    let said: i64 = passages::table.find(source).select(passages::at_ms).first(db)?;
    // Who says `since March` in July says that it holds in July, whatever was said between.
    let also_now = (single && statement.from_ms < said).then(|| place(db, &row, said, source)).transpose()?;
    let (id, known) = place(db, &row, statement.from_ms, source)?;
    for entity in [Some(subject), object].into_iter().flatten() {
        mention(db, entity, source)?;
    }
    let (id, known) = also_now.unwrap_or((id, known));
    let fact = load(db, &[id])?.pop();
    let fact = fact.ok_or_else(|| StoreError::NotFound(format!("there is no fact {id}")))?;
    Ok(Recorded { fact, known })
}

/// Places one statement in time. Returns the fact, and whether it was known. What ends by it is the triggers' work.
fn place(db: &mut SqliteConnection, row: &Row, from: i64, source: i64) -> Result<(i64, bool), StoreError> {
    let object = if row.single { None } else { row.object_id };
    let spans = spans(db, row.subject, &row.relation, object, &key::key(&row.object), from)?;
    let place =
        if row.single { interval::place_single(&spans, from) } else { interval::place_accumulating(&spans, from) };
    let (id, known) = match place {
        Place::Known { fact, from } => {
            diesel::update(facts::table.find(fact)).set(facts::valid_from_ms.eq(from)).execute(db)?;
            (fact, true)
        }
        Place::New => (insert(db, row, from, None)?, false),
        Place::Within { holder, until } => {
            let id = insert(db, row, from, None)?;
            split(db, holder, until)?;
            (id, false)
        }
    };
    add_source(db, id, source, from)?;
    Ok((id, known))
}

/// A fact's columns that do not depend on its place in time.
struct Row {
    subject: i64,
    relation: String,
    object: String,
    object_id: Option<i64>,
    single: bool,
    now_ms: i64,
}

fn insert(db: &mut SqliteConnection, row: &Row, from: i64, ended: Option<i64>) -> Result<i64, StoreError> {
    Ok(diesel::insert_into(facts::table)
        .values((
            facts::subject_id.eq(row.subject),
            facts::relation.eq(&row.relation),
            facts::object.eq(&row.object),
            facts::object_id.eq(row.object_id),
            facts::single.eq(row.single),
            facts::valid_from_ms.eq(from),
            facts::valid_to_ms.eq(ended),
            facts::ended_ms.eq(ended),
            facts::recorded_ms.eq(row.now_ms),
        ))
        .returning(facts::id)
        .get_result(db)?)
}

/// Makes a second fact of what `holder` says from `until` on, with the sources that said it then.
fn split(db: &mut SqliteConnection, holder: i64, until: i64) -> Result<(), StoreError> {
    let (subject, relation, object, object_id, single, ended, now_ms): SplitRow = facts::table
        .find(holder)
        .select((
            facts::subject_id,
            facts::relation,
            facts::object,
            facts::object_id,
            facts::single,
            facts::ended_ms,
            facts::recorded_ms,
        ))
        .first(db)?;
    let later = insert(db, &Row { subject, relation, object, object_id, single, now_ms }, until, ended)?;
    // Who said it for an earlier time, but said it then, is a source of both.
    sql_query(
        "INSERT OR IGNORE INTO fact_sources (fact_id, passage_id, said_ms) \
         SELECT ?1, fs.passage_id, p.at_ms FROM fact_sources fs JOIN passages p ON p.id = fs.passage_id \
         WHERE fs.fact_id = ?2 AND fs.said_ms < ?3 AND p.at_ms >= ?3",
    )
    .bind::<BigInt, _>(later)
    .bind::<BigInt, _>(holder)
    .bind::<BigInt, _>(until)
    .execute(db)?;
    // An update: the trigger on deleted sources has nothing to do with sources that move.
    diesel::update(fact_sources::table.filter(fact_sources::fact_id.eq(holder).and(fact_sources::said_ms.ge(until))))
        .set(fact_sources::fact_id.eq(later))
        .execute(db)?;
    Ok(())
}

type SplitRow = (i64, String, String, Option<i64>, bool, Option<i64>, i64);

#[derive(QueryableByName)]
struct SpanRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    object: String,
    #[diesel(sql_type = BigInt)]
    from_ms: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    to_ms: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    again_ms: Option<i64>,
}

/// The facts of one subject and relation; with `object`, only those about that.
fn spans(
    db: &mut SqliteConnection,
    subject: i64,
    relation: &str,
    object: Option<i64>,
    says: &str,
    from: i64,
) -> Result<Vec<Span>, StoreError> {
    // An object has few facts, a person may have thousands of likings: `+` leaves their index alone.
    let condition = match object {
        Some(_) => "+subject_id = ?2 AND +relation = ?3 AND object_id = ?4",
        None => "subject_id = ?2 AND relation = ?3 AND ?4 IS NULL",
    };
    let rows: Vec<SpanRow> = sql_query(format!(
        "SELECT id, object, valid_from_ms AS from_ms, valid_to_ms AS to_ms, \
         (SELECT min(CASE WHEN fs.said_ms > ?1 THEN fs.said_ms WHEN p.at_ms > ?1 THEN p.at_ms END) \
          FROM fact_sources fs JOIN passages p ON p.id = fs.passage_id WHERE fs.fact_id = facts.id) AS again_ms \
         FROM facts WHERE {condition} ORDER BY valid_from_ms, id"
    ))
    .bind::<BigInt, _>(from)
    .bind::<BigInt, _>(subject)
    .bind::<Text, _>(relation)
    .bind::<Nullable<BigInt>, _>(object)
    .load(db)?;
    let span = |row: SpanRow| Span {
        id: row.id,
        same: key::key(&row.object) == says,
        from: row.from_ms,
        to: row.to_ms,
        // What was said again after it ended speaks of another fact.
        again: row.again_ms.filter(|again| row.to_ms.is_none_or(|to| *again < to)),
    };
    Ok(rows.into_iter().map(span).collect())
}

/// The entity of that name, made if there is none. An event of the same name on another day is another event.
///
/// # Errors
/// The database's.
pub fn entity(db: &mut SqliteConnection, thing: &Thing, at_ms: i64) -> Result<i64, StoreError> {
    let key = key::key(&thing.name);
    let (kind, at) = match thing.kind {
        Kind::Entity => (0, at_ms),
        Kind::Event { at_ms } => (1, at_ms),
    };
    // An entity was first named at the earliest time that is known; an event happens when it was said to happen last.
    let known = entities::table.filter(entities::key.eq(&key)).select((entities::id, entities::kind, entities::at_ms));
    if let Some((id, known_kind, known_at)) = known.first::<(i64, i32, i64)>(db).optional()? {
        let better = if kind == 1 { at } else { known_at.min(at) };
        if better != known_at && known_kind == kind {
            diesel::update(entities::table.find(id)).set(entities::at_ms.eq(better)).execute(db)?;
        }
        return Ok(id);
    }
    let name = if key == key::USER || key.starts_with("user's ") { key.as_str() } else { thing.name.trim() };
    Ok(diesel::insert_into(entities::table)
        .values((entities::name.eq(name), entities::key.eq(&key), entities::kind.eq(kind), entities::at_ms.eq(at)))
        .returning(entities::id)
        .get_result(db)?)
}

/// Notes that a passage names an entity.
///
/// # Errors
/// The database's.
pub fn mention(db: &mut SqliteConnection, entity: i64, passage: i64) -> Result<(), StoreError> {
    diesel::insert_or_ignore_into(mentions::table)
        .values((mentions::entity_id.eq(entity), mentions::passage_id.eq(passage)))
        .execute(db)?;
    Ok(())
}

fn add_source(db: &mut SqliteConnection, fact: i64, passage: i64, said_ms: i64) -> Result<(), StoreError> {
    sql_query(
        "INSERT INTO fact_sources (fact_id, passage_id, said_ms) VALUES (?, ?, ?) \
         ON CONFLICT (fact_id, passage_id) DO UPDATE SET said_ms = min(said_ms, excluded.said_ms)",
    )
    .bind::<BigInt, _>(fact)
    .bind::<BigInt, _>(passage)
    .bind::<BigInt, _>(said_ms)
    .execute(db)?;
    Ok(())
}

pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Subject, relation, the object's entity, beginning and end.
type CorrectedRow = (i64, String, Option<i64>, i64, Option<i64>);

/// Ends a fact where its correction begins. What holds instead, if anything does, is noted as a memory of its own, so that
/// it can be found and forgotten like everything else. Returns the new fact, if any, and the old one.
///
/// # Errors
/// [`StoreError::NotFound`] where there is no such fact, [`StoreError::Refused`] where it did not hold then.
pub fn correct(db: &mut SqliteConnection, correction: &Correction, now_ms: i64) -> Result<Facts, StoreError> {
    let id = signed(correction.fact);
    let row: Option<CorrectedRow> = facts::table
        .find(id)
        .select((facts::subject_id, facts::relation, facts::object_id, facts::valid_from_ms, facts::valid_to_ms))
        .first(db)
        .optional()?;
    let Some((subject, relation, object_id, begins, ends)) = row else {
        return Err(StoreError::NotFound(format!("there is no fact {id}; list them with `butterfly memory facts`")));
    };
    // What was said to begin later than now is corrected from its beginning.
    let from = correction.from_unix_ms.map_or(now_ms.max(begins), signed);
    if from < begins || ends.is_some_and(|ends| from >= ends) {
        return Err(StoreError::Refused(format!(
            "fact {id} does not hold at that time; name one between its beginning and its end, or correct the fact that \
             holds then"
        )));
    }
    let text = correction.object.trim();
    let mut changed = Vec::new();
    let says: String = facts::table.find(id).select(facts::object).first(db)?;
    if !text.is_empty() && key::key(&says) == key::key(text) {
        return Err(StoreError::Refused(format!("fact {id} says so already")));
    }
    let single = relation::is_single(&relation);
    if text.is_empty() {
        diesel::update(facts::table.find(id))
            .set((facts::valid_to_ms.eq(from), facts::ended_ms.eq(from), facts::superseded_by.eq(None::<i64>)))
            .execute(db)?;
    } else {
        if text.len() > NAME_BYTES || key::key(text).is_empty() {
            return Err(StoreError::Refused(format!(
                "what holds instead has 1 to {NAME_BYTES} bytes and a letter or digit"
            )));
        }
        let name: String = entities::table.find(subject).select(entities::name).first(db)?;
        let ended: Option<i64> = facts::table.find(id).select(facts::ended_ms).first(db)?;
        let memory: i64 = diesel::insert_into(passages::table)
            .values((
                passages::kind.eq(1),
                passages::speaker.eq(key::USER),
                passages::text.eq(format!("{name} {relation} {text}")),
                passages::tags.eq("correction"),
                passages::at_ms.eq(now_ms),
            ))
            .returning(passages::id)
            .get_result(db)?;
        let thing = match object_id {
            Some(_) => Some(entity(db, &Thing::entity(text), from)?),
            None => None,
        };
        let row = Row { subject, relation, object: text.to_owned(), object_id: thing, single, now_ms };
        let new = insert(db, &row, from, ended)?;
        add_source(db, new, memory, from)?;
        for entity in [Some(subject), thing].into_iter().flatten() {
            mention(db, entity, memory)?;
        }
        if !single {
            diesel::update(facts::table.find(id))
                .set((facts::valid_to_ms.eq(from), facts::ended_ms.eq(from), facts::superseded_by.eq(new)))
                .execute(db)?;
        }
        changed.push(new);
    }
    changed.push(id);
    Ok(Facts { facts: load(db, &changed)? })
}

#[cfg(test)]
#[path = "facts/tests.rs"]
pub(crate) mod tests;
