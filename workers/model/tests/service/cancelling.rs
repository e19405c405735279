//! Dropping a call closes its connection at once: a model stops generating only then.

use crate::bench::{BOTH, Bench, Protocol, request};
use butterfly_api::model::{Chat, ChatItem, Embed, EmbedAs, EmbedRequest, Pull, PullRequest};
use butterfly_client::Next;
use butterfly_kit::model_server::{Ending, Endpoint, Installed, Load, Play, Scenario};

#[tokio::test]
async fn a_chat_that_is_dropped_in_mid_stream_closes_its_connection() {
    for protocol in BOTH {
        let bench = Bench::new(protocol).await;
        bench.server.always(Endpoint::Chat, Play::say("Once upon").ending(Ending::Stall).into());
        let mut stream = bench.bus.stream::<Chat>(&request("hi")).await.unwrap();
        while !matches!(stream.next().await.unwrap(), Next::Item(ChatItem::Text { .. })) {}
        drop(stream);
        let counts = bench.server.until(|counts| counts.aborted == 1 && counts.open == 0).await;
        assert_eq!(counts.answering, 0, "{protocol:?}");
    }
}

#[tokio::test]
async fn a_chat_that_is_dropped_while_the_model_loads_closes_its_connection() {
    for protocol in BOTH {
        let bench = Bench::new(protocol).await;
        bench.server.always(Endpoint::Chat, Play::say("never").loading(Load::Held).into());
        let stream = bench.bus.stream::<Chat>(&request("hi")).await.unwrap();
        bench.server.until(|counts| counts.held == 1).await;
        drop(stream);
        let counts = bench.server.until(|counts| counts.aborted == 1 && counts.open == 0).await;
        assert_eq!(counts.answering, 0, "{protocol:?}");
    }
}

#[tokio::test]
async fn a_chat_that_is_dropped_while_tokens_pour_closes_its_connection() {
    for protocol in BOTH {
        let bench = Bench::new(protocol).await;
        // More than every buffer between here and there holds.
        bench.server.always(Endpoint::Chat, Play::tokens(200_000).into());
        let mut stream = bench.bus.stream::<Chat>(&request("hi")).await.unwrap();
        while !matches!(stream.next().await.unwrap(), Next::Item(ChatItem::Text { .. })) {}
        drop(stream);
        let counts = bench.server.until(|counts| counts.aborted == 1 && counts.open == 0).await;
        assert_eq!(counts.complete + counts.aborted, counts.requests, "{protocol:?}");
    }
}

#[tokio::test]
async fn a_pull_that_is_dropped_closes_its_connection() {
    let bench = Bench::new(Protocol::Ollama).await;
    bench.server.next(Endpoint::Pull, Scenario::PullStall { after_bytes: 1_500_000 });
    let mut stream = bench.bus.stream::<Pull>(&PullRequest { model: Some("new:1b".into()) }).await.unwrap();
    assert!(matches!(stream.next().await.unwrap(), Next::Item(_)));
    drop(stream);
    bench.server.until(|counts| counts.aborted == 1 && counts.open == 0).await;
}

#[tokio::test]
async fn an_embedding_that_is_dropped_closes_its_connection() {
    let bench = Bench::new(Protocol::Ollama).await;
    bench.server.install(Installed::embedding("all-minilm"));
    bench.server.next(Endpoint::Embed, Scenario::Silence);
    let request = EmbedRequest { model: None, embed_as: EmbedAs::Passage, texts: vec!["a".into()] };
    {
        let call = bench.bus.call::<Embed>(&request);
        tokio::select! {
            _ = call => panic!("silence does not answer"),
            _ = bench.server.until(|counts| counts.answering == 1 && counts.requests == 2) => {}
        }
    }
    bench.server.until(|counts| counts.aborted == 1 && counts.open == 0).await;
}
