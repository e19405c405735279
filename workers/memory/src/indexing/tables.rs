//! The vector store's tables: opened when first needed, let go when idle, compared with the database, made again when
//! damaged.

use super::hold;
use super::queries::QueryVector;
use crate::core::Core;
use butterfly_store::outbox::models::{self, Model};
use butterfly_store::outbox::{self, Work, reconcile};
use butterfly_vectors::{Row, VectorError, VectorStore, VectorStores};
use butterfly_wire::{ErrorCode, Failure};
use diesel::SqliteConnection;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use thiserror::Error;

/// A table that nobody used for so long is let go: a pause between two questions of one conversation is shorter.
const IDLE: Duration = Duration::from_secs(60);

/// A table that nothing was written to for so long is put in order.
const QUIET: Duration = Duration::from_secs(5);

/// A store that is damaged again and again is not made again and again: the disk is broken, or something else writes there.
const REBUILDS: u32 = 3;

/// Deletions that are taken from the outbox at once.
const DELETIONS: i64 = 512;

/// What may go wrong with a table.
#[derive(Debug, Error)]
pub(super) enum Fault {
    #[error("{0}")]
    Vectors(#[from] VectorError),
    #[error("{}", .0.message)]
    Database(Failure),
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Self::Database(failure)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Vectors(error) => Self::new(ErrorCode::Internal, error.to_string()),
            Fault::Database(failure) => failure,
        }
    }
}

/// Vectors that a table has, and the database does not know of yet.
pub(super) struct Put {
    model: i64,
    version: i64,
    passages: Vec<i64>,
}

struct Open {
    store: Arc<dyn VectorStore>,
    used: Instant,
    /// When it was last written to, unless it has been put in order since.
    written: Option<Instant>,
}

/// Tables by their models' ids.
pub(super) struct Tables {
    core: Arc<Core>,
    stores: Arc<dyn VectorStores>,
    open: tokio::sync::Mutex<HashMap<i64, Open>>,
    care: Mutex<Care>,
}

/// What the background has to look at.
#[derive(Default)]
struct Care {
    /// Opened by this process, and compared with the database or not yet.
    compared: BTreeSet<i64>,
    uncompared: BTreeSet<i64>,
    /// Said to be damaged.
    suspects: BTreeSet<i64>,
    rebuilds: u32,
}

impl Tables {
    pub(super) fn new(core: Arc<Core>, stores: Arc<dyn VectorStores>) -> Self {
        Self { core, stores, open: tokio::sync::Mutex::default(), care: Mutex::default() }
    }

    pub(super) fn stores(&self) -> &Arc<dyn VectorStores> {
        &self.stores
    }

    /// Whether [`Tables::look_after`] has something to do.
    pub(super) fn wants_attention(&self) -> bool {
        let care = hold(&self.care);
        !care.uncompared.is_empty() || !care.suspects.is_empty()
    }

    async fn get(&self, model: &Model) -> Result<Arc<dyn VectorStore>, VectorError> {
        let mut open = self.open.lock().await;
        if let Some(table) = open.get_mut(&model.id) {
            table.used = Instant::now();
            return Ok(Arc::clone(&table.store));
        }
        let opened = self.open_whole(model).await;
        if matches!(opened, Err(VectorError::Damaged(_))) {
            hold(&self.care).suspects.insert(model.id);
        }
        let store = opened?;
        {
            let mut care = hold(&self.care);
            if !care.compared.contains(&model.id) {
                care.uncompared.insert(model.id);
            }
        }
        open.insert(model.id, Open { store: Arc::clone(&store), used: Instant::now(), written: None });
        Ok(store)
    }

    /// A table that has lost nothing since its version was noted.
    async fn open_whole(&self, model: &Model) -> Result<Arc<dyn VectorStore>, VectorError> {
        let store = self.stores.open(&model.table(), model.length()).await?;
        let version = store.summary().await?.version;
        if version < model.version.unsigned_abs() {
            return Err(VectorError::Damaged(format!("it is at version {version}, and was at {}", model.version)));
        }
        Ok(store)
    }

