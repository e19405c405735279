//! Tests of export and import: what is written down is read back as it was.

use crate::storage::Transcripts;
use crate::testing::*;
use crate::{Store, StoreError};
use butterfly_api::conversations::{BranchRequest, Format, MessageState, Update};
use butterfly_api::model::{Message, Role, ToolCall, Usage};
use butterfly_api::session::Place;
use proptest::prelude::*;

/// One thing that happens in a conversation.
#[derive(Debug, Clone)]
enum Step {
    Say(String),
    Instead(usize, String),
    Again(usize),
    Answer { text: String, state: MessageState, tool: bool },
    Switch(usize),
    Forget(usize),
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z ]{1,30}x", "[\\PC]{1,12}", Just("nul\0🦋 \"quoted\" \\ שלום".to_owned())]
        .prop_filter("not blank", |text| !text.trim().is_empty())
}

fn state() -> impl Strategy<Value = MessageState> {
    prop_oneof![
        4 => Just(MessageState::Complete),
        1 => Just(MessageState::Interrupted),
        1 => Just(MessageState::Failed),
        1 => Just(MessageState::Streaming),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => text().prop_map(Step::Say),
        1 => (any::<usize>(), text()).prop_map(|(at, text)| Step::Instead(at, text)),
        2 => any::<usize>().prop_map(Step::Again),
        4 => (text(), state(), any::<bool>()).prop_map(|(text, state, tool)| Step::Answer { text, state, tool }),
        1 => any::<usize>().prop_map(Step::Switch),
        1 => any::<usize>().prop_map(Step::Forget),
    ]
}

/// Plays the steps in one conversation and returns it; steps that make no sense are refused by the store.
fn play(store: &Store, steps: &[Step]) -> u64 {
    let first = begin(store, None, "the first words");
    let (conversation, mut turn, mut next) = (first.conversation, first.turn, 0);
    let messages = |store: &Store| -> Vec<u64> {
        let text = store.write_down(conversation, Format::Json).unwrap().messages;
        let ids: Vec<i64> = store
            .read(|db| {
                use crate::schema::messages::dsl;
                use diesel::prelude::*;
                Ok(dsl::messages
                    .filter(dsl::conversation_id.eq(crate::transcripts::row(conversation)))
                    .select(dsl::id)
                    .order(dsl::id)
                    .load(db)?)
            })
            .unwrap();
        assert_eq!(ids.len(), text as usize);
        ids.into_iter().map(crate::transcripts::id).collect()
    };
    for (at, step) in steps.iter().enumerate() {
        let now = NOW + i64::try_from(at).unwrap();
        let there = messages(store);
        let pick = |at: &usize| there.get(at % there.len().max(1)).copied().unwrap_or(0);
        let begun = match step {
            Step::Say(text) => store.begin(&request(Some(conversation), Place::End, text), now).ok(),
            Step::Instead(at, text) => {
                store.begin(&request(Some(conversation), Place::InsteadOf(pick(at)), text), now).ok()
            }
            Step::Again(at) => store.begin(&request(Some(conversation), Place::Again(pick(at)), ""), now).ok(),
            Step::Answer { text, state, tool } => {
                let mut save = part(turn, next, text, *state);
                save.message.thinking = "hm".to_owned();
                save.usage =
                    Some(Usage { input_tokens: 3, first_token_ms: 7, context_tokens: 4096, ..Usage::default() });
                save.error = (*state != MessageState::Complete).then(|| "it stopped".to_owned());
                if *tool {
                    let call = ToolCall { id: "c".to_owned(), name: "t".to_owned(), arguments: "{\"a\":1}".to_owned() };
                    save.message = Message { tool_calls: vec![call], images: vec!["aGk=".to_owned()], ..save.message };
                } else if next > 0 {
                    save.message = Message { tool_call_id: Some("c".to_owned()), ..Message::new(Role::Tool, text) };
                }
                next += u32::from(store.save(&save, 66, now).is_ok() && *state != MessageState::Streaming);
                None
            }
            Step::Switch(at) => {
                store.branch(BranchRequest { message: pick(at) }).unwrap();
                None
            }
            Step::Forget(at) => {
                if there.len() > 2 {
                    let id = crate::transcripts::row(pick(at));
                    store.write(|db| crate::forget::forget(db, &[id], &[], false)).unwrap();
                }
                None
            }
        };
        if let Some(begun) = begun {
            (turn, next) = (begun.turn, 0);
        }
    }
    conversation
}

