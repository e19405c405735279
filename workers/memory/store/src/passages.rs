//! Passages: whatever can be found again, read as a whole and noted one by one.
//!
//! Messages are written by [`crate::transcripts`], summaries by [`crate::summaries`], imported transcripts by [`import`].
//! It does *not* rank ([`crate::search`]).

pub mod import;
pub mod neighbours;

#[cfg(test)]
mod tests;

use crate::error::StoreError;
use crate::facts::key;
use crate::prepared::prepared;
use crate::schema::{conversations, embedded, embedding_models, messages, passages};
use crate::search::{IN_SCOPE, Scope, json};
use crate::transcripts::{USER, id, row};
use butterfly_api::memory::{ListRequest, Passage, PassageKind, Passages};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use diesel::{SqliteConnection, sql_query};

/// `passages.kind`.
pub const MESSAGE: i32 = 0;
pub const MEMORY: i32 = 1;
pub const SUMMARY: i32 = 2;

/// Bytes of one memory. What is longer is a document.
pub const MEMORY_BYTES: usize = 64 << 10;

/// Bytes of a tag, and tags of a memory.
const TAG_BYTES: usize = 64;
const TAGS: usize = 32;

/// Passages in one reply of `list`, and the bytes of text after which it ends early: half a frame.
const PAGE: u32 = 200;
const PAGE_BYTES: usize = 512 << 10;

/// A passage as it is kept, with the name of its conversation.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Stored {
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    #[diesel(sql_type = Integer)]
    pub kind: i32,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub conversation_id: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    pub conversation: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub external_id: Option<String>,
    #[diesel(sql_type = Text)]
    pub speaker: String,
    #[diesel(sql_type = Text)]
    pub text: String,
    #[diesel(sql_type = Text)]
    pub tags: String,
    #[diesel(sql_type = BigInt)]
    pub at_ms: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub source_id: Option<i64>,
}

impl Stored {
    /// As callers know it.
    #[must_use]
    pub fn passage(&self) -> Passage {
        Passage {
            id: id(self.id),
            kind: kind_of(self.kind),
            external_id: self.external_id.clone(),
            conversation: self
                .conversation
                .clone()
                .or_else(|| self.conversation_id.map(|conversation| conversation.to_string())),
            conversation_id: self.conversation_id.map(id),
            speaker: self.speaker.clone(),
            text: self.text.clone(),
            tags: self.tags.split_whitespace().map(str::to_owned).collect(),
            at_unix_ms: id(self.at_ms),
            source: self.source_id.map(id),
        }
    }
}

fn kind_of(kind: i32) -> PassageKind {
    match kind {
        MEMORY => PassageKind::Memory,
        SUMMARY => PassageKind::Summary,
        _ => PassageKind::Message,
    }
}

fn number_of(kind: PassageKind) -> i32 {
    match kind {
        PassageKind::Message => MESSAGE,
        PassageKind::Memory => MEMORY,
        PassageKind::Summary => SUMMARY,
    }
}

const COLUMNS: &str = "p.id, p.kind, p.conversation_id, c.external_id AS conversation, p.external_id, p.speaker, p.text, \
    p.tags, p.at_ms, p.source_id";

/// Those of `ids` that are in the scope, in no order.
///
/// # Errors
/// The database's.
pub fn load(db: &mut SqliteConnection, ids: &[i64], scope: &Scope) -> Result<Vec<Stored>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sql_query(format!(
        "SELECT {COLUMNS} FROM json_each(?1) AS wanted JOIN passages p ON p.id = wanted.value \
         LEFT JOIN conversations c ON c.id = p.conversation_id WHERE {IN_SCOPE}"
    ))
    .bind::<Text, _>(json(ids.iter().copied()))
    .bind::<Nullable<BigInt>, _>(scope.conversation)
    .bind::<Nullable<BigInt>, _>(scope.as_of_ms)
    .bind::<Nullable<BigInt>, _>(scope.shown.map(|(conversation, _)| conversation))
    .bind::<Nullable<BigInt>, _>(scope.shown.map(|(_, from)| from))
    .load(db)?;
    Ok(rows)
}

/// One passage, whatever its state.
///
/// # Errors
/// [`StoreError::NotFound`]; the database's.
pub fn one(db: &mut SqliteConnection, passage: u64) -> Result<Stored, StoreError> {
    sql_query(format!(
        "SELECT {COLUMNS} FROM passages p LEFT JOIN conversations c ON c.id = p.conversation_id WHERE p.id = ?"
    ))
    .bind::<BigInt, _>(row(passage))
    .get_result(db)
    .optional()?
    .ok_or_else(|| {
        StoreError::NotFound(format!("there is no passage {passage}; `butterfly memory list` names those there are"))
    })
}

