//! Unary calls: what travels with them, what cancels them, and which are sent twice.

use crate::peer::{Count, Echo, Once, about, client};
use butterfly_wire::catalog::kit;
use butterfly_wire::{EndpointId, ErrorCode, Flags, Kind, codec};
use std::time::Duration;

#[tokio::test]
async fn dropped_call_sends_cancel() {
    let (bus, mut peer) = client();
    let call = tokio::spawn(async move { bus.call::<Echo>(&"a".to_owned()).await });
    let (asked, _) = peer.request().await;
    call.abort();
    let (header, payload) = peer.read().await;
    assert_eq!(header.kind(), Some(Kind::Cancel));
    assert_eq!((header.correlation, header.from_caller()), (asked.correlation, true));
    assert_eq!(payload, []);
}

#[tokio::test]
async fn answered_call_sends_no_cancel() {
    let (bus, mut peer) = client();
    peer.nothing_but_an_echo(&bus).await;
    peer.nothing_but_an_echo(&bus).await;
}

#[tokio::test]
async fn call_that_times_out_at_its_caller_sends_cancel() {
    let (bus, mut peer) = client();
    let echo = "a".to_owned();
    let call = bus.call::<Echo>(&echo);
    // The call is first polled, and so sent, by this select; the peer's answer is to stop waiting.
    let asked = tokio::select! {
        _ = call => panic!("nobody answered"),
        (asked, _) = peer.request() => asked,
    };
    let (header, _) = peer.read().await;
    assert_eq!((header.kind(), header.correlation), (Some(Kind::Cancel), asked.correlation));
}

#[tokio::test]
async fn deadline_destination_and_background_travel_with_the_request() {
    let (bus, mut peer) = client();
    let to = EndpointId::new(5, 3);
    let asking = bus.clone();
    tokio::spawn(async move {
        let _ = asking.call_once(&kit::ECHO, b"").await;
        let _ = asking.within(Duration::from_millis(1234)).to(to).call_once(&kit::ECHO, b"").await;
        let _ = asking.background().within(Duration::from_micros(1)).call_once(&kit::ECHO, b"").await;
        let _ = asking.within(Duration::MAX).stream::<Count>(&1).await;
    });
    let mut seen = Vec::new();
    for _ in 0..4 {
        let (header, _) = peer.request().await;
        peer.say(Kind::Response, header.correlation, &()).await;
        seen.push((header.deadline_ms, header.destination, header.flags.contains(Flags::BACKGROUND)));
        assert_eq!((header.parent, header.source, header.trace), (0, EndpointId::ANY, 0));
    }
    let any = EndpointId::ANY;
    assert_eq!(seen, [(0, any, false), (1234, to, false), (1, any, true), (u32::MAX, any, false)]);
}

#[tokio::test]
async fn correlation_ids_are_unique_and_answers_find_their_calls_in_any_order() {
    let (bus, mut peer) = client();
    let calls: Vec<_> = (0..50)
        .map(|at| {
            let bus = bus.clone();
            tokio::spawn(async move { bus.call::<Echo>(&at.to_string()).await })
        })
        .collect();
    let mut asked = Vec::new();
    for _ in 0..50 {
        let (header, payload) = peer.request().await;
        asked.push((header.correlation, payload));
    }
    for (correlation, payload) in asked.iter().rev() {
        peer.write(about(Kind::Response, *correlation), payload).await;
    }
    for (at, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await.unwrap(), Ok(at.to_string()));
    }
    asked.sort();
    asked.dedup_by_key(|(correlation, _)| *correlation);
    assert_eq!(asked.len(), 50);
}

