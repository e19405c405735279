//! Claims about what is queued, and when it is done.

use super::*;
use crate::Store;
use crate::testing;
use diesel::connection::SimpleConnection;
use tempfile::TempDir;

/// A store with one conversation of these messages, each following the one before, and nothing queued.
fn talk(texts: &[&str]) -> (TempDir, Store) {
    let (folder, store) = testing::store();
    store
        .write(|db| {
            db.batch_execute("INSERT INTO conversations (id, created_ms, updated_ms) VALUES (1, 0, 0)")?;
            Ok(())
        })
        .unwrap();
    for (n, text) in texts.iter().enumerate() {
        say(&store, n as i64 + 1, (n > 0).then_some(n as i64), text);
    }
    (folder, store)
}

fn say(store: &Store, id: i64, after: Option<i64>, text: &str) {
    let parent = after.map_or("NULL".to_owned(), |id| id.to_string());
    run(
        store,
        &format!(
            "INSERT INTO passages (id, kind, conversation_id, speaker, text, at_ms) VALUES ({id}, 0, 1, 'user', '{text}', 0);
             INSERT INTO messages (id, conversation_id, parent_id, turn_id, part, role, state)
                 VALUES ({id}, 1, {parent}, {id}, -1, 1, 1)"
        ),
    );
}

fn run(store: &Store, sql: &str) {
    store.write(|db| Ok(db.batch_execute(sql)?)).unwrap();
}

fn next(store: &Store) -> Work {
    store.read(|db| take(db, 64)).unwrap()
}

/// Does what is due, as if one model made every vector.
fn work_off(store: &Store) -> i64 {
    let work = next(store);
    store
        .write(|db| {
            let model = models::take_up(db, "m", 3)?;
            let ids: Vec<i64> = work.embed.iter().map(|due| due.passage).collect();
            embedded(db, model.id, 1, &ids, &[])?;
            deleted(db, &work.delete, &work.rows)?;
            Ok(model.id)
        })
        .unwrap()
}

fn ids(work: &Work) -> Vec<i64> {
    let mut ids: Vec<i64> = work.embed.iter().map(|due| due.passage).collect();
    ids.sort_unstable();
    ids
}

fn model(store: &Store) -> models::Model {
    store.read(models::all).unwrap().remove(0)
}

#[test]
fn passages_come_with_their_neighbours() {
    let (_folder, store) = talk(&["one", "two", "three"]);
    let work = next(&store);
    assert_eq!(ids(&work), [1, 2, 3]);
    let two = work.embed.iter().find(|due| due.passage == 2).unwrap();
    assert_eq!(two.before.as_ref().unwrap().text, "one");
    assert_eq!(two.own, Said { speaker: "user".to_owned(), text: "two".to_owned() });
    assert_eq!(two.after.as_ref().unwrap().text, "three");
    assert_eq!(two.conversation, 1);
}

#[test]
fn a_successor_has_its_predecessor_made_again() {
    let (_folder, store) = talk(&["one", "two"]);
    work_off(&store);
    assert!(next(&store).is_empty());
    say(&store, 3, Some(2), "three");
    assert_eq!(ids(&next(&store)), [2, 3]);
    assert!(!model(&store).stale);
    work_off(&store);
    assert!(model(&store).stale, "the old vector of the second is in the files yet");
}

#[test]
fn of_several_that_follow_the_newest_counts() {
    let (_folder, store) = talk(&["one", "two"]);
    say(&store, 3, Some(1), "another");
    let work = next(&store);
    let one = work.embed.iter().find(|due| due.passage == 1).unwrap();
    assert_eq!(one.after.as_ref().unwrap().text, "another");
    let two = work.embed.iter().find(|due| due.passage == 2).unwrap();
    assert_eq!((two.before.as_ref().unwrap().text.as_str(), &two.after), ("one", &None));
}

#[test]
fn what_goes_is_deleted_and_its_neighbour_made_again_without_it() {
    let (_folder, store) = talk(&["one", "two"]);
    work_off(&store);
    run(&store, "DELETE FROM passages WHERE id = 2");
    let work = next(&store);
    assert_eq!(work.delete, [2]);
    assert_eq!(ids(&work), [1]);
    assert_eq!(work.embed[0].after, None);
    assert_eq!(store.read(|db| take_deletions(db, 64)).unwrap().delete, [2]);
    work_off(&store);
    assert!(model(&store).stale);
    assert!(next(&store).is_empty());
}

