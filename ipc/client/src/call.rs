//! What a handler knows about the call that it answers.

use crate::bus::Bus;
use butterfly_wire::{EndpointId, Flags, Header, Provenance};
use std::time::Duration;

/// The call being answered. When it is cancelled, or its deadline passes, the handler's future is dropped: whatever
/// must stop with it (an HTTP connection, a timer) belongs to that future.
#[derive(Clone)]
pub struct Call {
    bus: Bus,
    header: Header,
}

impl Call {
    pub(crate) fn new(bus: &Bus, header: Header) -> Self {
        Self { bus: bus.on_behalf_of(header.correlation, header.flags), header }
    }

    /// The bus, on this call's behalf: what is called through it belongs to the same trace.
    #[must_use]
    pub fn bus(&self) -> &Bus {
        &self.bus
    }

    /// Who asks, as the kernel knows it.
    #[must_use]
    pub fn source(&self) -> EndpointId {
        self.header.source
    }

    /// Nobody waits for this: it yields to calls that somebody waits for.
    #[must_use]
    pub fn is_background(&self) -> bool {
        self.header.flags.contains(Flags::BACKGROUND)
    }

    #[must_use]
    pub fn provenance(&self) -> Provenance {
        self.header.provenance
    }

    #[must_use]
    pub fn trace(&self) -> u64 {
        self.header.trace
    }

    /// Remaining time when the call arrived; for a stream, until each next item.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        Duration::from_millis(u64::from(self.header.deadline_ms))
    }
}
