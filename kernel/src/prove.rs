//! `doctor --prove`: a twin of a worker, confined like it and off the bus, attempts what is forbidden; its control attempts
//! the same unconfined. Nothing here lets either say anything else than how its attempts ended.

use crate::core::{Kernel, Shared};
use crate::handshake;
use crate::spawn::{self, Spawned};
use crate::stats::{self, ThreadStatus};
use crate::stderr::Collector;
use butterfly_sandbox::assess;
use butterfly_wire::catalog::{control, topic};
use butterfly_wire::confinement::{Attempt, Targets};
use butterfly_wire::control::{Mode, Named, Proof, ProofReport, Welcome};
use butterfly_wire::frame::{self, HANDSHAKE_LIMIT, LENGTH_BYTES};
use butterfly_wire::{EndpointId, ErrorCode, Failure, Kind, codec, version};
use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
#[cfg(target_os = "linux")]
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
#[cfg(target_os = "linux")]
use std::os::unix::net::SocketAddr;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;

/// Time for all attempts of one process. They take milliseconds; one that blocks must not hang the doctor.
const RUN_LIMIT: Duration = Duration::from_secs(15);

/// The longest proof frame.
const PROOF_LIMIT: usize = 8 * HANDSHAKE_LIMIT;

/// More attempts than any twin makes.
const ATTEMPTS: usize = 512;

impl Kernel {
    /// Starts a proof; the call is answered when it is complete.
    pub fn prove(&mut self, from: EndpointId, correlation: u64, named: Named) {
        let Some(shared) = self.me.upgrade() else { return };
        tokio::task::spawn_local(async move {
            let result = run(&shared, &named.name).await;
            let mut kernel = shared.borrow_mut();
            let result = result.map_err(|reason| Failure::new(ErrorCode::Unavailable, reason));
            kernel.reply(from, correlation, result.as_ref().map_err(Clone::clone));
            kernel.flush();
        });
    }
}

async fn run(kernel: &Shared, name: &str) -> Result<ProofReport, String> {
    let aims = Aims::set_up(kernel).map_err(|fault| format!("the targets cannot be set up: {fault}"))?;
    let (twin, live_pid, missing) = {
        let kernel = kernel.borrow();
        let index = kernel.worker_named(name).ok_or_else(|| format!("there is no worker {name}"))?;
        let mut remaining = kernel.remaining_of(index);
        remaining.without.clone_from(&kernel.options.twins_without);
        let missing = match assess(kernel.landlock_abi, &remaining) {
            Ok(assessment) => assessment.missing,
            Err(_) if butterfly_sandbox::system().seatbelt => Vec::new(),
            Err(below) => return Err(below.to_string()),
        };
        let role = kernel.workers[index].role;
        let profile = kernel.profile(role, remaining.clone())?;
        let spawned = spawn::confined(&kernel.programs()?, &profile, None).map_err(|fault| fault.to_string())?;
        let mode = Mode::Prove { name: name.to_owned(), remaining, targets: aims.targets.clone() };
        let live = kernel.workers[index].process.as_ref().map(|process| process.pid);
        ((spawned, mode, role.program), live, missing)
    };
    let (spawned, mode, program) = twin;
    let confined = attempts(kernel, spawned, mode).await;
    let mut live = compare(live_pid, &confined.threads);
    live.extend(confined.fault.map(|fault| format!("the twin did not finish: {fault}")));
    let path = kernel.borrow().programs()?.path(program);
    let spawned = spawn::unconfined(&path).map_err(|fault| fault.to_string())?;
    let mode = Mode::Control { name: name.to_owned(), targets: aims.targets.clone() };
    let control = attempts(kernel, spawned, mode).await;
    live.extend(control.fault.map(|fault| format!("the control did not finish: {fault}")));
    Ok(ProofReport { worker: name.to_owned(), twin: confined.attempts, control: control.attempts, live, missing })
}

/// What one process reported.
struct Run {
    attempts: Vec<Attempt>,
    /// Its threads, as the system showed them while it ran.
    threads: Vec<ThreadStatus>,
    fault: Option<String>,
}

async fn attempts(kernel: &Shared, spawned: Spawned, mode: Mode) -> Run {
    let mut run = Run { attempts: Vec::new(), threads: Vec::new(), fault: None };
    let Spawned { process, bus, stderr } = spawned;
    let collector = Collector::start(kernel, "prove".to_owned(), stderr);
    match tokio::time::timeout(RUN_LIMIT, converse(&mut run, process.pid, bus, mode)).await {
        Ok(Ok(())) => {}
        Ok(Err(fault)) => run.fault = Some(fault.to_string()),
        Err(_) => run.fault = Some(format!("it took more than {} s", RUN_LIMIT.as_secs())),
    }
    // Its end is the end of `process`, which kills and buries it.
    drop(process);
    collector.drain(&mut kernel.borrow_mut());
    run
}

async fn converse(run: &mut Run, pid: u32, bus: std::os::unix::net::UnixStream, mode: Mode) -> io::Result<()> {
    let mut bus = UnixStream::from_std(bus)?;
    let (_, agreed, correlation) = handshake::read_hello(&mut bus).await.map_err(io::Error::other)?;
    debug_assert!(agreed <= version::VERSION);
    let welcome = Welcome {
        version: agreed,
        endpoint: EndpointId::ANY,
        kernel_version: env!("CARGO_PKG_VERSION").to_owned(),
        mode,
    };
    handshake::send_welcome(&mut bus, &welcome, correlation).await?;
    loop {
        let proof = read_proof(&mut bus).await?;
        if run.threads.is_empty() {
            run.threads = stats::threads(pid);
        }
        run.attempts.extend(proof.attempt);
        if proof.last {
            return Ok(());
        }
        if run.attempts.len() > ATTEMPTS {
            return Err(io::Error::other("it reports more attempts than there are"));
        }
    }
}

