//! The freedesktop.org Secret Service (gnome-keyring, KWallet, KeePassXC) as a store of `keyring-core`.
//!
//! `keyring-core`'s own store for it opens its own connection to the session bus. The vault may open none: it is handed a
//! connected descriptor, and this store talks through it. Values travel encrypted (the protocol's Diffie-Hellman session)
//! where the keyring can.
//!
//! The trait blocks, so calls are made from threads for blocking work; the connection itself is driven by the runtime.

mod credential;
mod link;
mod state;
mod stream;

use crate::fault::StoreFault;
use crate::keyring::{Platform, SERVICE, Waits};
use butterfly_api::vault::StoreState;
use credential::Item;
use keyring_core::api::{CredentialPersistence, CredentialStoreApi};
use keyring_core::{Entry, Error};
use link::Link;
use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use tokio::runtime::Handle;

/// The modifier with which an entry may bring up the keyring's own prompt.
pub const PROMPT: &str = "prompt";

/// The store. Cheap to clone.
#[derive(Clone)]
pub struct SecretService {
    runtime: Handle,
    link: Arc<Link>,
}

impl SecretService {
    /// Talks to the keyring through this descriptor, a stream that is connected to a session bus; without one there is no
    /// keyring. Must be called inside a tokio runtime with I/O and time, and its calls outside of its threads.
    #[must_use]
    pub fn new(descriptor: Option<OwnedFd>, waits: Waits) -> Self {
        Self { runtime: Handle::current(), link: Arc::new(Link::new(descriptor, waits)) }
    }

    /// Introduces itself to the bus, which ends a connection that says nothing for long.
    ///
    /// # Errors
    /// When there is no bus, or it refuses.
    pub async fn connect(&self) -> Result<(), StoreFault> {
        self.link.connect().await
    }

    /// Resolves when the connection has ended, after the bus had accepted it; never where it did not.
    pub async fn lost(&self) {
        self.link.lost().await;
    }
}

impl Platform for SecretService {
    fn entry(&self, name: &str, prompt: bool) -> Result<Entry, Error> {
        let modifiers = HashMap::from([(PROMPT, "yes")]);
        self.build(SERVICE, name, prompt.then_some(&modifiers))
    }

    fn check(&self) -> Result<(), StoreFault> {
        let link = Arc::clone(&self.link);
        self.runtime.block_on(link.run(
            link.waits().check,
            async |service| match service.get_default_collection().await {
                Ok(collection) => collection.ensure_unlocked().await,
                // A keyring that is opened for the first time has none; the first `set` makes one, with a password.
                Err(secret_service::Error::NoResult) => Err(secret_service::Error::Locked),
                Err(error) => Err(error),
            },
        ))
    }
}

impl CredentialStoreApi for SecretService {
    fn vendor(&self) -> String {
        "ButterFly Bot, over the freedesktop.org Secret Service".to_owned()
    }

    fn id(&self) -> String {
        concat!("butterfly-vault ", env!("CARGO_PKG_VERSION")).to_owned()
    }

    fn build(&self, service: &str, user: &str, modifiers: Option<&HashMap<&str, &str>>) -> keyring_core::Result<Entry> {
        let mut prompt = false;
        for (key, value) in modifiers.into_iter().flatten() {
            match (*key, *value) {
                (PROMPT, "yes") => prompt = true,
                (PROMPT, "no") => prompt = false,
                (key, _) => {
                    return Err(Error::Invalid(key.to_owned(), "only prompt=yes and prompt=no are known".to_owned()));
                }
            }
        }
        let item = Item::new(self.runtime.clone(), Arc::clone(&self.link), service, user, prompt);
        Ok(Entry::new_with_credential(Arc::new(item)))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn persistence(&self) -> CredentialPersistence {
        CredentialPersistence::UntilDelete
    }

    fn debug_fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretService")
    }
}

/// Why nothing can be done where no descriptor was handed over.
fn no_bus() -> StoreFault {
    StoreFault::new(StoreState::Absent, "there is no D-Bus session bus, through which one would be reached")
}
