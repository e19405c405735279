//! Tests of transcripts, over a real database.

use crate::StoreError;
use crate::search::words::Frequent;
use crate::storage::Transcripts;
use crate::testing::*;
use butterfly_api::conversations::{
    BranchRequest, ListRequest, MessageState, SearchRequest, ShowRequest, StoredMessage, Update,
};
use butterfly_api::model::{Message, Role, ToolCall, Usage};
use butterfly_api::session::Place;

fn show(store: &crate::Store, conversation: u64) -> Vec<StoredMessage> {
    store.transcript(&ShowRequest { conversation, before: None, limit: 1000 }).unwrap().messages
}

fn texts(store: &crate::Store, conversation: u64) -> Vec<String> {
    show(store, conversation).into_iter().map(|message| message.text).collect()
}

fn find(store: &crate::Store, query: &str) -> Vec<String> {
    let request = SearchRequest { query: query.to_owned(), limit: 20 };
    store.find(&request, &Frequent::default()).unwrap().hits.into_iter().map(|hit| hit.snippet).collect()
}

#[test]
fn same_key_begins_the_same_turn_once() {
    let (_folder, store) = store();
    let request = request(None, Place::End, "hello there");
    let first = store.begin(&request, NOW).unwrap();
    assert_eq!(store.begin(&request, NOW + 5).unwrap(), first);
    answer(&store, first.turn, "hi");
    let again = store.begin(&request, NOW + 9).unwrap();
    assert_eq!((again.conversation, again.turn, again.number), (first.conversation, first.turn, 1));
    assert_eq!(texts(&store, first.conversation), ["hello there", "hi"]);
    let page = store.conversations(&ListRequest { offset: 0, limit: 10, trash: false }).unwrap();
    assert_eq!((page.total, page.conversations[0].title.as_str()), (1, "hello there"));
}

#[test]
fn answer_replaces_itself_while_it_is_said_and_never_after() {
    let (_folder, store) = store();
    let turn = begin(&store, None, "tell me of tides").turn;
    let save = |text: &str, state| store.save(&part(turn, 0, text, state), 64, NOW);
    let first = save("the", MessageState::Streaming).unwrap();
    assert_eq!(save("the moon", MessageState::Streaming).unwrap(), first);
    assert!(find(&store, "moon").is_empty(), "what is being said cannot be found yet");
    assert_eq!(save("the moon pulls", MessageState::Complete).unwrap(), first);
    assert_eq!(find(&store, "moon"), ["the moon pulls"]);
    assert_eq!(save("the moon pulls", MessageState::Complete).unwrap(), first, "who did not hear may say it again");
    assert!(matches!(save("something else", MessageState::Complete), Err(StoreError::Refused(_))));
    assert!(matches!(save("something else", MessageState::Streaming), Err(StoreError::Refused(_))));
    assert_eq!(texts(&store, first.conversation), ["tell me of tides", "the moon pulls"]);
    words_are_whole(&store);
}

#[test]
fn part_follows_the_one_before_it_and_a_forgotten_turn_takes_none() {
    let (_folder, store) = store();
    let turn = begin(&store, None, "use a tool").turn;
    assert!(matches!(store.save(&part(turn, 1, "x", MessageState::Streaming), 0, NOW), Err(StoreError::Refused(_))));
    let mut call = part(turn, 0, "", MessageState::Complete);
    call.message.tool_calls =
        vec![ToolCall { id: "1".to_owned(), name: "clock".to_owned(), arguments: "{}".to_owned() }];
    store.save(&call, 0, NOW).unwrap();
    let mut result = part(turn, 1, "12:00", MessageState::Complete);
    result.message = Message { tool_call_id: Some("1".to_owned()), ..Message::new(Role::Tool, "12:00") };
    store.save(&result, 0, NOW).unwrap();
    let mut last = part(turn, 2, "It is noon.", MessageState::Complete);
    last.usage = Some(Usage { context_tokens: 8192, ..Usage::default() });
    let kept = store.save(&last, 0, NOW).unwrap();
    let next = begin(&store, Some(kept.conversation), "thanks");
    let exchange = &next.earlier[0].exchange;
    assert_eq!(exchange.len(), 3);
    assert_eq!((exchange[0].tool_calls.len(), exchange[1].tool_call_id.as_deref()), (1, Some("1")));
    assert_eq!(number(&store, "SELECT context_tokens FROM conversations"), 8192);
    assert!(matches!(store.save(&part(999, 0, "x", MessageState::Complete), 0, NOW), Err(StoreError::NotFound(_))));
}

