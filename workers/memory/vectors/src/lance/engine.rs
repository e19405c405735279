//! LanceDB with threads and caches of its own, for as long as a table is open.
//!
//! LanceDB computes on whatever thread asks it: on the worker's event loop that would cost heartbeats.

use crate::error::VectorError;
use crate::store::Done;
use lancedb::{Connection, ObjectStoreRegistry, Session};
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// Threads that compute. Two cores are the smallest machine that we care for, and more would take memory from it.
const COMPUTING: usize = 2;

/// Threads that wait for files: enough to have the next piece ready.
const READING: usize = 4;

/// How long a thread that waits for files is kept: each keeps a part of the memory that it used.
const KEPT: Duration = Duration::from_secs(2);

/// Parts of indexes that are held in memory. LanceDB's own 6 GiB are for servers; what is read again comes from the
/// system's cache of files.
const INDEX_CACHE: usize = 8 << 20;

/// Manifests and the like.
const METADATA_CACHE: usize = 4 << 20;

/// LanceDB, running.
pub struct Engine {
    /// Always there, until it is dropped.
    runtime: Option<Runtime>,
    connection: Connection,
}

impl Engine {
    /// Starts threads and caches, and connects to a folder; makes it if it is not there.
    ///
    /// # Errors
    /// [`VectorError::Failed`] where threads cannot be started or the folder not be made.
    pub async fn start(folder: &Path) -> Result<Arc<Self>, VectorError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(COMPUTING)
            .max_blocking_threads(READING)
            .thread_keep_alive(KEPT)
            .thread_name("vectors")
            .enable_all()
            .build()
            .map_err(|error| VectorError::Failed(error.to_string()))?;
        let uri = folder.to_string_lossy().into_owned();
        let connecting = runtime.spawn(async move {
            let session = Session::new(INDEX_CACHE, METADATA_CACHE, Arc::new(ObjectStoreRegistry::default()));
            lancedb::connect(&uri).session(Arc::new(session)).execute().await
        });
        // A runtime may not be dropped where others run: it ends in the background, as in `drop` below.
        match connecting.await {
            Ok(Ok(connection)) => Ok(Arc::new(Self { runtime: Some(runtime), connection })),
            Ok(Err(error)) => {
                runtime.shutdown_background();
                Err(VectorError::Failed(error.to_string()))
            }
            Err(fault) => {
                runtime.shutdown_background();
                Err(VectorError::Failed(fault.to_string()))
            }
        }
    }

    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Runs work on the engine's own threads. It is finished even if the answer is dropped.
    ///
    /// LanceDB panics at some of what a damaged file may hold; so a panic is damage.
    pub fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, VectorError>> + Send + 'static,
    ) -> Done<'static, T> {
        let Some(runtime) = &self.runtime else {
            return Box::pin(async { Err(VectorError::Failed("it has been closed".to_owned())) });
        };
        let running = runtime.spawn(work);
        Box::pin(async move {
            match running.await {
                Ok(done) => done,
                Err(fault) if fault.is_panic() => Err(VectorError::Damaged(fault.to_string())),
                Err(_) => Err(VectorError::Failed("it was closed in the middle of the work".to_owned())),
            }
        })
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
