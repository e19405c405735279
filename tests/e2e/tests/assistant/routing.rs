//! Calls, streams, uploads, deadlines, cancellation, provenance and traces through the kernel.

use crate::support::{ask, endpoint, kit, run, stalled_stream};
use butterfly_api::control;
use butterfly_client::Next;
use butterfly_kit::harness::until;
use butterfly_kit::service::{Answer, Ask, Count, CountRequest, Echo, Misbehave, Misbehaviour, Sum};
use butterfly_wire::catalog::kit as rows;
use butterfly_wire::control::TraceRequest;
use butterfly_wire::frame::{CHUNK_LIMIT, FRAME_LIMIT, HANDSHAKE_LIMIT};
use butterfly_wire::{EndpointId, ErrorCode, Header, Provenance, codec};
use std::time::Duration;

#[test]
fn calls_streams_and_uploads_cross_the_kernel_unchanged() {
    run(async {
        let (_instance, bus) = kit().await?;
        let echo = bus.to(endpoint(&bus, "echo").await?);
        for size in [0, 1, 70_000, FRAME_LIMIT - HANDSHAKE_LIMIT] {
            let payload = vec![9; size];
            assert_eq!(echo.call::<Echo>(&payload).await?, payload);
        }
        let request = CountRequest { items: 500, bytes: CHUNK_LIMIT as u32 - 16, stall_after: None };
        let mut stream = echo.stream::<Count>(&request).await?;
        let mut items = 0;
        let total = loop {
            match stream.next().await? {
                Next::Item(item) => {
                    assert_eq!(item.len(), CHUNK_LIMIT - 16);
                    items += 1;
                }
                Next::End(total) => break total,
            }
        };
        assert_eq!((items, total), (500, 500));
        let mut upload = echo.upload::<Sum>(&()).await?;
        for number in 1..=1000 {
            upload.send(&number).await?;
        }
        assert_eq!(upload.finish().await?, 500_500);
        Ok(())
    });
}

#[test]
fn a_deadline_ends_the_call_and_its_callee() {
    run(async {
        let (_instance, bus) = kit().await?;
        let to = endpoint(&bus, "echo").await?;
        let late = bus.to(to).within(Duration::from_millis(50)).call::<Misbehave>(&Misbehaviour::Ignore).await;
        assert_eq!(late.unwrap_err().code, ErrorCode::DeadlineExceeded);
        until(&bus, "nothing is in flight", |status| status.workers.iter().all(|worker| worker.in_flight == 0)).await?;
        // A stream's clock runs to its next item: one that stalls is ended too.
        let mut stream = stalled_stream(&bus.within(Duration::from_millis(200)), to, 3).await?;
        assert_eq!(stream.next().await.unwrap_err().code, ErrorCode::DeadlineExceeded);
        Ok(())
    });
}

#[test]
fn a_dropped_stream_ends_its_callee() {
    run(async {
        let (_instance, bus) = kit().await?;
        let stream = stalled_stream(&bus, endpoint(&bus, "echo").await?, 3).await?;
        until(&bus, "the stream is in flight", |status| status.workers.iter().any(|worker| worker.in_flight == 1))
            .await?;
        drop(stream);
        until(&bus, "it is not", |status| status.workers.iter().all(|worker| worker.in_flight == 0)).await?;
        Ok(())
    });
}

#[test]
fn a_client_that_goes_away_cancels_what_it_had_open() {
    run(async {
        let (instance, bus) = kit().await?;
        let child = tokio::process::Command::new("/bin/true").status().await?;
        assert!(child.success());
        let to = endpoint(&bus, "echo").await?;
        let runtime = std::thread::spawn({
            let place = instance.place.clone();
            move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let (bus, _) = butterfly_client::connect(&place).await.unwrap();
                    let stream = stalled_stream(&bus, to, 2).await.unwrap();
                    // The connection ends with the runtime, without a word.
                    std::mem::forget(stream);
                });
            }
        });
        runtime.join().unwrap();
        until(&bus, "nothing is in flight", |status| status.workers.iter().all(|worker| worker.in_flight == 0)).await?;
        Ok(())
    });
}

#[test]
fn provenance_is_the_union_of_everyone_in_the_trace() {
    run(async {
        let (_instance, bus) = kit().await?;
        let Answer::Provenance(direct) = ask(&bus, "echo", &Ask::Provenance).await? else { panic!("no provenance") };
        assert_eq!(Provenance(direct), Provenance::USER);
        let onward = Ask::Call {
            service: rows::ID,
            method: rows::RELAY.method,
            to: endpoint(&bus, "echo").await?,
            payload: codec::encode(&Ask::Provenance)?,
            background: false,
        };
        let Answer::Reply(reply) = ask(&bus, "other", &onward).await? else { panic!("no reply") };
        let Answer::Provenance(through) = codec::decode(&reply)? else { panic!("no provenance") };
        assert_eq!(
            Provenance(through),
            Provenance::USER.union(Provenance::WEB),
            "what passed through the web stays marked"
        );
        Ok(())
    });
}

#[test]
fn one_turn_is_one_tree() {
    run(async {
        let (_instance, bus) = kit().await?;
        let onward = Ask::Call {
            service: rows::ID,
            method: rows::ECHO.method,
            to: endpoint(&bus, "echo").await?,
            payload: codec::encode(&vec![1_u8])?,
            background: false,
        };
        ask(&bus, "other", &onward).await?;
        let records = bus.call::<control::Trace>(&TraceRequest { trace: None, most: 100 }).await?.records;
        let headers: Vec<Header> =
            records.iter().map(|record| Header::from_bytes(&record.header)).collect::<Result<_, _>>()?;
        let is = |header: &&Header, method: u16| header.service == rows::ID && header.method == method;
        let relay = headers.iter().find(|header| is(header, rows::RELAY.method)).unwrap();
        let echo = headers.iter().find(|header| is(header, rows::ECHO.method)).unwrap();
        assert_eq!(echo.parent, relay.correlation, "the echo hangs below the relay");
        assert_eq!(echo.trace, relay.trace);
        let background = Ask::Call {
            service: rows::ID,
            method: rows::ECHO.method,
            to: endpoint(&bus, "echo").await?,
            payload: codec::encode(&vec![1_u8])?,
            background: true,
        };
        assert!(matches!(ask(&bus, "other", &background).await?, Answer::Reply(_)));
        Ok(())
    });
}

#[test]
fn what_is_not_granted_is_denied_by_name() {
    run(async {
        let (_instance, bus) = kit().await?;
        let stop = butterfly_wire::catalog::control::SPAWN;
        let failure = bus.call_once(&stop, &[]).await.unwrap_err();
        assert_eq!(failure.code, ErrorCode::Denied);
        assert!(failure.message.contains("control.spawn"), "{}", failure.message);
        let nobody = bus.to(EndpointId::new(40, 1)).call::<Echo>(&vec![]).await.unwrap_err();
        assert_eq!(nobody.code, ErrorCode::Unavailable);
        Ok(())
    });
}
