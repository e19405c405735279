//! The door for clients: lock, socket, token, and who may come in.

use crate::core::Shared;
use crate::handshake::{self, Refusal};
use crate::manifest::Role;
use crate::peer::Peer;
use butterfly_wire::EndpointId;
use butterfly_wire::control::{HelloRole, Mode, TOKEN_BYTES, Welcome};
use butterfly_wire::limits::{CLIENTS, HALF_OPEN_CONNECTIONS, HANDSHAKE_MS};
use butterfly_wire::place::Place;
use interprocess::local_socket::tokio::{Listener, Stream as AnyStream};
use interprocess::local_socket::traits::StreamCommon;
use interprocess::local_socket::traits::tokio::Listener as _;
use interprocess::local_socket::{GenericFilePath, ListenerOptions, ToFsName};
use interprocess::os::unix::local_socket::ListenerOptionsExt;
use std::cell::Cell;
use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;
use thiserror::Error;
use tokio::task::AbortHandle;

/// Why the door cannot be opened.
#[derive(Debug, Error)]
pub enum DoorError {
    #[error("the kernel runs already: process {pid}, at {socket}")]
    Running { pid: String, socket: PathBuf },
    #[error("somebody answers at {0} without holding the lock; end that process first")]
    Occupied(PathBuf),
    #[error("{path} belongs to user {owner}; it must be yours")]
    Foreign { path: PathBuf, owner: u32 },
    #[error("{path}: {fault}")]
    Io { path: PathBuf, fault: io::Error },
}

/// What shows that this kernel is the one of its place, and lets clients find it. Cleared away when dropped.
pub struct Door {
    place: Place,
    /// Held for the life of the process.
    _lock: File,
    token: [u8; TOKEN_BYTES],
    /// The socket is ours to clear away: who failed to open it must not.
    opened: Cell<bool>,
}

/// Makes a folder that is its owner's alone, or makes sure that it is.
///
/// # Errors
/// When it cannot be made, or is somebody else's.
pub fn private_folder(path: &Path) -> Result<(), DoorError> {
    let io = |fault| DoorError::Io { path: path.to_owned(), fault };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io)?;
    let found = fs::symlink_metadata(path).map_err(io)?;
    // The data folder may be a link to another disk; what must be the owner's is what it leads to.
    let found = if found.is_symlink() { fs::metadata(path).map_err(io)? } else { found };
    if found.uid() != nix::unistd::geteuid().as_raw() {
        return Err(DoorError::Foreign { path: path.to_owned(), owner: found.uid() });
    }
    if found.mode() & 0o777 != 0o700 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(io)?;
    }
    Ok(())
}

impl Door {
    /// Takes the lock and writes this start's token.
    ///
    /// # Errors
    /// [`DoorError::Running`] when another kernel holds the lock.
    pub fn lock(place: &Place) -> Result<Self, DoorError> {
        let path = place.lock();
        let io = |fault| DoorError::Io { path: path.clone(), fault };
        let mut lock = OpenOptions::new()
            .create(true)
            .read(true)
            .write(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(io)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                // The holder writes its number right after it took the lock.
                let _ = lock.read_to_string(&mut pid);
                let pid = if pid.trim().is_empty() { "unknown".to_owned() } else { pid.trim().to_owned() };
                return Err(DoorError::Running { pid, socket: place.socket() });
            }
            Err(TryLockError::Error(fault)) => return Err(io(fault)),
        }
        lock.set_len(0).map_err(io)?;
        lock.rewind().map_err(io)?;
        writeln!(lock, "{}", std::process::id()).map_err(io)?;
        let mut token = [0; TOKEN_BYTES];
        getrandom::fill(&mut token).map_err(|fault| io(io::Error::other(fault.to_string())))?;
        Ok(Self { place: place.clone(), _lock: lock, token, opened: Cell::new(false) })
    }

    /// Opens the socket. Only now does a client find the token: before, nobody would answer.
    ///
    /// # Errors
    /// [`DoorError::Occupied`] when somebody else answers there; a socket that nobody answers on is replaced.
    pub fn open(&self) -> Result<Listener, DoorError> {
        let socket = self.place.socket();
        let io = |fault| DoorError::Io { path: socket.clone(), fault };
        if let Some(folder) = socket.parent() {
            private_folder(folder)?;
        }
        if UnixStream::connect(&socket).is_ok() {
            return Err(DoorError::Occupied(socket));
        }
        match fs::remove_file(&socket) {
            Err(fault) if fault.kind() != io::ErrorKind::NotFound => return Err(io(fault)),
            Ok(()) | Err(_) => {}
        }
        self.opened.set(true);
        self.write_token()?;
        let name = socket.as_path().to_fs_name::<GenericFilePath>().map_err(io)?;
        ListenerOptions::new().name(name).mode(0o600).create_tokio().map_err(io)
    }

    fn write_token(&self) -> Result<(), DoorError> {
        let path = self.place.token();
        let fresh = path.with_extension("new");
        let io = |fault| DoorError::Io { path: path.clone(), fault };
        let mut file =
            OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&fresh).map_err(io)?;
        file.write_all(&self.token).map_err(io)?;
        fs::rename(&fresh, &path).map_err(io)
    }

    #[must_use]
    pub fn token(&self) -> [u8; TOKEN_BYTES] {
        self.token
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if !self.opened.get() {
            return;
        }
        // Leftovers do no harm: a token without its kernel opens nothing, and a dead socket is replaced.
        let _ = fs::remove_file(self.place.socket());
        let _ = fs::remove_file(self.place.token());
    }
}