/// Memories and summaries that were made from a passage, oldest first.
///
/// # Errors
/// The database's.
pub fn derived(db: &mut SqliteConnection, passage: u64) -> Result<Vec<Stored>, StoreError> {
    Ok(sql_query(format!(
        "SELECT {COLUMNS} FROM passages p LEFT JOIN conversations c ON c.id = p.conversation_id \
         WHERE p.id IN (SELECT id FROM passages WHERE source_id = ?1 \
         UNION SELECT summary_id FROM summary_sources WHERE passage_id = ?1) ORDER BY p.id"
    ))
    .bind::<BigInt, _>(row(passage))
    .load(db)?)
}

/// The memories that were noted from a message.
///
/// # Errors
/// The database's.
pub fn noted_from(db: &mut SqliteConnection, message: i64) -> Result<Vec<i64>, StoreError> {
    Ok(passages::table
        .filter(passages::source_id.eq(message).and(passages::kind.eq(MEMORY)))
        .order(passages::id)
        .select(passages::id)
        .load(db)?)
}

/// Whether a passage has these words, in this order, as names are compared.
///
/// # Errors
/// The database's.
pub fn says(db: &mut SqliteConnection, passage: i64, name: &str) -> Result<bool, StoreError> {
    let text: Option<String> = passages::table.find(passage).select(passages::text).first(db).optional()?;
    let (name, words) = (key::words(name), key::words(text.as_deref().unwrap_or_default()));
    Ok(!name.is_empty() && words.windows(name.len()).any(|run| run == name))
}

/// The conversation that a person names: by the name that an import gave it, else by its number.
///
/// # Errors
/// [`StoreError::NotFound`]; the database's.
pub fn conversation(db: &mut SqliteConnection, name: &str) -> Result<i64, StoreError> {
    let by_name: Option<i64> = conversations::table
        .filter(conversations::external_id.eq(name))
        .select(conversations::id)
        .first(db)
        .optional()?;
    let found = match (by_name, name.trim().parse::<i64>()) {
        (Some(found), _) => Some(found),
        (None, Ok(number)) => {
            conversations::table.filter(conversations::id.eq(number)).select(conversations::id).first(db).optional()?
        }
        (None, Err(_)) => None,
    };
    found.ok_or_else(|| {
        StoreError::NotFound(format!(
            "there is no conversation {name:?}; `butterfly conversations list` names those there are"
        ))
    })
}

/// Something to note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub text: String,
    /// Empty: the user.
    pub speaker: String,
    pub tags: Vec<String>,
    pub conversation: Option<i64>,
    pub source: Option<i64>,
    pub at_ms: i64,
}

/// Notes a memory. The same words of the same speaker are kept once: its id is given, and `true`; new tags are added to it.
///
/// # Errors
/// [`StoreError::Refused`] for an empty or overlong text and for bad tags; the database's.
pub fn add(db: &mut SqliteConnection, note: &Note) -> Result<(i64, bool), StoreError> {
    let text = clean(note.text.trim());
    if text.is_empty() {
        return Err(StoreError::Refused(
            "there is nothing to remember: the text is empty; say what to remember".to_owned(),
        ));
    }
    if text.len() > MEMORY_BYTES {
        return Err(StoreError::Refused(format!(
            "a memory has at most {MEMORY_BYTES} bytes and this one has {}; split it into several",
            text.len()
        )));
    }
    let speaker = if note.speaker.trim().is_empty() { USER.to_owned() } else { clean(note.speaker.trim()) };
    let tags = tags(&note.tags)?;
    if let Some((known, had)) = same(db, &text, &speaker)? {
        let mut all: Vec<&str> = had.split_whitespace().collect();
        let before = all.len();
        all.extend(tags.iter().map(String::as_str).filter(|tag| !had.split_whitespace().any(|other| other == *tag)));
        if all.len() > before {
            diesel::update(passages::table.filter(passages::id.eq(known)))
                .set(passages::tags.eq(all.join(" ")))
                .execute(db)?;
        }
        return Ok((known, true));
    }
    let added = diesel::insert_into(passages::table)
        .values((
            passages::kind.eq(MEMORY),
            passages::conversation_id.eq(note.conversation),
            passages::speaker.eq(speaker),
            passages::text.eq(text),
            passages::tags.eq(tags.join(" ")),
            passages::at_ms.eq(note.at_ms),
            passages::source_id.eq(note.source),
            passages::ready.eq(true),
        ))
        .returning(passages::id)
        .get_result(db)?;
    Ok((added, false))
}

