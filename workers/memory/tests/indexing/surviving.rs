//! Kills, losses and damage.

use crate::bench::{Bench, home};
use std::path::{Path, PathBuf};
use tokio::sync::Semaphore;

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[tokio::test]
async fn whatever_is_interrupted_is_done_again() {
    let home = home();
    let mut bench = Bench::over(home.path());
    let texts: Vec<String> = (0..200).map(|n| format!("passage number{n}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    bench.say(1, &texts).await;
    // Each life may make some batches and is then killed in the middle of another.
    for batches in [0, 1, 2] {
        bench.model.permits.forget_permits(Semaphore::MAX_PERMITS);
        bench.model.permits.add_permits(batches);
        let before = bench.model.asked.lock().unwrap().len();
        while bench.model.asked.lock().unwrap().len() <= before + batches {
            tokio::task::yield_now().await;
        }
        let model = bench.killed().await;
        bench = Bench::asking(home.path(), model);
    }
    bench.model.permits.add_permits(Semaphore::MAX_PERMITS / 2);
    assert_eq!(bench.settle().await, None);
    let status = bench.index.status().await.unwrap();
    assert_eq!((status.vectors, status.waiting), (200, 0));
    assert_eq!(bench.find("passage number77").await.unwrap().len(), 5);
}

#[tokio::test]
async fn a_deleted_vector_store_is_made_again() {
    let home = home();
    let bench = Bench::over(home.path());
    bench.say(1, &["one", "two"]).await;
    bench.settle().await;
    let model = bench.killed().await;
    std::fs::remove_dir_all(home.path().join("vectors")).unwrap();
    let bench = Bench::asking(home.path(), model);
    // The first search shows it.
    let _ = bench.find("one").await;
    assert_eq!(bench.settle().await, None);
    assert_eq!(bench.find("one").await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_damaged_vector_store_is_made_again() {
    let home = home();
    let bench = Bench::over(home.path());
    bench.say(1, &["one", "two"]).await;
    bench.settle().await;
    let model = bench.killed().await;
    for file in files(&home.path().join("vectors")) {
        std::fs::write(file, b"garbage").unwrap();
    }
    let bench = Bench::asking(home.path(), model);
    let why = bench.find("one").await.unwrap_err();
    assert!(why.contains("damaged"), "{why}");
    assert_eq!(bench.settle().await, None);
    assert_eq!(bench.find("one").await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_vector_store_that_lost_its_last_changes_is_made_again() {
    let home = home();
    let bench = Bench::over(home.path());
    bench.say(1, &["one"]).await;
    bench.settle().await;
    let copy = tempfile::tempdir().unwrap();
    let copied = copy.path().join("vectors");
    copy_all(&home.path().join("vectors"), &copied);
    bench.say(1, &["two"]).await;
    bench.settle().await;
    let model = bench.killed().await;
    // As after a loss of power: the database is ahead.
    std::fs::remove_dir_all(home.path().join("vectors")).unwrap();
    copy_all(&copied, &home.path().join("vectors"));
    let bench = Bench::asking(home.path(), model);
    let _ = bench.find("two").await;
    assert_eq!(bench.settle().await, None);
    assert_eq!(bench.find("two").await.unwrap().len(), 2);
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_all(&path, &target);
        } else {
            std::fs::copy(&path, target).unwrap();
        }
    }
}

#[tokio::test]
async fn vectors_of_passages_that_went_while_nobody_looked_go_too() {
    let home = home();
    let bench = Bench::over(home.path());
    let said = bench.say(1, &["one", "two", "three"]).await;
    bench.settle().await;
    bench.killed().await;
    // A restored copy of the database: it knows nothing of what the vector store holds.
    let store = butterfly_store::Store::open(home.path()).unwrap();
    store
        .write(|db| {
            use diesel::connection::SimpleConnection;
            Ok(db.batch_execute(&format!(
                "DELETE FROM passages WHERE id = {0}; DELETE FROM embedded WHERE passage_id = {0};
                 DELETE FROM vector_outbox",
                said[2]
            ))?)
        })
        .unwrap();
    drop(store);
    let bench = Bench::over(home.path());
    let _ = bench.find("three").await;
    assert_eq!(bench.settle().await, None);
    let found = bench.find("three").await.unwrap();
    assert_eq!(found.len(), 2, "{found:?}");
    bench.index.vacuum().await.unwrap();
}
