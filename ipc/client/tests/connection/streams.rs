//! Streams: credit both ways, and what ends them.

use crate::peer::{Count, Texts, With, about, client, request, serving};
use butterfly_client::{Incoming, Next};
use butterfly_wire::catalog::kit;
use butterfly_wire::frame::CHUNK_LIMIT;
use butterfly_wire::{ErrorCode, Failure, Header, Kind, codec};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Credit that a reader begins with, and what it grants at once later: part of the protocol's quiet agreement, so both
/// are spelled out here and not taken from the code.
const WINDOW: u32 = 32;
const REFILL: u32 = 16;

#[tokio::test]
async fn dropped_stream_sends_cancel_and_an_ended_one_does_not() {
    let (bus, mut peer) = client();
    let stream = bus.stream::<Count>(&3).await.unwrap();
    let (asked, _) = peer.request().await;
    drop(stream);
    let (header, _) = peer.read().await;
    assert_eq!(
        (header.kind(), header.correlation, header.from_caller()),
        (Some(Kind::Cancel), asked.correlation, true)
    );

    let mut stream = bus.stream::<Count>(&3).await.unwrap();
    let (asked, _) = peer.request().await;
    peer.say(Kind::Item, asked.correlation, &7_u32).await;
    peer.say(Kind::End, asked.correlation, &"done".to_owned()).await;
    assert!(matches!(stream.next().await, Ok(Next::Item(7))));
    assert!(matches!(stream.next().await, Ok(Next::End(end)) if end == "done"));
    assert_eq!(stream.next().await.unwrap_err().code, ErrorCode::Protocol, "after the end there is nothing");
    drop(stream);
    peer.nothing_but_an_echo(&bus).await;
}

#[tokio::test]
async fn failed_stream_gives_its_items_first_and_sends_no_cancel() {
    let (bus, mut peer) = client();
    let mut stream = bus.stream::<Count>(&3).await.unwrap();
    let (asked, _) = peer.request().await;
    peer.say(Kind::Item, asked.correlation, &7_u32).await;
    peer.fail(Kind::End, asked.correlation, ErrorCode::PeerDied).await;
    assert!(matches!(stream.next().await, Ok(Next::Item(7))));
    assert_eq!(stream.next().await.unwrap_err().code, ErrorCode::PeerDied);
    drop(stream);
    peer.nothing_but_an_echo(&bus).await;
}

#[tokio::test]
async fn item_of_another_type_ends_the_stream_for_its_reader() {
    let (bus, mut peer) = client();
    let mut stream = bus.stream::<Count>(&3).await.unwrap();
    let (asked, _) = peer.request().await;
    peer.write(about(Kind::Item, asked.correlation), b"no number").await;
    peer.say(Kind::Item, asked.correlation, &7_u32).await;
    assert_eq!(stream.next().await.unwrap_err().code, ErrorCode::Protocol);
    assert_eq!(stream.next().await.unwrap_err().code, ErrorCode::Protocol);
    drop(stream);
    assert_eq!(peer.read().await.0.kind(), Some(Kind::Cancel));
}

#[tokio::test]
async fn reader_grants_more_only_when_it_has_read() {
    let (bus, mut peer) = client();
    let mut stream = bus.stream::<Count>(&3).await.unwrap();
    let (asked, _) = peer.request().await;
    assert_eq!(asked.credit, WINDOW);
    for at in 0..WINDOW {
        peer.say(Kind::Item, asked.correlation, &at).await;
    }
    for _ in 0..REFILL - 1 {
        stream.next().await.unwrap();
    }
    peer.nothing_but_an_echo(&bus).await;
    stream.next().await.unwrap();
    let (header, _) = peer.read().await;
    assert_eq!(
        (header.kind(), header.correlation, header.from_caller()),
        (Some(Kind::Credit), asked.correlation, true)
    );
    assert_eq!(header.credit, REFILL);
}

