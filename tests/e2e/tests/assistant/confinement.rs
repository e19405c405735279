//! What status says of confinement, on this kernel and as on older ones.

use crate::support::run;
use butterfly_kit::harness::{Instance, Which, status, worker};
use butterfly_kit::service::{Answer, Ask};
use butterfly_wire::confinement::Grade;
use butterfly_wire::control::WorkerState;

#[test]
fn grades_follow_what_the_kernel_offers() {
    run(async {
        let here = butterfly_sandbox::system().landlock_abi;
        for (abi, missing) in [
            (7, &[][..]),
            (6, &["Landlock audit records"][..]),
            (4, &["Landlock audit records"][..]),
            (2, &["Landlock audit records"][..]),
        ] {
            if here < abi {
                println!("not testable here: this kernel has ABI {here}");
                continue;
            }
            let (_instance, bus) = Instance::start(Which::Kit, &["--landlock-abi", &abi.to_string()], &[]).await?;
            let status = status(&bus).await?;
            for worker in &status.workers {
                assert_eq!(worker.state, WorkerState::Ready, "{} on ABI {abi}", worker.name);
                let confinement = &worker.confinement;
                // Only `echo` may have ports, and it is granted the default provider's.
                let mut expected: Vec<&str> = missing.to_vec();
                if abi < 4 && worker.name == "echo" {
                    expected.insert(0, "TCP port limits");
                }
                assert_eq!(confinement.missing, expected, "{} on ABI {abi}", worker.name);
                assert_eq!(confinement.grade, if expected.is_empty() { Grade::Full } else { Grade::Reduced });
                assert_eq!(confinement.landlock_abi, abi);
                assert!(confinement.landlock && confinement.seccomp && confinement.no_new_privs);
            }
            let read = Ask::Open { path: "/etc/passwd".to_owned(), write: false };
            let Answer::Opened(Err(_)) = crate::support::ask(&bus, "other", &read).await? else {
                panic!("it could read on ABI {abi}")
            };
        }
        Ok(())
    });
}

#[test]
fn below_the_floor_every_worker_is_held_with_the_reason() {
    run(async {
        for abi in ["0", "1"] {
            let (_instance, bus) = Instance::start(Which::Kit, &["--landlock-abi", abi], &[]).await?;
            for name in ["echo", "other", "liar"] {
                let held = worker(&bus, name).await?;
                let WorkerState::Held { reason } = &held.state else { panic!("{name}: {:?}", held.state) };
                assert!(reason.contains("Landlock"), "{reason}");
                assert_eq!((held.pid, held.confinement.grade), (0, Grade::None));
            }
        }
        Ok(())
    });
}

#[test]
fn the_live_process_is_bound_on_every_thread() {
    run(async {
        let (_instance, bus) =
            Instance::start(Which::Production, &[], &[("BUTTERFLY_MODEL_PROVIDER", "builtin")]).await?;
        for row in status(&bus).await?.workers {
            let threads = butterfly_kernel::stats::threads(row.pid);
            assert!(!threads.is_empty());
            assert!(
                threads.iter().all(butterfly_kernel::stats::ThreadStatus::is_confined),
                "{}: {threads:?}",
                row.name
            );
            assert!(
                threads.iter().all(|thread| thread.filters >= 3),
                "two filters of the jail and one of its own: {threads:?}"
            );
            // Memory keeps its database open: the file, its log and index, for one writer and some readers.
            let most = if row.name == "memory" { 40 } else { 12 };
            let open = std::fs::read_dir(format!("/proc/{}/fd", row.pid)).map_or(0, Iterator::count);
            assert!(open <= most, "{} has {open} descriptors", row.name);
        }
        Ok(())
    });
}