async fn read_proof(bus: &mut UnixStream) -> io::Result<Proof> {
    let mut bytes = vec![0; LENGTH_BYTES];
    bus.read_exact(&mut bytes).await?;
    let total = frame::length(&bytes, PROOF_LIMIT).map_err(io::Error::other)?.unwrap_or(LENGTH_BYTES);
    bytes.resize(total, 0);
    bus.read_exact(&mut bytes[LENGTH_BYTES..]).await?;
    let frame = frame::split(&bytes, PROOF_LIMIT).map_err(io::Error::other)?;
    let frame = frame.ok_or_else(|| io::Error::other("a frame is incomplete"))?;
    let is_proof = frame.header.kind() == Some(Kind::Event)
        && frame.header.service == control::ID
        && frame.header.method == topic::PROOF;
    if !is_proof {
        return Err(io::Error::other("it says something else than how its attempts ended"));
    }
    codec::decode(frame.payload).map_err(io::Error::other)
}

/// Whether the live process is bound like its twin, in words where it is not.
fn compare(live: Option<u32>, twin: &[ThreadStatus]) -> Vec<String> {
    if !cfg!(target_os = "linux") {
        return Vec::new();
    }
    let Some(pid) = live else { return vec!["the worker is not running, so its twin proves nothing".to_owned()] };
    let Some(expected) = twin.first() else { return vec!["the twin's confinement could not be read".to_owned()] };
    let threads = stats::threads(pid);
    if threads.is_empty() {
        return vec!["the live process's confinement could not be read".to_owned()];
    }
    let mut differences = Vec::new();
    for thread in &threads {
        if thread != expected {
            differences.push(format!(
                "a thread of the live process has {} filters (seccomp mode {}), no_new_privs {}, capabilities {:x}; its twin has {}, {}, {}, {:x}",
                thread.filters,
                thread.seccomp,
                thread.no_new_privs,
                thread.effective,
                expected.filters,
                expected.seccomp,
                expected.no_new_privs,
                expected.effective,
            ));
        }
        if !thread.is_confined() {
            differences.push("a thread of the live process is not confined".to_owned());
        }
    }
    differences
}

/// The things that the attempts aim at. They exist while the proof runs.
struct Aims {
    targets: Targets,
    folder: PathBuf,
    unix_path: PathBuf,
    _tcp: TcpListener,
    _udp: UdpSocket,
    _unix: UnixListener,
    _abstract: Option<UnixListener>,
    _decoy: Spawned,
}

impl Drop for Aims {
    fn drop(&mut self) {
        // What cannot be removed is an empty target in a folder of the owner's own.
        let _ = fs::remove_dir_all(&self.folder);
        let _ = fs::remove_file(&self.unix_path);
    }
}

impl Aims {
    fn set_up(kernel: &Shared) -> io::Result<Self> {
        let (state, programs, tag) = {
            let mut kernel = kernel.borrow_mut();
            let tag = kernel.new_trace();
            (kernel.place.state.clone(), kernel.programs().map_err(io::Error::other)?, format!("{tag:016x}"))
        };
        let folder = state.join(format!("prove-{tag}"));
        fs::create_dir(&folder)?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        let file = folder.join("file");
        fs::write(&file, "If you can read this, the confinement is not in force.\n")?;
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        // A socket's path must be short, and a home may be long.
        let unix_path = std::env::temp_dir().join(format!("butterfly-prove-{tag}.sock"));
        let unix = UnixListener::bind(&unix_path)?;
        let abstract_name = format!("butterfly-prove-{tag}");
        let decoy = spawn::decoy(&programs)?;
        let targets = Targets {
            home: std::env::var("HOME").unwrap_or_else(|_| "/".to_owned()),
            file: file.display().to_string(),
            folder: folder.display().to_string(),
            program: harmless_program().display().to_string(),
            kernel_pid: std::process::id(),
            sibling_pid: decoy.process.pid,
            tcp_port: tcp.local_addr()?.port(),
            udp_port: udp.local_addr()?.port(),
            unix_path: unix_path.display().to_string(),
            abstract_name: abstract_name.clone(),
        };
        Ok(Self {
            targets,
            folder,
            unix_path,
            _tcp: tcp,
            _udp: udp,
            _abstract: listen_abstract(&abstract_name)?,
            _unix: unix,
            _decoy: decoy,
        })
    }
}

/// A program that does nothing and that anyone may run.
fn harmless_program() -> &'static Path {
    ["/bin/true", "/usr/bin/true"].map(Path::new).into_iter().find(|path| path.exists()).unwrap_or(Path::new("/bin/sh"))
}

#[cfg(target_os = "linux")]
fn listen_abstract(name: &str) -> io::Result<Option<UnixListener>> {
    UnixListener::bind_addr(&SocketAddr::from_abstract_name(name)?).map(Some)
}

#[cfg(not(target_os = "linux"))]
fn listen_abstract(_: &str) -> io::Result<Option<UnixListener>> {
    Ok(None)
}
