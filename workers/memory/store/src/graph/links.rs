//! What a question's names lead to: passages, over facts and one step further.
//!
//! It is *not* a search for words: a passage comes up because a fact that was taken from it is about something that the
//! question names, whatever words it uses. Every look-up goes through an index and has a bound.

use crate::error::StoreError;
use crate::facts::{key, now_ms, relation};
use crate::prepared::prepared;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{SqliteConnection, sql_query};
use std::collections::{HashMap, HashSet};

/// A passage that a question's names lead to.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    pub passage: i64,
    /// From 0 to 1.
    pub score: f32,
    /// Why, in words.
    pub detail: String,
}

/// Entities of a question that are followed. More than that is no question.
const NAMED: usize = 12;
/// Facts about one entity that are looked at, newest first.
const FACTS: i64 = 200;
/// Entities one step on that are followed.
const NEIGHBOURS: usize = 32;
/// Passages that only name an entity, newest first.
const MENTIONS: i64 = 50;
/// Links that are returned.
const LINKS: usize = 200;

/// A fact about what the question names, with the relation that it asks for.
const ASKED: f32 = 1.0;
/// A fact about what the question names, where no relation is asked for; or one between two that it names.
const ABOUT: f32 = 0.6;
/// A fact about what the question names, where another relation is asked for.
const BESIDE: f32 = 0.3;
/// The same one step on.
const NEIGHBOUR_ASKED: f32 = 0.7;
const NEIGHBOUR_ABOUT: f32 = 0.25;
/// A passage that names the entity and says nothing sure about it.
const MENTIONED: f32 = 0.2;
/// Facts of one kind about one entity, or passages that name it, from which on each counts less: what a name leads to is the
/// less likely meant the more there is of it (Anderson, "Retrieval of propositional information from long-term memory", 1974).
/// Of whom a whole dialogue tells, a name says next to nothing, however few facts are known. What is asked for is what is
/// meant, whoever names it.
const FAN: usize = 4;

#[derive(QueryableByName, Clone)]
struct FactRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    subject_id: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    object_id: Option<i64>,
    #[diesel(sql_type = Text)]
    subject: String,
    #[diesel(sql_type = Text)]
    relation: String,
    #[diesel(sql_type = Text)]
    object: String,
}

impl FactRow {
    fn sentence(&self) -> String {
        format!("{} {} {}", self.subject, self.relation, self.object)
    }
}

/// An entity that the question names.
#[derive(QueryableByName)]
pub(super) struct Named {
    #[diesel(sql_type = BigInt)]
    pub(super) id: i64,
    #[diesel(sql_type = Text)]
    pub(super) key: String,
}

/// What the question asks for.
pub(super) struct Asked {
    pub(super) named: Vec<Named>,
    /// Canonical relations.
    pub(super) relations: HashSet<String>,
    user: Option<i64>,
}

