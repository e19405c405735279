//! What is embedded, and found again.

use crate::bench::{Bench, home};
use std::time::Duration;

#[tokio::test]
async fn passages_are_embedded_with_what_stands_beside_them_and_found() {
    let home = home();
    let bench = Bench::over(home.path());
    let said = bench.say(1, &["When do you move to Lisbon?", "In May, by train", "The cat comes too"]).await;
    bench.say(2, &["Bread needs salt"]).await;
    assert_eq!(bench.settle().await, None);
    let window =
        "user: In May, by train\nuser: When do you move to Lisbon?\nuser: In May, by train\nuser: The cat comes too";
    assert!(bench.model.texts().contains(&window.to_owned()), "{:?}", bench.model.texts());
    assert_eq!(bench.find("bread salt").await.unwrap()[0], 4);
    assert_eq!(bench.find_in("bread salt", Some(1)).await.unwrap().len(), 3);
    assert_eq!(bench.find("When do you move to Lisbon?").await.unwrap()[0], said[0]);
    let status = bench.index.status().await.unwrap();
    assert_eq!((status.model.as_str(), status.dimensions, status.vectors, status.waiting), ("words", 32, 4, 0));
    assert_eq!((status.index.as_str(), status.degraded), ("flat", None));
    assert!(status.bytes > 0);
}

#[tokio::test]
async fn a_successor_changes_its_predecessors_vector() {
    let home = home();
    let bench = Bench::over(home.path());
    bench.say(1, &["first words"]).await;
    bench.settle().await;
    bench.say(1, &["later words"]).await;
    bench.settle().await;
    let texts = bench.model.texts();
    assert_eq!(texts[0], "user: first words");
    assert!(texts[1..].contains(&"user: first words\nuser: first words\nuser: later words".to_owned()), "{texts:?}");
    bench.say(1, &[]).await;
    bench.settle().await;
    assert_eq!(bench.model.texts().len(), texts.len(), "nothing is asked for twice");
}

#[tokio::test]
async fn many_passages_are_found_through_the_index() {
    let home = home();
    let bench = Bench::over(home.path());
    for conversation in 1..=8 {
        let texts: Vec<String> = (0..64).map(|n| format!("subject{conversation} thing{} way{n}", n / 8)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        bench.say(conversation, &texts).await;
    }
    assert_eq!(bench.settle().await, None);
    let status = bench.index.status().await.unwrap();
    assert_eq!((status.vectors, status.index.as_str()), (512, "ivf_sq"));
    let found = bench.find("subject3 thing2 way17").await.unwrap();
    assert_eq!(found.len(), 5);
    let of = bench.find_in("subject3 thing2 way17", Some(5)).await.unwrap();
    assert!(of.iter().all(|id| (257..=320).contains(id)), "{of:?}");
}

#[tokio::test]
async fn what_is_deleted_is_found_no_more_and_leaves_the_disk() {
    let home = home();
    let bench = Bench::over(home.path());
    let said = bench.say(1, &["the secret plan", "and how it ends"]).await;
    bench.settle().await;
    bench.sql(&format!("DELETE FROM passages WHERE id = {}", said[1])).await;
    bench.index.forget(vec![said[1]]).await.unwrap();
    assert_eq!(bench.find("how it ends").await.unwrap(), [said[0]]);
    assert_eq!(bench.settle().await, None);
    assert_eq!(bench.model.texts().last().unwrap(), "user: the secret plan", "its neighbour is made again without it");
    bench.index.vacuum().await.unwrap();
    assert_eq!(bench.index.status().await.unwrap().vectors, 1);
    assert_eq!(bench.find("how it ends").await.unwrap(), [said[0]]);
}

#[tokio::test]
async fn a_question_is_asked_once() {
    let home = home();
    let bench = Bench::over(home.path());
    bench.say(1, &["one", "two"]).await;
    bench.settle().await;
    for _ in 0..3 {
        bench.find("which one?").await.unwrap();
    }
    assert_eq!(bench.model.questions(), 1);
    assert!(bench.find("  ").await.is_err());
    assert_eq!(bench.model.questions(), 1);
}

#[tokio::test]
async fn a_question_that_takes_too_long_is_given_up_and_not_asked_at_once_again() {
    let home = home();
    let bench = Bench::over(home.path());
    bench.say(1, &["one"]).await;
    bench.settle().await;
    bench.model.permits.forget_permits(tokio::sync::Semaphore::MAX_PERMITS);
    let short = Duration::from_millis(20);
    let why = bench.index.query_vector(&bench.bus, "one?", short).await.unwrap_err();
    assert!(why.contains("try again"), "{why}");
    let again = bench.index.query_vector(&bench.bus, "two?", short).await.unwrap_err();
    assert_eq!(again, why);
    assert_eq!(bench.model.questions(), 1);
}

#[tokio::test]
async fn without_memory_nothing_is_embedded_but_deletions_are_done() {
    let home = home();
    let bench = Bench::over(home.path());
    let said = bench.say(1, &["one", "two"]).await;
    bench.settle().await;
    let asked = bench.model.texts().len();
    bench.set("memory.enabled", "false");
    bench.say(1, &["three"]).await;
    bench.sql(&format!("DELETE FROM messages WHERE id = {0}; DELETE FROM passages WHERE id = {0}", said[1] + 1)).await;
    bench.say(2, &["four"]).await;
    assert_eq!(bench.settle().await, None);
    assert_eq!(bench.model.texts().len(), asked);
    assert!(bench.find("one").await.unwrap_err().contains("memory.enabled"));
    let status = bench.index.status().await.unwrap();
    assert!(status.degraded.unwrap().contains("memory.enabled"));
    bench.set("memory.enabled", "true");
    assert_eq!(bench.settle().await, None);
    assert_eq!(bench.index.status().await.unwrap().vectors, 3);
}