    /// Searches the table of the model that made the vector.
    pub(super) async fn nearest(
        &self,
        vector: &QueryVector,
        k: usize,
        conversation: Option<i64>,
    ) -> Result<Vec<(i64, f32)>, VectorError> {
        let store = self.get(vector.model()).await?;
        let found = store.nearest(vector.to_vec(), k, conversation).await;
        if matches!(found, Err(VectorError::Damaged(_))) {
            hold(&self.care).suspects.insert(vector.model().id);
        }
        Ok(found?.into_iter().map(|near| (near.id, near.similarity)).collect())
    }

    /// Stores vectors of passages that are still there. That they are is noted by [`Tables::finish`].
    pub(super) async fn put(&self, model: &Model, rows: Vec<Row>) -> Result<Put, Fault> {
        let passages: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let store = self.get(model).await?;
        let stored = store.put(rows).await;
        if matches!(stored, Err(VectorError::Damaged(_))) {
            hold(&self.care).suspects.insert(model.id);
        }
        let version = i64::try_from(stored?).unwrap_or(i64::MAX);
        self.written(model.id).await;
        Ok(Put { model: model.id, version, passages })
    }

    /// Deletes vectors from every table that has them, and the outbox rows that asked for it.
    pub(super) async fn delete(&self, ids: Vec<i64>, rows: Vec<i64>) -> Result<(), Failure> {
        self.finish(Vec::new(), ids, rows).await
    }

    /// Ends a batch: deletes these vectors from every table that has them, and notes in one commit which are stored, which
    /// are gone, and that these outbox rows are done.
    pub(super) async fn finish(&self, put: Vec<Put>, ids: Vec<i64>, rows: Vec<i64>) -> Result<(), Failure> {
        if put.is_empty() && ids.is_empty() && rows.is_empty() {
            return Ok(());
        }
        let asked = ids.clone();
        let holding = match asked.is_empty() {
            true => Vec::new(),
            false => self.core.read(move |db| models::holding(db, &asked)).await?,
        };
        for model in holding {
            let store = self.get(&model).await.map_err(Fault::from)?;
            let done = store.delete(ids.clone()).await;
            if matches!(done, Err(VectorError::Damaged(_))) {
                hold(&self.care).suspects.insert(model.id);
            }
            done.map_err(Fault::from)?;
            self.written(model.id).await;
        }
        let note = move |db: &mut SqliteConnection| {
            for put in &put {
                outbox::embedded(db, put.model, put.version, &put.passages, &[])?;
            }
            outbox::deleted(db, &ids, &rows)
        };
        self.core.write_quietly(note).await
    }

    /// Does all deletions that are due.
    pub(super) async fn delete_due(&self) -> Result<(), Failure> {
        loop {
            let work: Work = self.core.read(|db| outbox::take_deletions(db, DELETIONS)).await?;
            if work.is_empty() {
                return Ok(());
            }
            self.delete(work.delete, work.rows).await?;
        }
    }

    async fn written(&self, model: i64) {
        if let Some(table) = self.open.lock().await.get_mut(&model) {
            table.written = Some(Instant::now());
            table.used = Instant::now();
        }
    }

    /// Compares what was opened with the database, and makes again what is damaged.
    pub(super) async fn look_after(&self) -> Result<(), Fault> {
        let (suspects, uncompared) = {
            let care = hold(&self.care);
            (care.suspects.clone(), care.uncompared.clone())
        };
        if suspects.is_empty() && uncompared.is_empty() {
            return Ok(());
        }
        for model in self.core.read(models::all).await? {
            if suspects.contains(&model.id) {
                self.check(&model).await?;
            }
            if uncompared.contains(&model.id) {
                self.compare(&model).await?;
            }
        }
        let mut care = hold(&self.care);
        care.suspects.retain(|id| !suspects.contains(id));
        care.uncompared.retain(|id| !uncompared.contains(id));
        Ok(())
    }

