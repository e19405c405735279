//! Tests of forgetting: what goes, what stays, and that no byte of it is left.

use crate::Store;
use crate::care;
use crate::facts::{Object, Statement, Thing};
use crate::storage::{Graph, Memories, Note, Transcripts};
use crate::testing::*;
use butterfly_api::conversations::{ListRequest, ShowRequest, Summary};
use butterfly_api::memory::{FactsRequest, Forgotten, Found, Shown};
use butterfly_api::session::Place;

fn row(id: u64) -> i64 {
    crate::transcripts::row(id)
}

fn forget(store: &Store, passages: &[u64], dry_run: bool) -> Forgotten {
    let ids: Vec<i64> = passages.iter().copied().map(row).collect();
    store.write(|db| super::forget(db, &ids, &[], dry_run)).unwrap()
}

fn note(store: &Store, text: &str, source: Option<u64>) -> u64 {
    let note = Note {
        text: text.to_owned(),
        speaker: String::new(),
        tags: vec!["kept".to_owned()],
        conversation: None,
        source: source.map(row),
        at_ms: NOW,
    };
    store.note(&note).unwrap().0
}

fn state(store: &Store, source: u64, subject: &str, object: &str, from_ms: i64) -> u64 {
    let statement = Statement {
        subject: Thing::entity(subject),
        relation: "lives in".to_owned(),
        object: Object::Thing(Thing::entity(object)),
        from_ms,
    };
    store.state(&statement, source, NOW).unwrap().id
}

fn texts(store: &Store, conversation: u64) -> Vec<String> {
    let request = ShowRequest { conversation, before: None, limit: 100 };
    store.transcript(&request).unwrap().messages.into_iter().map(|message| message.text).collect()
}

/// Every row of every table that the program fills, as text: what a preview must leave as it is.
fn everything(store: &Store) -> Vec<i64> {
    [
        "passages",
        "messages",
        "conversations",
        "facts",
        "fact_sources",
        "entities",
        "mentions",
        "summaries",
        "shown",
        "notes",
        "vector_outbox",
        "extraction_outbox",
        "begun",
        "passages_fts",
    ]
    .iter()
    .map(|table| number(store, &format!("SELECT count(*) FROM {table}")))
    .collect()
}

#[test]
fn all_that_rests_on_a_passage_alone_goes_and_the_rest_stays() {
    let (_folder, store) = store();
    let (begun, answer) = exchange(&store, None, "my sister Mona lives in Quibbleton", "noted");
    let (other, _) = exchange(&store, None, "my friend Tom lives in Dover", "noted");
    let memory = note(&store, "Mona lives in Quibbleton", Some(begun.turn));
    let alone = state(&store, begun.turn, "Mona", "Quibbleton", NOW);
    let shared = state(&store, begun.turn, "Tom", "Dover", NOW);
    state(&store, other.turn, "Tom", "Dover", NOW);
    let summary = crate::summaries::NewSummary {
        conversation: row(begun.conversation),
        text: "They spoke of Mona in Quibbleton".to_owned(),
        tags: vec![],
        previous: None,
        messages: vec![row(begun.turn)],
        model: "kit".to_owned(),
    };
    let kept = store.write(|db| crate::summaries::keep(db, &summary, NOW)).unwrap();
    let passage = store.passage(memory).unwrap();
    let found = Found { passage, score: 1.0, reasons: vec![] };
    let shown = Shown { recalled: vec![found], ..Shown::default() };
    store.write(|db| crate::shown::keep(db, row(other.turn), &shown)).unwrap();
    let before = everything(&store);
    let preview = forget(&store, &[begun.turn], true);
    assert_eq!(everything(&store), before, "a preview forgets nothing");
    let done = forget(&store, &[begun.turn], false);
    assert_eq!(preview, done);
    let mut gone: Vec<u64> = done.passages.iter().map(|passage| passage.id).collect();
    gone.sort_unstable();
    let mut expected = vec![begun.turn, memory];
    expected.extend(kept.map(crate::transcripts::id));
    assert_eq!(gone, expected);
    assert!(done.passages.iter().any(|passage| passage.text.contains("Quibbleton")), "it says what goes");
    assert_eq!(done.facts.iter().map(|fact| fact.id).collect::<Vec<_>>(), [alone]);
    assert_eq!(done.entities, ["Mona", "Quibbleton"]);
    assert_eq!(done.explanations, 1);
    assert!(done.edges >= 2);
    let facts = store.held(&FactsRequest { all: true, limit: 100, ..FactsRequest::default() }, NOW).unwrap().facts;
    assert_eq!(facts.iter().map(|fact| fact.id).collect::<Vec<_>>(), [shared]);
    assert_eq!(texts(&store, begun.conversation), ["noted"], "the answer {answer} is the assistant's own");
    assert_eq!(texts(&store, other.conversation).len(), 2);
    words_are_whole(&store);
}

