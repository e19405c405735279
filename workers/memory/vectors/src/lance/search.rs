//! Searching a table on disk.

use super::columns;
use crate::error::VectorError;
use crate::flat::best_first;
use crate::store::Near;
use crate::values::dot;
use futures::TryStreamExt;
use lancedb::DistanceType;
use lancedb::query::{ExecutableQuery, QueryBase, Select, VectorQuery};

/// Parts of the index that a query looks into, at least.
const PROBES: usize = 20;

/// The index holds vectors in 8 bits a number; so many times as many as are wanted are compared again in full.
const REFINE: u32 = 4;

/// How a table is to be searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Through {
    /// Its index, and all that is new to it.
    Index,
    /// Every row.
    AllRows,
}

/// The `k` rows nearest to a unit vector.
pub async fn nearest(
    table: &lancedb::Table,
    vector: &[f32],
    k: usize,
    conversation: Option<i64>,
    through: Through,
) -> Result<Vec<Near>, VectorError> {
    if k == 0 {
        return Ok(Vec::new());
    }
    let fault = |error: lancedb::Error| VectorError::of(&error);
    let query = table.query().nearest_to(vector).map_err(fault)?;
    let query: VectorQuery = match through {
        Through::AllRows => query.bypass_vector_index(),
        Through::Index => query.nprobes(PROBES).map_err(fault)?.refine_factor(REFINE),
    };
    let mut query = query
        .column(columns::VECTOR)
        .distance_type(DistanceType::Cosine)
        .limit(k)
        .select(Select::columns(&[columns::ID, columns::DISTANCE]));
    if let Some(conversation) = conversation {
        query = query.only_if(format!("{} = {conversation}", columns::CONVERSATION));
    }
    let batches: Vec<_> = query.execute().await.map_err(fault)?.try_collect().await.map_err(fault)?;
    let mut found = Vec::with_capacity(k);
    for batch in &batches {
        found.extend(columns::found(batch)?);
    }
    found.sort_by(best_first);
    found.truncate(k);
    Ok(found)
}

/// The `k` of these rows that are nearest to a unit vector, by the vectors on disk.
pub async fn among(
    table: &lancedb::Table,
    dimensions: usize,
    vector: &[f32],
    rows: &[Near],
    k: usize,
) -> Result<Vec<Near>, VectorError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let fault = |error: lancedb::Error| VectorError::of(&error);
    let named: Vec<String> = rows.iter().map(|near| near.id.to_string()).collect();
    let query = table
        .query()
        .only_if(format!("{} IN ({})", columns::ID, named.join(",")))
        .select(Select::columns(&[columns::ID, columns::VECTOR]));
    let batches: Vec<_> = query.execute().await.map_err(fault)?.try_collect().await.map_err(fault)?;
    let mut found = Vec::with_capacity(rows.len());
    for batch in &batches {
        let vectors = columns::vectors(batch, dimensions)?.chunks_exact(dimensions.max(1));
        let pairs = columns::integers(batch, columns::ID)?.iter().zip(vectors);
        found.extend(pairs.map(|(id, own)| Near { id: *id, similarity: dot(own, vector) }));
    }
    // One that is missing has been deleted meanwhile.
    found.sort_by(best_first);
    found.truncate(k);
    Ok(found)
}
