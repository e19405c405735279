//! What is written down, when, and what happens where it cannot be.

use crate::memory::{Remembering, Trouble};
use crate::model::{Scripted, Step, fail, started, text, thinking, usage};
use crate::{assistant, connected, is_text, rest, say, turn, until};
use butterfly_api::conversations::MessageState;
use butterfly_api::model::{Cause, ChatEnd, Finish, ModelError, Role};
use butterfly_api::session::{self, EndReason, Place, SendRequest, TurnItem};
use butterfly_brains::Brains;
use butterfly_client::Next;
use butterfly_wire::ErrorCode;
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn the_words_are_durable_before_anything_is_answered() {
    let (model, memory) = (Scripted::new([vec![started(8192), Step::Hang]]), Remembering::new());
    let bus = assistant(&model, &memory).await;
    let mut stream = bus.stream::<session::Send>(&say(None, "hello")).await.unwrap();
    let Next::Item(TurnItem::Started { conversation, message, turn, .. }) = stream.next().await.unwrap() else {
        panic!("no first item");
    };
    let begun = memory.begins();
    assert_eq!((begun.len(), begun[0].text.as_str(), begun[0].place), (1, "hello", Place::End));
    assert_eq!((conversation, turn, memory.answer(message)), (1, 1, vec![]));
}

#[tokio::test]
async fn an_answer_is_saved_whole_with_what_it_cost_who_gave_it_and_what_it_was_shown() {
    let end = ChatEnd { finish: Finish::Stop, usage: usage(10, 2) };
    let model = Scripted::new([vec![started(8192), thinking("hm"), text("Hel"), text("lo"), Step::End(end)]]);
    let memory = Remembering::new();
    let bus = assistant(&model, &memory).await;
    let seen = turn(&bus, say(None, "hi")).await;
    // The end is told when all is saved.
    let last = memory.part(seen.message(), 0);
    assert_eq!((last.state, last.message.content.as_str()), (MessageState::Complete, "Hello"));
    assert_eq!((last.message.thinking.as_str(), last.message.role), ("hm", Role::Assistant));
    assert_eq!((last.usage, last.model.as_str(), last.error), (Some(usage(10, 2)), "m:1b", None));
    let shown: Vec<_> = memory.saves().into_iter().filter_map(|(_, save)| save.shown).collect();
    assert_eq!(shown.len(), 1, "with the first save alone");
    assert_eq!((shown[0].context_tokens, shown[0].turns, shown[0].memory_enabled), (8192, 0, true));
    assert!(shown[0].prompt_tokens > 0);
}

/// Time stands still but where everybody waits, so that these are steps of a script and not measurements.
#[tokio::test(start_paused = true)]
async fn what_is_said_is_saved_at_least_once_a_second_while_it_comes() {
    let words = (0..40).flat_map(|_| [text("word "), Step::Pause(Duration::from_millis(130))]);
    let model = Scripted::new([std::iter::once(started(8192)).chain(words).collect()]);
    let memory = Remembering::new();
    let bus = assistant(&model, &memory).await;
    let seen = turn(&bus, say(None, "talk")).await;
    let saves = memory.saves();
    assert!(saves.len() > 5, "{} saves", saves.len());
    for pair in saves.windows(2) {
        assert!(pair[1].0 - pair[0].0 <= Duration::from_secs(1));
        assert!(pair[1].1.message.content.starts_with(&pair[0].1.message.content), "never an older state over a newer");
    }
    let (last, streaming) = saves.split_last().unwrap();
    assert!(streaming.iter().all(|(_, save)| save.state == MessageState::Streaming));
    assert_eq!((last.1.state, last.1.message.content.len()), (MessageState::Complete, 40 * 5));
    assert_eq!(memory.answer(seen.message()).len(), 1);
}

