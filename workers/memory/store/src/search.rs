//! Search: candidates by words, what is known of each, and their order.
//!
//! Two steps, so that the query's vector can be made meanwhile: [`gather`] finds candidates by words, links and time;
//! [`rank`] takes the nearest vectors too, reads what the passages say, and ranks all. How scores are made and fused is
//! butterfly-recall's; here is what takes the database.
//!
//! Invariants:
//! - What is in the trash, what is still being said and what is out of the scope is never a result, nor does it take a
//!   candidate's place.
//! - No query makes FTS5 rank: what grows with the store is the reading of postings, which is bounded.

mod labels;
mod postings;
mod substrings;
pub mod words;

#[cfg(test)]
mod tests;

use crate::error::StoreError;
use crate::graph;
use crate::passages::{self, MEMORY, SUMMARY, Stored, neighbours};
use crate::transcripts::ASSISTANT;
use butterfly_api::memory::{Found, Reason, ReasonKind};
use butterfly_recall::fusion::{self, Candidate, Kind, Ranked, Said};
use butterfly_recall::{Query, Weights, asking, moment, weigh};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{SqliteConnection, sql_query};
use labels::Labels;
use std::collections::{HashMap, HashSet};
pub use substrings::containing;
pub use words::{Frequent, Words};

/// Candidates that words may give: enough that what ranks among the first ten by all sources is among the first of one.
const BY_WORDS: usize = 300;

/// Passages, best first, whose neighbours become candidates, too.
const EXPANDED: usize = 60;

/// Nearest vectors to give to [`rank`]: the least of them is the zero of the scale, and what is beyond has nothing to do
/// with the query. 30 to 100 were measured to be the same.
pub const NEAREST: usize = 60;

/// Of a small store no more than this share of the passages counts as near, but always so many.
const NEAR_SHARE: f32 = 0.5;
const NEAR_LEAST: usize = 10;

/// Where to search.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// Only in this conversation.
    pub conversation: Option<i64>,
    /// Only what was said until then, in Unix ms.
    pub as_of_ms: Option<i64>,
    /// Not in this conversation from this message on, nor its summaries: the prompt shows them anyway.
    pub shown: Option<(i64, i64)>,
}

/// What words, links and time found.
#[derive(Debug, Clone, Default)]
pub struct Gathered {
    pub words: Words,
    pub links: HashMap<i64, (f32, String)>,
    /// What was said of something that the query names, and has ended since.
    pub ended: Vec<graph::Ended>,
    /// The latest, and the latest of the speakers that the query names.
    pub recent: Vec<i64>,
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Ids as a JSON array, to be bound as one value.
pub(crate) fn json(ids: impl IntoIterator<Item = i64>) -> String {
    let list: Vec<String> = ids.into_iter().map(|id| id.to_string()).collect();
    format!("[{}]", list.join(","))
}

/// What a passage must be to be found; `p` is the passage and `c` its conversation.
pub(crate) const IN_SCOPE: &str = "p.ready AND c.trashed_ms IS NULL AND (?2 IS NULL OR p.conversation_id = ?2) \
    AND (?3 IS NULL OR p.at_ms <= ?3) \
    AND (?4 IS NULL OR p.conversation_id IS NULL OR p.conversation_id <> ?4 OR (p.id < ?5 AND p.kind <> 2))";

/// Those of `ids` that are in the scope, in their order.
///
/// # Errors
/// The database's.
pub fn in_scope(db: &mut SqliteConnection, scope: &Scope, ids: &[i64]) -> Result<Vec<i64>, StoreError> {
    let rows: Vec<Id> = sql_query(format!(
        "SELECT p.id FROM json_each(?1) AS wanted JOIN passages p ON p.id = wanted.value \
         LEFT JOIN conversations c ON c.id = p.conversation_id WHERE {IN_SCOPE}"
    ))
    .bind::<Text, _>(json(ids.iter().copied()))
    .bind::<Nullable<BigInt>, _>(scope.conversation)
    .bind::<Nullable<BigInt>, _>(scope.as_of_ms)
    .bind::<Nullable<BigInt>, _>(scope.shown.map(|(conversation, _)| conversation))
    .bind::<Nullable<BigInt>, _>(scope.shown.map(|(_, from)| from))
    .load(db)?;
    let inside: HashSet<i64> = rows.into_iter().map(|row| row.id).collect();
    Ok(ids.iter().copied().filter(|id| inside.contains(id)).collect())
}

/// Finds candidates by words, links and time. `text` is the query as it was written.
///
/// # Errors
/// The database's.
pub fn gather(
    db: &mut SqliteConnection,
    text: &str,
    query: &Query,
    scope: &Scope,
    frequent: &Frequent,
) -> Result<Gathered, StoreError> {
    let words = words::find(db, query, scope, frequent, BY_WORDS)?;
    let links = graph::links(db, text, scope.as_of_ms)?;
    let links = links.into_iter().map(|link| (link.passage, (link.score, link.detail))).collect();
    let ended = graph::ended(db, text, scope.as_of_ms)?;
    let recent = labels::recent(db, query, scope)?;
    Ok(Gathered { words, links, ended, recent })
}

/// What is asked of [`rank`].
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    pub query: &'a Query,
    pub scope: &'a Scope,
    pub weights: &'a Weights,
    /// Passages whose vectors are nearest to the query's, best first, with the cosine similarity.
    pub near: &'a [(i64, f32)],
    /// Results at most.
    pub limit: usize,
    /// The time that recency counts from, in Unix ms.
    pub now_ms: i64,
}

