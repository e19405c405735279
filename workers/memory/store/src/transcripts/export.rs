//! Conversations written down, and read back.

use crate::error::StoreError;
use crate::schema::{conversations, messages, passages, profiles};
use crate::transcripts::document::{Document, Entry, FORMAT, VERSION};
use crate::transcripts::rows::{self, MESSAGE, OPENING, Row};
use crate::transcripts::saving::ready;
use crate::transcripts::{branches, conversations as whole, id, row};
use butterfly_api::conversations::{Imported, MessageState};
use butterfly_recall::moment::rfc3339;
use diesel::prelude::*;
use std::collections::HashMap;

#[derive(Queryable, Selectable)]
#[diesel(table_name = conversations)]
#[diesel(check_for_backend(diesel::sqlite::Sqlite))]
struct Whole {
    external_id: Option<String>,
    title: String,
    renamed: bool,
    created_ms: i64,
    updated_ms: i64,
    head: Option<i64>,
    pinned: bool,
    draft: String,
    profile: Option<String>,
    context_tokens: i64,
}

/// A conversation as a document: all branches, and all that is known of each message. What is being said just now
/// counts as broken off: in the document nobody goes on with it.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn document(db: &mut SqliteConnection, conversation: u64) -> Result<Document, StoreError> {
    let kept: Whole = conversations::table
        .filter(conversations::id.eq(row(conversation)))
        .select(Whole::as_select())
        .first(db)
        .optional()?
        .ok_or_else(|| whole::unknown(conversation))?;
    let ids: Vec<i64> = messages::table
        .filter(messages::conversation_id.eq(row(conversation)))
        .select(messages::id)
        .order(messages::id)
        .load(db)?;
    let mut numbers: HashMap<i64, u32> = ids.iter().copied().zip(1..).collect();
    let last = ids.last().and_then(|last| numbers.get(last).copied());
    let mut beyond = u32::try_from(ids.len()).unwrap_or(u32::MAX);
    let mut entries = Vec::with_capacity(ids.len());
    for row in rows::load(db, &ids)? {
        let turn = *numbers.entry(row.message.turn_id).or_insert_with(|| {
            beyond = beyond.saturating_add(1);
            beyond
        });
        let number = numbers.get(&row.message.id).copied().unwrap_or(0);
        let parent = row.message.parent_id.and_then(|parent| numbers.get(&parent).copied());
        entries.push(entry(row, number, parent, turn)?);
    }
    Ok(Document {
        format: FORMAT.to_owned(),
        version: VERSION,
        external_id: kept.external_id,
        title: kept.title,
        renamed: kept.renamed,
        created_unix_ms: kept.created_ms,
        updated_unix_ms: kept.updated_ms,
        pinned: kept.pinned,
        draft: kept.draft,
        profile: kept.profile,
        context_tokens: kept.context_tokens,
        head: kept.head.and_then(|head| numbers.get(&head).copied()).or(last),
        messages: entries,
    })
}

fn entry(row: Row, number: u32, parent: Option<u32>, turn: u32) -> Result<Entry, StoreError> {
    let (state, error) = match row.state()? {
        MessageState::Streaming if row.passage.text.trim().is_empty() => {
            (MessageState::Failed, row.message.error.clone())
        }
        MessageState::Streaming => (MessageState::Interrupted, row.message.error.clone()),
        state => (state, row.message.error.clone()),
    };
    Ok(Entry {
        number,
        parent,
        turn,
        part: row.message.part,
        attempt: row.message.attempt,
        role: row.role()?,
        state,
        error,
        tool_calls: row.tool_calls()?,
        usage: row.usage()?,
        images: row.images()?,
        speaker: row.passage.speaker,
        text: row.passage.text,
        at_unix_ms: row.passage.at_ms,
        provenance: u16::try_from(row.message.provenance).unwrap_or(u16::MAX),
        external_id: row.passage.external_id,
        tags: row.passage.tags,
        thinking: row.message.thinking,
        tool_call_id: row.message.tool_call_id,
        model: row.message.model,
    })
}

