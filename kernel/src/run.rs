//! From start to end of the kernel: folders, lock, workers, the loops that run beside the connections, shutdown.

use crate::core::{Kernel, Parts, Shared, Worker};
use crate::crash::CrashLog;
use crate::data_folder;
use crate::holes::{Holes, provider_ports};
use crate::listener::{Door, DoorError, accept, private_folder};
use crate::logs::Logs;
use crate::manifest::Ports;
use crate::options::Options;
use crate::session_bus::Address;
use crate::supervisor::{Event, State};
use butterfly_wire::catalog::{control, topic};
use butterfly_wire::control::{LogLine, TraceRecords};
use butterfly_wire::limits::PARTIAL_FRAME_MS;
use butterfly_wire::place::{Place, PlaceError};
use butterfly_wire::{EndpointId, codec};
use std::collections::VecDeque;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use thiserror::Error;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

/// Time between two looks at everything that has no event of its own.
const HOUSEKEEPING: Duration = Duration::from_secs(1);

/// The same while somebody follows the trace live.
const TRACE_BATCH: Duration = Duration::from_millis(100);

/// Trace records in one event: below an event queue's bound, so that a batch never drops itself.
const TRACE_EVENT_RECORDS: usize = 512;

/// Time for an orderly end of all workers before the kernel goes and takes them with it.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(5);

/// Why a kernel does not start.
#[derive(Debug, Error)]
pub enum StartError {
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error(transparent)]
    Door(#[from] DoorError),
    #[error("the table names no client")]
    NoClient,
    #[error("the async runtime does not start: {0}")]
    Runtime(#[from] io::Error),
}

/// Runs a kernel to its end. Must be called on the main thread: workers die with the thread that started them.
///
/// # Errors
/// A [`StartError`]; once started it ends in order.
pub fn run(options: Options) -> Result<(), StartError> {
    let place = match &options.home {
        Some(home) => Place::under(home),
        None => Place::from_variables(|name| std::env::var(name).ok())?,
    };
    for folder in [&place.state, &place.runtime, &place.logs(), &place.crashes()] {
        private_folder(folder)?;
    }
    let door = Door::lock(&place)?;
    data_folder::settle(&place)?;
    match private_folder(&place.data) {
        // It was moved to a disk that is away: the worker that needs it is held, and the others run.
        Err(_) if place.data.is_symlink() => {}
        result => result?,
    }
    // Away from the terminal's process group, so that Ctrl-C there is not ours. A group's leader cannot leave it, and
    // whoever starts the kernel as one, from a shell, wants its Ctrl-C.
    let _ = nix::unistd::setsid();
    let own_lines = start_log(&place);
    write_canary(&place)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, live(options, place, &door, own_lines))
}

async fn live(options: Options, place: Place, door: &Door, own_lines: OwnLines) -> Result<(), StartError> {
    let client = options.manifest.client().ok_or(StartError::NoClient)?;
    let kernel = build(options, place);
    let listener = door.open()?;
    let child_ended = signal(SignalKind::child())?;
    let ends = [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?, signal(SignalKind::hangup())?];
    let finished = {
        let mut kernel = kernel.borrow_mut();
        kernel.start_all();
        Rc::clone(&kernel.finished)
    };
    tokio::task::spawn_local(accept(Rc::clone(&kernel), listener, door.token(), client));
    tokio::task::spawn_local(keep_time(Rc::clone(&kernel)));
    tokio::task::spawn_local(keep_house(Rc::clone(&kernel), own_lines));
    tracing::info!(pid = std::process::id(), version = env!("CARGO_PKG_VERSION"), "the kernel runs");
    // A task of its own: what this future waits for itself is polled at every message.
    let watched = tokio::task::spawn_local(watch(Rc::clone(&kernel), child_ended, ends, finished)).await;
    watched.map_err(io::Error::other)?;
    tracing::info!("the kernel ends");
    kernel.borrow_mut().flush();
    Ok(())
}

