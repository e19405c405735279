//! The tree of a conversation: the way from a message back to the first, and the switch between branches.

use crate::error::StoreError;
use crate::prepared::prepared;
use crate::schema::{conversations, messages};
use crate::transcripts::{id, row};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Nullable};
use std::collections::HashMap;

/// One step on the way back.
#[derive(Debug, Clone, Copy, QueryableByName)]
pub(crate) struct Step {
    #[diesel(sql_type = BigInt)]
    pub(crate) id: i64,
    #[diesel(sql_type = BigInt)]
    pub(crate) turn_id: i64,
    /// Of all its texts.
    #[diesel(sql_type = BigInt)]
    pub(crate) bytes: i64,
}

/// The message `last` and those that it follows, newest first, at most `limit` of them.
pub(crate) fn path(db: &mut SqliteConnection, last: i64, limit: i64) -> Result<Vec<Step>, StoreError> {
    Ok(prepared(
        "WITH RECURSIVE path (id, parent_id, depth) AS ( \
             SELECT id, parent_id, 0 FROM messages WHERE id = ?1 \
             UNION ALL SELECT m.id, m.parent_id, depth + 1 FROM messages m JOIN path ON m.id = path.parent_id \
             LIMIT ?2) \
         SELECT m.id, m.turn_id, \
             octet_length(p.text) + octet_length(m.thinking) + octet_length(m.tool_calls) + octet_length(m.images) AS bytes \
         FROM path JOIN messages m ON m.id = path.id JOIN passages p ON p.id = path.id ORDER BY depth",
    )
    .bind::<BigInt, _>(last)
    .bind::<BigInt, _>(limit)
    .load(db)?)
}

/// For each of these messages, those that stand at its place in some branch, oldest first.
pub(crate) fn versions(db: &mut SqliteConnection, ids: &[i64]) -> Result<HashMap<i64, Vec<u64>>, StoreError> {
    #[derive(QueryableByName)]
    struct Place {
        #[diesel(sql_type = BigInt)]
        conversation_id: i64,
        #[diesel(sql_type = Nullable<BigInt>)]
        parent_id: Option<i64>,
    }
    #[derive(QueryableByName)]
    struct Id {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    let mut found = HashMap::with_capacity(ids.len());
    for message in ids {
        let places: Vec<Place> = sql_query("SELECT conversation_id, parent_id FROM messages WHERE id = ?")
            .bind::<BigInt, _>(message)
            .load(db)?;
        let Some(place) = places.first() else { continue };
        let siblings: Vec<Id> =
            sql_query("SELECT id FROM messages WHERE conversation_id = ? AND parent_id IS ? ORDER BY id")
                .bind::<BigInt, _>(place.conversation_id)
                .bind::<Nullable<BigInt>, _>(place.parent_id)
                .load(db)?;
        found.insert(*message, siblings.into_iter().map(|sibling| id(sibling.id)).collect());
    }
    Ok(found)
}

/// Makes the branch through `message` the active one, and returns its conversation. A branch that is active already
/// stays as it is; else the newest one through the message is chosen.
///
/// # Errors
/// [`StoreError::NotFound`] where there is no such message.
pub fn switch(db: &mut SqliteConnection, message: u64) -> Result<u64, StoreError> {
    let conversation: Option<i64> =
        messages::table.filter(messages::id.eq(row(message))).select(messages::conversation_id).first(db).optional()?;
    let Some(conversation) = conversation else {
        return Err(StoreError::NotFound(format!(
            "there is no message {message}; `butterfly conversations show` names those there are"
        )));
    };
    let head: Option<i64> =
        conversations::table.filter(conversations::id.eq(conversation)).select(conversations::head).first(db)?;
    if let Some(head) = head
        && path(db, head, i64::MAX)?.iter().any(|step| step.id == row(message))
    {
        return Ok(id(conversation));
    }
    let end = newest_below(db, conversation, row(message))?;
    diesel::update(conversations::table.filter(conversations::id.eq(conversation)))
        .set(conversations::head.eq(end))
        .execute(db)?;
    Ok(id(conversation))
}

/// The end of the newest branch through `message`: the greatest id below it, as parents have smaller ids.
pub(crate) fn newest_below(db: &mut SqliteConnection, conversation: i64, message: i64) -> Result<i64, StoreError> {
    #[derive(QueryableByName)]
    struct End {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    let end: End = sql_query(
        "WITH RECURSIVE below (id) AS ( \
             SELECT ? UNION ALL \
             SELECT m.id FROM messages m JOIN below ON m.parent_id = below.id AND m.conversation_id = ?) \
         SELECT max(id) AS id FROM below",
    )
    .bind::<BigInt, _>(message)
    .bind::<BigInt, _>(conversation)
    .get_result(db)?;
    Ok(end.id)
}
