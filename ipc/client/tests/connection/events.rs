//! Topics: subscriptions and what comes of them.

use crate::peer::client;
use butterfly_client::{Bus, Event, Events};
use butterfly_wire::catalog::{control, topic};
use butterfly_wire::control::{Ping, Topic};
use butterfly_wire::{ErrorCode, Header, Kind, codec};

use crate::peer::Peer;

async fn subscribed(bus: &Bus, peer: &mut Peer) -> Events {
    let asking = bus.clone();
    let call = tokio::spawn(async move { asking.subscribe(control::ID, topic::WORKERS).await });
    let (header, payload) = peer.request().await;
    assert_eq!((header.service, header.method), (control::ID, control::SUBSCRIBE.method));
    assert_eq!(codec::decode(&payload), Ok(Topic { service: control::ID, topic: topic::WORKERS }));
    peer.say(Kind::Response, header.correlation, &()).await;
    call.await.unwrap().unwrap()
}

fn event(nonce: u64) -> (Header, Vec<u8>) {
    let header = Header { kind: Kind::Event as u8, service: 0, method: topic::WORKERS, ..Header::default() };
    (header, codec::encode(&Ping { nonce }).unwrap())
}

fn nonce(event: &Event) -> u64 {
    event.decode::<Ping>().unwrap().nonce
}

#[tokio::test]
async fn events_reach_their_subscribers_and_end_with_the_connection() {
    let (bus, mut peer) = client();
    let mut events = subscribed(&bus, &mut peer).await;
    for number in [1, 2] {
        let (header, payload) = event(number);
        peer.write(header, &payload).await;
    }
    assert_eq!(nonce(&events.next().await.unwrap().unwrap()), 1);
    assert_eq!(nonce(&events.next().await.unwrap().unwrap()), 2);
    drop(peer);
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn slow_subscriber_loses_the_oldest_and_is_told_how_many() {
    let (bus, mut peer) = client();
    let mut events = subscribed(&bus, &mut peer).await;
    for number in 0..1030 {
        let (header, payload) = event(number);
        peer.write(header, &payload).await;
    }
    // An answer behind them shows that all have arrived.
    peer.nothing_but_an_echo(&bus).await;
    assert_eq!(events.next().await.unwrap().unwrap_err(), 6);
    assert_eq!(nonce(&events.next().await.unwrap().unwrap()), 6);
}

#[tokio::test]
async fn refused_subscription_is_an_error_and_leaves_nothing_behind() {
    let (bus, mut peer) = client();
    let asking = bus.clone();
    let call = tokio::spawn(async move { asking.subscribe(control::ID, topic::WORKERS).await.err() });
    let (header, _) = peer.request().await;
    peer.fail(Kind::Response, header.correlation, ErrorCode::Denied).await;
    assert_eq!(call.await.unwrap().unwrap().code, ErrorCode::Denied);
    let (header, payload) = event(1);
    peer.write(header, &payload).await;
    let mut events = subscribed(&bus, &mut peer).await;
    let (header, payload) = event(2);
    peer.write(header, &payload).await;
    assert_eq!(nonce(&events.next().await.unwrap().unwrap()), 2);
}

#[tokio::test]
async fn published_events_belong_to_no_call() {
    let (bus, mut peer) = client();
    bus.publish(1, 7, &Ping { nonce: 3 }).await.unwrap();
    let (header, payload) = peer.read().await;
    assert_eq!(header, Header { kind: Kind::Event as u8, service: 1, method: 7, ..Header::default() });
    assert_eq!(codec::decode(&payload), Ok(Ping { nonce: 3 }));
}
