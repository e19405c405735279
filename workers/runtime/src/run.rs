//! A worker's life: Welcome, harden, canaries, Ready, serve, drain.

use crate::handshake;
use crate::logging;
use crate::worker::Worker;
use butterfly_client::Bus;
use butterfly_wire::EndpointId;
use butterfly_wire::catalog::{control, topic};
use butterfly_wire::confinement::{Access, Attempt, Canaries, Canary, Remaining, SessionBus, Targets};
use butterfly_wire::control::{Confined, Mode, Proof, Ready, Serve};
use interprocess::os::unix::uds_local_socket::tokio::Stream;
use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Exit code of a worker that panicked; Rust's own convention.
pub const PANIC_EXIT: i32 = 101;

/// What a worker is built from.
pub struct Start {
    /// Its name in the manifest.
    pub name: String,
    /// The non-secret `BUTTERFLY_*` overrides, names without the prefix.
    pub overrides: Vec<(String, String)>,
    /// The standing workers by the slots of their endpoints. The kernel writes who calls (`Call::source`); a source in a slot that
    /// is not here is a client or an instance.
    pub roles: Vec<(u32, String)>,
    /// The folder that this worker may write, free of links; `None` where it may write nothing.
    pub folder: Option<PathBuf>,
    /// A connected, non-blocking socket to the user's session bus, if the profile has one and there is a bus. It can be taken once.
    pub descriptor: RefCell<Option<OwnedFd>>,
}

impl Start {
    /// The override of that name, without prefix.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.overrides.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The connection to the user's session bus; `None` where there is none, or it was taken.
    pub fn take_descriptor(&self) -> Option<OwnedFd> {
        self.descriptor.take()
    }

    /// The name of the standing worker that a call came from; `None` for a client or an instance.
    #[must_use]
    pub fn role_of(&self, source: EndpointId) -> Option<&str> {
        self.roles.iter().find(|(slot, _)| *slot == source.slot).map(|(_, role)| role.as_str())
    }
}

/// Runs a worker to its end. `build` is called once, confined and inside the runtime; what it returns is then served.
pub fn run(build: impl FnOnce(&Start) -> Worker) -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        tracing::error!(panic = %panic, backtrace = %std::backtrace::Backtrace::capture(), "the worker panicked");
        std::process::exit(PANIC_EXIT);
    }));
    match live(build) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            tracing::error!("{reason}");
            crate::redact::eprint_line(&reason);
            ExitCode::FAILURE
        }
    }
}

fn live(build: impl FnOnce(&Start) -> Worker) -> Result<(), String> {
    let lost = |fault: &dyn std::fmt::Display| format!("the bus is gone: {fault}");
    let mut bus = handshake::bus_on_stdin().map_err(|fault| lost(&fault))?;
    let welcome = handshake::shake_hands(&mut bus).map_err(|fault| fault.to_string())?;
    match welcome.mode {
        Mode::Client => Err("the kernel took this worker for a client".to_owned()),
        Mode::Prove { remaining, targets, .. } => {
            give_up(&remaining)?;
            prove(&mut bus, &targets)
        }
        Mode::Control { targets, .. } => prove(&mut bus, &targets),
        Mode::Serve(serve) => {
            let level = serve.overrides.iter().find(|(name, _)| name == "LOG").map(|(_, value)| value.as_str());
            logging::start(level);
            give_up(&serve.remaining)?;
            let descriptor = take_session_bus(&serve.remaining)
                .map_err(|fault| format!("the session bus cannot be taken over: {fault}"))?;
            let canaries = check(&serve.canaries, &serve.remaining);
            serve_until_drained(bus, serve, descriptor, Ready { canaries }, build)
        }
    }
}

