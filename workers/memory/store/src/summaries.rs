//! Summaries: what stands for older turns in a prompt. The turns themselves stay.
//!
//! A summary is a passage that knows which messages it sums up; it goes with any one of them. The next one goes on where it
//! ended (its cursor) and includes what it said. It is *not* decided here when to make one, nor what it says.
//!
//! Invariant: a summary sums up one unbroken path of the tree of messages from the conversation's beginning on. So it
//! belongs to a branch exactly where the next turn follows the last message that it sums up.

use crate::error::StoreError;
use crate::facts::unsigned;
use crate::prepared::prepared;
use crate::schema::{conversations, messages, passages, summaries, summary_sources};
use butterfly_api::conversations::Summary;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use diesel::{SqliteConnection, sql_query};
use std::collections::HashSet;

/// Who says a summary.
pub const SPEAKER: &str = "summary";

/// A message of the active branch that no summary stands for yet, without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsummed {
    pub id: i64,
    pub turn: i64,
    /// Of its text and tool calls.
    pub bytes: u64,
    pub at_ms: i64,
    /// It is still being said.
    pub streaming: bool,
}

/// How far a conversation's active branch has been summed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Of the model that answered last; 0: unknown.
    pub context_tokens: u32,
    /// The conversation's settings profile.
    pub profile: Option<String>,
    pub summary: Option<Summary>,
    /// What came after it, oldest first.
    pub after: Vec<Unsummed>,
}

/// A summary that is to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSummary {
    pub conversation: i64,
    pub text: String,
    pub tags: Vec<String>,
    /// The summary that it goes on from.
    pub previous: Option<i64>,
    /// The messages that it sums up beside those of `previous`, oldest first.
    pub messages: Vec<i64>,
    pub model: String,
}

/// The text of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub id: i64,
    pub speaker: String,
    pub text: String,
}

#[derive(QueryableByName)]
struct SummaryRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    text: String,
    #[diesel(sql_type = Text)]
    tags: String,
    #[diesel(sql_type = BigInt)]
    first_turn: i64,
    #[diesel(sql_type = BigInt)]
    last_turn: i64,
    #[diesel(sql_type = BigInt)]
    from_ms: i64,
    #[diesel(sql_type = BigInt)]
    to_ms: i64,
    #[diesel(sql_type = Text)]
    model: String,
}

const SELECT: &str = "SELECT s.id, p.text, p.tags, s.first_turn, s.last_turn, s.from_ms, s.to_ms, s.model \
    FROM summaries s JOIN passages p ON p.id = s.id";

impl From<SummaryRow> for Summary {
    fn from(row: SummaryRow) -> Self {
        Self {
            id: unsigned(row.id),
            text: row.text,
            tags: row.tags.split_whitespace().map(str::to_owned).collect(),
            first_turn: unsigned(row.first_turn),
            last_turn: unsigned(row.last_turn),
            from_unix_ms: unsigned(row.from_ms),
            to_unix_ms: unsigned(row.to_ms),
            model: row.model,
        }
    }
}

/// The newest summary that stands for turns of this branch (ids of turns). Turns that the branch's list leaves out at its
/// beginning do no harm: where the turn after the summary is on the branch, all that the summary stands for is.
///
/// # Errors
/// The database's.
pub fn current(db: &mut SqliteConnection, conversation: i64, branch: &[i64]) -> Result<Option<Summary>, StoreError> {
    let branch: HashSet<i64> = branch.iter().copied().collect();
    let rows: Vec<SummaryRow> =
        prepared(format!("{SELECT} WHERE s.conversation_id = ?1 ORDER BY s.last_turn DESC, s.id DESC"))
            .bind::<BigInt, _>(conversation)
            .load(db)?;
    for row in rows {
        let next: Vec<IdRow> = prepared(
            "SELECT n.id FROM messages p JOIN messages n ON n.conversation_id = p.conversation_id AND n.parent_id = p.id \
             JOIN summary_sources ss ON ss.summary_id = ?1 AND ss.passage_id = p.id \
             WHERE p.turn_id = ?2 AND n.turn_id <> ?2",
        )
        .bind::<BigInt, _>(row.id)
        .bind::<BigInt, _>(row.last_turn)
        .load(db)?;
        if next.iter().any(|next| branch.contains(&next.id)) {
            return Ok(Some(row.into()));
        }
    }
    Ok(None)
}

