//! The baseline for what is kept: the same database with the same tables and triggers, written and asked directly, with
//! nothing around it.

use crate::talk::Message;
use butterfly_store::schema::{begun, conversations, extraction_outbox, messages, passages};
use butterfly_store::{Store, StoreError};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel::{SqliteConnection, sql_query};
use std::collections::HashMap;
use std::path::Path;

/// Passages that a plain search gives.
const RESULTS: i64 = 50;

/// A database of its own.
pub struct Bare {
    store: Store,
    /// Conversations by name, and the last message of each.
    places: HashMap<String, (i64, Option<i64>)>,
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

impl Bare {
    /// # Errors
    /// The database's.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Ok(Self { store: Store::open(folder)?, places: HashMap::new() })
    }

    /// Keeps messages in one transaction, a prepared statement a row.
    ///
    /// # Errors
    /// The database's.
    pub fn keep(&mut self, kept: &[Message]) -> Result<(), StoreError> {
        let places = &mut self.places;
        self.store.write(|db| {
            for message in kept {
                keep(db, places, message)?;
            }
            Ok(())
        })
    }

    /// Keeps a question and its answer, with a commit for each. Gives the conversation, which is made where none is named.
    ///
    /// # Errors
    /// The database's.
    pub fn turn(
        &mut self,
        conversation: Option<i64>,
        key: i64,
        question: &str,
        answer: &str,
    ) -> Result<i64, StoreError> {
        let (conversation, turn) = self.store.write(|db| begin(db, conversation, key, question))?;
        self.store.write(|db| answered(db, conversation, turn, answer))?;
        Ok(conversation)
    }

    /// Notes a memory in a commit of its own.
    ///
    /// # Errors
    /// The database's.
    pub fn note(&mut self, text: &str) -> Result<(), StoreError> {
        self.store.write(|db| {
            let columns = (
                passages::kind.eq(1),
                passages::speaker.eq("user"),
                passages::text.eq(text),
                passages::tags.eq(""),
                passages::at_ms.eq(0),
                passages::ready.eq(true),
            );
            diesel::insert_into(passages::table).values(columns).execute(db)?;
            Ok(())
        })
    }

    /// What a plain OR of all words finds, by FTS5's own order.
    ///
    /// # Errors
    /// The database's.
    pub fn search(&self, question: &str) -> Result<usize, StoreError> {
        let words: Vec<String> = question.split(' ').map(|word| format!("\"{word}\"")).collect();
        self.store.read(|db| {
            let found: Vec<Id> =
                sql_query("SELECT rowid AS id FROM passages_fts WHERE passages_fts MATCH ?1 ORDER BY rank LIMIT ?2")
                    .bind::<Text, _>(words.join(" OR "))
                    .bind::<BigInt, _>(RESULTS)
                    .load(db)?;
            Ok(found.iter().filter(|found| found.id > 0).count())
        })
    }
}

fn keep(
    db: &mut SqliteConnection,
    places: &mut HashMap<String, (i64, Option<i64>)>,
    message: &Message,
) -> Result<(), StoreError> {
    let at_ms = i64::try_from(message.at_unix_ms).unwrap_or(i64::MAX);
    if !places.contains_key(&message.conversation) {
        let id: i64 = diesel::insert_into(conversations::table)
            .values((
                conversations::external_id.eq(&message.conversation),
                conversations::created_ms.eq(at_ms),
                conversations::updated_ms.eq(at_ms),
            ))
            .returning(conversations::id)
            .get_result(db)?;
        places.insert(message.conversation.clone(), (id, None));
    }
    let Some((conversation, last)) = places.get_mut(&message.conversation) else { return Ok(()) };
    let id: i64 = diesel::insert_into(passages::table)
        .values((
            passages::kind.eq(0),
            passages::conversation_id.eq(*conversation),
            passages::external_id.eq(&message.id),
            passages::speaker.eq(message.speaker),
            passages::text.eq(&message.text),
            passages::at_ms.eq(at_ms),
            passages::ready.eq(true),
        ))
        .returning(passages::id)
        .get_result(db)?;
    diesel::insert_into(messages::table)
        .values((
            messages::id.eq(id),
            messages::conversation_id.eq(*conversation),
            messages::parent_id.eq(*last),
            messages::turn_id.eq(id),
            messages::part.eq(-1),
            messages::role.eq(1),
            messages::state.eq(1),
        ))
        .execute(db)?;
    *last = Some(id);
    Ok(())
}

fn begin(
    db: &mut SqliteConnection,
    conversation: Option<i64>,
    key: i64,
    question: &str,
) -> Result<(i64, i64), StoreError> {
    let parent: Option<i64> = match conversation {
        Some(conversation) => conversations::table.find(conversation).select(conversations::head).first(db)?,
        None => None,
    };
    let conversation = match conversation {
        Some(conversation) => conversation,
        None => diesel::insert_into(conversations::table)
            .values((
                conversations::title.eq(question),
                conversations::created_ms.eq(0),
                conversations::updated_ms.eq(0),
            ))
            .returning(conversations::id)
            .get_result(db)?,
    };
    let turn = message(db, conversation, parent, None, question)?;
    diesel::insert_into(begun::table).values((begun::begin_key.eq(key), begun::turn_id.eq(turn))).execute(db)?;
    Ok((conversation, turn))
}

fn answered(db: &mut SqliteConnection, conversation: i64, turn: i64, answer: &str) -> Result<(), StoreError> {
    message(db, conversation, Some(turn), Some(turn), answer)?;
    diesel::insert_into(extraction_outbox::table).values(extraction_outbox::passage_id.eq(turn)).execute(db)?;
    Ok(())
}

/// Keeps a message as the end of its conversation: a person's, or the answer to `turn`.
fn message(
    db: &mut SqliteConnection,
    conversation: i64,
    parent: Option<i64>,
    turn: Option<i64>,
    text: &str,
) -> Result<i64, StoreError> {
    let id: i64 = diesel::insert_into(passages::table)
        .values((
            passages::kind.eq(0),
            passages::conversation_id.eq(conversation),
            passages::speaker.eq(if turn.is_some() { "assistant" } else { "user" }),
            passages::text.eq(text),
            passages::at_ms.eq(0),
            passages::ready.eq(true),
        ))
        .returning(passages::id)
        .get_result(db)?;
    diesel::insert_into(messages::table)
        .values((
            messages::id.eq(id),
            messages::conversation_id.eq(conversation),
            messages::parent_id.eq(parent),
            messages::turn_id.eq(turn.unwrap_or(id)),
            messages::part.eq(if turn.is_some() { 0 } else { -1 }),
            messages::role.eq(if turn.is_some() { 2 } else { 1 }),
            messages::state.eq(1),
        ))
        .execute(db)?;
    diesel::update(conversations::table.find(conversation))
        .set((conversations::head.eq(id), conversations::updated_ms.eq(0)))
        .execute(db)?;
    Ok(id)
}
