//! A waiting person comes before what nobody waits for.

use crate::bench::{BOTH, Bench, collect, request};
use butterfly_api::model::{Cause, Chat, ChatItem, ChatRequest, Embed, EmbedAs, EmbedRequest};
use butterfly_client::Stream;
use butterfly_kit::model_server::{Endpoint, Installed, Play, Scenario, Step};

/// Asks in the background, for `slow:latest`.
async fn background(bench: &Bench) -> Stream<Chat> {
    let request = ChatRequest { model: Some("slow:latest".into()), ..request("sum up") };
    bench.bus.background().stream::<Chat>(&request).await.unwrap()
}

#[tokio::test]
async fn background_work_gives_way_and_begins_anew_unseen() {
    for protocol in BOTH {
        let bench = Bench::new(protocol).await;
        bench.server.install(Installed::chat("slow"));
        let steps = [Step::Text("half ".into()), Step::Hold, Step::Text("whole".into())];
        bench.server.for_model(Endpoint::Chat, "slow:latest", Play::steps(steps).into());

        let behind = background(&bench).await;
        bench.server.until(|counts| counts.held == 1).await;
        let person = bench.say("hi").await;
        assert_eq!(person.text(), "You said: hi", "{protocol:?}");
        let counts = bench.server.until(|counts| counts.held == 2).await;
        assert_eq!((counts.aborted, counts.chats), (1, 3), "its connection was closed, and it was asked again");

        bench.server.release(2);
        let answer = collect(behind).await;
        assert_eq!(answer.text(), "half whole", "nothing of the first attempt is seen");
        let starts = answer.items.iter().filter(|item| matches!(item, ChatItem::Started { .. })).count();
        assert_eq!(starts, 1);
        assert!(answer.end.is_ok());
    }
}

#[tokio::test]
async fn background_work_does_not_begin_while_a_person_waits() {
    for protocol in BOTH {
        let bench = Bench::new(protocol).await;
        bench.server.install(Installed::chat("slow"));
        let steps = [Step::Text("I ".into()), Step::Hold, Step::Text("talk".into())];
        bench.server.for_model(Endpoint::Chat, "kit:latest", Play::steps(steps).into());
        let person = bench.bus.stream::<Chat>(&request("hi")).await.unwrap();
        bench.server.until(|counts| counts.held == 1).await;

        let behind = background(&bench).await;
        let second = ChatRequest { model: Some("slow:latest".into()), ..request("me too") };
        assert_eq!(bench.ask(&second).await.text(), "You said: me too", "people are answered side by side");
        assert_eq!(bench.server.counts().chats, 2, "{protocol:?}: the background call has not been made");

        bench.server.release(1);
        assert_eq!(collect(person).await.text(), "I talk");
        assert_eq!(collect(behind).await.text(), "You said: sum up");
    }
}

#[tokio::test]
async fn background_work_that_gives_way_too_often_is_put_off() {
    let bench = Bench::new(BOTH[0]).await;
    bench.server.install(Installed::chat("slow"));
    bench.server.for_model(Endpoint::Chat, "slow:latest", Play::steps([Step::Hold]).into());
    let behind = background(&bench).await;
    for times in 1..=8 {
        bench.server.until(|counts| counts.held == times).await;
        assert!(bench.say("hi").await.end.is_ok());
    }
    let answer = collect(behind).await;
    assert_eq!(answer.cause(), Cause::Displaced);
    assert!(answer.text().is_empty());
    assert_eq!(bench.server.until(|counts| counts.aborted == 8).await.held, 8);
}

#[tokio::test]
async fn background_embeddings_give_way_too() {
    for protocol in BOTH {
        let bench = Bench::new(protocol).await;
        bench.server.install(Installed::embedding("all-minilm"));
        bench.server.next(Endpoint::Embed, Scenario::Silence);
        let request = EmbedRequest { model: None, embed_as: EmbedAs::Passage, texts: vec!["a".into(), "b".into()] };
        let behind = {
            let bus = bench.bus.background();
            tokio::spawn(async move { bus.call::<Embed>(&request).await })
        };
        bench.server.until(|counts| counts.answering == 1 && counts.complete == 1).await;
        assert_eq!(bench.say("hi").await.text(), "You said: hi");
        assert_eq!(behind.await.unwrap().unwrap().vectors.len(), 2, "{protocol:?}");
        assert_eq!(bench.server.requests_of(Endpoint::Embed).len(), 2);
        bench.server.until(|counts| counts.aborted == 1).await;
    }
}

#[tokio::test]
async fn a_dropped_background_call_leaves_its_place() {
    let bench = Bench::new(BOTH[0]).await;
    bench.server.install(Installed::chat("slow"));
    bench.server.next(Endpoint::Chat, Play::steps([Step::Hold]).into());
    let dropped = background(&bench).await;
    bench.server.until(|counts| counts.held == 1).await;
    let next = background(&bench).await;
    drop(dropped);
    assert_eq!(collect(next).await.text(), "You said: sum up");
}
