//! What several of these tests do.

use butterfly_client::{Bus, Next, Stream};
use butterfly_kit::harness::{Instance, PATIENCE, Which, worker};
use butterfly_kit::service::{Answer, Ask, Count, CountRequest, Relay};
use butterfly_wire::{EndpointId, Failure, codec};
use std::future::Future;

/// Runs a test on a runtime of its own.
pub fn run<F: Future<Output = anyhow::Result<()>>>(test: F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let outcome = runtime.block_on(async { tokio::time::timeout(PATIENCE * 2, test).await });
    outcome.expect("the test hangs").unwrap();
}

/// A kernel with the kit's table.
pub async fn kit() -> anyhow::Result<(Instance, Bus)> {
    Instance::start(Which::Kit, &[], &[]).await
}

/// A worker's address.
pub async fn endpoint(bus: &Bus, name: &str) -> anyhow::Result<EndpointId> {
    Ok(worker(bus, name).await?.endpoint)
}

/// Has a worker do something in its own name.
pub async fn ask(bus: &Bus, name: &str, ask: &Ask) -> anyhow::Result<Answer> {
    Ok(bus.to(endpoint(bus, name).await?).call::<Relay>(ask).await?)
}

/// Has a worker call something in its own name, as part of the caller's trace.
pub async fn ask_call<T: butterfly_wire::Encode>(
    bus: &Bus,
    name: &str,
    info: &butterfly_wire::catalog::MethodInfo,
    request: &T,
) -> anyhow::Result<Result<Vec<u8>, Failure>> {
    let call = Ask::Call {
        service: info.service,
        method: info.method,
        to: EndpointId::ANY,
        payload: codec::encode(request)?,
        background: false,
    };
    match ask(bus, name, &call).await? {
        Answer::Reply(reply) => Ok(Ok(reply)),
        Answer::Failed(failure) => Ok(Err(failure)),
        other => anyhow::bail!("an answer to another question: {other:?}"),
    }
}

/// A stream that gives some items and then stalls for ever.
pub async fn stalled_stream(bus: &Bus, to: EndpointId, items: u64) -> anyhow::Result<Stream<Count>> {
    let request = CountRequest { items: items + 1, bytes: 16, stall_after: Some(items) };
    let mut stream = bus.to(to).stream::<Count>(&request).await?;
    for _ in 0..items {
        assert!(matches!(stream.next().await?, Next::Item(_)));
    }
    Ok(stream)
}
