//! Care that nobody has to ask for: retention at the start and once a day, and rewritten files some time after something
//! was forgotten.

use crate::config::Config;
use crate::core::{Core, blocking, lull};
use crate::indexing::Index;
use butterfly_api::storage::Retained;
use butterfly_store::facts::now_ms;
use butterfly_store::{care, notes};
use butterfly_wire::Failure;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, sleep, sleep_until};

/// How many days what was said is kept; 0: for ever.
pub const RETENTION: &str = "memory.retention_days";

/// Between two runs of retention.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// After the start, so that retention does not stand in anybody's way then.
const SETTLED: Duration = Duration::from_secs(20);

/// Without a change in the store for so long, nobody minds that it is rewritten.
const IDLE: Duration = Duration::from_secs(2 * 60);

/// Without a write for so long, the database's log is cut: the next one is not about to come.
const QUIET: Duration = Duration::from_secs(5);

/// After a run that failed, such as for want of room.
const AGAIN: Duration = Duration::from_secs(60 * 60);

/// What keeps the store in order.
pub struct Care {
    core: Arc<Core>,
    index: Arc<Index>,
    /// One at a time: each of these rewrites or deletes much.
    turn: Mutex<()>,
}

impl Care {
    #[must_use]
    pub fn new(core: Arc<Core>, index: Arc<Index>) -> Arc<Self> {
        Arc::new(Self { core, index, turn: Mutex::default() })
    }

    /// While it is held, nobody rewrites the files or deletes in great numbers: a copy of them keeps their log.
    pub async fn hold(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Rewrites all files, so that nothing that was deleted is left in them.
    ///
    /// # Errors
    /// The vector store's or the database's, such as for want of room.
    pub async fn vacuum(&self) -> Result<(), Failure> {
        let _turn = self.turn.lock().await;
        self.index.vacuum().await?;
        let store = Arc::clone(self.core.store());
        blocking(move || care::vacuum(&store, now_ms())).await
    }

    /// Whether the files may still hold something that was forgotten.
    ///
    /// # Errors
    /// The database's.
    pub async fn has_forgotten(&self) -> Result<bool, Failure> {
        self.core.read(|db| Ok(notes::get::<i64>(db, notes::FORGOTTEN)?.is_some())).await
    }

    /// Deletes what is older than `days` (0: nothing) or was in the trash for its time.
    ///
    /// # Errors
    /// The database's.
    pub async fn retain(&self, days: i64) -> Result<Retained, Failure> {
        let _turn = self.turn.lock().await;
        let store = Arc::clone(self.core.store());
        let done = blocking(move || care::retention::retain(&store, days, now_ms())).await;
        self.core.stored();
        let done = done?;
        if done.passages > 0 || done.conversations > 0 {
            tracing::info!(
                conversations = done.conversations,
                passages = done.passages,
                facts = done.facts,
                "deleted what was kept for its time"
            );
        }
        Ok(done)
    }

    /// Does all of it when it is time, for ever.
    pub async fn run(self: Arc<Self>, config: Arc<Config>) {
        tokio::join!(self.retain_daily(config), self.vacuum_when_idle(), self.cut_log_when_quiet());
    }

    async fn retain_daily(&self, config: Arc<Config>) {
        let mut changes = config.watch();
        let mut due = Instant::now() + SETTLED;
        let mut days = config.integer(RETENTION);
        loop {
            tokio::select! {
                () = sleep_until(due) => {}
                changed = changes.changed() => {
                    let now = config.integer(RETENTION);
                    if changed.is_err() {
                        // Nobody can change a setting any more.
                        sleep_until(due).await;
                    } else if now == days {
                        continue;
                    }
                }
            }
            days = config.integer(RETENTION);
            due = Instant::now() + DAY;
            if let Err(failure) = self.retain(days).await {
                tracing::warn!("what is too old could not be deleted: {failure}");
                due = Instant::now() + AGAIN;
            }
        }
    }

    /// SQLite writes its log back by itself, and keeps the file as long as it once was.
    async fn cut_log_when_quiet(&self) {
        let mut writes = self.core.watch_writes();
        while writes.changed().await.is_ok() {
            while tokio::time::timeout(QUIET, writes.changed()).await.is_ok() {}
            let _turn = self.turn.lock().await;
            let store = Arc::clone(self.core.store());
            if let Err(failure) = blocking(move || care::cut_log(&store)).await {
                tracing::debug!("the database's log stays as long as it is: {failure}");
            }
        }
    }

    async fn vacuum_when_idle(&self) {
        let mut changes = self.core.watch();
        loop {
            if !matches!(self.has_forgotten().await, Ok(true)) {
                if changes.changed().await.is_err() {
                    return;
                }
                lull(&mut changes).await;
                continue;
            }
            // Whoever stores something puts it off.
            while tokio::time::timeout(IDLE, changes.changed()).await.is_ok() {}
            match self.vacuum().await {
                Ok(()) => tracing::info!("rewrote the store without what was forgotten"),
                Err(failure) => {
                    tracing::warn!("the store could not be rewritten: {failure}");
                    sleep(AGAIN).await;
                }
            }
        }
    }
}
