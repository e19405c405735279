//! From the supervisor's actions to processes and back: start, verify, drain, bury.

use crate::core::{Kernel, LastWords, Shared, Worker};
use crate::crash::exit_of;
use crate::handshake;
use crate::holes;
use crate::listener::private_folder;
use crate::logs::unix_ms;
use crate::manifest::{Role, RoleKind};
use crate::peer::{Closing, Peer, Peers};
use crate::queue::Weight;
use crate::session_bus::{self, Link};
use crate::spawn::{self, Programs};
use crate::stderr::Collector;
use crate::supervisor::{Action, Event, State};
use butterfly_sandbox::{JailExit, Profile, assess, start_grants};
use butterfly_wire::catalog::{control, topic};
use butterfly_wire::confinement::{Canaries, Confinement, Remaining};
use butterfly_wire::control::{CrashReport, Drain, Exit, Mode, Serve, Welcome, WorkerChanged};
use butterfly_wire::{EndpointId, Header, Kind, codec, version};
use interprocess::os::unix::uds_local_socket::tokio::Stream;
use std::process::ExitStatus;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::net::UnixStream;

/// Time that a process has to end after it closed its bus, before it is killed.
const AFTER_BUS: Duration = Duration::from_secs(1);

/// How glibc keeps memory for the worker with the data folder, by the name of the variable that it reads at the start. What
/// is larger than 256 KiB is taken from the system and given back by itself: else glibc raises that limit up to 32 MiB, and
/// what LanceDB read a table with stays resident in the holes of its heaps, 76 MiB after 20,000 vectors. Others ignore it.
pub const ALLOCATION: (&str, &str) =
    ("GLIBC_TUNABLES", "glibc.malloc.mmap_threshold=262144:glibc.malloc.trim_threshold=262144");

impl Kernel {
    /// Feeds one worker's machine and does what it says.
    pub fn supervise(&mut self, index: usize, event: Event) {
        let before = self.workers[index].supervisor.shown(Instant::now());
        let actions = self.workers[index].supervisor.step(Instant::now(), event);
        for action in actions {
            match action {
                Action::Spawn => self.start_worker(index),
                Action::Drain => self.drain_worker(index),
                Action::Terminate => {
                    if let Some(process) = &self.workers[index].process {
                        process.terminate();
                    }
                }
                Action::Kill => {
                    if let Some(process) = &mut self.workers[index].process {
                        process.kill();
                    }
                }
                Action::Report => self.report(index),
            }
        }
        let worker = &self.workers[index];
        let state = worker.supervisor.shown(Instant::now());
        if state != before {
            let changed = WorkerChanged { name: worker.role.name.to_owned(), generation: worker.generation, state };
            tracing::info!(worker = changed.name, generation = changed.generation, state = changed.state.name());
            if let Ok(payload) = codec::encode(&changed) {
                self.publish(EndpointId::KERNEL, control::ID, topic::WORKERS, payload);
            }
        }
        self.release(index);
        self.carry_on_moving(index);
        self.rearm.notify_one();
        self.finish_if_down();
        self.flush();
    }

    /// Starts all workers: the one that comes first at once, the others when it is up, or will not be soon.
    pub fn start_all(&mut self) {
        let first = self.manifest.first().and_then(|role| self.worker_named(role.name));
        let until = Instant::now() + self.options.policy.first_limit;
        for index in 0..self.workers.len() {
            match first {
                Some(first) if first != index => self.supervise(index, Event::Wait { until }),
                Some(_) | None => {}
            }
        }
        for index in 0..self.workers.len() {
            if first.is_none_or(|first| first == index) {
                self.supervise(index, Event::Start);
            }
        }
    }

    /// Starts those who wait for this worker, unless it is still on its way and has not failed yet.
    fn release(&mut self, index: usize) {
        let worker = &self.workers[index];
        let underway = matches!(worker.supervisor.state(), State::Waiting { .. } | State::Starting { .. });
        let first = self.manifest.first().is_some_and(|role| role.name == worker.role.name);
        if !first || self.shutting_down || (underway && worker.supervisor.restarts() == 0) {
            return;
        }
        for other in 0..self.workers.len() {
            if matches!(self.workers[other].supervisor.state(), State::Waiting { .. }) {
                self.supervise(other, Event::Start);
            }
        }
    }

