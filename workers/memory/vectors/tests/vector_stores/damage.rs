//! A damaged store says so, and can be thrown away and made again.

use crate::model::DIMENSIONS;
use crate::suite::clustered;
use crate::{run, small};
use butterfly_vectors::{Lance, Row, VectorError, VectorStores};
use std::path::{Path, PathBuf};

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

async fn fill(stores: &dyn VectorStores) {
    let store = stores.open("t", DIMENSIONS).await.unwrap();
    let row = |(n, vector)| Row { id: n as i64, conversation: 1, vector };
    store.put(clustered(3, 600, DIMENSIONS).into_iter().enumerate().map(row).collect()).await.unwrap();
    store.optimize().await.unwrap();
}

/// Opens and searches.
async fn try_all(stores: &dyn VectorStores) -> Result<usize, VectorError> {
    let store = stores.open("t", DIMENSIONS).await?;
    Ok(store.nearest(vec![1.0; DIMENSIONS], 5, None).await?.len())
}

/// Harm is done to every file in turn. Each time the store says that it is damaged, or all is as it was: what was harmed
/// is no longer needed.
fn harm_is_told(harm: impl Fn(&Path)) {
    run(async {
        let home = tempfile::tempdir().unwrap();
        let stores = Lance::tuned(home.path(), small());
        fill(&stores).await;
        let count = files(home.path()).len();
        assert!(count >= 4, "rows, index and manifest");
        let mut told = 0;
        for n in 0..count {
            stores.remove("t").await.unwrap();
            fill(&stores).await;
            let mut all = files(home.path());
            all.sort();
            let Some(file) = all.get(n) else { continue };
            harm(file);
            match try_all(&stores).await {
                Err(VectorError::Damaged(_)) => told += 1,
                Ok(5 | 0) => {}
                other => panic!("{}: {other:?}", file.display()),
            }
            stores.remove("t").await.unwrap();
            fill(&stores).await;
            assert_eq!(try_all(&stores).await.unwrap(), 5, "made again");
        }
        assert!(told >= 2, "{told} of {count} were told");
    });
}

#[test]
fn cut_off_files_are_told() {
    harm_is_told(|file| {
        let half = std::fs::metadata(file).unwrap().len() / 2;
        std::fs::File::options().write(true).open(file).unwrap().set_len(half).unwrap();
    });
}

#[test]
fn missing_files_are_told() {
    harm_is_told(|file| std::fs::remove_file(file).unwrap());
}

#[test]
fn a_deleted_store_is_an_empty_one() {
    run(async {
        let home = tempfile::tempdir().unwrap();
        let stores = Lance::tuned(home.path(), small());
        fill(&stores).await;
        std::fs::remove_dir_all(home.path().join("t.lance")).unwrap();
        assert_eq!(try_all(&stores).await.unwrap(), 0);
    });
}

#[test]
fn a_file_in_place_of_the_folder_is_told() {
    run(async {
        let home = tempfile::tempdir().unwrap();
        let place = home.path().join("vectors");
        std::fs::write(&place, "no folder").unwrap();
        assert!(try_all(&Lance::new(&place)).await.is_err());
    });
}
