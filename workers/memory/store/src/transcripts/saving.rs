//! Answers: kept as they come, and marked when nobody goes on with them.

use crate::error::StoreError;
use crate::schema::{conversations, messages, passages};
use crate::transcripts::rows::{self, MESSAGE, OPENING};
use crate::transcripts::{ASSISTANT, fits, id, row};
use butterfly_api::conversations::{MessageState, Save};
use butterfly_api::model::{Message, Role};
use diesel::prelude::*;

/// What a message says that was broken off by no fault of its own.
const BROKEN_OFF: &str = "a part of the program ended";

/// What was saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    pub message: u64,
    pub conversation: u64,
}

/// Keeps one message of the newest answer to a turn, as far as it has come. `provenance` is what the answer's trace
/// carries.
///
/// # Errors
/// [`StoreError::NotFound`] where the turn was forgotten; [`StoreError::Refused`] for a message that does not follow
/// what is there, that is too long, or that would change one that is over.
pub fn save(db: &mut SqliteConnection, request: &Save, provenance: u16, now_ms: i64) -> Result<Kept, StoreError> {
    let turn = row(request.turn);
    let (conversation, attempt): (i64, i64) = messages::table
        .filter(messages::id.eq(turn))
        .filter(messages::part.eq(OPENING))
        .select((messages::conversation_id, messages::attempt))
        .first(db)
        .optional()?
        .ok_or_else(|| {
            StoreError::NotFound(format!(
                "turn {} was forgotten, so that its answer is not kept; ask again",
                request.turn
            ))
        })?;
    fits(bytes(&request.message))?;
    let part = i32::try_from(request.part)
        .map_err(|_| StoreError::Refused(format!("a turn has no part {}; begin another one", request.part)))?;
    let known: Option<(i64, i32)> = find(db, turn, attempt, part)?;
    let message = match known {
        None => insert(db, request, Place { conversation, turn, attempt, part }, provenance, now_ms)?,
        Some((message, state)) if rows::state_of(state)? == MessageState::Streaming => {
            replace(db, request, message, provenance)?;
            message
        }
        Some((message, _)) => {
            same(db, request, message)?;
            message
        }
    };
    if let Some(shown) = &request.shown {
        crate::shown::keep(db, turn, shown)?;
    }
    if request.state != MessageState::Streaming {
        over(db, request, conversation, turn, now_ms)?;
    }
    Ok(Kept { message: id(message), conversation: id(conversation) })
}

/// Where a message of an answer belongs.
#[derive(Clone, Copy)]
struct Place {
    conversation: i64,
    turn: i64,
    attempt: i64,
    part: i32,
}

fn find(db: &mut SqliteConnection, turn: i64, attempt: i64, part: i32) -> Result<Option<(i64, i32)>, StoreError> {
    Ok(messages::table
        .filter(messages::turn_id.eq(turn))
        .filter(messages::attempt.eq(attempt))
        .filter(messages::part.eq(part))
        .select((messages::id, messages::state))
        .first(db)
        .optional()?)
}

fn insert(
    db: &mut SqliteConnection,
    request: &Save,
    place: Place,
    provenance: u16,
    now_ms: i64,
) -> Result<i64, StoreError> {
    let Place { conversation, turn, attempt, part } = place;
    let parent = match part {
        0 => turn,
        _ => find(db, turn, attempt, part - 1)?.map(|(before, _)| before).ok_or_else(|| {
            StoreError::Refused(format!(
                "part {part} of turn {turn} has nothing to follow; save part {} first",
                part - 1
            ))
        })?,
    };
    let message: i64 = diesel::insert_into(passages::table)
        .values((
            passages::kind.eq(MESSAGE),
            passages::conversation_id.eq(conversation),
            passages::speaker.eq(speaker(request.message.role)),
            passages::text.eq(&request.message.content),
            passages::at_ms.eq(now_ms),
            passages::ready.eq(ready(request.state, &request.message.content)),
        ))
        .returning(passages::id)
        .get_result(db)?;
    diesel::insert_into(messages::table)
        .values((
            (
                messages::id.eq(message),
                messages::conversation_id.eq(conversation),
                messages::parent_id.eq(parent),
                messages::turn_id.eq(turn),
                messages::part.eq(part),
                messages::attempt.eq(attempt),
                messages::role.eq(rows::role_number(request.message.role)),
            ),
            said(request, provenance)?,
        ))
        .execute(db)?;
    // A person who looks at another branch meanwhile stays there.
    diesel::update(
        conversations::table.filter(conversations::id.eq(conversation)).filter(conversations::head.eq(parent)),
    )
    .set(conversations::head.eq(message))
    .execute(db)?;
    Ok(message)
}

fn replace(db: &mut SqliteConnection, request: &Save, message: i64, provenance: u16) -> Result<(), StoreError> {
    diesel::update(passages::table.filter(passages::id.eq(message)))
        .set((
            passages::text.eq(&request.message.content),
            passages::ready.eq(ready(request.state, &request.message.content)),
        ))
        .execute(db)?;
    // The end of an answer whose reader has gone is saved as background work: that washes nothing clean.
    let before: i32 = messages::table.filter(messages::id.eq(message)).select(messages::provenance).first(db)?;
    let said = Said { provenance: i32::from(provenance) | before, ..said(request, provenance)? };
    diesel::update(messages::table.filter(messages::id.eq(message))).set(said).execute(db)?;
    Ok(())
}

