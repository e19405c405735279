//! Workers that die, hang, panic and loop; a kernel that dies.

use crate::support::{endpoint, kit, run, stalled_stream};
use butterfly_api::control;
use butterfly_kit::harness::{Instance, Which, back, changes, named, settle, until, worker};
use butterfly_kit::service::{Echo, Misbehave, Misbehaviour};
use butterfly_wire::ErrorCode;
use butterfly_wire::control::{Exit, WorkerChanged, WorkerState};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

fn kill_9(pid: u32) {
    kill(Pid::from_raw(pid as i32), Signal::SIGKILL).unwrap();
}

#[test]
fn killing_each_worker_in_mid_stream_ends_its_calls_and_nobody_elses() {
    run(async {
        let (_instance, bus) = kit().await?;
        for (victim, bystander) in [("echo", "other"), ("other", "echo")] {
            let before = worker(&bus, victim).await?;
            let untouched = worker(&bus, bystander).await?;
            let mut dying = stalled_stream(&bus, before.endpoint, 5).await?;
            let mut living = stalled_stream(&bus, untouched.endpoint, 5).await?;
            let mut events = changes(&bus).await?;
            kill_9(before.pid);
            // The failure is there before the successor is: it is read first, and no Ready may have come meanwhile.
            let failure = dying.next().await.unwrap_err();
            assert_eq!(failure.code, ErrorCode::PeerDied);
            let successor = back(&bus, victim, before.generation).await?;
            assert_eq!(successor.generation, before.generation + 1);
            let mut saw_starting = false;
            while let Ok(Some(Ok(event))) =
                tokio::time::timeout(std::time::Duration::from_millis(1), events.next()).await
            {
                let changed: WorkerChanged = event.decode()?;
                assert_eq!(changed.name, victim, "nobody else changed");
                saw_starting |= changed.state == WorkerState::Starting;
            }
            assert!(saw_starting);
            let now = worker(&bus, bystander).await?;
            assert_eq!((now.generation, now.pid), (untouched.generation, untouched.pid));
            let pending = tokio::time::timeout(std::time::Duration::from_millis(1), living.next()).await;
            assert!(pending.is_err(), "the other stream goes on: {pending:?}");
            assert_eq!(bus.to(successor.endpoint).call::<Echo>(&vec![1]).await?, [1]);
            let stale = bus.to(before.endpoint).call_once(&butterfly_wire::catalog::kit::ECHO, &[0]).await.unwrap_err();
            assert_eq!(stale.code, ErrorCode::StaleEndpoint);
        }
        Ok(())
    });
}

#[test]
fn a_call_in_the_moment_of_a_death_is_refused_and_never_forgotten() {
    run(async {
        let (_instance, bus) = kit().await?;
        for _ in 0..5 {
            let before = worker(&bus, "echo").await?;
            let mut dying = stalled_stream(&bus, before.endpoint, 5).await?;
            kill_9(before.pid);
            assert_eq!(dying.next().await.unwrap_err().code, ErrorCode::PeerDied);
            // The connection has ended; that the process has ended, the kernel may not have seen yet.
            if let Err(failure) = bus.call_once(&butterfly_wire::catalog::kit::ECHO, &[0]).await {
                assert_eq!(failure.code, ErrorCode::Unavailable, "{failure}");
            }
            until(&bus, "the death is noticed", |status| {
                status.workers.iter().any(|worker| worker.name == "echo" && worker.state != WorkerState::Ready)
                    || status
                        .workers
                        .iter()
                        .any(|worker| worker.name == "echo" && worker.generation > before.generation)
            })
            .await?;
            if matches!(worker(&bus, "echo").await?.state, WorkerState::Backoff { .. }) {
                bus.call::<control::Restart>(&named("echo")).await?;
            }
            back(&bus, "echo", before.generation).await?;
        }
        Ok(())
    });
}

#[test]
fn a_panic_leaves_a_report_with_its_last_words() {
    run(async {
        let (_instance, bus) = kit().await?;
        let before = worker(&bus, "echo").await?;
        let failure = bus.to(before.endpoint).call::<Misbehave>(&Misbehaviour::Panic).await.unwrap_err();
        assert_eq!(failure.code, ErrorCode::PeerDied);
        back(&bus, "echo", before.generation).await?;
        let reports = bus.call::<control::Crashes>(&()).await?.reports;
        let report = reports.first().unwrap();
        assert_eq!(
            (report.worker.as_str(), report.generation, report.exit),
            ("echo", before.generation, Exit::Code(101))
        );
        assert!(report.stderr_tail.iter().any(|line| line.contains("told to panic")), "{:?}", report.stderr_tail);
        assert_eq!(report.in_flight, ["kit.misbehave"]);
        assert!(!report.headers.is_empty());
        Ok(())
    });
}

#[test]
fn an_abort_inside_the_sandbox_is_an_abort_in_the_report() {
    run(async {
        let (_instance, bus) = kit().await?;
        let before = worker(&bus, "echo").await?;
        let _ = bus.to(before.endpoint).call::<Misbehave>(&Misbehaviour::Abort).await;
        back(&bus, "echo", before.generation).await?;
        let report = bus.call::<control::Crashes>(&()).await?.reports.remove(0);
        assert_eq!(report.exit, Exit::Signal(Signal::SIGABRT as i32));
        Ok(())
    });
}

