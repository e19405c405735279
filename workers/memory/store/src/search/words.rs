//! Candidates by words: the passages that have the rarest of a query's terms.
//!
//! Terms that are found in more than a tenth of what is searched say nothing about any of it: they find no candidates, but
//! count in the weighing of those that other terms found. The rest are joined by OR; a passage's place among the candidates
//! is the sum of its terms' rarity.

use crate::error::StoreError;
use crate::search::postings::{self, ALL, Stretch};
use crate::search::{Scope, containing, in_scope};
use butterfly_recall::weigh::{Corpus, rarity};
use butterfly_recall::{Query, Term};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{SqliteConnection, sql_query};
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

/// A term in more than one of so many passages finds no candidates: measured to cost .3 points of recall, where one in
/// twenty costs 2 to 7.
const FREQUENT_SHARE: u64 = 10;

/// A term in fewer passages than this is looked up whatever its share: in a small store nothing is slow.
const FREQUENT_LEAST: u64 = 1_000;

/// The most passages of one term that are read, whatever its share: 10 ms, and no list of the best ten is made of them.
const FREQUENT_MOST: u64 = 50_000;

/// Postings that one query reads at most: 40 ms. A pasted page has 64 terms.
const POSTINGS: usize = 150_000;

/// Passages in which the number of a frequent term's is estimated: the latest.
const SAMPLE: i64 = 5_000;

/// Terms that are known to be frequent; more are forgotten. A vocabulary has a few hundred.
const FREQUENT_KNOWN: usize = 4_096;

/// The shortest word that is looked for inside of others.
const INSIDE_CHARS: usize = 3;

/// Terms that were found to be frequent, so that they are not counted for every query. Shared by all searches of a store.
#[derive(Debug, Default)]
pub struct Frequent(Mutex<HashMap<String, Seen>>);

#[derive(Debug, Clone, Copy)]
struct Seen {
    /// How many passages there were, and how many had the term.
    rows: u64,
    having: u64,
}

impl Frequent {
    fn get(&self, term: &str, rows: u64) -> Option<u64> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = known.get(term)?;
        // Counted anew when the store has grown or shrunk by a quarter.
        (rows <= seen.rows + seen.rows / 4 && seen.rows <= rows + rows / 4).then_some(seen.having)
    }

    fn put(&self, term: String, seen: Seen) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= FREQUENT_KNOWN {
            known.clear();
        }
        known.insert(term, seen);
    }
}

/// What words found.
#[derive(Debug, Clone, PartialEq)]
pub struct Words {
    /// Candidates, the most promising first.
    pub ids: Vec<i64>,
    pub corpus: Corpus,
    /// For each of the query's terms: how many of the searched passages have it; an estimate where it is frequent.
    pub having: Vec<u64>,
    /// Terms that stand only inside of other words.
    pub inside: Vec<usize>,
    /// Terms that were too frequent to find candidates.
    pub left_out: Vec<usize>,
}

impl Default for Words {
    fn default() -> Self {
        let corpus = Corpus { rows: 0, words: 0.0 };
        Self { ids: Vec::new(), corpus, having: Vec::new(), inside: Vec::new(), left_out: Vec::new() }
    }
}

#[derive(QueryableByName)]
struct Joined {
    #[diesel(sql_type = Nullable<Text>)]
    ids: Option<String>,
}

/// What is searched: all of it, or one conversation.
struct Searched {
    only: Option<HashSet<i64>>,
    within: Stretch,
    corpus: Corpus,
}

impl Searched {
    fn open(db: &mut SqliteConnection, scope: &Scope) -> Result<Self, StoreError> {
        let mut corpus = postings::corpus(db)?;
        let Some(conversation) = scope.conversation else {
            return Ok(Self { only: None, within: ALL, corpus });
        };
        let joined: Joined =
            sql_query("SELECT group_concat(id) AS ids FROM (SELECT id FROM passages WHERE conversation_id = ?)")
                .bind::<BigInt, _>(conversation)
                .get_result(db)?;
        let ids = postings::split(joined.ids.as_deref());
        let within = (ids.iter().min().copied().unwrap_or(0), ids.iter().max().copied().unwrap_or(0));
        corpus.rows = u64::try_from(ids.len()).unwrap_or(u64::MAX);
        Ok(Self { only: Some(ids.into_iter().collect()), within, corpus })
    }

    /// How many passages may have a term that finds candidates.
    fn bound(&self) -> usize {
        let bound = (self.corpus.rows / FREQUENT_SHARE).clamp(FREQUENT_LEAST, FREQUENT_MOST);
        usize::try_from(bound).unwrap_or(usize::MAX)
    }

    fn keep(&self, ids: Vec<i64>) -> Vec<i64> {
        match &self.only {
            Some(only) => ids.into_iter().filter(|id| only.contains(id)).collect(),
            None => ids,
        }
    }
}

