//! The kit's worker: honest until it is told otherwise. Also the program of the class `cell`.

use butterfly_client::{Bus, Call, Inlet, Outlet};
use butterfly_kit::service::{self, Answer, Ask, CountRequest, Kit, Misbehaviour};
use butterfly_runtime::Worker;
use butterfly_wire::catalog::{self, kit};
use butterfly_wire::control::SetProfile;
use butterfly_wire::{EndpointId, ErrorCode, Failure, codec};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

/// The topic of the kit's service.
const TOPIC: u16 = 100;

/// How often one of these asks for what it needs before it serves; each pause is that of a restart.
const PATIENCE: u32 = 50;

/// What it was given, and has heard.
#[derive(Default)]
struct Honest {
    session_bus: Mutex<Option<OwnedFd>>,
    heard: Arc<Mutex<Vec<String>>>,
}

fn main() -> ExitCode {
    butterfly_runtime::run(|start| {
        let honest = Honest { session_bus: Mutex::new(start.take_descriptor()), ..Honest::default() };
        let heard = Arc::clone(&honest.heard);
        let worker = Worker::new().serves(service::serve(Arc::new(honest)));
        match start.value("KIT_PREPARES").filter(|_| start.name == "other") {
            None => worker,
            Some("fails") => worker.prepares(|_| async { Err("told to fail before it serves".to_owned()) }),
            Some(port) => {
                let port = port.parse().unwrap_or_default();
                worker.prepares(move |bus| prepare(bus, port, heard))
            }
        }
    })
}

/// Follows a topic, gives `echo` a port, and waits until it serves again.
async fn prepare(bus: Bus, port: u16, heard: Arc<Mutex<Vec<String>>>) -> Result<(), String> {
    let failed = |failure: Failure| failure.to_string();
    let mut events = bus.subscribe(kit::ID, TOPIC).await.map_err(failed)?;
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            if let Ok(Ok(text)) = event.map(|event| event.decode::<String>()) {
                heard.lock().unwrap_or_else(PoisonError::into_inner).push(text);
            }
        }
    });
    let ports = SetProfile { worker: "echo".to_owned(), tcp_ports: Some(vec![port]), paths: None };
    bus.call::<butterfly_api::control::SetProfile>(&ports).await.map_err(failed)?;
    for _ in 0..PATIENCE {
        match bus.call::<service::Echo>(&b"ready?".to_vec()).await {
            Ok(_) => return Ok(()),
            Err(failure) if failure.code.is_transient() => {}
            Err(failure) => return Err(failure.to_string()),
        }
    }
    Err("echo never served".to_owned())
}

/// Says the first line of D-Bus, as this user, and reads the answer's.
fn greet_session_bus(bus: OwnedFd) -> std::io::Result<String> {
    let mut bus = UnixStream::from(bus);
    bus.set_nonblocking(false)?;
    let user: String = nix::unistd::getuid().to_string().bytes().map(|digit| format!("{digit:02x}")).collect();
    bus.write_all(format!("\0AUTH EXTERNAL {user}\r\n").as_bytes())?;
    let mut line = String::new();
    BufReader::new(bus).read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
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
            Ask::Publish(text) => {
                call.bus().publish(kit::ID, TOPIC, &text).await?;
                Answer::Published
            }
            Ask::Heard => Answer::Heard(self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()),
            Ask::SessionBus => {
                let bus = self.session_bus.lock().unwrap_or_else(PoisonError::into_inner).take();
                let greeted = bus.map(greet_session_bus).transpose();
                let greeted = greeted.map_err(|fault| Failure::new(ErrorCode::Internal, fault.to_string()))?;
                Answer::SessionBus(greeted)
            }
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
