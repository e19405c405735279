//! A session bus and a keyring, each a real program that ends with the test, and the vault on top.

use butterfly_api::vault::{self, Check, Store, StoreState};
use butterfly_client::{Bus, Handler, Incoming, NoHandler, Service};
use butterfly_vault::{Keyring, SecretService, Vault, Waits};
use butterfly_wire::Header;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::future::poll_fn;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use zbus::export::futures_core::Stream;
use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value};

/// The name under which a keyring is found on the bus.
const SECRETS: &str = "org.freedesktop.secrets";

/// A bus that starts nothing by itself: what a test did not start is not there.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=@SOCKET@</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

/// Where something is expected to answer, no clock runs out, however busy the machine is.
const NEVER: Duration = Duration::from_secs(3600);
pub const PATIENT: Waits = Waits { bus: NEVER, answer: NEVER, prompt: NEVER, check: NEVER };

/// For what never answers.
const SOON: Duration = Duration::from_millis(300);
pub const HASTY: Waits = Waits { bus: NEVER, answer: SOON, prompt: SOON, check: SOON };

/// A program that these tests stand on. One that is missing is a failure and no reason to skip: the vault would go untested.
fn program(name: &str) -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    assert!(
        std::env::split_paths(&path).any(|folder| folder.join(name).is_file()),
        "{name} is not installed, and without it the vault cannot be tested; `.config/setup tests` installs it"
    );
    Command::new(name)
}

/// A session: a bus, and a home with a keyring's files.
pub struct Session {
    folder: TempDir,
    bus: Child,
}

impl Session {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["run", "data"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let config = folder.path().join("bus.conf");
        let socket = folder.path().join("bus");
        std::fs::write(&config, BUS.replace("@SOCKET@", socket.to_str().unwrap())).unwrap();
        let mut bus = program("dbus-run-session")
            .arg(format!("--config-file={}", config.display()))
            .args(["--", "sh", "-c", "echo ready; exec cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // The bus complains of limits that it may not raise.
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(bus.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "ready", "dbus-run-session did not start a session");
        Self { folder, bus }
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("bus")
    }

    /// A connection to the bus, as the kernel would hand it over.
    pub fn connect(&self) -> OwnedFd {
        UnixStream::connect(self.socket()).unwrap().into()
    }

    /// Starts the keyring, unlocked with a password, or locked as after a restart.
    pub async fn keyring(&self, password: Option<&str>) -> Daemon {
        let mut command = self.daemon();
        command.args(["--foreground", "--components=secrets"]);
        if password.is_some() {
            command.arg("--unlock");
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Closing the input ends the password.
        child.stdin.take().unwrap().write_all(password.unwrap_or_default().as_bytes()).unwrap();
        self.owned(true).await;
        Daemon(child)
    }

    /// Unlocks the keyring that runs, through the interface that the desktop's login uses.
    pub async fn unlock(&self, password: &str) {
        let bus = self.bus().await;
        let keyring = "/org/freedesktop/secrets";
        let opened = ("plain", Value::from(""));
        let service = Some("org.freedesktop.Secret.Service");
        let session = bus.call_method(Some(SECRETS), keyring, service, "OpenSession", &opened).await.unwrap();
        let (_, session): (OwnedValue, OwnedObjectPath) = session.body().deserialize().unwrap();
        let login = ObjectPath::try_from("/org/freedesktop/secrets/collection/login").unwrap();
        let password = (session, Vec::<u8>::new(), password.as_bytes(), "text/plain");
        let own = Some("org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface");
        let unlock = "UnlockWithMasterPassword";
        bus.call_method(Some(SECRETS), keyring, own, unlock, &(login, password)).await.unwrap();
    }

    async fn bus(&self) -> zbus::Connection {
        let stream = tokio::net::UnixStream::connect(self.socket()).await.unwrap();
        zbus::connection::Builder::unix_stream(stream).build().await.unwrap()
    }

    fn daemon(&self) -> Command {
        let mut command = program("gnome-keyring-daemon");
        command
            .env("HOME", self.folder.path())
            .env("XDG_DATA_HOME", self.folder.path().join("data"))
            .env("XDG_RUNTIME_DIR", self.folder.path().join("run"))
            .env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", self.socket().display()))
            .env_remove("GNOME_KEYRING_CONTROL");
        command
    }

    /// Waits until somebody, or nobody, has the keyring's name.
    pub async fn owned(&self, wanted: bool) {
        let bus = self.bus().await;
        let proxy = zbus::fdo::DBusProxy::new(&bus).await.unwrap();
        let mut changes = proxy.receive_name_owner_changed_with_args(&[(0, SECRETS)]).await.unwrap();
        while proxy.name_has_owner(SECRETS.try_into().unwrap()).await.unwrap() != wanted {
            poll_fn(|context| Pin::new(&mut changes).poll_next(context)).await.expect("the bus ended");
        }
    }

    /// Ends the bus, and with it every connection.
    pub fn end_bus(&mut self) {
        drop(self.bus.stdin.take());
        self.bus.wait().unwrap();
    }

    /// What the keyring has written.
    pub fn files(&self) -> Vec<u8> {
        let mut all = Vec::new();
        gather(self.folder.path(), &mut all);
        all
    }
}

fn gather(folder: &Path, all: &mut Vec<u8>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            gather(&entry.path(), all);
        } else if kind.is_file() {
            all.extend(std::fs::read(entry.path()).unwrap());
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        drop(self.bus.stdin.take());
        let _ = self.bus.wait();
    }
}

/// A program that ends with the test.
pub struct Daemon(Child);

impl Daemon {
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.0.id().try_into().unwrap()), signal).unwrap();
    }

    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A filter before the bus, as production uses it. Resolves when it listens.
