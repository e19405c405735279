//! Starting a kernel, and waiting until each of its workers is ready or held.

use crate::context::{Context, status};
use crate::fault::Fault;
use crate::render::status::sentence;
use crate::render::units;
use crate::text;
use butterfly_client::{Bus, ConnectError, Events};
use butterfly_wire::catalog::{control as service, topic};
use butterfly_wire::control::{Status, WorkerChanged, WorkerState};
use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

/// Between two attempts to reach a kernel that is just starting: there is nothing to wait on before its socket exists,
/// and a start takes tens of milliseconds.
const CONNECT_PAUSE: Duration = Duration::from_millis(3);

/// Time for a kernel to open its socket. It does so before it starts anything; only a machine on its knees needs long.
const CONNECT_LIMIT: Duration = Duration::from_secs(20);

/// Time for every worker to be ready or held. Five failed starts with their pauses fit; after that the kernel holds.
const READY_LIMIT: Duration = Duration::from_secs(90);

/// Time for a worker that is being restarted to serve again, before what was asked of it counts as refused.
pub const RESTART_LIMIT: Duration = Duration::from_secs(10);

/// Bytes of the start's log that are kept before it begins anew, and that are read for a reason.
const LOG_BYTES: u64 = 64 << 10;

/// A kernel that runs, and whether it was this program that started it.
pub struct Running {
    pub bus: Bus,
    pub status: Status,
    pub started: bool,
}

/// Connects to the kernel of this instance and starts one if none runs. Returns when every worker is ready or held.
///
/// # Errors
/// When no kernel can be started; the reason is the kernel's own, where it gave one.
pub async fn up(context: &Context) -> Result<Running, Fault> {
    let (bus, started) = match context.try_connect().await {
        Ok((bus, _)) => (bus, false),
        Err(ConnectError::NotRunning(_)) => start(context).await?,
        Err(other) => return Err(other.into()),
    };
    let status = tokio::time::timeout(READY_LIMIT, settled(context, &bus)).await.map_err(|_| {
        Fault::failed(format!(
            "the kernel runs, but its workers are not ready after {} s; `butterfly status` and `butterfly logs` say more",
            READY_LIMIT.as_secs()
        ))
    })??;
    Ok(Running { bus, status, started })
}

/// Connects to the kernel, and waits while workers are being started: what is asked of one of those would be refused.
///
/// # Errors
/// As [`Context::connect`].
pub async fn serving(context: &Context) -> Result<Bus, Fault> {
    let bus = context.connect().await?;
    if Pending::of(&status(&bus).await?).is_empty() {
        return Ok(bus);
    }
    // Who is not there even then says so in the answer.
    if let Ok(settled) = tokio::time::timeout(RESTART_LIMIT, settled(context, &bus)).await {
        settled?;
    }
    Ok(bus)
}

/// The workers that were not started because something is wrong with them.
pub fn held(status: &Status) -> impl Iterator<Item = (&str, &str)> {
    status.workers.iter().filter_map(|worker| match &worker.state {
        WorkerState::Held { reason } => Some((worker.name.as_str(), reason.as_str())),
        _ => None,
    })
}

/// The fault that a held worker is, if one is.
#[must_use]
pub fn held_fault(status: &Status) -> Option<Fault> {
    let reasons: Vec<_> = held(status).map(|(name, reason)| format!("{name} is held: {}", sentence(reason))).collect();
    let first = held(status).next()?.0;
    let message = format!(
        "{} Start it again with `butterfly restart {}` when that is mended.",
        reasons.join(" "),
        text::escaped(first)
    );
    Some(Fault::new(crate::exit::Exit::Failed, "held", message))
}

async fn start(context: &Context) -> Result<(Bus, bool), Fault> {
    let program = kernel_program()?;
    let logs = context.instance.place.logs();
    let mut log = StartLog::open(&logs)?;
    let mut command = Command::new(&program);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log.handle()?);
    // A kernel that outlives its terminal must not keep the folder busy in which somebody typed.
    command.current_dir("/");
    if let Some(home) = &context.instance.home {
        command.env("BUTTERFLY_HOME", home);
    }
    let mut child =
        command.spawn().map_err(|fault| Fault::failed(format!("{} cannot be started: {fault}", program.display())))?;
    match tokio::time::timeout(CONNECT_LIMIT, reach(context, &mut child)).await {
        Ok(Ok(Reached::Connected(bus))) => Ok((bus, true)),
        Ok(Ok(Reached::Ended(code))) => ended(context, &code, &mut log).await,
        Ok(Err(fault)) => Err(fault),
        Err(_) => Err(Fault::failed(format!(
            "the kernel (pid {}) opened no socket within {} s; {}",
            child.id().unwrap_or_default(),
            CONNECT_LIMIT.as_secs(),
            log.reason().unwrap_or_else(|| format!("look into {}", logs.display()))
        ))),
    }
}

