//! Conversations that the person chose not to have saved.

use crate::memory::{Remembering, Trouble};
use crate::model::{Scripted, Step, started, text};
use crate::{assistant, is_text, say, turn, until};
use butterfly_api::model::Role;
use butterfly_api::session::{self, Place, SendRequest, TurnItem};
use butterfly_client::Next;
use butterfly_wire::ErrorCode;

fn unsaved(conversation: Option<u64>, words: &str) -> SendRequest {
    SendRequest { unsaved: true, ..say(conversation, words) }
}

#[tokio::test]
async fn an_unsaved_conversation_goes_on_without_memory_and_never_reaches_it() {
    let model = Scripted::new([vec![started(8192), text("Hello Ann")], vec![started(8192), text("Ann")]]);
    let memory = Remembering::new();
    memory.begin_trouble((0..100).map(|_| Trouble::Before(ErrorCode::Unavailable)));
    let bus = assistant(&model, &memory).await;
    let first = turn(&bus, unsaved(None, "I am Ann")).await;
    assert_eq!(first.message(), 0);
    let second = turn(&bus, unsaved(Some(first.conversation()), "who am I?")).await;
    assert!(matches!(second.items[0], TurnItem::Started { turn: 2, message: 0, .. }));
    let told: Vec<_> = model.told(1).into_iter().map(|(role, _)| role).collect();
    assert_eq!(told, [Role::User, Role::Assistant, Role::User]);
    assert!(memory.begins().is_empty() && memory.saves().is_empty() && memory.recall_requests().is_empty());
}

#[tokio::test]
async fn saved_and_unsaved_never_mix() {
    let model = Scripted::new((0..2).map(|_| vec![started(8192), text("ok")]));
    let bus = assistant(&model, &Remembering::new()).await;
    let kept = turn(&bus, say(None, "a")).await;
    let loose = turn(&bus, unsaved(None, "b")).await;
    for (request, word) in [
        (say(Some(loose.conversation()), "c"), "not being saved"),
        (unsaved(Some(kept.conversation()), "c"), "no unsaved conversation"),
        (SendRequest { place: Place::Again(0), ..unsaved(Some(loose.conversation()), "") }, "no versions"),
    ] {
        let failure = turn(&bus, request).await.end.unwrap_err();
        assert_eq!(failure.code, ErrorCode::BadPayload);
        assert!(failure.message.contains(word), "{failure}");
    }
    assert_eq!(model.asked().len(), 2);
}

#[tokio::test]
async fn an_unsaved_answer_that_was_broken_off_stays_in_its_conversation() {
    let model =
        Scripted::new([vec![started(8192), text("half an ans"), Step::Hang], vec![started(8192), text("whole")]]);
    let bus = assistant(&model, &Remembering::new()).await;
    let mut stream = bus.stream::<session::Send>(&unsaved(None, "hi")).await.unwrap();
    let Next::Item(TurnItem::Started { conversation, .. }) = stream.next().await.unwrap() else { panic!() };
    until(&mut stream, is_text).await;
    drop(stream);
    model.dropped.notified().await;
    turn(&bus, unsaved(Some(conversation), "again")).await;
    assert_eq!(model.told(1)[1].1, "half an ans\n[This answer was interrupted here.]");
}
