//! One table: what is on disk, and what is held of it in memory.

use super::columns::{self, CONVERSATION, ID, VECTOR};
use super::engine::Engine;
use super::search::{self, Through};
use super::{Tuning, upkeep};
use crate::error::VectorError;
use crate::flat::Flat;
use crate::store::{Done, Near, Row, Summary, VectorStore};
use crate::unit;
use crate::values::{Precision, Values};
use futures::TryStreamExt;
use lancedb::query::{ExecutableQuery, QueryBase, Select};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{Mutex, RwLock};

/// What looking at every row is called in reports, and at every row's bytes.
const FLAT: &str = "flat";
const FLAT_BYTES: &str = "flat_sq";

/// Ids that one deletion names. LanceDB reads them as text; more at once gain nothing.
const NAMED: usize = 1000;

/// Of rows that are held in bytes, so many times as many as are wanted, and some more, are compared again in full: of the
/// ten nearest of 100,000 bytes alone name 9.86, and among the first twenty were all of them.
const COMPARED_AGAIN: usize = 2;
const SOME_MORE: usize = 10;

/// An open table.
pub struct Table {
    engine: Arc<Engine>,
    inner: Arc<Inner>,
}

/// What the engine's threads share.
pub struct Inner {
    pub table: lancedb::Table,
    pub place: PathBuf,
    pub dimensions: usize,
    pub tuning: Tuning,
    /// One change at a time.
    pub writing: Mutex<Changes>,
    /// Held for reading while a search runs, so that no file is removed under it.
    pub held: RwLock<Held>,
}

/// Counts towards the next upkeep.
#[derive(Debug, Default)]
pub struct Changes {
    pub since_upkeep: u32,
}

/// What is in memory.
pub struct Held {
    /// Every row's id.
    pub rows: HashSet<i64>,
    /// All vectors, where they are not too many.
    pub flat: Option<Flat>,
    /// Whether the table has an index.
    pub indexed: bool,
}

impl Table {
    /// Opens the table, or makes it, and reads what is held in memory.
    pub async fn open(
        engine: Arc<Engine>,
        name: String,
        place: PathBuf,
        dimensions: usize,
        tuning: Tuning,
    ) -> Result<Self, VectorError> {
        let connection = engine.connection().clone();
        let opening = engine.run(async move {
            let table = open_or_make(&connection, &name, &place, dimensions).await?;
            let held = read(&table, dimensions, &tuning).await?;
            let (writing, held) = (Mutex::new(Changes::default()), RwLock::new(held));
            Ok(Inner { table, place, dimensions, tuning, writing, held })
        });
        let inner = Arc::new(opening.await?);
        Ok(Self { engine, inner })
    }

    fn run<T, F>(&self, work: impl FnOnce(Arc<Inner>) -> F) -> Done<'_, T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, VectorError>> + Send + 'static,
    {
        self.engine.run(work(Arc::clone(&self.inner)))
    }
}

async fn open_or_make(
    connection: &lancedb::Connection,
    name: &str,
    place: &Path,
    dimensions: usize,
) -> Result<lancedb::Table, VectorError> {
    let table = match connection.open_table(name).execute().await {
        Ok(table) => table,
        Err(lancedb::Error::TableNotFound { .. }) => {
            // What an interrupted making left, or what somebody left of a deleted table: nobody can read it any more.
            match std::fs::remove_dir_all(place) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(VectorError::of(&error)),
                Ok(()) | Err(_) => {}
            }
            let made = connection.create_empty_table(name, columns::schema(dimensions)).execute().await;
            made.map_err(|error| VectorError::of(&error))?
        }
        Err(error) => return Err(VectorError::of(&error)),
    };
    let schema = table.schema().await.map_err(|error| VectorError::of(&error))?;
    match columns::dimensions(&schema) {
        Some(found) if found == dimensions => Ok(table),
        Some(found) => Err(VectorError::Damaged(format!("it holds vectors of {found} dimensions"))),
        None => Err(VectorError::Damaged("its columns are not ours".to_owned())),
    }
}

