//! The vault: secrets by name, kept in the OS keyring, handed to the workers that may have them.
//!
//! It is *not* a keyring: nothing is encrypted or stored here. Without a keyring it keeps what it is given in its own memory,
//! says so, and forgets it when it ends. There is no file, and no other place where a secret could go.
//!
//! Invariants:
//! - A secret that is not in [`names::NAMES`] does not exist, and only the roles that its row names read it. Who asks is what
//!   the kernel wrote into the call, never what the caller says.
//! - The vault opens no connection: the one to the keyring is handed to it, connected.
//! - A prompt appears only where a person asked for something, and nothing waits for the keyring without a limit.
//! - No value is in a log, an error or a debug representation.

#[cfg(target_os = "macos")]
mod apple;
mod fault;
#[cfg(target_os = "linux")]
mod freedesktop;
mod keyring;
pub mod names;
mod sentence;
mod worker;

#[cfg(target_os = "macos")]
pub use apple::AppleKeychain;
pub use fault::StoreFault;
#[cfg(target_os = "linux")]
pub use freedesktop::SecretService;
pub use keyring::{Keyring, NoKeyring, Platform, Waits};
pub use worker::Vault;
