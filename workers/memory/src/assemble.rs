//! The worker, put together: the store, what stands on it, and what runs in the background.

use crate::care::Care;
use crate::checks::Checks;
use crate::config::{self, Config};
use crate::core::Core;
use crate::extraction::Extraction;
use crate::indexing::Index;
use crate::storage::Leave;
use crate::summaries::Summaries;
use crate::{closed, conversations, graph, memory, storage};
use butterfly_client::Bus;
use butterfly_runtime::{Start, Worker};
use butterfly_store::{Store, StoreError};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Time for replies to be sent before the process ends by itself. Streams that go on are cut: their callers ask again.
const FAREWELL: Duration = Duration::from_secs(2);

/// Time for the process that used the folder before to end: well within what the kernel allows for a start.
const PREDECESSOR: Duration = Duration::from_secs(3);

/// A process that is ending takes some ms.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The worker for this start. Where the store cannot be opened, one that says why.
#[must_use]
pub fn worker(start: &Start) -> Worker {
    let bus: Arc<OnceLock<Bus>> = Arc::default();
    let leave = leave(Arc::clone(&bus));
    let opened = match &start.folder {
        Some(folder) => open(folder).and_then(|store| Parts::new(store, &start.overrides)),
        None => Err(StoreError::Refused(
            "no data folder was granted to the memory worker; start it through `butterfly up`".to_owned(),
        )),
    };
    match opened {
        Ok(parts) => parts.worker(bus, leave),
        Err(error) => closed::worker(start.folder.clone(), error, leave).prepares(move |connected| async move {
            let _ = bus.set(connected);
            Ok(())
        }),
    }
}

/// The store, once whoever used the folder before is gone: a process that was killed may still be ending.
fn open(folder: &Path) -> Result<Store, StoreError> {
    let begun = Instant::now();
    loop {
        match Store::open(folder) {
            Err(StoreError::InUse) if begun.elapsed() < PREDECESSOR => std::thread::sleep(LOOK_AGAIN),
            opened => return opened,
        }
    }
}

/// All there is once the store is open.
struct Parts {
    core: Arc<Core>,
    config: Arc<Config>,
    index: Arc<Index>,
}

impl Parts {
    fn new(store: Store, overrides: &[(String, String)]) -> Result<Self, StoreError> {
        let core = Core::new(Arc::new(store));
        let config = Config::open(Arc::clone(core.store()), overrides)?;
        let index = Index::new(Arc::clone(&core), Arc::clone(&config));
        Ok(Self { core, config, index })
    }

    fn worker(self, bus: Arc<OnceLock<Bus>>, leave: Leave) -> Worker {
        let Self { core, config, index } = self;
        let care = Care::new(Arc::clone(&core), Arc::clone(&index));
        let checks = Checks::new(Arc::clone(&core), Arc::clone(&index));
        let settings = config::Settings::new(Arc::clone(&core), Arc::clone(&config));
        let transcripts = conversations::Service::new(Arc::clone(&core), Arc::clone(core.store()) as _);
        let whole =
            storage::Service::new(Arc::clone(&core), Arc::clone(&config), Arc::clone(&index), Arc::clone(&care), leave);
        let links = graph::Service::new(Arc::clone(&core));
        let extraction = Extraction::new(Arc::clone(&core), Arc::clone(&config));
        let noted = memory::Service::new(
            Arc::clone(&core),
            Arc::clone(&config),
            Arc::clone(&index),
            links,
            Arc::clone(&extraction),
        );
        let summaries = Summaries::new(Arc::clone(&core), Arc::clone(&config));
        let checked = Arc::clone(&checks);
        Worker::new()
            .serves(butterfly_api::memory::serve(Arc::new(noted)))
            .serves(butterfly_api::conversations::serve(Arc::new(transcripts)))
            .serves(butterfly_api::storage::serve(Arc::new(whole)))
            .serves(butterfly_api::config::serve(Arc::new(config::service::Service(Arc::clone(&settings)))))
            .checks(move || {
                let checks = Arc::clone(&checked);
                async move { checks.all().await }
            })
            .prepares(move |connected| async move {
                let _ = bus.set(connected.clone());
                core.connected(connected.clone());
                settings.prepare(&connected).await?;
                tokio::spawn(index.run());
                tokio::spawn(extraction.run());
                tokio::spawn(summaries.run());
                tokio::spawn(checks.read_all());
                tokio::spawn(care.run(config));
                Ok(())
            })
    }
}

/// Ends the process in good order: replies first. The kernel starts the successor.
fn leave(bus: Arc<OnceLock<Bus>>) -> Leave {
    Arc::new(move || {
        let bus = bus.get().cloned();
        tokio::spawn(async move {
            if let Some(bus) = bus {
                // The reply of the call that asked for this is not written before its handler has returned.
                tokio::task::yield_now().await;
                let _ = tokio::time::timeout(FAREWELL, bus.idle()).await;
            }
            tracing::info!("another store takes this one's place: starting anew");
            std::process::exit(0);
        });
    })
}
