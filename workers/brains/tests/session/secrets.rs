//! A provider that wants a key: the turn waits for it.

use crate::memory::Remembering;
use crate::model::{Scripted, Step, started, text};
use crate::{assistant, rest, say, until};
use butterfly_api::model::{Cause, ModelError};
use butterfly_api::session::{self, EndReason, StopRequest, TurnItem};
use butterfly_api::vault::SecretChanged;
use butterfly_client::Bus;
use butterfly_wire::catalog;
use std::sync::Arc;

const NAME: &str = "model.api_key";

fn wants_a_key() -> Vec<Step> {
    let why = "The server at 127.0.0.1 asks for a key.";
    let cause = Cause::NeedsSecret { name: NAME.to_owned(), why: why.to_owned() };
    vec![Step::Fail(
        ModelError::new(cause, "A key is missing; set it with `butterfly secret set model.api_key`.").into(),
    )]
}

async fn tell(bus: &Bus, name: &str) {
    let changed = SecretChanged { name: name.to_owned() };
    bus.publish(catalog::vault::ID, catalog::topic::SECRET_CHANGED, &changed).await.unwrap();
}

fn is_need(item: &TurnItem) -> bool {
    matches!(item, TurnItem::NeedsSecret { .. })
}

async fn waiting(scripts: Vec<Vec<Step>>) -> (Arc<Scripted>, Bus, butterfly_client::Stream<session::Send>) {
    let model = Scripted::new(scripts);
    let bus = assistant(&model, &Remembering::new()).await;
    let mut stream = bus.stream::<session::Send>(&say(None, "hi")).await.unwrap();
    let TurnItem::NeedsSecret { name, why } = until(&mut stream, is_need).await else { panic!("no need") };
    assert_eq!((name.as_str(), why.contains("asks for a key")), (NAME, true));
    (model, bus, stream)
}

#[tokio::test]
async fn the_turn_goes_on_when_the_secret_is_set_and_asks_again_if_it_was_wrong() {
    let (model, bus, mut stream) = waiting(vec![wants_a_key(), wants_a_key(), vec![started(0), text("ok")]]).await;
    tell(&bus, "another").await;
    tell(&bus, NAME).await;
    until(&mut stream, is_need).await;
    assert_eq!(model.asked().len(), 2, "another secret is no reason to ask");
    tell(&bus, NAME).await;
    let seen = rest(stream).await;
    assert!(seen.end.is_ok());
    assert_eq!((seen.text().as_str(), model.asked().len()), ("ok", 3));
}

#[tokio::test]
async fn a_turn_that_waits_for_a_secret_can_be_stopped() {
    let (model, bus, stream) = waiting(vec![wants_a_key()]).await;
    assert!(bus.call::<session::Stop>(&StopRequest { conversation: 1 }).await.unwrap().was_running);
    assert_eq!(rest(stream).await.end.unwrap().reason, EndReason::Stopped);
    assert_eq!(model.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_never_comes_ends_the_turn_with_the_models_own_words() {
    let (_, _bus, stream) = waiting(vec![wants_a_key()]).await;
    let failure = rest(stream).await.end.unwrap_err();
    assert!(failure.message.contains("butterfly secret set"), "{failure}");
}
