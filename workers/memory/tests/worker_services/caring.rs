//! Care that nobody asks for, on a clock of the test's own.

use crate::fresh;
use crate::talking::exchange;
use butterfly_api::storage::{GetStats, Retain, Vacuum};
use butterfly_store::settings::Edit;
use butterfly_store::{forget, notes};
use std::sync::Arc;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn files_are_rewritten_once_nobody_has_stored_anything_for_a_while() {
    let (folder, served) = fresh();
    let begun = exchange(&served.bus, 1, None, "my secret is zorbulantic", "noted").await;
    exchange(&served.bus, 2, None, "another thing", "noted").await;
    let job = tokio::spawn(Arc::clone(&served.care).run(Arc::clone(&served.config)));
    let turn = i64::try_from(begun.turn).unwrap();
    served.core.write(move |db| forget::forget(db, &[turn], &[], false)).await.unwrap();
    // Whoever stores something puts it off.
    for key in 10..15 {
        tokio::time::sleep(Duration::from_secs(100)).await;
        exchange(&served.bus, key, None, "busy", "yes").await;
        assert!(served.core.read(|db| notes::get::<i64>(db, notes::FORGOTTEN)).await.unwrap().is_some());
    }
    while served.core.read(|db| notes::get::<i64>(db, notes::FORGOTTEN)).await.unwrap().is_some() {
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(11).any(|window| window == b"zorbulantic"), "{}", path.display());
        }
    }
    assert!(served.bus.call::<GetStats>(&()).await.unwrap().last_vacuum_unix_ms.is_some());
    job.abort();
}

#[tokio::test(start_paused = true)]
async fn new_limit_is_put_in_force_at_once_and_reported() {
    let (_folder, served) = fresh();
    exchange(&served.bus, 1, None, "said today", "yes").await;
    let old = butterfly_store::passages::Note {
        text: "noted long ago".to_owned(),
        speaker: String::new(),
        tags: vec![],
        conversation: None,
        source: None,
        at_ms: 1_000,
    };
    served.core.write(move |db| butterfly_store::passages::add(db, &old)).await.unwrap();
    let job = tokio::spawn(Arc::clone(&served.care).run(Arc::clone(&served.config)));
    tokio::time::sleep(Duration::from_secs(60)).await;
    let stats = |served: &crate::Served| {
        let bus = served.bus.clone();
        async move { bus.call::<GetStats>(&()).await.unwrap() }
    };
    while stats(&served).await.last_retention.is_none() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(stats(&served).await.memories, 1, "0 days keep everything");
    let edit = Edit::Set { profile: None, key: "memory.retention_days".to_owned(), value: "30".to_owned() };
    let config = Arc::clone(&served.config);
    tokio::task::spawn_blocking(move || config.apply(&[edit])).await.unwrap().unwrap();
    while stats(&served).await.memories > 0 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let report = stats(&served).await.last_retention.unwrap();
    assert_eq!((report.passages, report.conversations), (1, 0));
    assert_eq!(served.bus.call::<Retain>(&()).await.unwrap().passages, 0);
    let vacuumed = served.bus.call::<Vacuum>(&()).await.unwrap();
    assert!(vacuumed.bytes_after > 0);
    job.abort();
}
