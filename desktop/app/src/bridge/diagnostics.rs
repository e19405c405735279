//! Diagnostics' half of the bridge: the kernel's tables, its feeds, and what the workers say of themselves.

use super::Port;
use crate::state::diagnostics::feed::Kind;
use crate::state::diagnostics::workers::Act;
use crate::state::diagnostics::{Effect, Event, Gathered, units};
use crate::state::lease::Leased;
use butterfly_api::control;
use butterfly_api::health::{Check, CheckAll, Level};
use butterfly_client::{Bus, Events};
use butterfly_wire::catalog::{control as service, topic};
use butterfly_wire::control::{LogsRequest, Named, Topic, TraceRequest, WorkerChanged};
use butterfly_wire::limits::TRACE_RING;
use butterfly_wire::place::Place;
use butterfly_wire::{EndpointId, Failure, codec};
use std::path::Path;
use std::time::Duration;

/// Lines of the logs that are read when they are shown.
const KEPT_LINES: u32 = 5_000;

/// Lines of the logs that a report looks at.
const REPORT_LINES: u32 = 2_000;

/// Time that a worker has to look at itself. It is more than the method's own, because a model server may be slow to say
/// that it is there.
const LOOK: Duration = Duration::from_secs(10);

/// Below this, the next log line or crash report may not fit, in bytes.
const DISK_FAILING: u64 = 64 << 20;

/// Below this, a person should know before it is too late, in bytes.
const DISK_WARNING: u64 = 1 << 30;

/// Does what the state asked for, and answers with events.
pub async fn perform(port: Port, effect: Effect) {
    match effect {
        Effect::Act { worker, act } => {
            if let Err(failure) = do_to(&port.bus, &worker, act).await {
                port.emit(Event::ActFailed { worker, act, why: failure.message });
            }
        }
        Effect::Check { worker, endpoint, question } => {
            let answer = look(&port.bus, endpoint).await;
            port.emit(Event::Checked { worker, question, answer });
        }
        Effect::Disk => port.emit(Event::Disk(disk().await)),
        Effect::Crashes => {
            let crashes = port.bus.call::<control::Crashes>(&()).await;
            port.emit(Event::Crashes(crashes.map(|crashes| crashes.reports).map_err(|failure| failure.message)));
        }
        Effect::Capabilities => {
            if let Ok(capabilities) = port.bus.call::<control::Capabilities>(&()).await {
                port.emit(Event::Capabilities(capabilities));
            }
        }
        Effect::Prove(worker) => {
            let report = port.bus.call::<control::Prove>(&Named { name: worker.clone() }).await;
            port.emit(Event::Proved { worker, report: report.map(Box::new).map_err(|failure| failure.message) });
        }
        Effect::Turn(trace) => {
            let request = TraceRequest { trace, most: TRACE_RING as u32 };
            let records = port.bus.call::<control::Trace>(&request).await.map_err(|failure| failure.message);
            port.emit(Event::TurnRead { asked: trace, records });
        }
        Effect::Follow(kind, leased) => feed(port, kind, leased).await,
        Effect::Report { workers } => port.emit(Event::Gathered(Box::new(gather(&port.bus, workers).await))),
    }
}

/// Follows the table of workers for as long as the connection lasts.
pub async fn follow(port: Port) {
    tokio::join!(tables(&port), changes(&port));
}

async fn tables(port: &Port) {
    let Ok(mut stats) = port.bus.subscribe(service::ID, topic::STATS).await else { return };
    // The first event takes up to a second.
    if let Ok(status) = port.bus.call::<control::Status>(&()).await {
        port.emit(Event::Stats(Box::new(status)));
    }
    while let Some(event) = stats.next().await {
        // A table that was missed is of no interest any more.
        if let Some(status) = event.ok().and_then(|event| event.decode().ok()) {
            port.emit(Event::Stats(Box::new(status)));
        }
    }
}

async fn changes(port: &Port) {
    let Ok(mut changes) = port.bus.subscribe(service::ID, topic::WORKERS).await else { return };
    while let Some(event) = changes.next().await {
        match event.map(|event| event.decode::<WorkerChanged>()) {
            Ok(Ok(changed)) => port.emit(Event::Changed(changed)),
            Ok(Err(_)) => {}
            // After a gap the whole table is read.
            Err(_) => {
                if let Ok(status) = port.bus.call::<control::Status>(&()).await {
                    port.emit(Event::Stats(Box::new(status)));
                }
            }
        }
    }
}

async fn do_to(bus: &Bus, worker: &str, act: Act) -> Result<(), Failure> {
    let named = Named { name: worker.to_owned() };
    match act {
        Act::Restart => bus.call::<control::Restart>(&named).await,
        Act::Stop => bus.call::<control::Stop>(&named).await,
        Act::Start => bus.call::<control::Start>(&named).await,
    }
}

/// What a worker finds of itself.
async fn look(bus: &Bus, endpoint: EndpointId) -> Result<Vec<Check>, String> {
    let report = bus.to(endpoint).within(LOOK).call::<CheckAll>(&()).await;
    report.map(|report| report.checks).map_err(|failure| failure.message)
}

