//! The connection to the session bus, the session with the keyring, and how long either is waited for.

use super::no_bus;
use super::state::{Meaning, meaning, of_bus};
use super::stream::Bytes;
use crate::fault::{StoreFault, for_people};
use crate::keyring::Waits;
use butterfly_api::vault::StoreState;
use secret_service::{EncryptionType, Error, SecretService};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, watch};
use zbus::Connection;
use zbus::connection::Builder;

type Service = Arc<SecretService<'static>>;

/// Where the way to the keyring is.
enum Way {
    /// There never was one.
    None,
    /// Handed over, and nothing said yet.
    Handed(OwnedFd),
    /// The bus knows us; with a session once the keyring was asked for something.
    Open { bus: Connection, service: Option<Service> },
    /// It ended, and cannot be opened again from here.
    Ended(StoreFault),
}

/// The way to the keyring.
pub(super) struct Link {
    way: Mutex<Way>,
    waits: Waits,
    /// A keyring answered once: if there is none now, it vanished.
    seen: AtomicBool,
    ended: watch::Sender<bool>,
}

impl Link {
    pub(super) fn new(descriptor: Option<OwnedFd>, waits: Waits) -> Self {
        let way = descriptor.map_or(Way::None, Way::Handed);
        Self { way: Mutex::new(way), waits, seen: AtomicBool::new(false), ended: watch::Sender::new(false) }
    }

    pub(super) fn waits(&self) -> Waits {
        self.waits
    }

    /// Resolves when a connection that the bus had accepted has ended.
    pub(super) async fn lost(&self) {
        let mut ended = self.ended.subscribe();
        // The sender is our own, so it cannot be gone.
        let _ = ended.wait_for(|ended| *ended).await;
    }

    /// Introduces itself to the bus.
    pub(super) async fn connect(&self) -> Result<(), StoreFault> {
        self.bus(&mut *self.way.lock().await).await.map(drop)
    }

    /// Asks the keyring for something, within `limit`. What fails because the keyring was started anew since the last call is
    /// done again, once.
    pub(super) async fn run<T>(
        &self,
        limit: Duration,
        work: impl AsyncFn(&SecretService<'static>) -> Result<T, Error>,
    ) -> Result<T, StoreFault> {
        let attempts = async {
            match self.attempt(&work).await {
                Err(Meaning::Reopen(_)) => self.attempt(&work).await,
                other => other,
            }
        };
        match tokio::time::timeout(limit, attempts).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(meaning)) => Err(self.fault(meaning)),
            Err(_) => Err(StoreFault::new(StoreState::Slow, format!("nothing came for {}", for_people(limit)))),
        }
    }

    async fn attempt<T>(&self, work: &impl AsyncFn(&SecretService<'static>) -> Result<T, Error>) -> Result<T, Meaning> {
        let service = self.service().await?;
        let done = work(&service).await;
        let failed = done.map_err(|error| meaning(&error));
        match &failed {
            // The next call begins with a new session.
            Err(Meaning::Reopen(_) | Meaning::Nobody(_) | Meaning::Cut(_)) => self.close().await,
            Err(Meaning::NoEncryption | Meaning::State(_)) | Ok(_) => {}
        }
        failed
    }

    /// The session, opened where there is none.
    async fn service(&self) -> Result<Service, Meaning> {
        let mut way = self.way.lock().await;
        if let Way::Open { service: Some(service), .. } = &*way {
            return Ok(Arc::clone(service));
        }
        let bus = self.bus(&mut way).await.map_err(Meaning::State)?;
        let opened = match SecretService::connect_with_existing(EncryptionType::Dh, bus.clone()).await {
            Err(error) if meaning(&error) == Meaning::NoEncryption => {
                tracing::warn!("the keyring offers no encrypted session; secrets cross the session bus as they are");
                SecretService::connect_with_existing(EncryptionType::Plain, bus.clone()).await
            }
            other => other,
        };
        let opened = Arc::new(opened.map_err(|error| meaning(&error))?);
        self.seen.store(true, Ordering::Relaxed);
        *way = Way::Open { bus, service: Some(Arc::clone(&opened)) };
        Ok(opened)
    }

    /// The connection, introduced to the bus.
    async fn bus(&self, way: &mut Way) -> Result<Connection, StoreFault> {
        let descriptor = match std::mem::replace(way, Way::None) {
            Way::None => return Err(no_bus()),
            Way::Ended(fault) => {
                *way = Way::Ended(fault.clone());
                return Err(fault);
            }
            Way::Open { bus, service } if !bus.is_closed() => {
                *way = Way::Open { bus: bus.clone(), service };
                return Ok(bus);
            }
            Way::Open { .. } => {
                let fault = StoreFault::new(StoreState::Vanished, "the session bus ended");
                *way = Way::Ended(fault.clone());
                return Err(fault);
            }
            Way::Handed(descriptor) => descriptor,
        };
        // Whatever comes of it, this descriptor is spent: a bus takes one introduction.
        let opened = match tokio::time::timeout(self.waits.bus, introduce(descriptor)).await {
            Ok(opened) => opened.map_err(|error| self.fault(of_bus(&error))),
            Err(_) => Err(StoreFault::new(StoreState::Vanished, "the session bus does not take the vault in")),
        };
        match opened {
            Ok(bus) => {
                let (watched, ended) = (bus.clone(), self.ended.clone());
                tokio::spawn(async move {
                    watched.closed().await;
                    ended.send_replace(true);
                });
                *way = Way::Open { bus: bus.clone(), service: None };
                Ok(bus)
            }
            Err(fault) => {
                *way = Way::Ended(fault.clone());
                Err(fault)
            }
        }
    }

    /// Forgets the session with a keyring that is not there any more.
    async fn close(&self) {
        let mut way = self.way.lock().await;
        if let Way::Open { service, .. } = &mut *way {
            *service = None;
        }
    }

    pub(super) fn fault(&self, meaning: Meaning) -> StoreFault {
        match meaning {
            Meaning::State(fault) => fault,
            Meaning::Nobody(detail) if self.seen.load(Ordering::Relaxed) => {
                StoreFault::new(StoreState::Vanished, detail)
            }
            Meaning::Nobody(detail) => StoreFault::new(StoreState::Absent, detail),
            Meaning::Reopen(detail) | Meaning::Cut(detail) => StoreFault::new(StoreState::Vanished, detail),
            Meaning::NoEncryption => StoreFault::new(StoreState::Denied, "it offers no session that the vault knows"),
        }
    }
}

/// Says Hello to the bus at the other end of this descriptor.
async fn introduce(descriptor: OwnedFd) -> zbus::Result<Connection> {
    let stream = UnixStream::from(descriptor);
    stream.set_nonblocking(true).map_err(|fault| zbus::Error::InputOutput(Arc::new(fault)))?;
    let stream = tokio::net::UnixStream::from_std(stream).map_err(|fault| zbus::Error::InputOutput(Arc::new(fault)))?;
    Builder::socket(Bytes(stream)).build().await
}