#[tokio::test(start_paused = true)]
async fn idempotent_call_is_sent_again_after_each_passing_failure() {
    let (bus, mut peer) = client();
    let call = tokio::spawn(async move { bus.call::<Echo>(&"a".to_owned()).await });
    for code in [ErrorCode::PeerDied, ErrorCode::Busy, ErrorCode::Unavailable, ErrorCode::PeerDied] {
        let (header, _) = peer.request().await;
        peer.fail(Kind::Response, header.correlation, code).await;
    }
    let (header, payload) = peer.request().await;
    peer.write(about(Kind::Response, header.correlation), &payload).await;
    assert_eq!(call.await.unwrap(), Ok("a".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn idempotent_call_gives_up_with_the_last_failure() {
    let (bus, mut peer) = client();
    let call = tokio::spawn(async move { (bus.call::<Echo>(&"a".to_owned()).await, bus) });
    for _ in 0..5 {
        let (header, _) = peer.request().await;
        peer.fail(Kind::Response, header.correlation, ErrorCode::Unavailable).await;
    }
    let (result, bus) = call.await.unwrap();
    assert_eq!(result.unwrap_err().code, ErrorCode::Unavailable);
    peer.nothing_but_an_echo(&bus).await;
}

#[tokio::test(start_paused = true)]
async fn endpoint_that_was_named_is_asked_again_when_busy_and_not_when_gone() {
    let (bus, mut peer) = client();
    let named = bus.to(EndpointId::new(5, 3));
    let call = tokio::spawn(async move { named.call::<Echo>(&"a".to_owned()).await });
    let (header, _) = peer.request().await;
    peer.fail(Kind::Response, header.correlation, ErrorCode::Busy).await;
    let (header, _) = peer.request().await;
    peer.fail(Kind::Response, header.correlation, ErrorCode::PeerDied).await;
    assert_eq!(call.await.unwrap().unwrap_err().code, ErrorCode::PeerDied);
    peer.nothing_but_an_echo(&bus).await;
}

#[tokio::test(start_paused = true)]
async fn lasting_failures_are_not_tried_again() {
    let (bus, mut peer) = client();
    for code in ErrorCode::ALL.into_iter().filter(|code| !code.is_transient()) {
        let asking = bus.clone();
        let call = tokio::spawn(async move { asking.call::<Echo>(&"a".to_owned()).await });
        let (header, _) = peer.request().await;
        peer.fail(Kind::Response, header.correlation, code).await;
        assert_eq!(call.await.unwrap().unwrap_err().code, code);
    }
    peer.nothing_but_an_echo(&bus).await;
}

#[tokio::test(start_paused = true)]
async fn call_to_be_done_once_is_never_sent_twice() {
    let (bus, mut peer) = client();
    let asking = bus.clone();
    let call = tokio::spawn(async move { asking.call::<Once>(&"a".to_owned()).await });
    let (header, _) = peer.request().await;
    peer.fail(Kind::Response, header.correlation, ErrorCode::PeerDied).await;
    assert_eq!(call.await.unwrap().unwrap_err().code, ErrorCode::PeerDied);
    peer.nothing_but_an_echo(&bus).await;
}

#[tokio::test]
async fn answer_of_another_type_is_the_peers_fault_and_ends_that_call_alone() {
    let (bus, mut peer) = client();
    let asking = bus.clone();
    let call = tokio::spawn(async move { asking.call::<Echo>(&"a".to_owned()).await });
    let (header, _) = peer.request().await;
    peer.write(about(Kind::Response, header.correlation), &[9, 9]).await;
    assert_eq!(call.await.unwrap().unwrap_err().code, ErrorCode::Protocol);
    let asking = bus.clone();
    let call = tokio::spawn(async move { asking.call::<Echo>(&"a".to_owned()).await });
    let (header, _) = peer.request().await;
    let mute = butterfly_wire::Header { flags: Flags::ERROR, ..about(Kind::Response, header.correlation) };
    peer.write(mute, &[]).await;
    assert_eq!(call.await.unwrap().unwrap_err().code, ErrorCode::Protocol);
    peer.nothing_but_an_echo(&bus).await;
}

#[tokio::test]
async fn late_frames_are_ignored() {
    let (bus, mut peer) = client();
    let payload = codec::encode(&"late".to_owned()).unwrap();
    for kind in [Kind::Response, Kind::Item, Kind::End, Kind::Credit, Kind::Cancel, Kind::Event] {
        for flags in [Flags::NONE, Flags::ERROR, Flags::FROM_CALLER] {
            let header = butterfly_wire::Header { flags, credit: u32::MAX, ..about(kind, 77) };
            peer.write(header, &payload).await;
        }
    }
    peer.nothing_but_an_echo(&bus).await;
}

#[tokio::test]
async fn argument_that_fits_no_frame_is_refused_before_anything_is_sent() {
    let (bus, mut peer) = client();
    let long = "x".repeat(butterfly_wire::frame::FRAME_LIMIT);
    assert_eq!(bus.call::<Echo>(&long).await.unwrap_err().code, ErrorCode::TooLarge);
    peer.nothing_but_an_echo(&bus).await;
}
