//! The way to the user's session bus for a worker that has no socket of its own: connected here, handed over as a descriptor.
//!
//! Where `xdg-dbus-proxy` is installed the connection goes through one, which lets it talk to the Secret Service and to nobody else.
//! Each start of the worker gets its own proxy, which ends with it. Without that program the connection is the bus itself, and
//! status names what is missing. It is *not* a client of the bus: not a byte of D-Bus is read or written here.
//!
//! Invariants:
//! - Nothing waits inside a step: connections are made without blocking, and the proxy's start is awaited by a task.
//! - A proxy that is there and does not work is no reason to go without one: the worker then gets no connection.

use crate::core::{Kernel, Shared};
use crate::spawn::{self, Process};
use crate::stderr::Collector;
use butterfly_wire::confinement::SessionBus;
use butterfly_wire::limits::SOCKET_PATH_BYTES;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;

/// Where distributions put the proxy. The search path of whoever started the kernel decides nothing here.
pub const PROXIES: [&str; 4] = [
    "/usr/bin/xdg-dbus-proxy",
    "/usr/local/bin/xdg-dbus-proxy",
    "/bin/xdg-dbus-proxy",
    "/run/current-system/sw/bin/xdg-dbus-proxy",
];

/// The one name that may be talked to.
const TALK: &str = "--talk=org.freedesktop.secrets";

/// Time for the proxy to listen. It takes milliseconds; the worker starts without a connection when it is over.
const PROXY_LIMIT: Duration = Duration::from_secs(2);

/// Where the bus listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Address {
    Path(PathBuf),
    /// A name in Linux' abstract namespace, without its leading NUL.
    Abstract(Vec<u8>),
}

impl Address {
    /// The address that the session's variables give; `None` where they give none that can be used.
    #[must_use]
    pub fn from_variables(get: impl Fn(&str) -> Option<String>) -> Option<Self> {
        match get("DBUS_SESSION_BUS_ADDRESS").filter(|value| !value.is_empty()) {
            Some(list) => list.split(';').find_map(Self::parse),
            None => {
                let folder = PathBuf::from(get("XDG_RUNTIME_DIR").filter(|value| value.starts_with('/'))?);
                Some(Self::Path(folder.join("bus")))
            }
        }
    }

    /// Reads one address of the D-Bus specification, section "Server Addresses": `unix:path=…` or `unix:abstract=…`.
    fn parse(address: &str) -> Option<Self> {
        let pairs = address.strip_prefix("unix:")?.split(',').filter_map(|pair| pair.split_once('='));
        for (key, value) in pairs {
            match key {
                "path" => {
                    let path = PathBuf::from(String::from_utf8(unescaped(value)?).ok()?);
                    return path.is_absolute().then_some(Self::Path(path));
                }
                "abstract" => return Some(Self::Abstract(unescaped(value)?)),
                _ => {}
            }
        }
        None
    }

    fn to_text(&self) -> String {
        match self {
            Self::Path(path) => format!("unix:path={}", escaped(path.as_os_str().as_encoded_bytes())),
            Self::Abstract(name) => format!("unix:abstract={}", escaped(name)),
        }
    }

    /// Connects without waiting: a bus whose queue is full is taken for absent.
    fn connect(&self) -> io::Result<OwnedFd> {
        let address = match self {
            Self::Path(path) => UnixAddr::new(path)?,
            #[cfg(target_os = "linux")]
            Self::Abstract(name) => UnixAddr::new_abstract(name)?,
            #[cfg(not(target_os = "linux"))]
            Self::Abstract(_) => return Err(io::Error::from(io::ErrorKind::Unsupported)),
        };
        let stream = stream()?;
        connect(stream.as_raw_fd(), &address)?;
        Ok(stream)
    }
}

#[cfg(target_os = "linux")]
fn stream() -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    Ok(socket(AddressFamily::Unix, SockType::Stream, flags, None)?)
}