/// Lets clients in, for as long as the kernel lives.
pub async fn accept(kernel: Shared, listener: Listener, token: [u8; TOKEN_BYTES], role: &'static Role) {
    let mut half_open: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let stream = match listener.accept().await {
            Ok(stream) => stream,
            Err(fault) => {
                // Out of descriptors, most likely: those who are half in make room.
                tracing::warn!(%fault, "a client could not be let in");
                if let Some(oldest) = half_open.pop_front() {
                    oldest.abort();
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            }
        };
        half_open.retain(|task| !task.is_finished());
        if half_open.len() >= HALF_OPEN_CONNECTIONS
            && let Some(oldest) = half_open.pop_front()
        {
            oldest.abort();
        }
        let kernel = Rc::clone(&kernel);
        let task = tokio::task::spawn_local(async move {
            let limit = Duration::from_millis(HANDSHAKE_MS);
            if let Ok(Ok(id)) = tokio::time::timeout(limit, greet(&kernel, stream, &token, role)).await {
                crate::connection::spawn(&kernel, id);
            }
        });
        half_open.push_back(task.abort_handle());
    }
}

async fn greet(
    kernel: &Shared,
    stream: AnyStream,
    token: &[u8; TOKEN_BYTES],
    role: &'static Role,
) -> Result<EndpointId, Refusal> {
    let owner = nix::unistd::geteuid().as_raw();
    let peer = stream.peer_creds()?.euid();
    if peer != Some(owner) {
        tracing::warn!(user = peer, "a stranger was refused");
        return Err(Refusal::Token);
    }
    let AnyStream::UdSocket(mut stream) = stream;
    let greeting = async {
        let (hello, agreed, correlation) = handshake::read_hello(&mut stream).await?;
        if hello.role != HelloRole::Client || !handshake::same_token(&hello.token, token) {
            return Err(Refusal::Token);
        }
        Ok((agreed, correlation))
    };
    let (agreed, correlation) = match greeting.await {
        Ok(greeted) => greeted,
        Err(refusal) => {
            tracing::warn!(%refusal, "a client was refused");
            // Whoever is refused may be gone already.
            let _ = handshake::send_refusal(&mut stream, &refusal).await;
            return Err(refusal);
        }
    };
    let id = {
        let mut kernel = kernel.borrow_mut();
        if kernel.peers.iter().filter(|peer| peer.role.name == role.name).count() >= CLIENTS {
            return Err(Refusal::Ended(io::Error::other("too many clients are connected")));
        }
        let workers = kernel.workers.len();
        let id = kernel.peers.vacant(workers);
        kernel.peers.reserve(id);
        id
    };
    let _reservation = Reservation { kernel: Rc::clone(kernel), id };
    let welcome = Welcome {
        version: agreed,
        endpoint: id,
        kernel_version: env!("CARGO_PKG_VERSION").to_owned(),
        mode: Mode::Client,
    };
    handshake::send_welcome(&mut stream, &welcome, correlation).await?;
    kernel.borrow_mut().peers.insert(Peer::new(id, role, stream));
    Ok(id)
}

/// A slot kept for a client until it is in, or its greeting has failed or was given up.
struct Reservation {
    kernel: Shared,
    id: EndpointId,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.kernel.borrow_mut().peers.release(self.id);
    }
}