/// The passages that `query` leads to over facts and mentions that hold at `as_of_ms` (Unix time in ms; `None`: now),
/// best first, at most 200.
///
/// # Errors
/// The database's.
pub fn links(db: &mut SqliteConnection, query: &str, as_of_ms: Option<i64>) -> Result<Vec<Link>, StoreError> {
    let asked = ask(db, query)?;
    if asked.named.is_empty() {
        return Ok(Vec::new());
    }
    let names: HashMap<i64, &str> = asked.named.iter().map(|named| (named.id, named.key.as_str())).collect();
    let mut scored: HashMap<i64, (f32, String)> = HashMap::new();
    let mut add = |fact: &FactRow, score: f32, why: String| {
        let entry = scored.entry(fact.id).or_insert((0.0, String::new()));
        if score > entry.0 {
            *entry = (score, why);
        }
    };
    let mut next: Vec<(i64, f32)> = Vec::new();
    let mut mentions: Vec<(&Named, Vec<i64>)> = Vec::new();
    for named in &asked.named {
        let mentioning = mentioned(db, named.id, as_of_ms)?;
        let spoken_of = mentioning.len();
        mentions.push((named, mentioning));
        // Much is about the user: only what is asked for counts.
        let only = (Some(named.id) == asked.user).then_some(&asked.relations);
        let mut known: Vec<(FactRow, f32)> = Vec::new();
        for fact in about(db, named.id, only, as_of_ms)? {
            let both = names.contains_key(&fact.subject_id) && fact.object_id.is_some_and(|id| names.contains_key(&id));
            let score = match (asked.relations.contains(&fact.relation), both || asked.relations.is_empty()) {
                (true, _) => ASKED,
                (false, true) => ABOUT,
                (false, false) => BESIDE,
            };
            known.push((fact, score));
        }
        for (fact, score) in &known {
            let wanted = *score == ASKED;
            let asks = if wanted { format!(", and \"{}\" is asked for", fact.relation) } else { String::new() };
            let alike = known.iter().filter(|(_, other)| other == score).count();
            let share = if wanted { fan(alike) } else { fan(alike.max(spoken_of)) };
            add(fact, score * share, format!("\"{}\" is named{asks}: {}", named.key, fact.sentence()));
            let others = [Some(fact.subject_id), fact.object_id];
            for other in others.into_iter().flatten().filter(|id| !names.contains_key(id) && Some(*id) != asked.user) {
                // Another name of the same comes first: it is asked about as well.
                let step = (other, fan(spoken_of));
                if relation::is_identity(&fact.relation) { next.insert(0, step) } else { next.push(step) }
            }
        }
    }
    let mut seen = HashSet::new();
    next.retain(|(id, _)| seen.insert(*id));
    next.truncate(NEIGHBOURS);
    for (neighbour, share) in next {
        let known = about(db, neighbour, None, as_of_ms)?;
        let wanted = |fact: &FactRow| asked.relations.contains(&fact.relation);
        for fact in &known {
            let score = if wanted(fact) { NEIGHBOUR_ASKED } else { NEIGHBOUR_ABOUT * share };
            let alike = known.iter().filter(|other| wanted(other) == wanted(fact)).count();
            add(fact, score * fan(alike), format!("one step from what is named: {}", fact.sentence()));
        }
    }
    let mut found: HashMap<i64, (f32, String)> = HashMap::new();
    let mut keep = |passage: i64, score: f32, detail: &str| {
        let entry = found.entry(passage).or_insert((0.0, String::new()));
        if score > entry.0 {
            *entry = (score, detail.to_owned());
        }
    };
    let facts: Vec<i64> = scored.keys().copied().collect();
    for (fact, passage) in sources(db, &facts, as_of_ms)? {
        if let Some((score, detail)) = scored.get(&fact) {
            keep(passage, *score, detail);
        }
    }
    for (named, passages) in mentions.into_iter().filter(|(named, _)| Some(named.id) != asked.user) {
        let score = MENTIONED * fan(passages.len());
        for passage in passages {
            keep(passage, score, &format!("it names \"{}\"", named.key));
        }
    }
    let mut links: Vec<Link> =
        found.into_iter().map(|(passage, (score, detail))| Link { passage, score, detail }).collect();
    // The later word first among equals.
    links.sort_by(|a, b| b.score.total_cmp(&a.score).then(b.passage.cmp(&a.passage)));
    links.truncate(LINKS);
    Ok(links)
}

/// What is left of a link's score where a name leads to so many alike.
fn fan(alike: usize) -> f32 {
    FAN as f32 / alike.max(FAN) as f32
}

/// The entities that a text names, longest names first and none within another: for mentions.
///
/// # Errors
/// The database's.
pub fn named(db: &mut SqliteConnection, text: &str) -> Result<Vec<i64>, StoreError> {
    Ok(find_named(db, text)?.0.into_iter().filter(|named| named.key != key::USER).map(|named| named.id).collect())
}

pub(super) fn ask(db: &mut SqliteConnection, query: &str) -> Result<Asked, StoreError> {
    let (mut named, taken) = find_named(db, query)?;
    let words = key::words(query);
    let cues: Vec<&str> =
        words.iter().enumerate().filter(|(place, _)| !taken.contains(place)).map(|(_, word)| word.as_str()).collect();
    // `Ana's birthday`: the possessive belongs to the name, the rest asks.
    let mut relations: HashSet<String> = relation::asked_by(&cues).into_iter().collect();
    // `my birthday` is the user's; `my brother`, of whom nothing is known, is not the user.
    let own = words.windows(2).enumerate().any(|(place, pair)| {
        matches!(pair[0].as_str(), "my" | "our")
            && !taken.contains(&place)
            && !relation::asked_by(&[pair[1].as_str()]).is_empty()
            || matches!(pair[0].as_str(), "my") && matches!(pair[1].as_str(), "favourite" | "favorite")
    });
    if own && !named.iter().any(|named| named.key == key::USER) {
        named.extend(by_key(db, &[key::USER.to_owned()])?);
    }
    for word in &cues {
        let relation = relation::canonical(word);
        if relation::is_single(&relation) {
            relations.insert(relation);
        }
    }
    let user = named.iter().find(|named| named.key == key::USER).map(|named| named.id);
    named.truncate(NAMED);
    Ok(Asked { named, relations, user })
}

/// The entities that a text names, and the places of the words that their names take.
fn find_named(db: &mut SqliteConnection, text: &str) -> Result<(Vec<Named>, HashSet<usize>), StoreError> {
    let candidates = key::candidates(text);
    let mut keys: Vec<String> = candidates.iter().map(|candidate| candidate.key.clone()).collect();
    keys.sort_unstable();
    keys.dedup();
    let known: HashMap<String, i64> = by_key(db, &keys)?.into_iter().map(|named| (named.key, named.id)).collect();
    let mut taken: HashSet<usize> = HashSet::new();
    let mut found: Vec<Named> = Vec::new();
    for candidate in candidates {
        let Some(id) = known.get(&candidate.key) else { continue };
        // Several names may stand in one word where words are written without spaces.
        let spaced = candidate.key.is_ascii();
        if spaced && (candidate.first..candidate.end).any(|place| taken.contains(&place)) {
            continue;
        }
        if spaced {
            taken.extend(candidate.first..candidate.end);
        }
        if !found.iter().any(|named| named.id == *id) {
            found.push(Named { id: *id, key: candidate.key });
        }
    }
    Ok((found, taken))
}

