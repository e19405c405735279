//! What is noted, corrected, shown in full and forgotten.

use super::super::facts::tests::fact;
use super::super::search::tests::passage;
use super::*;
use crate::state::Event as Any;
use butterfly_api::memory::PassageKind;

fn open(event: Event) -> State {
    let mut state = State::default();
    state.reduce(event);
    state
}

fn write(effects: &[Outer]) -> (u64, Write) {
    let [Outer::Memory(Effect::Write { request, write })] = effects else { panic!("{effects:?}") };
    (*request, write.clone())
}

fn added(id: u64, known: bool) -> Added {
    Added { id, known, facts: Vec::new() }
}

/// The events that the effects tell other parts of.
fn then(effects: Vec<Outer>) -> Vec<Any> {
    effects
        .into_iter()
        .map(|effect| match effect {
            Outer::Then(event) => *event,
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn something_is_noted_with_its_tags_and_its_day() {
    let mut state = open(Event::Remember(String::new()));
    assert!(!state.can_save());
    assert!(state.reduce(Event::Save).is_empty());
    state.reduce(Event::Text("  My sister lives in York ".into()));
    state.reduce(Event::Tags("family, home".into()));
    state.reduce(Event::Day("2026-11-22".into()));
    let (request, Write::Note(note)) = write(&state.reduce(Event::Save)) else { panic!() };
    assert_eq!(
        (note.text.as_str(), note.tags.as_slice()),
        ("My sister lives in York", ["family", "home"].map(String::from).as_slice())
    );
    assert!(note.at_unix_ms.is_some());
    assert!(!state.can_save(), "once is enough");
    let told = then(state.reduce(Event::Saved { request, result: Ok(Done::Noted(added(5, false))) }));
    assert!(matches!(told.as_slice(), [Any::Frame(frame::Event::Toast(_)), Any::Memory(super::super::Event::Wrote)]));
    assert_eq!(state.sheet, None);
}

#[test]
fn a_wrong_day_and_a_text_that_is_too_long_are_said_and_not_sent() {
    let mut state = open(Event::Remember("words".into()));
    state.reduce(Event::Day("soon".into()));
    assert!(state.reduce(Event::Save).is_empty());
    assert!(state.wrong.as_ref().unwrap().contains("2026-11-22"));
    state.reduce(Event::Day(String::new()));
    state.reduce(Event::Text("x".repeat(TEXT_BYTES + 1)));
    assert!(state.reduce(Event::Save).is_empty());
    assert!(state.wrong.as_ref().unwrap().contains("64 KiB"));
}

#[test]
fn a_failure_leaves_the_dialog_with_what_was_typed() {
    let mut state = open(Event::Remember("words".into()));
    let (request, _) = write(&state.reduce(Event::Save));
    assert!(state.reduce(Event::Saved { request, result: Err("away".into()) }).is_empty());
    assert_eq!(state.saving.error(), Some("away"));
    assert!(state.can_save() && matches!(&state.sheet, Some(Sheet::Remember { text, .. }) if text == "words"));
    // Whoever closed it meanwhile hears of it all the same.
    let (request, _) = write(&state.reduce(Event::Save));
    state.reduce(Event::Close);
    assert_eq!(then(state.reduce(Event::Saved { request, result: Err("away".into()) })).len(), 1);
}

#[test]
fn a_memory_keeps_all_but_its_words() {
    let mut memory = passage(9, PassageKind::Memory, "My sister lives in Leeds");
    memory.source = Some(3);
    memory.tags = vec!["family".into()];
    let mut state = open(Event::Edit(Box::new(memory.clone())));
    assert!(!state.can_save(), "it is the same");
    state.reduce(Event::Text("My sister lives in York".into()));
    let (request, Write::Reword { old, add }) = write(&state.reduce(Event::Save)) else { panic!() };
    assert_eq!(old, 9);
    assert_eq!((add.source, add.at_unix_ms, add.tags), (Some(3), Some(memory.at_unix_ms), memory.tags));
    // The new wording is there and the old one, too: nothing is lost, and it is said.
    let done = Done::Reworded { old: 9, added: added(10, false), left: Some("the worker is away".into()) };
    let told = then(state.reduce(Event::Saved { request, result: Ok(done) }));
    let Any::Frame(frame::Event::Toast(toast)) = &told[0] else { panic!("{told:?}") };
    let (_, event) = toast.action.as_ref().unwrap();
    assert!(toast.text.contains("#10"));
    assert!(
        matches!(&**event, Any::Memory(super::super::Event::Sheet(Event::ForgetAgreed(what))) if *what == Forgettable::passage(9))
    );
}

#[test]
fn a_fact_is_corrected_or_ended() {
    let mut state = open(Event::Correct(Box::new(fact(4, "Mona", "lives in", "Leeds"))));
    assert!(!state.can_save());
    state.reduce(Event::Text(" York ".into()));
    let (_, Write::Correct(correction)) = write(&state.reduce(Event::Save)) else { panic!() };
    assert_eq!((correction.fact, correction.object.as_str(), correction.from_unix_ms), (4, "York", None));
    let mut state = open(Event::Correct(Box::new(fact(4, "Mona", "lives in", "Leeds"))));
    state.reduce(Event::Ended(true));
    let (_, Write::Correct(correction)) = write(&state.reduce(Event::Save)) else { panic!() };
    assert!(correction.object.is_empty());
}

#[test]
fn forgetting_asks_first_says_what_goes_and_then_tells_all_of_it() {
    let mut state = open(Event::Details(1));
    let what = Forgettable::passage(1);
    let effects = state.reduce(Event::Forget(what.clone()));
    let [Outer::Memory(Effect::Preview { request, .. })] = effects.as_slice() else { panic!("{effects:?}") };
    let goes = Forgotten {
        passages: vec![passage(1, PassageKind::Memory, "x"), passage(2, PassageKind::Memory, "y")],
        facts: vec![fact(7, "a", "b", "c")],
        ..Forgotten::default()
    };
    let preview = Event::Previewed { request: *request, what: what.clone(), result: Ok(goes.clone()) };
    let asked = then(state.reduce(preview.clone()));
    let [Any::Frame(frame::Event::Ask(question))] = asked.as_slice() else { panic!("{asked:?}") };
    let Any::Memory(super::super::Event::Sheet(agreed)) = (*question.event).clone() else { panic!() };
    let effects = state.reduce(agreed);
    assert!(matches!(effects.as_slice(), [Outer::Memory(Effect::Forget { what: asked })] if *asked == what));
    let told = then(state.reduce(Event::Forgotten { what, result: Ok(goes) }));
    let Any::Memory(super::super::Event::Gone { passages, facts }) = &told[0] else { panic!("{told:?}") };
    assert!(passages.contains(&1) && passages.contains(&2) && *facts == [7]);
    assert_eq!(state.sheet, None, "the dialog was about what is gone");
}

#[test]
fn a_late_preview_asks_nothing() {
    let mut state = State::default();
    let request = |effects: Vec<Outer>| {
        let [Outer::Memory(Effect::Preview { request, .. })] = effects.as_slice() else { panic!("{effects:?}") };
        *request
    };
    let old = request(state.reduce(Event::Forget(Forgettable::passage(1))));
    let new = request(state.reduce(Event::Forget(Forgettable::passage(2))));
    let preview = |request, id| Event::Previewed {
        request,
        what: Forgettable::passage(id),
        result: Ok(Forgotten { passages: vec![passage(id, PassageKind::Memory, "x")], ..Forgotten::default() }),
    };
    assert!(state.reduce(preview(old, 1)).is_empty());
    assert_eq!(state.reduce(preview(new, 2)).len(), 1);
}

#[test]
fn a_source_opens_the_conversation_at_its_message() {
    let mut state = open(Event::Details(1));
    let find = |state: &mut State| {
        let effects = state.reduce(Event::Source(1));
        let [Outer::Memory(Effect::Source { request, id: 1 })] = effects.as_slice() else { panic!("{effects:?}") };
        *request
    };
    let old = find(&mut state);
    let request = find(&mut state);
    let place = Place::Message { conversation: 4, message: 44 };
    assert!(state.reduce(Event::SourceFound { request: old, result: Ok(place) }).is_empty());
    let told = then(state.reduce(Event::SourceFound { request, result: Ok(place) }));
    assert!(matches!(
        told.as_slice(),
        [Any::Frame(frame::Event::Show("chat")), Any::Chat(chat::Event::Open { conversation: 4, message: Some(44) })]
    ));
    assert_eq!(state.sheet, None);
    let request = find(&mut state);
    let told = then(state.reduce(Event::SourceFound { request, result: Ok(Place::Passage(8)) }));
    assert!(matches!(told.as_slice(), [Any::Memory(super::super::Event::Sheet(Event::Details(8)))]));
}
