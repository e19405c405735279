//! The service `storage`: counts, files without what was forgotten, copies and their return.
//!
//! It does *not* decide what goes: people forget, and [`crate::care`] follows the settings.

use crate::care::Care;
use crate::config::Config;
use crate::conversations::CHUNK_BYTES;
use crate::core::{Core, blocking};
use crate::indexing::{FOLDER, Index};
use butterfly_api::Chunk;
use butterfly_api::storage::{BackedUp, Restored, Retained, Stats, Storage, Vacuumed};
use butterfly_client::{Call, Inlet, Outlet};
use butterfly_store::database::SCRATCH;
use butterfly_store::facts::now_ms;
use butterfly_store::{StoreError, backups, care, notes, replace, space};
use butterfly_wire::{ErrorCode, Failure};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Bytes of a copy that are read or written at once: few trips to the disk, and little memory.
const PIECE_BYTES: usize = 1 << 20;

/// Ends this process once its replies are sent, so that its successor opens the other store.
pub type Leave = Arc<dyn Fn() + Send + Sync>;

/// Serves the store as a whole.
pub struct Service {
    core: Arc<Core>,
    config: Arc<Config>,
    index: Arc<Index>,
    care: Arc<Care>,
    leave: Leave,
}

impl Service {
    #[must_use]
    pub fn new(core: Arc<Core>, config: Arc<Config>, index: Arc<Index>, care: Arc<Care>, leave: Leave) -> Self {
        Self { core, config, index, care, leave }
    }
}

impl Storage for Service {
    async fn stats(&self, _: Call, (): ()) -> Result<Stats, Failure> {
        let folder = self.core.store().folder().to_owned();
        let (counts, retained, vacuumed) = self
            .core
            .read(|db| {
                let retained: Option<Retained> = notes::get(db, notes::RETAINED)?;
                let vacuumed: Option<u64> = notes::get(db, notes::VACUUMED)?;
                Ok((care::counts(db)?, retained, vacuumed))
            })
            .await?;
        let index = self.index.status().await?;
        let measured = blocking(move || Ok(Measured::of(&folder))).await?;
        let number = |count: i64| u64::try_from(count).unwrap_or(0);
        Ok(Stats {
            conversations: number(counts.conversations),
            messages: number(counts.messages),
            memories: number(counts.memories),
            summaries: number(counts.summaries),
            entities: number(counts.entities),
            facts: number(counts.facts),
            edges: number(counts.edges),
            waiting_for_vectors: index.waiting,
            vectors: index.vectors,
            embedding_model: index.model,
            dimensions: index.dimensions,
            vector_index: index.index,
            database_bytes: measured.database,
            vector_bytes: measured.vectors,
            folder: self.core.store().folder().display().to_string(),
            degraded: index.degraded,
            last_retention: retained,
            last_vacuum_unix_ms: vacuumed,
            backups: measured.backups,
        })
    }

    async fn vacuum(&self, _: Call, (): ()) -> Result<Vacuumed, Failure> {
        let started = Instant::now();
        let folder = self.core.store().folder().to_owned();
        let size = move || Ok(space::used(&folder));
        let before = blocking(size.clone()).await?;
        self.care.vacuum().await?;
        let after = blocking(size).await?;
        let took = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(Vacuumed { bytes_before: before, bytes_after: after, took_ms: took })
    }

    async fn retain(&self, _: Call, (): ()) -> Result<Retained, Failure> {
        self.care.retain(self.config.integer(crate::care::RETENTION)).await
    }

