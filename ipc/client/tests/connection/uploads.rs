//! Uploads: the caller streams, the callee grants.

use crate::peer::{Sum, With, about, client, request, serving};
use butterfly_client::Incoming;
use butterfly_wire::catalog::kit;
use butterfly_wire::{ErrorCode, Flags, Header, Kind, codec};
use std::sync::Arc;

#[tokio::test]
async fn caller_waits_for_credit_and_ends_with_end() {
    let (bus, mut peer) = client();
    let mut upload = bus.upload::<Sum>(&()).await.unwrap();
    let (asked, _) = peer.request().await;
    assert!(asked.flags.contains(Flags::MORE));
    let sending = tokio::spawn(async move {
        for number in 1..=3 {
            upload.send(&number).await?;
        }
        upload.finish().await
    });
    // Without credit, nothing.
    peer.nothing_but_an_echo(&bus).await;
    for (credit, numbers) in [(2, vec![1_u32, 2]), (1, vec![3])] {
        peer.write(Header { credit, ..about(Kind::Credit, asked.correlation) }, &[]).await;
        for number in numbers {
            let (header, payload) = peer.read().await;
            assert_eq!((header.kind(), header.correlation), (Some(Kind::Item), asked.correlation));
            assert!(header.from_caller());
            assert_eq!(codec::decode(&payload), Ok(number));
        }
    }
    let (header, payload) = peer.read().await;
    assert_eq!((header.kind(), header.from_caller(), payload.len()), (Some(Kind::End), true, 0));
    peer.say(Kind::Response, asked.correlation, &6_u32).await;
    assert_eq!(sending.await.unwrap(), Ok(6));
    peer.nothing_but_an_echo(&bus).await;
}

#[tokio::test]
async fn early_answer_ends_the_sending_and_is_what_finish_returns() {
    let (bus, mut peer) = client();
    let mut upload = bus.upload::<Sum>(&()).await.unwrap();
    let (asked, _) = peer.request().await;
    peer.fail(Kind::Response, asked.correlation, ErrorCode::TooLarge).await;
    assert_eq!(upload.send(&1).await.unwrap_err().code, ErrorCode::Cancelled);
    assert_eq!(upload.finish().await.unwrap_err().code, ErrorCode::TooLarge);
    peer.nothing_but_an_echo(&bus).await;
}

#[tokio::test]
async fn dropped_upload_sends_cancel() {
    let (bus, mut peer) = client();
    let upload = bus.upload::<Sum>(&()).await.unwrap();
    let (asked, _) = peer.request().await;
    drop(upload);
    let (header, _) = peer.read().await;
    assert_eq!((header.kind(), header.correlation), (Some(Kind::Cancel), asked.correlation));
}

/// Serves `sum`.
fn summing(incoming: Incoming) {
    incoming.upload::<Sum, _, _>(|_, (), mut items| async move {
        let mut sum = 0;
        while let Some(number) = items.next().await? {
            sum += number;
        }
        Ok(sum)
    });
}

#[tokio::test]
async fn callee_grants_a_window_and_refills_it_as_it_reads() {
    let (_bus, mut peer) = serving(Arc::new(With(summing)), 64 << 10);
    let header = request(&kit::SUM, 9, 0);
    peer.ask(Header { flags: Flags::MORE, ..header }, &()).await;
    let (granted, _) = peer.read().await;
    assert_eq!((granted.kind(), granted.correlation, granted.from_caller()), (Some(Kind::Credit), 9, false));
    assert_eq!(granted.credit, 32);
    for number in 1..=16_u32 {
        peer.ask(about(Kind::Item, 9), &number).await;
    }
    let (refilled, _) = peer.read().await;
    assert_eq!((refilled.kind(), refilled.credit), (Some(Kind::Credit), 16));
    peer.ask(about(Kind::Item, 9), &100_u32).await;
    peer.ask(about(Kind::End, 9), &()).await;
    let (answer, payload) = peer.read().await;
    assert_eq!(answer.kind(), Some(Kind::Response));
    assert_eq!(codec::decode(&payload), Ok(236_u32));
}

#[tokio::test]
async fn item_of_another_type_fails_the_upload() {
    let (_bus, mut peer) = serving(Arc::new(With(summing)), 64 << 10);
    peer.ask(Header { flags: Flags::MORE, ..request(&kit::SUM, 9, 0) }, &()).await;
    assert_eq!(peer.read().await.0.kind(), Some(Kind::Credit));
    peer.ask(about(Kind::Item, 9), &"no number".to_owned()).await;
    let (answer, payload) = peer.read().await;
    assert!(answer.is_error());
    assert_eq!(codec::decode::<butterfly_wire::Failure>(&payload).unwrap().code, ErrorCode::Protocol);
}
