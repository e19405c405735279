//! What was corrected: passages that state what no longer holds, and what the words of others repeat of it.
//!
//! A fact's sources are known ([`superseded`]). An assistant's answer or a summary is nobody's source, and says the same:
//! [`ended`] gives what to look for in it.

use crate::error::StoreError;
use crate::facts::{key, now_ms, relation};
use crate::graph::links;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{SqliteConnection, sql_query};
use std::collections::HashMap;

/// Facts that ended, of one entity, newest first.
const ENDED: i64 = 20;

/// Words of an answer that are looked through. What is longer repeats more than one thing.
const RESTATED_WORDS: usize = 512;

#[derive(QueryableByName)]
struct SupersededRow {
    #[diesel(sql_type = BigInt)]
    passage_id: i64,
    #[diesel(sql_type = Text)]
    subject: String,
    #[diesel(sql_type = Text)]
    relation: String,
    #[diesel(sql_type = Nullable<Text>)]
    object: Option<String>,
}

/// Which of these passages say something that was corrected by then (Unix time in ms; `None`: by now), and by what.
///
/// # Errors
/// The database's.
pub fn superseded(
    db: &mut SqliteConnection,
    passages: &[i64],
    as_of_ms: Option<i64>,
) -> Result<HashMap<i64, String>, StoreError> {
    let at = as_of_ms.unwrap_or_else(now_ms);
    let mut found = HashMap::new();
    for chunk in passages.chunks(500) {
        let list = chunk.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
        // A passage that also says what holds now (`not Porto but Lisbon`) was not corrected but corrects. CROSS and `+`: from
        // the passage's few facts, not from the subject's many.
        let rows: Vec<SupersededRow> = sql_query(format!(
            "SELECT fs.passage_id, s.name AS subject, f.relation, n.object FROM fact_sources fs \
             JOIN facts f ON f.id = fs.fact_id JOIN entities s ON s.id = f.subject_id \
             LEFT JOIN facts n ON n.id = f.superseded_by \
             WHERE fs.passage_id IN ({list}) AND f.valid_to_ms IS NOT NULL AND f.valid_to_ms <= ?1 \
             AND NOT EXISTS (SELECT 1 FROM fact_sources os CROSS JOIN facts o ON o.id = os.fact_id \
                 WHERE os.passage_id = fs.passage_id AND +o.subject_id = f.subject_id AND +o.relation = f.relation \
                 AND (o.valid_to_ms IS NULL OR o.valid_to_ms > ?1)) \
             ORDER BY fs.passage_id, f.id"
        ))
        .bind::<BigInt, _>(at)
        .load(db)?;
        for row in rows {
            found.entry(row.passage_id).or_insert_with(|| detail(&row.subject, &row.relation, row.object.as_deref()));
        }
    }
    Ok(found)
}

/// What holds instead, for people.
fn detail(subject: &str, relation: &str, now: Option<&str>) -> String {
    match now {
        Some(object) => format!("corrected later: {subject} {relation} {object}"),
        None => format!("no longer so: what {subject} {relation}"),
    }
}

/// A fact about something that a query names, which has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// What it said, as the words of names are compared.
    said: Vec<String>,
    /// What holds now of that subject and relation.
    now: Vec<Vec<String>>,
    /// What holds instead, for people.
    pub detail: String,
}

impl Ended {
    /// Whether a text repeats it, and says nothing of what holds now.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        let mut words = key::words(text);
        words.truncate(RESTATED_WORDS);
        let has = |name: &Vec<String>| !name.is_empty() && words.windows(name.len()).any(|run| run == name);
        has(&self.said) && !self.now.iter().any(has)
    }
}

#[derive(QueryableByName)]
struct EndedRow {
    #[diesel(sql_type = Text)]
    subject: String,
    #[diesel(sql_type = Text)]
    relation: String,
    #[diesel(sql_type = Text)]
    object: String,
    #[diesel(sql_type = Nullable<Text>)]
    now: Option<String>,
}

/// The facts that had ended by then (Unix time in ms; `None`: by now) about what a query names, as far as they hold one value
/// at a time and it asks for them; where it asks for nothing, all of those.
///
/// # Errors
/// The database's.
pub fn ended(db: &mut SqliteConnection, query: &str, as_of_ms: Option<i64>) -> Result<Vec<Ended>, StoreError> {
    let asked = links::ask(db, query)?;
    let at = as_of_ms.unwrap_or_else(now_ms);
    let mut found: Vec<Ended> = Vec::new();
    for named in &asked.named {
        let rows: Vec<EndedRow> = sql_query(format!(
            "SELECT s.name AS subject, f.relation, f.object, (SELECT n.object FROM facts n \
                WHERE n.subject_id = f.subject_id AND n.relation = f.relation AND n.valid_from_ms <= ?2 \
                AND (n.valid_to_ms IS NULL OR n.valid_to_ms > ?2) LIMIT 1) AS now \
             FROM facts f JOIN entities s ON s.id = f.subject_id \
             WHERE f.subject_id = ?1 AND f.single AND f.valid_to_ms <= ?2 ORDER BY f.valid_to_ms DESC LIMIT {ENDED}"
        ))
        .bind::<BigInt, _>(named.id)
        .bind::<BigInt, _>(at)
        .load(db)?;
        let wanted = |row: &EndedRow| {
            relation::is_single(&row.relation)
                && (asked.relations.contains(&row.relation) || asked.relations.is_empty() && named.key != key::USER)
        };
        for row in rows.into_iter().filter(wanted) {
            let now: Vec<Vec<String>> = row.now.iter().map(|now| key::words(now)).collect();
            let said = key::words(&row.object);
            // It holds again.
            if now.contains(&said) {
                continue;
            }
            found.push(Ended { said, now, detail: detail(&row.subject, &row.relation, row.now.as_deref()) });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::{tell, with_store};

    const DAY: i64 = 24 * 60 * 60 * 1000;

    #[test]
    fn what_has_ended_is_known_by_its_words() {
        with_store(|db| {
            tell(db, "user's sister", "lives in", "São Paulo", DAY);
            tell(db, "user's sister", "lives in", "Lisbon", 100 * DAY);
            tell(db, "user's brother", "lives in", "Faro", DAY);
            let ended = |db: &mut SqliteConnection, query: &str, as_of| super::ended(db, query, as_of).unwrap();
            let found = ended(db, "where does my sister live?", None);
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].detail, "corrected later: user's sister lives in Lisbon");
            assert!(found[0].is_in("You said that your sister lives in São Paulo."));
            assert!(!found[0].is_in("She moved from São Paulo to Lisbon.") && !found[0].is_in("São Tomé and Paulo"));
            assert!(ended(db, "where does my sister live?", Some(50 * DAY)).is_empty());
            assert!(ended(db, "when is my sister's birthday?", None).is_empty());
            assert_eq!(ended(db, "my sister", None).len(), 1);
            assert!(ended(db, "where does my brother live?", None).is_empty());
            tell(db, "user's sister", "lives in", "São Paulo", 200 * DAY);
            let again = ended(db, "where does my sister live?", None);
            assert!(again.iter().all(|ended| !ended.is_in("she lives in São Paulo")));
            Ok(())
        });
    }
}