/// What came first.
enum Reached {
    Connected(Bus),
    Ended(String),
}

async fn reach(context: &Context, child: &mut Child) -> Result<Reached, Fault> {
    loop {
        match context.try_connect().await {
            Ok((bus, _)) => return Ok(Reached::Connected(bus)),
            // Socket, then token: in between, either may be missing or a leftover of an earlier kernel.
            Err(ConnectError::NotRunning(_) | ConnectError::Token { .. } | ConnectError::Broken(_)) => {}
            Err(ConnectError::Refused(_) | ConnectError::Silent(_)) => {}
            Err(
                other @ (ConnectError::Foreign { .. } | ConnectError::Unreadable { .. } | ConnectError::Stranger(_)),
            ) => return Err(other.into()),
        }
        tokio::select! {
            ended = child.wait() => return Ok(Reached::Ended(ended?.to_string())),
            () = tokio::time::sleep(CONNECT_PAUSE) => {}
        }
    }
}

/// The kernel ended instead of opening its socket: either another one was quicker, or something is wrong.
async fn ended(context: &Context, how: &str, log: &mut StartLog) -> Result<(Bus, bool), Fault> {
    if let Ok((bus, _)) = context.try_connect().await {
        return Ok((bus, false));
    }
    let reason = log.reason().unwrap_or_else(|| "it gave no reason".to_owned());
    Err(Fault::failed(format!("the kernel did not start ({how}): {reason}")))
}

/// The kernel's program, beside this one.
fn kernel_program() -> Result<PathBuf, Fault> {
    let own = std::env::current_exe()?;
    let program = own.with_file_name("butterfly-kernel");
    if program.is_file() {
        return Ok(program);
    }
    Err(Fault::failed(format!(
        "{} is missing; all programs belong into one folder: build them together with `make build`",
        program.display()
    )))
}

/// Where the kernel's standard error goes: a file, since the kernel outlives whoever would read a pipe.
struct StartLog {
    file: File,
    /// What stood in it before.
    from: u64,
}

impl StartLog {
    fn open(folder: &Path) -> Result<Self, Fault> {
        let path = folder.join("kernel-start.log");
        let fault = |fault: std::io::Error| Fault::failed(format!("{} cannot be written: {fault}", path.display()));
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(fault)?;
        let mut file =
            OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(&path).map_err(fault)?;
        if file.metadata().map_err(fault)?.len() > LOG_BYTES {
            file.set_len(0).map_err(fault)?;
        }
        let from = file.seek(SeekFrom::End(0)).map_err(fault)?;
        Ok(Self { file, from })
    }

    fn handle(&self) -> Result<Stdio, Fault> {
        Ok(self.file.try_clone()?.into())
    }

    /// What was written since, on one line; `None` for nothing.
    fn reason(&mut self) -> Option<String> {
        self.file.seek(SeekFrom::Start(self.from)).ok()?;
        let mut bytes = Vec::new();
        (&mut self.file).take(LOG_BYTES).read_to_end(&mut bytes).ok()?;
        let written = String::from_utf8_lossy(&bytes);
        let lines: Vec<_> = written.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        (!lines.is_empty()).then(|| lines.join(" "))
    }
}

/// Waits by the kernel's own events until no worker is on its way to being ready.
///
/// # Errors
/// When the connection ends.
pub async fn settled(context: &Context, bus: &Bus) -> Result<Status, Fault> {
    let mut events = bus.subscribe(service::ID, topic::WORKERS).await?;
    loop {
        let now = status(bus).await?;
        let mut pending = Pending::of(&now);
        if pending.is_empty() {
            return Ok(now);
        }
        while !pending.is_empty() {
            let Some(changed) = next_change(&mut events).await? else { break };
            if let WorkerState::Backoff { remaining_ms } = changed.state {
                context.out.remark(&format!(
                    "{} failed to start and is tried again in {}",
                    text::escaped(&changed.name),
                    units::milliseconds(remaining_ms)
                ));
            }
            pending.take(&changed);
        }
    }
}

