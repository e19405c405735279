//! What a worker offers, and how the connection's frames reach it.

use crate::health::{Checker, Checks};
use butterfly_api::health;
use butterfly_client::{Bus, Handler, Incoming, Service};
use butterfly_wire::catalog::{control, topic};
use butterfly_wire::control::{Drain, Ping};
use butterfly_wire::{ErrorCode, Header, codec};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// What a worker does after its confinement and before it serves.
pub(crate) type Preparation = Box<dyn FnOnce(Bus) -> Pin<Box<dyn Future<Output = Result<(), String>>>>>;

/// The services of one worker.
#[derive(Default)]
pub struct Worker {
    services: HashMap<u16, Box<dyn Service>>,
    checks: Option<Checks>,
    preparation: Option<Preparation>,
}

impl Worker {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Offers a service: what a module's `serve` in `butterfly-api` returns.
    #[must_use]
    pub fn serves(mut self, service: impl Service) -> Self {
        self.services.insert(service.id(), Box::new(service));
        self
    }

    /// Adds the worker's own health checks, made whenever somebody asks.
    #[must_use]
    pub fn checks<F, R>(mut self, checks: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Vec<health::Check>> + Send + 'static,
    {
        self.checks = Some(Arc::new(move || Box::pin(checks())));
        self
    }

    /// What must be done before the worker serves, and needs others: opening a store, asking for settings. It runs once, after the
    /// confinement was verified; calls through its bus are allowed and count as background work. Until it has ended, callers
    /// hear that the worker is being started. An error ends the process with that message, and the kernel starts it again.
    #[must_use]
    pub fn prepares<F, R>(mut self, prepare: F) -> Self
    where
        F: FnOnce(Bus) -> R + 'static,
        R: Future<Output = Result<(), String>> + 'static,
    {
        self.preparation = Some(Box::new(|bus| Box::pin(prepare(bus))));
        self
    }

    pub(crate) fn take_preparation(&mut self) -> Option<Preparation> {
        self.preparation.take()
    }

    pub(crate) fn into_dispatcher(mut self, name: &str) -> Dispatcher {
        let checker = Checker { worker: name.to_owned(), checks: self.checks.take() };
        let health = health::serve(Arc::new(checker));
        self.services.insert(Service::id(&health), Box::new(health));
        Dispatcher { services: self.services, draining: AtomicBool::new(false), drained: Arc::new(Notify::new()) }
    }
}

/// The connection's handler: requests to services, pings to pongs, drain to an orderly end.
pub(crate) struct Dispatcher {
    services: HashMap<u16, Box<dyn Service>>,
    draining: AtomicBool,
    /// Told when a drain is complete.
    pub(crate) drained: Arc<Notify>,
}

impl Handler for Dispatcher {
    fn request(&self, incoming: Incoming) {
        if self.draining.load(Ordering::Relaxed) {
            return incoming.refuse(ErrorCode::Unavailable, "this worker is being stopped");
        }
        match self.services.get(&incoming.header.service) {
            Some(service) => service.dispatch(incoming),
            None => incoming.refuse(ErrorCode::UnknownMethod, "this worker does not serve that"),
        }
    }

    fn event(&self, bus: &Bus, header: &Header, payload: &[u8]) {
        if header.service != control::ID {
            return;
        }
        match header.method {
            topic::PING => {
                if let Ok(ping) = codec::decode::<Ping>(payload) {
                    bus.send_event_now(control::ID, topic::PONG, &ping);
                }
            }
            topic::DRAIN => {
                if let Ok(drain) = codec::decode::<Drain>(payload) {
                    self.drain(bus, Duration::from_millis(u64::from(drain.within_ms)));
                }
            }
            _ => {}
        }
    }
}

impl Dispatcher {
    fn drain(&self, bus: &Bus, within: Duration) {
        if self.draining.swap(true, Ordering::Relaxed) {
            return;
        }
        let bus = bus.clone();
        let drained = Arc::clone(&self.drained);
        tokio::spawn(async move {
            if tokio::time::timeout(within, bus.idle()).await.is_err() {
                tracing::warn!("calls were still open when the time to finish them ran out");
            }
            drained.notify_one();
        });
    }
}
