//! What any store must hold to, written against the traits alone. A second store adds a test that runs this on itself.

use super::*;
use crate::facts::{Object, Thing};
use butterfly_api::conversations::MessageState;
use butterfly_api::memory::PassageKind;
use butterfly_api::model::{Message, Role};
use butterfly_api::session::Place;

const NOW: i64 = 1_767_225_600_000;

/// All of it.
pub(crate) fn conforms(store: &dyn Storage) {
    transcripts(store);
    memories(store);
    graph(store);
    configuration(store);
}

fn transcripts(store: &dyn Storage) {
    let begin = |key, conversation, text: &str| Begin {
        key,
        conversation,
        place: Place::End,
        text: text.to_owned(),
        provenance: 1,
    };
    let save = |turn, text: &str, state| Save {
        turn,
        part: 0,
        message: Message::new(Role::Assistant, text),
        state,
        model: "kit".to_owned(),
        usage: None,
        error: None,
        shown: None,
    };
    let first = store.begin(&begin(1, None, "where is the lantern?"), NOW).unwrap();
    assert_eq!(store.begin(&begin(1, None, "where is the lantern?"), NOW).unwrap(), first, "one key, one turn");
    store.save(&save(first.turn, "in", MessageState::Streaming), 0, NOW).unwrap();
    assert_eq!(store.recover().unwrap(), (vec![first.conversation], 1));
    assert!(store.save(&save(first.turn, "in the hall", MessageState::Complete), 0, NOW).is_err(), "it is over");
    let second = store.begin(&begin(2, Some(first.conversation), "and the lamp?"), NOW).unwrap();
    assert_eq!((second.number, second.earlier.len()), (2, 1));
    store.save(&save(second.turn, "in the attic", MessageState::Complete), 0, NOW).unwrap();
    let show = ShowRequest { conversation: first.conversation, before: None, limit: 10 };
    assert_eq!(store.transcript(&show).unwrap().messages.len(), 4);
    let find = |query: &str| {
        let request = SearchRequest { query: query.to_owned(), limit: 10 };
        store.find(&request, &Frequent::default()).unwrap().hits.len()
    };
    assert_eq!(find("attic"), 1);
    let written = store.write_down(first.conversation, Format::Json).unwrap();
    let again = store.read_back(written.text.as_bytes()).unwrap();
    assert_eq!(store.write_down(again.conversation, Format::Json).unwrap(), written);
    store.trash(again.conversation, NOW).unwrap();
    assert_eq!(find("attic"), 1, "the copy is in the trash");
    store.untrash(again.conversation).unwrap();
    assert_eq!(find("attic"), 2);
    assert!(store.transcript(&ShowRequest { conversation: 999, before: None, limit: 1 }).is_err());
}

fn memories(store: &dyn Storage) {
    let note = Note {
        text: "the lantern is violet".to_owned(),
        speaker: String::new(),
        tags: vec!["colour".to_owned()],
        conversation: None,
        source: None,
        at_ms: NOW,
    };
    let (id, known) = store.note(&note).unwrap();
    assert!(!known);
    assert_eq!(store.note(&note).unwrap(), (id, true), "the very same is kept once");
    assert_eq!(store.passage(id).unwrap().text, note.text);
    let request = butterfly_api::memory::ListRequest {
        kind: Some(PassageKind::Memory),
        tag: Some("colour".to_owned()),
        before: None,
        limit: 10,
    };
    assert_eq!(store.passages(&request).unwrap().passages.len(), 1);
    assert!(store.note(&Note { text: " ".to_owned(), ..note }).is_err());
}

fn graph(store: &dyn Storage) {
    let note = |text: &str| {
        let note = Note {
            text: text.to_owned(),
            speaker: String::new(),
            tags: vec![],
            conversation: None,
            source: None,
            at_ms: NOW,
        };
        store.note(&note).unwrap().0
    };
    let lives = |town: &str, from_ms| Statement {
        subject: Thing::entity("Mona"),
        relation: "lives in".to_owned(),
        object: Object::Thing(Thing::entity(town)),
        from_ms,
    };
    let old = store.state(&lives("Leeds", NOW), note("Mona lives in Leeds"), NOW).unwrap();
    store.state(&lives("York", NOW + 1000), note("Mona lives in York"), NOW).unwrap();
    let held = |as_of: Option<u64>| -> Vec<String> {
        let about = Some("Mona".to_owned());
        let request = FactsRequest { about, as_of_unix_ms: as_of, all: false, limit: 10 };
        store.held(&request, NOW + 5000).unwrap().facts.into_iter().map(|fact| fact.object).collect()
    };
    assert_eq!(held(None), ["York"]);
    assert_eq!(held(Some(u64::try_from(NOW).unwrap() + 500)), ["Leeds"], "as of then");
    let request = GraphRequest { around: Some("Mona".to_owned()), depth: 2, limit: 50, as_of_unix_ms: None };
    assert!(store.around(&request).unwrap().nodes.iter().any(|node| node.label.contains("York")));
    let wrong = Correction { fact: 999, object: String::new(), from_unix_ms: None };
    assert!(store.correct(&wrong, NOW).is_err());
    assert!(old.id > 0);
}

fn configuration(store: &dyn Storage) {
    let set = |key: &str, value: &str| Edit::Set { profile: None, key: key.to_owned(), value: value.to_owned() };
    store.edit(&[set("memory.enabled", "false"), set("model.name", "kit")]).unwrap();
    assert_eq!(store.settings().unwrap().values.len(), 2);
    store.edit(&[Edit::Unset { profile: None, key: "model.name".to_owned() }]).unwrap();
    assert_eq!(store.settings().unwrap().values.len(), 1);
}

#[test]
fn sqlite_conforms() {
    let (_folder, store) = crate::testing::store();
    conforms(&store);
}