/// Reads ids, and the vectors too where they are not too many.
async fn read(table: &lancedb::Table, dimensions: usize, tuning: &Tuning) -> Result<Held, VectorError> {
    let fault = |error: lancedb::Error| VectorError::of(&error);
    let count = table.count_rows(None).await.map_err(fault)?;
    let indexed = !table.list_indices().await.map_err(fault)?.is_empty();
    let mut rows = HashSet::with_capacity(count);
    let mut flat = held_in(count, dimensions, tuning).map(|precision| Flat::new(dimensions, precision));
    if let Some(flat) = &mut flat {
        flat.reserve(count);
    }
    let wanted: &[&str] = if flat.is_some() { &[ID, CONVERSATION, VECTOR] } else { &[ID, CONVERSATION] };
    let mut batches = table.query().select(Select::columns(wanted)).execute().await.map_err(fault)?;
    while let Some(batch) = batches.try_next().await.map_err(fault)? {
        let (ids, conversations) = (columns::integers(&batch, ID)?, columns::integers(&batch, CONVERSATION)?);
        rows.extend(ids);
        if let Some(flat) = &mut flat {
            let vectors = columns::vectors(&batch, dimensions)?.chunks_exact(dimensions);
            for ((id, conversation), vector) in ids.iter().zip(conversations).zip(vectors) {
                if !vector.iter().all(|value| value.is_finite()) {
                    return Err(VectorError::Damaged(format!("the vector of passage {id} is not one")));
                }
                flat.set(*id, *conversation, vector);
            }
        }
    }
    if rows.len() != count {
        return Err(VectorError::Damaged(format!("it names {} passages in {count} rows", rows.len())));
    }
    Ok(Held { rows, flat, indexed })
}

/// How so many vectors are held in memory; `None`: they are not.
pub fn held_in(rows: usize, dimensions: usize, tuning: &Tuning) -> Option<Precision> {
    let limits = [(Precision::Full, tuning.flat_bytes), (Precision::Bytes, tuning.coarse_bytes)];
    let fits = |(precision, limit): &(Precision, usize)| Values::size(rows, dimensions, *precision) <= *limit;
    limits.into_iter().find(fits).map(|(precision, _)| precision)
}

/// How looking at every row is called.
pub fn name(precision: Precision) -> &'static str {
    match precision {
        Precision::Full => FLAT,
        Precision::Bytes => FLAT_BYTES,
    }
}

impl Inner {
    async fn put(&self, rows: Vec<Row>) -> Result<u64, VectorError> {
        let mut changes = self.writing.lock().await;
        let replaced: Vec<i64> = {
            let held = self.held.read().await;
            rows.iter().map(|row| row.id).filter(|id| held.rows.contains(id)).collect()
        };
        let batch = columns::batch(&rows, self.dimensions)?;
        self.take_out(&replaced, &mut changes).await?;
        self.table.add(batch).execute().await.map_err(|error| VectorError::of(&error))?;
        changes.since_upkeep += 1;
        let mut held = self.held.write().await;
        for row in &rows {
            held.rows.insert(row.id);
            if let Some(flat) = &mut held.flat {
                flat.put(row);
            }
        }
        drop(held);
        self.look_after(&mut changes).await?;
        self.version().await
    }

    async fn delete(&self, ids: Vec<i64>) -> Result<u64, VectorError> {
        let mut changes = self.writing.lock().await;
        let there: Vec<i64> = {
            let held = self.held.read().await;
            ids.into_iter().filter(|id| held.rows.contains(id)).collect()
        };
        self.take_out(&there, &mut changes).await?;
        self.look_after(&mut changes).await?;
        self.version().await
    }

    /// Deletes rows that are there.
    async fn take_out(&self, ids: &[i64], changes: &mut Changes) -> Result<(), VectorError> {
        for ids in ids.chunks(NAMED) {
            let named: Vec<String> = ids.iter().map(ToString::to_string).collect();
            let which = format!("{ID} IN ({})", named.join(","));
            self.table.delete(which.as_str()).await.map_err(|error| VectorError::of(&error))?;
            changes.since_upkeep += 1;
            let mut held = self.held.write().await;
            for id in ids {
                held.rows.remove(id);
                if let Some(flat) = &mut held.flat {
                    flat.remove(*id);
                }
            }
        }
        Ok(())
    }

