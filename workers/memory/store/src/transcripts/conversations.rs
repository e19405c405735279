//! Conversations as a whole: listed, named, pinned, put into the trash and taken out again.

use crate::error::StoreError;
use crate::schema::{conversations, messages, passages, profiles};
use crate::transcripts::rows::OPENING;
use crate::transcripts::{PAGE_BYTES, ROW_BYTES, id, row, titles};
use butterfly_api::conversations::{Conversation, ConversationPage, ListRequest, Update};
use diesel::dsl::count_star;
use diesel::prelude::*;

/// Conversations of one page.
const PAGE: i64 = 200;

/// Bytes of a draft. What is longer is a document, and a page of the list would hold few of them.
pub(crate) const DRAFT_BYTES: usize = 64 << 10;

/// How long a conversation stays in the trash, in ms: 30 days.
pub const TRASH_MS: i64 = 30 * 24 * 60 * 60 * 1000;

#[derive(Queryable, Selectable)]
#[diesel(table_name = conversations)]
#[diesel(check_for_backend(diesel::sqlite::Sqlite))]
struct Row {
    id: i64,
    external_id: Option<String>,
    title: String,
    created_ms: i64,
    updated_ms: i64,
    pinned: bool,
    draft: String,
    profile: Option<String>,
    trashed_ms: Option<i64>,
}

/// A page of conversations: pinned ones first, then the one that was spoken in last. It is shorter than asked for where
/// drafts would not fit a reply.
///
/// # Errors
/// The database's own.
pub fn list(db: &mut SqliteConnection, request: &ListRequest) -> Result<ConversationPage, StoreError> {
    let total: i64 = match request.trash {
        true => conversations::table.filter(conversations::trashed_ms.is_not_null()).select(count_star()).first(db)?,
        false => conversations::table.filter(conversations::trashed_ms.is_null()).select(count_star()).first(db)?,
    };
    let mut listed = conversations::table
        .order((conversations::pinned.desc(), conversations::updated_ms.desc(), conversations::id.desc()))
        .offset(i64::from(request.offset))
        .limit(i64::from(request.limit).min(PAGE))
        .select(Row::as_select())
        .into_boxed();
    listed = match request.trash {
        true => listed.filter(conversations::trashed_ms.is_not_null()),
        false => listed.filter(conversations::trashed_ms.is_null()),
    };
    let mut left = PAGE_BYTES;
    let mut page = Vec::new();
    for found in listed.load(db)? {
        let bytes = ROW_BYTES + found.title.len() + found.draft.len();
        let Some(rest) = left.checked_sub(bytes) else { break };
        left = rest;
        page.push(describe(db, found)?);
    }
    Ok(ConversationPage { conversations: page, total: u32::try_from(total).unwrap_or(u32::MAX) })
}

/// One conversation, in the trash or not.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn one(db: &mut SqliteConnection, conversation: u64) -> Result<Conversation, StoreError> {
    let found: Option<Row> = conversations::table
        .filter(conversations::id.eq(row(conversation)))
        .select(Row::as_select())
        .first(db)
        .optional()?;
    match found {
        Some(found) => describe(db, found),
        None => Err(unknown(conversation)),
    }
}

fn describe(db: &mut SqliteConnection, found: Row) -> Result<Conversation, StoreError> {
    let count: i64 = messages::table.filter(messages::conversation_id.eq(found.id)).select(count_star()).first(db)?;
    Ok(Conversation {
        id: id(found.id),
        external_id: found.external_id,
        title: found.title,
        created_unix_ms: id(found.created_ms),
        updated_unix_ms: id(found.updated_ms),
        messages: u32::try_from(count).unwrap_or(u32::MAX),
        pinned: found.pinned,
        draft: found.draft,
        profile: found.profile,
        trashed_unix_ms: found.trashed_ms.map(id),
    })
}

/// Renames, pins, keeps a draft, chooses a profile. An empty title goes back to the first words that were said.
///
/// # Errors
/// [`StoreError::NotFound`] for an unknown conversation or profile, [`StoreError::Refused`] for an overlong draft.
pub fn update(db: &mut SqliteConnection, request: &Update) -> Result<Conversation, StoreError> {
    one(db, request.conversation)?;
    let changed = conversations::table.filter(conversations::id.eq(row(request.conversation)));
    if let Some(text) = &request.title {
        let given = titles::given(text);
        let renamed = !given.is_empty();
        let title = if renamed { given } else { automatic_title(db, row(request.conversation))? };
        diesel::update(changed)
            .set((conversations::title.eq(title), conversations::renamed.eq(renamed)))
            .execute(db)?;
    }
    if let Some(pinned) = request.pinned {
        diesel::update(changed).set(conversations::pinned.eq(pinned)).execute(db)?;
    }
    if let Some(draft) = &request.draft {
        if draft.len() > DRAFT_BYTES {
            return Err(StoreError::Refused(format!(
                "the draft has {} bytes, more than the {DRAFT_BYTES} that one may have; send it, or keep it in a file",
                draft.len()
            )));
        }
        diesel::update(changed).set(conversations::draft.eq(draft)).execute(db)?;
    }
    if let Some(profile) = &request.profile {
        let chosen = Some(profile).filter(|name| !name.is_empty());
        if let Some(name) = chosen {
            let known: i64 = profiles::table.filter(profiles::name.eq(name)).select(count_star()).first(db)?;
            if known == 0 {
                return Err(StoreError::NotFound(format!(
                    "there is no profile {name}; `butterfly config set KEY VALUE --profile {name}` makes it"
                )));
            }
        }
        diesel::update(changed).set(conversations::profile.eq(chosen)).execute(db)?;
    }
    one(db, request.conversation)
}

/// The first words of the active branch, or of the oldest message.
pub(crate) fn automatic_title(db: &mut SqliteConnection, conversation: i64) -> Result<String, StoreError> {
    let head: Option<i64> =
        conversations::table.filter(conversations::id.eq(conversation)).select(conversations::head).first(db)?;
    let first = match head {
        Some(head) => super::branches::path(db, head, i64::MAX)?.last().map(|step| step.id),
        None => messages::table
            .filter(messages::conversation_id.eq(conversation))
            .filter(messages::part.eq(OPENING))
            .select(messages::id)
            .order(messages::id)
            .first(db)
            .optional()?,
    };
    let Some(first) = first else { return Ok(String::new()) };
    let text: String = passages::table.filter(passages::id.eq(first)).select(passages::text).first(db)?;
    Ok(titles::first_words(&text))
}

/// Puts a conversation into the trash: nothing finds it, and it goes for good after [`TRASH_MS`]. One that is there
/// already keeps its time.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn trash(db: &mut SqliteConnection, conversation: u64, now_ms: i64) -> Result<Conversation, StoreError> {
    diesel::update(
        conversations::table
            .filter(conversations::id.eq(row(conversation)))
            .filter(conversations::trashed_ms.is_null()),
    )
    .set(conversations::trashed_ms.eq(now_ms))
    .execute(db)?;
    one(db, conversation)
}

/// Takes a conversation out of the trash.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn restore(db: &mut SqliteConnection, conversation: u64) -> Result<Conversation, StoreError> {
    diesel::update(conversations::table.filter(conversations::id.eq(row(conversation))))
        .set(conversations::trashed_ms.eq(None::<i64>))
        .execute(db)?;
    one(db, conversation)
}

pub(crate) fn unknown(conversation: u64) -> StoreError {
    StoreError::NotFound(format!(
        "there is no conversation {conversation}; `butterfly conversations list` names those there are"
    ))
}
