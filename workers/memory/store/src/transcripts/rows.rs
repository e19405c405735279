//! Messages as rows, and back.

use crate::error::StoreError;
use crate::prepared::Among;
use crate::schema::{messages, passages};
use crate::transcripts::id;
use butterfly_api::conversations::{MessageState, StoredMessage};
use butterfly_api::model::{Message, Role, ToolCall, Usage};
use diesel::prelude::*;
use std::collections::HashMap;

/// `passages.kind` of a message.
pub(crate) const MESSAGE: i32 = 0;

/// `messages.part` of a person's message.
pub(crate) const OPENING: i32 = -1;

/// What `messages` knows.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = messages)]
#[diesel(check_for_backend(diesel::sqlite::Sqlite))]
pub(crate) struct MessageRow {
    pub(crate) id: i64,
    pub(crate) parent_id: Option<i64>,
    pub(crate) turn_id: i64,
    pub(crate) part: i32,
    pub(crate) attempt: i64,
    pub(crate) role: i32,
    pub(crate) state: i32,
    pub(crate) thinking: String,
    pub(crate) tool_calls: String,
    pub(crate) tool_call_id: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) model: String,
    pub(crate) provenance: i32,
    pub(crate) usage: Option<String>,
    pub(crate) images: String,
}

/// What `passages` knows of a message.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = passages)]
#[diesel(check_for_backend(diesel::sqlite::Sqlite))]
pub(crate) struct PassageRow {
    pub(crate) external_id: Option<String>,
    pub(crate) speaker: String,
    pub(crate) text: String,
    pub(crate) tags: String,
    pub(crate) at_ms: i64,
}

/// A message with all that is kept of it.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) message: MessageRow,
    pub(crate) passage: PassageRow,
}

/// Rows that are asked for at once: well below SQLite's 32766 parameters.
const BATCH: usize = 500;

/// These messages, in this order; those that are gone are left out.
pub(crate) fn load(db: &mut SqliteConnection, ids: &[i64]) -> Result<Vec<Row>, StoreError> {
    let mut found: HashMap<i64, Row> = HashMap::with_capacity(ids.len());
    for batch in ids.chunks(BATCH) {
        let rows: Vec<(MessageRow, PassageRow)> = messages::table
            .inner_join(passages::table.on(passages::id.eq(messages::id)))
            .filter(Among::new("messages.id", batch))
            .select((MessageRow::as_select(), PassageRow::as_select()))
            .load(db)?;
        found.extend(rows.into_iter().map(|(message, passage)| (message.id, Row { message, passage })));
    }
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

impl Row {
    pub(crate) fn state(&self) -> Result<MessageState, StoreError> {
        state_of(self.message.state)
    }

    pub(crate) fn role(&self) -> Result<Role, StoreError> {
        role_of(self.message.role)
    }

    pub(crate) fn tool_calls(&self) -> Result<Vec<ToolCall>, StoreError> {
        list(&self.message.tool_calls)
    }

    pub(crate) fn usage(&self) -> Result<Option<Usage>, StoreError> {
        Ok(self.message.usage.as_deref().map(serde_json::from_str).transpose()?)
    }

    pub(crate) fn images(&self) -> Result<Vec<String>, StoreError> {
        list(&self.message.images)
    }

    /// As a model is told of it in a later turn: without what it thought, which belongs to its own turn.
    pub(crate) fn for_model(&self) -> Result<Message, StoreError> {
        Ok(Message {
            role: self.role()?,
            content: self.passage.text.clone(),
            thinking: String::new(),
            tool_calls: self.tool_calls()?,
            tool_call_id: self.message.tool_call_id.clone(),
            images: self.images()?,
        })
    }

    pub(crate) fn stored(self, versions: Vec<u64>) -> Result<StoredMessage, StoreError> {
        Ok(StoredMessage {
            role: self.role()?,
            tool_calls: self.tool_calls()?,
            state: self.state()?,
            usage: self.usage()?,
            id: id(self.message.id),
            external_id: self.passage.external_id,
            parent: self.message.parent_id.map(id),
            turn: id(self.message.turn_id),
            speaker: self.passage.speaker,
            text: self.passage.text,
            thinking: self.message.thinking,
            tool_call_id: self.message.tool_call_id,
            error: self.message.error,
            model: self.message.model,
            provenance: u16::try_from(self.message.provenance).unwrap_or(u16::MAX),
            at_unix_ms: id(self.passage.at_ms),
            versions,
        })
    }
}

/// A list as the database keeps it: nothing where it is empty, else JSON.
pub(crate) fn list_text<T: serde::Serialize>(list: &[T]) -> Result<String, StoreError> {
    Ok(if list.is_empty() { String::new() } else { serde_json::to_string(list)? })
}

fn list<T: serde::de::DeserializeOwned>(text: &str) -> Result<Vec<T>, StoreError> {
    Ok(if text.is_empty() { Vec::new() } else { serde_json::from_str(text)? })
}

pub(crate) fn state_number(state: MessageState) -> i32 {
    match state {
        MessageState::Streaming => 0,
        MessageState::Complete => 1,
        MessageState::Interrupted => 2,
        MessageState::Failed => 3,
    }
}

pub(crate) fn state_of(number: i32) -> Result<MessageState, StoreError> {
    [MessageState::Streaming, MessageState::Complete, MessageState::Interrupted, MessageState::Failed]
        .into_iter()
        .find(|state| state_number(*state) == number)
        .ok_or_else(|| unknown("state", number))
}

pub(crate) fn role_number(role: Role) -> i32 {
    match role {
        Role::System => 0,
        Role::User => 1,
        Role::Assistant => 2,
        Role::Tool => 3,
    }
}

pub(crate) fn role_of(number: i32) -> Result<Role, StoreError> {
    [Role::System, Role::User, Role::Assistant, Role::Tool]
        .into_iter()
        .find(|role| role_number(*role) == number)
        .ok_or_else(|| unknown("role", number))
}

fn unknown(what: &str, number: i32) -> StoreError {
    StoreError::Refused(format!(
        "the database holds a message of an unknown {what} ({number}); `butterfly doctor` checks it, `butterfly restore` brings back a copy"
    ))
}
