//! A program without a bus, for the confinement tests: does one thing, says on standard output how that went, and ends.
//!
//! It is started by the jail like a worker, or directly as its own unconfined control. What it needs beyond its arguments it reads
//! from descriptor 0: a `u32` little-endian length and an encoded [`Task`].

use butterfly_runtime::{canaries, harden, prove};
use butterfly_wire::codec;
use butterfly_wire::confinement::{Canaries, Outcome, Remaining, Targets};
use std::error::Error;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

/// What a test asks of the probe.
type Task = (Remaining, Targets, Canaries);
type Done = Result<(), Box<dyn Error>>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kit_probe {args:?}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[&str]) -> Done {
    match args {
        ["prove"] => prove(true),
        ["control"] => prove(false),
        ["canaries"] => check_canaries(),
        ["environment"] => environment(),
        ["wait"] => wait(),
        ["null"] => null_device(),
        ["threads", count] => threads(count.parse()?),
        ["files", inside, outside] => files(Path::new(inside), Path::new(outside)),
        ["read", path] => read(path),
        ["truncate-by-reading", path] => truncate_by_reading(path),
        ["connect", port] => connect(port.parse()?),
        ["grow", path] => grow(Path::new(path)),
        ["abort"] => std::process::abort(),
        ["panic"] => panic!("on request"),
        ["exit", code] => std::process::exit(code.parse()?),
        ["parent", jail] => parent(jail),
        ["without-landlock", jail] => without_landlock(jail),
        other => Err(format!("unknown request {other:?}").into()),
    }
}

/// Reads the task and gives up what only the start needed, as a worker does.
fn confined() -> Result<Task, Box<dyn Error>> {
    let task = read_task()?;
    harden::give_up(&task.0)?;
    Ok(task)
}

fn read_task() -> Result<Task, Box<dyn Error>> {
    Ok(codec::decode(&read_message(&mut io::stdin())?)?)
}

fn read_message(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let mut body = vec![0; u32::from_le_bytes(length) as usize];
    from.read_exact(&mut body)?;
    Ok(body)
}

/// One line: what was tried, and `ok` or the error's name.
fn said(what: &str, outcome: &io::Result<()>) -> Done {
    let outcome = match outcome {
        Ok(()) => "ok".to_owned(),
        Err(error) => error
            .raw_os_error()
            .map_or_else(|| error.to_string(), |number| format!("{:?}", nix::errno::Errno::from_raw(number))),
    };
    writeln!(io::stdout(), "{what}\t{outcome}")?;
    Ok(())
}

fn prove(narrowed: bool) -> Done {
    let task = if narrowed { confined()? } else { read_task()? };
    let mut out = io::stdout();
    let mut fault = None;
    prove::run(&task.1, &mut |attempt| {
        let (kind, detail) = match &attempt.outcome {
            Outcome::Denied { error } => ("denied", error.as_str()),
            Outcome::Succeeded => ("succeeded", ""),
            Outcome::NotTestable { why } => ("untestable", why.as_str()),
        };
        if let Err(error) = writeln!(out, "{}\t{kind}\t{detail}\t{}", attempt.name, attempt.grant) {
            fault.get_or_insert(error);
        }
    });
    fault.map_or(Ok(()), |error| Err(error.into()))
}

fn check_canaries() -> Done {
    let task = confined()?;
    for canary in canaries::check(&task.2, &task.0) {
        writeln!(io::stdout(), "{}\t{}", canary.name, canary.denied_by.as_deref().unwrap_or("got through"))?;
    }
    Ok(())
}

fn environment() -> Done {
    for (name, value) in std::env::vars() {
        writeln!(io::stdout(), "{name}={value}")?;
    }
    said("folder", &std::env::current_dir().map(|folder| assert_eq!(folder, Path::new("/"))))
}

