//! When the jail must not start the program at all.

use crate::launch::{Ended, Running, folder, jailed, keeping, profile, program, read_write, run, text};
use butterfly_sandbox::{JailExit, Profile, launch};
use butterfly_wire::confinement::{Access, Canaries, PathGrant, Targets};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

/// The program did not run, and standard error says why in one line.
fn assert_refused(ended: &Ended, exit: JailExit) {
    assert_eq!(ended.status.code().and_then(JailExit::from_code), Some(exit), "{ended:?}");
    assert!(ended.lines.is_empty(), "{ended:?}");
    assert_eq!(ended.errors.lines().count(), 1, "{ended:?}");
    assert!(ended.errors.contains(exit.sentence()), "{ended:?}");
}

fn granting(path: &str, access: Access) -> Profile {
    keeping(&["environment"], |it| it.paths = vec![PathGrant { path: path.to_owned(), access }])
}

#[test]
fn a_grant_must_exist_and_may_not_lead_through_a_link() {
    let (_guard, root) = folder();
    fs::create_dir_all(root.join("real/inner")).unwrap();
    fs::write(root.join("real/file"), "").unwrap();
    symlink(root.join("real"), root.join("link")).unwrap();
    symlink(root.join("real/file"), root.join("file-link")).unwrap();
    symlink("/", root.join("real/out")).unwrap();
    let granted = |name: &str, access| run(&granting(&text(&root.join(name)), access));
    for access in [Access::Read, Access::ReadWrite] {
        for fine in ["real", "real/inner", "real/file"] {
            assert!(granted(fine, access).status.success(), "{fine}");
        }
        for refused in ["absent", "real/absent", "link", "link/inner", "file-link", "real/out", "real/out/etc"] {
            assert_refused(&granted(refused, access), JailExit::Grant);
        }
    }
    assert_refused(&run(&granting("real", Access::Read)), JailExit::Grant);
    assert_refused(&run(&granting("", Access::Read)), JailExit::Grant);
}

#[test]
fn without_landlock_or_below_the_floor_nothing_starts() {
    for abi in [0, 1] {
        assert_refused(&run(&keeping(&["environment"], |it| it.landlock_abi = abi)), JailExit::BelowFloor);
    }
    let mut command = Command::new(program("kit_probe"));
    command.arg("without-landlock").arg(program("butterfly-jail"));
    let ended = Running::start(command, &launch::to_bytes(&profile(&["environment"])).unwrap()).end();
    assert_refused(&ended, JailExit::BelowFloor);
}

#[test]
fn a_parent_that_is_another_process_is_refused() {
    let mut profile = profile(&["environment"]);
    profile.parent_pid += 1;
    assert_refused(&run(&profile), JailExit::ParentGone);
}

#[test]
fn bytes_that_are_no_profile_are_refused() {
    let jail = || Command::new(program("butterfly-jail"));
    let good = launch::to_bytes(&profile(&["environment"])).unwrap();
    for bytes in [&[][..], &good[..3], &good[..good.len() - 1], &[0xff; 64], &[4, 0, 0, 0, 1, 2, 3, 4]] {
        assert_refused(&Running::start(jail(), bytes).end(), JailExit::Launch);
    }
    assert!(Running::start(jail(), &good).end().status.success());
}

#[test]
fn a_program_that_is_absent_or_not_granted_is_not_started() {
    let (_guard, root) = folder();
    let mut absent = profile(&[]);
    absent.program = text(&root.join("absent"));
    assert_refused(&run(&absent), JailExit::Program);

    // A copy of the probe, which would start if it were granted.
    let copy = root.join("copy");
    fs::copy(program("kit_probe"), &copy).unwrap();
    let mut other = profile(&["environment"]);
    other.program = text(&copy);
    assert_refused(&run(&other), JailExit::Program);
    other.start.push(PathGrant { path: text(&copy), access: Access::Execute });
    assert!(run(&other).status.success());
}

#[test]
fn a_folder_that_may_be_written_holds_nothing_that_may_be_run() {
    let (_guard, root) = folder();
    let copy = root.join("copy");
    fs::copy(program("kit_probe"), &copy).unwrap();
    let mut profile = keeping(&["environment"], |it| it.paths = vec![read_write(&root)]);
    profile.program = text(&copy);
    assert_refused(&run(&profile), JailExit::Program);
}

#[test]
fn a_limit_that_the_system_refuses_ends_the_start() {
    let mut profile = profile(&["environment"]);
    profile.limits.open_files = u64::MAX;
    // Linux knows a most for descriptors, even for root.
    assert_refused(&run(&profile), JailExit::Limits);
}

#[test]
fn the_worker_ends_when_it_cannot_give_up() {
    let (_guard, root) = folder();
    let path = root.join("granted");
    fs::create_dir(&path).unwrap();
    let profile = keeping(&["threads", "1"], |it| it.paths = vec![PathGrant::read(text(&path))]);
    let mut running = jailed(&profile, Targets::default(), Canaries::default());
    assert_eq!(running.line(), "threads\tok");
    assert!(running.end().status.success());

    // The same, but what it was told to keep is not what it has: the task names another path than the launch message.
    let mut task = profile.clone();
    task.remaining.paths = vec![PathGrant::read(text(Path::new("/absent")))];
    let ended = crate::launch::jailed_with(&profile, &task.remaining).end();
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(ended.lines.is_empty() && ended.errors.contains("/absent"), "{ended:?}");
}
