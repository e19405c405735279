//! The kit's service in the form that is measured: it echoes and counts, through the worker runtime and the client library.

use butterfly_client::{Bus, Call, Handler, Incoming, Inlet, Outlet, Service};
use butterfly_kit::service::{Answer, Ask, CountRequest, Kit, Misbehaviour, Served, serve};
use butterfly_wire::{ErrorCode, Failure, Header};
use std::sync::Arc;

/// The service.
pub struct Measured;

fn not_measured<T>() -> Result<T, Failure> {
    Err(Failure::new(ErrorCode::UnknownMethod, "this is not measured"))
}

impl Kit for Measured {
    async fn echo(&self, _: Call, payload: Vec<u8>) -> Result<Vec<u8>, Failure> {
        Ok(payload)
    }

    async fn count(&self, _: Call, request: CountRequest, mut out: Outlet<Vec<u8>>) -> Result<u64, Failure> {
        let item = vec![7; request.bytes as usize];
        for _ in 0..request.items {
            out.send(&item).await?;
        }
        Ok(request.items)
    }

    async fn sum(&self, _: Call, (): (), _: Inlet<u64>) -> Result<u64, Failure> {
        not_measured()
    }

    async fn misbehave(&self, _: Call, _: Misbehaviour) -> Result<(), Failure> {
        not_measured()
    }

    async fn relay(&self, _: Call, _: Ask) -> Result<Answer, Failure> {
        not_measured()
    }
}

/// The same service at the end of a relay, where no kernel sends events and no worker runtime is needed.
pub struct Relayed(Served<Measured>);

impl Default for Relayed {
    fn default() -> Self {
        Self(serve(Arc::new(Measured)))
    }
}

impl Handler for Relayed {
    fn request(&self, incoming: Incoming) {
        self.0.dispatch(incoming);
    }

    fn event(&self, _: &Bus, _: &Header, _: &[u8]) {}
}
