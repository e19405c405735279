//! A worker that lies: each lie is refused, counted, and in the end the liar is held.

use crate::support::{endpoint, kit, run, stalled_stream};
use butterfly_api::control;
use butterfly_client::Bus;
use butterfly_kit::harness::{Instance, Which, back, named, status, until, worker};
use butterfly_kit::service::{Answer, Count, CountRequest, Echo, Lie, Misbehave, Misbehaviour};
use butterfly_wire::control::WorkerState;
use butterfly_wire::limits::VIOLATIONS_HELD;
use butterfly_wire::{EndpointId, ErrorCode, Failure, Provenance, codec};

/// Has the liar tell a lie and returns what it answered.
async fn tell(bus: &Bus, lie: &Lie) -> Result<Vec<u8>, Failure> {
    let to = endpoint(bus, "liar").await.unwrap();
    bus.to(to).within(std::time::Duration::from_secs(5)).call::<Echo>(&codec::encode(lie).unwrap()).await
}

async fn violations(bus: &Bus) -> u32 {
    worker(bus, "liar").await.unwrap().violations
}

#[test]
fn every_lie_is_counted_and_none_takes_effect() {
    run(async {
        let (_instance, bus) = kit().await?;
        for lie in [
            Lie::ForgedSource,
            Lie::NotGranted,
            Lie::UnknownCorrelation,
            Lie::ItemWithoutCredit,
            Lie::NoTrace,
            Lie::WrongFlow,
            Lie::CreditOverLimit,
        ] {
            let before = violations(&bus).await;
            assert_eq!(tell(&bus, &lie).await?, b"lied", "{lie:?}");
            assert_eq!(violations(&bus).await, before + 1, "{lie:?}");
        }
        assert_eq!(
            status(&bus).await?.workers.iter().map(|worker| worker.generation).max(),
            Some(1),
            "nobody restarted"
        );
        Ok(())
    });
}

#[test]
fn nobody_answers_somebody_elses_call() {
    run(async {
        let (_instance, bus) = kit().await?;
        let to = endpoint(&bus, "echo").await?;
        let mut stream = stalled_stream(&bus, to, 2).await?;
        let waiting = bus.to(to);
        let open = tokio::spawn(async move { waiting.call::<Misbehave>(&Misbehaviour::Ignore).await });
        until(&bus, "both calls are open", |status| {
            status.workers.iter().any(|worker| worker.name == "echo" && worker.in_flight == 2)
        })
        .await?;
        tell(&bus, &Lie::ForeignCall).await?;
        assert!(violations(&bus).await >= 2, "both guesses were noticed");
        assert!(!open.is_finished(), "the forged answers did not arrive");
        let pending = tokio::time::timeout(std::time::Duration::from_millis(1), stream.next()).await;
        assert!(pending.is_err(), "{pending:?}");
        Ok(())
    });
}

#[test]
fn items_beyond_the_credit_are_dropped_and_counted() {
    run(async {
        let (_instance, bus) = kit().await?;
        let to = endpoint(&bus, "liar").await?;
        let request = CountRequest { items: 0, bytes: 0, stall_after: None };
        let stream = bus.to(to).stream::<Count>(&request).await?;
        until(&bus, "the extra item was noticed", |status| {
            status.workers.iter().any(|worker| worker.name == "liar" && worker.violations == 1)
        })
        .await?;
        drop(stream);
        Ok(())
    });
}

#[test]
fn provenance_cannot_be_cleared_and_old_generations_are_refused() {
    run(async {
        let (_instance, bus) = kit().await?;
        let echo = worker(&bus, "echo").await?;
        let seen: Answer = codec::decode(&tell(&bus, &Lie::ClearedProvenance(echo.endpoint)).await?)?;
        assert_eq!(seen, Answer::Provenance(Provenance::USER.union(Provenance::PLUGIN).0));
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(echo.pid as i32), nix::sys::signal::Signal::SIGKILL)?;
        back(&bus, "echo", echo.generation).await?;
        let refused = tell(&bus, &Lie::StaleEndpoint(echo.endpoint)).await?;
        let failure: Failure = codec::decode(&refused)?;
        assert_eq!(failure.code, ErrorCode::StaleEndpoint);
        Ok(())
    });
}

#[test]
fn a_liar_that_goes_on_is_held_until_a_person_says_so() {
    run(async {
        let (_instance, bus) = kit().await?;
        for _ in 0..VIOLATIONS_HELD {
            // The last of them ends the liar before it answers.
            let _ = tell(&bus, &Lie::UnknownCorrelation).await;
        }
        let status = until(&bus, "the liar is held", |status| {
            status.workers.iter().any(|worker| matches!(worker.state, WorkerState::Held { .. }))
        })
        .await?;
        let liar = status.workers.iter().find(|worker| worker.name == "liar").unwrap();
        let WorkerState::Held { reason } = &liar.state else { panic!("another is held") };
        assert!(reason.contains("answer to a call that never was"), "{reason}");
        assert_eq!(liar.pid, 0);
        bus.call::<control::Restart>(&named("liar")).await?;
        assert_eq!(back(&bus, "liar", liar.generation).await?.violations, 0);
        Ok(())
    });
}

#[test]
fn a_length_beyond_the_limit_ends_the_connection_at_once() {
    run(async {
        let (_instance, bus) = kit().await?;
        let before = worker(&bus, "liar").await?;
        assert_eq!(tell(&bus, &Lie::OversizedLength).await.unwrap_err().code, ErrorCode::PeerDied);
        back(&bus, "liar", before.generation).await?;
        let report = bus.call::<control::Crashes>(&()).await?.reports.remove(0);
        assert!(report.cause.contains("over the limit"), "{}", report.cause);
        Ok(())
    });
}

#[test]
fn half_a_frame_does_not_wait_for_ever() {
    run(async {
        let (_instance, bus) = kit().await?;
        let before = worker(&bus, "liar").await?;
        let to = before.endpoint;
        let patient = bus.to(to).within(std::time::Duration::from_secs(50));
        let failure = patient.call::<Echo>(&codec::encode(&Lie::HalfFrame)?).await.unwrap_err();
        assert_eq!(failure.code, ErrorCode::PeerDied);
        back(&bus, "liar", before.generation).await?;
        let report = bus.call::<control::Crashes>(&()).await?.reports.remove(0);
        assert!(report.cause.contains("never finished"), "{}", report.cause);
        Ok(())
    });
}

#[test]
fn who_does_not_prove_its_confinement_is_held() {
    run(async {
        for (lie, reason) in [("without-canaries", "checked nothing"), ("canary-alive", "told.alive got through")] {
            let (_instance, bus) = Instance::start(Which::Kit, &[], &[("BUTTERFLY_KIT_READY", lie)]).await?;
            let liar = worker(&bus, "liar").await?;
            let WorkerState::Held { reason: held } = &liar.state else { panic!("{lie}: {:?}", liar.state) };
            assert!(held.contains(reason), "{held}");
            let refused = bus.to(EndpointId { slot: liar.endpoint.slot, generation: liar.generation });
            assert!(refused.call_once(&butterfly_wire::catalog::kit::ECHO, &[0]).await.is_err());
            assert_eq!(worker(&bus, "echo").await?.state, WorkerState::Ready);
        }
        Ok(())
    });
}
