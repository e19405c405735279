//! What the tests of this crate have in common.

use crate::Store;
use crate::storage::Transcripts;
use butterfly_api::conversations::{Begin, Begun, MessageState, Save};
use butterfly_api::model::{Message, Role};
use butterfly_api::session::Place;
use diesel::sql_types::BigInt;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;

/// A moment: 2026-01-01T00:00:00Z, in Unix ms.
pub(crate) const NOW: i64 = 1_767_225_600_000;

/// A store in a folder of its own.
pub(crate) fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    (folder, store)
}

fn key() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

pub(crate) fn request(conversation: Option<u64>, place: Place, text: &str) -> Begin {
    Begin { key: key(), conversation, place, text: text.to_owned(), provenance: 1 }
}

/// Begins a turn.
pub(crate) fn begin(store: &Store, conversation: Option<u64>, text: &str) -> Begun {
    store.begin(&request(conversation, Place::End, text), NOW).unwrap()
}

/// A message of an answer.
pub(crate) fn part(turn: u64, part: u32, text: &str, state: MessageState) -> Save {
    Save {
        turn,
        part,
        message: Message::new(Role::Assistant, text),
        state,
        model: "kit".to_owned(),
        usage: None,
        error: None,
        shown: None,
    }
}

/// Saves a whole answer.
pub(crate) fn answer(store: &Store, turn: u64, text: &str) -> u64 {
    store.save(&part(turn, 0, text, MessageState::Complete), 0, NOW).unwrap().message
}

/// Says something and answers it; the turn and the answer.
pub(crate) fn exchange(store: &Store, conversation: Option<u64>, text: &str, said: &str) -> (Begun, u64) {
    let begun = begin(store, conversation, text);
    let answer = answer(store, begun.turn, said);
    (begun, answer)
}

/// The number that a query gives.
pub(crate) fn number(store: &Store, sql: &str) -> i64 {
    #[derive(QueryableByName)]
    struct Number {
        #[diesel(sql_type = BigInt)]
        number: i64,
    }
    let found: Number = store.read(|db| Ok(sql_query(format!("SELECT ({sql}) AS number")).get_result(db)?)).unwrap();
    found.number
}

/// Whether the indexes of words say what the passages say.
pub(crate) fn words_are_whole(store: &Store) {
    store.maintain(crate::replace::words).unwrap();
}

/// Files below `folder` that hold these bytes.
pub(crate) fn files_with(folder: &Path, needle: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, needle));
        } else if std::fs::read(&path).unwrap().windows(needle.len()).any(|window| window == needle) {
            found.push(path.display().to_string());
        }
    }
    found
}
