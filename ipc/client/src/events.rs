//! Topics: what the kernel or a worker publishes.

use butterfly_wire::{Decode, Failure, Header, codec};
use tokio::sync::broadcast;

/// Events of one topic that wait for a slow reader in this process before the oldest are dropped.
pub(crate) const BACKLOG: usize = 1024;

/// One event, as it arrived.
#[derive(Debug, Clone)]
pub struct Event {
    pub header: Header,
    pub payload: Vec<u8>,
}

impl Event {
    /// The event's value.
    ///
    /// # Errors
    /// When the payload is no `T`.
    pub fn decode<T: Decode<()>>(&self) -> Result<T, Failure> {
        codec::decode(&self.payload)
            .map_err(|fault| Failure::new(butterfly_wire::ErrorCode::BadPayload, fault.to_string()))
    }
}

/// A subscription. It ends with the connection.
pub struct Events {
    pub(crate) receiver: broadcast::Receiver<Event>,
}

impl Events {
    /// The next event; `Err(n)` when n were dropped because this side read too slowly; `None` when the connection ended.
    pub async fn next(&mut self) -> Option<Result<Event, u64>> {
        match self.receiver.recv().await {
            Ok(event) => Some(Ok(event)),
            Err(broadcast::error::RecvError::Lagged(dropped)) => Some(Err(dropped)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}
