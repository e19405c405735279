//! How the worker finds itself: the database, the disk, and whether search by meaning keeps up.

use crate::core::{Core, blocking};
use crate::indexing::Index;
use butterfly_api::health::{Check, Level};
use butterfly_store::{StoreError, care, space};
use std::sync::{Arc, Mutex, PoisonError};

/// A database up to this size is read as a whole whenever somebody asks: some 50 ms. Larger ones were read once, after
/// the start.
const READ_BYTES: u64 = 32 << 20;

/// Room that is little: a copy before a migration, or a vacuum, wants as much as the store takes.
const LITTLE_BYTES: u64 = 512 << 20;

/// Room at which saving will fail soon.
const SCARCE_BYTES: u64 = 32 << 20;

/// The worker's own checks.
pub struct Checks {
    core: Arc<Core>,
    index: Arc<Index>,
    /// What reading the whole database found, where it was too large to be read at the start.
    read: Mutex<Option<Result<(), String>>>,
}

impl Checks {
    #[must_use]
    pub fn new(core: Arc<Core>, index: Arc<Index>) -> Arc<Self> {
        Arc::new(Self { core, index, read: Mutex::new(None) })
    }

    /// Reads a large database as a whole, once, in the background: a small one was read when it was opened.
    pub async fn read_all(self: Arc<Self>) {
        let store = Arc::clone(self.core.store());
        let found = blocking(move || {
            if space::used(&store.file()) <= READ_BYTES {
                return Ok(None);
            }
            Ok(Some(whole(care::verify(&store))?))
        })
        .await;
        let Ok(Some(found)) = found else { return };
        if let Err(fault) = &found {
            tracing::error!("{fault}");
        }
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
    }

    /// Looks at everything now.
    pub async fn all(&self) -> Vec<Check> {
        let mut checks = vec![self.database().await, self.disk().await];
        checks.extend(self.vectors().await);
        checks
    }

    async fn database(&self) -> Check {
        let store = Arc::clone(self.core.store());
        let known = self.read.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let found = blocking(move || {
            let bytes = space::used(&store.file());
            let read = match known {
                Some(known) => known,
                None if bytes <= READ_BYTES => whole(care::verify(&store))?,
                // It is being read just now.
                None => Ok(()),
            };
            Ok((bytes, read))
        })
        .await;
        match found {
            Ok((bytes, Ok(()))) => {
                check("database", Level::Ok, format!("the database is whole ({})", megabytes(bytes)), "")
            }
            Ok((_, Err(fault))) => check("database", Level::Failing, fault, RESTORE),
            Err(failure) => check("database", Level::Failing, failure.message, RESTORE),
        }
    }

    async fn disk(&self) -> Check {
        let folder = self.core.store().folder().to_owned();
        let free = blocking(move || Ok(space::available(&folder))).await.ok().flatten();
        let Some(free) = free else {
            return check("disk space", Level::Ok, "the system does not say how much room there is".to_owned(), "");
        };
        let found = format!("{} are free where the store lies", megabytes(free));
        match free {
            _ if free < SCARCE_BYTES => {
                check("disk space", Level::Failing, found, "Make room: soon nothing can be saved.")
            }
            _ if free < LITTLE_BYTES => check(
                "disk space",
                Level::Warning,
                found,
                "Make room, or move the store: `butterfly config set memory.db_path FOLDER`.",
            ),
            _ => check("disk space", Level::Ok, found, ""),
        }
    }

    async fn vectors(&self) -> Vec<Check> {
        let status = match self.index.status().await {
            Ok(status) => status,
            Err(failure) => return vec![check("vectors", Level::Warning, failure.message, "")],
        };
        let step = match (&status.degraded, status.waiting) {
            (None, 0) => check("vectors", Level::Ok, format!("all {} passages have their vector", status.vectors), ""),
            (None, waiting) => check(
                "vectors",
                Level::Ok,
                format!("{waiting} passages wait for their vector, {} have it", status.vectors),
                "",
            ),
            (Some(why), _) => check("vectors", Level::Warning, why.clone(), ""),
        };
        let model = match status.model.is_empty() {
            true => check(
                "embedding model",
                Level::Ok,
                "none has made a vector yet; words, time and links are searched".to_owned(),
                "",
            ),
            false => {
                check("embedding model", Level::Ok, format!("{} ({} dimensions)", status.model, status.dimensions), "")
            }
        };
        vec![step, model]
    }
}

/// What to do about a damaged database.
const RESTORE: &str = "Restore a copy: `butterfly restore FILE`.";

/// A damaged database is what was found; any other failure is one of looking.
fn whole(found: Result<(), StoreError>) -> Result<Result<(), String>, StoreError> {
    match found {
        Ok(()) => Ok(Ok(())),
        Err(damage @ StoreError::Corrupt { .. }) => Ok(Err(damage.to_string())),
        Err(other) => Err(other),
    }
}

pub(crate) fn check(name: &str, level: Level, found: String, next_step: &str) -> Check {
    Check { name: name.to_owned(), level, found, next_step: next_step.to_owned() }
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}
