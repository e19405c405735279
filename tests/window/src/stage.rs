//! A screen with a window manager, a session bus and an accessibility bus, for one test alone.

use crate::framebuffer::Framebuffer;
use crate::process::{self, Guarded};
use anyhow::{Context, bail};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;
use zbus::Connection;
use zbus::connection::Builder;
use zbus::zvariant::{OwnedValue, Value};

/// Width and height in pixels of the screen, and of the app's window on it.
pub const SIZE: (u32, u32) = (1280, 800);

/// The window manager: windows fill the screen without a frame, and one can leave and close them by the usual keys.
const OPENBOX: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<openbox_config xmlns="http://openbox.org/3.4/rc">
  <focus><focusNew>yes</focusNew><followMouse>no</followMouse></focus>
  <desktops><number>1</number><popupTime>0</popupTime></desktops>
  <keyboard>
    <keybind key="A-F4"><action name="Close"/></keybind>
    <keybind key="A-F9"><action name="Iconify"/></keybind>
  </keyboard>
  <mouse><context name="Client"><mousebind button="Left" action="Press"><action name="Focus"/><action name="Raise"/></mousebind></context></mouse>
  <applications><application class="*" type="normal"><decor>no</decor><maximized>yes</maximized></application></applications>
</openbox_config>
"#;

/// A session bus that starts nothing by itself: what a test needs it has started, and nobody's keyring or portal answers.
const SESSION: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <keep_umask/>
  <listen>unix:tmpdir=FOLDER</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

/// Runs as long as its value lives, and so does all that was started on it.
pub struct Stage {
    /// What windows see.
    pub display: String,
    session: String,
    accessible: Connection,
    folder: TempDir,
    // Dropped in this order.
    _launcher: Guarded,
    _bus: Guarded,
    _manager: Guarded,
    _screen: Guarded,
}

impl Stage {
    /// Puts it up.
    ///
    /// # Errors
    /// Where a program that it needs is missing or does not work.
    pub async fn raise() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("stage-").tempdir()?;
        for name in ["home", "run", "bin"] {
            fs::DirBuilder::new().mode(0o700).create(folder.path().join(name))?;
        }
        for name in ["xdotool", "import"] {
            process::find(name, if name == "import" { "imagemagick" } else { name })?;
        }
        let (screen, display) = screen(folder.path())?;
        let manager = manager(&display, folder.path())?;
        let (bus, session) = session_bus(folder.path())?;
        let launcher = Guarded::start("at-spi-bus-launcher", "at-spi2-core", |command| {
            command.arg("--launch-immediately").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            outfit(command, &display, &session, folder.path());
        })?;
        let accessible = tokio::time::timeout(crate::PATIENCE, accessibility(&session))
            .await
            .context("the accessibility bus of at-spi2-core does not come up")??;
        Ok(Self {
            display,
            session,
            accessible,
            folder,
            _launcher: launcher,
            _bus: bus,
            _manager: manager,
            _screen: screen,
        })
    }

    /// A command for a program that draws on this screen; it gets nothing of the environment of whoever runs the test.
    #[must_use]
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        self.dress(&mut command);
        command
    }

    /// Gives a command this stage's environment.
    pub fn dress(&self, command: &mut Command) {
        outfit(command, &self.display, &self.session, self.folder.path());
    }

    /// The bus on which windows say what they show.
    pub const fn accessible(&self) -> &Connection {
        &self.accessible
    }

    /// A folder for what the test leaves behind; it goes with the stage.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The screen's pixels.
    ///
    /// # Errors
    /// Where the X server does not keep them in a file.
    pub fn pixels(&self) -> anyhow::Result<Framebuffer> {
        Framebuffer::open(self.folder.path())
    }

    /// Puts a program of the test's own where windows look for programs.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn put_program(&self, name: &str, script: &str) -> anyhow::Result<PathBuf> {
        let path = self.folder.path().join("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n"))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        Ok(path)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // The launcher leaves its bus behind, and the bus what it started.
        for pid in process::with_variable("HOME", &self.folder.path().join("home").display().to_string()) {
            process::signal(pid, "KILL");
        }
    }
}

