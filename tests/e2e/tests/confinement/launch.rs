//! Starting the jail as the kernel does, and hearing what its program says.

use butterfly_sandbox::{Limits, Profile, launch, start_grants, system};
use butterfly_wire::codec;
use butterfly_wire::confinement::{Canaries, PathGrant, Remaining, Targets};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

/// What a probe is asked, beside its arguments.
pub type Task = (Remaining, Targets, Canaries);

/// A program of the workspace, built beside this test.
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(Path::parent).unwrap().join(name);
    assert!(path.exists(), "{} is not built; run `make test`, or `cargo build` with its package first", path.display());
    fs::canonicalize(path).unwrap()
}

/// A profile that grants nothing, under the running system's Landlock.
pub fn profile(args: &[&str]) -> Profile {
    let probe = program("kit_probe");
    Profile {
        start: start_grants(&probe).unwrap(),
        program: probe.to_str().unwrap().to_owned(),
        args: args.iter().map(|&arg| arg.to_owned()).collect(),
        environment: vec![("GIVEN".into(), "yes".into())],
        remaining: Remaining { landlock_abi: system().landlock_abi, ..Remaining::default() },
        limits: Limits { data_bytes: 1 << 30, file_bytes: 16 << 20, open_files: 64 },
        parent_pid: std::process::id(),
    }
}

/// A profile whose only difference is what it keeps.
pub fn keeping(args: &[&str], change: impl FnOnce(&mut Remaining)) -> Profile {
    let mut profile = profile(args);
    change(&mut profile.remaining);
    profile
}

/// A task as the probe reads it, after the launch message.
fn task(remaining: &Remaining, targets: Targets, canaries: Canaries) -> Vec<u8> {
    let body = codec::encode::<Task>(&(remaining.clone(), targets, canaries)).unwrap();
    let mut message = (body.len() as u32).to_le_bytes().to_vec();
    message.extend_from_slice(&body);
    message
}

/// A running child and our end of its bus.
pub struct Running {
    pub child: Child,
    pub bus: Option<UnixStream>,
    pub out: BufReader<ChildStdout>,
}

/// How a child ended, and what it said.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    pub lines: Vec<String>,
    pub errors: String,
}

impl Running {
    /// Starts `command` with `bytes` waiting on its descriptor 0. Descriptors and variables of ours are there to be seen.
    pub fn start(mut command: Command, bytes: &[u8]) -> Self {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        ours.write_all(bytes).unwrap();
        let mut child = command
            .env("INHERITED", "yes")
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, bus: Some(ours), out }
    }

    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    pub fn end(mut self) -> Ended {
        drop(self.bus.take());
        let lines = self.out.lines().map(Result::unwrap).collect();
        let mut errors = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        Ended { status: self.child.wait().unwrap(), lines, errors }
    }
}

impl Ended {
    /// The lines as pairs, after making sure that the probe came to its end.
    pub fn answers(&self) -> BTreeMap<&str, &str> {
        assert!(self.status.success(), "{self:?}");
        self.lines.iter().map(|line| line.split_once('\t').unwrap_or((line, ""))).collect()
    }

    pub fn signal(&self) -> Option<i32> {
        self.status.signal()
    }
}

/// Starts the probe in the jail.
pub fn jailed(profile: &Profile, targets: Targets, canaries: Canaries) -> Running {
    start(profile, &task(&profile.remaining, targets, canaries))
}

fn start(profile: &Profile, task: &[u8]) -> Running {
    let mut bytes = launch::to_bytes(profile).unwrap();
    bytes.extend_from_slice(task);
    Running::start(Command::new(program("butterfly-jail")), &bytes)
}

/// Starts the probe in the jail and tells it to keep something else than the jail left it.
pub fn jailed_with(profile: &Profile, remaining: &Remaining) -> Running {
    start(profile, &task(remaining, Targets::default(), Canaries::default()))
}

/// Runs the probe in the jail to its end.
pub fn run(profile: &Profile) -> Ended {
    jailed(profile, Targets::default(), Canaries::default()).end()
}

/// Runs the probe unconfined.
pub fn unconfined(args: &[&str], targets: Targets) -> Ended {
    let mut command = Command::new(program("kit_probe"));
    command.args(args);
    Running::start(command, &task(&Remaining::default(), targets, Canaries::default())).end()
}

/// A folder whose name contains no link, as a grant must be.
pub fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = fs::canonicalize(folder.path()).unwrap();
    (folder, path)
}

pub fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

pub fn read_write(path: &Path) -> PathGrant {
    PathGrant::read_write(text(path))
}