#[derive(QueryableByName)]
struct IdRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

#[derive(QueryableByName)]
struct PathRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    turn_id: i64,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
    #[diesel(sql_type = BigInt)]
    at_ms: i64,
    #[diesel(sql_type = Integer)]
    state: i32,
    #[diesel(sql_type = Nullable<BigInt>)]
    cursor_id: Option<i64>,
}

/// How far a conversation's active branch has been summed up: it is followed from its end up to the newest summary.
///
/// # Errors
/// [`StoreError::NotFound`] where there is no such conversation; the database's.
pub fn progress(db: &mut SqliteConnection, conversation: i64) -> Result<Progress, StoreError> {
    let row: Option<(Option<i64>, i64, Option<String>)> = conversations::table
        .find(conversation)
        .select((conversations::head, conversations::context_tokens, conversations::profile))
        .first(db)
        .optional()?;
    let (head, context, profile) =
        row.ok_or_else(|| StoreError::NotFound(format!("there is no conversation {conversation}")))?;
    let mut progress =
        Progress { context_tokens: u32::try_from(context).unwrap_or(0), profile, summary: None, after: Vec::new() };
    let Some(head) = head else { return Ok(progress) };
    let rows: Vec<PathRow> = sql_query(
        "WITH RECURSIVE up (id, parent_id, turn_id, state, calls, step, cursor_id) AS ( \
           SELECT id, parent_id, turn_id, state, length(tool_calls), 0, NULL FROM messages WHERE id = ?1 \
           UNION ALL \
           SELECT m.id, m.parent_id, m.turn_id, m.state, length(m.tool_calls), up.step + 1, \
             CASE WHEN m.turn_id <> up.turn_id THEN ( \
               SELECT max(s.id) FROM summaries s \
               JOIN summary_sources ss ON ss.summary_id = s.id AND ss.passage_id = m.id \
               WHERE s.conversation_id = ?2 AND s.last_turn = m.turn_id) END \
           FROM up JOIN messages m ON m.id = up.parent_id WHERE up.cursor_id IS NULL) \
         SELECT up.id, up.turn_id, length(CAST(p.text AS BLOB)) + up.calls AS bytes, p.at_ms, up.state, up.cursor_id \
         FROM up JOIN passages p ON p.id = up.id ORDER BY up.step DESC",
    )
    .bind::<BigInt, _>(head)
    .bind::<BigInt, _>(conversation)
    .load(db)?;
    for row in rows {
        if let Some(summary) = row.cursor_id {
            progress.summary = load(db, summary)?;
            continue;
        }
        progress.after.push(Unsummed {
            id: row.id,
            turn: row.turn_id,
            bytes: unsigned(row.bytes),
            at_ms: row.at_ms,
            streaming: row.state == 0,
        });
    }
    Ok(progress)
}

fn load(db: &mut SqliteConnection, id: i64) -> Result<Option<Summary>, StoreError> {
    let row: Vec<SummaryRow> = sql_query(format!("{SELECT} WHERE s.id = ?")).bind::<BigInt, _>(id).load(db)?;
    Ok(row.into_iter().next().map(Summary::from))
}

