//! A confined twin and its unconfined control make the same attempts, as for `doctor --prove`.

use crate::launch::{Running, folder, jailed, keeping, profile, program, text, unconfined};
use butterfly_sandbox::{Profile, assess, system};
use butterfly_wire::confinement::{Attempt, Canaries, Layer, Outcome, PathGrant, Remaining, Targets};
use butterfly_wire::verdict::{Verdict, excused_by, judge};
use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::PathBuf;
use std::process::Command;

/// What an ordinary user on an ordinary system can do to his own: a control that fails here makes the proof worthless.
const TESTABLE_ANYWHERE: &[&str] = &[
    "device.push-input",
    "file.chmod",
    "file.chown",
    "file.link",
    "file.open-for-nothing",
    "file.read",
    "file.rename",
    "file.symlink",
    "file.truncate",
    "file.truncate-by-reading",
    "file.truncate-by-writing",
    "file.unlink",
    "file.utime",
    "file.watch",
    "file.write",
    "folder.create",
    "folder.list-home",
    "folder.list-processes",
    "folder.make-folder",
    "kernel.environ",
    "kernel.signal",
    "memory.executable",
    "memory.make-executable",
    "net.netlink",
    "net.udp",
    "process.fork",
    "process.limits",
    "process.signal",
    "program.exec",
    "program.exec-memory",
    "program.spawn",
    "start.read-libraries",
    "start.read-own-program",
    "tcp.connect",
    "tcp.fast-open-option",
    "tcp.listen",
    "unix.abstract",
    "unix.datagram-pair",
    "unix.path",
];

/// Decoys, and whatever must stay for them to be there.
struct Decoys {
    targets: Targets,
    root: PathBuf,
    _folder: tempfile::TempDir,
    _tcp: TcpListener,
    _udp: UdpSocket,
    _unix: [UnixListener; 2],
    sibling: Running,
}

impl Decoys {
    fn new() -> Self {
        let (guard, root) = folder();
        for name in ["home", "folder", "granted"] {
            fs::create_dir(root.join(name)).unwrap();
        }
        fs::write(root.join("decoy"), b"content").unwrap();
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let abstract_name = format!("butterfly-test-{}", text(&root));
        let address = SocketAddr::from_abstract_name(&abstract_name).unwrap();
        let unix = [UnixListener::bind(root.join("socket")).unwrap(), UnixListener::bind_addr(&address).unwrap()];
        let mut sibling = Running::start(
            {
                let mut command = Command::new(program("kit_probe"));
                command.arg("wait");
                command
            },
            &[],
        );
        assert_eq!(sibling.line(), "waiting\tok");
        let targets = Targets {
            home: text(&root.join("home")),
            file: text(&root.join("decoy")),
            folder: text(&root.join("folder")),
            program: fs::canonicalize("/bin/true").map(|path| text(&path)).unwrap(),
            kernel_pid: std::process::id(),
            sibling_pid: sibling.child.id(),
            tcp_port: tcp.local_addr().unwrap().port(),
            udp_port: udp.local_addr().unwrap().port(),
            unix_path: text(&root.join("socket")),
            abstract_name,
        };
        Self { targets, root, _folder: guard, _tcp: tcp, _udp: udp, _unix: unix, sibling }
    }

    /// What was attempted has left no trace: all decoys are as they were, and the sibling is well.
    fn assert_untouched(mut self) {
        let mut names: Vec<_> = fs::read_dir(&self.root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["decoy", "folder", "granted", "home", "socket"]);
        assert_eq!(fs::read(self.root.join("decoy")).unwrap(), b"content");
        assert_eq!(fs::read_dir(self.root.join("folder")).unwrap().count(), 0);
        assert!(self.sibling.child.try_wait().unwrap().is_none());
        assert!(self.sibling.end().status.success());
    }
}

fn attempts(lines: &[String]) -> Vec<Attempt> {
    let attempt = |line: &String| {
        let fields: Vec<_> = line.split('\t').collect();
        let [name, kind, detail, grant] = fields[..] else { panic!("{line:?}") };
        let outcome = match kind {
            "denied" => Outcome::Denied { error: detail.to_owned() },
            "succeeded" => Outcome::Succeeded,
            "untestable" => Outcome::NotTestable { why: detail.to_owned() },
            other => panic!("{other}"),
        };
        Attempt { name: name.to_owned(), grant: grant.to_owned(), outcome }
    };
    lines.iter().map(attempt).collect()
}