    /// The profile of a role with these holes filled.
    ///
    /// # Errors
    /// One sentence: why it cannot be confined here.
    pub fn profile(&self, role: &Role, remaining: Remaining) -> Result<Profile, String> {
        if !butterfly_sandbox::system().seatbelt {
            assess(self.landlock_abi, &remaining).map_err(|below| below.to_string())?;
        }
        let mut environment = Vec::new();
        if let Some(scratch) = holes::scratch(&role.template, &self.place) {
            private_folder(&self.place.data)
                .and_then(|()| private_folder(&scratch))
                .map_err(|fault| format!("its folder cannot be used ({fault}); is it on a disk that is not there?"))?;
            environment.push(("TMPDIR".to_owned(), scratch.display().to_string()));
            environment.push((ALLOCATION.0.to_owned(), ALLOCATION.1.to_owned()));
        }
        let program = self.programs()?.path(role.program);
        let start = start_grants(&program).map_err(|fault| fault.to_string())?;
        Ok(Profile {
            program: program.display().to_string(),
            args: Vec::new(),
            environment,
            start,
            remaining,
            limits: role.template.limits,
            parent_pid: std::process::id(),
        })
    }

    /// Where the programs are.
    ///
    /// # Errors
    /// When the system does not say where the kernel's own is.
    pub fn programs(&self) -> Result<Programs, String> {
        match &self.options.programs {
            Some(folder) => Ok(Programs(folder.clone())),
            None => Programs::beside_the_kernel().map_err(|fault| format!("this program cannot be located: {fault}")),
        }
    }

    /// What a worker of the table keeps now.
    #[must_use]
    pub fn remaining_of(&self, index: usize) -> Remaining {
        let worker = &self.workers[index];
        holes::remaining(&worker.role.template, &self.place, &worker.holes, self.landlock_abi, worker.link.kind)
    }

    fn start_worker(&mut self, index: usize) {
        let Some(shared) = self.me.upgrade() else { return };
        if !self.workers[index].role.template.session_bus {
            return self.launch(&shared, index, Link::default());
        }
        tokio::task::spawn_local(async move {
            let link = session_bus::link(&shared).await;
            let mut kernel = shared.borrow_mut();
            if matches!(kernel.workers[index].supervisor.state(), State::Starting { .. }) {
                kernel.launch(&shared, index, link);
            } else {
                // It was to go before it was there.
                kernel.supervise(index, Event::Exited { jitter: 0.0 });
            }
            kernel.flush();
        });
    }

    fn launch(&mut self, shared: &Shared, index: usize, link: Link) {
        let Link { descriptor, kind, proxy } = link;
        self.workers[index].link = Link { descriptor: None, kind, proxy };
        let remaining = self.remaining_of(index);
        let role = self.workers[index].role;
        let id = EndpointId::new(Peers::worker_slot(index), self.workers[index].generation + 1);
        let started = self.profile(role, remaining.clone()).and_then(|profile| {
            spawn::confined(&self.programs()?, &profile, descriptor)
                .map_err(|fault| format!("it cannot be started: {fault}"))
        });
        let worker = &mut self.workers[index];
        worker.generation = id.generation;
        worker.cause = None;
        worker.exit = None;
        worker.bus_ended = None;
        worker.last_words = LastWords::default();
        worker.confinement = Confinement::default();
        match started {
            Ok(spawned) => {
                worker.stderr = Some(Collector::start(shared, role.name.to_owned(), spawned.stderr));
                worker.process = Some(spawned.process);
                let serve = Serve {
                    name: role.name.to_owned(),
                    overrides: self.overrides.clone(),
                    remaining,
                    canaries: self.canaries(),
                    roles: self.standing_roles(),
                };
                tokio::task::spawn_local(attend(Rc::clone(shared), id, role, spawned.bus, Mode::Serve(serve)));
            }
            Err(reason) => {
                worker.cause = Some(reason.clone());
                self.supervise(index, Event::NotStarted { reason });
            }
        }
    }