fn json(store: &Store, conversation: u64) -> String {
    store.write_down(conversation, Format::Json).unwrap().text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn import_of_an_export_exports_the_same(steps in proptest::collection::vec(step(), 0..24), title in text()) {
        let (_folder, store) = store();
        store.write(|db| crate::settings::apply(db, &[crate::settings::Edit::AddProfile { name: "terse".to_owned() }])).unwrap();
        let conversation = play(&store, &steps);
        store.change(&Update {
            conversation,
            title: Some(title),
            pinned: Some(true),
            draft: Some("half\0 a 🦋".to_owned()),
            profile: Some("terse".to_owned()),
        }).unwrap();
        let written = json(&store, conversation);
        let imported = store.read_back(written.as_bytes()).unwrap();
        prop_assert_ne!(imported.conversation, conversation);
        prop_assert_eq!(&json(&store, imported.conversation), &written);
        let markdown = |id| store.write_down(id, Format::Markdown).unwrap();
        // What is being said counts as broken off in the document.
        let flat = |text: String| text.replace("still being said", "").replace("broken off", "").replace("failed", "");
        prop_assert_eq!(flat(markdown(imported.conversation).text), flat(markdown(conversation).text));
        words_are_whole(&store);
        // The imported conversation can be spoken in, and each of its branches can be reached.
        let again = begin(&store, Some(imported.conversation), "go on");
        answer(&store, again.turn, "yes");
    }
}

#[test]
fn names_are_kept_where_they_are_free() {
    let (_folder, store) = store();
    let conversation = exchange(&store, None, "hello", "hi").0.conversation;
    let named = json(&store, conversation).replace("\"external_id\": null", "\"external_id\": \"elsewhere-7\"");
    let first = store.read_back(named.as_bytes()).unwrap();
    assert_eq!(json(&store, first.conversation), named);
    let second = store.read_back(named.as_bytes()).unwrap();
    assert!(json(&store, second.conversation).contains("\"external_id\": null"));
}

#[test]
fn documents_that_are_not_right_are_refused_by_name_and_leave_nothing() {
    let (_folder, store) = store();
    let conversation = exchange(&store, None, "hello", "hi").0.conversation;
    let good = json(&store, conversation);
    let bad = [
        ("not json", "{".to_owned()),
        ("empty", String::new()),
        ("another format", good.replace("butterfly-conversation", "something")),
        ("a later version", good.replace("\"version\": 1", "\"version\": 2")),
        ("an unknown field", good.replace("\"pinned\"", "\"pinnned\"")),
        ("a number twice", good.replace("\"number\": 2", "\"number\": 1")),
        ("a parent that comes later", good.replace("\"parent\": 1", "\"parent\": 2")),
        ("a turn that is none", good.replace("\"turn\": 1,\n      \"part\": 0", "\"turn\": 2,\n      \"part\": 0")),
        ("no such end", good.replace("\"head\": 2", "\"head\": 3")),
        ("a part below all", good.replace("\"part\": 0", "\"part\": -2")),
        ("too long a title", good.replace("\"title\": \"hello\"", &format!("\"title\": \"{}\"", "x".repeat(5000)))),
    ];
    for (what, document) in bad {
        assert_ne!(document, good, "{what}");
        let refused = store.read_back(document.as_bytes());
        assert!(matches!(refused, Err(StoreError::Refused(_))), "{what}: {refused:?}");
    }
    assert_eq!(number(&store, "SELECT count(*) FROM conversations"), 1);
    assert_eq!(number(&store, "SELECT count(*) FROM passages"), 2);
}

#[test]
fn markdown_tells_the_active_branch_to_people() {
    let (_folder, store) = store();
    let (begun, _) = exchange(&store, None, "What is red?", "A colour.");
    let again = store.begin(&request(None, Place::Again(begun.turn), ""), NOW).unwrap();
    let mut half = part(again.turn, 0, "A long wave", MessageState::Interrupted);
    half.error = Some("stopped".to_owned());
    store.save(&half, 0, NOW).unwrap();
    let written = store.write_down(begun.conversation, Format::Markdown).unwrap();
    assert_eq!(
        written.text,
        "# What is red?\n\n**user** · 2026-01-01T00:00:00Z\n\nWhat is red?\n\n\
         **assistant** · 2026-01-01T00:00:00Z\n\nA long wave\n\n*(broken off: stopped)*\n"
    );
    assert_eq!(written.messages, 2);
}
