//! Turns: how one begins, and what of a conversation the model needs to know for it.

use crate::error::StoreError;
use crate::schema::{begun, conversations, messages, passages};
use crate::transcripts::branches::{self, Step};
use crate::transcripts::rows::{self, MESSAGE, OPENING, Row};
use crate::transcripts::saving::interrupt;
use crate::transcripts::{PAGE_BYTES, ROW_BYTES, USER, fits, id, row, titles};
use butterfly_api::conversations::{Begin, Begun, MessageState, PastTurn};
use butterfly_api::model::{Message, Role};
use butterfly_api::session::Place;
use diesel::prelude::*;

/// Begins a turn. The same key begins the same turn, whatever else the request says.
///
/// # Errors
/// [`StoreError::Refused`] for an empty or overlong text, or a conversation in the trash; [`StoreError::NotFound`] for a
/// conversation or message that is not there.
pub fn begin(db: &mut SqliteConnection, request: &Begin, now_ms: i64) -> Result<Begun, StoreError> {
    let key = request.key.cast_signed();
    let known: Option<i64> =
        begun::table.filter(begun::begin_key.eq(key)).select(begun::turn_id).first(db).optional()?;
    if let Some(turn) = known {
        return describe(db, turn);
    }
    let turn = match request.place {
        Place::End => {
            let (conversation, head) = match request.conversation {
                Some(conversation) => open(db, row(conversation))?,
                None => (create(db, now_ms)?, None),
            };
            say(db, request, conversation, head, now_ms)?
        }
        Place::InsteadOf(message) => {
            let opening = opening(db, message)?;
            if opening.id != row(message) {
                return Err(StoreError::Refused(format!(
                    "message {message} is not a person's, and only those can be said differently; answer it again instead"
                )));
            }
            named(request.conversation, opening.conversation_id)?;
            open(db, opening.conversation_id)?;
            say(db, request, opening.conversation_id, opening.parent_id, now_ms)?
        }
        Place::Again(message) => {
            let opening = opening(db, message)?;
            named(request.conversation, opening.conversation_id)?;
            open(db, opening.conversation_id)?;
            interrupt(db, Some(opening.conversation_id))?;
            diesel::update(messages::table.filter(messages::id.eq(opening.id)))
                .set(messages::attempt.eq(messages::attempt + 1))
                .execute(db)?;
            advance(db, opening.conversation_id, opening.id, now_ms)?;
            opening.id
        }
    };
    diesel::insert_into(begun::table).values((begun::begin_key.eq(key), begun::turn_id.eq(turn))).execute(db)?;
    describe(db, turn)
}

/// A conversation that can be spoken in, with its head.
fn open(db: &mut SqliteConnection, conversation: i64) -> Result<(i64, Option<i64>), StoreError> {
    let found: Option<(Option<i64>, Option<i64>)> = conversations::table
        .filter(conversations::id.eq(conversation))
        .select((conversations::head, conversations::trashed_ms))
        .first(db)
        .optional()?;
    match found {
        None => Err(crate::transcripts::conversations::unknown(id(conversation))),
        Some((_, Some(_))) => Err(StoreError::Refused(format!(
            "conversation {conversation} is in the trash; take it out first with `butterfly conversations restore {conversation}`"
        ))),
        Some((head, None)) => Ok((conversation, head)),
    }
}

/// Refuses a message that is another conversation's than the one that was named.
fn named(conversation: Option<u64>, found: i64) -> Result<(), StoreError> {
    match conversation {
        Some(named) if named != id(found) => Err(StoreError::Refused(format!(
            "that message is of conversation {found} and not of {named}; name the one that it is of"
        ))),
        Some(_) | None => Ok(()),
    }
}

/// The person's message that `message` is, or answers.
fn opening(db: &mut SqliteConnection, message: u64) -> Result<Opening, StoreError> {
    let turn: Option<i64> =
        messages::table.filter(messages::id.eq(row(message))).select(messages::turn_id).first(db).optional()?;
    let opening = match turn {
        Some(turn) => {
            messages::table.filter(messages::id.eq(turn)).select(Opening::as_select()).first(db).optional()?
        }
        None => None,
    };
    opening.filter(|opening| opening.part == OPENING).ok_or_else(|| {
        StoreError::NotFound(format!(
            "there is no message {message}, or what it answered was forgotten; `butterfly conversations show` names those there are"
        ))
    })
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = messages)]
#[diesel(check_for_backend(diesel::sqlite::Sqlite))]
struct Opening {
    id: i64,
    conversation_id: i64,
    parent_id: Option<i64>,
    part: i32,
}

fn create(db: &mut SqliteConnection, now_ms: i64) -> Result<i64, StoreError> {
    Ok(diesel::insert_into(conversations::table)
        .values((conversations::created_ms.eq(now_ms), conversations::updated_ms.eq(now_ms)))
        .returning(conversations::id)
        .get_result(db)?)
}