/// Buries processes that ended, and returns when the kernel is to end: all is down, or has had its time.
async fn watch(kernel: Shared, mut child_ended: Signal, mut ends: [Signal; 3], finished: Rc<Notify>) {
    let [term, interrupt, hangup] = &mut ends;
    let mut deadline = None;
    loop {
        let late = async {
            match deadline {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = child_ended.recv() => kernel.borrow_mut().reap(),
            _ = term.recv() => kernel.borrow_mut().shut_down(),
            _ = interrupt.recv() => kernel.borrow_mut().shut_down(),
            _ = hangup.recv() => kernel.borrow_mut().shut_down(),
            () = finished.notified() => break,
            () = late => {
                tracing::warn!("workers did not end in time and go down with the kernel");
                break;
            }
        }
        if deadline.is_none() && kernel.borrow().shutting_down {
            deadline = Some(tokio::time::Instant::now() + SHUTDOWN_LIMIT);
        }
    }
}

fn build(options: Options, place: Place) -> Shared {
    let (overrides, mut warnings) = read_overrides(std::env::vars());
    if nix::unistd::geteuid().is_root() {
        warnings
            .push("the kernel was started by root; workers keep no privilege, but an ordinary user is safer".into());
    }
    let system = butterfly_sandbox::system();
    let landlock_abi = options.landlock_abi_limit.map_or(system.landlock_abi, |limit| system.landlock_abi.min(limit));
    let workers = options
        .manifest
        .workers()
        .map(|role| {
            let ports = match role.template.ports {
                Ports::None => Vec::new(),
                Ports::Providers => provider_ports(&overrides),
            };
            Worker::new(role, options.policy, Holes::new(ports, Vec::new()))
        })
        .collect();
    let mut seed = [0; 8];
    // Without randomness trace ids of two starts could meet, which confuses a reader and nothing else.
    let _ = getrandom::fill(&mut seed);
    Kernel::new(Parts {
        manifest: options.manifest,
        overrides,
        warnings,
        landlock_abi,
        session_bus: Address::from_variables(|name| std::env::var(name).ok()),
        workers,
        logs: Logs::new(place.logs()),
        crashes: CrashLog::open(place.crashes()),
        // 48 bits: counting up from it never wraps, and whoever reads a trace id as a double loses no digit.
        first_trace: u64::from_le_bytes(seed) >> 16,
        options,
        place,
    })
}

/// The `BUTTERFLY_*` variables that are settings: no secret is ever read from an environment.
fn read_overrides(variables: impl Iterator<Item = (String, String)>) -> (Vec<(String, String)>, Vec<String>) {
    const SECRET: [&str; 5] = ["KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL"];
    let (mut overrides, mut warnings) = (Vec::new(), Vec::new());
    for (name, value) in variables {
        let Some(short) = name.strip_prefix("BUTTERFLY_") else { continue };
        if SECRET.iter().any(|word| short.contains(word)) {
            warnings.push(format!("{name} was ignored: secrets are never read from the environment"));
        } else if short != "HOME" {
            overrides.push((short.to_owned(), value));
        }
    }
    overrides.sort();
    (overrides, warnings)
}

/// Wakes when a deadline, a backoff or an instance's time is up.
async fn keep_time(kernel: Shared) {
    let rearm = Rc::clone(&kernel.borrow().rearm);
    loop {
        let next = kernel.borrow().next_wake();
        match next {
            Some(next) => tokio::select! {
                () = tokio::time::sleep_until(next.into()) => kernel.borrow_mut().tick(Instant::now()),
                () = rearm.notified() => {}
            },
            None => rearm.notified().await,
        }
    }
}

/// Pings, half frames, statistics and the live trace.
async fn keep_house(kernel: Shared, own_lines: OwnLines) {
    let ping_interval = kernel.borrow().options.ping_interval;
    let mut next_ping = Instant::now() + ping_interval;
    let mut next_stats = Instant::now();
    let mut nonce = 0;
    loop {
        let pause = if kernel.borrow().is_followed(topic::TRACE) { TRACE_BATCH } else { HOUSEKEEPING };
        tokio::time::sleep(pause.min(ping_interval)).await;
        let now = Instant::now();
        let mut kernel = kernel.borrow_mut();
        if now >= next_ping {
            next_ping = now + ping_interval;
            nonce += 1;
            for index in 0..kernel.workers.len() {
                kernel.ping(index, nonce);
            }
        }
        kernel.end_half_frames(now);
        kernel.end_the_deaf(now);
        if now >= next_stats {
            next_stats = now + HOUSEKEEPING;
            if kernel.is_followed(topic::STATS)
                && let Ok(payload) = codec::encode(&kernel.status(now))
            {
                kernel.publish(EndpointId::KERNEL, control::ID, topic::STATS, payload);
            }
        }
        kernel.publish_trace();
        let own = std::mem::take(&mut *own_lines.lock().unwrap_or_else(PoisonError::into_inner));
        kernel.publish_log(own.into());
        kernel.flush();
    }
}

impl Kernel {
    fn publish_trace(&mut self) {
        if !self.is_followed(topic::TRACE) {
            return self.ring.skip_fresh();
        }
        let fresh = self.ring.take_fresh();
        for records in fresh.chunks(TRACE_EVENT_RECORDS) {
            let batch = TraceRecords { records: records.to_vec(), names: self.endpoint_names() };
            if let Ok(payload) = codec::encode(&batch) {
                self.publish(EndpointId::KERNEL, control::ID, topic::TRACE, payload);
            }
        }
    }

    /// Ends those who began a frame long ago and have not finished it.
    fn end_half_frames(&mut self, now: Instant) {
        let limit = Duration::from_millis(PARTIAL_FRAME_MS);
        for peer in self.peers.iter_mut() {
            if peer.partial_since.is_some_and(|since| now.duration_since(since) > limit) {
                peer.close(crate::peer::Closing::Fault("a frame was begun and never finished".to_owned()));
            }
        }
    }

    /// Begins an orderly end: every worker finishes what it does.
    pub fn shut_down(&mut self) {
        if std::mem::replace(&mut self.shutting_down, true) {
            return;
        }
        tracing::info!("shutting down");
        for instance in &mut self.instances {
            instance.process.kill();
        }
        if let Some(moving) = &self.moving {
            moving.give_up();
        }
        for index in 0..self.workers.len() {
            self.supervise(index, Event::Stop);
        }
        self.finish_if_down();
    }

    /// Says that all is done once no process is left.
    pub fn finish_if_down(&mut self) {
        let down = |worker: &Worker| {
            worker.process.is_none() && matches!(worker.supervisor.state(), State::Stopped | State::Held { .. })
        };
        if self.shutting_down && self.moving.is_none() && self.instances.is_empty() && self.workers.iter().all(down) {
            self.finished.notify_one();
        }
    }
}

/// The file that every worker must fail to read.
fn write_canary(place: &Place) -> Result<(), StartError> {
    let path = place.state.join("canary");
    fs::write(&path, "Workers try to read this file after they were confined. One that could is not started.\n")?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    Ok(())
}

/// Lines of the kernel's own log that nobody has been shown yet.
type OwnLines = Arc<Mutex<VecDeque<LogLine>>>;

/// Lines of the kernel's own log between two looks; the oldest go, and stand in the file all the same.
const OWN_LINES: usize = 256;

/// The kernel's own log, beside the workers'.
fn start_log(place: &Place) -> OwnLines {
    let lines = OwnLines::default();
    let writer = Mutex::new(OwnLog { logs: Logs::new(place.logs()), lines: Arc::clone(&lines) });
    let subscriber = tracing_subscriber::fmt().with_writer(writer).with_ansi(false).finish();
    // Two kernels in one process happen in tests alone; the first one's log serves both.
    let _ = tracing::subscriber::set_global_default(subscriber);
    lines
}

struct OwnLog {
    logs: Logs,
    lines: OwnLines,
}

impl io::Write for OwnLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for line in String::from_utf8_lossy(bytes).lines() {
            let line = self.logs.append("kernel", line)?;
            let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            if lines.len() == OWN_LINES {
                lines.pop_front();
            }
            lines.push_back(line);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_never_read_from_the_environment() {
        let variables =
            [("BUTTERFLY_MODEL", "m"), ("BUTTERFLY_OPENAI_API_KEY", "s"), ("BUTTERFLY_HOME", "/h"), ("PATH", "p")];
        let (overrides, warnings) =
            read_overrides(variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(overrides, [("MODEL".to_owned(), "m".to_owned())]);
        assert_eq!(warnings.len(), 1);
        assert!(!warnings[0].contains("=s"));
    }
}
