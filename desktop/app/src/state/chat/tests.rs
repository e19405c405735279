//! What the reducers promise, without a window and without a bus.

use super::dialog::{Dialog, ForgetStep, Forgetting};
use super::list::Phase;
use super::*;
use crate::state;
use butterfly_api::conversations::{Conversation, MessageState, StoredMessage, Transcript};
use butterfly_api::model::Role;
use butterfly_api::session::{EndReason, SendRequest, TurnEnd};

/// A conversation that was spoken in last at `updated`.
pub(crate) fn conversation(id: u64, updated: u64) -> Conversation {
    Conversation {
        id,
        external_id: None,
        title: format!("Talk {id}"),
        created_unix_ms: 0,
        updated_unix_ms: updated,
        messages: 0,
        pinned: false,
        draft: String::new(),
        profile: None,
        trashed_unix_ms: None,
    }
}

/// A complete message; odd turns' numbers are their first message's.
pub(crate) fn stored(id: u64, turn: u64, role: Role, text: &str) -> StoredMessage {
    StoredMessage {
        id,
        external_id: None,
        parent: None,
        turn,
        role,
        speaker: if role == Role::User { "user" } else { "assistant" }.to_owned(),
        text: text.to_owned(),
        thinking: String::new(),
        tool_calls: Vec::new(),
        tool_call_id: None,
        state: MessageState::Complete,
        error: None,
        model: "test-model".to_owned(),
        provenance: 0,
        usage: None,
        at_unix_ms: 0,
        versions: vec![id],
    }
}

/// So many turns, each a question and an answer, from the message `first` on.
pub(crate) fn turns(first: u64, count: u64) -> Vec<StoredMessage> {
    (0..count)
        .flat_map(|at| {
            let id = first + at * 2;
            [stored(id, id, Role::User, "question"), stored(id + 1, id, Role::Assistant, "answer")]
        })
        .collect()
}

fn transcript(id: u64, messages: Vec<StoredMessage>, more: bool) -> Box<Transcript> {
    Box::new(Transcript { conversation: conversation(id, 1), messages, more })
}

/// Effects for the bus alone.
fn asked(effects: &[Outer]) -> Vec<&Effect> {
    effects.iter().filter_map(|it| if let Outer::Chat(effect) = it { Some(effect) } else { None }).collect()
}