/// Which process does a worker's work: the number of its start. `None` where there is no such worker.
///
/// # Errors
/// When the connection ends.
pub async fn generation(bus: &Bus, worker: &str) -> Result<Option<u32>, Fault> {
    let now = status(bus).await?;
    Ok(now.workers.iter().find(|it| it.name == worker && it.instance_of.is_empty()).map(|it| it.generation))
}

/// Waits until a later process than that of `generation` does the worker's work, or is not started.
///
/// # Errors
/// When the connection ends.
pub async fn succeeded(bus: &Bus, worker: &str, generation: Option<u32>) -> Result<(), Fault> {
    let mut events = bus.subscribe(service::ID, topic::WORKERS).await?;
    loop {
        let now = status(bus).await?;
        let found = now.workers.iter().find(|it| it.name == worker && it.instance_of.is_empty());
        if found.is_none_or(|it| Some(it.generation) != generation && is_settled(&it.state)) {
            return Ok(());
        }
        next_change(&mut events).await?;
    }
}

/// The workers that are not settled yet.
struct Pending(BTreeMap<String, WorkerState>);

impl Pending {
    fn of(status: &Status) -> Self {
        let standing = status.workers.iter().filter(|worker| worker.instance_of.is_empty());
        let pending = standing.filter(|worker| !is_settled(&worker.state));
        Self(pending.map(|worker| (worker.name.clone(), worker.state.clone())).collect())
    }

    fn take(&mut self, changed: &WorkerChanged) {
        if is_settled(&changed.state) {
            self.0.remove(&changed.name);
        }
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

const fn is_settled(state: &WorkerState) -> bool {
    match state {
        WorkerState::Ready | WorkerState::Held { .. } | WorkerState::Stopped => true,
        WorkerState::Starting | WorkerState::Draining | WorkerState::Backoff { .. } => false,
    }
}

/// The next change of a worker's state; `None` where some were missed and the table must be read again.
///
/// # Errors
/// When the connection ended.
pub async fn next_change(events: &mut Events) -> Result<Option<WorkerChanged>, Fault> {
    match events.next().await {
        Some(Ok(event)) => Ok(Some(event.decode()?)),
        Some(Err(_)) => Ok(None),
        None => Err(lost()),
    }
}

/// The kernel ended while it was being watched.
#[must_use]
pub fn lost() -> Fault {
    Fault::new(
        crate::exit::Exit::CutOff,
        "disconnected",
        "the kernel ended; `butterfly up` starts it again, `butterfly crashes` and `butterfly logs` say what was",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::status::tests::sample;

    #[test]
    fn what_is_held_or_stopped_is_not_waited_for() {
        let mut pending = Pending::of(&sample());
        assert_eq!(pending.0.keys().collect::<Vec<_>>(), ["scheduler"]);
        pending.take(&WorkerChanged { name: "scheduler".into(), generation: 2, state: WorkerState::Starting });
        assert!(!pending.is_empty());
        pending.take(&WorkerChanged { name: "scheduler".into(), generation: 2, state: WorkerState::Ready });
        assert!(pending.is_empty());
    }

    #[test]
    fn a_held_worker_is_a_fault_that_says_what_to_do() {
        let fault = held_fault(&sample()).unwrap();
        assert!(fault.message.contains("brains is held") && fault.message.contains("butterfly restart brains"));
        let mut well = sample();
        well.workers.truncate(1);
        assert_eq!(held_fault(&well), None);
    }

    #[test]
    fn only_what_this_start_wrote_is_its_reason() {
        use std::io::Write;
        let folder = tempfile::tempdir().unwrap();
        let logs = folder.path().join("state/logs");
        StartLog::open(&logs).unwrap().file.write_all(b"an earlier reason\n").unwrap();
        let mut log = StartLog::open(&logs).unwrap();
        assert_eq!(log.reason(), None);
        log.file.write_all(b"no room\n\n on the disk\n").unwrap();
        assert_eq!(log.reason().as_deref(), Some("no room on the disk"));
    }
}
