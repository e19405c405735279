//! The vault's program.

use butterfly_api::vault;
use butterfly_runtime::{Start, Worker};
use butterfly_vault::{Keyring, Vault, Waits};
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    butterfly_runtime::run(|start| {
        let vault = build(start);
        let checked = Arc::clone(&vault);
        Worker::new().serves(vault::serve(vault)).checks(move || {
            let vault = Arc::clone(&checked);
            async move { vault.checks().await }
        })
    })
}

/// The keyring is behind the connection that the kernel handed over.
#[cfg(target_os = "linux")]
fn build(start: &Start) -> Arc<Vault> {
    let waits = Waits::default();
    let store = butterfly_vault::SecretService::new(start.take_descriptor(), waits);
    let vault = Arc::new(Vault::new(Keyring::new(Arc::new(store.clone()), waits), start.roles.clone()));
    let watched = Arc::clone(&vault);
    tokio::spawn(async move {
        if let Err(fault) = store.connect().await {
            tracing::warn!("no keyring: {fault}");
        }
        store.lost().await;
        renew(&watched);
    });
    vault
}

/// The connection cannot be made again from inside. The kernel hands a new one to a successor, which is no loss as long as
/// nothing is kept here alone.
#[cfg(target_os = "linux")]
fn renew(vault: &Vault) {
    /// sysexits.h, EX_TEMPFAIL: trying again may help.
    const TRY_AGAIN: i32 = 75;
    if vault.holds_any() {
        tracing::warn!("the session bus ended; staying, because secrets are kept in memory alone");
        return;
    }
    tracing::error!("the session bus ended; ending too, so that a new connection is handed over");
    std::process::exit(TRY_AGAIN);
}

#[cfg(target_os = "macos")]
fn build(start: &Start) -> Arc<Vault> {
    let waits = Waits::default();
    let platform: Arc<dyn butterfly_vault::Platform> = match butterfly_vault::AppleKeychain::new() {
        Ok(keychain) => Arc::new(keychain),
        Err(fault) => Arc::new(butterfly_vault::NoKeyring(fault)),
    };
    Arc::new(Vault::new(Keyring::new(platform, waits), start.roles.clone()))
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn build(start: &Start) -> Arc<Vault> {
    let fault = butterfly_vault::StoreFault::new(
        butterfly_api::vault::StoreState::Absent,
        "this system's own is not one that the vault knows",
    );
    let platform = Arc::new(butterfly_vault::NoKeyring(fault));
    Arc::new(Vault::new(Keyring::new(platform, Waits::default()), start.roles.clone()))
}
