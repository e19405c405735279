//! Another embedding model.

use crate::bench::{AMPLE, Bench, home};
use tokio::sync::Semaphore;

#[tokio::test]
async fn another_model_fills_while_the_first_serves() {
    let home = home();
    let bench = Bench::over(home.path());
    let texts: Vec<String> = (0..100).map(|n| format!("passage number{n}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    bench.say(1, &texts).await;
    bench.settle().await;
    bench.model.now(|model| model.name = "other".to_owned());
    bench.say(2, &["something new"]).await;
    // One answer shows the change; the work for it is held up.
    bench.model.permits.forget_permits(Semaphore::MAX_PERMITS);
    bench.model.permits.add_permits(1);
    let mut degraded = None;
    while degraded.is_none() {
        tokio::task::yield_now().await;
        degraded = bench.index.status().await.unwrap().degraded;
    }
    let degraded = degraded.unwrap();
    assert!(degraded.contains("other") && degraded.contains("words"), "{degraded}");
    bench.model.permits.add_permits(1);
    let vector = bench.index.query_vector(&bench.bus, "passage number7", AMPLE).await;
    // The permit may have gone to the background; then the next one is ours.
    bench.model.permits.add_permits(Semaphore::MAX_PERMITS / 2);
    let vector = match vector {
        Ok(vector) => vector,
        Err(_) => bench.index.query_vector(&bench.bus, "passage number7", AMPLE).await.unwrap(),
    };
    assert_eq!(vector.len(), 32, "the first model's");
    assert_eq!(bench.settle().await, None);
    let status = bench.index.status().await.unwrap();
    assert_eq!((status.model.as_str(), status.dimensions, status.vectors), ("other", 24, 101));
    assert_eq!(status.degraded, None);
    assert_eq!(bench.find("something new").await.unwrap()[0], 101);
    let tables: Vec<_> = std::fs::read_dir(home.path().join("vectors")).unwrap().collect();
    assert_eq!(tables.len(), 1, "the first model's table is gone");
}

#[tokio::test]
async fn when_the_first_model_is_gone_the_new_one_finds_what_it_has() {
    let home = home();
    let bench = Bench::over(home.path());
    bench.say(1, &["one", "two"]).await;
    bench.settle().await;
    bench.model.now(|model| {
        model.name = "other".to_owned();
        model.only_itself = true;
    });
    // The question shows that the model is gone; which one makes vectors now is asked, and all is made again.
    assert!(bench.find("one").await.is_err());
    assert_eq!(bench.settle().await, None);
    assert_eq!(bench.find("one").await.unwrap().len(), 2);
    assert_eq!(bench.index.status().await.unwrap().model, "other");
}

#[tokio::test]
async fn a_model_that_changes_its_length_under_its_name_is_another_one() {
    let home = home();
    let bench = Bench::over(home.path());
    bench.say(1, &["one", "two"]).await;
    bench.settle().await;
    bench.model.now(|model| model.dimensions = 40);
    bench.say(1, &["three"]).await;
    assert_eq!(bench.settle().await, None);
    let status = bench.index.status().await.unwrap();
    assert_eq!((status.dimensions, status.vectors), (40, 3));
    assert_eq!(bench.find("three").await.unwrap().len(), 3);
}