/// Keeps what a person said, as the new end of its branch.
fn say(
    db: &mut SqliteConnection,
    request: &Begin,
    conversation: i64,
    parent: Option<i64>,
    now_ms: i64,
) -> Result<i64, StoreError> {
    if request.text.trim().is_empty() {
        return Err(StoreError::Refused("there is nothing to answer: the message is empty; say something".to_owned()));
    }
    fits(request.text.len())?;
    interrupt(db, Some(conversation))?;
    let message: i64 = diesel::insert_into(passages::table)
        .values((
            passages::kind.eq(MESSAGE),
            passages::conversation_id.eq(conversation),
            passages::speaker.eq(USER),
            passages::text.eq(&request.text),
            passages::at_ms.eq(now_ms),
            passages::ready.eq(true),
        ))
        .returning(passages::id)
        .get_result(db)?;
    diesel::insert_into(messages::table)
        .values((
            messages::id.eq(message),
            messages::conversation_id.eq(conversation),
            messages::parent_id.eq(parent),
            messages::turn_id.eq(message),
            messages::part.eq(OPENING),
            messages::role.eq(rows::role_number(Role::User)),
            messages::state.eq(rows::state_number(MessageState::Complete)),
            messages::provenance.eq(i32::from(request.provenance)),
        ))
        .execute(db)?;
    advance(db, conversation, message, now_ms)?;
    if parent.is_none() {
        diesel::update(
            conversations::table.filter(conversations::id.eq(conversation)).filter(conversations::renamed.eq(false)),
        )
        .set(conversations::title.eq(titles::first_words(&request.text)))
        .execute(db)?;
    }
    Ok(message)
}

fn advance(db: &mut SqliteConnection, conversation: i64, head: i64, now_ms: i64) -> Result<(), StoreError> {
    diesel::update(conversations::table.filter(conversations::id.eq(conversation)))
        .set((conversations::head.eq(head), conversations::updated_ms.eq(now_ms)))
        .execute(db)?;
    Ok(())
}

/// What is to be answered, and what was said before it.
fn describe(db: &mut SqliteConnection, turn: i64) -> Result<Begun, StoreError> {
    let (conversation, text): (i64, String) = messages::table
        .inner_join(passages::table.on(passages::id.eq(messages::id)))
        .filter(messages::id.eq(turn))
        .select((messages::conversation_id, passages::text))
        .first(db)?;
    let profile =
        conversations::table.filter(conversations::id.eq(conversation)).select(conversations::profile).first(db)?;
    let path = branches::path(db, turn, i64::MAX)?;
    // A turn counts as long as anything of it is there: the person's message alone may have been forgotten.
    let mut branch: Vec<i64> = path.chunk_by(|a, b| a.turn_id == b.turn_id).map(|steps| steps[0].turn_id).collect();
    branch.reverse();
    let turns = branch.len();
    let summary = crate::summaries::current(db, conversation, &branch)?;
    // All of it travels in one frame, with the text that is to be answered.
    let room = (MESSAGE_ROOM.saturating_sub(text.len())).min(PAGE_BYTES);
    let earlier = earlier(db, path.get(1..).unwrap_or_default(), turns, room)?;
    Ok(Begun {
        conversation: id(conversation),
        turn: id(turn),
        number: count(turns),
        text,
        left_out: count(turns.saturating_sub(1).saturating_sub(earlier.len())),
        earlier,
        summary,
        profile,
    })
}

/// Bytes of a reply that hold what is to be answered and what was said before: a frame (1 MiB) without what a summary
/// and the reply's own numbers may take.
const MESSAGE_ROOM: usize = 896 << 10;

/// The newest turns of `path` (newest message first) that `room` bytes hold, oldest first. `turns` is how many there are
/// with the one that follows them.
fn earlier(db: &mut SqliteConnection, path: &[Step], turns: usize, room: usize) -> Result<Vec<PastTurn>, StoreError> {
    let mut kept: Vec<&[Step]> = Vec::new();
    let mut left = room;
    for steps in path.chunk_by(|a, b| a.turn_id == b.turn_id) {
        let bytes: usize =
            steps.iter().map(|step| ROW_BYTES + usize::try_from(step.bytes).unwrap_or(usize::MAX / 2)).sum();
        let Some(rest) = left.checked_sub(bytes) else { break };
        left = rest;
        kept.push(steps);
    }
    let ids: Vec<i64> = kept.iter().rev().flat_map(|steps| steps.iter().rev()).map(|step| step.id).collect();
    let rows = rows::load(db, &ids)?;
    // The last of `turns` is the one that follows them.
    let first = turns.saturating_sub(kept.len());
    rows.chunk_by(|a, b| a.message.turn_id == b.message.turn_id)
        .enumerate()
        .map(|(at, rows)| past(rows, count(first + at)))
        .collect()
}

/// One turn as a later one needs to know it. An answer that was broken off says nothing of tools: nothing answers them.
fn past(rows: &[Row], number: u32) -> Result<PastTurn, StoreError> {
    let mut turn = PastTurn { turn: 0, number, user: String::new(), exchange: Vec::new(), state: MessageState::Failed };
    for row in rows {
        turn.turn = id(row.message.turn_id);
        if row.message.part == OPENING {
            turn.user.clone_from(&row.passage.text);
            continue;
        }
        turn.state = row.state()?;
        let mut message = row.for_model()?;
        if turn.state != MessageState::Complete {
            message.tool_calls.clear();
        }
        if says_something(&message) {
            turn.exchange.push(message);
        }
    }
    Ok(turn)
}

fn says_something(message: &Message) -> bool {
    message.role == Role::Tool || !message.content.trim().is_empty() || !message.tool_calls.is_empty()
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
