//! Vectors of all passages, made in the background and searched in the foreground.
//!
//! The outbox says what is due ([`butterfly_store::outbox`]); the model worker makes vectors of it, a batch at a time; the
//! vector store keeps them. It does *not* rank: it gives ids and similarities.
//!
//! Invariants:
//! - An outbox row goes only when the vector store has what it asks for: whatever is interrupted is done again.
//! - Two vectors are compared only if one model made both.
//! - While another model's vectors are being made, the ones there are serve.
//! - A damaged vector store is thrown away and made again, without a question; searches say so meanwhile.
//! - The vector store is open only while it is used: at rest it takes no memory and no thread.

mod embedding;
mod queries;
mod rounds;
mod tables;

pub use queries::QueryVector;

use crate::config::Config;
use crate::core::Core;
use butterfly_client::Bus;
use butterfly_store::StoreError;
use butterfly_store::outbox::{self, models};
use butterfly_vectors::{Lance, VectorStores};
use butterfly_wire::Failure;
use diesel::SqliteConnection;
use queries::Queries;
use rounds::Told;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tables::Tables;
use tokio::sync::{Notify, watch};

/// The vector store's folder, within the data folder.
pub const FOLDER: &str = "vectors";

/// `memory.enabled`: off means no embedding.
const ENABLED: &str = "memory.enabled";

/// Vectors of all passages.
pub struct Index {
    core: Arc<Core>,
    config: Arc<Config>,
    tables: Tables,
    queries: Queries,
    /// Held while vectors are stored or deleted, never while a model is waited for.
    turn: tokio::sync::Mutex<()>,
    /// Somebody wants a round now.
    wake: Notify,
    asked: AtomicU64,
    /// The model whose vectors serve makes none for a question any more: which one does is to be asked.
    model_is_gone: AtomicBool,
    told: watch::Sender<Told>,
    /// The model that made the last vectors, so that it is looked up once.
    last_model: Mutex<Option<models::Model>>,
}

/// How it stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IndexStatus {
    /// The model whose vectors serve; empty: none does.
    pub model: String,
    /// The length of its vectors.
    pub dimensions: u32,
    /// How they are searched, such as `flat`; empty while there are none.
    pub index: String,
    /// Passages that wait for their vector.
    pub waiting: u64,
    pub vectors: u64,
    /// On disk.
    pub bytes: u64,
    /// What a search by meaning goes without, why, and what to do about it.
    pub degraded: Option<String>,
}

/// How far [`Index::settle`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub waiting: u64,
    pub done: u64,
}

impl Index {
    /// Vectors in the data folder. Nothing is opened yet.
    #[must_use]
    pub fn new(core: Arc<Core>, config: Arc<Config>) -> Arc<Self> {
        let stores = Arc::new(Lance::new(&core.store().folder().join(FOLDER)));
        Self::with_stores(core, config, stores)
    }

    /// Vectors wherever they are kept.
    #[must_use]
    pub fn with_stores(core: Arc<Core>, config: Arc<Config>, stores: Arc<dyn VectorStores>) -> Arc<Self> {
        Arc::new(Self {
            tables: Tables::new(Arc::clone(&core), stores),
            queries: Queries::default(),
            turn: tokio::sync::Mutex::default(),
            wake: Notify::new(),
            asked: AtomicU64::new(0),
            model_is_gone: AtomicBool::new(false),
            told: watch::Sender::new(Told::default()),
            last_model: Mutex::new(None),
            core,
            config,
        })
    }

    /// The vector of what somebody looks for, made by the model whose vectors serve.
    ///
    /// # Errors
    /// Why meaning is not searched, for people.
    pub async fn query_vector(&self, bus: &Bus, text: &str, within: Duration) -> Result<QueryVector, String> {
        if !self.config.flag(ENABLED) {
            return Err(format!("`{ENABLED}` is off, so that nothing is searched by meaning"));
        }
        let models = self.read(models::all).await.map_err(|failure| failure.message)?;
        if models.is_empty() {
            return Err(self
                .trouble()
                .unwrap_or_else(|| "No passage has a vector yet: they are being made".to_owned()));
        }
        // The serving one first. If it is gone from the model server, the one that is being filled finds at least a part.
        let mut why = String::new();
        for model in &models {
            match self.queries.vector(bus, model, text, within).await {
                Ok(vector) => return Ok(vector),
                Err(refused) if refused.missing => why = refused.message,
                Err(refused) => return Err(refused.message),
            }
        }
        self.model_is_gone.store(true, Ordering::Relaxed);
        self.wake.notify_one();
        Err(why)
    }