/// Follows a feed until its lease is over, and tells the kernel to send no more.
async fn feed(port: Port, kind: Kind, mut leased: Leased) {
    let _turn = leased.turn().await;
    if leased.is_over() {
        return;
    }
    let number = match kind {
        Kind::Trace => topic::TRACE,
        Kind::Logs => topic::LOGS,
    };
    // Followed before what is kept is asked for: what comes in between comes twice rather than never.
    let followed = port.bus.subscribe(service::ID, number).await;
    let ended = match followed {
        Ok(mut events) => {
            tokio::select! {
                ended = flow(&port, kind, &mut events) => ended,
                () = leased.over() => Ok(()),
            }
        }
        Err(failure) => Err(failure),
    };
    let topic = Topic { service: service::ID, topic: number };
    if let Ok(payload) = codec::encode(&topic) {
        // Where the connection is gone, nothing is sent any more anyway.
        let _ = port.bus.call_once(&service::UNSUBSCRIBE, &payload).await;
    }
    if let Err(failure) = ended {
        port.emit(Event::FeedFailed(kind, failure.message));
    }
}

async fn flow(port: &Port, kind: Kind, events: &mut Events) -> Result<(), Failure> {
    match kind {
        Kind::Trace => {
            let request = TraceRequest { trace: None, most: TRACE_RING as u32 };
            port.emit(Event::Trace(port.bus.call::<control::Trace>(&request).await?));
        }
        Kind::Logs => {
            let request = LogsRequest { worker: None, most_lines: KEPT_LINES };
            port.emit(Event::LogsKept(port.bus.call::<control::Logs>(&request).await?));
        }
    }
    while let Some(event) = events.next().await {
        match (event, kind) {
            (Ok(event), Kind::Trace) => port.emit(Event::Trace(event.decode()?)),
            (Ok(event), Kind::Logs) => port.emit(Event::Logs(event.decode()?)),
            (Err(batches), kind) => port.emit(Event::FeedLost(kind, batches)),
        }
    }
    Ok(())
}

/// Reads all that a report is made of, each part for itself: a report is wanted most when something does not answer.
async fn gather(bus: &Bus, workers: Vec<(String, EndpointId)>) -> Gathered {
    let checks = async {
        let asked: Vec<_> = workers
            .into_iter()
            .map(|(worker, endpoint)| {
                let bus = bus.clone();
                (worker, tokio::spawn(async move { look(&bus, endpoint).await }))
            })
            .collect();
        let mut checks = Vec::new();
        for (worker, asked) in asked {
            let answer = asked.await.unwrap_or_else(|fault| Err(fault.to_string()));
            checks.push((worker, answer));
        }
        checks
    };
    let logs = LogsRequest { worker: None, most_lines: REPORT_LINES };
    let (status, crashes, logs, checks, disk) = tokio::join!(
        bus.call::<control::Status>(&()),
        bus.call::<control::Crashes>(&()),
        bus.call::<control::Logs>(&logs),
        checks,
        disk(),
    );
    Gathered {
        status: status.ok(),
        checks,
        disk: Some(disk),
        crashes: crashes.ok().map(|crashes| crashes.reports),
        logs: logs.ok(),
        home: std::env::var("HOME").unwrap_or_default(),
        now_unix_ms: units::now_unix_ms(),
    }
}

/// Space for logs and crash reports: no worker may look at that folder.
async fn disk() -> Check {
    let folder = Place::from_variables(|name| std::env::var(name).ok()).map(|place| place.state);
    let found = tokio::task::spawn_blocking(move || folder.map(|folder| space(&folder))).await;
    match found {
        Ok(Ok(check)) => check,
        Ok(Err(fault)) => unknown_space(fault.to_string()),
        Err(fault) => unknown_space(fault.to_string()),
    }
}

fn unknown_space(found: String) -> Check {
    let next_step = "Check that the folder of the logs can be read".to_owned();
    Check { name: "space for logs".to_owned(), level: Level::Warning, found, next_step }
}

fn space(folder: &Path) -> Check {
    // Before the first start the folder is not there yet, but its disk is.
    let Some(found) = folder.ancestors().find_map(|folder| rustix::fs::statvfs(folder).ok()) else {
        return unknown_space("the disk of the logs cannot be examined".to_owned());
    };
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let (level, next_step) = match free {
        0..DISK_FAILING => (Level::Failing, "Make room on that disk"),
        DISK_FAILING..DISK_WARNING => (Level::Warning, "Make room on that disk soon"),
        _ => (Level::Ok, ""),
    };
    let found = format!("{} free for {}", units::bytes(free), folder.display());
    Check { name: "space for logs".to_owned(), level, found, next_step: next_step.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_yet_has_a_disk_all_the_same() {
        let check = space(&std::env::temp_dir().join("not-there/nor-this"));
        assert!(check.found.contains("free for"), "{check:?}");
        assert_eq!(check.level == Level::Ok, check.next_step.is_empty());
    }
}