fn by_key(db: &mut SqliteConnection, keys: &[String]) -> Result<Vec<Named>, StoreError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let found = prepared("SELECT e.id, e.key FROM json_each(?1) AS wanted JOIN entities e ON e.key = wanted.value");
    Ok(found.bind::<Text, _>(serde_json::to_string(keys)?).load(db)?)
}

/// Facts about an entity that hold at that time, newest first; with `only`, of these relations.
fn about(
    db: &mut SqliteConnection,
    entity: i64,
    only: Option<&HashSet<String>>,
    as_of_ms: Option<i64>,
) -> Result<Vec<FactRow>, StoreError> {
    const COLUMNS: &str = "SELECT f.id, f.subject_id, f.object_id, s.name AS subject, f.relation, f.object \
        FROM facts f JOIN entities s ON s.id = f.subject_id WHERE";
    // What is said to begin later is known now already; as of a time before, it was not.
    const HOLDS: &str = "(f.valid_to_ms IS NULL OR f.valid_to_ms > ?2) AND (?3 IS NULL OR f.valid_from_ms <= ?3)";
    let at = as_of_ms.unwrap_or_else(now_ms);
    let mut found: Vec<FactRow> = Vec::new();
    match only {
        Some(relations) => {
            for relation in relations {
                let rows: Vec<FactRow> = sql_query(format!(
                    "{COLUMNS} f.subject_id = ?1 AND f.relation = ?4 AND {HOLDS} \
                     ORDER BY f.valid_from_ms DESC LIMIT {FACTS}"
                ))
                .bind::<BigInt, _>(entity)
                .bind::<BigInt, _>(at)
                .bind::<Nullable<BigInt>, _>(as_of_ms)
                .bind::<Text, _>(relation)
                .load(db)?;
                found.extend(rows);
            }
        }
        None => {
            for side in ["f.subject_id", "f.object_id"] {
                let rows: Vec<FactRow> =
                    sql_query(format!("{COLUMNS} {side} = ?1 AND {HOLDS} ORDER BY f.id DESC LIMIT {FACTS}"))
                        .bind::<BigInt, _>(entity)
                        .bind::<BigInt, _>(at)
                        .bind::<Nullable<BigInt>, _>(as_of_ms)
                        .load(db)?;
                found.extend(rows);
            }
        }
    }
    Ok(found)
}

#[derive(QueryableByName)]
struct SourceRow {
    #[diesel(sql_type = BigInt)]
    fact_id: i64,
    #[diesel(sql_type = BigInt)]
    passage_id: i64,
}

/// The passages that facts came from, as far as they had been said then.
fn sources(db: &mut SqliteConnection, facts: &[i64], as_of_ms: Option<i64>) -> Result<Vec<(i64, i64)>, StoreError> {
    let mut found = Vec::new();
    for chunk in facts.chunks(500) {
        let list = chunk.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
        let rows: Vec<SourceRow> = sql_query(format!(
            "SELECT fs.fact_id, fs.passage_id FROM fact_sources fs JOIN passages p ON p.id = fs.passage_id \
             WHERE fs.fact_id IN ({list}) AND p.ready AND (?1 IS NULL OR p.at_ms <= ?1)"
        ))
        .bind::<Nullable<BigInt>, _>(as_of_ms)
        .load(db)?;
        found.extend(rows.into_iter().map(|row| (row.fact_id, row.passage_id)));
    }
    Ok(found)
}

#[derive(QueryableByName)]
struct PassageRow {
    #[diesel(sql_type = BigInt)]
    passage_id: i64,
}

fn mentioned(db: &mut SqliteConnection, entity: i64, as_of_ms: Option<i64>) -> Result<Vec<i64>, StoreError> {
    let rows: Vec<PassageRow> = sql_query(format!(
        "SELECT m.passage_id FROM mentions m JOIN passages p ON p.id = m.passage_id \
         WHERE m.entity_id = ?1 AND p.ready AND (?2 IS NULL OR p.at_ms <= ?2) ORDER BY m.passage_id DESC LIMIT {MENTIONS}"
    ))
    .bind::<BigInt, _>(entity)
    .bind::<Nullable<BigInt>, _>(as_of_ms)
    .load(db)?;
    Ok(rows.into_iter().map(|row| row.passage_id).collect())
}

#[cfg(test)]
#[path = "links_tests.rs"]
mod tests;