/// SQLite ends a text at NUL wherever it measures or compares one.
pub(crate) fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Tags as they are kept: lower case, each once, no spaces in them.
fn tags(given: &[String]) -> Result<Vec<String>, StoreError> {
    let mut tags: Vec<String> = Vec::new();
    for tag in given {
        let tag = clean(tag.trim().trim_start_matches('#')).to_lowercase();
        if tag.is_empty() || tags.contains(&tag) {
            continue;
        }
        if tag.contains(char::is_whitespace) || tag.len() > TAG_BYTES {
            return Err(StoreError::Refused(format!(
                "{tag:?} is no tag: it is one word of at most {TAG_BYTES} bytes; join its words with `-`"
            )));
        }
        tags.push(tag);
    }
    if tags.len() > TAGS {
        return Err(StoreError::Refused(format!("a memory has at most {TAGS} tags; leave some out")));
    }
    Ok(tags)
}

#[derive(QueryableByName)]
struct Known {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    tags: String,
}

/// The index `memories_by_text` finds it: the expressions are the index's.
fn same(db: &mut SqliteConnection, text: &str, speaker: &str) -> Result<Option<(i64, String)>, StoreError> {
    let known: Option<Known> = prepared(
        "SELECT id, tags FROM passages WHERE kind = 1 AND length(text) = length(?1) AND substr(text, -16) = substr(?1, -16) \
         AND text = ?1 AND speaker = ?2 ORDER BY id LIMIT 1",
    )
    .bind::<Text, _>(text)
    .bind::<Text, _>(speaker)
    .get_result(db)
    .optional()?;
    Ok(known.map(|known| (known.id, known.tags)))
}

/// Passages that can be found, newest first.
///
/// # Errors
/// The database's.
pub fn list(db: &mut SqliteConnection, request: &ListRequest) -> Result<Passages, StoreError> {
    let limit = if request.limit == 0 { PAGE } else { request.limit.min(PAGE) };
    // Each kind but messages has an index of its own.
    let kind = match request.kind {
        Some(PassageKind::Message) => "p.kind = 0".to_owned(),
        Some(kind) => format!("p.kind <> 0 AND p.kind = {}", number_of(kind)),
        None => "1".to_owned(),
    };
    let tag = request.tag.as_ref().map(|tag| format!(" {} ", tag.trim().trim_start_matches('#').to_lowercase()));
    let rows: Vec<Stored> = sql_query(format!(
        "SELECT {COLUMNS} FROM passages p LEFT JOIN conversations c ON c.id = p.conversation_id \
         WHERE {kind} AND p.ready AND c.trashed_ms IS NULL AND (?1 IS NULL OR p.id < ?1) \
         AND (?2 IS NULL OR instr(' ' || p.tags || ' ', ?2) > 0) ORDER BY p.id DESC LIMIT ?3"
    ))
    .bind::<Nullable<BigInt>, _>(request.before.map(row))
    .bind::<Nullable<Text>, _>(tag)
    .bind::<BigInt, _>(i64::from(limit) + 1)
    .load(db)?;
    let mut more = rows.len() > limit as usize;
    let mut passages: Vec<Passage> = Vec::new();
    let mut bytes = 0;
    for stored in rows.iter().take(limit as usize) {
        bytes += stored.text.len() + stored.tags.len();
        if bytes > PAGE_BYTES && !passages.is_empty() {
            more = true;
            break;
        }
        passages.push(stored.passage());
    }
    Ok(Passages { passages, more })
}

/// The conversation that a turn belongs to, and its settings profile.
///
/// # Errors
/// [`StoreError::NotFound`]; the database's.
pub fn home(db: &mut SqliteConnection, turn: i64) -> Result<(i64, Option<String>), StoreError> {
    messages::table
        .inner_join(conversations::table.on(conversations::id.eq(messages::conversation_id)))
        .filter(messages::id.eq(turn))
        .select((conversations::id, conversations::profile))
        .first(db)
        .optional()?
        .ok_or_else(|| {
            StoreError::NotFound(format!("there is no turn {turn}; it may have been forgotten, so ask again"))
        })
}

/// The model that made a passage's vector, the serving one before others.
///
/// # Errors
/// The database's.
pub fn embedded_by(db: &mut SqliteConnection, passage: i64) -> Result<Option<String>, StoreError> {
    Ok(embedded::table
        .inner_join(embedding_models::table.on(embedding_models::id.eq(embedded::model_id)))
        .filter(embedded::passage_id.eq(passage))
        .order(embedding_models::state.desc())
        .select(embedding_models::name)
        .first(db)
        .optional()?)
}
