//! The background job: empties the outbox in rounds, waits when there is nothing to do or nothing can be done.

use super::embedding::{self, Made, TEXTS};
use super::tables::Fault;
use super::{ENABLED, Index, hold};
use crate::core::lull;
use butterfly_store::outbox::models::{self, Model};
use butterfly_store::outbox::{self, Due, Work};
use butterfly_vectors::{Row, VectorError};
use butterfly_wire::Failure;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Outbox rows of one batch: a request's worth, with room for the neighbours that are embedded anew with them. A request for
/// one neighbour alone would double their number.
const BATCH: i64 = TEXTS as i64 - 4;

/// Pauses while there are no vectors to be had: the first, doubled each time up to the last. A model server that was just
/// started is found within a minute.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How often it is told how many wait, while there is work: counting them reads all of them.
const TELLING: Duration = Duration::from_millis(500);

/// Time for the model worker to learn of a changed setting, before it is asked which model it uses now.
const SETTLING: Duration = Duration::from_secs(1);

/// What decides which model makes vectors.
const DECIDING: [&str; 4] = ["model.provider", "model.url", "model.embedding", ENABLED];

/// What the job tells of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Told {
    pub waiting: u64,
    /// Passages done since the start.
    pub done: u64,
    /// Why something still waits.
    pub trouble: Option<String>,
    /// The last of those who asked for a round that has had one.
    pub answered: u64,
}

