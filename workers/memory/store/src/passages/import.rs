//! Import: transcripts of elsewhere, a line a message, in the order of the lines.
//!
//! Each line becomes a message of the conversation that it names, after the last one there. It is idempotent by
//! conversation and id: what is known stays as it is. The caller cuts lines and reads JSON; this takes a batch into one
//! transaction.

use crate::error::StoreError;
use crate::passages::{MESSAGE, clean};
use crate::schema::{conversations, messages, passages};
use crate::search::json;
use crate::transcripts::rows::{OPENING, role_number, state_number};
use crate::transcripts::{ASSISTANT, USER, titles};
use butterfly_api::conversations::MessageState;
use butterfly_api::model::Role;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel::{SqliteConnection, sql_query};
use std::collections::{HashMap, HashSet};

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Unique within its conversation.
    pub id: String,
    /// The conversation's name.
    pub conversation: String,
    /// Empty: the user.
    pub speaker: String,
    pub text: String,
    /// Unix time in ms.
    pub at_ms: i64,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Taken {
    pub added: u64,
    pub known: u64,
    /// The passages that were added.
    pub passages: Vec<i64>,
}

/// Where a conversation's next message goes.
struct Place {
    conversation: i64,
    head: Option<i64>,
    /// The turn of its head, and the next part of it; no turn: nothing was said in it.
    turn: Option<(i64, i32, i64)>,
    first_ms: i64,
    last_ms: i64,
    grown: bool,
}

/// Takes in a batch of lines. `provenance`: the bits that the words carry.
///
/// # Errors
/// The database's: then nothing of the batch is kept.
pub fn take(db: &mut SqliteConnection, lines: &[Line], provenance: u16) -> Result<Taken, StoreError> {
    let mut taken = Taken::default();
    let mut places: HashMap<&str, Place> = HashMap::new();
    for line in lines {
        if !places.contains_key(line.conversation.as_str()) {
            places.insert(&line.conversation, open(db, line)?);
        }
    }
    let mut known: HashSet<(i64, String)> = HashSet::new();
    for (name, place) in &places {
        let ids = lines.iter().filter(|line| line.conversation == **name).map(|line| line.id.as_str());
        known.extend(present(db, place.conversation, ids)?.into_iter().map(|id| (place.conversation, id)));
    }
    for line in lines {
        let Some(place) = places.get_mut(line.conversation.as_str()) else { continue };
        if known.insert((place.conversation, line.id.clone())) {
            taken.passages.push(say(db, place, line, provenance)?);
            taken.added += 1;
        } else {
            taken.known += 1;
        }
    }
    for place in places.values().filter(|place| place.grown) {
        diesel::update(conversations::table.filter(conversations::id.eq(place.conversation)))
            .set((
                conversations::head.eq(place.head),
                conversations::created_ms.eq(place.first_ms),
                conversations::updated_ms.eq(place.last_ms),
            ))
            .execute(db)?;
    }
    Ok(taken)
}

/// Finds a line's conversation, or makes it.
fn open(db: &mut SqliteConnection, line: &Line) -> Result<Place, StoreError> {
    /// Id, head, created, updated, trashed.
    type Known = (i64, Option<i64>, i64, i64, Option<i64>);
    let found: Option<Known> = conversations::table
        .filter(conversations::external_id.eq(&line.conversation))
        .select((
            conversations::id,
            conversations::head,
            conversations::created_ms,
            conversations::updated_ms,
            conversations::trashed_ms,
        ))
        .first(db)
        .optional()?;
    let Some((conversation, head, first_ms, last_ms, trashed)) = found else {
        let conversation = diesel::insert_into(conversations::table)
            .values((
                conversations::external_id.eq(&line.conversation),
                conversations::title.eq(titles::first_words(&clean(&line.text))),
                conversations::created_ms.eq(line.at_ms),
                conversations::updated_ms.eq(line.at_ms),
            ))
            .returning(conversations::id)
            .get_result(db)?;
        let (first_ms, last_ms) = (line.at_ms, line.at_ms);
        return Ok(Place { conversation, head: None, turn: None, first_ms, last_ms, grown: false });
    };
    if trashed.is_some() {
        return Err(StoreError::Refused(format!(
            "conversation {:?} is in the trash; take it out first with `butterfly conversations restore {conversation}`",
            line.conversation
        )));
    }
    let turn: Option<(i64, i32, i64)> = match head {
        Some(head) => messages::table
            .filter(messages::id.eq(head))
            .select((messages::turn_id, messages::part, messages::attempt))
            .first(db)
            .optional()?,
        None => None,
    };
    Ok(Place { conversation, head, turn, first_ms, last_ms, grown: false })
}