#[tokio::test]
async fn a_caller_that_goes_away_and_a_stop_leave_what_was_said_as_interrupted() {
    for stops in [false, true] {
        let model = Scripted::new([vec![started(8192), text("half an ans"), Step::Hang]]);
        let memory = Remembering::new();
        let bus = assistant(&model, &memory).await;
        let mut stream = bus.stream::<session::Send>(&say(None, "hi")).await.unwrap();
        let Next::Item(TurnItem::Started { conversation, message, .. }) = stream.next().await.unwrap() else {
            panic!()
        };
        until(&mut stream, is_text).await;
        if stops {
            bus.call::<session::Stop>(&session::StopRequest { conversation }).await.unwrap();
            assert_eq!(rest(stream).await.end.unwrap().reason, EndReason::Stopped);
        } else {
            drop(stream);
            memory.until(message, MessageState::Interrupted).await;
        }
        assert_eq!(memory.answer(message), [(MessageState::Interrupted, "half an ans".to_owned())]);
    }
}

#[tokio::test]
async fn failures_are_kept_with_their_reason() {
    let error = ModelError::new(Cause::MidStream, "The server reported an error in the middle of its answer.");
    for (said, state) in [("half", MessageState::Interrupted), ("", MessageState::Failed)] {
        let words = (!said.is_empty()).then(|| text(said));
        let script = [started(8192)].into_iter().chain(words).chain([Step::Fail(error.clone().into())]).collect();
        let memory = Remembering::new();
        let bus = assistant(&Scripted::new([script]), &memory).await;
        let seen = turn(&bus, say(None, "hi")).await;
        assert!(seen.end.is_err());
        let kept = memory.part(seen.message(), 0);
        assert_eq!((kept.state, kept.message.content.as_str()), (state, said));
        assert_eq!(kept.error.as_deref(), Some(error.message.as_str()));
    }
}

#[tokio::test(start_paused = true)]
async fn memory_that_restarts_at_the_beginning_is_outlived_and_nothing_is_said_twice() {
    let model = Scripted::new([vec![started(8192), text("ok")]]);
    let memory = Remembering::new();
    // It wrote it down and died before it could say so; then it was away for a while.
    memory.begin_trouble([Trouble::After(ErrorCode::PeerDied)]);
    memory.begin_trouble((0..20).map(|_| Trouble::Before(ErrorCode::Unavailable)));
    let bus = assistant(&model, &memory).await;
    let seen = turn(&bus, say(None, "hi")).await;
    assert_eq!((seen.text().as_str(), memory.turns()), ("ok", 1));
    let keys: Vec<_> = memory.begins().iter().map(|begin| begin.key).collect();
    assert!(keys.len() > 20 && keys.iter().all(|key| *key == keys[0]));
}

#[tokio::test(start_paused = true)]
async fn without_memory_a_turn_is_refused_with_its_way_out_and_the_model_is_never_asked() {
    let model = Scripted::new([vec![started(8192), text("ok")]]);
    for trouble in [Trouble::Before(ErrorCode::Unavailable), Trouble::Hang, Trouble::Before(ErrorCode::Internal)] {
        let memory = Remembering::new();
        memory.begin_trouble((0..10_000).map(|_| trouble.clone()));
        let bus = assistant(&model, &memory).await;
        let failure = turn(&bus, say(None, "hi")).await.end.unwrap_err();
        assert!(failure.message.starts_with("this would not be saved: "), "{failure}");
        assert!(failure.message.contains("--unsaved"), "{failure}");
        assert_eq!(memory.turns(), 0);
    }
    assert!(model.asked().is_empty());
}