fn serve_until_drained(
    mut bus: UnixStream,
    serve: Serve,
    descriptor: Option<OwnedFd>,
    ready: Ready,
    build: impl FnOnce(&Start) -> Worker,
) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|fault| format!("the async runtime does not start: {fault}"))?;
    runtime.block_on(async move {
        // From here on there is time: what is built and prepared may take longer than a start.
        let confined = Confined { canaries: ready.canaries.clone() };
        handshake::send_event(&mut bus, topic::CONFINED, &confined)
            .map_err(|fault| format!("the bus is gone: {fault}"))?;
        let writable = serve.remaining.paths.iter().find(|grant| grant.access == Access::ReadWrite);
        let start = Start {
            name: serve.name,
            overrides: serve.overrides,
            roles: serve.roles,
            folder: writable.map(|grant| PathBuf::from(&grant.path)),
            descriptor: RefCell::new(descriptor),
        };
        let mut worker = build(&start);
        let preparation = worker.take_preparation();
        let dispatcher = Arc::new(worker.into_dispatcher(&start.name));
        if preparation.is_none() {
            handshake::send_ready(&mut bus, &ready).map_err(|fault| format!("the bus is gone: {fault}"))?;
        }
        bus.set_nonblocking(true).map_err(|fault| format!("the bus cannot be polled: {fault}"))?;
        let stream =
            Stream::try_from(OwnedFd::from(bus)).map_err(|fault| format!("the bus cannot be polled: {fault}"))?;
        let drained = Arc::clone(&dispatcher.drained);
        let connection: Bus = butterfly_client::start(stream, dispatcher);
        if let Some(prepare) = preparation {
            tokio::select! {
                prepared = prepare(connection.background()) => prepared?,
                // Asked to go, or left alone: nobody needs it prepared any more.
                () = drained.notified() => return Ok(()),
                _ = connection.ended() => return Ok(()),
            }
            let told = connection.publish(control::ID, topic::READY, &ready).await;
            told.map_err(|failure| format!("the bus is gone: {failure}"))?;
        }
        tracing::info!("ready");
        tokio::select! {
            () = drained.notified() => tracing::info!("drained"),
            // Without its kernel a worker has nobody to serve; it ends like one that was drained.
            reason = connection.ended() => tracing::info!("{reason}"),
        }
        Ok(())
    })
}

/// The session bus, which the kernel put on standard output: the one place for a second descriptor that needs no `unsafe` on either
/// side. The null device takes its place, so that nothing printed by accident is said on the bus.
fn take_session_bus(remaining: &Remaining) -> io::Result<Option<OwnedFd>> {
    match remaining.session_bus {
        SessionBus::None => Ok(None),
        SessionBus::Filtered | SessionBus::Direct => {
            let session = io::stdout().as_fd().try_clone_to_owned()?;
            let null = File::options().write(true).open("/dev/null")?;
            nix::unistd::dup2_stdout(&null)?;
            Ok(Some(session))
        }
    }
}

fn prove(bus: &mut UnixStream, targets: &Targets) -> Result<(), String> {
    let mut fault = None;
    attempts(targets, &mut |attempt| {
        let proof = Proof { attempt: Some(attempt), last: false };
        if let Err(error) = handshake::send_event(bus, topic::PROOF, &proof) {
            fault.get_or_insert(error);
        }
    });
    if let Some(fault) = fault {
        return Err(format!("the bus is gone: {fault}"));
    }
    handshake::send_event(bus, topic::PROOF, &Proof { attempt: None, last: true }).map_err(|fault| fault.to_string())
}

#[cfg(target_os = "linux")]
fn give_up(remaining: &Remaining) -> Result<(), String> {
    crate::harden::give_up(remaining).map_err(|fault| fault.to_string())
}

#[cfg(target_os = "linux")]
fn check(canaries: &Canaries, remaining: &Remaining) -> Vec<Canary> {
    crate::canaries::check(canaries, remaining)
}

#[cfg(target_os = "linux")]
fn attempts(targets: &Targets, report: &mut dyn FnMut(Attempt)) {
    crate::prove::run(targets, report);
}

/// A seatbelt profile cannot be narrowed from inside; what the jail put on is all there is.
#[cfg(not(target_os = "linux"))]
fn give_up(_: &Remaining) -> Result<(), String> {
    Ok(())
}

/// The canaries that need no system call of Linux's own.
#[cfg(not(target_os = "linux"))]
fn check(canaries: &Canaries, _: &Remaining) -> Vec<Canary> {
    let canary = |name: &str, result: std::io::Result<()>| Canary {
        name: name.to_owned(),
        denied_by: result.err().map(|fault| fault.to_string()),
    };
    vec![
        canary("file.read", std::fs::read(&canaries.file).map(drop)),
        canary("folder.list", std::fs::read_dir(&canaries.folder).map(drop)),
    ]
}

#[cfg(not(target_os = "linux"))]
fn attempts(_: &Targets, _: &mut dyn FnMut(Attempt)) {}
