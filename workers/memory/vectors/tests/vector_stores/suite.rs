//! The suite. Every claim is made of a fresh folder of tables.

use crate::model::{DIMENSIONS, Model};
use crate::run;
use butterfly_vectors::{Row, VectorError, VectorStores};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

type Fresh<'a> = &'a dyn Fn() -> Box<dyn VectorStores>;

/// One thing done to a store.
#[derive(Debug, Clone)]
enum Step {
    Put(Vec<(i64, i64, Vec<f32>)>),
    Delete(Vec<i64>),
    Search { vector: Vec<f32>, k: usize, conversation: Option<i64> },
    Reopen,
    Optimize,
    Purge,
}

pub fn all(fresh: Fresh) {
    any_history_ends_as_the_model_does(fresh);
    many_rows_are_found_again(fresh);
    nonsense_is_refused_and_changes_nothing(fresh);
    tables_are_apart(fresh);
}

/// A vector that has a direction.
fn direction() -> impl Strategy<Value = Vec<f32>> {
    vec(-1.0f32..1.0, DIMENSIONS).prop_filter("it has a direction", |v| v.iter().map(|x| x * x).sum::<f32>() > 0.01)
}

fn step() -> impl Strategy<Value = Step> {
    // Few ids, so that rows are replaced and deleted often.
    let row = (0i64..60, 0i64..4, direction());
    prop_oneof![
        6 => vec(row, 1..20).prop_map(Step::Put),
        2 => vec(0i64..60, 1..10).prop_map(Step::Delete),
        4 => (direction(), 0usize..12, proptest::option::of(0i64..5))
            .prop_map(|(vector, k, conversation)| Step::Search { vector, k, conversation }),
        1 => Just(Step::Reopen),
        1 => Just(Step::Optimize),
        1 => Just(Step::Purge),
    ]
}

fn any_history_ends_as_the_model_does(fresh: Fresh) {
    // Each case opens tables on disk; these many take seconds and reach every pair of steps.
    let mut runner = TestRunner::new(Config { cases: 12, failure_persistence: None, ..Config::default() });
    let ran = runner.run(&vec(step(), 1..40), |steps| {
        run(follow(&*fresh(), steps));
        Ok(())
    });
    if let Err(failure) = ran {
        panic!("{failure}");
    }
}

async fn follow(stores: &dyn VectorStores, steps: Vec<Step>) {
    let mut model = Model::default();
    let mut store = stores.open("t", DIMENSIONS).await.unwrap();
    let mut version = store.summary().await.unwrap().version;
    for step in steps {
        match step {
            Step::Put(rows) => {
                let rows: Vec<Row> =
                    rows.into_iter().map(|(id, conversation, vector)| Row { id, conversation, vector }).collect();
                rows.iter().for_each(|row| model.put(row));
                store.put(rows).await.unwrap();
            }
            Step::Delete(ids) => {
                ids.iter().for_each(|id| model.delete(*id));
                store.delete(ids).await.unwrap();
            }
            Step::Search { vector, k, conversation } => {
                let found = store.nearest(vector.clone(), k, conversation).await.unwrap();
                model.check(&found, &vector, k, conversation);
                let found = store.exact(vector.clone(), k, conversation).await.unwrap();
                model.check(&found, &vector, k, conversation);
            }
            Step::Reopen => {
                drop(store);
                store = stores.open("t", DIMENSIONS).await.unwrap();
            }
            Step::Optimize => store.optimize().await.unwrap(),
            Step::Purge => {
                store.purge().await.unwrap();
            }
        }
        assert_eq!(store.ids().await.unwrap(), model.ids());
        let about = store.summary().await.unwrap();
        assert_eq!(about.rows, model.len() as u64);
        assert!(about.version >= version, "a version never falls");
        version = about.version;
    }
}

/// Directions around a few centres, as texts are: the same for every run.
pub fn clustered(seed: u64, count: usize, dimensions: usize) -> Vec<Vec<f32>> {
    let mut state = seed;
    // Knuth's MMIX generator; its upper bits are good enough here.
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    let centres: Vec<Vec<f32>> = (0..count / 40 + 1).map(|_| (0..dimensions).map(|_| next()).collect()).collect();
    (0..count).map(|n| centres[n % centres.len()].iter().map(|value| value + 0.3 * next()).collect()).collect()
}