    async fn backup(&self, _: Call, (): (), mut out: Outlet<Chunk>) -> Result<BackedUp, Failure> {
        let store = Arc::clone(self.core.store());
        let scratch = Scratch::new(store.folder(), "backup");
        let name = scratch.name.clone();
        let turn = self.care.hold().await;
        let copied = blocking(move || {
            let copy = care::copy(&store, &name)?;
            Ok(File::open(copy)?)
        })
        .await?;
        drop(turn);
        let mut file = Some(copied);
        let mut hash = Sha256::new();
        let mut bytes = 0_u64;
        while let Some(mut reading) = file.take() {
            let (rest, piece) = blocking(move || {
                let mut piece = Vec::with_capacity(PIECE_BYTES);
                (&mut reading).take(PIECE_BYTES as u64).read_to_end(&mut piece)?;
                Ok((reading, piece))
            })
            .await?;
            for chunk in piece.chunks(CHUNK_BYTES) {
                out.send(&Chunk { bytes: chunk.to_vec() }).await?;
            }
            hash.update(&piece);
            bytes += u64::try_from(piece.len()).unwrap_or(0);
            // An empty piece is the end.
            file = (!piece.is_empty()).then_some(rest);
        }
        Ok(BackedUp { bytes, sha256: hexadecimal(&hash.finalize()) })
    }

    async fn restore(&self, _: Call, (): (), chunks: Inlet<Chunk>) -> Result<Restored, Failure> {
        let store = Arc::clone(self.core.store());
        let restored = receive(store.folder().to_owned(), chunks).await?;
        // The store that is replaced is kept, and is not told of any more what was forgotten: it must not hold it.
        if self.care.has_forgotten().await? {
            self.care.vacuum().await?;
        }
        // From here on nobody is told of the old store, which would be gone in a moment.
        blocking(move || {
            store.close();
            Ok(())
        })
        .await?;
        (self.leave)();
        Ok(restored)
    }
}

/// Takes in a copy, checks it as a whole, and lets it take the database's place at the next opening.
///
/// # Errors
/// Why the copy was not used; then nothing has changed.
pub(crate) async fn receive(folder: PathBuf, mut chunks: Inlet<Chunk>) -> Result<Restored, Failure> {
    let scratch = Scratch::new(&folder, "restore");
    let path = scratch.path.clone();
    let mut file = blocking(move || {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        Ok(File::create(&path)?)
    })
    .await?;
    let mut piece = Vec::with_capacity(PIECE_BYTES);
    let mut received = 0_u64;
    loop {
        let chunk = chunks.next().await?;
        let last = chunk.is_none();
        piece.extend(chunk.into_iter().flat_map(|chunk| chunk.bytes));
        if piece.len() >= PIECE_BYTES || last {
            received += u64::try_from(piece.len()).unwrap_or(0);
            let full = std::mem::take(&mut piece);
            file = blocking(move || {
                file.write_all(&full).map_err(room)?;
                Ok(file)
            })
            .await?;
        }
        if last {
            break;
        }
    }
    if received == 0 {
        return Err(Failure::new(ErrorCode::BadPayload, "the copy is empty and was not used; choose another one"));
    }
    let path = scratch.path.clone();
    blocking(move || {
        file.sync_all()?;
        drop(file);
        let checked = replace::check(&path)?;
        let previous = replace::schedule(&folder, &checked, now_ms())?;
        Ok(Restored { conversations: checked.conversations, messages: checked.messages, previous })
    })
    .await
}

/// A write that finds no room says so.
fn room(error: std::io::Error) -> StoreError {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::FileTooLarge => StoreError::DiskFull,
        _ => StoreError::Io(error),
    }
}

/// A file that does not count yet; it goes with this value, however that ends.
struct Scratch {
    name: String,
    path: PathBuf,
}

impl Scratch {
    fn new(folder: &Path, what: &str) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("{what}-{}.db", NEXT.fetch_add(1, Ordering::Relaxed));
        let path = folder.join(SCRATCH).join(&name);
        Self { name, path }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        for end in ["", "-journal", "-wal", "-shm"] {
            // What stays is swept at the next start.
            let _ = std::fs::remove_file(format!("{}{end}", self.path.display()));
        }
    }
}

/// What takes measuring.
struct Measured {
    database: u64,
    vectors: u64,
    backups: Vec<String>,
}

impl Measured {
    fn of(folder: &Path) -> Self {
        let database = folder.join(butterfly_store::database::FILE);
        let log = PathBuf::from(format!("{}-wal", database.display()));
        Self {
            database: space::used(&database) + space::used(&log),
            vectors: space::used(&folder.join(FOLDER)),
            backups: backups::names(folder),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
