//! The services, one file each: arguments, replies, errors, and the trait that a worker implements.
//!
//! This crate says *what* can be asked. It is *not* the transport (`butterfly-client`), and the kernel never sees it.
//!
//! Each `service!` block declares, per method, a marker type for callers (`bus.call::<model::List>(…)`), a method of the
//! trait that the worker implements, and the dispatch between the two. Whether a method is idempotent, its flow and its
//! deadline stand in `butterfly_wire::catalog`.

#[macro_use]
mod service;
pub mod config;
pub mod control;
pub mod conversations;
pub mod health;
pub mod memory;
pub mod model;
pub mod secret;
pub mod session;
pub mod storage;
pub mod tokens;
pub mod value;
pub mod vault;

/// A piece of a file that is sent or received, at most [`butterfly_wire::frame::CHUNK_LIMIT`] with its envelope.
#[derive(Debug, Clone, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct Chunk {
    pub bytes: Vec<u8>,
}

/// What the [`service!`] macro's expansion refers to.
pub mod macro_support {
    pub use butterfly_client::{Call, Incoming, Inlet, Outlet, Service};
    pub use butterfly_wire::method::Nothing;
    pub use butterfly_wire::{ErrorCode, Failure, Method, catalog};
    pub use std::future::Future;
    pub use std::sync::Arc;
}