/// What changes while a message is being said.
#[derive(AsChangeset, Insertable)]
#[diesel(table_name = messages)]
#[diesel(treat_none_as_null = true)]
struct Said<'a> {
    state: i32,
    thinking: &'a str,
    tool_calls: String,
    tool_call_id: Option<&'a str>,
    error: Option<&'a str>,
    model: &'a str,
    provenance: i32,
    usage: Option<String>,
    images: String,
}

fn said(request: &Save, provenance: u16) -> Result<Said<'_>, StoreError> {
    Ok(Said {
        state: rows::state_number(request.state),
        thinking: &request.message.thinking,
        tool_calls: rows::list_text(&request.message.tool_calls)?,
        tool_call_id: request.message.tool_call_id.as_deref(),
        error: request.error.as_deref(),
        model: &request.model,
        provenance: i32::from(provenance),
        usage: request.usage.as_ref().map(serde_json::to_string).transpose()?,
        images: rows::list_text(&request.message.images)?,
    })
}

/// A message that is over may be saved again as it is, by who did not hear that it was.
fn same(db: &mut SqliteConnection, request: &Save, message: i64) -> Result<(), StoreError> {
    let kept = rows::load(db, &[message])?.pop();
    let unchanged = kept.is_some_and(|kept| {
        kept.message.state == rows::state_number(request.state) && kept.passage.text == request.message.content
    });
    if unchanged {
        return Ok(());
    }
    Err(StoreError::Refused(format!(
        "message {message} is over and what was said stays as it was; answer the turn again to make another version"
    )))
}

/// What follows from a message that is over: when its conversation was last spoken in, and how much its model can read.
fn over(
    db: &mut SqliteConnection,
    request: &Save,
    conversation: i64,
    turn: i64,
    now_ms: i64,
) -> Result<(), StoreError> {
    let spoken = conversations::table.filter(conversations::id.eq(conversation));
    diesel::update(spoken).set(conversations::updated_ms.eq(now_ms)).execute(db)?;
    if let Some(context) = request.usage.map(|usage| usage.context_tokens).filter(|tokens| *tokens > 0) {
        diesel::update(spoken).set(conversations::context_tokens.eq(i64::from(context))).execute(db)?;
    }
    // Facts are taken from what the person said, once the exchange about it is over.
    if request.message.role == Role::Assistant && request.message.tool_calls.is_empty() {
        crate::facts::enqueue(db, turn)?;
    }
    Ok(())
}

/// Marks what was being said as broken off, in one conversation or in all, and returns the conversations with the
/// number of messages.
///
/// # Errors
/// The database's own.
pub fn interrupt(db: &mut SqliteConnection, conversation: Option<i64>) -> Result<(Vec<u64>, u32), StoreError> {
    let mut streaming = messages::table
        .inner_join(passages::table.on(passages::id.eq(messages::id)))
        .filter(messages::state.eq(rows::state_number(MessageState::Streaming)))
        .select((messages::id, messages::conversation_id, messages::turn_id, passages::text, messages::error))
        .into_boxed();
    if let Some(conversation) = conversation {
        streaming = streaming.filter(messages::conversation_id.eq(conversation));
    }
    let found: Vec<(i64, i64, i64, String, Option<String>)> = streaming.load(db)?;
    let mut conversations = Vec::new();
    let count = u32::try_from(found.len()).unwrap_or(u32::MAX);
    for (message, conversation, turn, text, error) in found {
        let state = if text.trim().is_empty() { MessageState::Failed } else { MessageState::Interrupted };
        diesel::update(messages::table.filter(messages::id.eq(message)))
            .set((
                messages::state.eq(rows::state_number(state)),
                messages::error.eq(error.unwrap_or_else(|| BROKEN_OFF.to_owned())),
            ))
            .execute(db)?;
        diesel::update(passages::table.filter(passages::id.eq(message)))
            .set(passages::ready.eq(ready(state, &text)))
            .execute(db)?;
        crate::facts::enqueue(db, turn)?;
        if !conversations.contains(&id(conversation)) {
            conversations.push(id(conversation));
        }
    }
    Ok((conversations, count))
}

/// Whether a message can be found: it is over, and there is something to find.
pub(crate) fn ready(state: MessageState, text: &str) -> bool {
    match state {
        MessageState::Streaming => false,
        MessageState::Complete | MessageState::Interrupted | MessageState::Failed => !text.trim().is_empty(),
    }
}

fn speaker(role: Role) -> &'static str {
    match role {
        Role::System => "system",
        Role::User => crate::transcripts::USER,
        Role::Assistant => ASSISTANT,
        Role::Tool => "tool",
    }
}

fn bytes(message: &Message) -> usize {
    let calls = message.tool_calls.iter().map(|call| call.id.len() + call.name.len() + call.arguments.len());
    let images = message.images.iter().map(String::len);
    message.content.len() + message.thinking.len() + calls.sum::<usize>() + images.sum::<usize>()
}
