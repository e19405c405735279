//! What is said, and what is remembered of it.

use crate::model::{Scripted, Step, started, text, thinking, usage};
use crate::{brains_asking, say, turn};
use butterfly_api::model::{ChatEnd, ChatItem, Finish, Role};
use butterfly_api::session::{self, EndReason, TurnEnd, TurnItem, UseModel};
use butterfly_brains::TEXT_LIMIT;
use butterfly_wire::ErrorCode;

#[tokio::test]
async fn items_come_through_in_order_between_started_and_end() {
    let model = Scripted::new([vec![
        started(8192),
        Step::Say(ChatItem::Notice { text: "loading".to_owned() }),
        thinking("hm"),
        text("Hel"),
        text("lo"),
    ]]);
    let bus = brains_asking(&model);
    let seen = turn(&bus, say(None, "hi")).await;
    let conversation = seen.conversation();
    assert_eq!(
        seen.items,
        [
            TurnItem::Started { conversation, turn: 1, trace: 0, message: seen.message() },
            TurnItem::Notice { text: "loading".to_owned() },
            TurnItem::Thinking { text: "hm".to_owned() },
            TurnItem::Text { text: "Hel".to_owned() },
            TurnItem::Text { text: "lo".to_owned() },
            TurnItem::Usage(usage(10, 2)),
        ]
    );
    assert_eq!(seen.end, Ok(TurnEnd { reason: EndReason::Complete, model: "m:1b".to_owned() }));
    assert_eq!(model.asked()[0].tools, [], "no tool is offered");
}

#[tokio::test]
async fn second_turn_tells_the_model_of_the_first_without_its_thinking() {
    let model =
        Scripted::new([vec![started(8192), thinking("hm"), text("Hello Ann")], vec![started(8192), text("Ann")]]);
    let bus = brains_asking(&model);
    let first = turn(&bus, say(None, "I am Ann")).await;
    let second = turn(&bus, say(Some(first.conversation()), "who am I?")).await;
    assert_eq!(second.conversation(), first.conversation());
    assert!(matches!(second.items[0], TurnItem::Started { turn: 2, .. }));
    assert_eq!(
        model.told(1),
        [
            (Role::User, "I am Ann".to_owned()),
            (Role::Assistant, "Hello Ann".to_owned()),
            (Role::User, "who am I?".to_owned())
        ]
    );
    assert!(model.asked()[1].messages.iter().all(|message| message.thinking.is_empty()));
}

#[tokio::test]
async fn conversations_are_apart() {
    let model = Scripted::new((0..3).map(|_| vec![started(8192), text("ok")]));
    let bus = brains_asking(&model);
    let first = turn(&bus, say(None, "first  words of\nthis one")).await.conversation();
    let second = turn(&bus, say(None, "another")).await.conversation();
    assert_ne!(first, second);
    assert_eq!(model.told(1), [(Role::User, "another".to_owned())]);
    turn(&bus, say(Some(first), "again")).await;
    assert_eq!(model.told(2).len(), 3, "the first one goes on");
}

#[tokio::test]
async fn length_limit_of_the_model_is_the_end_reason() {
    let end = ChatEnd { finish: Finish::Length, usage: usage(1, 1) };
    let model = Scripted::new([vec![started(8192), text("and then"), Step::End(end)]]);
    let seen = turn(&brains_asking(&model), say(None, "hi")).await;
    assert_eq!(seen.end.map(|end| end.reason), Ok(EndReason::Length));
}

#[tokio::test]
async fn model_named_in_the_turn_comes_before_the_one_in_use() {
    let model = Scripted::new((0..4).map(|_| vec![started(8192), text("ok")]));
    let bus = brains_asking(&model);
    turn(&bus, say(None, "a")).await;
    bus.call::<session::SetModel>(&UseModel { model: Some(" used ".to_owned()) }).await.unwrap();
    turn(&bus, say(None, "b")).await;
    let named = session::SendRequest { model: Some("named".to_owned()), ..say(None, "c") };
    turn(&bus, named).await;
    bus.call::<session::SetModel>(&UseModel { model: None }).await.unwrap();
    turn(&bus, say(None, "d")).await;
    let asked: Vec<_> = model.asked().into_iter().map(|request| request.model).collect();
    assert_eq!(asked, [None, Some("used".to_owned()), Some("named".to_owned()), None]);
}

#[tokio::test]
async fn empty_texts_unknown_conversations_and_nameless_models_are_refused_in_words() {
    let model = Scripted::new([]);
    let bus = brains_asking(&model);
    for (request, code, word) in [
        (say(None, "  \n"), ErrorCode::BadPayload, "empty"),
        (say(Some(7), "hi"), ErrorCode::BadPayload, "conversation 7"),
        (say(None, &"x".repeat(TEXT_LIMIT + 1)), ErrorCode::TooLarge, "several messages"),
        (session::SendRequest { model: Some(" ".to_owned()), ..say(None, "hi") }, ErrorCode::BadPayload, "name"),
    ] {
        let failure = turn(&bus, request).await.end.unwrap_err();
        assert_eq!(failure.code, code);
        assert!(failure.message.contains(word), "{}", failure.message);
    }
    let nameless = bus.call::<session::SetModel>(&UseModel { model: Some(String::new()) }).await;
    assert_eq!(nameless.unwrap_err().code, ErrorCode::BadPayload);
    assert!(model.asked().is_empty());
}

#[tokio::test]
async fn longest_texts_pass_both_ways_in_pieces_within_the_chunk_limit() {
    let chunk = "é".repeat(32_700);
    let model = Scripted::new([vec![started(0), text(&chunk), text(&chunk)], vec![started(0), text("fine")]]);
    let bus = brains_asking(&model);
    let question = "x".repeat(TEXT_LIMIT);
    let first = turn(&bus, say(None, &question)).await;
    assert_eq!(first.text(), chunk.repeat(2));
    turn(&bus, say(Some(first.conversation()), "next")).await;
    let told = model.told(1);
    assert_eq!(told[0].1.len(), question.len());
    assert_eq!(told[1].1, chunk.repeat(2));
}

#[tokio::test]
async fn model_without_a_word_is_said_to_be_so() {
    let model = Scripted::new([vec![started(8192)]]);
    let seen = turn(&brains_asking(&model), say(None, "hi")).await;
    assert_eq!(seen.notices().len(), 1);
    assert!(seen.end.is_ok());
}

#[tokio::test]
async fn model_that_never_ends_is_ended_with_a_notice() {
    let endless = (0..6).map(|_| text(&"again ".repeat(10_000)));
    let script = std::iter::once(started(0)).chain(endless).chain([Step::Hang]).collect();
    let model = Scripted::new([script]);
    let seen = turn(&brains_asking(&model), say(None, "hi")).await;
    assert_eq!(seen.end.as_ref().map(|end| end.reason), Ok(EndReason::Length));
    assert!(seen.notices()[0].contains("256 KiB"));
    model.dropped.notified().await;
}
