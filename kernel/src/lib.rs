//! The kernel of ButterFly Bot: it routes messages between processes that trust each other as little as possible.
//!
//! 1. The kernel knows headers, not payloads. It decodes the payloads of service 0 alone, because they are its own.
//! 2. The kernel writes who speaks. No peer's claim about itself is believed.
//! 3. What is not in [`manifest`] is denied, at one place: [`policy::check`].
//! 4. The kernel alone starts processes ([`spawn`]): a confined process cannot give a child what it lacks itself.
//! 5. Every byte that waits is charged to who sent it ([`queue`]); every call that is open has a slot ([`pending`]).
//! 6. A worker that fails is restarted alone ([`supervisor`]), and whoever waited for it hears so first.
//! 7. It is one thread. A step takes the state, runs to its end, and leaves it consistent; nothing waits inside a step. The one thing
//!    that takes long, moving the data folder, has a thread of its own, which sees paths and no state.
//!
//! What is *absent*: no database, no HTTP, no JSON, no language model, no `unsafe`, and no service but its own.
//!
//! Read it in this order: `manifest`, `policy`, `pending`, `queue`, `peer`, `router`, `supervisor`, `lifecycle`, `run`.

pub mod connection;
pub mod control;
pub mod core;
pub mod crash;
pub mod data_folder;
mod handshake;
pub mod holes;
pub mod instances;
pub mod lifecycle;
pub mod listener;
pub mod logs;
pub mod manifest;
pub mod moving;
pub mod numbers;
pub mod options;
pub mod peer;
pub mod pending;
pub mod policy;
mod prove;
pub mod queue;
pub mod readiness;
pub mod router;
pub mod run;
pub mod session_bus;
pub mod spawn;
pub mod stats;
pub mod stderr;
pub mod streams;
pub mod supervisor;
pub mod trace;

pub use options::Options;
pub use run::{StartError, run};
