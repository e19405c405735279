//! Substrings: passages in which a piece of text stands, wherever words begin and end.

use crate::error::StoreError;
use crate::passages;
use crate::search::{Scope, postings};
use butterfly_recall::Term;
use butterfly_recall::window::head;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel::{SqliteConnection, sql_query};

/// Bytes of a piece that are looked for: a long sentence.
const PIECE_BYTES: usize = 512;

/// Passages that are read to be compared, for one piece: each run of three letters of it may stand elsewhere in them.
const COMPARED: usize = 20_000;

/// Passages that are read at once.
const BATCH: usize = 250;

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// The latest passages in the scope that contain `piece`, whatever the case, at most `limit`. A piece of one or two
/// characters is found where it begins a run of letters of its script, which is everywhere.
///
/// # Errors
/// The database's.
pub fn containing(db: &mut SqliteConnection, piece: &str, scope: &Scope, limit: usize) -> Result<Vec<i64>, StoreError> {
    let piece = head(piece.trim(), PIECE_BYTES).to_lowercase();
    if piece.is_empty() || piece.contains('\0') {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for batch in candidates(db, &piece)?.chunks(BATCH).take(COMPARED / BATCH) {
        let mut read = passages::load(db, batch, scope)?;
        read.sort_by_key(|stored| std::cmp::Reverse(stored.id));
        let has = |stored: &passages::Stored| stored.text.to_lowercase().contains(&piece);
        found.extend(read.into_iter().filter(has).map(|stored| stored.id));
        if found.len() >= limit {
            break;
        }
    }
    found.truncate(limit);
    Ok(found)
}

/// Latest first.
fn candidates(db: &mut SqliteConnection, piece: &str) -> Result<Vec<i64>, StoreError> {
    let characters: Vec<char> = piece.chars().collect();
    if characters.len() < 3 {
        let mut ids = postings::of(db, &Term::Pair(piece.to_owned()), postings::ALL, COMPARED)?;
        ids.sort_unstable_by_key(|id| std::cmp::Reverse(*id));
        return Ok(ids);
    }
    let mut grams: Vec<String> = characters.windows(3).map(|gram| gram.iter().collect::<String>()).collect();
    grams.sort_unstable();
    grams.dedup();
    let quoted: Vec<String> = grams.iter().map(|gram| format!("\"{}\"", gram.replace('"', "\"\""))).collect();
    let rows: Vec<Id> =
        sql_query("SELECT rowid AS id FROM passages_grams WHERE passages_grams MATCH ?1 ORDER BY rowid DESC LIMIT ?2")
            .bind::<Text, _>(quoted.join(" AND "))
            .bind::<BigInt, _>(i64::try_from(COMPARED).unwrap_or(i64::MAX))
            .load(db)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}
