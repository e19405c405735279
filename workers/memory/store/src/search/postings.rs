//! Postings: which passages have a term, read from the indexes in ascending order.
//!
//! FTS5 can rank by itself, but looks up the length of every passage that has any of the terms: at 100 000 passages that
//! is a tenth of a second. Reading the ids alone takes a twentieth of it, and what ranks is then read and weighed.

use crate::error::StoreError;
use butterfly_recall::Term;
use butterfly_recall::weigh::Corpus;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use diesel::{SqliteConnection, sql_query};

#[derive(QueryableByName)]
struct Joined {
    #[diesel(sql_type = Nullable<Text>)]
    ids: Option<String>,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct Block {
    #[diesel(sql_type = Binary)]
    block: Vec<u8>,
}

/// A stretch of ids, both ends in it.
pub type Stretch = (i64, i64);

/// All ids.
pub const ALL: Stretch = (i64::MIN, i64::MAX);

/// One row with all ids costs a tenth of a row for each.
pub fn split(ids: Option<&str>) -> Vec<i64> {
    ids.unwrap_or_default().split(',').filter_map(|id| id.parse().ok()).collect()
}

/// The passages that have this term, ascending, at most `limit`.
pub fn of(db: &mut SqliteConnection, term: &Term, within: Stretch, limit: usize) -> Result<Vec<i64>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let joined: Option<Joined> = match term {
        Term::Word { .. } | Term::Phrase { .. } => sql_query(
            "SELECT group_concat(id) AS ids FROM (SELECT rowid AS id FROM passages_fts \
             WHERE passages_fts MATCH ?1 AND rowid BETWEEN ?2 AND ?3 LIMIT ?4)",
        )
        .bind::<Text, _>(term.fts5())
        .bind::<BigInt, _>(within.0)
        .bind::<BigInt, _>(within.1)
        .bind::<BigInt, _>(limit)
        .get_result(db)
        .optional()?,
        // Every run of three that begins with the pair.
        Term::Pair(pair) => sql_query(
            "SELECT group_concat(id) AS ids FROM (SELECT DISTINCT doc AS id FROM passages_grams_terms \
             WHERE term >= ?1 AND term < ?2 AND doc BETWEEN ?3 AND ?4 LIMIT ?5)",
        )
        .bind::<Text, _>(pair)
        .bind::<Text, _>(format!("{pair}\u{10ffff}"))
        .bind::<BigInt, _>(within.0)
        .bind::<BigInt, _>(within.1)
        .bind::<BigInt, _>(limit)
        .get_result(db)
        .optional()?,
    };
    Ok(split(joined.and_then(|joined| joined.ids).as_deref()))
}

/// How many passages in a stretch have this term.
pub fn count(db: &mut SqliteConnection, term: &Term, within: Stretch) -> Result<u64, StoreError> {
    let count: Count =
        sql_query("SELECT count(*) AS count FROM passages_fts WHERE passages_fts MATCH ?1 AND rowid BETWEEN ?2 AND ?3")
            .bind::<Text, _>(term.fts5())
            .bind::<BigInt, _>(within.0)
            .bind::<BigInt, _>(within.1)
            .get_result(db)?;
    Ok(u64::try_from(count.count).unwrap_or(0))
}

/// The latest passages that match an FTS5 expression, at most `limit`.
pub fn latest(
    db: &mut SqliteConnection,
    expression: &str,
    within: Stretch,
    limit: usize,
) -> Result<Vec<i64>, StoreError> {
    let joined: Joined = sql_query(
        "SELECT group_concat(id) AS ids FROM (SELECT rowid AS id FROM passages_fts \
         WHERE passages_fts MATCH ?1 AND rowid BETWEEN ?2 AND ?3 ORDER BY rowid DESC LIMIT ?4)",
    )
    .bind::<Text, _>(expression)
    .bind::<BigInt, _>(within.0)
    .bind::<BigInt, _>(within.1)
    .bind::<BigInt, _>(i64::try_from(limit).unwrap_or(i64::MAX))
    .get_result(db)?;
    Ok(split(joined.ids.as_deref()))
}

/// The best passages for one term, by FTS5's own BM25: where a single term decides, nothing else tells them apart.
pub fn best(db: &mut SqliteConnection, term: &Term, within: Stretch, limit: usize) -> Result<Vec<i64>, StoreError> {
    let joined: Joined = sql_query(
        "SELECT group_concat(id) AS ids FROM (SELECT rowid AS id FROM passages_fts \
         WHERE passages_fts MATCH ?1 AND rowid BETWEEN ?2 AND ?3 ORDER BY rank LIMIT ?4)",
    )
    .bind::<Text, _>(term.fts5())
    .bind::<BigInt, _>(within.0)
    .bind::<BigInt, _>(within.1)
    .bind::<BigInt, _>(i64::try_from(limit).unwrap_or(i64::MAX))
    .get_result(db)?;
    Ok(split(joined.ids.as_deref()))
}

/// How many passages the index has, and how long they are: FTS5 keeps the sums in the first record of its data (varints:
/// rows, then words per column).
pub fn corpus(db: &mut SqliteConnection) -> Result<Corpus, StoreError> {
    let block: Option<Block> =
        sql_query("SELECT block FROM passages_fts_data WHERE id = 1").get_result(db).optional()?;
    let mut bytes = block.map(|block| block.block).unwrap_or_default().into_iter();
    let mut next = || varint(&mut bytes).unwrap_or(0);
    let rows = next();
    let words = next() + next();
    Ok(Corpus { rows, words: if rows == 0 { 0.0 } else { words as f32 / rows as f32 } })
}

/// SQLite's varint: seven bits to a byte, the highest first; the ninth byte gives eight.
fn varint(bytes: &mut impl Iterator<Item = u8>) -> Option<u64> {
    let mut value = 0u64;
    for place in 0..9 {
        let byte = bytes.next()?;
        if place == 8 {
            return Some(value << 8 | u64::from(byte));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_are_read_as_sqlite_writes_them() {
        let read = |bytes: &[u8]| varint(&mut bytes.iter().copied());
        assert_eq!(read(&[0x07]), Some(7));
        assert_eq!(read(&[0x81, 0x00]), Some(128));
        assert_eq!(read(&[0xff; 9]), Some(u64::MAX));
        assert_eq!(read(&[0x81]), None);
    }
}
