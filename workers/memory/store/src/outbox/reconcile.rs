//! Compares what the vector store holds with what it is known to hold.
//!
//! The two are written one after the other, and the vector store does not wait for the disk: after a kill, or a loss of
//! power, either may be ahead.

use super::models::Model;
use super::queued;
use crate::error::StoreError;
use crate::schema::{embedded, passages, vector_outbox};
use diesel::prelude::*;
use std::collections::HashSet;

/// Queues what the vector store lacks, and names the vectors there whose passages are gone. `held` is every id in it,
/// ascending.
///
/// # Errors
/// The database's.
pub fn reconcile(db: &mut SqliteConnection, model: &Model, held: &[i64]) -> Result<Vec<i64>, StoreError> {
    let known: Vec<i64> = embedded::table
        .filter(embedded::model_id.eq(model.id))
        .select(embedded::passage_id)
        .order(embedded::passage_id)
        .load(db)?;
    let missing: Vec<i64> = known.iter().copied().filter(|id| held.binary_search(id).is_err()).collect();
    let extra: Vec<i64> = held.iter().copied().filter(|id| known.binary_search(id).is_err()).collect();
    if missing.is_empty() && extra.is_empty() {
        return Ok(Vec::new());
    }
    tracing::info!(missing = missing.len(), extra = extra.len(), "the vector store and the database differ");
    let waiting: HashSet<i64> = queued(db)?;
    let mut orphans = Vec::new();
    for id in &missing {
        let row = embedded::table.filter(embedded::passage_id.eq(id)).filter(embedded::model_id.eq(model.id));
        diesel::delete(row).execute(db)?;
    }
    for id in missing.into_iter().chain(extra.iter().copied()) {
        let there: bool =
            diesel::select(diesel::dsl::exists(passages::table.filter(passages::id.eq(id)))).get_result(db)?;
        if !there {
            orphans.push(id);
        } else if !waiting.contains(&id) {
            let row = (vector_outbox::passage_id.eq(id), vector_outbox::action.eq(super::EMBED));
            diesel::insert_into(vector_outbox::table).values(row).execute(db)?;
        }
    }
    orphans.retain(|id| extra.binary_search(id).is_ok());
    Ok(orphans)
}