/// Enough rows that a store with an index searches with it, before and after it is brought up to date.
fn many_rows_are_found_again(fresh: Fresh) {
    run(async {
        let stores = fresh();
        let store = stores.open("many", DIMENSIONS).await.unwrap();
        let mut model = Model::default();
        let vectors = clustered(7, 2000, DIMENSIONS);
        for (batch, vectors) in vectors.chunks(100).enumerate() {
            let rows: Vec<Row> = vectors
                .iter()
                .enumerate()
                .map(|(n, vector)| Row {
                    id: (batch * 100 + n) as i64,
                    conversation: (n % 7) as i64,
                    vector: vector.clone(),
                })
                .collect();
            rows.iter().for_each(|row| model.put(row));
            store.put(rows).await.unwrap();
        }
        // Some are replaced and some deleted after the index knew them.
        let moved: Vec<Row> =
            (0..50).map(|n| Row { id: n * 3, conversation: 9, vector: vectors[(n * 31) as usize].clone() }).collect();
        moved.iter().for_each(|row| model.put(row));
        store.put(moved).await.unwrap();
        let gone: Vec<i64> = (1000..1100).collect();
        gone.iter().for_each(|id| model.delete(*id));
        store.delete(gone).await.unwrap();
        for round in 0..3 {
            let (mut recalled, mut wanted) = (0, 0);
            for query in clustered(11, 40, DIMENSIONS) {
                let found = store.nearest(query.clone(), 10, None).await.unwrap();
                model.check_sound(&found, &query, 10, None);
                recalled += model.recalled(&found, &query, 10);
                wanted += 10;
                let of_one = store.nearest(query.clone(), 10, Some(9)).await.unwrap();
                model.check(&of_one, &query, 10, Some(9));
                model.check(&store.exact(query.clone(), 10, None).await.unwrap(), &query, 10, None);
            }
            assert!(recalled * 100 >= wanted * 98, "round {round}: {recalled} of {wanted}");
            if round == 0 {
                store.optimize().await.unwrap();
            } else {
                store.purge().await.unwrap();
            }
        }
    });
}

fn nonsense_is_refused_and_changes_nothing(fresh: Fresh) {
    run(async {
        let stores = fresh();
        let store = stores.open("t", DIMENSIONS).await.unwrap();
        let row = |id, vector| Row { id, conversation: 0, vector };
        let one = vec![1.0; DIMENSIONS];
        for nonsense in [vec![1.0; DIMENSIONS - 1], vec![0.0; DIMENSIONS], vec![f32::NAN; DIMENSIONS], Vec::new()] {
            let refused = store.put(vec![row(1, one.clone()), row(2, nonsense.clone())]).await.unwrap_err();
            assert!(matches!(refused, VectorError::Refused(_)), "{refused}");
            let refused = store.nearest(nonsense, 3, None).await.unwrap_err();
            assert!(matches!(refused, VectorError::Refused(_)), "{refused}");
        }
        assert!(store.ids().await.unwrap().is_empty());
        store.put(Vec::new()).await.unwrap();
        store.delete(vec![1, 2, 3]).await.unwrap();
        store.delete(Vec::new()).await.unwrap();
        assert!(store.nearest(one.clone(), 5, None).await.unwrap().is_empty());
        // Of any length, and the greatest and smallest ids.
        store.put(vec![row(i64::MAX, vec![1e-3; DIMENSIONS]), row(i64::MIN, vec![-1e6; DIMENSIONS])]).await.unwrap();
        let found = store.nearest(one, 5, None).await.unwrap();
        assert_eq!(found.iter().map(|near| near.id).collect::<Vec<_>>(), [i64::MAX, i64::MIN]);
        assert!((found[0].similarity - 1.0).abs() < 1e-5 && (found[1].similarity + 1.0).abs() < 1e-5);
    });
}

fn tables_are_apart(fresh: Fresh) {
    run(async {
        let stores = fresh();
        let one = stores.open("one", 4).await.unwrap();
        let two = stores.open("two", DIMENSIONS).await.unwrap();
        one.put(vec![Row { id: 1, conversation: 0, vector: vec![1.0; 4] }]).await.unwrap();
        two.put(vec![Row { id: 2, conversation: 0, vector: vec![1.0; DIMENSIONS] }]).await.unwrap();
        assert_eq!(one.ids().await.unwrap(), [1]);
        drop(one);
        let mut names = stores.names().await.unwrap();
        names.sort();
        assert_eq!(names, ["one", "two"]);
        assert!(matches!(stores.open("one", 5).await.err(), Some(VectorError::Damaged(_))), "another length");
        stores.remove("one").await.unwrap();
        stores.remove("one").await.unwrap();
        assert_eq!(stores.names().await.unwrap(), ["two"]);
        assert!(stores.open("one", 5).await.unwrap().ids().await.unwrap().is_empty());
        assert_eq!(two.ids().await.unwrap(), [2]);
    });
}
