//! Tests of the store's care.

use super::*;
use crate::storage::{Memories, Note, Transcripts};
use crate::testing::*;
use butterfly_api::storage::Retained;

const DAY: i64 = 24 * 60 * 60 * 1000;

fn note(store: &Store, text: &str, at_ms: i64) {
    let note =
        Note { text: text.to_owned(), speaker: String::new(), tags: vec![], conversation: None, source: None, at_ms };
    store.note(&note).unwrap();
}

#[test]
fn what_is_older_than_its_time_goes_in_batches_and_is_reported() {
    let (_folder, store) = store();
    for number in 0..250 {
        note(&store, &format!("old note {number}"), NOW - 40 * DAY);
    }
    note(&store, "young note", NOW - DAY);
    let (old, _) = exchange(&store, None, "said at this moment", "answered");
    let later = NOW + 31 * DAY;
    let done = retention::retain(&store, 30, NOW).unwrap();
    assert_eq!((done.passages, done.conversations), (250, 0));
    assert_eq!(number(&store, "SELECT count(*) FROM passages"), 3);
    assert_eq!(store.read(|db| notes::get::<Retained>(db, notes::RETAINED)).unwrap(), Some(done));
    assert!(store.read(|db| notes::get::<i64>(db, notes::FORGOTTEN)).unwrap().is_some(), "the files wait for a vacuum");
    let done = retention::retain(&store, 0, later).unwrap();
    assert_eq!(done.passages, 0, "0 days keep everything");
    let done = retention::retain(&store, 30, later).unwrap();
    assert_eq!((done.passages, done.conversations), (3, 1), "a conversation goes with the last of it");
    assert!(
        store
            .change(&butterfly_api::conversations::Update { conversation: old.conversation, ..Default::default() })
            .is_err()
    );
    words_are_whole(&store);
}

#[test]
fn trash_is_emptied_after_its_time_and_not_before() {
    let (_folder, store) = store();
    let mut conversation = None;
    for turn in 0..80 {
        conversation = Some(exchange(&store, conversation, &format!("q {turn}"), "a").0.conversation);
    }
    let (kept, _) = exchange(&store, None, "another", "one");
    store.trash(conversation.unwrap(), NOW).unwrap();
    let done = retention::retain(&store, 0, NOW + 30 * DAY - 1).unwrap();
    assert_eq!((done.passages, done.conversations), (0, 0));
    let done = retention::retain(&store, 0, NOW + 30 * DAY).unwrap();
    assert_eq!((done.passages, done.conversations), (160, 1));
    assert_eq!(number(&store, "SELECT count(*) FROM conversations"), 1);
    assert_eq!(
        number(&store, &format!("SELECT count(*) FROM messages WHERE conversation_id = {}", kept.conversation)),
        2
    );
    assert_eq!(number(&store, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    words_are_whole(&store);
}

#[test]
fn copy_is_whole_and_one_of_this_very_moment() {
    let (_folder, store) = store();
    exchange(&store, None, "the lighthouse", "was painted");
    let file = copy(&store, "copy.db").unwrap();
    exchange(&store, None, "the foghorn", "was sold");
    let checked = replace::check(&file).unwrap();
    assert_eq!((checked.conversations, checked.messages), (1, 2));
    assert_eq!(copy(&store, "copy.db").unwrap(), file, "an older one of that name is replaced");
    assert_eq!(replace::check(&file).unwrap().messages, 4);
}

#[test]
fn check_after_a_search_believes_no_structure_of_before() {
    let (_folder, store) = store();
    for round in 0..8 {
        number(&store, "SELECT count(*) FROM passages_fts WHERE passages_fts MATCH 'note'");
        // Enough commits that segments which the search saw are merged into others and gone.
        for step in 0..10 {
            note(&store, &format!("note {step} of round {round}"), NOW);
        }
        verify(&store).unwrap();
    }
}

#[test]
fn everything_is_counted() {
    let (_folder, store) = store();
    exchange(&store, None, "a", "b");
    note(&store, "c", NOW);
    let counted = store.read(counts).unwrap();
    assert_eq!((counted.conversations, counted.messages, counted.memories), (1, 2, 1));
}

#[test]
fn vacuum_waits_for_readers_and_readers_for_it() {
    let (_folder, store) = store();
    for turn in 0..50 {
        exchange(&store, None, &format!("question {turn}"), "answer");
    }
    let over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reading: Vec<_> = (0..6)
            .map(|_| {
                scope.spawn(|| {
                    let mut read = 0;
                    while !over.load(std::sync::atomic::Ordering::Relaxed) {
                        assert_eq!(store.read(counts).unwrap().messages, 100);
                        read += 1;
                    }
                    read
                })
            })
            .collect();
        for _ in 0..5 {
            vacuum(&store, NOW).unwrap();
        }
        over.store(true, std::sync::atomic::Ordering::Relaxed);
        for reader in reading {
            assert!(reader.join().unwrap() > 0);
        }
    });
    assert_eq!(store.read(|db| notes::get::<i64>(db, notes::VACUUMED)).unwrap(), Some(NOW));
}

/// Bytes of the database's log.
fn log(store: &Store) -> u64 {
    std::fs::metadata(format!("{}-wal", store.file().display())).unwrap().len()
}

#[test]
fn a_log_that_has_grown_long_is_cut_and_a_short_one_left() {
    let (_folder, store) = store();
    note(&store, "a single note", NOW);
    let short = log(&store);
    assert!(!cut_log(&store).unwrap());
    assert_eq!(log(&store), short);
    let long = "words and more of them ".repeat(2_000);
    (0..30).for_each(|number| note(&store, &format!("{number} {long}"), NOW));
    assert!(log(&store) > LOG_BYTES);
    assert!(cut_log(&store).unwrap());
    assert_eq!(log(&store), 0);
    note(&store, "one after it", NOW);
    assert_eq!(number(&store, "SELECT count(*) FROM passages"), 32);
    words_are_whole(&store);
}

#[test]
fn a_log_that_another_program_reads_is_cut_once_it_has_ended() {
    let (_folder, store) = store();
    let long = "words and more of them ".repeat(2_000);
    (0..15).for_each(|number| note(&store, &format!("{number} {long}"), NOW));
    let mut other = crate::database::connect_alone(&store.file()).unwrap();
    other.batch_execute("BEGIN; SELECT count(*) FROM passages;").unwrap();
    (15..30).for_each(|number| note(&store, &format!("{number} {long}"), NOW));
    assert!(matches!(cut_log(&store), Err(StoreError::Refused(_))));
    assert_eq!(number(&store, "SELECT count(*) FROM passages"), 30, "nothing else waits for it");
    other.batch_execute("COMMIT;").unwrap();
    assert!(cut_log(&store).unwrap());
    assert_eq!(log(&store), 0);
}