/// Stays until the bus is closed, with what the jail left it and nothing given up.
fn wait() -> Done {
    said("waiting", &Ok(()))?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn null_device() -> Done {
    confined()?;
    said(
        "write",
        &OpenOptions::new().write(true).truncate(true).open("/dev/null").and_then(|mut it| it.write_all(b"x")),
    )?;
    said("read", &File::open("/dev/null").and_then(|mut it| it.read(&mut [0; 1])).map(drop))
}

/// Starts threads and stays until the bus is closed, so that a test can look at each.
fn threads(count: usize) -> Done {
    confined()?;
    let started = std::sync::Arc::new(std::sync::Barrier::new(count + 1));
    for _ in 0..count {
        let started = std::sync::Arc::clone(&started);
        std::thread::Builder::new().spawn(move || {
            started.wait();
            std::thread::park();
        })?;
    }
    started.wait();
    said("threads", &Ok(()))?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// What a database does in its folder, and the same outside.
fn files(inside: &Path, outside: &Path) -> Done {
    confined()?;
    let (file, log) = (inside.join("database"), inside.join("folder/log"));
    said("make-folder", &fs::create_dir(inside.join("folder")))?;
    said("write", &fs::write(&file, b"some content"))?;
    said("read", &fs::read(&file).map(|content| assert_eq!(content, b"some content")))?;
    let open = || OpenOptions::new().read(true).write(true).open(&file);
    said("sync", &open().and_then(|it| it.sync_all().and_then(|()| it.sync_data())))?;
    said("lock", &open().and_then(|it| it.lock()))?;
    said("record-lock", &open().and_then(|it| record_lock(&it)))?;
    said("write-at", &open().and_then(|it| it.write_all_at(b"x", 3)))?;
    said("shorten", &open().and_then(|it| it.set_len(4)))?;
    said("mode", &open().and_then(|it| it.set_permissions(fs::Permissions::from_mode(0o600))))?;
    said("rename", &fs::rename(&file, &log))?;
    said("list", &fs::read_dir(inside).map(|entries| assert_eq!(entries.count(), 1)))?;
    said("unlink", &fs::remove_file(&log))?;
    said("remove-folder", &fs::remove_dir(inside.join("folder")))?;
    said("outside-read", &fs::read(outside.join("file")).map(drop))?;
    said("outside-write", &OpenOptions::new().write(true).open(outside.join("file")).map(drop))?;
    said("outside-create", &fs::write(outside.join("new"), b""))?;
    said("outside-list", &fs::read_dir(outside).map(drop))?;
    said("outside-unlink", &fs::remove_file(outside.join("file")))?;
    said("link-in", &fs::hard_link(outside.join("file"), inside.join("stolen")))
}

/// A lock as SQLite takes it.
fn record_lock(file: &File) -> io::Result<()> {
    let lock = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 1,
        l_pid: 0,
    };
    nix::fcntl::fcntl(file, nix::fcntl::FcntlArg::F_SETLK(&lock)).map(drop).map_err(Into::into)
}

fn read(path: &str) -> Done {
    confined()?;
    said("read", &fs::read(path).map(drop))
}

fn connect(port: u16) -> Done {
    confined()?;
    said("connect", &TcpStream::connect((Ipv4Addr::LOCALHOST, port)).map(drop))
}

/// Opens a file for reading and empties it by that, which Landlock before ABI 3 does not tell from reading.
fn truncate_by_reading(path: &str) -> Done {
    use nix::fcntl::{OFlag, open};
    confined()?;
    let opened = open(path, OFlag::O_RDONLY | OFlag::O_TRUNC, nix::sys::stat::Mode::empty());
    said("truncate", &opened.map(drop).map_err(Into::into))
}

/// Writes 64 KiB, which a limit may forbid.
fn grow(path: &Path) -> Done {
    confined()?;
    said("grow", &fs::write(path, vec![0; 64 << 10]))
}

/// Starts the jail on this process's own bus and output, and stays: a test kills this process and sees what becomes of its child.
fn parent(jail: &str) -> Done {
    Command::new(jail).spawn()?.wait()?;
    Ok(())
}

/// Becomes the jail on a system that answers every Landlock call with "no such call".
fn without_landlock(jail: &str) -> Done {
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
    let calls = [libc::SYS_landlock_create_ruleset, libc::SYS_landlock_add_rule, libc::SYS_landlock_restrict_self];
    let filter = SeccompFilter::new(
        calls.into_iter().map(|number| (number, Vec::new())).collect(),
        SeccompAction::Allow,
        SeccompAction::Errno(libc::ENOSYS as u32),
        std::env::consts::ARCH.try_into()?,
    )?;
    seccompiler::apply_filter(&BpfProgram::try_from(filter)?)?;
    Err(Command::new(jail).exec().into())
}
