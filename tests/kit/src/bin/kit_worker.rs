//! The kit's worker: honest until it is told otherwise. Also the program of the class `cell`.

use butterfly_client::{Bus, Call, Inlet, Outlet};
use butterfly_kit::service::{self, Answer, Ask, CountRequest, Kit, Misbehaviour};
use butterfly_runtime::Worker;
use butterfly_wire::catalog::{self, kit};
use butterfly_wire::{EndpointId, ErrorCode, Failure, codec};
use std::process::ExitCode;
use std::sync::Arc;

struct Honest;

fn main() -> ExitCode {
    butterfly_runtime::run(|_| Worker::new().serves(service::serve(Arc::new(Honest))))
}

impl Kit for Honest {
    async fn echo(&self, _: Call, payload: Vec<u8>) -> Result<Vec<u8>, Failure> {
        Ok(payload)
    }

    async fn count(&self, _: Call, request: CountRequest, mut out: Outlet<Vec<u8>>) -> Result<u64, Failure> {
        let item = vec![7; request.bytes as usize];
        for sent in 0..request.items {
            if request.stall_after == Some(sent) {
                std::future::pending::<()>().await;
            }
            out.send(&item).await?;
        }
        Ok(request.items)
    }

    async fn sum(&self, _: Call, (): (), mut items: Inlet<u64>) -> Result<u64, Failure> {
        let mut sum = 0_u64;
        while let Some(item) = items.next().await? {
            sum += item;
        }
        Ok(sum)
    }

    async fn misbehave(&self, _: Call, how: Misbehaviour) -> Result<(), Failure> {
        match how {
            Misbehaviour::Abort => std::process::abort(),
            Misbehaviour::Panic => panic!("told to panic"),
            Misbehaviour::Exit(code) => std::process::exit(code),
            Misbehaviour::Hang => loop {
                std::thread::park();
            },
            Misbehaviour::Ignore => std::future::pending().await,
        }
    }

    async fn relay(&self, call: Call, ask: Ask) -> Result<Answer, Failure> {
        Ok(match ask {
            Ask::Call { service, method, to, payload, background } => {
                let bus = if background { call.bus().background() } else { call.bus().clone() };
                let Some(info) = catalog::method(service, method) else {
                    return Err(Failure::new(ErrorCode::UnknownMethod, "not in the catalog"));
                };
                match bus.to(to).call_once(info, &payload).await {
                    Ok(reply) => Answer::Reply(reply),
                    Err(failure) => Answer::Failed(failure),
                }
            }
            Ask::Provenance => Answer::Provenance(call.provenance().0),
            Ask::Flood { to, calls, bytes } => flood(call.bus(), to, calls, bytes).await?,
            Ask::Open { path, write } => {
                let opened = if write { std::fs::File::create(path) } else { std::fs::File::open(path) };
                Answer::Opened(opened.map(drop).map_err(|fault| fault.to_string()))
            }
        })
    }
}

async fn flood(bus: &Bus, to: EndpointId, calls: u32, bytes: u32) -> Result<Answer, Failure> {
    let payload = codec::encode(&vec![1_u8; bytes as usize])
        .map_err(|fault| Failure::new(ErrorCode::TooLarge, fault.to_string()))?;
    let (mut busy, mut answered, mut other) = (0, 0, 0);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..calls {
        let (bus, payload) = (bus.to(to), payload.clone());
        tasks.spawn(async move { bus.call_once(&kit::ECHO, &payload).await });
    }
    while let Some(ended) = tasks.join_next().await {
        match ended {
            Ok(Ok(_)) => answered += 1,
            Ok(Err(failure)) if failure.code == ErrorCode::Busy => busy += 1,
            Ok(Err(_)) | Err(_) => other += 1,
        }
    }
    Ok(Answer::Flooded { busy, answered, other })
}