/// Finds at most `limit` candidates in the scope.
///
/// # Errors
/// The database's.
pub fn find(
    db: &mut SqliteConnection,
    query: &Query,
    scope: &Scope,
    frequent: &Frequent,
    limit: usize,
) -> Result<Words, StoreError> {
    let searched = Searched::open(db, scope)?;
    let bound = searched.bound();
    let mut words = Words { corpus: searched.corpus, having: vec![0; query.terms.len()], ..Words::default() };
    let mut lists: Vec<(usize, Vec<i64>)> = Vec::new();
    let mut read = 0;
    for (place, term) in query.terms.iter().enumerate() {
        let known = frequent.get(&term.plain(), searched.corpus.rows).filter(|_| searched.only.is_none());
        if known.is_some() || read > POSTINGS {
            words.having[place] = known.unwrap_or(searched.corpus.rows / FREQUENT_SHARE);
            words.left_out.push(place);
            continue;
        }
        let mut ids = postings::of(db, term, searched.within, bound.saturating_add(1))?;
        read += ids.len();
        if ids.len() > bound {
            let having = estimate(db, term, &searched, ids.len())?;
            if searched.only.is_none() {
                frequent.put(term.plain(), Seen { rows: searched.corpus.rows, having });
            }
            words.having[place] = having;
            words.left_out.push(place);
            continue;
        }
        if let (Term::Word { word, .. }, true) = (term, ids.is_empty())
            && word.chars().count() >= INSIDE_CHARS
        {
            ids = containing(db, word, scope, limit)?;
            words.inside.push(place);
        }
        let ids = searched.keep(ids);
        words.having[place] = u64::try_from(ids.len()).unwrap_or(u64::MAX);
        if !ids.is_empty() {
            lists.push((place, ids));
        }
    }
    let order = order(db, query, &words, lists, &searched, limit)?;
    for batch in order.chunks(limit.max(1) * 2) {
        words.ids.extend(in_scope(db, scope, batch)?);
        if words.ids.len() >= limit {
            break;
        }
    }
    words.ids.truncate(limit);
    Ok(words)
}

/// How many passages have a frequent term, from the latest ones; at least as many as were read.
fn estimate(db: &mut SqliteConnection, term: &Term, searched: &Searched, read: usize) -> Result<u64, StoreError> {
    let least = u64::try_from(read).unwrap_or(u64::MAX);
    if matches!(term, Term::Pair(_)) || searched.only.is_some() {
        return Ok(least);
    }
    #[derive(QueryableByName)]
    struct Last {
        #[diesel(sql_type = BigInt)]
        last: i64,
    }
    let last: Last = sql_query("SELECT COALESCE(max(id), 0) AS last FROM passages").get_result(db)?;
    let rows = i64::try_from(searched.corpus.rows).unwrap_or(i64::MAX);
    let sample = SAMPLE.min(rows).max(1);
    let having = postings::count(db, term, (last.last - sample + 1, last.last))?;
    Ok((having * searched.corpus.rows / sample.unsigned_abs()).clamp(least, searched.corpus.rows.max(least)))
}

/// The candidates of all lists, the most promising first.
fn order(
    db: &mut SqliteConnection,
    query: &Query,
    words: &Words,
    mut lists: Vec<(usize, Vec<i64>)>,
    searched: &Searched,
    limit: usize,
) -> Result<Vec<i64>, StoreError> {
    if lists.is_empty() {
        // Nothing but frequent terms: the latest passages that have one of them.
        let terms: Vec<String> = words
            .left_out
            .iter()
            .map(|place| &query.terms[*place])
            .filter(|term| !matches!(term, Term::Pair(_)))
            .map(Term::fts5)
            .collect();
        if terms.is_empty() {
            return Ok(Vec::new());
        }
        let latest = postings::latest(db, &terms.join(" OR "), searched.within, limit * 4)?;
        return Ok(searched.keep(latest));
    }
    if let [(place, ids)] = lists.as_slice()
        && ids.len() > limit
        && !matches!(query.terms[*place], Term::Pair(_))
    {
        let best = postings::best(db, &query.terms[*place], searched.within, limit * 4)?;
        return Ok(searched.keep(best));
    }
    if let [(_, ids)] = lists.as_mut_slice() {
        ids.sort_unstable_by_key(|id| std::cmp::Reverse(*id));
        return Ok(std::mem::take(ids));
    }
    let mut sums: HashMap<i64, f32> = HashMap::with_capacity(lists.iter().map(|(_, ids)| ids.len()).sum());
    for (place, ids) in lists {
        let weight = rarity(searched.corpus.rows, words.having[place]);
        for id in ids {
            *sums.entry(id).or_default() += weight;
        }
    }
    let mut order: Vec<(f32, i64)> = sums.into_iter().map(|(id, sum)| (sum, id)).collect();
    let better = |one: &(f32, i64), other: &(f32, i64)| other.0.total_cmp(&one.0).then(other.1.cmp(&one.1));
    order.sort_unstable_by(better);
    Ok(order.into_iter().map(|(_, id)| id).collect())
}
