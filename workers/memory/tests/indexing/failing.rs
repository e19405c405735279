//! A model that is away, refuses, or raves.

use crate::bench::{Bench, home};
use butterfly_api::model::Cause;

#[tokio::test]
async fn without_a_model_it_says_why_and_back_fills_later() {
    let home = home();
    let bench = Bench::over(home.path());
    bench.model.now(|model| model.fails = Some(Cause::ServerNotRunning));
    bench.say(1, &["one", "two"]).await;
    let why = bench.settle().await.expect("something waits");
    assert!(why.contains("ask it later"), "{why}");
    let status = bench.index.status().await.unwrap();
    assert_eq!((status.waiting, status.vectors, status.degraded.as_ref()), (2, 0, Some(&why)));
    assert_eq!(bench.find("one").await.unwrap_err(), why);
    bench.model.now(|model| model.fails = None);
    assert_eq!(bench.settle().await, None);
    assert_eq!(bench.find("one").await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_changed_setting_has_it_tried_at_once() {
    let home = home();
    let bench = Bench::over(home.path());
    bench.model.now(|model| model.fails = Some(Cause::ServerNotRunning));
    bench.say(1, &["one"]).await;
    assert!(bench.settle().await.is_some());
    bench.model.now(|model| model.fails = None);
    bench.set("model.embedding", "words");
    while bench.index.status().await.unwrap().vectors == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn deletions_do_not_wait_for_a_model() {
    let home = home();
    let bench = Bench::over(home.path());
    let said = bench.say(1, &["one", "two"]).await;
    bench.settle().await;
    bench.model.now(|model| model.fails = Some(Cause::OutOfMemory));
    bench.sql(&format!("DELETE FROM passages WHERE id = {}", said[1])).await;
    assert!(bench.settle().await.is_some(), "the neighbour waits");
    assert_eq!(bench.index.status().await.unwrap().vectors, 1);
}

#[tokio::test]
async fn a_text_that_no_model_takes_does_not_hold_up_the_others() {
    let home = home();
    let bench = Bench::over(home.path());
    bench.model.now(|model| model.chokes_on = Some("poison"));
    // Each alone, so that nobody has it for a neighbour.
    for (conversation, text) in ["one", "two", "the poison itself", "three", "four"].into_iter().enumerate() {
        bench.say(conversation as i64 + 1, &[text]).await;
    }
    assert_eq!(bench.settle().await, None);
    assert_eq!(bench.index.status().await.unwrap().vectors, 4);
    assert_eq!(bench.find("two").await.unwrap()[0], 2);
}

#[tokio::test]
async fn a_text_that_is_too_long_is_embedded_by_its_beginning() {
    let home = home();
    let bench = Bench::over(home.path());
    bench.model.now(|model| model.chokes_on = Some("overlong"));
    let long = format!("the beginning {} overlong", "and so on ".repeat(100));
    bench.say(1, &[&long]).await;
    assert_eq!(bench.settle().await, None);
    assert_eq!(bench.find("the beginning").await.unwrap(), [1]);
}

#[tokio::test]
async fn a_vector_that_is_not_one_is_not_kept() {
    let home = home();
    let bench = Bench::over(home.path());
    bench.model.now(|model| model.raves_about = Some("moon"));
    bench.say(1, &["one"]).await;
    bench.say(2, &["the moon"]).await;
    assert_eq!(bench.settle().await, None);
    assert_eq!(bench.index.status().await.unwrap().vectors, 1);
    assert_eq!(bench.find("one").await.unwrap(), [1]);
    assert!(bench.find("the moon").await.is_err());
}