/// Serves `count` as an endless stream; each number is also told to `sent` once it was accepted.
fn counting(sent: mpsc::UnboundedSender<u32>) -> impl Fn(Incoming) + Send + Sync {
    move |incoming: Incoming| {
        let sent = sent.clone();
        incoming.stream::<Count, _, _>(move |_, first, mut out| async move {
            for number in first.. {
                out.send(&number).await?;
                let _ = sent.send(number);
            }
            Ok("never".to_owned())
        });
    }
}

#[tokio::test]
async fn writer_waits_without_credit_and_goes_on_with_it() {
    let (sender, mut sent) = mpsc::unbounded_channel();
    let (bus, mut peer) = serving(Arc::new(With(counting(sender))), 64 << 10);
    peer.ask(request(&kit::COUNT, 9, 2), &100_u32).await;
    for wanted in [100_u32, 101] {
        let (header, payload) = peer.read().await;
        assert_eq!((header.kind(), header.correlation, header.from_caller()), (Some(Kind::Item), 9, false));
        assert_eq!(codec::decode(&payload), Ok(wanted));
    }
    peer.nothing_but_an_echo(&bus).await;
    assert_eq!((sent.recv().await, sent.recv().await, sent.try_recv().ok()), (Some(100), Some(101), None));
    peer.ask(Header { credit: 1, ..about(Kind::Credit, 9) }, &()).await;
    let (_, payload) = peer.read().await;
    assert_eq!(codec::decode(&payload), Ok(102_u32));
    peer.nothing_but_an_echo(&bus).await;
    // Cancelled while it waits: the handler is gone, and nothing more is said about the call.
    peer.ask(about(Kind::Cancel, 9), &()).await;
    peer.ask(Header { credit: 10, ..about(Kind::Credit, 9) }, &()).await;
    assert_eq!(sent.recv().await, Some(102));
    peer.nothing_but_an_echo(&bus).await;
    assert_eq!(sent.try_recv().ok(), None);
}

#[tokio::test]
async fn credit_beyond_all_limits_is_no_more_than_the_limit() {
    let (sender, _sent) = mpsc::unbounded_channel();
    let (bus, mut peer) = serving(Arc::new(With(counting(sender))), 64 << 10);
    peer.ask(request(&kit::COUNT, 9, u32::MAX), &0_u32).await;
    for _ in 0..butterfly_wire::limits::CREDIT_LIMIT {
        assert_eq!(peer.read().await.0.kind(), Some(Kind::Item));
    }
    peer.nothing_but_an_echo(&bus).await;
}

#[tokio::test]
async fn item_over_the_chunk_limit_is_refused_to_its_writer() {
    let handler = With(|incoming: Incoming| {
        incoming.stream::<Texts, _, _>(|_, _, mut out| async move {
            let refused = out.send(&"x".repeat(CHUNK_LIMIT)).await.unwrap_err();
            // A length that needs two bytes takes three.
            out.send(&"x".repeat(CHUNK_LIMIT - 3)).await?;
            Ok(refused.code.name().to_owned())
        });
    });
    let (_bus, mut peer) = serving(Arc::new(handler), 64 << 10);
    peer.ask(request(&kit::COUNT, 9, 4), &0_u32).await;
    let (header, payload) = peer.read().await;
    assert_eq!((header.kind(), payload.len()), (Some(Kind::Item), CHUNK_LIMIT));
    let (header, payload) = peer.read().await;
    assert_eq!(header.kind(), Some(Kind::End));
    assert_eq!(codec::decode::<String>(&payload), Ok("too_large".to_owned()));
}

#[tokio::test]
async fn failure_of_a_stream_closes_it_with_an_end() {
    let handler = With(|incoming: Incoming| {
        incoming.stream::<Count, _, _>(|_, _, _| async { Err(Failure::new(ErrorCode::Internal, "why")) });
    });
    let (_bus, mut peer) = serving(Arc::new(handler), 64 << 10);
    peer.ask(request(&kit::COUNT, 9, 4), &0_u32).await;
    let (header, payload) = peer.read().await;
    assert_eq!((header.kind(), header.is_error()), (Some(Kind::End), true));
    assert_eq!(codec::decode(&payload), Ok(Failure::new(ErrorCode::Internal, "why")));
}
