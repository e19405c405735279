//! What the jail makes of a process, whatever it is granted.

use crate::launch::{Running, folder, jailed, keeping, profile, program, read_write, run, text};
use butterfly_sandbox::{Profile, launch};
use butterfly_wire::confinement::{Canaries, Layer, Targets};
use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::signal::Signal;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::Duration;

fn waiting(profile: &Profile) -> Running {
    let mut running = jailed(profile, Targets::default(), Canaries::default());
    assert!(running.line().ends_with("\tok"));
    running
}

/// The fields of `/proc/PID/status`, or of one of its threads.
fn status(path: &str) -> BTreeMap<String, String> {
    let text = fs::read_to_string(format!("/proc/{path}/status")).unwrap();
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(key, value)| (key.to_owned(), value.trim().to_owned()))
        .collect()
}

#[test]
fn the_program_sees_only_its_own_environment_and_starts_in_the_root_folder() {
    let ended = run(&profile(&["environment"]));
    assert_eq!(ended.lines, ["GIVEN=yes", "folder\tok"], "{ended:?}");
}

#[test]
fn the_null_device_stays_usable_at_every_abi() {
    for abi in [2, 4, 6, 7] {
        let ended = run(&keeping(&["null"], |it| it.landlock_abi = abi));
        assert_eq!(ended.lines, ["write\tok", "read\tok"], "{ended:?}");
    }
}

#[test]
fn inherited_descriptors_are_closed() {
    let file = File::open("/dev/null").unwrap();
    // Without close-on-exec, as a careless library leaves it.
    let inherited = fcntl(&file, FcntlArg::F_DUPFD(40)).unwrap();
    let unjailed = Running::start(
        {
            let mut command = Command::new(program("kit_probe"));
            command.arg("wait");
            command
        },
        &[],
    );
    let running = waiting(&profile(&["wait"]));
    let open = |running: &Running| {
        let folder = fs::read_dir(format!("/proc/{}/fd", running.child.id())).unwrap();
        let mut numbers: Vec<i32> =
            folder.map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap()).collect();
        numbers.sort_unstable();
        numbers
    };
    assert!(open(&unjailed).contains(&inherited), "the descriptor was not inheritable, so this proves nothing");
    assert_eq!(open(&running), [0, 1, 2]);
    nix::unistd::close(inherited).unwrap();
    assert!(running.end().status.success() && unjailed.end().status.success());
}

#[test]
fn every_thread_is_filtered_without_capabilities_and_without_new_privileges() {
    let running = waiting(&profile(&["threads", "3"]));
    let pid = running.child.id();
    let threads: Vec<_> = fs::read_dir(format!("/proc/{pid}/task")).unwrap().map(|entry| entry.unwrap()).collect();
    assert_eq!(threads.len(), 4);
    let root = nix::unistd::geteuid().is_root();
    for thread in threads {
        let status = status(&format!("{pid}/task/{}", thread.file_name().to_str().unwrap()));
        for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
            assert_eq!(status[set], "0000000000000000", "{set}");
        }
        // An ordinary user may not shrink this set, and cannot use it either: no_new_privs stands before it.
        assert!(!root || status["CapBnd"] == "0000000000000000", "{}", status["CapBnd"]);
        assert_eq!(status["NoNewPrivs"], "1");
        assert_eq!(status["Seccomp"], "2");
        // The jail's two and the runtime's one.
        assert_eq!(status["Seccomp_filters"], "3");
    }
    assert!(running.end().status.success());
}

#[test]
fn no_process_of_the_same_user_can_look_into_it() {
    let narrowed = waiting(&profile(&["threads", "0"]));
    let dumpable = waiting(&profile(&["wait"]));
    // A process of the same user, without capabilities and otherwise free.
    let look = |at: &Running| {
        let path = format!("/proc/{}/environ", at.child.id());
        let ended = run(&keeping(&["read", &path], |it| it.without = Layer::ALL.to_vec()));
        ended.answers()["read"].to_owned()
    };
    assert_eq!(look(&dumpable), "ok", "nobody could look into any process, so this proves nothing");
    assert_eq!(look(&narrowed), "EACCES");
    assert!(narrowed.end().status.success() && dumpable.end().status.success());
}

