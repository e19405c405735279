//! Reaching the kernel of an instance, and starting it where none runs.

use crate::log::StartLog;
use crate::workers::{Notice, RESTART_LIMIT, is_settled_table, settled};
use crate::{Instance, StartError};
use butterfly_api::control;
use butterfly_client::{Bus, ConnectError, connect};
use butterfly_wire::control::Status;
use std::path::PathBuf;
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

/// A kernel that runs, and whether it was this program that started it.
pub struct Running {
    pub bus: Bus,
    pub status: Status,
    pub started: bool,
}

/// Connects to the kernel of this instance and starts one if none runs. Returns when every worker is ready or held;
/// until then `notice` hears what delays them. Must be called inside a tokio runtime.
///
/// # Errors
/// When no kernel can be started; the reason is the kernel's own, where it gave one.
pub async fn up(instance: &Instance, notice: &(dyn Fn(Notice) + Sync)) -> Result<Running, StartError> {
    let (bus, started) = connect_or_start(instance).await?;
    let status = tokio::time::timeout(READY_LIMIT, settled(&bus, notice))
        .await
        .map_err(|_| StartError::NotReady { seconds: READY_LIMIT.as_secs() })??;
    Ok(Running { bus, status, started })
}

/// Connects to the kernel of this instance and starts one if none runs; says whether it did. The workers may still be
/// coming up.
///
/// # Errors
/// As [`up`].
pub async fn connect_or_start(instance: &Instance) -> Result<(Bus, bool), StartError> {
    match connect(&instance.place).await {
        Ok((bus, _)) => Ok((bus, false)),
        Err(ConnectError::NotRunning(_)) => start(instance).await,
        Err(other) => Err(other.into()),
    }
}

/// Connects to the kernel, and waits while workers are being started: what is asked of one of those would be refused.
///
/// # Errors
/// Where no kernel runs, or the connection ends.
pub async fn serving(instance: &Instance, notice: &(dyn Fn(Notice) + Sync)) -> Result<Bus, StartError> {
    let (bus, _) = connect(&instance.place).await?;
    if is_settled_table(&bus.call::<control::Status>(&()).await?) {
        return Ok(bus);
    }
    // Who is not there even then says so in the answer.
    if let Ok(settled) = tokio::time::timeout(RESTART_LIMIT, settled(&bus, notice)).await {
        settled?;
    }
    Ok(bus)
}

async fn start(instance: &Instance) -> Result<(Bus, bool), StartError> {
    let program = program()?;
    let logs = instance.place.logs();
    let mut log = StartLog::open(&logs)?;
    let mut command = Command::new(&program);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log.handle()?);
    // A kernel that outlives its terminal must not keep the folder busy in which somebody typed.
    command.current_dir("/");
    if let Some(home) = &instance.home {
        command.env("BUTTERFLY_HOME", home);
    }
    let mut child = command.spawn().map_err(|fault| StartError::NotStartable { program, fault })?;
    match tokio::time::timeout(CONNECT_LIMIT, reach(instance, &mut child)).await {
        Ok(Ok(Reached::Connected(bus))) => Ok((bus, true)),
        Ok(Ok(Reached::Ended(how))) => ended(instance, how, &mut log).await,
        Ok(Err(error)) => Err(error),
        Err(_) => Err(StartError::NoSocket {
            pid: child.id().unwrap_or_default(),
            seconds: CONNECT_LIMIT.as_secs(),
            reason: log.reason().unwrap_or_else(|| format!("look into {}", logs.display())),
        }),
    }
}

/// What came first.
enum Reached {
    Connected(Bus),
    Ended(String),
}

async fn reach(instance: &Instance, child: &mut Child) -> Result<Reached, StartError> {
    loop {
        match connect(&instance.place).await {
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
async fn ended(instance: &Instance, how: String, log: &mut StartLog) -> Result<(Bus, bool), StartError> {
    if let Ok((bus, _)) = connect(&instance.place).await {
        return Ok((bus, false));
    }
    Err(StartError::Ended { how, reason: log.reason().unwrap_or_else(|| "it gave no reason".to_owned()) })
}

/// The kernel's program, beside this one.
fn program() -> Result<PathBuf, StartError> {
    let own = std::env::current_exe()?;
    let program = own.with_file_name("butterfly-kernel");
    if program.is_file() { Ok(program) } else { Err(StartError::NoProgram(program)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use butterfly_wire::place::Place;

    #[test]
    fn without_a_kernel_or_its_program_each_way_in_says_what_is_missing() {
        let home = tempfile::tempdir().unwrap();
        let instance = Instance { place: Place::under(home.path()), home: Some(home.path().to_owned()) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // Test programs stand in a folder of their own, without the kernel.
        let error = runtime.block_on(connect_or_start(&instance)).err().unwrap();
        assert!(matches!(&error, StartError::NoProgram(program) if program.ends_with("butterfly-kernel")), "{error}");
        let error = runtime.block_on(serving(&instance, &|_| {})).err().unwrap();
        assert!(matches!(error, StartError::Connect(ConnectError::NotRunning(_))), "{error}");
    }
}
