//! The worker's services as their callers see them: a real connection on each side, a real database, no model.

// The lint's exemption for tests covers test functions, not the helpers beside them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod caring;
mod copies;
mod talking;

use butterfly_client::{Bus, Handler, Incoming, NoHandler, Service, start};
use butterfly_memory::care::Care;
use butterfly_memory::config::Config;
use butterfly_memory::indexing::Index;
use butterfly_memory::{Core, conversations, storage};
use butterfly_store::Store;
use butterfly_wire::{ErrorCode, Header};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

/// A handler with its services, as the workers' runtime has it.
struct Serving(Vec<Box<dyn Service>>);

impl Handler for Serving {
    fn request(&self, incoming: Incoming) {
        match self.0.iter().find(|service| service.id() == incoming.header.service) {
            Some(service) => service.dispatch(incoming),
            None => incoming.refuse(ErrorCode::UnknownMethod, "no such service"),
        }
    }

    fn event(&self, _: &Bus, _: &Header, _: &[u8]) {}
}

/// The services over one folder.
struct Served {
    bus: Bus,
    core: Arc<Core>,
    config: Arc<Config>,
    care: Arc<Care>,
    /// The worker wanted to end.
    left: Arc<AtomicBool>,
}

fn serve(folder: &Path) -> Served {
    let core = Core::new(Arc::new(Store::open(folder).unwrap()));
    let config = Config::open(Arc::clone(core.store()), &[]).unwrap();
    let index = Index::new(Arc::clone(&core), Arc::clone(&config));
    let care = Care::new(Arc::clone(&core), Arc::clone(&index));
    let left = Arc::new(AtomicBool::new(false));
    let leave = {
        let left = Arc::clone(&left);
        Arc::new(move || left.store(true, Ordering::SeqCst))
    };
    let transcripts = conversations::Service::new(Arc::clone(&core), Arc::clone(core.store()) as _);
    let whole = storage::Service::new(Arc::clone(&core), Arc::clone(&config), index, Arc::clone(&care), leave);
    let services: Vec<Box<dyn Service>> = vec![
        Box::new(butterfly_api::conversations::serve(Arc::new(transcripts))),
        Box::new(butterfly_api::storage::serve(Arc::new(whole))),
    ];
    let (near, far) = tokio::io::duplex(64 << 10);
    start(far, Arc::new(Serving(services)));
    Served { bus: start(near, Arc::new(NoHandler)), core, config, care, left }
}

fn fresh() -> (TempDir, Served) {
    let folder = tempfile::tempdir().unwrap();
    let served = serve(folder.path());
    (folder, served)
}
