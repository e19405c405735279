//! One throw-away instance: a real kernel process in a folder of its own, and a client of it.

use anyhow::{Context, bail};
use butterfly_api::control;
use butterfly_client::{Bus, ConnectError, Events};
use butterfly_wire::catalog;
use butterfly_wire::control::{Named, Status, WorkerState, WorkerStatus};
use butterfly_wire::place::Place;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// Bound of every wait in the tests. Nothing is asserted about time: whoever waits this long has hung.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How the worker with the data folder keeps memory: a variable that the kernel gives it.
pub use butterfly_kernel::lifecycle::ALLOCATION;

/// Which program is the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    /// What users run.
    Production,
    /// The same kernel with the kit's table.
    Kit,
}

/// A running kernel. Ends with its value.
pub struct Instance {
    child: Child,
    pub home: Arc<TempDir>,
    pub place: Place,
}

/// The folder of the built programs: the test program's own, or its parent where cargo puts tests into `deps`.
#[must_use]
pub fn programs() -> PathBuf {
    let own = std::env::current_exe().unwrap_or_default();
    let folder = own.parent().unwrap_or(Path::new("/"));
    if folder.ends_with("deps") { folder.parent().unwrap_or(folder).to_owned() } else { folder.to_owned() }
}

/// A built program.
///
/// # Errors
/// When it was not built.
pub fn program(name: &str) -> anyhow::Result<PathBuf> {
    let path = programs().join(name);
    if !path.exists() {
        bail!("{name} was not built; `make test` builds all programs before it runs the tests");
    }
    Ok(path)
}

impl Instance {
    /// Starts a kernel and waits until every worker is ready or held.
    ///
    /// # Errors
    /// When it ends early.
    pub async fn start(which: Which, arguments: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<(Self, Bus)> {
        let instance = Self::launch(which, Arc::new(tempfile::tempdir()?), arguments, environment)?;
        let bus = instance.connect().await?;
        settle(&bus).await?;
        Ok((instance, bus))
    }

    /// Starts a kernel in this folder and does not wait.
    ///
    /// # Errors
    /// When the program does not start.
    pub fn launch(
        which: Which,
        home: Arc<TempDir>,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let kernel = program(match which {
            Which::Production => "butterfly-kernel",
            Which::Kit => "kit_kernel",
        })?;
        let place = Place::under(home.path());
        let child = Command::new(kernel)
            .arg("--home")
            .arg(home.path())
            .args(arguments)
            .env_remove("BUTTERFLY_HOME")
            // The keyring of whoever runs the tests is none of theirs.
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .env_remove("XDG_RUNTIME_DIR")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        Ok(Self { child, home, place })
    }

    /// A new client, as soon as the kernel lets one in.
    ///
    /// # Errors
    /// When the kernel has ended, or never answers.
    pub async fn connect(&self) -> anyhow::Result<Bus> {
        let connected = async {
            loop {
                match butterfly_client::connect(&self.place).await {
                    Ok((bus, _)) => return Ok(bus),
                    Err(ConnectError::NotRunning(_) | ConnectError::Token { .. }) => {
                        tokio::time::sleep(Duration::from_millis(2)).await;
                    }
                    Err(fault) => return Err(fault),
                }
            }
        };
        Ok(tokio::time::timeout(PATIENCE, connected).await.context("the kernel never answered")??)
    }

    #[must_use]
    pub fn kernel_pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends the kernel as a crash would.
    ///
    /// # Errors
    /// When it is gone already.
    pub fn kill_kernel(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Waits for the kernel to end by itself.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ended(&mut self) -> anyhow::Result<std::process::ExitStatus> {
        let waited = async {
            loop {
                if let Some(status) = self.child.try_wait()? {
                    return Ok::<_, anyhow::Error>(status);
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waited).await.context("the kernel does not end")?
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // Ended already, perhaps, by the test itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The status table.
///
/// # Errors
/// When the kernel is gone.
pub async fn status(bus: &Bus) -> anyhow::Result<Status> {
    Ok(bus.call::<control::Status>(&()).await?)
}

/// One worker's row.
///
/// # Errors
/// When there is no such worker.
pub async fn worker(bus: &Bus, name: &str) -> anyhow::Result<WorkerStatus> {
    let status = status(bus).await?;
    status.workers.into_iter().find(|worker| worker.name == name).with_context(|| format!("no worker {name}"))
}

/// Follows state changes.
///
/// # Errors
/// When the kernel refuses.
pub async fn changes(bus: &Bus) -> anyhow::Result<Events> {
    Ok(bus.subscribe(catalog::control::ID, catalog::topic::WORKERS).await?)
}

/// Waits until the table satisfies `done`, looking again at every change of state.
///
/// # Errors
/// When it never does.
pub async fn until(bus: &Bus, what: &str, done: impl Fn(&Status) -> bool) -> anyhow::Result<Status> {
    let mut events = changes(bus).await?;
    let waited = async {
        loop {
            let now = status(bus).await?;
            if done(&now) {
                return Ok::<_, anyhow::Error>(now);
            }
            // Not every figure has an event: look again now and then.
            let _ = tokio::time::timeout(Duration::from_millis(50), events.next()).await;
        }
    };
    match tokio::time::timeout(PATIENCE, waited).await {
        Ok(result) => result,
        Err(_) => bail!("never happened: {what}; last seen: {:?}", status(bus).await?),
    }
}

/// Waits until every worker is ready or held.
///
/// # Errors
/// When one is neither for too long.
pub async fn settle(bus: &Bus) -> anyhow::Result<Status> {
    until(bus, "all workers ready or held", |status| {
        status.workers.iter().all(|worker| matches!(worker.state, WorkerState::Ready | WorkerState::Held { .. }))
    })
    .await
}

/// Waits until one worker is ready in a later generation.
///
/// # Errors
/// When it does not come back.
pub async fn back(bus: &Bus, name: &str, after: u32) -> anyhow::Result<WorkerStatus> {
    let status = until(bus, "the worker is back", |status| {
        status
            .workers
            .iter()
            .any(|worker| worker.name == name && worker.generation > after && worker.state == WorkerState::Ready)
    })
    .await?;
    status.workers.into_iter().find(|worker| worker.name == name).context("the worker is gone")
}

/// An argument that names a worker.
#[must_use]
pub fn named(name: &str) -> Named {
    Named { name: name.to_owned() }
}