    /// Which endpoints' slots are whose: by them a worker tells its callers apart.
    #[must_use]
    pub fn standing_roles(&self) -> Vec<(u32, String)> {
        let role = |(index, worker): (usize, &Worker)| (Peers::worker_slot(index), worker.role.name.to_owned());
        self.workers.iter().enumerate().map(role).collect()
    }

    /// What every process that the kernel starts must fail to reach.
    #[must_use]
    pub fn canaries(&self) -> Canaries {
        Canaries {
            file: self.place.state.join("canary").display().to_string(),
            folder: self.place.state.display().to_string(),
            kernel_pid: std::process::id(),
        }
    }

    fn drain_worker(&mut self, index: usize) {
        let id = EndpointId::new(Peers::worker_slot(index), self.workers[index].generation);
        let within_ms = self.options.policy.drain_limit.as_millis() as u32;
        self.send_event(id, topic::DRAIN, &Drain { within_ms });
    }

    /// Sends an event of the kernel's own to one peer.
    pub fn send_event<T: butterfly_wire::Encode>(&mut self, to: EndpointId, topic: u16, value: &T) {
        let header = Header {
            kind: Kind::Event as u8,
            service: control::ID,
            method: topic,
            source: EndpointId::KERNEL,
            destination: to,
            ..Header::default()
        };
        if let Ok(payload) = codec::encode(value) {
            let _ = self.deliver(to, EndpointId::KERNEL, &header, &payload, Weight::Terminal);
        }
    }

    /// A connection has ended: what that means for the process behind it.
    pub fn after_peer(&mut self, id: EndpointId, role: &'static Role, reason: &Closing, last_words: LastWords) {
        self.end_instances_of(id);
        match role.kind {
            RoleKind::Client => tracing::debug!(endpoint = %id, reason = reason.sentence(), "a client has gone"),
            RoleKind::Instance { .. } => self.end_instance(id),
            RoleKind::Worker => {
                let Some(index) = self.worker_index(id) else { return };
                let worker = &mut self.workers[index];
                if worker.generation != id.generation {
                    return;
                }
                worker.last_words = last_words;
                worker.bus_ended = Some(Instant::now());
                match reason {
                    Closing::Gone | Closing::Dismissed => {}
                    Closing::Violations(_) => {
                        worker.cause = Some(reason.sentence());
                        self.supervise(index, Event::Hold { reason: reason.sentence() });
                    }
                    Closing::Fault(_) | Closing::NotReading => {
                        worker.cause = Some(reason.sentence());
                        self.supervise(index, Event::Kill);
                    }
                }
            }
        }
    }

    /// Kills who closed the bus and lives on.
    pub fn end_the_deaf(&mut self, now: Instant) {
        for index in 0..self.workers.len() {
            let worker = &mut self.workers[index];
            let deaf = worker.bus_ended.is_some_and(|since| now.duration_since(since) > AFTER_BUS);
            if deaf && worker.process.is_some() {
                worker.cause.get_or_insert_with(|| "it closed its bus and did not exit".to_owned());
                self.supervise(index, Event::Kill);
            }
        }
    }

    /// Takes note of every process that has ended.
    pub fn reap(&mut self) {
        for index in 0..self.workers.len() {
            if let Some(status) = self.workers[index].process.as_mut().and_then(spawn::Process::reap) {
                self.worker_exited(index, status);
            }
        }
        self.reap_instances();
    }

    fn worker_exited(&mut self, index: usize, status: ExitStatus) {
        let id = EndpointId::new(Peers::worker_slot(index), self.workers[index].generation);
        let spoke = self.peers.get(id).is_some() || self.workers[index].bus_ended.is_some();
        // First of all, everybody who waits for it hears that it is gone.
        self.peer_gone(id);
        if let Some(stderr) = self.workers[index].stderr.take() {
            stderr.drain(self);
        }
        let worker = &mut self.workers[index];
        worker.bus_ended = None;
        worker.confinement = Confinement::default();
        // Its proxy goes with it.
        worker.link = Link::default();
        let Some(process) = worker.process.take() else { return };
        let exit = exit_of(status, process.killed);
        worker.exit = Some((exit, process.pid, process.since.elapsed()));
        let jail = match exit {
            Exit::Code(code) if !spoke => JailExit::from_code(code),
            Exit::Code(_) | Exit::Signal(_) | Exit::Killed => None,
        };
        let event = match jail {
            Some(jail) => {
                let detail = self.logs.tail(self.workers[index].role.name).pop().unwrap_or_default();
                let reason = format!("{} ({detail})", jail.sentence());
                self.workers[index].cause = Some(reason.clone());
                Event::NotStarted { reason }
            }
            None => Event::Exited { jitter: fraction(self.new_trace()) },
        };
        self.supervise(index, event);
    }

