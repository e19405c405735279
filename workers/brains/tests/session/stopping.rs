//! Stop, callers that go away, and one answer at a time.

use crate::model::{Scripted, Step, started, text};
use crate::{brains_asking, is_text, rest, say, turn, until};
use butterfly_api::model::Role;
use butterfly_api::session::{self, EndReason, StopRequest, TurnItem};
use butterfly_client::Next;
use butterfly_wire::ErrorCode;
use std::sync::Arc;

/// A model that says half an answer and hangs, then answers.
fn hanging() -> Arc<Scripted> {
    Scripted::new([vec![started(8192), text("half an ans"), Step::Hang], vec![started(8192), text("whole")]])
}

/// What the model is told of an answer that was broken off after `hanging`'s words.
fn told_of_the_half() -> Vec<(Role, String)> {
    vec![
        (Role::User, "hi".to_owned()),
        (Role::Assistant, "half an ans\n[This answer was interrupted here.]".to_owned()),
        (Role::User, "again".to_owned()),
    ]
}

#[tokio::test]
async fn stop_ends_the_answer_closes_the_model_stream_and_keeps_what_was_said() {
    let model = hanging();
    let bus = brains_asking(&model);
    let mut stream = bus.stream::<session::Send>(&say(None, "hi")).await.unwrap();
    let Next::Item(TurnItem::Started { conversation, .. }) = stream.next().await.unwrap() else { panic!() };
    until(&mut stream, is_text).await;
    let stopped = bus.call::<session::Stop>(&StopRequest { conversation }).await.unwrap();
    assert!(stopped.was_running);
    let end = rest(stream).await.end.unwrap();
    assert_eq!((end.reason, end.model.as_str()), (EndReason::Stopped, "m:1b"));
    model.dropped.notified().await;
    // The reply of stop is the promise that the conversation is free.
    let next = turn(&bus, say(Some(conversation), "again")).await;
    assert_eq!(next.text(), "whole");
    assert_eq!(model.told(1), told_of_the_half());
}

#[tokio::test]
async fn stop_without_a_running_answer_says_so() {
    let model = Scripted::new([vec![started(8192), text("ok")]]);
    let bus = brains_asking(&model);
    let conversation = turn(&bus, say(None, "hi")).await.conversation();
    for conversation in [conversation, conversation + 1] {
        let stopped = bus.call::<session::Stop>(&StopRequest { conversation }).await.unwrap();
        assert!(!stopped.was_running);
    }
}

#[tokio::test]
async fn stop_frees_an_answer_whose_reader_takes_nothing() {
    let many = std::iter::once(started(8192)).chain((0..200).map(|_| text("word "))).chain([Step::Hang]).collect();
    let model = Scripted::new([many, vec![started(8192), text("whole")]]);
    let bus = brains_asking(&model);
    let unread = bus.stream::<session::Send>(&say(None, "hi")).await.unwrap();
    // Once it has all of the first window, its other items wait for credit that never comes. The first conversation of a
    // memory is 1.
    while !bus.call::<session::Stop>(&StopRequest { conversation: 1 }).await.unwrap().was_running {}
    assert_eq!(rest(unread).await.end.unwrap().reason, EndReason::Stopped);
}

#[tokio::test]
async fn second_send_while_an_answer_runs_is_refused_and_does_not_disturb_it() {
    let model = hanging();
    let bus = brains_asking(&model);
    let mut stream = bus.stream::<session::Send>(&say(None, "hi")).await.unwrap();
    let Next::Item(TurnItem::Started { conversation, .. }) = stream.next().await.unwrap() else { panic!() };
    let refused = turn(&bus, say(Some(conversation), "me too")).await.end.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Busy);
    assert!(refused.message.contains("already running"), "{}", refused.message);
    until(&mut stream, is_text).await;
    assert_eq!(model.asked().len(), 1);
    // Another conversation is free.
    assert_eq!(turn(&bus, say(None, "elsewhere")).await.text(), "whole");
}

#[tokio::test]
async fn caller_that_goes_away_closes_the_model_stream_and_leaves_what_was_said() {
    let model = hanging();
    let bus = brains_asking(&model);
    let mut stream = bus.stream::<session::Send>(&say(None, "hi")).await.unwrap();
    let Next::Item(TurnItem::Started { conversation, .. }) = stream.next().await.unwrap() else { panic!() };
    until(&mut stream, is_text).await;
    drop(stream);
    model.dropped.notified().await;
    let next = turn(&bus, say(Some(conversation), "again")).await;
    assert_eq!(next.text(), "whole");
    assert_eq!(model.told(1), told_of_the_half());
}