#[test]
fn imported_memories_stand_in_their_order_and_noted_ones_alone() {
    let (_folder, store) = talk(&[]);
    for (id, external, text) in [(1, "'a'", "first"), (2, "NULL", "noted"), (3, "'b'", "second")] {
        run(
            &store,
            &format!(
                "INSERT INTO passages (id, kind, conversation_id, external_id, speaker, text, at_ms)
                     VALUES ({id}, 1, 1, {external}, 'Ana', '{text}', 0)"
            ),
        );
    }
    let work = next(&store);
    let due = |id: i64| work.embed.iter().find(|due| due.passage == id).unwrap().clone();
    assert_eq!(due(1).after.unwrap().text, "second");
    assert_eq!(due(3).before.unwrap().text, "first");
    assert_eq!((due(2).before, due(2).after), (None, None));
    work_off(&store);
    run(&store, "DELETE FROM passages WHERE id = 1");
    assert_eq!(ids(&next(&store)), [3]);
}

#[test]
fn what_is_still_being_said_and_what_is_empty_wait() {
    let (_folder, store) = talk(&["one", "  "]);
    run(
        &store,
        "INSERT INTO passages (id, kind, speaker, text, at_ms, ready) VALUES (9, 0, 'assistant', 'half', 0, 0)",
    );
    let work = next(&store);
    assert_eq!((ids(&work), work.delete.as_slice()), (vec![1], [2].as_slice()));
    run(&store, "UPDATE passages SET text = 'whole', ready = 1 WHERE id = 9");
    assert_eq!(ids(&next(&store)), [1, 9]);
}

#[test]
fn rows_that_came_meanwhile_stay() {
    let (_folder, store) = talk(&["one"]);
    let work = next(&store);
    run(&store, "UPDATE passages SET text = 'other' WHERE id = 1");
    store
        .write(|db| {
            let model = models::take_up(db, "m", 3)?;
            embedded(db, model.id, 1, &[1], &work.rows)
        })
        .unwrap();
    assert_eq!(next(&store).embed[0].own.text, "other");
    assert_eq!(store.read(waiting).unwrap(), 1);
}

#[test]
fn another_model_is_filled_while_the_first_serves() {
    let (_folder, store) = talk(&["one", "two"]);
    let first = work_off(&store);
    let second = store.write(|db| models::take_up(db, "other", 4)).unwrap();
    assert!(!second.serves());
    let all = store.read(models::all).unwrap();
    assert_eq!(
        all.iter().map(|model| (model.id, model.serves())).collect::<Vec<_>>(),
        [(first, true), (second.id, false)]
    );
    let work = next(&store);
    assert_eq!(ids(&work), [1, 2], "every passage is queued for it");
    store.write(|db| embedded(db, second.id, 1, &[1, 2], &work.rows)).unwrap();
    store.write(|db| models::serve(db, second.id)).unwrap();
    let all = store.read(models::all).unwrap();
    assert_eq!(all.len(), 1);
    assert!(all[0].serves());
    assert_eq!(store.read(|db| models::vectors(db, second.id)).unwrap(), 2);
    assert_eq!(store.read(|db| models::vectors(db, first)).unwrap(), 0);
}

#[test]
fn a_change_that_is_taken_back_leaves_nothing_out() {
    let (_folder, store) = talk(&["one"]);
    let first = work_off(&store);
    let second = store.write(|db| models::take_up(db, "other", 4)).unwrap();
    say(&store, 2, Some(1), "two");
    let work = next(&store);
    store.write(|db| embedded(db, second.id, 1, &ids(&work), &work.rows)).unwrap();
    let again = store.write(|db| models::take_up(db, "m", 3)).unwrap();
    assert_eq!((again.id, store.read(models::all).unwrap().len()), (first, 1));
    assert_eq!(ids(&next(&store)), [1, 2], "the second has no vector of the first model");
}

#[test]
fn same_name_with_another_length_is_another_model() {
    let (_folder, store) = talk(&["one"]);
    let first = work_off(&store);
    let second = store.write(|db| models::take_up(db, "m", 5)).unwrap();
    assert_ne!(second.id, first);
    assert_ne!(second.table(), model(&store).table());
}

#[test]
fn reconciling_queues_what_is_missing_and_names_what_is_too_much() {
    let (_folder, store) = talk(&["one", "two", "three"]);
    work_off(&store);
    let serving = model(&store);
    let none = store.write(|db| reconcile::reconcile(db, &serving, &[1, 2, 3])).unwrap();
    assert!(none.is_empty());
    assert!(next(&store).is_empty());
    // The second was lost, and one of a passage that is gone was kept.
    let orphans = store.write(|db| reconcile::reconcile(db, &serving, &[1, 3, 77])).unwrap();
    assert_eq!(orphans, [77]);
    assert!(ids(&next(&store)).contains(&2));
    assert_eq!(store.read(|db| models::vectors(db, serving.id)).unwrap(), 2);
}

#[test]
fn starting_over_queues_everything() {
    let (_folder, store) = talk(&["one", "two"]);
    let id = work_off(&store);
    store.write(|db| models::start_over(db, id)).unwrap();
    assert_eq!(ids(&next(&store)), [1, 2]);
    assert!(model(&store).serves(), "it serves what there is");
}