    /// What a change may make necessary.
    async fn look_after(&self, changes: &mut Changes) -> Result<(), VectorError> {
        {
            let mut held = self.held.write().await;
            match (held_in(held.rows.len(), self.dimensions, &self.tuning), &held.flat) {
                (None, Some(_)) => {
                    // An index is made before the vectors in memory are let go.
                    drop(held);
                    upkeep::optimize(self).await?;
                    held = self.held.write().await;
                    held.flat = None;
                    changes.since_upkeep = 0;
                }
                (Some(Precision::Bytes), Some(flat)) if flat.precision() == Precision::Full => {
                    held.flat = held.flat.take().map(Flat::in_bytes);
                }
                // What has become fewer is read as it is when the table is next opened.
                (Some(_), _) | (None, None) => {}
            }
        }
        if changes.since_upkeep >= self.tuning.changes {
            upkeep::optimize(self).await?;
            changes.since_upkeep = 0;
        }
        Ok(())
    }

    async fn nearest(&self, vector: Vec<f32>, k: usize, conversation: Option<i64>) -> Result<Vec<Near>, VectorError> {
        let held = self.held.read().await;
        if let Some(flat) = &held.flat {
            return match flat.precision() {
                Precision::Full => Ok(flat.nearest(&vector, k, conversation)),
                Precision::Bytes => {
                    let rows = flat.nearest(&vector, k.saturating_mul(COMPARED_AGAIN) + SOME_MORE, conversation);
                    search::among(&self.table, self.dimensions, &vector, &rows, k).await
                }
            };
        }
        let through = if held.indexed { Through::Index } else { Through::AllRows };
        search::nearest(&self.table, &vector, k, conversation, through).await
    }

    async fn version(&self) -> Result<u64, VectorError> {
        self.table.version().await.map_err(|error| VectorError::of(&error))
    }

    async fn summary(&self) -> Result<Summary, VectorError> {
        let held = self.held.read().await;
        let index = match (&held.flat, held.indexed) {
            (None, true) => upkeep::INDEX,
            (None, false) => FLAT,
            (Some(flat), _) => name(flat.precision()),
        };
        let version = self.version().await?;
        let bytes = bytes(&self.place).map_err(|error| VectorError::of(&error))?;
        Ok(Summary { rows: held.rows.len() as u64, bytes, index: index.to_owned(), version })
    }
}

/// What a folder and all below it take.
pub fn bytes(folder: &Path) -> std::io::Result<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let about = entry.metadata()?;
        sum += if about.is_dir() { bytes(&entry.path())? } else { about.len() };
    }
    Ok(sum)
}

impl VectorStore for Table {
    fn dimensions(&self) -> usize {
        self.inner.dimensions
    }

    fn put(&self, rows: Vec<Row>) -> Done<'_, u64> {
        match unit::rows(rows, self.inner.dimensions) {
            Ok(rows) if rows.is_empty() => self.run(|inner| async move { inner.version().await }),
            Ok(rows) => self.run(|inner| async move { inner.put(rows).await }),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }

    fn delete(&self, ids: Vec<i64>) -> Done<'_, u64> {
        self.run(|inner| async move { inner.delete(ids).await })
    }

    fn nearest(&self, vector: Vec<f32>, k: usize, conversation: Option<i64>) -> Done<'_, Vec<Near>> {
        match unit::unit(vector, self.inner.dimensions) {
            Ok(vector) => self.run(move |inner| async move { inner.nearest(vector, k, conversation).await }),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }

    fn exact(&self, vector: Vec<f32>, k: usize, conversation: Option<i64>) -> Done<'_, Vec<Near>> {
        match unit::unit(vector, self.inner.dimensions) {
            Ok(vector) => self.run(move |inner| async move {
                let _held = inner.held.read().await;
                search::nearest(&inner.table, &vector, k, conversation, Through::AllRows).await
            }),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }

    fn ids(&self) -> Done<'_, Vec<i64>> {
        self.run(|inner| async move {
            let mut ids: Vec<i64> = inner.held.read().await.rows.iter().copied().collect();
            ids.sort_unstable();
            Ok(ids)
        })
    }

    fn summary(&self) -> Done<'_, Summary> {
        self.run(|inner| async move { inner.summary().await })
    }

    fn optimize(&self) -> Done<'_, ()> {
        self.run(|inner| async move {
            let mut changes = inner.writing.lock().await;
            upkeep::optimize(&inner).await?;
            changes.since_upkeep = 0;
            Ok(())
        })
    }

    fn purge(&self) -> Done<'_, u64> {
        self.run(|inner| async move {
            let mut changes = inner.writing.lock().await;
            upkeep::purge(&inner).await?;
            changes.since_upkeep = 0;
            inner.version().await
        })
    }
}