/// The environment of everything on the stage.
fn outfit(command: &mut Command, display: &str, session: &str, folder: &Path) {
    command
        .env_clear()
        // No program of the system is found by its name unless the test put it there.
        .env("PATH", folder.join("bin"))
        .env("HOME", folder.join("home"))
        .env("XDG_RUNTIME_DIR", folder.join("run"))
        .env("DISPLAY", display)
        .env("DBUS_SESSION_BUS_ADDRESS", session)
        .env("LANG", "C.UTF-8")
        .env("GDK_BACKEND", "x11")
        .env("GTK_A11Y", "atspi")
        .env("GSETTINGS_BACKEND", "memory")
        // There is no graphics card on the screen.
        .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
        .env("LIBGL_ALWAYS_SOFTWARE", "1");
}

/// The X server, and the name of the display that it chose.
fn screen(folder: &Path) -> anyhow::Result<(Guarded, String)> {
    let (width, height) = SIZE;
    let mut screen = Guarded::start("Xvfb", "xvfb", |command| {
        command.args(["-displayfd", "1", "-nolisten", "tcp", "-noreset", "-dpi", "96"]);
        command.args(["-screen", "0", &format!("{width}x{height}x24")]).arg("-fbdir").arg(folder);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    })?;
    let number = first_line(&mut screen)?;
    if number.is_empty() {
        let mut said = String::new();
        if let Some(mut stderr) = screen.child().stderr.take() {
            stderr.read_to_string(&mut said)?;
        }
        bail!("Xvfb found no display: {}", said.trim());
    }
    Ok((screen, format!(":{number}")))
}

/// The window manager, when it manages.
fn manager(display: &str, folder: &Path) -> anyhow::Result<Guarded> {
    let settings = folder.join("openbox.xml");
    fs::write(&settings, OPENBOX)?;
    let mut manager = Guarded::start("openbox", "openbox", |command| {
        // It runs this command once it has taken over the screen.
        command.arg("--config-file").arg(&settings).args(["--startup", "/bin/echo ready"]);
        command.env("DISPLAY", display).env("HOME", folder.join("home"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    })?;
    match first_line(&mut manager)?.as_str() {
        "ready" => Ok(manager),
        other => bail!("openbox does not manage the screen ({other:?})"),
    }
}

/// The session bus and its address.
fn session_bus(folder: &Path) -> anyhow::Result<(Guarded, String)> {
    let settings = folder.join("session.conf");
    fs::write(&settings, SESSION.replace("FOLDER", &folder.display().to_string()))?;
    let mut bus = Guarded::start("dbus-daemon", "dbus", |command| {
        command.arg("--config-file").arg(&settings).args(["--nofork", "--print-address=1"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    })?;
    let address = first_line(&mut bus)?;
    if address.is_empty() {
        bail!("dbus-daemon started no session bus");
    }
    Ok((bus, address))
}

fn first_line(process: &mut Guarded) -> anyhow::Result<String> {
    let mut line = String::new();
    if let Some(stdout) = process.child().stdout.take() {
        BufReader::new(stdout).read_line(&mut line)?;
    }
    Ok(line.trim().to_owned())
}

/// Says that somebody reads the screen, and connects to the bus that it is read from.
async fn accessibility(session: &str) -> anyhow::Result<Connection> {
    let session = Builder::address(session)?.build().await?;
    let bus = zbus::fdo::DBusProxy::new(&session).await?;
    let name = zbus::names::BusName::try_from("org.a11y.Bus")?;
    while !bus.name_has_owner(name.clone()).await? {
        // The launcher claims its name in its own time.
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let (owner, path) = ("org.a11y.Bus", "/org/a11y/bus");
    let arguments = ("org.a11y.Status", "IsEnabled", Value::from(true));
    session.call_method(Some(owner), path, Some("org.freedesktop.DBus.Properties"), "Set", &arguments).await?;
    let reply = session.call_method(Some(owner), path, Some("org.a11y.Bus"), "GetAddress", &()).await?;
    let address: String = reply.body().deserialize()?;
    let connection = Builder::address(address.as_str())?.build().await?;
    // The registry is started by the first who asks for it.
    let _: OwnedValue =
        property(&connection, "org.a11y.atspi.Registry", "/org/a11y/atspi/accessible/root", "ChildCount").await?;
    Ok(connection)
}

/// A property of an accessible object.
///
/// # Errors
/// Where there is no such object any more.
async fn property(connection: &Connection, owner: &str, path: &str, name: &str) -> anyhow::Result<OwnedValue> {
    let arguments = ("org.a11y.atspi.Accessible", name);
    let reply =
        connection.call_method(Some(owner), path, Some("org.freedesktop.DBus.Properties"), "Get", &arguments).await?;
    Ok(reply.body().deserialize()?)
}
