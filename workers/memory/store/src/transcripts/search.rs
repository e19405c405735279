//! Search in titles and in what was said, with the words around each place.
//!
//! What is found, and in which order, is [`crate::search`]'s; here a place is shown.

use crate::error::StoreError;
use crate::passages::{self, MESSAGE};
use crate::schema::conversations;
use crate::search::words::{self, Frequent};
use crate::search::{Scope, containing};
use crate::transcripts::snippets::Looked;
use crate::transcripts::{PAGE_BYTES, id};
use butterfly_api::conversations::{Hit, Hits, SearchRequest};
use butterfly_recall::Query;
use diesel::prelude::*;
use std::collections::HashMap;

/// Hits of one reply.
const LIMIT: usize = 100;

/// Candidates per hit: some are memories, or summaries.
const MORE: usize = 4;

/// Finds words in titles and messages, whatever the text holds. Conversations in the trash are not found.
///
/// # Errors
/// The database's own.
pub fn search(db: &mut SqliteConnection, request: &SearchRequest, frequent: &Frequent) -> Result<Hits, StoreError> {
    let query = Query::parse(&request.query);
    let looked = Looked::of(&query, &request.query);
    let limit = usize::try_from(request.limit).unwrap_or(LIMIT).min(LIMIT);
    if looked.is_empty() || limit == 0 {
        return Ok(Hits { hits: Vec::new() });
    }
    let titles: HashMap<i64, String> = conversations::table
        .filter(conversations::trashed_ms.is_null())
        .select((conversations::id, conversations::title))
        .order(conversations::updated_ms.desc())
        .load::<(i64, String)>(db)?
        .into_iter()
        .collect();
    let mut hits = in_titles(db, &looked, limit)?;
    let scope = Scope::default();
    let mut ids = words::find(db, &query, &scope, frequent, limit * MORE)?.ids;
    if ids.len() < limit {
        let inside = containing(db, &request.query, &scope, limit)?;
        ids.extend(inside.into_iter().filter(|id| !ids.contains(id)).collect::<Vec<_>>());
    }
    let mut stored: HashMap<i64, passages::Stored> =
        passages::load(db, &ids, &scope)?.into_iter().map(|passage| (passage.id, passage)).collect();
    let mut bytes = 0;
    for found in ids {
        if hits.len() >= limit || bytes > PAGE_BYTES {
            break;
        }
        let Some(passage) = stored.remove(&found).filter(|passage| passage.kind == MESSAGE) else { continue };
        let Some(conversation) = passage.conversation_id else { continue };
        let (snippet, matches) = looked.snippet(&passage.text);
        bytes += snippet.len();
        hits.push(Hit {
            conversation: id(conversation),
            title: titles.get(&conversation).cloned().unwrap_or_default(),
            message: Some(id(passage.id)),
            speaker: passage.speaker,
            at_unix_ms: id(passage.at_ms),
            snippet,
            matches,
        });
    }
    Ok(Hits { hits })
}

/// Titles that have all of it, the last used first.
fn in_titles(db: &mut SqliteConnection, looked: &Looked, limit: usize) -> Result<Vec<Hit>, StoreError> {
    let titles: Vec<(i64, String, i64)> = conversations::table
        .filter(conversations::trashed_ms.is_null())
        .select((conversations::id, conversations::title, conversations::updated_ms))
        .order((conversations::updated_ms.desc(), conversations::id.desc()))
        .load(db)?;
    Ok(titles
        .into_iter()
        .filter(|(_, title, _)| looked.all_in(title))
        .take(limit)
        .map(|(conversation, title, updated)| {
            let (snippet, matches) = looked.snippet(&title);
            Hit {
                conversation: id(conversation),
                title,
                message: None,
                speaker: String::new(),
                at_unix_ms: id(updated),
                snippet,
                matches,
            }
        })
        .collect())
}