#[test]
fn the_user_stays_the_same() {
    let running = waiting(&profile(&["wait"]));
    let (own, its) = (status("self"), status(&running.child.id().to_string()));
    assert_eq!((&own["Uid"], &own["Gid"]), (&its["Uid"], &its["Gid"]));
    assert!(running.end().status.success());
}

#[test]
fn it_leads_a_session_of_its_own_without_a_terminal() {
    let running = waiting(&profile(&["wait"]));
    let pid = running.child.id();
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // After the name in parentheses: state, parent, group, session, terminal.
    let fields: Vec<_> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    assert_eq!((fields[3], fields[4]), (pid.to_string().as_str(), "0"));
    assert!(running.end().status.success());
}

#[test]
fn limits_hold_and_cores_are_never_written() {
    let mut profile = profile(&["wait"]);
    profile.limits = butterfly_sandbox::Limits { data_bytes: 64 << 20, file_bytes: 4096, open_files: 17 };
    let running = waiting(&profile);
    let limits = fs::read_to_string(format!("/proc/{}/limits", running.child.id())).unwrap();
    let limit = |name: &str| {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        line[name.len()..].split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(limit("Max core file size"), ["0", "0"]);
    assert_eq!(limit("Max data size"), ["67108864", "67108864"]);
    assert_eq!(limit("Max file size"), ["4096", "4096"]);
    assert_eq!(limit("Max open files"), ["17", "17"]);
    assert_eq!(limit("Max address space"), ["unlimited", "unlimited"]);
    assert!(running.end().status.success());
}

#[test]
fn a_file_over_its_limit_is_an_error_and_not_the_end() {
    let (_guard, root) = folder();
    let file = text(&root.join("file"));
    for (limit, outcome) in [(4096, "EFBIG"), (1 << 20, "ok")] {
        let mut profile = keeping(&["grow", &file], |it| it.paths = vec![read_write(&root)]);
        profile.limits.file_bytes = limit;
        assert_eq!(run(&profile).answers()["grow"], outcome);
    }
}

#[test]
fn it_dies_with_the_process_that_started_it() {
    let mut command = Command::new(program("kit_probe"));
    command.arg("parent").arg(program("butterfly-jail"));
    let mut parent = Running::start(command, &[]);
    let mut profile = profile(&["wait"]);
    profile.parent_pid = parent.child.id();
    let mut bus = parent.bus.take().unwrap();
    bus.write_all(&launch::to_bytes(&profile).unwrap()).unwrap();
    assert_eq!(parent.line(), "waiting\tok");
    parent.child.kill().unwrap();
    parent.child.wait().unwrap();
    // Our end of the bus stays open, so that nothing else ends it; its end closes when it is gone. The time limit only turns
    // a hang into a failure.
    bus.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    assert_eq!(bus.read(&mut [0]).unwrap(), 0);
}

#[test]
fn endings_reach_the_parent_as_they_are() {
    assert_eq!(run(&profile(&["abort"])).signal(), Some(Signal::SIGABRT as i32));
    assert_eq!(run(&profile(&["panic"])).status.code(), Some(101));
    assert_eq!(run(&profile(&["exit", "7"])).status.code(), Some(7));
}

#[test]
fn a_kill_reaches_it() {
    let mut running = waiting(&profile(&["wait"]));
    running.child.kill().unwrap();
    assert_eq!(running.child.wait().unwrap().signal(), Some(Signal::SIGKILL as i32));
}

#[test]
fn the_bus_may_be_non_blocking_and_the_message_late() {
    let (mut ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    let child = Command::new(program("butterfly-jail"))
        .stdin(std::os::fd::OwnedFd::from(theirs))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // The child waits for this; whether it does so before or after the write, the end is the same.
    ours.write_all(&launch::to_bytes(&profile(&["environment"])).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(output.stdout, b"GIVEN=yes\nfolder\tok\n");
}