#[tokio::test(start_paused = true)]
async fn memory_that_restarts_in_mid_answer_loses_nothing_and_holds_nothing_up() {
    let words = (0..20).flat_map(|_| [text("word "), Step::Pause(Duration::from_millis(100))]);
    let model = Scripted::new([std::iter::once(started(8192)).chain(words).collect()]);
    let memory = Remembering::new();
    memory.save_trouble([Trouble::After(ErrorCode::PeerDied)]);
    memory.save_trouble((0..7).map(|_| Trouble::Before(ErrorCode::Unavailable)));
    let bus = assistant(&model, &memory).await;
    let seen = turn(&bus, say(None, "hi")).await;
    assert_eq!(seen.notices(), [""; 0]);
    assert_eq!(memory.answer(seen.message()), [(MessageState::Complete, "word ".repeat(20))]);
    assert!(memory.saves().iter().any(|(_, save)| save.shown.is_some()));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_saved_is_said_to_be_so() {
    for trouble in [Trouble::Before(ErrorCode::Internal), Trouble::Before(ErrorCode::Unavailable), Trouble::Hang] {
        let model = Scripted::new([vec![started(8192), text("ok")], vec![started(8192), text("again")]]);
        let memory = Remembering::new();
        memory.save_trouble((0..1000).map(|_| trouble.clone()));
        let bus = assistant(&model, &memory).await;
        let seen = turn(&bus, say(None, "hi")).await;
        assert_eq!(seen.text(), "ok");
        assert!(seen.notices().last().unwrap().starts_with("This answer could not be saved: "), "{seen:?}");
        assert_eq!(seen.end.as_ref().map(|end| end.reason), Ok(EndReason::Complete));
        // And the conversation is free.
        memory.no_more_save_trouble();
        assert_eq!(turn(&bus, say(Some(seen.conversation()), "more")).await.text(), "again");
    }
}

#[tokio::test]
async fn rounds_with_tools_are_saved_message_by_message() {
    let asks = ChatEnd { finish: Finish::ToolCalls, usage: usage(10, 2) };
    let model = Scripted::new([
        vec![started(8192), text("Let me look. "), crate::model::tool_call("a"), Step::End(asks)],
        vec![started(8192), text("I cannot.")],
    ]);
    let memory = Remembering::new();
    let bus = assistant(&model, &memory).await;
    let seen = turn(&bus, say(None, "weather?")).await;
    let states: Vec<_> = memory.answer(seen.message()).into_iter().map(|(state, _)| state).collect();
    assert_eq!(states, [MessageState::Complete; 3]);
    let (asked, result) = (memory.part(seen.message(), 0), memory.part(seen.message(), 1));
    assert_eq!((asked.message.tool_calls.len(), asked.usage), (1, Some(usage(10, 2))));
    assert_eq!((result.message.role, result.message.tool_call_id.as_deref()), (Role::Tool, Some("a")));
    assert_eq!(memory.part(seen.message(), 2).message.content, "I cannot.");
}

#[tokio::test]
async fn edits_and_second_answers_reach_memory_and_the_model_sees_that_branch_alone() {
    let model = Scripted::new((0..4).map(|_| vec![started(8192), text("ok")]));
    let memory = Remembering::new();
    let bus = assistant(&model, &memory).await;
    let first = turn(&bus, say(None, "one")).await;
    let (conversation, message) = (Some(first.conversation()), first.message());
    turn(&bus, say(conversation, "two")).await;
    let edited = SendRequest { place: Place::InsteadOf(message), ..say(conversation, "uno") };
    let edited = turn(&bus, edited).await;
    assert_eq!(model.told(2), [(Role::User, "uno".to_owned())]);
    let again = SendRequest { place: Place::Again(edited.message()), ..say(conversation, "") };
    let again = turn(&bus, again).await;
    assert_eq!(again.message(), edited.message());
    assert_eq!(model.told(3), [(Role::User, "uno".to_owned())]);
    let nowhere = turn(&bus, SendRequest { place: Place::Again(1), ..say(None, "") }).await.end.unwrap_err();
    assert!(nowhere.message.contains("name that conversation"), "{nowhere}");
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_process_left_half_said_is_marked_at_the_start_or_as_soon_as_memory_is_there() {
    let memory = Remembering::new();
    assistant(&Scripted::new([]), &memory).await;
    assert_eq!(memory.recovered(), 1);
    let memory = Remembering::new();
    memory.recover_trouble((0..12).map(|_| Trouble::Before(ErrorCode::Unavailable)));
    let brains = Arc::new(Brains::new());
    let (_near, far) = connected(&brains, &Scripted::new([]), &memory);
    brains.prepare(far.background()).await;
    assert_eq!(memory.recovered(), 0, "a start without memory is a start");
    while memory.recovered() == 0 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test]
async fn a_model_that_fails_at_once_leaves_a_turn_that_says_so() {
    let memory = Remembering::new();
    let bus = assistant(&Scripted::new([vec![fail(ErrorCode::Internal)]]), &memory).await;
    let seen = turn(&bus, say(None, "hi")).await;
    assert_eq!(memory.part(seen.message(), 0).state, MessageState::Failed);
}