/// Reads a document back as a new conversation. Its name, and its profile, are kept where they are free and known.
///
/// # Errors
/// The database's own; then nothing was imported.
pub fn import(db: &mut SqliteConnection, document: &Document) -> Result<Imported, StoreError> {
    let taken: i64 = match &document.external_id {
        Some(name) => conversations::table.filter(conversations::external_id.eq(name)).count().get_result(db)?,
        None => 0,
    };
    let known: i64 = match &document.profile {
        Some(name) => profiles::table.filter(profiles::name.eq(name)).count().get_result(db)?,
        None => 0,
    };
    let conversation: i64 = diesel::insert_into(conversations::table)
        .values((
            conversations::external_id.eq(document.external_id.as_ref().filter(|_| taken == 0)),
            conversations::title.eq(&document.title),
            conversations::renamed.eq(document.renamed),
            conversations::created_ms.eq(document.created_unix_ms),
            conversations::updated_ms.eq(document.updated_unix_ms),
            conversations::pinned.eq(document.pinned),
            conversations::draft.eq(&document.draft),
            conversations::profile.eq(document.profile.as_ref().filter(|_| known > 0)),
            conversations::context_tokens.eq(document.context_tokens),
        ))
        .returning(conversations::id)
        .get_result(db)?;
    let mut rows: HashMap<u32, i64> = HashMap::with_capacity(document.messages.len());
    for entry in &document.messages {
        let message = insert(db, entry, conversation, &rows)?;
        rows.insert(entry.number, message);
    }
    let head = document.head.and_then(|head| rows.get(&head).copied());
    diesel::update(conversations::table.filter(conversations::id.eq(conversation)))
        .set(conversations::head.eq(head))
        .execute(db)?;
    Ok(Imported {
        conversation: id(conversation),
        title: document.title.clone(),
        messages: u32::try_from(document.messages.len()).unwrap_or(u32::MAX),
    })
}

fn insert(
    db: &mut SqliteConnection,
    entry: &Entry,
    conversation: i64,
    rows: &HashMap<u32, i64>,
) -> Result<i64, StoreError> {
    let state = match entry.state {
        MessageState::Streaming if entry.text.trim().is_empty() => MessageState::Failed,
        MessageState::Streaming => MessageState::Interrupted,
        state => state,
    };
    let message: i64 = diesel::insert_into(passages::table)
        .values((
            passages::kind.eq(MESSAGE),
            passages::conversation_id.eq(conversation),
            passages::external_id.eq(&entry.external_id),
            passages::speaker.eq(&entry.speaker),
            passages::text.eq(&entry.text),
            passages::tags.eq(&entry.tags),
            passages::at_ms.eq(entry.at_unix_ms),
            passages::ready.eq(entry.part == OPENING || ready(state, &entry.text)),
        ))
        .returning(passages::id)
        .get_result(db)?;
    // A turn that was forgotten gets a number that no message has.
    let turn = match entry.part {
        OPENING => message,
        _ => rows.get(&entry.turn).copied().unwrap_or(-i64::from(entry.turn)),
    };
    diesel::insert_into(messages::table)
        .values((
            (
                messages::id.eq(message),
                messages::conversation_id.eq(conversation),
                messages::parent_id.eq(entry.parent.and_then(|parent| rows.get(&parent).copied())),
                messages::turn_id.eq(turn),
                messages::part.eq(entry.part),
                messages::attempt.eq(entry.attempt),
                messages::role.eq(rows::role_number(entry.role)),
                messages::state.eq(rows::state_number(state)),
            ),
            (
                messages::thinking.eq(&entry.thinking),
                messages::tool_calls.eq(rows::list_text(&entry.tool_calls)?),
                messages::tool_call_id.eq(&entry.tool_call_id),
                messages::error.eq(&entry.error),
                messages::model.eq(&entry.model),
                messages::provenance.eq(i32::from(entry.provenance)),
                messages::usage.eq(entry.usage.as_ref().map(serde_json::to_string).transpose()?),
                messages::images.eq(rows::list_text(&entry.images)?),
            ),
        ))
        .execute(db)?;
    if entry.part == OPENING {
        crate::facts::enqueue(db, message)?;
    }
    Ok(message)
}

/// The active branch as Markdown, to be read by people, with the number of its messages.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn markdown(db: &mut SqliteConnection, conversation: u64) -> Result<(String, u32), StoreError> {
    let about = whole::one(db, conversation)?;
    let head: Option<i64> =
        conversations::table.filter(conversations::id.eq(row(conversation))).select(conversations::head).first(db)?;
    let mut ids: Vec<i64> = match head {
        Some(head) => branches::path(db, head, i64::MAX)?.into_iter().map(|step| step.id).collect(),
        None => Vec::new(),
    };
    ids.reverse();
    let mut text = format!("# {}\n", if about.title.is_empty() { "Untitled" } else { &about.title });
    for row in rows::load(db, &ids)? {
        let speaker = &row.passage.speaker;
        text.push_str(&format!("\n**{speaker}** · {}\n\n", rfc3339(row.passage.at_ms)));
        let said = row.passage.text.trim_end();
        if !said.is_empty() {
            text.push_str(said);
            text.push('\n');
        }
        for call in row.tool_calls()? {
            text.push_str(&format!("\n- used `{}` with `{}`\n", call.name, call.arguments.replace('`', "'")));
        }
        let note = match row.state()? {
            MessageState::Complete => None,
            MessageState::Streaming => Some("still being said"),
            MessageState::Interrupted => Some("broken off"),
            MessageState::Failed => Some("failed"),
        };
        if let Some(note) = note {
            let why = row.message.error.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
            text.push_str(&format!("\n*({note}{why})*\n"));
        }
    }
    Ok((text, u32::try_from(ids.len()).unwrap_or(u32::MAX)))
}

#[cfg(test)]
#[path = "export_tests.rs"]
mod tests;
