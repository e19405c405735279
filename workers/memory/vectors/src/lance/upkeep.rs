//! Looking after a table: merging small files, the index, old versions. Callers hold [`Inner::writing`].

use super::columns::VECTOR;
use super::table::{Inner, held_in};
use crate::error::VectorError;
use lancedb::DistanceType;
use lancedb::index::Index;
use lancedb::index::vector::IvfSqIndexBuilder;
use lancedb::table::{CompactionOptions, Duration, OptimizeAction, OptimizeOptions};

/// What the index is called in reports: parts around centres (IVF), numbers of 8 bits (SQ), compared again in full.
pub const INDEX: &str = "ivf_sq";

/// Its name in the table.
const NAME: &str = "vectors";

/// Rows of one file. Files that are full are not written again when small ones are merged; so this bounds what a merge
/// writes to 12 MB of 384 dimensions.
const FILE_ROWS: usize = 8192;

/// Rows of one part of the index, about: more parts make the training longer, larger ones each query.
const PART_ROWS: usize = 400;

/// Rows that each part's centre is computed from, at most.
const SAMPLE: u32 = 64;

/// Rounds of that computation, at most.
const ROUNDS: u32 = 20;

/// Merges small files, makes or updates the index where the table has outgrown memory, and removes old versions.
pub async fn optimize(inner: &Inner) -> Result<(), VectorError> {
    compact(inner, 0.1).await?;
    let rows = inner.held.read().await.rows.len();
    if held_in(rows, inner.dimensions, &inner.tuning).is_none() {
        match unindexed(inner).await? {
            None => build(inner, rows).await?,
            Some(new) if new > inner.tuning.tail => update(inner).await?,
            Some(_) => {}
        }
    }
    prune(inner).await
}

/// Rewrites all that holds something deleted, and removes what is old.
pub async fn purge(inner: &Inner) -> Result<(), VectorError> {
    // 0: every file with a deleted row in it.
    compact(inner, 0.0).await?;
    let rows = inner.held.read().await.rows.len();
    if unindexed(inner).await?.is_some() {
        // An index still holds what files that are gone altogether held.
        drop_index(inner).await?;
    }
    if held_in(rows, inner.dimensions, &inner.tuning).is_none() {
        build(inner, rows).await?;
    }
    prune(inner).await
}

async fn compact(inner: &Inner, deleted_share: f32) -> Result<(), VectorError> {
    let options = CompactionOptions {
        target_rows_per_fragment: FILE_ROWS,
        materialize_deletions: true,
        materialize_deletions_threshold: deleted_share,
        num_threads: Some(1),
        ..CompactionOptions::default()
    };
    act(inner, OptimizeAction::Compact { options, remap_options: None }).await
}

/// Rows that the index does not know; `None`: there is no index.
async fn unindexed(inner: &Inner) -> Result<Option<usize>, VectorError> {
    let about = inner.table.index_stats(NAME).await.map_err(|error| VectorError::of(&error))?;
    Ok(about.map(|about| about.num_unindexed_rows))
}

async fn build(inner: &Inner, rows: usize) -> Result<(), VectorError> {
    let parts = u32::try_from(rows / PART_ROWS).unwrap_or(u32::MAX).max(1);
    let index = IvfSqIndexBuilder::default()
        .distance_type(DistanceType::Cosine)
        .num_partitions(parts)
        .sample_rate(SAMPLE)
        .max_iterations(ROUNDS);
    let building = inner.table.create_index(&[VECTOR], Index::IvfSq(index)).name(NAME.to_owned()).execute();
    building.await.map_err(|error| VectorError::of(&error))?;
    inner.held.write().await.indexed = true;
    Ok(())
}

async fn update(inner: &Inner) -> Result<(), VectorError> {
    act(inner, OptimizeAction::Index(OptimizeOptions::merge(1))).await
}

async fn drop_index(inner: &Inner) -> Result<(), VectorError> {
    inner.held.write().await.indexed = false;
    inner.table.drop_index(NAME).await.map_err(|error| VectorError::of(&error))
}

/// Removes all versions but the last, and all files that no version names. No search runs meanwhile.
async fn prune(inner: &Inner) -> Result<(), VectorError> {
    let _nobody_reads = inner.held.write().await;
    let action = OptimizeAction::Prune {
        older_than: Some(Duration::zero()),
        // Nobody else writes here: there is one worker, and it holds `writing`.
        delete_unverified: Some(true),
        error_if_tagged_old_versions: Some(false),
    };
    act(inner, action).await
}

async fn act(inner: &Inner, action: OptimizeAction) -> Result<(), VectorError> {
    inner.table.optimize(action).await.map(|_| ()).map_err(|error| VectorError::of(&error))
}
