//! Tables on disk, kept by LanceDB: one folder for each, with an engine of its own while it is open.

mod columns;
mod engine;
mod search;
mod table;
mod upkeep;

use crate::error::VectorError;
use crate::store::{Done, VectorStore, VectorStores};
use engine::Engine;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use table::Table;

/// How LanceDB names a table's folder.
const SUFFIX: &str = "lance";

/// When a table is searched and looked after in which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tuning {
    /// A table whose vectors take no more than this, in bytes, is held in memory as it is.
    pub flat_bytes: usize,
    /// One that takes no more than this with a byte for each number is held in memory so; a larger one is searched with an
    /// index.
    pub coarse_bytes: usize,
    /// The table is looked after by itself after so many changes.
    pub changes: u32,
    /// So many rows may be new to the index before it is brought up to date.
    pub tail: usize,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            // 21,845 vectors of 384 dimensions.
            flat_bytes: 32 << 20,
            // 108,100 vectors of 384 dimensions (docs/adr/0023-vectors-in-bytes.md).
            coarse_bytes: 40 << 20,
            // Each change leaves a file and a version. 64 of them are merged in a few ms, and take less than 1 MB.
            changes: 64,
            // All of these are looked at beside the index: 6 MB of 384 dimensions, a few ms.
            tail: 4096,
        }
    }
}

/// A folder of tables.
pub struct Lance {
    folder: PathBuf,
    tuning: Tuning,
}

impl Lance {
    /// Tables in this folder, which is made when the first of them is. Nothing is read and no thread started yet.
    ///
    /// LanceDB puts temporary files where `TMPDIR` says; a confined process must have it set to a folder that it may
    /// write.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self::tuned(folder, Tuning::default())
    }

    /// The same, for measuring and for tests that want an index for few vectors.
    #[must_use]
    pub fn tuned(folder: &Path, tuning: Tuning) -> Self {
        Self { folder: folder.to_owned(), tuning }
    }

    fn place(&self, name: &str) -> Result<PathBuf, VectorError> {
        if name.is_empty() || !name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
            return Err(VectorError::Refused(format!("`{name}` cannot name a table of vectors")));
        }
        Ok(self.folder.join(name).with_extension(SUFFIX))
    }
}

impl VectorStores for Lance {
    fn open(&self, name: &str, dimensions: usize) -> Done<'_, Arc<dyn VectorStore>> {
        let place = self.place(name);
        let name = name.to_owned();
        Box::pin(async move {
            let place = place?;
            let engine = Engine::start(&self.folder).await?;
            let table = Table::open(engine, name, place, dimensions, self.tuning).await?;
            Ok(Arc::new(table) as Arc<dyn VectorStore>)
        })
    }

    fn remove(&self, name: &str) -> Done<'_, ()> {
        let place = self.place(name);
        Box::pin(async move {
            let place = place?;
            match blocking(move || std::fs::remove_dir_all(place)).await? {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Err(VectorError::Failed(error.to_string()))
                }
                Ok(()) | Err(_) => Ok(()),
            }
        })
    }

    fn names(&self) -> Done<'_, Vec<String>> {
        let folder = self.folder.clone();
        Box::pin(async move {
            match blocking(move || names(&folder)).await? {
                Ok(names) => Ok(names),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
                Err(error) => Err(VectorError::of(&error)),
            }
        })
    }

    fn bytes(&self) -> Done<'_, u64> {
        let folder = self.folder.clone();
        Box::pin(async move {
            match blocking(move || table::bytes(&folder)).await? {
                Ok(bytes) => Ok(bytes),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
                Err(error) => Err(VectorError::of(&error)),
            }
        })
    }

    fn index(&self, rows: u64, dimensions: usize) -> &'static str {
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        table::held_in(rows, dimensions, &self.tuning).map_or(upkeep::INDEX, table::name)
    }
}

fn names(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|suffix| suffix == SUFFIX)
            && let Some(name) = path.file_stem()
        {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Files are looked at off the event loop.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, VectorError> {
    tokio::task::spawn_blocking(work).await.map_err(|fault| VectorError::Failed(fault.to_string()))
}
