//! What the model was shown for a turn, beside the words themselves.
//!
//! It is kept as it was shown, so it quotes passages: when one of them is forgotten, the whole explanation goes.

use crate::error::StoreError;
use crate::facts::{signed, unsigned};
use crate::schema::{messages, passages, shown, shown_passages};
use butterfly_api::memory::{Explanation, Shown};
use diesel::SqliteConnection;
use diesel::prelude::*;

/// Keeps what was shown for a turn, in place of what was kept of it before.
///
/// # Errors
/// The database's.
pub fn keep(db: &mut SqliteConnection, turn: i64, document: &Shown) -> Result<(), StoreError> {
    let text = serde_json::to_string(document)?;
    diesel::replace_into(shown::table).values((shown::turn_id.eq(turn), shown::document.eq(text))).execute(db)?;
    let summary = document.summary.as_ref().map(|summary| summary.id);
    let quoted = document.recalled.iter().map(|found| found.passage.id).chain(summary);
    for passage in quoted {
        diesel::insert_or_ignore_into(shown_passages::table)
            .values((shown_passages::turn_id.eq(turn), shown_passages::passage_id.eq(signed(passage))))
            .execute(db)?;
    }
    Ok(())
}

/// What was shown for a turn; `None` where it was not kept, or has been forgotten.
///
/// # Errors
/// The database's.
pub fn load(db: &mut SqliteConnection, turn: i64) -> Result<Option<Shown>, StoreError> {
    let text: Option<String> = shown::table.find(turn).select(shown::document).first(db).optional()?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
}

/// The turns whose explanations quote one of these passages.
///
/// # Errors
/// The database's.
pub fn quoting(db: &mut SqliteConnection, passages: &[i64]) -> Result<Vec<i64>, StoreError> {
    let mut turns = Vec::new();
    for chunk in passages.chunks(500) {
        turns.extend(
            shown_passages::table
                .filter(shown_passages::passage_id.eq_any(chunk))
                .select(shown_passages::turn_id)
                .load::<i64>(db)?,
        );
    }
    turns.sort_unstable();
    turns.dedup();
    Ok(turns)
}

/// Deletes the explanations that quote one of these passages. Returns how many went.
///
/// # Errors
/// The database's.
pub fn forget(db: &mut SqliteConnection, passages: &[i64]) -> Result<u32, StoreError> {
    let turns = quoting(db, passages)?;
    let mut gone = 0;
    for chunk in turns.chunks(500) {
        gone += diesel::delete(shown::table.filter(shown::turn_id.eq_any(chunk))).execute(db)?;
    }
    Ok(u32::try_from(gone).unwrap_or(u32::MAX))
}

/// What the model was shown for the turn that `message` is, or belongs to; `None`: for the last turn of all.
///
/// # Errors
/// [`StoreError::NotFound`] where there is no such message, or none at all.
pub fn explain(db: &mut SqliteConnection, message: Option<i64>) -> Result<Explanation, StoreError> {
    let turn: Option<i64> = match message {
        Some(id) => messages::table.find(id).select(messages::turn_id).first(db).optional()?,
        None => messages::table.order(messages::id.desc()).select(messages::turn_id).first(db).optional()?,
    };
    let Some(turn) = turn else {
        return Err(StoreError::NotFound(match message {
            Some(id) => {
                format!("there is no message {id}; `butterfly conversations show` lists them with their numbers")
            }
            None => "nothing was said yet, so there is nothing to explain".to_owned(),
        }));
    };
    let person: Option<(Option<i64>, String)> =
        passages::table.find(turn).select((passages::conversation_id, passages::text)).first(db).optional()?;
    let Some((conversation, text)) = person else {
        return Err(StoreError::NotFound(format!("what turn {turn} began with was forgotten")));
    };
    let model: Option<String> = messages::table
        .filter(messages::turn_id.eq(turn).and(messages::model.ne("")))
        .order(messages::id.desc())
        .select(messages::model)
        .first(db)
        .optional()?;
    Ok(Explanation {
        conversation: conversation.map_or(0, unsigned),
        turn: unsigned(turn),
        text,
        model: model.unwrap_or_default(),
        shown: load(db, turn)?,
    })
}

#[cfg(test)]
#[path = "shown_tests.rs"]
mod tests;
