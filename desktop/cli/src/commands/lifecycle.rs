//! `up` and `down`.

use crate::context::{Context, status};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::launch;
use crate::paint::Role;
use crate::process::Process;
use crate::render::status::{KernelView, WorkerView};
use crate::render::units;
use crate::text;
use butterfly_api::control;
use butterfly_api::conversations::{List, ListRequest};
use butterfly_api::model::{Probe, ProbeServer};
use butterfly_client::{Bus, ConnectError};
use butterfly_wire::control::{Status, WorkerState};
use butterfly_wire::{ErrorCode, Failure};
use serde::Serialize;
use std::time::Duration;

/// Time for the model worker to say what it would use: enough for a server on this machine that is busy loading.
const PROBE_LIMIT: Duration = Duration::from_secs(4);

/// Time for an orderly end. The kernel gives its workers less than this before it kills them.
const DOWN_LIMIT: Duration = Duration::from_secs(30);

/// What `up --json` prints.
#[derive(Serialize)]
struct UpView<'a> {
    started: bool,
    kernel: KernelView<'a>,
    workers: Vec<WorkerView<'a>>,
    model: Option<Probe>,
}

/// What `down --json` prints.
#[derive(Serialize)]
struct DownView {
    was_running: bool,
    pid: Option<u32>,
}

/// Starts the kernel, or finds that one runs, and waits for its workers.
///
/// # Errors
/// When the kernel does not start, or a worker is held.
pub async fn up(context: &Context) -> Result<Exit, Fault> {
    let running = launch::up(context).await?;
    let out = &context.out;
    let status = &running.status;
    // Why it is not is said below; asking would only take time.
    let probe = if is_ready(status, "model") { Some(probe(&running.bus).await) } else { None };
    if out.json {
        let kernel = KernelView::from(&status.kernel);
        let workers = status.workers.iter().map(WorkerView::from).collect();
        out.object(&UpView { started: running.started, kernel, workers, model: probe.and_then(Result::ok) })?;
        let is_well = launch::held_fault(status).is_none() && remembers(&running.bus).await.is_ok();
        return Ok(if is_well { Exit::Done } else { Exit::Failed });
    }
    let verb = if running.started { "started" } else { "runs already" };
    out.line(&format!(
        "{} {verb}: pid {}, socket {}",
        out.paint.apply(Role::Strong, "kernel"),
        status.kernel.pid,
        text::escaped(&status.kernel.socket)
    ))?;
    for worker in &status.workers {
        let state = out.paint.apply(crate::render::status::state_role(&worker.state), worker.state.name());
        let grade = worker.confinement.grade;
        let shown = out.paint.apply(crate::render::status::grade_role(grade), grade.name());
        let confinement = if worker.pid == 0 { String::new() } else { format!(", confinement {shown}") };
        out.line(&format!("{} {state}{confinement}", out.paint.apply(Role::Strong, &text::escaped(&worker.name))))?;
    }
    match probe {
        Some(Ok(probe)) => show_probe(context, &probe)?,
        Some(Err(failure)) => out.warning(&format!("the model worker did not say what it would use: {failure}")),
        None => {}
    }
    for warning in &status.kernel.warnings {
        out.warning(warning);
    }
    if is_ready(status, "memory")
        && let Err(failure) = remembers(&running.bus).await
    {
        return Err(failure.into());
    }
    match launch::held_fault(status) {
        Some(fault) => Err(fault),
        None => Ok(Exit::Done),
    }
}

fn is_ready(status: &Status, worker: &str) -> bool {
    status.workers.iter().any(|it| it.name == worker && it.state == WorkerState::Ready)
}

/// Whether the store is open. A memory worker whose store is damaged runs all the same, to say so and to take in a copy.
async fn remembers(bus: &Bus) -> Result<(), Failure> {
    let request = ListRequest { offset: 0, limit: 1, trash: false };
    // A store that is busy is open.
    tokio::time::timeout(PROBE_LIMIT, bus.call::<List>(&request)).await.map_or(Ok(()), |listed| listed.map(drop))
}

/// What a chat would use now.
///
/// # Errors
/// What the model worker answers; that a server is absent is no error.
pub async fn probe(bus: &Bus) -> Result<Probe, Failure> {
    let asked = bus.within(PROBE_LIMIT);
    // The client waits through the restart of a worker; a held one would be waited for in vain, and not for long.
    tokio::time::timeout(PROBE_LIMIT * 2, asked.call::<ProbeServer>(&()))
        .await
        .unwrap_or_else(|_| Err(Failure::new(ErrorCode::DeadlineExceeded, "it did not answer in time")))
}

/// One line on the model, and one on what stands in the way of a better one.
///
/// # Errors
/// When the output is gone.
pub fn show_probe(context: &Context, probe: &Probe) -> Result<(), Fault> {
    let out = &context.out;
    out.line(&format!("{} {}", out.paint.apply(Role::Strong, "answers:"), text::escaped(&probe.reason)))?;
    if let Some(problem) = &probe.problem
        && !probe.reason.contains(&problem.message)
    {
        out.line(&out.paint.apply(Role::Muted, &text::escaped(&problem.message)))?;
    }
    Ok(())
}

/// Ends the kernel in an orderly way and waits until it is gone.
///
/// # Errors
/// When it does not end.
pub async fn down(context: &Context) -> Result<Exit, Fault> {
    let out = &context.out;
    let bus = match context.try_connect().await {
        Ok((bus, _)) => bus,
        Err(ConnectError::NotRunning(socket)) => {
            if out.json {
                out.object(&DownView { was_running: false, pid: None })?;
            } else {
                out.line(&format!("no kernel runs at {}", text::escaped(&socket.to_string_lossy())))?;
            }
            return Ok(Exit::Done);
        }
        Err(other) => return Err(other.into()),
    };
    let kernel = status(&bus).await?.kernel;
    let process = Process::hold(kernel.pid)?;
    match bus.call::<control::Shutdown>(&()).await {
        Ok(()) => {}
        // It may be quicker to end than to answer.
        Err(failure) if failure.code == ErrorCode::Disconnected => {}
        Err(failure) => return Err(failure.into()),
    }
    let gone = async {
        bus.ended().await;
        process.gone().await
    };
    tokio::time::timeout(DOWN_LIMIT, gone).await.map_err(|_| {
        Fault::failed(format!(
            "the kernel (pid {}) did not end within {}; end it with `kill -9 {}`, its workers end with it",
            kernel.pid,
            units::milliseconds(DOWN_LIMIT.as_millis() as u64),
            kernel.pid
        ))
    })??;
    if out.json {
        out.object(&DownView { was_running: true, pid: Some(kernel.pid) })?;
    } else {
        out.line(&format!("kernel stopped (pid {})", kernel.pid))?;
    }
    Ok(Exit::Done)
}