#[test]
fn what_was_broken_off_is_kept_and_said_so() {
    let (_folder, store) = store();
    let (begun, _) = exchange(&store, None, "first", "one");
    let second = begin(&store, Some(begun.conversation), "second");
    let mut half = part(second.turn, 0, "half an ans", MessageState::Streaming);
    half.message.tool_calls = vec![ToolCall { id: "1".to_owned(), name: "x".to_owned(), arguments: "{}".to_owned() }];
    store.save(&half, 0, NOW).unwrap();
    let other = begin(&store, None, "elsewhere");
    store.save(&part(other.turn, 0, " ", MessageState::Streaming), 0, NOW).unwrap();
    assert_eq!(store.recover().unwrap(), (vec![begun.conversation, other.conversation], 2));
    assert_eq!(store.recover().unwrap(), (vec![], 0));
    let last = show(&store, begun.conversation).pop().unwrap();
    assert_eq!((last.state, last.text.as_str()), (MessageState::Interrupted, "half an ans"));
    assert!(last.error.is_some());
    assert_eq!(show(&store, other.conversation).pop().unwrap().state, MessageState::Failed, "nothing was said");
    assert_eq!(find(&store, "half"), ["half an ans"]);
    let third = begin(&store, Some(begun.conversation), "third");
    assert_eq!(third.number, 3);
    assert_eq!(third.earlier[1].state, MessageState::Interrupted);
    assert!(third.earlier[1].exchange[0].tool_calls.is_empty(), "nothing will ever answer them");
    words_are_whole(&store);
}

#[test]
fn next_turn_breaks_off_what_nobody_goes_on_with() {
    let (_folder, store) = store();
    let first = begin(&store, None, "first");
    store.save(&part(first.turn, 0, "half", MessageState::Streaming), 0, NOW).unwrap();
    let second = begin(&store, Some(first.conversation), "second");
    assert_eq!(second.earlier[0].state, MessageState::Interrupted);
    assert_eq!(second.earlier[0].exchange[0].content, "half");
}

#[test]
fn edits_and_second_answers_are_branches_and_nothing_is_overwritten() {
    let (_folder, store) = store();
    let (first, one) = exchange(&store, None, "what is red?", "a colour");
    let c = first.conversation;
    exchange(&store, Some(c), "and blue?", "another");
    let again = store.begin(&request(Some(c), Place::Again(one), ""), NOW).unwrap();
    assert_eq!((again.turn, again.text.as_str(), again.number), (first.turn, "what is red?", 1));
    assert!(again.earlier.is_empty());
    let two = answer(&store, again.turn, "a long wave of light");
    assert_eq!(texts(&store, c), ["what is red?", "a long wave of light"]);
    assert_eq!(show(&store, c)[1].versions, [one, two]);
    let edited = store.begin(&request(Some(c), Place::InsteadOf(first.turn), "what is green?"), NOW).unwrap();
    answer(&store, edited.turn, "grass");
    assert_eq!(texts(&store, c), ["what is green?", "grass"]);
    assert_eq!(show(&store, c)[0].versions, [first.turn, edited.turn]);
    let title = |store: &crate::Store| store.branch(BranchRequest { message: edited.turn }).unwrap().title;
    assert_eq!(title(&store), "what is green?");
    store.branch(BranchRequest { message: one }).unwrap();
    assert_eq!(texts(&store, c), ["what is red?", "a colour", "and blue?", "another"]);
    let stays = store.branch(BranchRequest { message: first.turn }).unwrap();
    assert_eq!(texts(&store, c).len(), 4, "the branch through an active message is the active one");
    assert_eq!(stays.messages, 7);
    let answers = store.begin(&request(Some(c), Place::InsteadOf(one), "no"), NOW);
    assert!(matches!(answers, Err(StoreError::Refused(_))), "only a person's message can be said differently");
    let elsewhere = begin(&store, None, "elsewhere").conversation;
    assert!(store.begin(&request(Some(elsewhere), Place::Again(one), ""), NOW).is_err());
}

