//! The Keychain, on macOS: `keyring-core`'s own store for it, which reaches it through the system's services.

use crate::fault::StoreFault;
use crate::keyring::{Platform, SERVICE};
use apple_native_keyring_store::keychain::Store;
use keyring_core::api::CredentialStoreApi;
use keyring_core::{Entry, Error};
use std::sync::Arc;

/// The user's login keychain. The system itself shows a prompt where one is needed.
pub struct AppleKeychain(Arc<Store>);

impl AppleKeychain {
    /// # Errors
    /// When there is no login keychain.
    pub fn new() -> Result<Self, StoreFault> {
        Ok(Self(Store::new()?))
    }
}

impl Platform for AppleKeychain {
    fn entry(&self, name: &str, _prompt: bool) -> Result<Entry, Error> {
        self.0.build(SERVICE, name, None)
    }

    fn check(&self) -> Result<(), StoreFault> {
        // Looking for a name that nobody sets asks for the keychain and for nothing in it.
        match self.entry("check", false)?.get_credential() {
            Ok(_) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
