//! The first run's half of the bridge: it asks the model worker, starts the server, and carries a pull's progress.

use super::Port;
use crate::state::lease::Leased;
use crate::state::setup::{Effect, Event, Found, card};
use butterfly_api::config::ConfigChanged;
use butterfly_api::model::{Cause, ProbeServer, Pull, PullProgress, PullRequest};
use butterfly_api::vault;
use butterfly_client::{Bus, Next};
use butterfly_wire::catalog::{config, control, topic, vault as vault_service};
use butterfly_wire::control::{WorkerChanged, WorkerState};
use butterfly_wire::place::Place;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// Between two readings of a pull's progress.
const READING: Duration = Duration::from_millis(100);

/// Pauses while a server that was started is waited for, in ms. Together they outlast a cold disk.
const WAITS_MS: [u64; 10] = [200, 300, 500, 1000, 1000, 2000, 3000, 4000, 5000, 6000];

/// Does what the state asked for, and answers with events.
pub async fn perform(port: Port, effect: Effect) {
    match effect {
        Effect::Probe { asked } => {
            let found = look(&port.bus).await;
            port.emit(Event::Probed { asked, found: Box::new(found) });
        }
        Effect::ProbeAfter { asked, pause } => {
            tokio::time::sleep(pause).await;
            port.emit(Event::ProbeAgain { asked });
        }
        Effect::StartServer { asked, url } => match start(&port.bus, &url).await {
            Ok(found) => port.emit(Event::Probed { asked, found: Box::new(Ok(found)) }),
            Err(why) => port.emit(Event::StartFailed { why }),
        },
        Effect::Pull { model, leased } => pull(port, model, leased).await,
    }
}

/// Asks again when what the answer stands on changes: the settings, the secrets, the model worker.
pub async fn follow(port: Port) {
    tokio::join!(settings(&port), secrets(&port), worker(&port));
}

async fn settings(port: &Port) {
    let Ok(mut changes) = port.bus.subscribe(config::ID, topic::CONFIG_CHANGED).await else { return };
    while let Some(event) = changes.next().await {
        let keys = event.ok().and_then(|event| event.decode::<ConfigChanged>().ok()).map(|changed| changed.keys);
        // After a gap it may be about anything.
        if keys.is_none_or(|keys| keys.iter().any(|key| key.starts_with("model."))) {
            port.emit(Event::Probe);
        }
    }
}

async fn secrets(port: &Port) {
    let Ok(mut changes) = port.bus.subscribe(vault_service::ID, topic::SECRET_CHANGED).await else { return };
    while changes.next().await.is_some() {
        port.emit(Event::Probe);
    }
}

async fn worker(port: &Port) {
    let Ok(mut changes) = port.bus.subscribe(control::ID, topic::WORKERS).await else { return };
    while let Some(event) = changes.next().await {
        let changed = event.ok().and_then(|event| event.decode::<WorkerChanged>().ok());
        if changed.is_none_or(|changed| changed.name == "model" && changed.state == WorkerState::Ready) {
            port.emit(Event::Probe);
        }
    }
}

async fn look(bus: &Bus) -> Result<Found, String> {
    let probe = bus.call::<ProbeServer>(&()).await.map_err(|failure| failure.message)?;
    let needs_secret = probe.problem.as_ref().is_some_and(|problem| matches!(problem.cause, Cause::NeedsSecret { .. }));
    let keyring = if needs_secret { bus.call::<vault::Check>(&()).await.ok() } else { None };
    Ok(Found { probe, has_ollama: program().is_some(), keyring })
}

/// Where the program is.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    // A person's own path may leave out what a desktop's session does not know of.
    let more = ["/usr/local/bin", "/opt/homebrew/bin"].map(PathBuf::from);
    in_folders(std::env::split_paths(&path).chain(more))
}

