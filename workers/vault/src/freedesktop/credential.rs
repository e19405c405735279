//! One item of the keyring, found by its attributes.

use super::link::Link;
use crate::fault::{StoreFault, for_people};
use butterfly_api::vault::StoreState;
use keyring_core::api::{Credential, CredentialApi};
use keyring_core::{Error, Result};
use secret_service::{Collection, Error as Fault, SecretService};
use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use tokio::runtime::Handle;

/// What a value is, for the keyring's own app.
const CONTENT_TYPE: &str = "text/plain; charset=utf8";

/// The name of a keyring that the vault has made because there was none, and the alias that makes it the default.
const NEW_KEYRING: (&str, &str) = ("Login", "default");

/// An entry: what is kept under a service and a name. It holds no value.
pub(super) struct Item {
    runtime: Handle,
    link: Arc<Link>,
    service: String,
    name: String,
    prompt: bool,
}

impl Item {
    pub(super) fn new(runtime: Handle, link: Arc<Link>, service: &str, name: &str, prompt: bool) -> Self {
        Self { runtime, link, service: service.to_owned(), name: name.to_owned(), prompt }
    }

    /// By these the item is found; they are no secret.
    fn attributes(&self) -> HashMap<&str, &str> {
        HashMap::from([("application", self.service.as_str()), ("name", self.name.as_str())])
    }

    /// Asks the keyring, from a thread that may block.
    fn ask<T>(&self, work: impl AsyncFn(&SecretService<'static>) -> std::result::Result<T, Fault>) -> Result<T> {
        Ok(self.runtime.block_on(self.link.run(self.link.waits().answer, work))?)
    }

    /// Has a person unlock the default keyring, or make one, where that is needed and was allowed.
    fn open(&self) -> Result<()> {
        if !self.prompt {
            return Ok(());
        }
        let locked = self.ask(async |service| match service.get_default_collection().await {
            Ok(collection) => collection.is_locked().await,
            Err(Fault::NoResult) => Ok(true),
            Err(error) => Err(error),
        })?;
        if !locked {
            return Ok(());
        }
        let limit = self.link.waits().prompt;
        let prompted = self.link.run(limit, async |service| match service.get_default_collection().await {
            Ok(collection) => unlock(&collection).await,
            Err(Fault::NoResult) => service.create_collection(NEW_KEYRING.0, NEW_KEYRING.1).await.map(drop),
            Err(error) => Err(error),
        });
        let opened = self.runtime.block_on(prompted);
        Ok(opened.map_err(|fault| match fault.state {
            // It answered just now; it is the person who takes their time.
            StoreState::Slow => {
                let detail = format!("nobody answered its prompt for {}", for_people(limit));
                StoreFault::new(StoreState::Locked, detail)
            }
            StoreState::Ready | StoreState::Absent | StoreState::Locked | StoreState::Denied | StoreState::Vanished => {
                fault
            }
        })?)
    }
}

async fn unlock(collection: &Collection<'_>) -> std::result::Result<(), Fault> {
    collection.unlock().await?;
    // A prompt that was answered with a wrong password too often also counts as answered.
    collection.ensure_unlocked().await
}

/// The default keyring; one that is locked is an error.
async fn unlocked<'a>(service: &'a SecretService<'static>) -> std::result::Result<Collection<'a>, Fault> {
    let collection = service.get_default_collection().await?;
    collection.ensure_unlocked().await?;
    Ok(collection)
}

impl CredentialApi for Item {
    fn set_secret(&self, secret: &[u8]) -> Result<()> {
        self.open()?;
        let label = format!("ButterFly Bot: {}", self.name);
        self.ask(async |service| {
            let collection = unlocked(service).await?;
            collection.create_item(&label, self.attributes(), secret, true, CONTENT_TYPE).await.map(drop)
        })
    }

    fn get_secret(&self) -> Result<Vec<u8>> {
        let found = self.ask(async |service| {
            let found = service.search_items(self.attributes()).await?;
            if let Some(item) = found.unlocked.first() {
                return item.get_secret().await.map(Some);
            }
            if !found.locked.is_empty() {
                return Err(Fault::Locked);
            }
            // Some keyrings show nothing of what is locked: only an open one can say that there is nothing.
            match unlocked(service).await {
                Ok(_) | Err(Fault::NoResult) => Ok(None),
                Err(error) => Err(error),
            }
        })?;
        found.ok_or(Error::NoEntry)
    }

    fn delete_credential(&self) -> Result<()> {
        self.open()?;
        let deleted = self.ask(async |service| {
            let found = service.search_items(self.attributes()).await?;
            if found.unlocked.is_empty() && !found.locked.is_empty() {
                return Err(Fault::Locked);
            }
            for item in &found.unlocked {
                item.delete().await?;
            }
            Ok(!found.unlocked.is_empty())
        })?;
        if deleted { Ok(()) } else { Err(Error::NoEntry) }
    }

    fn get_credential(&self) -> Result<Option<Arc<Credential>>> {
        let there = self.ask(async |service| {
            let found = service.search_items(self.attributes()).await?;
            Ok(!found.unlocked.is_empty() || !found.locked.is_empty())
        })?;
        // An entry is found anew at each call, so it is its own wrapper.
        if there { Ok(None) } else { Err(Error::NoEntry) }
    }

    fn get_specifiers(&self) -> Option<(String, String)> {
        Some((self.service.clone(), self.name.clone()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn debug_fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Item({}, {})", self.service, self.name)
    }
}
