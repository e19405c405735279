//! Being called: refusals, cancellation, and calls made on behalf of calls.

use crate::peer::{Echo, With, about, client, request, serving};
use butterfly_client::{Call, Incoming};
use butterfly_wire::catalog::kit;
use butterfly_wire::{EndpointId, ErrorCode, Failure, Flags, Header, Kind, Provenance, codec};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

#[tokio::test]
async fn answer_carries_the_callees_number_and_no_caller_flag() {
    let handler = With(|incoming: Incoming| incoming.unary::<Echo, _, _>(|_, text| async { Ok(text) }));
    let (_bus, mut peer) = serving(Arc::new(handler), 64 << 10);
    peer.ask(request(&kit::ECHO, 123_456, 0), &"a".to_owned()).await;
    let (header, payload) = peer.read().await;
    assert_eq!(header, about(Kind::Response, 123_456));
    assert_eq!(codec::decode(&payload), Ok("a".to_owned()));
}

#[tokio::test]
async fn handler_sees_what_the_kernel_says_of_the_call() {
    let handler = With(|incoming: Incoming| {
        incoming.unary::<Echo, _, _>(|call: Call, _| async move {
            Ok(format!(
                "{} {} {:?} {} {:?}",
                call.source(),
                call.is_background(),
                call.provenance(),
                call.trace(),
                call.deadline()
            ))
        });
    });
    let (_bus, mut peer) = serving(Arc::new(handler), 64 << 10);
    let header = Header {
        flags: Flags::BACKGROUND,
        source: EndpointId::new(3, 2),
        provenance: Provenance::USER.union(Provenance::WEB),
        trace: 77,
        deadline_ms: 1500,
        ..request(&kit::ECHO, 9, 0)
    };
    peer.ask(header, &String::new()).await;
    let (_, payload) = peer.read().await;
    assert_eq!(codec::decode(&payload), Ok("3.2 true {user,web} 77 1.5s".to_owned()));
}

#[tokio::test]
async fn calls_on_behalf_of_a_call_name_it_as_parent_and_inherit_its_class() {
    let handler = With(|incoming: Incoming| {
        incoming.unary::<Echo, _, _>(|call: Call, text| async move { call.bus().call::<Echo>(&text).await });
    });
    let (_bus, mut peer) = serving(Arc::new(handler), 64 << 10);
    for (correlation, flags) in [(41, Flags::NONE), (42, Flags::BACKGROUND)] {
        peer.ask(Header { flags, ..request(&kit::ECHO, correlation, 0) }, &"a".to_owned()).await;
        let (nested, payload) = peer.request().await;
        assert_eq!((nested.parent, nested.flags), (correlation, flags.with(Flags::FROM_CALLER)));
        peer.write(about(Kind::Response, nested.correlation), &payload).await;
        assert_eq!(peer.read().await.0.correlation, correlation);
    }
}

struct Told(mpsc::UnboundedSender<&'static str>);

impl Drop for Told {
    fn drop(&mut self) {
        let _ = self.0.send("dropped");
    }
}

/// Serves `echo` without ever answering, and tells when a handler starts and when it is dropped.
fn hanging(told: mpsc::UnboundedSender<&'static str>) -> With<impl Fn(Incoming) + Send + Sync> {
    With(move |incoming: Incoming| {
        let told = told.clone();
        incoming.unary::<Echo, _, _>(|_, _| async move {
            let _ = told.send("started");
            let _told = Told(told);
            std::future::pending().await
        });
    })
}

#[tokio::test]
async fn cancel_drops_the_handler_and_nothing_more_is_said() {
    let (sender, mut told) = mpsc::unbounded_channel();
    let (bus, mut peer) = serving(Arc::new(hanging(sender)), 64 << 10);
    peer.ask(request(&kit::ECHO, 9, 0), &String::new()).await;
    assert_eq!(told.recv().await, Some("started"));
    peer.ask(about(Kind::Cancel, 9), &()).await;
    assert_eq!(told.recv().await, Some("dropped"));
    peer.nothing_but_an_echo(&bus).await;
}

#[tokio::test]
async fn end_of_the_connection_drops_all_handlers() {
    let (sender, mut told) = mpsc::unbounded_channel();
    let (_bus, mut peer) = serving(Arc::new(hanging(sender)), 64 << 10);
    peer.ask(request(&kit::ECHO, 9, 0), &String::new()).await;
    assert_eq!(told.recv().await, Some("started"));
    drop(peer);
    assert_eq!(told.recv().await, Some("dropped"));
}

#[tokio::test]
async fn argument_of_another_type_is_refused_without_waking_the_handler() {
    let handler = With(|incoming: Incoming| incoming.unary::<Echo, _, _>(|_, _| async { panic!("was called") }));
    let (_bus, mut peer) = serving(Arc::new(handler), 64 << 10);
    peer.write(request(&kit::ECHO, 9, 0), &[200]).await;
    let (header, payload) = peer.read().await;
    assert_eq!((header.kind(), header.is_error()), (Some(Kind::Response), true));
    assert_eq!(codec::decode::<Failure>(&payload).unwrap().code, ErrorCode::BadPayload);
}

#[tokio::test]
async fn client_refuses_to_be_called_in_the_way_that_the_method_ends() {
    let (bus, mut peer) = client();
    for (info, closing) in [(&kit::ECHO, Kind::Response), (&kit::COUNT, Kind::End), (&kit::SUM, Kind::Response)] {
        peer.ask(request(info, 9, 1), &()).await;
        let (header, payload) = peer.read().await;
        assert_eq!((header.kind(), header.is_error()), (Some(closing), true));
        assert_eq!(codec::decode::<Failure>(&payload).unwrap().code, ErrorCode::UnknownMethod);
    }
    peer.nothing_but_an_echo(&bus).await;
}

#[tokio::test]
async fn bus_is_idle_only_when_the_last_answer_was_sent() {
    let (go, gone) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Notify::new()));
    let waiting = Arc::clone(&go);
    let handler = With(move |incoming: Incoming| {
        let waiting = Arc::clone(&waiting);
        incoming.unary::<Echo, _, _>(|_, text| async move {
            waiting.notified().await;
            Ok(text)
        });
    });
    let (bus, mut peer) = serving(Arc::new(handler), 64 << 10);
    bus.idle().await;
    peer.ask(request(&kit::ECHO, 9, 0), &"a".to_owned()).await;
    peer.nothing_but_an_echo(&bus).await;
    let idle = {
        let (bus, gone) = (bus.clone(), Arc::clone(&gone));
        tokio::spawn(async move {
            bus.idle().await;
            gone.notify_one();
        })
    };
    assert!(tokio::time::timeout(Duration::ZERO, gone.notified()).await.is_err());
    go.notify_one();
    assert_eq!(peer.read().await.0.correlation, 9);
    gone.notified().await;
    idle.await.unwrap();
}
