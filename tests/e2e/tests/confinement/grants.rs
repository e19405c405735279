//! What is granted works, and nothing beside it.

use crate::launch::{folder, jailed, keeping, profile, read_write, run, text};
use butterfly_sandbox::{Profile, system};
use butterfly_wire::confinement::{Canaries, Layer, PathGrant, Remaining, Targets};
use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

const ABIS: [u32; 4] = [2, 4, 6, 7];

fn abis() -> impl Iterator<Item = u32> {
    ABIS.into_iter().filter(|abi| *abi <= system().landlock_abi)
}

#[test]
fn a_database_can_work_in_its_folder_and_nowhere_else() {
    for abi in abis() {
        let (_guard, root) = folder();
        let (inside, outside) = (root.join("inside"), root.join("outside"));
        fs::create_dir(&inside).unwrap();
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("file"), "kept").unwrap();
        let ended = run(&keeping(&["files", &text(&inside), &text(&outside)], |it| {
            it.landlock_abi = abi;
            it.paths = vec![read_write(&inside)];
            it.file_modes = true;
        }));
        let answers = ended.answers();
        let (out, within): (BTreeMap<_, _>, BTreeMap<_, _>) =
            answers.iter().partition(|(name, _)| name.starts_with("outside-") || **name == "link-in");
        assert_eq!(within.len(), 13);
        assert!(within.values().all(|it| *it == "ok"), "ABI {abi}: {within:?}");
        assert_eq!(out.len(), 6);
        // A link across folders without the right to it is EXDEV, so that programs copy instead.
        assert!(out.values().all(|it| ["EACCES", "EXDEV"].contains(it)), "ABI {abi}: {out:?}");
        assert_eq!(fs::read_to_string(outside.join("file")).unwrap(), "kept");
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    }
}

#[test]
fn who_may_read_may_not_write_nor_change_modes() {
    let (_guard, root) = folder();
    fs::write(root.join("file"), "kept").unwrap();
    let ended =
        run(&keeping(&["files", &text(&root), &text(&root)], |it| it.paths = vec![PathGrant::read(text(&root))]));
    let answers = ended.answers();
    assert_eq!(answers["outside-read"], "ok");
    assert_eq!(answers["outside-list"], "ok");
    for refused in ["make-folder", "write", "outside-write", "outside-create", "outside-unlink", "link-in"] {
        assert!(["EACCES", "EPERM"].contains(&answers[refused]), "{refused}: {}", answers[refused]);
    }
    assert_eq!(fs::read_to_string(root.join("file")).unwrap(), "kept");
}

#[test]
fn what_may_be_read_cannot_be_emptied_by_reading() {
    let (_guard, root) = folder();
    let file = root.join("file");
    for abi in abis() {
        fs::write(&file, "kept").unwrap();
        let ended = run(&keeping(&["truncate-by-reading", &text(&file)], |it| {
            it.landlock_abi = abi;
            it.paths = vec![PathGrant::read(text(&root))];
        }));
        assert_eq!(ended.answers()["truncate"], "EPERM", "ABI {abi}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "kept", "ABI {abi}");
    }
}

#[test]
fn a_granted_file_does_not_grant_its_neighbours() {
    let (_guard, root) = folder();
    for name in ["granted", "granted-too", "other"] {
        fs::write(root.join(name), "").unwrap();
    }
    let read = |name: &str| {
        let path = text(&root.join(name));
        let ended = run(&keeping(&["read", &path], |it| it.paths = vec![PathGrant::read(text(&root.join("granted")))]));
        ended.answers()["read"].to_owned()
    };
    assert_eq!(read("granted"), "ok");
    assert_eq!(read("granted-too"), "EACCES");
    assert_eq!(read("other"), "EACCES");
}

#[test]
fn an_empty_list_grants_nothing() {
    let (_guard, root) = folder();
    fs::write(root.join("file"), "").unwrap();
    assert_eq!(run(&profile(&["read", &text(&root.join("file"))])).answers()["read"], "EACCES");
}

#[test]
fn a_granted_port_can_be_reached_and_no_other() {
    let listeners = [0, 0].map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap());
    let [granted, other] = listeners.each_ref().map(|it| it.local_addr().unwrap().port());
    let connect = |port: u16, ports: Vec<u16>, abi: u32| {
        let ended = run(&keeping(&["connect", &port.to_string()], |it| {
            it.tcp_ports = ports;
            it.landlock_abi = abi;
        }));
        ended.answers()["connect"].to_owned()
    };
    for abi in abis() {
        assert_eq!(connect(granted, vec![granted], abi), "ok", "ABI {abi}");
        // Before ABI 4 nothing can tell ports apart, which the grade names.
        assert_eq!(connect(other, vec![granted], abi), if abi < 4 { "ok" } else { "EACCES" }, "ABI {abi}");
        assert_eq!(connect(granted, vec![], abi), "EPERM", "ABI {abi}");
    }
}

fn canaries(root: &Path) -> Canaries {
    fs::write(root.join("canary"), "sings").unwrap();
    Canaries { file: text(&root.join("canary")), folder: text(root), kernel_pid: std::process::id() }
}

fn sung(profile: &Profile, canaries: &Canaries) -> BTreeMap<String, String> {
    let ended = jailed(profile, Targets::default(), canaries.clone()).end();
    ended.answers().into_iter().map(|(name, outcome)| (name.to_owned(), outcome.to_owned())).collect()
}

#[test]
fn every_canary_dies_in_every_profile() {
    let (_guard, root) = folder();
    let canaries = canaries(&root);
    for abi in abis() {
        for ports in [vec![], vec![11434]] {
            let profile = keeping(&["canaries"], |it| {
                it.landlock_abi = abi;
                it.tcp_ports.clone_from(&ports);
            });
            let outcomes = sung(&profile, &canaries);
            assert!(outcomes.values().all(|it| ["EACCES", "EPERM"].contains(&it.as_str())), "ABI {abi}: {outcomes:?}");
            let limited = abi >= 4 || ports.is_empty();
            assert_eq!(outcomes.contains_key("tcp.connect"), limited, "ABI {abi}");
            assert_eq!(outcomes.len(), 7 + usize::from(limited));
        }
    }
}

#[test]
fn a_canary_survives_each_layer_that_is_left_out() {
    let (_guard, root) = folder();
    let canaries = canaries(&root);
    for (layer, survivor) in
        [(Layer::Landlock, "tcp.connect"), (Layer::Seccomp, "namespace.user"), (Layer::GiveUp, "program.exec")]
    {
        let without = |it: &mut Remaining| {
            it.tcp_ports = vec![11434];
            it.without = vec![layer];
        };
        assert_eq!(sung(&keeping(&["canaries"], without), &canaries)[survivor], "got through", "{}", layer.name());
    }
}

#[test]
fn a_canary_that_is_absent_or_granted_counts_as_having_got_through() {
    let (_guard, root) = folder();
    let there = canaries(&root);
    let absent = Canaries { file: text(&root.join("absent")), ..there.clone() };
    let granted = keeping(&["canaries"], |it| it.paths = vec![PathGrant::read(text(&root))]);
    assert_eq!(sung(&granted, &absent)["file.read"], "got through");
    assert_eq!(sung(&granted, &there)["folder.list"], "got through");
}