pub fn proxy(session: &Session, rule: &str) -> (Daemon, OwnedFd) {
    let socket = session.folder.path().join("proxy");
    // It writes a byte to this descriptor once it listens.
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let child = program("xdg-dbus-proxy")
        .arg("--fd=0")
        .arg(format!("unix:path={}", session.socket().display()))
        .arg(&socket)
        .args(["--filter", rule])
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .spawn()
        .unwrap();
    std::io::Read::read_exact(&mut ours, &mut [0]).unwrap();
    let connected = UnixStream::connect(&socket).unwrap();
    // The proxy ends when this descriptor is closed.
    std::mem::forget(ours);
    (Daemon(child), connected.into())
}

struct Serve(vault::Served<Vault>);

impl Handler for Serve {
    fn request(&self, incoming: Incoming) {
        self.0.dispatch(incoming);
    }

    fn event(&self, _: &Bus, _: &Header, _: &[u8]) {}
}

/// A vault and a caller of it.
pub struct Bench {
    pub vault: Arc<Vault>,
    pub store: SecretService,
    /// The caller sits in slot 0, as every source does without a kernel.
    pub bus: Bus,
}

/// A vault whose caller has this role; `None` is a client.
pub fn vault(descriptor: Option<OwnedFd>, waits: Waits, role: Option<&str>) -> Bench {
    let store = SecretService::new(descriptor, waits);
    let roles = role.map(|role| (0, role.to_owned())).into_iter().collect();
    let vault = Arc::new(Vault::new(Keyring::new(Arc::new(store.clone()), waits), roles));
    let (near, far) = tokio::io::duplex(64 << 10);
    butterfly_client::start(far, Arc::new(Serve(vault::serve(Arc::clone(&vault)))));
    Bench { vault, store, bus: butterfly_client::start(near, Arc::new(NoHandler)) }
}

impl Bench {
    pub async fn state(&self) -> Store {
        self.bus.call::<Check>(&()).await.unwrap()
    }

    /// The state is this one, its message has the words, and so have the health checks.
    pub async fn expect(&self, state: StoreState, words: &[&str]) {
        let store = self.state().await;
        assert_eq!(store.state, state, "{}", store.message);
        for word in words {
            assert!(store.message.contains(word), "`{word}` is missing: {}", store.message);
        }
        let check = &self.vault.checks().await[0];
        assert_eq!(check.next_step.is_empty(), state == StoreState::Ready, "{check:?}");
    }
}