#[test]
fn tree_stays_whole_around_what_is_forgotten() {
    let (_folder, store) = store();
    let (one, first) = exchange(&store, None, "one", "1");
    let c = one.conversation;
    let (two, second) = exchange(&store, Some(c), "two", "2");
    let (three, _) = exchange(&store, Some(c), "three", "3");
    forget(&store, &[two.turn, second], false);
    assert_eq!(texts(&store, c), ["one", "1", "three", "3"]);
    let next = begin(&store, Some(c), "four");
    assert_eq!((next.number, next.earlier.len(), next.left_out), (3, 2, 0));
    forget(&store, &[next.turn], false);
    assert_eq!(texts(&store, c).last().map(String::as_str), Some("3"), "the branch ends before it");
    // The person's words alone: what was answered is a turn still.
    forget(&store, &[three.turn], false);
    let after = begin(&store, Some(c), "five");
    assert_eq!((after.number, after.earlier.len()), (3, 2));
    assert_eq!((after.earlier[1].user.as_str(), after.earlier[1].exchange[0].content.as_str()), ("", "3"));
    // The first answer, and with it the only way from a second attempt: both hang on the question.
    store.begin(&request(None, Place::Again(one.turn), ""), NOW).unwrap();
    forget(&store, &[one.turn, first], false);
    assert_eq!(texts(&store, c), ["3", "five"]);
    let all: Vec<u64> = store
        .transcript(&ShowRequest { conversation: c, before: None, limit: 100 })
        .unwrap()
        .messages
        .iter()
        .map(|message| message.id)
        .collect();
    forget(&store, &all, false);
    assert_eq!(texts(&store, c), [""; 0]);
    let title = &store.conversations(&ListRequest { offset: 0, limit: 1, trash: false }).unwrap().conversations[0];
    assert_eq!((title.title.as_str(), title.messages), ("", 0));
    assert_eq!(begin(&store, Some(c), "six").number, 1);
    assert_eq!(number(&store, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
}

#[test]
fn corrected_fact_holds_again_when_its_correction_is_forgotten() {
    let (_folder, store) = store();
    let first = begin(&store, None, "she lives in Leeds");
    let second = begin(&store, None, "she lives in York now");
    let old = state(&store, first.turn, "Sister", "Leeds", NOW - 1000);
    let new = state(&store, second.turn, "Sister", "York", NOW);
    let held = |store: &Store| -> Vec<u64> {
        let request = FactsRequest { limit: 10, ..FactsRequest::default() };
        store.held(&request, NOW + 10).unwrap().facts.iter().map(|fact| fact.id).collect()
    };
    assert_eq!(held(&store), [new]);
    let gone = store.write(|db| super::forget(db, &[], &[row(new)], false)).unwrap();
    assert_eq!((gone.facts.len(), gone.passages.len()), (1, 0));
    assert_eq!(held(&store), [old]);
    assert_eq!(number(&store, "SELECT count(*) FROM passages"), 2, "a fact goes without its passage");
}

#[test]
fn no_byte_of_what_was_forgotten_is_left_after_the_vacuum() {
    let (folder, store) = store();
    let word = "zorbulantic";
    for number in 0..300 {
        exchange(&store, None, &format!("question {number} about tides and zones"), "an answer about the moon");
    }
    let (begun, answer) =
        exchange(&store, None, &format!("{word} is my secret 東京鯨 place"), &format!("I heard {word}"));
    let memory = note(&store, &format!("{word} and whale"), Some(begun.turn));
    state(&store, begun.turn, "Zorbulantic", "Nowhere", NOW);
    let passage = store.passage(memory).unwrap();
    let summary = Summary {
        id: memory,
        text: format!("of {word}"),
        tags: vec![],
        first_turn: 1,
        last_turn: 1,
        from_unix_ms: 0,
        to_unix_ms: 0,
        model: String::new(),
    };
    let found = Found { passage, score: 1.0, reasons: vec![] };
    let shown = Shown { recalled: vec![found], summary: Some(summary), ..Shown::default() };
    let other = begin(&store, None, "what else?");
    store.write(|db| crate::shown::keep(db, row(other.turn), &shown)).unwrap();
    // Copies of our own: one that holds it, and one that is made after it was forgotten.
    let backups = folder.path().join(crate::migrate::BACKUPS);
    std::fs::create_dir_all(&backups).unwrap();
    let copy = care::copy(&store, "a.db").unwrap();
    std::fs::rename(copy, backups.join("old.db")).unwrap();
    for needle in [word, "zorbulant", "東京鯨"] {
        assert!(!files_with(folder.path(), needle.as_bytes()).is_empty(), "the scan sees {needle} where it is");
    }
    let gone = forget(&store, &[begun.turn, answer], false);
    assert_eq!(gone.backups, ["backups/old.db"]);
    care::vacuum(&store, NOW).unwrap();
    for needle in [word, "Zorbulantic", "zorbulant", "東京鯨", "鯨"] {
        let files = files_with(folder.path(), needle.as_bytes());
        assert!(files.is_empty(), "{needle} is still in {files:?}");
    }
    assert!(!backups.join("old.db").exists());
    words_are_whole(&store);
    care::verify(&store).unwrap();
    assert_eq!(number(&store, "SELECT count(*) FROM messages"), 601);
    assert_eq!(number(&store, "SELECT count(*) FROM notes WHERE name = 'forgotten'"), 0);
    std::fs::write(folder.path().join("tmp").join("left-over"), word).unwrap();
    drop(store);
    Store::open(folder.path()).unwrap();
    assert!(files_with(folder.path(), word.as_bytes()).is_empty(), "what a crash left over goes at the next start");
}

#[test]
fn unknown_ids_are_passed_over() {
    let (_folder, store) = store();
    exchange(&store, None, "a", "b");
    assert_eq!(forget(&store, &[77, u64::MAX], false), Forgotten::default());
    assert_eq!(number(&store, "SELECT count(*) FROM notes"), 0, "nothing to rewrite the files for");
}