/// Ranks what was gathered and what is near, best first.
///
/// # Errors
/// The database's.
pub fn rank(db: &mut SqliteConnection, gathered: &Gathered, ask: &Ask<'_>) -> Result<Vec<Found>, StoreError> {
    let near = near_in_scope(db, ask, nearest(gathered.words.corpus.rows))?;
    let ask = &Ask { near: &near, ..*ask };
    let mut pool = Pool::new(gathered, ask);
    let found = gathered.words.ids.iter().chain(gathered.links.keys()).chain(&gathered.recent).copied();
    pool.read(db, found.chain(ask.near.iter().map(|(id, _)| *id)).collect())?;
    // Neighbours of the best candidates: the answer often stands beside what matches. Then all are ranked anew with them.
    let first = pool.fuse(&HashMap::new());
    let best: Vec<i64> = first.iter().take(EXPANDED).map(|ranked| ranked.id).collect();
    let beside = neighbours::of(db, &best)?;
    pool.read(db, beside.values().flat_map(|(before, after)| [*before, *after]).flatten().collect())?;
    let mut known = beside;
    let rest: Vec<i64> = pool.stored.keys().filter(|id| !known.contains_key(id)).copied().collect();
    known.extend(neighbours::of(db, &rest)?);
    let superseded = graph::superseded(db, &pool.ids(), ask.scope.as_of_ms)?;
    pool.superseded = superseded;
    pool.lower_what_restates();
    let ranked = pool.fuse(&known);
    let kept = fusion::distinct(ranked, ask.limit, |id| pool.stored.get(&id).map(said));
    // Where words and meaning have found nothing at all, the latest is better than nothing only if nothing was asked for.
    let asked = !ask.query.terms.is_empty();
    let kept = kept.into_iter().filter(|passage| !asked || fusion::answers(passage));
    Ok(kept.filter_map(|ranked| pool.stored.get(&ranked.id).map(|stored| found_of(stored, ranked))).collect())
}

/// The nearest that are in the scope: what is out of it takes nobody's place.
fn near_in_scope(db: &mut SqliteConnection, ask: &Ask<'_>, count: usize) -> Result<Vec<(i64, f32)>, StoreError> {
    let ids: Vec<i64> = ask.near.iter().map(|(id, _)| *id).collect();
    let inside: HashSet<i64> = in_scope(db, ask.scope, &ids)?.into_iter().collect();
    Ok(ask.near.iter().copied().filter(|(id, _)| inside.contains(id)).take(count).collect())
}

/// How many of the nearest count where so many passages are searched.
fn nearest(rows: u64) -> usize {
    ((rows as f32 * NEAR_SHARE) as usize).clamp(NEAR_LEAST, NEAREST)
}