#[test]
fn answer_that_goes_on_does_not_pull_a_person_from_another_branch() {
    let (_folder, store) = store();
    let (first, one) = exchange(&store, None, "q", "a");
    let again = store.begin(&request(None, Place::Again(first.turn), ""), NOW).unwrap();
    store.save(&part(again.turn, 0, "b", MessageState::Complete), 0, NOW).unwrap();
    store.branch(BranchRequest { message: one }).unwrap();
    store.save(&part(again.turn, 1, "c", MessageState::Complete), 0, NOW).unwrap();
    assert_eq!(texts(&store, first.conversation), ["q", "a"]);
}

#[test]
fn earlier_turns_are_the_newest_that_fit_and_the_rest_is_counted() {
    let (_folder, store) = store();
    let big = "x".repeat(100_000);
    let mut conversation = None;
    for _ in 0..12 {
        let (begun, _) = exchange(&store, conversation, &big, "short");
        conversation = Some(begun.conversation);
    }
    let begun = begin(&store, conversation, "next");
    assert_eq!((begun.number, begun.left_out as usize + begun.earlier.len()), (13, 12));
    assert_eq!(begun.earlier.len(), 5, "half a frame");
    assert_eq!(begun.earlier.iter().map(|turn| turn.number).collect::<Vec<_>>(), [8, 9, 10, 11, 12]);
    assert!(begun.earlier.iter().all(|turn| turn.user.len() == big.len() && turn.exchange[0].content == "short"));
    let said: usize = begun.earlier.iter().map(|turn| turn.user.len() + turn.exchange[0].content.len()).sum();
    assert!(said <= 512 << 10, "{said}");
}

#[test]
fn pages_go_back_to_the_first_message_without_a_gap() {
    let (_folder, store) = store();
    let mut conversation = None;
    for turn in 0..10 {
        conversation = Some(exchange(&store, conversation, &format!("q{turn}"), &format!("a{turn}")).0.conversation);
    }
    let conversation = conversation.unwrap();
    let (mut before, mut seen) = (None, Vec::new());
    loop {
        let page = store.transcript(&ShowRequest { conversation, before, limit: 3 }).unwrap();
        before = page.messages.first().map(|message| message.id);
        seen.splice(0..0, page.messages.into_iter().map(|message| message.text));
        if !page.more {
            break;
        }
    }
    assert_eq!(seen, texts(&store, conversation));
    assert_eq!(seen.len(), 20);
}

#[test]
fn trash_hides_a_conversation_from_everything_until_it_is_taken_out() {
    let (_folder, store) = store();
    let (begun, _) = exchange(&store, None, "the violet lantern", "hangs in the hall");
    let c = begun.conversation;
    assert_eq!(find(&store, "lantern").len(), 2, "in the title and in the message");
    let trashed = store.trash(c, NOW).unwrap();
    assert_eq!(store.trash(c, NOW + 1).unwrap(), trashed, "its time runs from the first time");
    assert!(find(&store, "lantern").is_empty() && find(&store, "hall").is_empty());
    let list = |trash| store.conversations(&ListRequest { offset: 0, limit: 10, trash }).unwrap().total;
    assert_eq!((list(false), list(true)), (0, 1));
    assert!(matches!(store.begin(&request(Some(c), Place::End, "hello?"), NOW), Err(StoreError::Refused(_))));
    assert_eq!(store.untrash(c).unwrap().trashed_unix_ms, None);
    assert_eq!(find(&store, "lantern").len(), 2);
}