fn read_request(effects: &[Outer]) -> u64 {
    let found = asked(effects).into_iter().find_map(|it| match it {
        Effect::Read { request, .. } => Some(*request),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("nothing is read: {effects:?}"))
}

fn said(effects: &[Outer]) -> (u64, SendRequest) {
    let found = asked(effects).into_iter().find_map(|it| match it {
        Effect::Say { run, request } => Some((*run, request.clone())),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("nothing is said: {effects:?}"))
}

fn toasts(effects: &[Outer]) -> Vec<String> {
    let toast = |it: &Outer| match it {
        Outer::Then(event) => match &**event {
            state::Event::Frame(state::frame::Event::Toast(toast)) => Some(toast.text.clone()),
            _ => None,
        },
        _ => None,
    };
    effects.iter().filter_map(toast).collect()
}

/// A state with this conversation open.
fn with(id: u64, messages: Vec<StoredMessage>, more: bool) -> State {
    let mut state = State::default();
    state.reduce(Event::Connected);
    let effects = state.reduce(Event::Open { conversation: id, message: None });
    let request = read_request(&effects);
    state.reduce(Event::Read { conversation: id, request, result: Ok(transcript(id, messages, more)) });
    assert_eq!(state.thread.phase, Phase::Ready);
    state
}

fn send(state: &mut State, text: &str) -> Vec<Outer> {
    state.reduce(Event::Typed(text.into()));
    state.reduce(Event::Send)
}

fn complete(run: u64) -> Event {
    Event::Ended { run, result: Ok(TurnEnd { reason: EndReason::Complete, model: "m".into() }) }
}

fn failed(run: u64, code: ErrorCode) -> Event {
    Event::Ended { run, result: Err(Fault { code, message: "the model ended".into() }) }
}

#[test]
fn the_first_message_begins_a_conversation_and_what_is_said_is_shown_at_once() {
    let mut state = State::default();
    let (run, request) = said(&send(&mut state, "hello \n"));
    assert_eq!((request.conversation, request.text.as_str(), request.place), (None, "hello", Place::End));
    assert_eq!(state.pending().as_deref().map(String::as_str), Some("hello"));
    assert!(state.composer.text.is_empty() && state.is_running());
    state.reduce(Event::Started { run, conversation: 5, message: 50 });
    assert_eq!(state.thread.id, Some(5));
    let effects = state.reduce(complete(run));
    assert!(state.pending().is_some(), "it stays until the transcript is there");
    let messages = vec![stored(50, 50, Role::User, "hello"), stored(51, 50, Role::Assistant, "hi")];
    let request = read_request(&effects);
    state.reduce(Event::Read { conversation: 5, request, result: Ok(transcript(5, messages, false)) });
    assert!(state.pending().is_none() && state.runs.is_empty() && state.thread.run.is_none());
    assert_eq!(state.thread.shown().len(), 2);
}

#[test]
fn replies_that_come_late_are_dropped() {
    let mut state = with(1, turns(1, 1), false);
    let effects = state.reduce(Event::Open { conversation: 2, message: None });
    let late = transcript(1, turns(1, 3), false);
    state.reduce(Event::Read { conversation: 1, request: read_request(&effects), result: Ok(late) });
    assert!(state.thread.shown().is_empty(), "that is the other conversation's");
    let first = state.reduce(Event::Search("a".into()));
    let Effect::Search { request: first, .. } = asked(&first)[0] else { panic!() };
    let first = *first;
    state.reduce(Event::Search("ab".into()));
    state.reduce(Event::Found { request: first, result: Err("late".into()) });
    assert_eq!(state.list.search.phase, Phase::Loading);
}

#[test]
fn what_is_said_while_an_answer_runs_waits_and_is_sent_when_it_is_complete() {
    let mut state = with(1, turns(1, 1), false);
    let (run, _) = said(&send(&mut state, "one"));
    state.reduce(Event::Started { run, conversation: 1, message: 3 });
    assert!(asked(&send(&mut state, "two")).iter().all(|it| !matches!(it, Effect::Say { .. })));
    assert_eq!(state.composer.queue, ["two"]);
    let request = read_request(&state.reduce(complete(run)));
    let effects = state.reduce(Event::Read { conversation: 1, request, result: Ok(transcript(1, turns(1, 2), false)) });
    let (next, request) = said(&effects);
    assert_eq!((request.text.as_str(), request.conversation), ("two", Some(1)));
    assert!(state.composer.queue.is_empty() && state.thread.run == Some(next));
}

#[test]
fn what_waits_is_kept_when_the_answer_failed_or_was_stopped() {
    for end in [failed as fn(u64, ErrorCode) -> Event, |run, _| Event::Ended {
        run,
        result: Ok(TurnEnd { reason: EndReason::Stopped, model: String::new() }),
    }] {
        let mut state = with(1, turns(1, 1), false);
        let (run, _) = said(&send(&mut state, "one"));
        state.reduce(Event::Started { run, conversation: 1, message: 3 });
        send(&mut state, "two");
        let request = read_request(&state.reduce(end(run, ErrorCode::PeerDied)));
        let read = Event::Read { conversation: 1, request, result: Ok(transcript(1, turns(1, 2), false)) };
        assert!(asked(&state.reduce(read)).is_empty());
        assert_eq!(state.composer.queue, ["two"]);
        assert_eq!(said(&state.reduce(Event::SendQueued)).1.text, "two");
    }
}

#[test]
fn a_stop_before_the_answer_began_is_asked_for_when_it_has() {
    let mut state = State::default();
    let (run, _) = said(&send(&mut state, "hello"));
    assert!(asked(&state.reduce(Event::Stop)).is_empty());
    let effects = state.reduce(Event::Started { run, conversation: 5, message: 50 });
    assert!(
        matches!(asked(&effects)[..], [Effect::DraftLater { .. }, Effect::Stop { conversation: 5 }]),
        "{effects:?}"
    );
    assert!(matches!(asked(&state.reduce(Event::Stop))[..], [Effect::Stop { conversation: 5 }]));
}

#[test]
fn an_edit_is_said_beside_the_message_and_hides_what_followed_it() {
    let mut state = with(1, turns(1, 3), false);
    state.reduce(Event::Typed("a draft".into()));
    state.reduce(Event::Edit(3));
    assert_eq!((state.composer.text.as_str(), state.composer.draft()), ("question", "a draft"));
    let (_, request) = said(&send(&mut state, "another"));
    assert_eq!(request.place, Place::InsteadOf(3));
    assert_eq!(state.thread.shown().iter().map(|it| it.id).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(state.composer.text, "a draft", "the draft is back");
    assert_eq!(state.pending().as_deref().map(String::as_str), Some("another"));
}

#[test]
fn another_answer_keeps_the_question_and_hides_the_answer() {
    let mut state = with(1, turns(1, 3), false);
    let (_, request) = said(&state.reduce(Event::Again(4)));
    assert_eq!(request.place, Place::Again(4));
    assert_eq!(state.thread.shown().iter().map(|it| it.id).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(state.pending().is_none());
    let mut state = with(1, turns(1, 3), false);
    assert_eq!(said(&state.reduce(Event::Regenerate)).1.place, Place::Again(5));
}

#[test]
fn words_that_did_not_arrive_come_back_to_where_they_were_typed() {
    let mut state = with(1, turns(1, 1), false);
    let (run, _) = said(&send(&mut state, "precious"));
    let effects = state.reduce(failed(run, ErrorCode::Unavailable));
    assert_eq!(state.composer.text, "precious");
    assert_eq!(state.composer.fault.as_deref(), Some("the model ended"));
    assert!(state.runs.is_empty() && state.pending().is_none());
    read_request(&effects);
    // Meanwhile something else was typed: it is not overwritten.
    let (run, _) = said(&send(&mut state, "precious"));
    state.reduce(Event::Typed("else".into()));
    state.reduce(failed(run, ErrorCode::Unavailable));
    assert_eq!(
        (state.composer.text.as_str(), state.composer.queue.front().map(String::as_str)),
        ("else", Some("precious"))
    );
}

#[test]
fn a_connection_that_is_lost_in_mid_answer_keeps_the_words_and_reads_them_when_it_is_back() {
    let mut state = with(1, turns(1, 1), false);
    let (run, _) = said(&send(&mut state, "hello"));
    state.reduce(Event::Started { run, conversation: 1, message: 3 });
    let effects = state.reduce(Event::Lost);
    let told = effects.iter().any(|it| {
        matches!(it, Outer::Then(event) if matches!(&**event,
        state::Event::Answer(answer::Event::Ended { fault: Some(fault), .. }) if fault.contains("cut off")))
    });
    assert!(told, "{effects:?}");
    assert!(!state.is_running() && state.thread.run == Some(run), "what came of it stays");
    assert!(state.reduce(failed(run, ErrorCode::Disconnected)).is_empty(), "it is over already");
    let request = read_request(&state.reduce(Event::Connected));
    let mut messages = turns(1, 2);
    messages[3].state = MessageState::Interrupted;
    state.reduce(Event::Read { conversation: 1, request, result: Ok(transcript(1, messages, false)) });
    assert!(state.thread.run.is_none());
    assert_eq!(state.thread.last_answer().map(|it| it.state), Some(MessageState::Interrupted));
}

#[test]
fn an_answer_goes_on_while_another_conversation_is_open_and_is_marked_when_it_is_there() {
    let mut state = with(1, turns(1, 1), false);
    let (run, _) = said(&send(&mut state, "hello"));
    state.reduce(Event::Started { run, conversation: 1, message: 3 });
    state.reduce(Event::Open { conversation: 2, message: None });
    assert!(!state.is_running() && state.runs_in(1));
    let request = read_request(&state.reduce(Event::Open { conversation: 1, message: None }));
    let mut messages = turns(1, 2);
    messages[3].state = MessageState::Streaming;
    state.reduce(Event::Read { conversation: 1, request, result: Ok(transcript(1, messages, false)) });
    assert!(state.is_running() && state.thread.shown().len() == 3, "what is being said is shown once");
    state.reduce(Event::New);
    state.reduce(complete(run));
    assert!(state.list.unread.contains(&1) && state.runs.is_empty());
    state.reduce(Event::Open { conversation: 1, message: None });
    assert!(state.list.unread.is_empty());
}

#[test]
fn drafts_are_kept_per_conversation_and_saved_when_typing_rests() {
    let mut state = with(1, turns(1, 1), false);
    let effects = state.reduce(Event::Typed("h".into()));
    let [Effect::DraftLater { conversation: 1, version: first }] = asked(&effects)[..] else { panic!("{effects:?}") };
    let (first, effects) = (*first, state.reduce(Event::Typed("ha".into())));
    let [Effect::DraftLater { version: second, .. }] = asked(&effects)[..] else { panic!("{effects:?}") };
    let second = *second;
    assert!(state.reduce(Event::DraftDue { conversation: 1, version: first }).is_empty(), "it did not rest");
    let effects = state.reduce(Event::DraftDue { conversation: 1, version: second });
    assert!(matches!(asked(&effects)[..], [Effect::SaveDraft { conversation: 1, text }] if text == "ha"));
    state.reduce(Event::Typed("half".into()));
    let effects = state.reduce(Event::Open { conversation: 2, message: None });
    assert!(
        asked(&effects).iter().any(|it| matches!(it, Effect::SaveDraft { conversation: 1, text } if text == "half"))
    );
    assert_eq!(state.composer.text, "");
    state.reduce(Event::Open { conversation: 1, message: None });
    assert_eq!(state.composer.text, "half");
}

#[test]
fn a_draft_that_was_saved_before_is_there_when_the_conversation_is_opened() {
    let mut state = State::default();
    let request = read_request(&state.reduce(Event::Open { conversation: 1, message: None }));
    let mut read = transcript(1, turns(1, 1), false);
    read.conversation.draft = "not sent".into();
    state.reduce(Event::Read { conversation: 1, request, result: Ok(read) });
    assert_eq!(state.composer.text, "not sent");
    assert!(state.reduce(Event::DraftDue { conversation: 1, version: 0 }).is_empty(), "it is saved already");
}

#[test]
fn a_long_conversation_is_shown_in_a_window_and_read_page_by_page() {
    let mut state = with(1, turns(1001, 100), true);
    assert_eq!(state.thread.shown().len(), 60);
    assert_eq!(state.thread.shown().last().map(|it| it.id), Some(1200));
    for _ in 0..4 {
        assert!(asked(&state.reduce(Event::NearTop)).is_empty(), "what was read comes first");
    }
    assert!(state.thread.shown().len() <= 160 && !state.thread.shows_end());
    let effects = state.reduce(Event::NearTop);
    let [Effect::ReadEarlier { conversation: 1, before: 1001 }] = asked(&effects)[..] else { panic!("{effects:?}") };
    assert!(state.reduce(Event::NearTop).is_empty(), "it is on its way");
    let top = state.thread.shown()[0].id;
    let result = Ok(transcript(1, turns(801, 100), false));
    state.reduce(Event::ReadEarlier { conversation: 1, before: 1001, result });
    assert!(state.thread.shown().iter().any(|it| it.id == top), "what was being read is still there");
    while !state.thread.shows_beginning() {
        state.reduce(Event::NearTop);
    }
    assert_eq!(state.thread.shown()[0].id, 801);
    state.reduce(Event::Latest);
    assert_eq!(state.thread.shown().last().map(|it| it.id), Some(1200));
    assert!(state.thread.at_end);
}

#[test]
fn a_conversation_that_goes_on_takes_no_more_the_longer_it_is() {
    let mut state = with(1, turns(1, 50), false);
    for turn in 51..300 {
        let mut changed = conversation(1, turn);
        changed.messages = u32::try_from(2 * turn).unwrap();
        let effects = state.reduce(Event::Touched(Box::new(changed)));
        let Some(&Effect::Read { request, count, .. }) =
            asked(&effects).into_iter().find(|it| matches!(it, Effect::Read { .. }))
        else {
            panic!("{effects:?}")
        };
        assert_eq!(count, 100);
        let result = Ok(transcript(1, turns(2 * turn - 99, 50), true));
        state.reduce(Event::Read { conversation: 1, request, result });
        assert_eq!((state.thread.messages.len(), state.thread.shows_end()), (100, true));
        assert!(state.thread.shown().len() <= 100);
    }
    state.reduce(Event::NearTop);
    let effects = state.reduce(Event::NearTop);
    assert!(matches!(asked(&effects)[..], [Effect::ReadEarlier { .. }]), "what was let go is read again: {effects:?}");
}

#[test]
fn what_did_not_change_stays_the_very_same_when_it_is_read_again() {
    let mut state = with(1, turns(1, 3), false);
    let before = state.thread.shown().to_vec();
    let mut changed = conversation(1, 99);
    changed.messages = 8;
    let request = read_request(&state.reduce(Event::Touched(Box::new(changed))));
    let result = Ok(transcript(1, turns(1, 4), false));
    state.reduce(Event::Read { conversation: 1, request, result });
    assert!(state.thread.shown()[..6] == before[..]);
    assert_eq!(state.thread.shown().len(), 8);
}

#[test]
fn another_branch_is_read_although_it_has_as_many_messages() {
    let mut state = with(1, turns(1, 2), false);
    let same = conversation(1, 99);
    state.reduce(Event::Touched(Box::new(same.clone())));
    assert!(asked(&state.reduce(Event::Touched(Box::new(same.clone())))).is_empty(), "nothing is new");
    let request = read_request(&state.reduce(Event::Branched(Box::new(same))));
    state.reduce(Event::Read { conversation: 1, request, result: Ok(transcript(1, turns(5, 2), false)) });
    assert_eq!(state.thread.shown()[0].id, 5);
}

#[test]
fn a_message_that_was_found_is_gone_to_even_if_it_was_not_read() {
    let mut state = with(1, turns(1001, 50), true);
    let effects = state.reduce(Event::Open { conversation: 1, message: Some(7) });
    let request = read_request(&effects);
    assert!(asked(&effects).iter().any(|it| matches!(it, Effect::Read { until: Some(7), .. })));
    state.reduce(Event::Read { conversation: 1, request, result: Ok(transcript(1, turns(1, 550), false)) });
    assert!(state.thread.shown().iter().any(|it| it.id == 7));
}

#[test]
fn what_is_deleted_can_be_brought_back_from_its_toast() {
    let mut state = with(1, turns(1, 1), false);
    let mut gone = conversation(1, 5);
    gone.trashed_unix_ms = Some(9);
    let effects = state.reduce(Event::Deleted(Box::new(gone)));
    assert_eq!(toasts(&effects), ["“Talk 1” is in the trash."]);
    assert_eq!(state.thread.id, None, "a new conversation takes its place");
    let undo = effects.iter().find_map(|it| match it {
        Outer::Then(event) => match &**event {
            state::Event::Frame(state::frame::Event::Toast(toast)) => toast.action.clone(),
            _ => None,
        },
        _ => None,
    });
    let (label, event) = undo.unwrap();
    assert!(label == "Undo" && matches!(*event, state::Event::Chat(Event::Restore(1))));
}

#[test]
fn commands_are_run_and_not_said() {
    let mut state = with(1, turns(1, 1), false);
    for (text, found) in [("/model", Dialog::Models), ("/help", Dialog::Help), ("/profile", Dialog::Profiles)] {
        let effects = send(&mut state, text);
        assert!(asked(&effects).iter().all(|it| !matches!(it, Effect::Say { .. })));
        assert_eq!(state.dialog, found, "{text}");
        assert_eq!(state.composer.text, "");
        state.reduce(Event::CloseDialog);
    }
    assert!(
        matches!(asked(&send(&mut state, "/remember I like tea"))[0], Effect::Remember { text, .. } if text == "I like tea")
    );
    send(&mut state, "/model llama3");
    assert_eq!(said(&send(&mut state, "hi")).1.model.as_deref(), Some("llama3"));
    send(&mut state, "/quti");
    assert!(state.composer.fault.as_deref().is_some_and(|it| it.contains("/quti")) && state.composer.text == "/quti");
    send(&mut state, "/new");
    assert_eq!(state.thread.id, None);
}

#[test]
fn a_chosen_completion_is_run_where_it_is_whole() {
    let mut state = State::default();
    state.reduce(Event::Typed("/rem".into()));
    state.reduce(Event::Accept);
    assert_eq!(state.composer.text, "/remember ");
    state.reduce(Event::Typed("/he".into()));
    state.reduce(Event::Accept);
    assert_eq!((&state.dialog, state.composer.text.as_str()), (&Dialog::Help, ""));
}

#[test]
fn a_secret_goes_to_the_vault_and_nowhere_else() {
    let mut state = with(1, turns(1, 1), false);
    let (run, _) = said(&send(&mut state, "hello"));
    state.reduce(Event::Started { run, conversation: 1, message: 3 });
    state.reduce(Event::NeedsSecret { run, name: "model.api_key".into(), why: "it wants one".into() });
    state.reduce(Event::Show(Dialog::Help));
    assert!(matches!(state.dialog, Dialog::Secret { .. }), "nothing covers it");
    assert!(asked(&state.reduce(Event::KeepSecret(Hidden::new(Secret::new(String::new()))))).is_empty());
    let event = Event::KeepSecret(Hidden::new(Secret::new("sk-very-secret".into())));
    assert!(!format!("{event:?}").contains("sk-very"));
    let effects = state.reduce(event);
    assert!(matches!(asked(&effects)[..], [Effect::KeepSecret { name, .. }] if name == "model.api_key"));
    assert!(!format!("{effects:?} {state:?}").contains("sk-very"));
    state.reduce(Event::SecretRefused { run, why: "the keyring is locked".into() });
    assert!(matches!(&state.dialog, Dialog::Secret { keeping: false, refused: Some(_), .. }));
    state.reduce(Event::SecretKept { run, note: None });
    assert_eq!(state.dialog, Dialog::None);
    state.reduce(Event::NeedsSecret { run, name: "model.api_key".into(), why: String::new() });
    assert!(matches!(asked(&state.reduce(Event::DeclineSecret))[..], [Effect::Stop { conversation: 1 }]));
}

#[test]
fn forgetting_says_what_would_go_before_it_does_it() {
    let mut state = State::default();
    let effects = send(&mut state, "/forget tea");
    let Some(Effect::ForgetSearch { request, .. }) = asked(&effects).into_iter().next() else { panic!("{effects:?}") };
    state.reduce(Event::ForgetAnswered { request: request + 9, result: Err("late".into()) });
    let found = Ok(ForgetAnswer::Found(Vec::new()));
    state.reduce(Event::ForgetAnswered { request: *request, result: found });
    assert!(state.reduce(Event::Forget(Forgetting::Ask)).is_empty(), "nothing was chosen");
    state.reduce(Event::Forget(Forgetting::Toggle(7)));
    let effects = state.reduce(Event::Forget(Forgetting::Ask));
    let [Effect::Forget { request, ids, dry_run: true }] = asked(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!(ids, &[7]);
    let would_go = Ok(ForgetAnswer::WouldGo(Box::default()));
    state.reduce(Event::ForgetAnswered { request: *request, result: would_go });
    assert!(matches!(&state.dialog, Dialog::Forget(it) if matches!(it.step, ForgetStep::Agreeing { .. })));
    let effects = state.reduce(Event::Forget(Forgetting::Agree));
    assert!(matches!(asked(&effects)[..], [Effect::Forget { dry_run: false, .. }]));
}