/// The candidates with all that is known of them.
struct Pool<'a> {
    gathered: &'a Gathered,
    ask: &'a Ask<'a>,
    near: HashMap<i64, f32>,
    stored: HashMap<i64, Stored>,
    superseded: HashMap<i64, String>,
}

impl<'a> Pool<'a> {
    fn new(gathered: &'a Gathered, ask: &'a Ask<'a>) -> Self {
        let near = ask.near.iter().copied().collect();
        Self { gathered, ask, near, stored: HashMap::new(), superseded: HashMap::new() }
    }

    fn read(&mut self, db: &mut SqliteConnection, ids: HashSet<i64>) -> Result<(), StoreError> {
        let missing: Vec<i64> = ids.into_iter().filter(|id| !self.stored.contains_key(id)).collect();
        let read = passages::load(db, &missing, self.ask.scope)?;
        self.stored.extend(read.into_iter().map(|stored| (stored.id, stored)));
        Ok(())
    }

    fn ids(&self) -> Vec<i64> {
        let mut ids: Vec<i64> = self.stored.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// What the assistant and summaries say is no fact's source: they repeat what they were told. What they repeat of
    /// something that has ended since is outdated like its source.
    fn lower_what_restates(&mut self) {
        let restates = |stored: &Stored| stored.kind == SUMMARY || stored.speaker.eq_ignore_ascii_case(ASSISTANT);
        for (id, stored) in self.stored.iter().filter(|(_, stored)| restates(stored)) {
            let outdated = self.gathered.ended.iter().find(|ended| ended.is_in(&stored.text));
            if let Some(ended) = outdated.filter(|_| !self.superseded.contains_key(id)) {
                self.superseded.insert(*id, ended.detail.clone());
            }
        }
    }

    fn fuse(&self, neighbours: &HashMap<i64, (Option<i64>, Option<i64>)>) -> Vec<Ranked> {
        let query = self.ask.query;
        let words = &self.gathered.words;
        let labels = Labels::new(query, self.stored.values(), moment::named(query, self.ask.now_ms));
        let weights = weigh::Weights::new(query, words.corpus, &words.having, labels.speakers()).inside(&words.inside);
        let candidates: Vec<Candidate> = self
            .ids()
            .into_iter()
            .filter_map(|id| self.stored.get(&id))
            .map(|stored| {
                let matched = weights.weigh(&stored.text, &stored.tags);
                let (before, after) = neighbours.get(&stored.id).copied().unwrap_or_default();
                Candidate {
                    id: stored.id,
                    at_ms: stored.at_ms,
                    word: matched.score,
                    words: matched.terms.iter().map(|place| query.terms[*place].plain()).collect(),
                    meaning: self.near.get(&stored.id).copied(),
                    link: self.gathered.links.get(&stored.id).cloned(),
                    tag: labels.fit(stored),
                    asks: asking::asked(&stored.text),
                    before,
                    after,
                    superseded: self.superseded.get(&stored.id).cloned(),
                }
            })
            .collect();
        fusion::fuse(&candidates, weights.full(), self.ask.weights, self.ask.now_ms)
    }
}

fn said(stored: &Stored) -> Said<'_> {
    let origin = stored.source_id.filter(|_| stored.kind == MEMORY).unwrap_or(stored.id);
    Said { text: &stored.text, origin }
}

fn found_of(stored: &Stored, ranked: Ranked) -> Found {
    let reasons = ranked.reasons.into_iter().map(|reason| Reason {
        kind: match reason.kind {
            Kind::Word => ReasonKind::Word,
            Kind::Meaning => ReasonKind::Meaning,
            Kind::Link => ReasonKind::Link,
            Kind::Recency => ReasonKind::Recency,
            Kind::Tag => ReasonKind::Tag,
            Kind::Neighbour => ReasonKind::Neighbour,
            Kind::Superseded => ReasonKind::Superseded,
        },
        score: reason.score,
        detail: reason.detail,
    });
    Found { passage: stored.passage(), score: ranked.score, reasons: reasons.collect() }
}
