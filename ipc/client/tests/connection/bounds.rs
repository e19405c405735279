//! Nothing is queued without a bound, and what waits goes on when there is room.

use crate::peer::{Count, Echo, With, about, request, serving};
use butterfly_client::{Incoming, NoHandler};
use butterfly_wire::catalog::kit;
use butterfly_wire::frame::FRAME_LIMIT;
use butterfly_wire::{ErrorCode, Kind};
use std::sync::Arc;
use std::time::Duration;

/// A pipe that takes next to nothing, so that all waits before it.
const NARROW: usize = 256;

/// Bytes of one argument.
const ARGUMENT: usize = 128 << 10;

/// Calls, far more than may wait.
const CALLS: usize = 100;

/// Waits until nothing in this process can go on by itself: the paused clock moves on only then.
async fn settled() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn requests_wait_while_a_frames_worth_is_unsent() {
    let (bus, mut peer) = serving(Arc::new(NoHandler), NARROW);
    let calls: Vec<_> = (0..CALLS)
        .map(|_| {
            let bus = bus.clone();
            tokio::spawn(async move { bus.call::<Echo>(&"x".repeat(ARGUMENT)).await })
        })
        .collect();
    settled().await;
    for call in &calls {
        call.abort();
    }
    settled().await;
    drop(bus);
    // Whatever was admitted was sent and then cancelled; what still waited was never sent at all.
    let (mut requests, mut cancels, mut bytes) = (0, 0, 0);
    while requests == 0 || cancels < requests {
        let (header, payload) = peer.read().await;
        bytes += payload.len();
        match header.kind() {
            Some(Kind::Request) => requests += 1,
            Some(Kind::Cancel) => cancels += 1,
            other => panic!("{other:?}"),
        }
    }
    // One buffer on its way to the socket and one behind it; each takes one argument more than the limit at most.
    assert!(bytes <= 2 * (FRAME_LIMIT + ARGUMENT + 64), "{bytes} bytes were queued");
    assert!(bytes >= FRAME_LIMIT, "less was queued than may be: {bytes} bytes");
}

#[tokio::test(start_paused = true)]
async fn what_waited_goes_on_when_the_peer_reads() {
    let (bus, mut peer) = serving(Arc::new(NoHandler), NARROW);
    let calls: Vec<_> = (0..CALLS)
        .map(|_| {
            let bus = bus.clone();
            tokio::spawn(async move { bus.call::<Echo>(&"x".repeat(ARGUMENT)).await.map(|text| text.len()) })
        })
        .collect();
    settled().await;
    for _ in 0..CALLS {
        let (header, _) = peer.request().await;
        peer.say(Kind::Response, header.correlation, &"ok".to_owned()).await;
    }
    for call in calls {
        assert_eq!(call.await.unwrap(), Ok(2));
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_fails_with_the_connection() {
    let (bus, peer) = serving(Arc::new(NoHandler), NARROW);
    let calls: Vec<_> = (0..CALLS)
        .map(|_| {
            let bus = bus.clone();
            tokio::spawn(async move { bus.call::<Echo>(&"x".repeat(ARGUMENT)).await.unwrap_err().code })
        })
        .collect();
    settled().await;
    drop(peer);
    for call in calls {
        assert_eq!(call.await.unwrap(), ErrorCode::Disconnected);
    }
}

#[tokio::test(start_paused = true)]
async fn cancel_reaches_a_peer_that_lets_everything_else_wait() {
    let (bus, mut peer) = serving(Arc::new(NoHandler), NARROW);
    let stream = bus.stream::<Count>(&1).await.unwrap();
    let full: Vec<_> = (0..CALLS)
        .map(|_| {
            let bus = bus.clone();
            tokio::spawn(async move { bus.call::<Echo>(&"x".repeat(ARGUMENT)).await })
        })
        .collect();
    settled().await;
    drop(stream);
    let (asked, _) = peer.request().await;
    // It does not wait for room: it stands right behind what was queued when the stream was dropped.
    let mut before = 0;
    loop {
        let (header, payload) = peer.read().await;
        if header.kind() == Some(Kind::Cancel) {
            assert_eq!(header.correlation, asked.correlation);
            break;
        }
        before += payload.len();
    }
    assert!(before <= 2 * (FRAME_LIMIT + ARGUMENT + 64), "{before} bytes came first");
    full.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(start_paused = true)]
async fn cancelled_writer_that_waits_for_room_never_sends_its_item() {
    // Its answers fill the pipe; its stream has credit but no room.
    let handler = With(|incoming: Incoming| {
        if incoming.header.method == kit::COUNT.method {
            incoming.stream::<Count, _, _>(|_, number, mut out| async move {
                out.send(&number).await?;
                Ok(String::new())
            });
        } else {
            incoming.unary::<Echo, _, _>(|_, _| async { Ok("x".repeat(FRAME_LIMIT / 2)) });
        }
    });
    let (_bus, mut peer) = serving(Arc::new(handler), NARROW);
    // One on its way to the socket, and behind it more than may be unsent.
    for correlation in 1..=4 {
        peer.ask(request(&kit::ECHO, correlation, 0), &String::new()).await;
        settled().await;
    }
    peer.ask(request(&kit::COUNT, 9, 1), &1_u32).await;
    settled().await;
    peer.ask(about(Kind::Cancel, 9), &()).await;
    settled().await;
    peer.ask(request(&kit::ECHO, 10, 0), &String::new()).await;
    let mut answered = Vec::new();
    for _ in 0..5 {
        let (header, _) = peer.read().await;
        assert_eq!(header.kind(), Some(Kind::Response));
        answered.push(header.correlation);
    }
    answered.sort_unstable();
    assert_eq!(answered, [1, 2, 3, 4, 10]);
}