    /// The passages whose vectors are most like this one, with their cosine similarity, best first; of that conversation
    /// alone if one is named.
    ///
    /// # Errors
    /// Why meaning is not searched, for people.
    pub async fn nearest(
        &self,
        vector: &QueryVector,
        k: usize,
        conversation: Option<i64>,
    ) -> Result<Vec<(i64, f32)>, String> {
        let found = self.tables.nearest(vector, k, conversation).await;
        if self.tables.wants_attention() {
            self.wake.notify_one();
        }
        found.map_err(|error| format!("Meaning is not searched: {error}"))
    }

    /// How it stands. Opens nothing.
    ///
    /// # Errors
    /// The database's.
    pub async fn status(&self) -> Result<IndexStatus, Failure> {
        let (models, vectors, waiting) = self
            .read(|db| {
                let models = models::all(db)?;
                let vectors = models.first().map_or(Ok(0), |model| models::vectors(db, model.id))?;
                Ok((models, vectors, outbox::waiting(db)?))
            })
            .await?;
        let bytes = self.tables.stores().bytes().await.unwrap_or_default();
        let mut status = IndexStatus { waiting, vectors, bytes, degraded: self.trouble(), ..IndexStatus::default() };
        if let Some(model) = models.first() {
            status.model.clone_from(&model.name);
            status.dimensions = model.dimensions.unsigned_abs();
            if vectors > 0 {
                status.index = self.tables.stores().index(vectors, model.length()).to_owned();
            }
        }
        if status.degraded.is_none() {
            status.degraded = degraded(&models, waiting);
        }
        if !self.config.flag(ENABLED) {
            status.degraded = Some(format!("`{ENABLED}` is off, so that nothing is embedded or searched by meaning"));
        }
        Ok(status)
    }

    /// Waits until every passage has its vector, or nothing can be done about it now: then it says why.
    pub async fn settle<P, F>(&self, mut progress: P) -> Option<String>
    where
        P: FnMut(Progress) -> F + Send,
        F: Future<Output = ()> + Send,
    {
        let mut told = self.told.subscribe();
        let mine = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        self.wake.notify_one();
        let before = told.borrow().done;
        let mut last = None;
        loop {
            let now = told.borrow_and_update().clone();
            let reached = Progress { waiting: now.waiting, done: now.done - before };
            if now.answered >= mine {
                return now.trouble;
            }
            if last != Some(reached) {
                progress(reached).await;
                last = Some(reached);
            }
            if told.changed().await.is_err() {
                return now.trouble;
            }
        }
    }

    /// The vectors of these passages are found no more. Their bytes go with [`Index::vacuum`].
    ///
    /// # Errors
    /// The database's or the vector store's.
    pub async fn forget(&self, ids: Vec<i64>) -> Result<(), Failure> {
        let _turn = self.turn.lock().await;
        self.tables.delete(ids, Vec::new()).await
    }

    /// Removes every byte of deleted and replaced vectors from the disk.
    ///
    /// # Errors
    /// The database's or the vector store's.
    pub async fn vacuum(&self) -> Result<(), Failure> {
        let _turn = self.turn.lock().await;
        self.tables.delete_due().await?;
        self.tables.purge().await
    }

    fn trouble(&self) -> Option<String> {
        self.told.borrow().trouble.clone()
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Failure> {
        self.core.read(work).await
    }
}

/// What a search goes without while vectors are made.
fn degraded(models: &[models::Model], waiting: u64) -> Option<String> {
    let serving = models.iter().find(|model| model.serves())?;
    let filling = models.iter().find(|model| !model.serves())?;
    Some(format!(
        "{waiting} passages wait for a vector of {}; until they have it, those of {} are searched",
        filling.name, serving.name
    ))
}

/// A lock that nothing panics under.
fn hold<T>(lock: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