    fn report(&mut self, index: usize) {
        let worker = &mut self.workers[index];
        let (exit, pid, uptime) = worker.exit.take().unwrap_or((Exit::Code(0), 0, Duration::ZERO));
        let last_words = std::mem::take(&mut worker.last_words);
        let cause = worker.cause.take().unwrap_or_else(|| match exit {
            Exit::Code(101) => "it panicked; its last lines say where".to_owned(),
            Exit::Code(code) => format!("it exited by itself with code {code}"),
            Exit::Signal(signal) => format!("signal {signal} ended it"),
            Exit::Killed => "the kernel killed it".to_owned(),
        });
        let report = CrashReport {
            worker: worker.role.name.to_owned(),
            generation: worker.generation,
            pid,
            at_unix_ms: unix_ms(),
            uptime_ms: uptime.as_millis() as u64,
            exit,
            cause,
            stderr_tail: self.logs.tail(worker.role.name),
            in_flight: last_words.in_flight,
            headers: last_words.headers,
        };
        tracing::warn!(worker = report.worker, generation = report.generation, cause = report.cause, "a worker failed");
        if let Err(fault) = self.crashes.keep(report) {
            tracing::error!(%fault, "the crash report could not be written");
        }
    }

    /// When the timer must wake.
    #[must_use]
    pub fn next_wake(&self) -> Option<Instant> {
        let ticks = self.workers.iter().filter_map(|worker| worker.supervisor.next_tick());
        ticks.chain(self.next_deadline).chain(self.next_instance_limit()).min()
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Instant) {
        if self.next_deadline.is_some_and(|next| next <= now) {
            self.expire(now);
        }
        for index in 0..self.workers.len() {
            if self.workers[index].supervisor.next_tick().is_some_and(|next| next <= now) {
                if matches!(self.workers[index].supervisor.state(), State::Starting { .. }) {
                    self.workers[index].cause = Some("it did not become ready in time".to_owned());
                }
                self.supervise(index, Event::Tick);
            }
        }
        self.expire_instances(now);
        self.flush();
    }
}

/// A number between 0 and 1, spread by a multiplicative hash: jitter needs no better.
fn fraction(seed: u64) -> f64 {
    (seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as f64 / (1_u64 << 24) as f64
}

/// Shakes hands with a process that was just started, and serves its connection.
pub async fn attend(
    kernel: Shared,
    id: EndpointId,
    role: &'static Role,
    bus: std::os::unix::net::UnixStream,
    mode: Mode,
) {
    let greeted = greet(id, bus, mode).await;
    let stream = match greeted {
        Ok(stream) => stream,
        Err(fault) => {
            // The jail's and the worker's own exit tell the rest.
            tracing::debug!(worker = role.name, %fault, "a process ended before its handshake");
            return;
        }
    };
    {
        let mut kernel = kernel.borrow_mut();
        let expected = match kernel.worker_index(id) {
            Some(index) => kernel.workers[index].generation == id.generation,
            None => kernel.is_instance(id),
        };
        if !expected {
            return;
        }
        kernel.peers.insert(Peer::new(id, role, stream));
    }
    crate::connection::serve(Rc::clone(&kernel), id).await;
}

async fn greet(id: EndpointId, bus: std::os::unix::net::UnixStream, mode: Mode) -> Result<Stream, handshake::Refusal> {
    let mut bus = UnixStream::from_std(bus)?;
    let (_, agreed, correlation) = handshake::read_hello(&mut bus).await?;
    let welcome = Welcome { version: agreed, endpoint: id, kernel_version: env!("CARGO_PKG_VERSION").to_owned(), mode };
    debug_assert!(agreed <= version::VERSION);
    handshake::send_welcome(&mut bus, &welcome, correlation).await?;
    Ok(Stream::from(bus))
}
