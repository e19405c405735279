//! The async typed client of the bus: connection, in-flight table, streams, retry.
//!
//! Clients use it to call; the workers' runtime uses the same connection to be called. It is *not* the protocol (that is
//! `butterfly-wire`) and knows no service (those are in `butterfly-api`).
//!
//! Invariants:
//! - Dropping the future of a call, or its stream, sends Cancel. The guard exists before the request is sent.
//! - Nothing is queued without a bound: requests and items wait while [`state::OUT_LIMIT`] bytes are unsent; items
//!   additionally need credit from the other side.
//! - Only methods that the catalog marks idempotent are ever sent twice.

pub mod bus;
pub mod call;
pub mod connect;
mod connection;
pub mod events;
pub mod serve;
mod state;
pub mod stream;

pub use bus::Bus;
pub use call::Call;
pub use connect::{ConnectError, connect};
pub use connection::start;
pub use events::{Event, Events};
pub use serve::{Handler, Incoming, NoHandler, Service};
pub use stream::{Inlet, Next, Outlet, Stream, Upload};
