//! What people are told while they wait.

use crate::bench::{BOTH, Bench, Protocol, collect, patient, request};
use butterfly_api::model::{Chat, ChatItem};
use butterfly_client::Next;
use butterfly_kit::model_server::{Endpoint, Load, Play};
use butterfly_model::Timeouts;
use std::time::Duration;

fn talkative() -> Timeouts {
    let soon = Duration::from_millis(20);
    Timeouts { first_notice: soon, next_notice: soon, ..patient() }
}

#[tokio::test]
async fn people_are_told_again_and_again_that_the_model_loads() {
    for protocol in BOTH {
        let bench = Bench::with(protocol, talkative(), &[]).await;
        bench.server.always(Endpoint::Chat, Play::say("At last.").loading(Load::Held).into());
        let mut stream = bench.bus.stream::<Chat>(&request("hi")).await.unwrap();
        let Next::Item(ChatItem::Started { model, .. }) = stream.next().await.unwrap() else { panic!("no start") };
        assert_eq!(model, "kit:latest");
        for _ in 0..3 {
            let Next::Item(ChatItem::Notice { text }) = stream.next().await.unwrap() else { panic!("no notice") };
            assert!(text.contains("Loading model kit:latest"), "{protocol:?}: {text}");
        }
        bench.server.release(1);
        let answer = collect(stream).await;
        assert_eq!(answer.text(), "At last.");
    }
}

#[tokio::test]
async fn a_model_that_is_loaded_is_said_to_read() {
    let bench = Bench::with(Protocol::Ollama, talkative(), &[]).await;
    bench.server.load("kit", 8192);
    bench.server.always(Endpoint::Chat, Play::say("So.").loading(Load::Held).into());
    let mut stream = bench.bus.stream::<Chat>(&request("hi")).await.unwrap();
    assert!(matches!(stream.next().await.unwrap(), Next::Item(ChatItem::Started { .. })));
    let Next::Item(ChatItem::Notice { text }) = stream.next().await.unwrap() else { panic!("no notice") };
    assert!(text.contains("reading the conversation"), "{text}");
    bench.server.release(1);
    assert!(collect(stream).await.end.is_ok());
}