#[test]
fn pinned_conversations_come_first_and_a_given_title_stays() {
    let (_folder, store) = store();
    let old = begin(&store, None, "old one").conversation;
    let new = store.begin(&request(None, Place::End, "new one"), NOW + 1000).unwrap().conversation;
    let order = || -> Vec<u64> {
        let page = store.conversations(&ListRequest { offset: 0, limit: 10, trash: false }).unwrap();
        page.conversations.iter().map(|conversation| conversation.id).collect()
    };
    assert_eq!(order(), [new, old]);
    let update = |update: Update| store.change(&Update { conversation: old, ..update });
    let changed = update(Update {
        title: Some("  My \n title ".to_owned()),
        pinned: Some(true),
        draft: Some("not sent".to_owned()),
        ..Update::default()
    })
    .unwrap();
    assert_eq!((changed.title.as_str(), changed.pinned, changed.draft.as_str()), ("My title", true, "not sent"));
    assert_eq!(order(), [old, new]);
    let root = show(&store, old)[0].id;
    store.begin(&request(Some(old), Place::InsteadOf(root), "edited"), NOW).unwrap();
    assert_eq!(update(Update::default()).unwrap().title, "My title");
    assert_eq!(update(Update { title: Some(String::new()), ..Update::default() }).unwrap().title, "edited");
    assert!(matches!(
        update(Update { profile: Some("nobody".to_owned()), ..Update::default() }),
        Err(StoreError::NotFound(_))
    ));
    assert!(update(Update { draft: Some("x".repeat(100_000)), ..Update::default() }).is_err());
}

#[test]
fn any_text_is_kept_as_it_is_and_any_query_is_answered() {
    let (_folder, store) = store();
    let hostile = [
        "what's",
        "C++",
        "NEAR(",
        "\"",
        "*",
        "a AND NOT (",
        "' OR 1=1 --",
        "-",
        "user:1",
        "東京タワー",
        "🦋🦋",
        "שלום עולם",
        "مرحبا",
        "nul\0inside",
        "\u{fdd0}\u{1}\u{2}",
        "e\u{301}te\u{301}",
        "\u{202e}rtl",
    ];
    for text in hostile {
        let (begun, _) = exchange(&store, None, text, &format!("you said {text}"));
        assert_eq!(texts(&store, begun.conversation)[0], text);
    }
    for query in hostile {
        find(&store, query);
    }
    for (query, least) in [("東京", 2), ("שלום", 2), ("C++", 2), ("user:1", 2), ("what's", 2)] {
        assert!(find(&store, query).len() >= least, "{query}: {:?}", find(&store, query));
    }
    words_are_whole(&store);
    assert!(find(&store, &"lantern ".repeat(140_000)).is_empty(), "a query of 1 MB");
}

#[test]
fn empty_and_overlong_texts_are_refused_by_name_and_leave_nothing() {
    let (_folder, store) = store();
    let said = |text: &str| store.begin(&request(None, Place::End, text), NOW);
    assert!(matches!(said(" \n"), Err(StoreError::Refused(_))));
    let error = said(&"x".repeat(1 << 20)).unwrap_err().to_string();
    assert!(error.contains("1048576"), "{error}");
    assert_eq!(number(&store, "SELECT count(*) FROM conversations"), 0);
    let long = "word ".repeat(150_000);
    let begun = begin(&store, None, &long);
    assert_eq!(texts(&store, begun.conversation), [long]);
    let error = store.save(&part(begun.turn, 0, &"x".repeat(1 << 20), MessageState::Complete), 0, NOW);
    assert!(matches!(error, Err(StoreError::Refused(_))));
}