    /// Opens a suspect anew and reads it. If it is damaged indeed, it is thrown away, and its passages are queued.
    async fn check(&self, model: &Model) -> Result<(), Fault> {
        self.close(model.id).await;
        let mut probe = vec![0.0; model.length()];
        if let Some(first) = probe.first_mut() {
            *first = 1.0;
        }
        let read = async {
            let store = self.open_whole(model).await?;
            store.nearest(probe.clone(), 1, None).await?;
            store.exact(probe, 1, None).await
        };
        match read.await {
            Ok(_) => return Ok(()),
            Err(error @ (VectorError::Refused(_) | VectorError::DiskFull | VectorError::Failed(_))) => {
                return Err(error.into());
            }
            Err(VectorError::Damaged(why)) => {
                let mut care = hold(&self.care);
                if care.rebuilds == REBUILDS {
                    let message = format!(
                        "it was damaged {REBUILDS} times ({why}); check the disk of {}, then restart memory",
                        self.core.store().folder().display()
                    );
                    return Err(VectorError::Failed(message).into());
                }
                care.rebuilds += 1;
                tracing::warn!(%why, model = %model.name, "the vector store is damaged; it is made again");
            }
        }
        self.stores.remove(&model.table()).await?;
        let id = model.id;
        self.core.write_quietly(move |db| models::start_over(db, id)).await?;
        Ok(())
    }

    /// Queues what the table lacks, and deletes what has no passage.
    async fn compare(&self, model: &Model) -> Result<(), Fault> {
        let store = self.get(model).await?;
        let held = store.ids().await?;
        let compared = model.clone();
        let orphans = self.core.write_quietly(move |db| reconcile::reconcile(db, &compared, &held)).await?;
        if !orphans.is_empty() {
            store.delete(orphans).await?;
            self.written(model.id).await;
            let id = model.id;
            self.core.write_quietly(move |db| models::soiled(db, id)).await?;
        }
        hold(&self.care).compared.insert(model.id);
        Ok(())
    }

    /// Removes every byte of what was deleted from the disk.
    pub(super) async fn purge(&self) -> Result<(), Failure> {
        self.sweep().await?;
        for model in self.core.read(models::all).await? {
            if !hold(&self.care).compared.contains(&model.id) {
                // What a killed process left is known only by comparing. A damaged one is made again below.
                match self.get(&model).await {
                    Ok(_) | Err(VectorError::Damaged(_)) => {}
                    Err(error @ (VectorError::Refused(_) | VectorError::DiskFull | VectorError::Failed(_))) => {
                        return Err(Fault::from(error).into());
                    }
                }
            }
        }
        self.look_after().await?;
        for model in self.core.read(models::all).await?.into_iter().filter(|model| model.stale) {
            let version = self.get(&model).await.map_err(Fault::from)?.purge().await.map_err(Fault::from)?;
            if let Some(table) = self.open.lock().await.get_mut(&model.id) {
                table.written = None;
            }
            let version = i64::try_from(version).unwrap_or(i64::MAX);
            self.core.write_quietly(move |db| models::purged(db, model.id, version)).await?;
        }
        Ok(())
    }

    /// Removes tables whose models are gone.
    pub(super) async fn sweep(&self) -> Result<(), Failure> {
        let names = self.stores.names().await.map_err(Fault::from)?;
        let models = self.core.read(models::all).await?;
        self.open.lock().await.retain(|id, _| models.iter().any(|model| model.id == *id));
        for name in names.iter().filter(|name| models.iter().all(|model| model.table() != **name)) {
            self.stores.remove(name).await.map_err(Fault::from)?;
        }
        Ok(())
    }

    async fn close(&self, model: i64) {
        self.open.lock().await.remove(&model);
    }

    /// Puts in order what has been written to and is quiet, lets go what is idle, and says when to come again.
    pub(super) async fn rest(&self) -> Option<Duration> {
        let now = Instant::now();
        let quiet: Vec<(i64, Arc<dyn VectorStore>)> = {
            let open = self.open.lock().await;
            let due = open.iter().filter(|(_, table)| table.written.is_some_and(|at| now - at >= QUIET));
            due.map(|(id, table)| (*id, Arc::clone(&table.store))).collect()
        };
        for (id, store) in quiet {
            if let Err(error) = store.optimize().await {
                tracing::warn!(%error, "the vector store could not be put in order");
                if matches!(error, VectorError::Damaged(_)) {
                    hold(&self.care).suspects.insert(id);
                }
            }
            if let Some(table) = self.open.lock().await.get_mut(&id) {
                table.written = None;
            }
        }
        let mut open = self.open.lock().await;
        open.retain(|_, table| table.used.elapsed() < IDLE);
        let next = open.values().map(|table| match table.written {
            Some(_) => QUIET,
            None => IDLE.saturating_sub(table.used.elapsed()).max(Duration::from_millis(10)),
        });
        next.min()
    }
}
