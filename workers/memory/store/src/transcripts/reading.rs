//! What was said, for people: the active branch, a page at a time from its end.

use crate::error::StoreError;
use crate::schema::{conversations, messages};
use crate::transcripts::branches::{path, versions};
use crate::transcripts::{PAGE_BYTES, ROW_BYTES, conversations as whole, row, rows};
use butterfly_api::conversations::{ShowRequest, Transcript};
use diesel::prelude::*;

/// Messages of one page. More than a screen holds, and a bound on what one request may cost.
const PAGE: i64 = 1000;

/// The last messages of the active branch, or those before one of them; fewer than asked for where they would not fit a
/// reply, but one at least.
///
/// # Errors
/// [`StoreError::NotFound`] for an unknown conversation, or a message that is not of it.
pub fn show(db: &mut SqliteConnection, request: &ShowRequest) -> Result<Transcript, StoreError> {
    let conversation = whole::one(db, request.conversation)?;
    let last: Option<i64> = match request.before {
        None => conversations::table
            .filter(conversations::id.eq(row(request.conversation)))
            .select(conversations::head)
            .first(db)?,
        Some(before) => messages::table
            .filter(messages::id.eq(row(before)))
            .filter(messages::conversation_id.eq(row(request.conversation)))
            .select(messages::parent_id)
            .first(db)
            .optional()?
            .ok_or_else(|| {
                StoreError::NotFound(format!(
                    "message {before} is not of conversation {}; show its end first",
                    request.conversation
                ))
            })?,
    };
    let Some(last) = last else { return Ok(Transcript { conversation, messages: Vec::new(), more: false }) };
    let limit = i64::from(request.limit).clamp(1, PAGE);
    // One more than asked for tells whether there is more.
    let steps = path(db, last, limit + 1)?;
    let mut left = PAGE_BYTES;
    let mut ids = Vec::new();
    for step in steps.iter().take(usize::try_from(limit).unwrap_or(usize::MAX)) {
        let bytes = ROW_BYTES + usize::try_from(step.bytes).unwrap_or(usize::MAX / 2);
        match left.checked_sub(bytes) {
            Some(rest) => left = rest,
            None if ids.is_empty() => left = 0,
            None => break,
        }
        ids.push(step.id);
    }
    let more = ids.len() < steps.len();
    ids.reverse();
    let mut siblings = versions(db, &ids)?;
    let messages = rows::load(db, &ids)?
        .into_iter()
        .map(|row| {
            let versions = siblings.remove(&row.message.id).unwrap_or_default();
            row.stored(versions)
        })
        .collect::<Result<_, _>>()?;
    Ok(Transcript { conversation, messages, more })
}