/// Twin and control, side by side.
fn verdicts(decoys: &Decoys, profile: &Profile) -> BTreeMap<String, Verdict> {
    let control = unconfined(&["control"], decoys.targets.clone());
    assert!(control.status.success(), "{control:?}");
    let twin = jailed(profile, decoys.targets.clone(), Canaries::default()).end();
    assert!(twin.status.success(), "{twin:?}");
    let (twin, control) = (attempts(&twin.lines), attempts(&control.lines));
    assert_eq!(twin.len(), control.len());
    for attempt in &control {
        if TESTABLE_ANYWHERE.contains(&attempt.name.as_str()) {
            assert_eq!(attempt.outcome, Outcome::Succeeded, "the control's {}", attempt.name);
        }
    }
    twin.iter().zip(&control).map(|(twin, control)| (twin.name.clone(), judge(twin, control))).collect()
}

fn bad(verdicts: &BTreeMap<String, Verdict>) -> BTreeMap<&str, &Verdict> {
    verdicts.iter().filter(|(_, verdict)| !verdict.is_good()).map(|(name, verdict)| (name.as_str(), verdict)).collect()
}

/// A port that nobody granted anything else, and on which nothing needs to listen.
const GRANTED_PORT: u16 = 11434;

fn with_network(it: &mut Remaining) {
    it.tcp_ports = vec![GRANTED_PORT];
}

/// The profiles that workers have: nothing at all, a network, a folder of their own.
fn kinds(decoys: &Decoys) -> Vec<Profile> {
    let folder = PathGrant::read_write(text(&decoys.root.join("granted")));
    vec![
        profile(&["prove"]),
        keeping(&["prove"], with_network),
        keeping(&["prove"], |it| {
            it.paths = vec![folder];
            it.file_modes = true;
        }),
    ]
}

#[test]
fn every_attempt_is_denied_on_the_running_kernel() {
    let decoys = Decoys::new();
    for profile in kinds(&decoys) {
        let verdicts = verdicts(&decoys, &profile);
        assert_eq!(bad(&verdicts), BTreeMap::new(), "{:?}", profile.remaining);
        for name in TESTABLE_ANYWHERE {
            assert!(matches!(verdicts[*name], Verdict::Denied { .. }), "{name}: {}", verdicts[*name]);
        }
        // What is listed as dangerous says so, rather than that there is no such call.
        for name in ["file.chmod", "file.utime", "process.fork", "net.udp", "unix.datagram-pair"] {
            assert_eq!(verdicts[name], Verdict::Denied { error: "EPERM".into() }, "{name}");
        }
    }
    decoys.assert_untouched();
}

#[test]
fn on_older_kernels_only_what_is_named_as_missing_gets_through() {
    let decoys = Decoys::new();
    for abi in [2, 4, 6].into_iter().filter(|abi| *abi <= system().landlock_abi) {
        for mut profile in kinds(&decoys) {
            profile.remaining.landlock_abi = abi;
            let missing = assess(abi, &profile.remaining).unwrap().missing;
            let verdicts = verdicts(&decoys, &profile);
            for (name, verdict) in bad(&verdicts) {
                let excuse = excused_by(name).map(str::to_owned);
                assert!(excuse.is_some_and(|it| missing.contains(&it)), "ABI {abi}: {name}: {verdict}");
            }
            // The excuse is a true one: ports cannot be limited there, and are not.
            let open = abi < 4 && !profile.remaining.tcp_ports.is_empty();
            assert_eq!(verdicts["tcp.connect"] == Verdict::GotThrough, open, "ABI {abi}");
        }
    }
    decoys.assert_untouched();
}

#[test]
fn each_layer_that_is_left_out_lets_something_through() {
    let decoys = Decoys::new();
    for layer in Layer::ALL {
        let profile = keeping(&["prove"], |it| {
            with_network(it);
            it.without = vec![layer];
        });
        let verdicts = verdicts(&decoys, &profile);
        let through: Vec<_> = verdicts
            .iter()
            .filter(|(_, verdict)| **verdict == Verdict::GotThrough)
            .map(|(name, _)| name.as_str())
            .collect();
        let expected = match layer {
            Layer::Landlock => "tcp.connect",
            Layer::Seccomp => "file.chmod",
            Layer::GiveUp => "start.read-libraries",
        };
        assert!(through.contains(&expected), "{}: {through:?}", layer.name());
    }
    decoys.assert_untouched();
}
