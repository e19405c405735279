//! The connection to the session bus that a worker without sockets is handed, with a real bus and the real proxy.

use crate::support::{ask, kit, run};
use anyhow::Context;
use butterfly_client::Bus;
use butterfly_kit::harness::{Instance, Which, back, status, worker};
use butterfly_kit::service::{Answer, Ask};
use butterfly_wire::confinement::Grade;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A session bus of this test's own. Ends with its value.
struct SessionBus {
    daemon: Child,
    address: String,
}

impl Drop for SessionBus {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// `None` where this system has no D-Bus.
fn session_bus() -> anyhow::Result<Option<SessionBus>> {
    let started = Command::new("dbus-daemon")
        .args(["--session", "--nofork", "--print-address"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn();
    let mut daemon = match started {
        Ok(daemon) => daemon,
        Err(fault) => {
            println!("not testable here: dbus-daemon cannot be started ({fault})");
            return Ok(None);
        }
    };
    let mut address = String::new();
    BufReader::new(daemon.stdout.take().context("no output")?).read_line(&mut address)?;
    Ok(Some(SessionBus { daemon, address: address.trim().to_owned() }))
}

async fn greeting(bus: &Bus) -> anyhow::Result<Option<String>> {
    match ask(bus, "other", &Ask::SessionBus).await? {
        Answer::SessionBus(greeting) => Ok(greeting),
        answer => anyhow::bail!("an answer to another question: {answer:?}"),
    }
}

#[test]
fn it_is_handed_over_anew_at_each_start_and_without_a_filter_the_grade_says_so() {
    run(async {
        let Some(session) = session_bus()? else { return Ok(()) };
        let environment = [("DBUS_SESSION_BUS_ADDRESS", session.address.as_str())];
        let arguments = ["--dbus-proxy", "/nowhere/xdg-dbus-proxy"];
        let (_instance, bus) = Instance::start(Which::Kit, &arguments, &environment).await?;
        let direct = worker(&bus, "other").await?;
        assert!(direct.confinement.missing.contains(&"dbus-proxy".to_owned()), "{:?}", direct.confinement);
        assert_eq!(direct.confinement.grade, Grade::Reduced);
        assert!(!worker(&bus, "echo").await?.confinement.missing.contains(&"dbus-proxy".to_owned()));
        assert!(greeting(&bus).await?.context("no bus")?.starts_with("OK "));
        assert_eq!(greeting(&bus).await?, None, "there is one, and it was taken");
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(direct.pid as i32), nix::sys::signal::Signal::SIGKILL)?;
        back(&bus, "other", direct.generation).await?;
        assert!(greeting(&bus).await?.context("no bus")?.starts_with("OK "));
        Ok(())
    });
}

#[test]
fn it_goes_through_the_proxy_where_there_is_one_which_ends_with_the_worker() {
    run(async {
        let Some(session) = session_bus()? else { return Ok(()) };
        let Some(proxy) = butterfly_kernel::session_bus::PROXIES.into_iter().find(|path| Path::new(path).exists())
        else {
            println!("not testable here: xdg-dbus-proxy is not installed");
            return Ok(());
        };
        let environment = [("DBUS_SESSION_BUS_ADDRESS", session.address.as_str())];
        let (instance, bus) = Instance::start(Which::Kit, &["--dbus-proxy", proxy], &environment).await?;
        let filtered = worker(&bus, "other").await?;
        assert!(!filtered.confinement.missing.contains(&"dbus-proxy".to_owned()), "{:?}", filtered.confinement);
        assert!(greeting(&bus).await?.context("no bus")?.starts_with("OK "));
        let proxies = children_named(instance.kernel_pid(), "xdg-dbus-proxy")?;
        assert_eq!(proxies.len(), 1);
        let sockets: Vec<_> = std::fs::read_dir(&instance.place.runtime)?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.starts_with("bus-"))
            .collect();
        assert_eq!(sockets, Vec::<String>::new(), "nobody else can connect to it");
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(filtered.pid as i32), nix::sys::signal::Signal::SIGKILL)?;
        back(&bus, "other", filtered.generation).await?;
        assert!(greeting(&bus).await?.context("no bus")?.starts_with("OK "));
        let next = children_named(instance.kernel_pid(), "xdg-dbus-proxy")?;
        assert_eq!(next.len(), 1, "the first one is gone");
        assert_ne!(next, proxies);
        Ok(())
    });
}

/// Living processes of that name whose parent this is.
fn children_named(parent: u32, name: &str) -> anyhow::Result<Vec<u32>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        let Some((_, rest)) = stat.rsplit_once(") ") else { continue };
        let fields: Vec<_> = rest.split(' ').collect();
        let program = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let program = String::from_utf8_lossy(program.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned();
        if fields[1].parse() == Ok(parent) && fields[0] != "Z" && program.ends_with(name) {
            found.push(pid);
        }
    }
    Ok(found)
}

#[test]
fn a_proxy_that_does_not_work_is_a_warning_and_no_connection() {
    run(async {
        let Some(session) = session_bus()? else { return Ok(()) };
        let environment = [("DBUS_SESSION_BUS_ADDRESS", session.address.as_str())];
        let (_instance, bus) = Instance::start(Which::Kit, &["--dbus-proxy", "/bin/false"], &environment).await?;
        assert_eq!(greeting(&bus).await?, None);
        let warnings = status(&bus).await?.kernel.warnings;
        assert!(warnings.iter().any(|warning| warning.contains("/bin/false")), "{warnings:?}");
        Ok(())
    });
}

#[test]
fn without_a_bus_the_worker_starts_without_one() {
    run(async {
        let (_instance, bus) = kit().await?;
        assert_eq!(greeting(&bus).await?, None);
        let gone = [("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus")];
        let (_instance, bus) = Instance::start(Which::Kit, &[], &gone).await?;
        assert_eq!(greeting(&bus).await?, None);
        assert!(!worker(&bus, "other").await?.confinement.missing.contains(&"dbus-proxy".to_owned()));
        Ok(())
    });
}