fn in_folders(folders: impl Iterator<Item = PathBuf>) -> Option<PathBuf> {
    folders.map(|folder| folder.join("ollama")).find(|program| is_program(program))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Starts `ollama serve` as the person's own process, and waits until the model worker sees it.
///
/// It outlives the app: it is a server for others, too, and stopping it would end what they do with it.
async fn start(bus: &Bus, url: &str) -> Result<Found, String> {
    let program = program().ok_or("the program `ollama` is not where it was; install it anew")?;
    let log = log();
    let mut child = spawn(&program, url, log.as_deref()).map_err(|fault| {
        format!("`{} serve` cannot be started ({fault}); start it in a terminal", program.display())
    })?;
    for wait in WAITS_MS {
        let ended = tokio::select! {
            ended = child.wait() => ended.ok(),
            () = tokio::time::sleep(Duration::from_millis(wait)) => None,
        };
        // One that ended at once may have found that another one is there.
        if let Ok(found) = look(bus).await
            && !found.probe.problem.as_ref().is_some_and(|problem| problem.cause == Cause::ServerNotRunning)
        {
            // Whoever waits for it keeps it from becoming a zombie while the app runs.
            drop(tokio::spawn(async move { child.wait().await }));
            return Ok(found);
        }
        if let Some(ended) = ended {
            return Err(why_it_ended(ended, log.as_deref()));
        }
    }
    drop(tokio::spawn(async move { child.wait().await }));
    Err("Ollama was started and does not answer yet; look at its output in a terminal with `ollama serve`".to_owned())
}

fn spawn(program: &Path, url: &str, log: Option<&Path>) -> std::io::Result<Child> {
    let output = || match log {
        Some(log) => File::options().append(true).open(log).map(Stdio::from),
        None => Ok(Stdio::null()),
    };
    let mut command = Command::new(program);
    command.arg("serve").stdin(Stdio::null()).stdout(output()?).stderr(output()?);
    // What a terminal sends to the app is not meant for it.
    command.process_group(0);
    if let Some(authority) = card::authority(url) {
        command.env("OLLAMA_HOST", authority);
    }
    command.spawn()
}

/// An empty file for what the server writes. A pipe would end the server when the app ends.
fn log() -> Option<PathBuf> {
    let place = Place::from_variables(|name| std::env::var(name).ok()).ok()?;
    let file = place.state.join("ollama.log");
    File::create(&file).ok()?;
    Some(file)
}

fn why_it_ended(status: ExitStatus, log: Option<&Path>) -> String {
    let said = log.and_then(|log| std::fs::read_to_string(log).ok());
    let last = said.as_deref().and_then(|said| said.lines().rev().find(|line| !line.trim().is_empty()));
    match last {
        Some(last) => format!("`ollama serve` ended at once: {}", last.trim().chars().take(240).collect::<String>()),
        None => format!("`ollama serve` ended at once ({status}); start it in a terminal to see why"),
    }
}

async fn pull(port: Port, model: String, mut leased: Leased) {
    let _turn = leased.turn().await;
    if leased.is_over() {
        return;
    }
    let done = tokio::select! {
        done = fetch(&port, &model) => done,
        // Dropping the stream cancels the call: the worker closes its connection, and the server keeps what it has.
        () = leased.over() => return,
    };
    match done {
        Ok(model) => port.emit(Event::Pulled { model }),
        Err(why) => port.emit(Event::PullFailed { why }),
    }
}

async fn fetch(port: &Port, model: &str) -> Result<String, String> {
    let begun = Instant::now();
    let request = PullRequest { model: Some(model.to_owned()) };
    let mut stream = port.bus.stream::<Pull>(&request).await.map_err(|failure| failure.message)?;
    let mut told: Option<(Instant, PullProgress)> = None;
    loop {
        match stream.next().await.map_err(|failure| failure.message)? {
            Next::Item(progress) => {
                let is_news = told.as_ref().is_none_or(|(at, last)| {
                    at.elapsed() >= READING || last.status != progress.status || last.digest != progress.digest
                });
                if is_news {
                    let at_ms = begun.elapsed().as_millis() as u64;
                    port.emit(Event::PullProgress { at_ms, progress: progress.clone() });
                    told = Some((Instant::now(), progress));
                }
            }
            Next::End(pulled) => return Ok(pulled.model),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn only_a_file_that_may_be_run_is_the_program() {
        let folders = tempfile::tempdir().unwrap();
        let [first, second] = ["a", "b"].map(|name| folders.path().join(name));
        std::fs::create_dir_all(first.join("ollama")).unwrap();
        std::fs::create_dir_all(&second).unwrap();
        std::fs::write(second.join("ollama"), "#!/bin/sh\n").unwrap();
        let find = || in_folders([first.clone(), second.clone()].into_iter());
        assert_eq!(find(), None);
        std::fs::set_permissions(second.join("ollama"), std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(find(), Some(second.join("ollama")));
    }

    #[tokio::test]
    async fn what_a_server_says_when_it_ends_is_told_and_it_knows_its_address() {
        let folder = tempfile::tempdir().unwrap();
        let (program, log) = (folder.path().join("ollama"), folder.path().join("log"));
        std::fs::write(&program, "#!/bin/sh\necho \"$1 at $OLLAMA_HOST: no room\" >&2\nexit 3\n").unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        File::create(&log).unwrap();
        let mut child = spawn(&program, "http://127.0.0.1:7/", Some(&log)).unwrap();
        let status = child.wait().await.unwrap();
        assert_eq!(why_it_ended(status, Some(&log)), "`ollama serve` ended at once: serve at 127.0.0.1:7: no room");
        assert!(why_it_ended(status, None).contains("exit status: 3"));
    }
}