/// Without the flags, which macOS does not have, each is set by a call of its own.
#[cfg(not(target_os = "linux"))]
fn stream() -> io::Result<OwnedFd> {
    use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
    let stream = socket(AddressFamily::Unix, SockType::Stream, SockFlag::empty(), None)?;
    fcntl(&stream, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    fcntl(&stream, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok(stream)
}

/// The bytes that an address's value stands for; `None` where an escape is none.
fn unescaped(value: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first != b'%' {
            bytes.push(first);
            rest = after;
            continue;
        }
        let digits = std::str::from_utf8(after.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &after[2..];
    }
    Some(bytes)
}

/// The bytes as an address's value: what the specification lets stand stays, all else is escaped.
fn escaped(bytes: &[u8]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_/.\\*".contains(&byte);
    let one = |&byte: &u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02x}") };
    bytes.iter().map(one).collect()
}

/// A connection for one start of a worker.
#[derive(Default)]
pub struct Link {
    /// To be handed over; connected, and non-blocking.
    pub descriptor: Option<OwnedFd>,
    pub kind: SessionBus,
    /// Kept for as long as the worker lives.
    pub proxy: Option<Proxy>,
}

/// A running proxy. Ends with its value, and by itself when the kernel does: the other end of the socket closes.
pub struct Proxy {
    _process: Process,
    _alive: UnixStream,
}

/// Connects to the session bus, if there is one. Never fails: without a bus the worker says so itself.
pub async fn link(kernel: &Shared) -> Link {
    let (address, proxy) = {
        let kernel = kernel.borrow();
        (kernel.session_bus.clone(), kernel.options.proxies.iter().find(|path| is_program(path)).cloned())
    };
    let Some(address) = address else { return Link::default() };
    let direct = match address.connect() {
        Ok(direct) => direct,
        Err(fault) => {
            tracing::info!(%fault, "there is no session bus");
            return Link::default();
        }
    };
    let Some(proxy) = proxy else {
        return Link { descriptor: Some(direct), kind: SessionBus::Direct, proxy: None };
    };
    drop(direct);
    match tokio::time::timeout(PROXY_LIMIT, through(kernel, &proxy, &address)).await {
        Ok(Ok(link)) => link,
        Ok(Err(fault)) => without(kernel, &proxy, &fault.to_string()),
        Err(_) => without(kernel, &proxy, "it did not start in time"),
    }
}

fn without(kernel: &Shared, proxy: &Path, why: &str) -> Link {
    let warning = format!(
        "{} does not work ({why}), so the vault cannot reach the keyring; repair or remove it, then `butterfly restart vault`",
        proxy.display()
    );
    tracing::warn!("{warning}");
    kernel.borrow_mut().warn(warning);
    Link::default()
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Starts a proxy, and connects to it once it says that it listens. Only this connection is ever made: the name goes at once.
async fn through(kernel: &Shared, program: &Path, address: &Address) -> io::Result<Link> {
    let socket = Name::new(&mut kernel.borrow_mut());
    let mut command = Command::new(program);
    command.arg(address.to_text()).arg(&socket.0).args(["--filter", TALK, "--fd=0"]);
    let spawned = spawn::helper(&mut command)?;
    Collector::start(kernel, "vault".to_owned(), spawned.stderr);
    spawned.bus.set_nonblocking(true)?;
    let mut alive = UnixStream::from_std(spawned.bus)?;
    if alive.read(&mut [0; 1]).await? == 0 {
        return Err(io::Error::other("it ended at once"));
    }
    let descriptor = Address::Path(socket.0.clone()).connect()?;
    let proxy = Proxy { _process: spawned.process, _alive: alive };
    Ok(Link { descriptor: Some(descriptor), kind: SessionBus::Filtered, proxy: Some(proxy) })
}

/// The name under which a proxy listens, for as long as it takes to connect.
struct Name(PathBuf);

impl Name {
    fn new(kernel: &mut Kernel) -> Self {
        let name = format!("bus-{:x}", kernel.new_trace());
        let direct = kernel.place.runtime.join(&name);
        let folder = kernel.place.socket().parent().map(Path::to_owned);
        Self(match folder {
            // The kernel's own socket is elsewhere for the same reason, in a folder that is as private.
            Some(folder) if direct.as_os_str().len() > SOCKET_PATH_BYTES => folder.join(name),
            Some(_) | None => direct,
        })
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        // Absent if the proxy never listened.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(pairs: &[(&str, &str)]) -> Option<Address> {
        Address::from_variables(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_session_s_variables_give_the_address() {
        let path = |path: &str| Some(Address::Path(PathBuf::from(path)));
        assert_eq!(address(&[]), None);
        assert_eq!(address(&[("XDG_RUNTIME_DIR", "/run/user/7")]), path("/run/user/7/bus"));
        let set = |value| address(&[("DBUS_SESSION_BUS_ADDRESS", value), ("XDG_RUNTIME_DIR", "/run/user/7")]);
        assert_eq!(set(""), path("/run/user/7/bus"));
        assert_eq!(set("unix:path=/tmp/b,guid=1"), path("/tmp/b"));
        assert_eq!(set("unix:guid=1,abstract=/tmp/x"), Some(Address::Abstract(b"/tmp/x".to_vec())));
        assert_eq!(set("tcp:host=h,port=1;unix:path=/tmp/a%20b"), path("/tmp/a b"));
        for unusable in ["tcp:host=h", "unix:tmpdir=/tmp", "unix:path=relative", "unix:path=/a%2", "unix:path=/a%zz"] {
            assert_eq!(set(unusable), None, "{unusable}");
        }
    }

    #[test]
    fn an_address_is_written_so_that_it_can_be_read_again() {
        for address in [Address::Path("/tmp/a b;c,d%e".into()), Address::Abstract(vec![b'x', 0, 255])] {
            assert_eq!(Address::parse(&address.to_text()), Some(address));
        }
    }
}