/// Conversations that a model answered in and that changed at `since_ms` or later, oldest change first: their ids and
/// when they changed, the newest `limit` of them.
///
/// # Errors
/// The database's.
pub fn changed(db: &mut SqliteConnection, since_ms: i64, limit: i64) -> Result<Vec<(i64, i64)>, StoreError> {
    let mut rows: Vec<(i64, i64)> = conversations::table
        .filter(conversations::updated_ms.ge(since_ms))
        .filter(conversations::context_tokens.gt(0))
        .filter(conversations::trashed_ms.is_null())
        .order((conversations::updated_ms.desc(), conversations::id.desc()))
        .limit(limit)
        .select((conversations::id, conversations::updated_ms))
        .load(db)?;
    rows.reverse();
    Ok(rows)
}

/// What was said in these messages, in their order; what has been forgotten is left out.
///
/// # Errors
/// The database's.
pub fn texts(db: &mut SqliteConnection, ids: &[i64]) -> Result<Vec<Said>, StoreError> {
    let mut said = Vec::new();
    for chunk in ids.chunks(500) {
        let rows: Vec<(i64, String, String)> = passages::table
            .filter(passages::id.eq_any(chunk))
            .order(passages::id)
            .select((passages::id, passages::speaker, passages::text))
            .load(db)?;
        said.extend(rows.into_iter().map(|(id, speaker, text)| Said { id, speaker, text }));
    }
    Ok(said)
}

/// Keeps a summary. Returns its id, or `None` where something that it sums up has been forgotten meanwhile: then it must
/// not be kept, for it may say what was forgotten.
///
/// # Errors
/// The database's.
pub fn keep(db: &mut SqliteConnection, new: &NewSummary, now_ms: i64) -> Result<Option<i64>, StoreError> {
    let mut sources = new.messages.clone();
    let mut begins: Option<(i64, i64)> = None;
    if let Some(previous) = new.previous {
        let row: Option<(i64, i64)> =
            summaries::table.find(previous).select((summaries::first_turn, summaries::from_ms)).first(db).optional()?;
        if row.is_none() {
            return Ok(None);
        }
        begins = row;
        sources.extend(
            summary_sources::table
                .filter(summary_sources::summary_id.eq(previous))
                .select(summary_sources::passage_id)
                .load::<i64>(db)?,
        );
    }
    let mut spans = Vec::new();
    for id in &new.messages {
        let row: Option<(i64, i64)> = messages::table
            .inner_join(passages::table)
            .filter(messages::id.eq(id))
            .select((messages::turn_id, passages::at_ms))
            .first(db)
            .optional()?;
        match row {
            Some(row) => spans.push(row),
            None => return Ok(None),
        }
    }
    let (Some(first), Some(last)) = (spans.first().copied(), spans.last().copied()) else { return Ok(None) };
    let (first_turn, from_ms) = begins.unwrap_or(first);
    let tags: Vec<String> = new.tags.iter().map(|tag| tag.split_whitespace().collect::<Vec<_>>().join("-")).collect();
    let id: i64 = diesel::insert_into(passages::table)
        .values((
            passages::kind.eq(2),
            passages::conversation_id.eq(new.conversation),
            passages::speaker.eq(SPEAKER),
            passages::text.eq(&new.text),
            passages::tags.eq(tags.join(" ")),
            passages::at_ms.eq(now_ms),
        ))
        .returning(passages::id)
        .get_result(db)?;
    diesel::insert_into(summaries::table)
        .values((
            summaries::id.eq(id),
            summaries::conversation_id.eq(new.conversation),
            summaries::first_turn.eq(first_turn),
            summaries::last_turn.eq(last.0),
            summaries::from_ms.eq(from_ms),
            summaries::to_ms.eq(last.1),
            summaries::model.eq(&new.model),
        ))
        .execute(db)?;
    sources.sort_unstable();
    sources.dedup();
    for source in sources {
        diesel::insert_into(summary_sources::table)
            .values((summary_sources::summary_id.eq(id), summary_sources::passage_id.eq(source)))
            .execute(db)?;
    }
    Ok(Some(id))
}

#[cfg(test)]
#[path = "summaries_tests.rs"]
mod tests;
