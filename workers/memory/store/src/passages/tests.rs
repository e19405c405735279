//! Claims about what is noted and imported.

use super::import::{Line, take};
use super::*;
use crate::Store;
use crate::schema::messages;
use crate::transcripts::rows::OPENING;
use tempfile::TempDir;

fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    (folder, store)
}

fn note(text: &str) -> Note {
    Note { text: text.to_owned(), speaker: String::new(), tags: Vec::new(), conversation: None, source: None, at_ms: 5 }
}

fn line(conversation: &str, id: &str, speaker: &str, text: &str, at_ms: i64) -> Line {
    Line {
        id: id.to_owned(),
        conversation: conversation.to_owned(),
        speaker: speaker.to_owned(),
        text: text.to_owned(),
        at_ms,
    }
}

#[test]
fn same_memory_is_kept_once_and_gathers_tags() {
    let (_folder, store) = store();
    let tagged =
        |text: &str, tags: &[&str]| Note { tags: tags.iter().map(|tag| (*tag).to_owned()).collect(), ..note(text) };
    let first = store.write(|db| add(db, &tagged("I like tea", &["#Drink"]))).unwrap();
    let again = store.write(|db| add(db, &tagged("  I like tea\n", &["drink", "home"]))).unwrap();
    let other = store.write(|db| add(db, &note("I like teas"))).unwrap();
    assert_eq!((first, again, other), ((1, false), (1, true), (2, false)));
    assert_eq!(store.read(|db| one(db, 1)).unwrap().tags, "drink home");
    let ana = store.write(|db| add(db, &Note { speaker: "Ana".to_owned(), ..note("I like tea") })).unwrap();
    assert_eq!(ana, (3, false));
}

#[test]
fn empty_and_overlong_memories_and_bad_tags_are_refused_by_name() {
    let (_folder, store) = store();
    let refusal = |note: Note| store.write(|db| add(db, &note)).unwrap_err().to_string();
    assert!(refusal(note(" \n")).contains("empty"));
    assert!(refusal(note(&"x".repeat(MEMORY_BYTES + 1))).contains("at most 65536 bytes"));
    assert!(refusal(Note { tags: vec!["two words".to_owned()], ..note("x") }).contains("is no tag"));
}

#[test]
fn text_with_nul_is_kept_whole() {
    let (_folder, store) = store();
    store.write(|db| add(db, &note("before\0after"))).unwrap();
    assert_eq!(store.read(|db| one(db, 1)).unwrap().text, "before\u{fffd}after");
}

#[test]
fn list_goes_back_in_time_by_kind_and_tag() {
    let (_folder, store) = store();
    for number in 0..5 {
        let tags = if number % 2 == 0 { vec!["even".to_owned()] } else { Vec::new() };
        store.write(|db| add(db, &Note { tags, ..note(&format!("memory {number}")) })).unwrap();
    }
    store.write(|db| take(db, &[line("c", "1", "user", "hello", 1)], 0)).unwrap();
    let page = |request: ListRequest| {
        let page = store.read(|db| list(db, &request)).unwrap();
        (page.passages.iter().map(|passage| passage.id).collect::<Vec<_>>(), page.more)
    };
    assert_eq!(page(ListRequest { limit: 2, ..ListRequest::default() }), (vec![6, 5], true));
    let memories = ListRequest { kind: Some(PassageKind::Memory), ..ListRequest::default() };
    assert_eq!(page(memories.clone()), (vec![5, 4, 3, 2, 1], false));
    assert_eq!(page(ListRequest { before: Some(3), ..memories }), (vec![2, 1], false));
    assert_eq!(page(ListRequest { tag: Some("even".to_owned()), ..ListRequest::default() }), (vec![5, 3, 1], false));
}

#[test]
fn import_makes_a_transcript_in_the_order_of_its_lines() {
    let (_folder, store) = store();
    let lines = [
        line("trip", "a", "user", "Where shall we go?", 1_000),
        line("other", "a", "Ana", "Hello", 10),
        line("trip", "b", "assistant", "To Lisbon.", 2_000),
        line("trip", "c", "Assistant", "Or Porto.", 3_000),
        line("trip", "d", "Ben", "Porto!", 4_000),
    ];
    let taken = store.write(|db| take(db, &lines, 3)).unwrap();
    assert_eq!((taken.added, taken.known, taken.passages), (5, 0, vec![1, 2, 3, 4, 5]));
    let rows: Vec<(i64, Option<i64>, i64, i32, i32, i32)> = store
        .read(|db| {
            Ok(messages::table
                .order(messages::id)
                .select((
                    messages::id,
                    messages::parent_id,
                    messages::turn_id,
                    messages::part,
                    messages::role,
                    messages::provenance,
                ))
                .load(db)?)
        })
        .unwrap();
    assert_eq!(
        rows,
        [
            (1, None, 1, OPENING, 1, 3),
            (2, None, 2, OPENING, 1, 3),
            (3, Some(1), 1, 0, 2, 3),
            (4, Some(3), 1, 1, 2, 3),
            (5, Some(4), 5, OPENING, 1, 3),
        ]
    );
    let kept: (Option<i64>, String, i64, i64) = store
        .read(|db| {
            Ok(conversations::table
                .filter(conversations::external_id.eq("trip"))
                .select((
                    conversations::head,
                    conversations::title,
                    conversations::created_ms,
                    conversations::updated_ms,
                ))
                .first(db)?)
        })
        .unwrap();
    assert_eq!(kept, (Some(5), "Where shall we go?".to_owned(), 1_000, 4_000));
    let beside = store.read(|db| neighbours::of(db, &[1, 3, 5])).unwrap();
    assert_eq!((beside[&1], beside[&3], beside[&5]), ((None, Some(3)), (Some(1), Some(4)), (Some(4), None)));
}

#[test]
fn import_knows_what_it_has_and_goes_on_after_it() {
    let (_folder, store) = store();
    let first = [line("c", "1", "Ana", "one", 1), line("c", "1", "Ana", "one again", 2)];
    let taken = store.write(|db| take(db, &first, 0)).unwrap();
    assert_eq!((taken.added, taken.known), (1, 1));
    let second =
        [line("c", "1", "Ana", "one", 1), line("c", "2", "assistant", "two", 3), line("d", "1", "Ana", "other", 1)];
    let taken = store.write(|db| take(db, &second, 0)).unwrap();
    assert_eq!((taken.added, taken.known), (2, 1));
    let beside = store.read(|db| neighbours::of(db, &[1])).unwrap();
    assert_eq!(beside[&1], (None, Some(2)));
    assert_eq!(store.read(|db| one(db, 1)).unwrap().text, "one");
    assert_eq!(store.read(|db| one(db, 3)).unwrap().passage().conversation.as_deref(), Some("d"));
}

#[test]
fn conversation_is_named_by_its_import_or_its_number() {
    let (_folder, store) = store();
    store.write(|db| take(db, &[line("c", "1", "a", "x", 1), line("1", "1", "a", "x", 1)], 0)).unwrap();
    let find = |name: &str| store.read(|db| conversation(db, name)).ok();
    assert_eq!((find("c"), find("1"), find("2"), find("nobody"), find("99")), (Some(1), Some(2), Some(2), None, None));
}
