//! What no longer fits the model's context.

use crate::model::{Scripted, Step, started, text, usage};
use crate::{Seen, brains_asking, say, turn};
use butterfly_api::model::{Cause, ChatEnd, Finish, ModelError};
use butterfly_client::Bus;
use butterfly_wire::ErrorCode;
use std::sync::Arc;

/// A question of about 600 tokens.
fn question(number: usize) -> String {
    format!("{number}{}", " word".repeat(420))
}

/// A conversation of `turns` such turns with a model whose context is large, then one more with `last`.
async fn after(turns: usize, last: Vec<Vec<Step>>) -> (Bus, Arc<Scripted>, Seen) {
    let before = (0..turns).map(|_| vec![started(32_768), text("ok")]);
    let model = Scripted::new(before.chain(last));
    let bus = brains_asking(&model);
    let mut conversation = None;
    for number in 0..turns {
        let seen = turn(&bus, say(conversation, &question(number))).await;
        assert_eq!(seen.notices(), [""; 0], "all fits so far");
        conversation = Some(seen.conversation());
    }
    let seen = turn(&bus, say(conversation, "and now?")).await;
    (bus, model, seen)
}

fn exceeded(limit_tokens: u32) -> Step {
    Step::Fail(ModelError::new(Cause::ContextExceeded { limit_tokens }, "The conversation is too long.").into())
}

#[tokio::test]
async fn smaller_context_than_needed_leaves_out_the_oldest_turns_and_says_how_many() {
    let small = || vec![started(4096), text("short")];
    let (bus, model, seen) = after(8, vec![small(), small(), small()]).await;
    assert_eq!(seen.text(), "short");
    // The attempt that showed the context's size was ended without its text being forwarded.
    assert_eq!(model.asked().len(), 8 + 2);
    let kept = (model.told(9).len() - 1) / 2;
    assert!((1..8).contains(&kept), "{kept} turns kept");
    assert_eq!(
        seen.notices(),
        [format!("{} earlier turns no longer fit the model's context; it answers without them.", 8 - kept)]
    );
    assert!(model.told(9)[0].1.starts_with(&format!("{} word", 8 - kept)), "the newest are kept");
    assert_eq!(model.told(9).last().map(|(_, text)| text.as_str()), Some("and now?"));
    // The next turn knows, asks once, and says it again: it is never silent.
    let next = turn(&bus, say(Some(seen.conversation()), "more")).await;
    assert_eq!(model.asked().len(), 8 + 3);
    assert_eq!(next.notices().len(), 1);
    assert!(next.notices()[0].starts_with(&format!("{} earlier turns", 8 - kept)));
}

#[tokio::test]
async fn refusal_for_length_is_answered_once_with_a_shorter_history() {
    let (_, model, seen) = after(8, vec![vec![exceeded(4096)], vec![started(4096), text("short")]]).await;
    assert_eq!(seen.text(), "short");
    assert!(model.told(9).len() < model.told(8).len());
    assert_eq!(seen.notices().len(), 1);
}

#[tokio::test]
async fn second_refusal_for_length_is_passed_on() {
    let (_, model, seen) = after(8, vec![vec![exceeded(0)], vec![exceeded(0)]]).await;
    let failure = seen.end.unwrap_err();
    assert_eq!(failure.code, ErrorCode::Declared);
    assert!(matches!(ModelError::from_failure(&failure).unwrap().cause, Cause::ContextExceeded { .. }));
    assert_eq!(model.asked().len(), 8 + 2);
}

#[tokio::test]
async fn refusal_without_any_history_is_passed_on_at_once() {
    let model = Scripted::new([vec![exceeded(2048)]]);
    let seen = turn(&brains_asking(&model), say(None, "hi")).await;
    assert_eq!(seen.end.unwrap_err().code, ErrorCode::Declared);
    assert_eq!(model.asked().len(), 1);
}

#[tokio::test]
async fn message_that_alone_is_too_long_is_answered_with_a_warning() {
    let model = Scripted::new([vec![started(512), text("ok")]]);
    let seen = turn(&brains_asking(&model), say(None, &question(0))).await;
    assert_eq!(seen.text(), "ok");
    assert!(seen.notices()[0].contains("512 tokens"), "{:?}", seen.notices());
}

#[tokio::test]
async fn models_own_count_corrects_the_estimate_of_the_next_turn() {
    // The model counts three times as many tokens as English has: by its count the second turn does not fit.
    let counted = |tokens| Step::End(ChatEnd { finish: Finish::Stop, usage: usage(tokens, 1) });
    let model = Scripted::new([
        vec![started(4096), text("ok"), counted(2000)],
        vec![started(4096), text("ok"), counted(3000)],
        vec![started(4096)],
        vec![started(4096), text("short"), counted(1000)],
    ]);
    let bus = brains_asking(&model);
    let first = turn(&bus, say(None, &question(0))).await;
    assert_eq!(first.notices(), [""; 0]);
    let second = turn(&bus, say(Some(first.conversation()), "brief")).await;
    assert_eq!(second.notices(), [""; 0]);
    let third = turn(&bus, say(Some(first.conversation()), &question(1))).await;
    assert_eq!(third.text(), "short");
    assert_eq!(third.notices(), ["2 earlier turns no longer fit the model's context; it answers without them."]);
}

#[tokio::test]
async fn context_is_asked_for_only_when_the_model_worker_cannot_choose_it() {
    let long = "word ".repeat(25_000);
    let model =
        Scripted::new([vec![started(8192), text("ok")], vec![exceeded(32_768)], vec![started(32_768), text("ok")]]);
    let bus = brains_asking(&model);
    let first = turn(&bus, say(None, "hi")).await;
    let second = turn(&bus, say(Some(first.conversation()), &long)).await;
    assert_eq!(second.text(), "ok");
    let asked: Vec<_> = model.asked().iter().map(|request| request.context_tokens).collect();
    assert_eq!(asked, [None, Some(32_768), Some(32_768)]);
}
