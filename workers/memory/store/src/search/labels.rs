//! What a passage is labelled with and a query names: who said it, its tags, when it was said.

use crate::error::StoreError;
use crate::passages::Stored;
use crate::search::Scope;
use butterfly_recall::Query;
use butterfly_recall::moment::Span;
use butterfly_recall::stopwords::is_stopword;
use butterfly_recall::words::words;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{SqliteConnection, sql_query};
use std::collections::{HashMap, HashSet};

/// The latest passages, which are candidates without having anything in common with the query.
const RECENT: usize = 16;

/// The latest passages of the speakers that the query names, which are candidates for that alone.
const BY_SPEAKER: usize = 32;

/// Passages that are looked through for them: a conversation of a year, 1 ms.
const LOOKED_AT: i64 = 1_000;

#[derive(QueryableByName)]
struct Spoken {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    speaker: String,
}

/// The latest passages in the query's conversation, or of all, and the latest of the speakers that it names: what Ana said
/// is not found by the word "Ana", which others say to her.
///
/// # Errors
/// The database's.
pub fn recent(db: &mut SqliteConnection, query: &Query, scope: &Scope) -> Result<Vec<i64>, StoreError> {
    let place = match scope.conversation {
        Some(_) => "conversation_id = ?1",
        None => "?1 IS NULL",
    };
    let rows: Vec<Spoken> = sql_query(format!(
        "SELECT id, speaker FROM (SELECT id, speaker, at_ms FROM passages WHERE {place} ORDER BY id DESC LIMIT {LOOKED_AT}) \
         WHERE ?2 IS NULL OR at_ms <= ?2"
    ))
    .bind::<Nullable<BigInt>, _>(scope.conversation)
    .bind::<Nullable<BigInt>, _>(scope.as_of_ms)
    .load(db)?;
    let mut ids: Vec<i64> = rows.iter().take(RECENT).map(|row| row.id).collect();
    let mut known: HashMap<&str, bool> = HashMap::new();
    let named = |speaker: &str| !name_in(query, speaker).is_empty();
    let spoken = rows.iter().filter(|row| *known.entry(row.speaker.as_str()).or_insert_with(|| named(&row.speaker)));
    ids.extend(spoken.take(BY_SPEAKER).map(|row| row.id));
    Ok(ids)
}

/// Words of a speaker's name that the query has.
fn name_in(query: &Query, speaker: &str) -> Vec<String> {
    words(speaker).map(|word| word.folded).filter(|word| !is_stopword(word) && query.names(word)).collect()
}

/// The labels that one query names.
pub struct Labels {
    /// Words of speakers' names that the query has, and by speaker.
    speakers: Vec<String>,
    named: HashMap<String, bool>,
    tags: HashSet<String>,
    span: Option<Span>,
}

impl Labels {
    pub fn new<'a>(query: &Query, candidates: impl Iterator<Item = &'a Stored>, span: Option<Span>) -> Self {
        let mut labels = Self { speakers: Vec::new(), named: HashMap::new(), tags: HashSet::new(), span };
        for stored in candidates {
            for tag in stored.tags.split_whitespace() {
                if !labels.tags.contains(tag) && words(tag).any(|word| query.names(&word.folded)) {
                    labels.tags.insert(tag.to_owned());
                }
            }
            if labels.named.contains_key(&stored.speaker) {
                continue;
            }
            let hits = name_in(query, &stored.speaker);
            labels.named.insert(stored.speaker.clone(), !hits.is_empty());
            labels.speakers.extend(hits);
        }
        labels
    }

    /// Words of speakers' names that the query has.
    pub fn speakers(&self) -> &[String] {
        &self.speakers
    }

    /// How much of what the query names this passage has, in 0..=1, and what.
    pub fn fit(&self, stored: &Stored) -> Option<(f32, String)> {
        let mut fits = 0.0;
        let mut asked = 0.0;
        let mut what: Vec<String> = Vec::new();
        if !self.speakers.is_empty() {
            asked += 1.0;
            if self.named.get(&stored.speaker).copied().unwrap_or_default() {
                fits += 1.0;
                what.push(format!("said by {}", stored.speaker));
            }
        }
        if !self.tags.is_empty() {
            asked += 1.0;
            let tags: Vec<&str> = stored.tags.split_whitespace().filter(|tag| self.tags.contains(*tag)).collect();
            if !tags.is_empty() {
                fits += 1.0;
                what.push(format!("tagged {}", tags.join(", ")));
            }
        }
        if let Some(span) = &self.span {
            asked += 1.0;
            let fit = span.fit(stored.at_ms);
            if fit > 0.0 {
                fits += fit;
                what.push(if fit < 1.0 {
                    format!("said soon after {}", span.name)
                } else {
                    format!("said {}", span.name)
                });
            }
        }
        (fits > 0.0).then(|| (fits / asked, what.join(", ")))
    }
}