#[derive(QueryableByName)]
struct External {
    #[diesel(sql_type = Text)]
    external_id: String,
}

/// Which of these ids the conversation has.
fn present<'a>(
    db: &mut SqliteConnection,
    conversation: i64,
    ids: impl Iterator<Item = &'a str>,
) -> Result<Vec<String>, StoreError> {
    let ids = serde_json::to_string(&ids.collect::<Vec<_>>())?;
    let rows: Vec<External> = sql_query(
        "SELECT p.external_id FROM json_each(?1) AS wanted \
         JOIN passages p ON p.conversation_id = ?2 AND p.external_id = wanted.value",
    )
    .bind::<Text, _>(ids)
    .bind::<BigInt, _>(conversation)
    .load(db)?;
    Ok(rows.into_iter().map(|row| row.external_id).collect())
}

/// Keeps a line as the next message.
fn say(db: &mut SqliteConnection, place: &mut Place, line: &Line, provenance: u16) -> Result<i64, StoreError> {
    let speaker = if line.speaker.trim().is_empty() { USER } else { line.speaker.trim() };
    let message: i64 = diesel::insert_into(passages::table)
        .values((
            passages::kind.eq(MESSAGE),
            passages::conversation_id.eq(place.conversation),
            passages::external_id.eq(&line.id),
            passages::speaker.eq(clean(speaker)),
            passages::text.eq(clean(&line.text)),
            passages::at_ms.eq(line.at_ms),
            passages::ready.eq(true),
        ))
        .returning(passages::id)
        .get_result(db)?;
    // What the assistant said belongs to the turn before it. Whoever else speaks is a person, and begins one.
    let answers = speaker.eq_ignore_ascii_case(ASSISTANT).then_some(place.turn).flatten();
    let (turn, part, attempt, role) = match answers {
        Some((turn, part, attempt)) => (turn, part + 1, attempt, Role::Assistant),
        None => (message, OPENING, 0, Role::User),
    };
    diesel::insert_into(messages::table)
        .values((
            messages::id.eq(message),
            messages::conversation_id.eq(place.conversation),
            messages::parent_id.eq(place.head),
            messages::turn_id.eq(turn),
            messages::part.eq(part),
            messages::attempt.eq(attempt),
            messages::role.eq(role_number(role)),
            messages::state.eq(state_number(MessageState::Complete)),
            messages::provenance.eq(i32::from(provenance)),
        ))
        .execute(db)?;
    place.head = Some(message);
    place.turn = Some((turn, part, attempt));
    place.first_ms = place.first_ms.min(line.at_ms);
    place.last_ms = place.last_ms.max(line.at_ms);
    place.grown = true;
    Ok(message)
}

/// The conversations of these passages, each once.
///
/// # Errors
/// The database's.
pub fn conversations_of(db: &mut SqliteConnection, ids: &[i64]) -> Result<Vec<i64>, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    let rows: Vec<Row> = sql_query(
        "SELECT DISTINCT p.conversation_id AS id FROM json_each(?1) AS wanted JOIN passages p ON p.id = wanted.value \
         WHERE p.conversation_id IS NOT NULL",
    )
    .bind::<Text, _>(json(ids.iter().copied()))
    .load(db)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}