impl Index {
    /// The background job. It never ends by itself.
    pub async fn run(self: Arc<Self>) {
        let mut stored = self.core.watch();
        let mut settings = self.config.watch();
        let mut deciding = self.deciding();
        let mut pause = FIRST_PAUSE;
        loop {
            let asked = self.asked.load(Ordering::Relaxed);
            stored.mark_unchanged();
            let outcome = self.round(&stored).await;
            let trouble = outcome.err();
            if let Some(trouble) = &trouble {
                tracing::info!(why = %trouble, "vectors wait");
            }
            self.told.send_modify(|told| {
                told.trouble.clone_from(&trouble);
                told.answered = asked;
            });
            let waited = if trouble.is_some() {
                let waited = self.wait_for_better(&mut stored, &mut settings, pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
                waited
            } else {
                pause = FIRST_PAUSE;
                self.wait_for_more(&mut stored, &mut settings).await
            };
            if matches!(waited, Waited::Settings) {
                pause = FIRST_PAUSE;
                let now = self.deciding();
                if now != deciding {
                    deciding = now;
                    tokio::time::sleep(SETTLING).await;
                    self.ask_for_the_model().await;
                }
            }
        }
    }

    fn deciding(&self) -> [String; DECIDING.len()] {
        DECIDING.map(|key| self.config.text(key))
    }

    /// Nothing is left to do.
    async fn wait_for_more(&self, stored: &mut watch::Receiver<u64>, settings: &mut watch::Receiver<u64>) -> Waited {
        loop {
            let rest = self.tables.rest().await;
            tokio::select! {
                _ = stored.changed() => {
                    tokio::select! {
                        () = lull(stored) => {}
                        () = self.wake.notified() => {}
                    }
                    return Waited::Time;
                }
                _ = settings.changed() => return Waited::Settings,
                () = self.wake.notified() => return Waited::Time,
                () = after(rest) => {}
            }
        }
    }

    /// Nothing can be done but deletions.
    async fn wait_for_better(
        &self,
        stored: &mut watch::Receiver<u64>,
        settings: &mut watch::Receiver<u64>,
        pause: Duration,
    ) -> Waited {
        let better = tokio::time::sleep(pause);
        tokio::pin!(better);
        loop {
            let rest = self.tables.rest().await;
            tokio::select! {
                () = &mut better => return Waited::Time,
                _ = settings.changed() => return Waited::Settings,
                () = self.wake.notified() => return Waited::Time,
                _ = stored.changed() => {
                    tokio::select! {
                        () = lull(stored) => {}
                        () = self.wake.notified() => return Waited::Time,
                    }
                    if let Err(failure) = self.delete_due().await {
                        tracing::warn!(why = %failure.message, "vectors could not be deleted yet");
                    }
                    self.tell_waiting().await;
                }
                () = after(rest) => {}
            }
        }
    }

    async fn delete_due(&self) -> Result<(), Failure> {
        let _turn = self.turn.lock().await;
        self.tables.delete_due().await
    }

    async fn tell_waiting(&self) {
        if let Ok(waiting) = self.read(outbox::waiting).await {
            self.told.send_if_modified(|told| std::mem::replace(&mut told.waiting, waiting) != waiting);
        }
    }

    /// Works the outbox off. What comes while it does so waits for the next round, unless it fills a batch or somebody
    /// waits for all of it: a batch costs about as much for one passage as for many.
    ///
    /// # Errors
    /// Why something still waits, for people.
    async fn round(&self, stored: &watch::Receiver<u64>) -> Result<(), String> {
        let plain = |failure: Failure| failure.message;
        {
            let _turn = self.turn.lock().await;
            self.tables.look_after().await.map_err(|fault| fault.to_string())?;
        }
        if !self.config.flag(ENABLED) {
            self.delete_due().await.map_err(plain)?;
            self.tell_waiting().await;
            return Ok(());
        }
        if self.model_is_gone.swap(false, Ordering::Relaxed) {
            self.ask_for_the_model().await;
        }
        let mut told: Option<Instant> = None;
        loop {
            if told.is_none_or(|told| told.elapsed() >= TELLING) {
                self.tell_waiting().await;
                told = Some(Instant::now());
            }
            let work = self.read(|db| outbox::take(db, BATCH)).await.map_err(plain)?;
            if work.is_empty() {
                break;
            }
            let is_full = work.rows.len() as i64 >= BATCH;
            if let Err(trouble) = self.work_off(work).await {
                self.delete_due().await.map_err(plain)?;
                return Err(trouble);
            }
            self.queries.awake();
            // Where something was stored meanwhile, it ends the wait for the next round.
            if !is_full && !self.is_awaited() && stored.has_changed().unwrap_or_default() {
                break;
            }
        }
        self.tell_waiting().await;
        self.change_over().await.map_err(plain)
    }

    /// Whether somebody waits until nothing is left.
    fn is_awaited(&self) -> bool {
        self.asked.load(Ordering::Relaxed) > self.told.borrow().answered
    }

    /// Does one batch.
    async fn work_off(&self, work: Work) -> Result<(), String> {
        let mut made: Vec<(&[Due], Made)> = Vec::new();
        if !work.embed.is_empty() {
            let bus = self.core.bus().ok_or("The worker has just started")?;
            for due in work.embed.chunks(TEXTS) {
                let texts: Vec<String> = due.iter().map(embedding::text).collect();
                made.push((due, embedding::embed(&bus, &texts).await?));
            }
        }
        let done = work.embed.len() as u64;
        let _turn = self.turn.lock().await;
        match self.keep(work.delete, made, work.rows).await {
            Ok(()) => {
                self.told.send_modify(|told| told.done += done);
                Ok(())
            }
            // The outbox rows are still there: after it was made again, the batch comes again.
            Err(Fault::Vectors(VectorError::Damaged(_))) => {
                self.tables.look_after().await.map_err(|fault| fault.to_string())
            }
            Err(fault) => Err(fault.to_string()),
        }
    }

    /// Stores and deletes what a batch asks for; then its outbox rows go.
    async fn keep(&self, mut delete: Vec<i64>, made: Vec<(&[Due], Made)>, rows: Vec<i64>) -> Result<(), Fault> {
        let ids: Vec<i64> = made.iter().flat_map(|(due, _)| due.iter().map(|due| due.passage)).collect();
        // What was forgotten while the model worked must not come back.
        let there: HashSet<i64> = self.read(move |db| outbox::there(db, &ids)).await?;
        let mut put = Vec::new();
        for (due, made) in made {
            let mut vectors = Vec::with_capacity(due.len());
            for (due, vector) in due.iter().zip(made.vectors) {
                match vector {
                    Some(vector) if there.contains(&due.passage) => {
                        vectors.push(Row { id: due.passage, conversation: due.conversation, vector });
                    }
                    Some(_) => {}
                    None => delete.push(due.passage),
                }
            }
            if !vectors.is_empty() {
                let model = self.model(&made.model, made.dimensions).await?;
                put.push(self.tables.put(&model, vectors).await?);
            }
        }
        Ok(self.tables.finish(put, delete, rows).await?)
    }

    /// The model of that name and length; if it is new, all passages are queued for it.
    async fn model(&self, name: &str, dimensions: usize) -> Result<Model, Failure> {
        let last = hold(&self.last_model).clone();
        if let Some(last) = last.filter(|last| last.name == name && last.length() == dimensions) {
            return Ok(last);
        }
        let wanted = name.to_owned();
        let model = self.core.write_quietly(move |db| models::take_up(db, &wanted, dimensions)).await?;
        *hold(&self.last_model) = Some(model.clone());
        self.tables.sweep().await?;
        Ok(model)
    }

    /// Asks which model makes vectors now, so that a change is acted on before the next passage comes.
    async fn ask_for_the_model(&self) {
        let known = self.read(models::all).await.unwrap_or_default();
        let (true, false, Some(bus)) = (self.config.flag(ENABLED), known.is_empty(), self.core.bus()) else { return };
        match embedding::probe(&bus).await {
            Ok((name, dimensions)) => {
                let _turn = self.turn.lock().await;
                if let Err(failure) = self.model(&name, dimensions).await {
                    tracing::warn!(why = %failure.message, "the embedding model could not be changed");
                }
            }
            Err(why) => tracing::info!(%why, "there is no embedding model"),
        }
    }

    /// The outbox is empty: a model that was being filled has all its vectors, and serves.
    async fn change_over(&self) -> Result<(), Failure> {
        let _turn = self.turn.lock().await;
        let models = self.read(models::all).await?;
        let last = hold(&self.last_model).clone();
        let filled =
            models.iter().find(|model| !model.serves() && last.as_ref().is_some_and(|last| last.id == model.id));
        let Some(filled) = filled else { return Ok(()) };
        if self.read(outbox::waiting).await? > 0 {
            return Ok(());
        }
        let id = filled.id;
        self.core.write_quietly(move |db| models::serve(db, id)).await?;
        tracing::info!(model = %filled.name, "another embedding model serves");
        *hold(&self.last_model) = None;
        self.tables.sweep().await
    }
}

/// What ended a wait.
enum Waited {
    Time,
    Settings,
}

/// After that time; never without one.
async fn after(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}
