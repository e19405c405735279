//! What is deleted leaves the disk, and many small changes do not fill it.

use crate::model::DIMENSIONS;
use crate::suite::clustered;
use crate::{coarse, run, small};
use butterfly_vectors::lance::Tuning;
use butterfly_vectors::{Lance, Row, VectorStore, VectorStores};
use std::path::Path;
use std::sync::Arc;

/// A direction that no other row has and whose bytes can be searched for: all but the first two numbers are 0.
fn marked(n: i64) -> Vec<f32> {
    let mut vector = vec![0.0; DIMENSIONS];
    let angle = 0.1 + n as f32 * 0.01;
    (vector[0], vector[1]) = (angle.cos(), angle.sin());
    vector
}

/// Whether any file below holds these bytes.
fn holds(folder: &Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, bytes);
        }
        std::fs::read(&path).unwrap().windows(bytes.len()).any(|window| window == bytes)
    })
}

fn bytes_of(vector: &[f32]) -> Vec<u8> {
    let length = vector.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    vector[..2].iter().flat_map(|value| ((f64::from(*value) / length) as f32).to_le_bytes()).collect()
}

async fn fill(store: &Arc<dyn VectorStore>, count: usize) {
    for (batch, vectors) in clustered(3, count, DIMENSIONS).chunks(50).enumerate() {
        let row = |(n, vector): (usize, &Vec<f32>)| Row {
            id: (batch * 50 + n) as i64,
            conversation: 1,
            vector: vector.clone(),
        };
        store.put(vectors.iter().enumerate().map(row).collect()).await.unwrap();
    }
}

fn purge_leaves_no_bytes(tuning: Tuning, index: &str) {
    let home = tempfile::tempdir().unwrap();
    run(async {
        let stores = Lance::tuned(home.path(), tuning);
        let store = stores.open("t", DIMENSIONS).await.unwrap();
        let row = |n: i64| Row { id: 10_000 + n, conversation: 2, vector: marked(n) };
        // Some among many, some in a file of their own, some that the index has yet to learn of.
        store.put((0..3).map(row).collect()).await.unwrap();
        fill(&store, 600).await;
        store.optimize().await.unwrap();
        store.put((3..6).map(row).collect()).await.unwrap();
        assert_eq!(store.summary().await.unwrap().index, index);
        for n in 0..6 {
            assert!(holds(home.path(), &bytes_of(&marked(n))), "{n} is on disk while it is there");
        }
        store.delete(vec![10_000, 10_003, 10_004]).await.unwrap();
        store.put(vec![Row { id: 10_001, conversation: 2, vector: marked(50) }]).await.unwrap();
        store.purge().await.unwrap();
        for n in [0, 1, 3, 4] {
            assert!(!holds(home.path(), &bytes_of(&marked(n))), "{n} is in a file yet");
        }
        for n in [2, 5, 50] {
            assert!(holds(home.path(), &bytes_of(&marked(n))), "{n} was kept");
        }
        let found = store.nearest(marked(5), 1, None).await.unwrap();
        assert_eq!(found[0].id, 10_005);
    });
}

#[test]
fn purge_leaves_no_bytes_of_what_was_deleted() {
    purge_leaves_no_bytes(Tuning::default(), "flat");
}

#[test]
fn purge_leaves_no_bytes_of_what_was_held_in_bytes() {
    purge_leaves_no_bytes(coarse(), "flat_sq");
}

#[test]
fn purge_leaves_no_bytes_in_the_index() {
    purge_leaves_no_bytes(small(), "ivf_sq");
}

#[test]
fn purge_of_everything_leaves_an_empty_table() {
    let home = tempfile::tempdir().unwrap();
    run(async {
        let store = Lance::tuned(home.path(), small()).open("t", DIMENSIONS).await.unwrap();
        fill(&store, 600).await;
        store.delete((0..600).collect()).await.unwrap();
        store.purge().await.unwrap();
        let about = store.summary().await.unwrap();
        assert_eq!(about.rows, 0);
        assert!(about.bytes < 20_000, "{} bytes are left", about.bytes);
        fill(&store, 600).await;
        assert_eq!(store.nearest(vec![1.0; DIMENSIONS], 5, Some(1)).await.unwrap().len(), 5);
    });
}

#[test]
fn single_rows_do_not_fill_the_disk() {
    let home = tempfile::tempdir().unwrap();
    run(async {
        let store = Lance::new(home.path()).open("t", DIMENSIONS).await.unwrap();
        let mut most = 0;
        for (n, vector) in clustered(5, 300, DIMENSIONS).into_iter().enumerate() {
            store.put(vec![Row { id: n as i64, conversation: 1, vector }]).await.unwrap();
            most = most.max(store.summary().await.unwrap().bytes);
        }
        // 64 changes leave about 5 kB each, and a merge as much as it reads; 300 of them would be more than 1.5 MB.
        assert!(most < 800_000, "{most} bytes at the most");
        store.optimize().await.unwrap();
        assert!(store.summary().await.unwrap().bytes < 40_000);
    });
}