#[test]
fn a_crash_loop_is_held_and_a_person_clears_it() {
    run(async {
        let (_instance, bus) = Instance::start(Which::Kit, &["--restarts", "2"], &[]).await?;
        for _ in 0..3 {
            let to = until(&bus, "echo is ready", |status| {
                status.workers.iter().any(|worker| worker.name == "echo" && worker.state == WorkerState::Ready)
            })
            .await?;
            let echo = to.workers.iter().find(|worker| worker.name == "echo").unwrap();
            let _ = bus
                .to(echo.endpoint)
                .call_once(
                    &butterfly_wire::catalog::kit::MISBEHAVE,
                    &butterfly_wire::codec::encode(&Misbehaviour::Exit(7))?,
                )
                .await;
            let generation = echo.generation;
            until(&bus, "echo noticed", move |status| {
                status.workers.iter().any(|worker| {
                    worker.name == "echo" && (worker.generation > generation || worker.state != WorkerState::Ready)
                })
            })
            .await?;
        }
        settle(&bus).await?;
        let held = worker(&bus, "echo").await?;
        assert!(matches!(held.state, WorkerState::Held { .. }), "{:?}", held.state);
        let refused = bus.to(held.endpoint).call::<Echo>(&vec![]).await.unwrap_err();
        assert!(matches!(refused.code, ErrorCode::Unavailable | ErrorCode::StaleEndpoint), "{refused:?}");
        bus.call::<control::Restart>(&named("echo")).await?;
        let again = back(&bus, "echo", held.generation).await?;
        assert_eq!(bus.to(again.endpoint).call::<Echo>(&vec![3]).await?, [3]);
        Ok(())
    });
}

#[test]
fn a_worker_that_hangs_is_killed_after_missed_pings() {
    run(async {
        let (_instance, bus) = Instance::start(Which::Kit, &["--ping-ms", "100"], &[]).await?;
        let before = worker(&bus, "echo").await?;
        let failure = bus.to(before.endpoint).call::<Misbehave>(&Misbehaviour::Hang).await.unwrap_err();
        assert_eq!(failure.code, ErrorCode::PeerDied);
        back(&bus, "echo", before.generation).await?;
        let report = bus.call::<control::Crashes>(&()).await?.reports.remove(0);
        assert_eq!(report.exit, Exit::Killed);
        assert!(report.cause.contains("pings"), "{}", report.cause);
        assert_eq!(worker(&bus, "other").await?.generation, 1);
        Ok(())
    });
}

#[test]
fn stop_start_and_restart_do_what_they_say() {
    run(async {
        let (_instance, bus) = kit().await?;
        let before = worker(&bus, "echo").await?;
        bus.call::<control::Stop>(&named("echo")).await?;
        until(&bus, "echo is stopped", |status| {
            status.workers.iter().any(|worker| worker.name == "echo" && worker.state == WorkerState::Stopped)
        })
        .await?;
        assert_eq!(worker(&bus, "echo").await?.pid, 0);
        bus.call::<control::Start>(&named("echo")).await?;
        let started = back(&bus, "echo", before.generation).await?;
        bus.call::<control::Restart>(&named("echo")).await?;
        back(&bus, "echo", started.generation).await?;
        assert!(bus.call::<control::Crashes>(&()).await?.reports.is_empty(), "who was asked to go has not failed");
        assert_eq!(bus.call::<control::Stop>(&named("nobody")).await.unwrap_err().code, ErrorCode::BadPayload);
        Ok(())
    });
}

#[test]
fn a_drain_lets_the_answer_finish() {
    run(async {
        let (_instance, bus) = kit().await?;
        let to = endpoint(&bus, "echo").await?;
        let request = butterfly_kit::service::CountRequest { items: 200, bytes: 1000, stall_after: None };
        let mut stream = bus.to(to).stream::<butterfly_kit::service::Count>(&request).await?;
        stream.next().await?;
        bus.call::<control::Restart>(&named("echo")).await?;
        let total = loop {
            match stream.next().await? {
                butterfly_client::Next::Item(_) => {}
                butterfly_client::Next::End(total) => break total,
            }
        };
        assert_eq!(total, 200);
        back(&bus, "echo", to.generation).await?;
        Ok(())
    });
}

#[test]
fn no_worker_outlives_its_kernel() {
    run(async {
        let (mut instance, bus) = kit().await?;
        let pids: Vec<u32> =
            butterfly_kit::harness::status(&bus).await?.workers.iter().map(|worker| worker.pid).collect();
        assert!(pids.len() >= 3 && pids.iter().all(|pid| *pid != 0));
        instance.kill_kernel()?;
        let gone = |pid: &u32| {
            // A zombie that its new parent has not buried yet is as dead as can be.
            std::fs::read_to_string(format!("/proc/{pid}/stat"))
                .map_or(true, |stat| stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('Z')))
        };
        while !pids.iter().all(gone) {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        bus.ended().await;
        Ok(())
    });
}

#[test]
fn a_shutdown_is_orderly_and_leaves_nothing_behind() {
    run(async {
        let (mut instance, bus) = kit().await?;
        bus.call::<control::Shutdown>(&()).await?;
        assert!(instance.ended().await?.success());
        assert!(!instance.place.socket().exists());
        assert!(!instance.place.token().exists());
        Ok(())
    });
}
