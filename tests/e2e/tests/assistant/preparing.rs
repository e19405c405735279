//! What a worker does between its confinement and its first caller.

use crate::support::{ask, kit, run};
use butterfly_api::control;
use butterfly_kit::harness::{Instance, Which, until, worker};
use butterfly_kit::service::{Answer, Ask};
use butterfly_wire::control::{SetProfile, WorkerState};
use butterfly_wire::{Failure, catalog};

#[test]
fn a_worker_may_ask_before_it_serves_and_hears_what_it_follows() {
    run(async {
        let (_instance, bus) = Instance::start(Which::Kit, &[], &[("BUTTERFLY_KIT_PREPARES", "4242")]).await?;
        // `other` was ready only after `echo` had come back with the port that it gave.
        assert_eq!(worker(&bus, "echo").await?.confinement.network, "tcp 4242");
        assert!(matches!(ask(&bus, "echo", &Ask::Publish("changed".to_owned())).await?, Answer::Published));
        loop {
            match ask(&bus, "other", &Ask::Heard).await? {
                Answer::Heard(heard) if heard.is_empty() => {}
                Answer::Heard(heard) => {
                    assert_eq!(heard, ["changed"]);
                    return Ok(());
                }
                answer => anyhow::bail!("an answer to another question: {answer:?}"),
            }
        }
    });
}

#[test]
fn a_worker_that_cannot_prepare_itself_fails_with_its_reason_and_never_serves() {
    run(async {
        let arguments = ["--restarts", "0"];
        let (_instance, bus) = Instance::start(Which::Kit, &arguments, &[("BUTTERFLY_KIT_PREPARES", "fails")]).await?;
        let WorkerState::Held { .. } = worker(&bus, "other").await?.state else { panic!("it serves") };
        let crashes = bus.call::<control::Crashes>(&()).await?;
        let report = crashes.reports.iter().find(|report| report.worker == "other").unwrap();
        let said = report.stderr_tail.iter().any(|line| line.contains("told to fail before it serves"));
        assert!(said, "{:?}", report.stderr_tail);
        assert!(matches!(worker(&bus, "echo").await?.state, WorkerState::Ready), "nobody else is touched");
        Ok(())
    });
}

/// As `other`, which the kit's table lets do it.
async fn set_ports(bus: &butterfly_client::Bus, ports: &[u16]) -> anyhow::Result<Result<Vec<u8>, Failure>> {
    let profile = SetProfile { worker: "echo".to_owned(), tcp_ports: Some(ports.to_vec()), paths: None };
    crate::support::ask_call(bus, "other", &catalog::control::SET_PROFILE, &profile).await
}

#[test]
fn the_same_profile_restarts_nobody_and_another_one_that_worker_alone() {
    run(async {
        let (_instance, bus) = kit().await?;
        let before = (worker(&bus, "echo").await?, worker(&bus, "other").await?);
        set_ports(&bus, &[11434]).await??;
        set_ports(&bus, &[11434, 11434]).await??;
        assert_eq!(worker(&bus, "echo").await?.generation, before.0.generation);
        set_ports(&bus, &[9, 7]).await??;
        let after = butterfly_kit::harness::back(&bus, "echo", before.0.generation).await?;
        assert_eq!(after.confinement.network, "tcp 7, 9");
        set_ports(&bus, &[7, 9]).await??;
        assert_eq!(worker(&bus, "echo").await?.generation, after.generation, "their order means nothing");
        assert_eq!(worker(&bus, "other").await?.generation, before.1.generation);
        Ok(())
    });
}

#[test]
fn a_stopped_worker_gets_its_profile_when_it_is_started_and_not_before() {
    run(async {
        let (_instance, bus) = kit().await?;
        let named = butterfly_kit::harness::named("echo");
        bus.call::<control::Stop>(&named).await?;
        let stopped = |status: &butterfly_wire::control::Status| {
            status.workers.iter().any(|row| row.name == "echo" && row.state == WorkerState::Stopped)
        };
        until(&bus, "echo is stopped", stopped).await?;
        let before = worker(&bus, "echo").await?.generation;
        set_ports(&bus, &[7]).await??;
        let still = worker(&bus, "echo").await?;
        assert_eq!((still.state, still.generation), (WorkerState::Stopped, before));
        bus.call::<control::Start>(&named).await?;
        let started = butterfly_kit::harness::back(&bus, "echo", before).await?;
        assert_eq!(started.confinement.network, "tcp 7");
        Ok(())
    });
}
