//! What all of the memory view's tests begin with, and its tabs.

use super::*;
use crate::state::memory::facts::tests::fact;
use crate::state::memory::search::tests::{passage, results};
use butterfly_api::memory::{Facts, PassageKind, Passages};

fn online() -> State {
    let mut state = State::default();
    assert!(state.reduce(Event::Connected).is_empty(), "nobody looks");
    state
}

#[test]
fn what_nobody_looks_at_is_not_read_and_what_was_read_is_not_read_again() {
    let mut state = online();
    assert!(state.reduce(Event::Show(Tab::Timeline)).is_empty());
    assert!(matches!(state.reduce(Event::Opened).as_slice(), [Outer::Memory(Effect::List { .. })]));
    assert!(state.reduce(Event::Opened).is_empty());
    assert!(matches!(state.reduce(Event::Show(Tab::Facts)).as_slice(), [Outer::Memory(Effect::Facts { .. })]));
    assert!(matches!(state.reduce(Event::Show(Tab::Graph)).as_slice(), [Outer::Memory(Effect::Graph { .. })]));
    assert!(state.reduce(Event::Show(Tab::Timeline)).is_empty());
}

#[test]
fn the_view_waits_for_the_bus_and_reads_anew_when_it_is_back() {
    let mut state = State::default();
    state.reduce(Event::Show(Tab::Facts));
    assert!(state.reduce(Event::Opened).is_empty());
    assert_eq!(state.reduce(Event::Connected).len(), 1);
    state.reduce(Event::Lost);
    assert!(!state.facts.facts.is_loading());
    assert!(state.reduce(Event::Refresh).is_empty());
    assert_eq!(state.reduce(Event::Connected).len(), 1);
}

#[test]
fn what_is_said_elsewhere_is_offered_and_changes_nothing_below_the_readers_eyes() {
    let mut state = online();
    state.reduce(Event::Opened);
    state.reduce(Event::Show(Tab::Timeline));
    assert!(state.reduce(Event::Said).is_empty());
    assert!(state.newer);
    assert_eq!(state.reduce(Event::Refresh).len(), 1);
    assert!(!state.newer);
}

#[test]
fn what_is_written_here_is_read_at_once() {
    let mut state = online();
    state.reduce(Event::Opened);
    state.reduce(Event::Show(Tab::Facts));
    assert!(matches!(state.reduce(Event::Wrote).as_slice(), [Outer::Memory(Effect::Facts { .. })]));
    assert!(matches!(state.reduce(Event::Show(Tab::Timeline)).as_slice(), [Outer::Memory(Effect::List { .. })]));
}

#[test]
fn what_is_forgotten_is_gone_from_every_list() {
    let mut state = online();
    state.search.query = "x".into();
    let kinds = [PassageKind::Memory, PassageKind::Message];
    let effects = state.reduce(Event::Search(search::Event::Submit));
    let [Outer::Memory(Effect::Search { request, query })] = effects.as_slice() else { panic!("{effects:?}") };
    let found = search::Event::Found { request: *request, query: query.clone(), result: Ok(results(&kinds)) };
    state.reduce(Event::Search(found));
    let request = state.timeline.passages.ask();
    let page = Passages { passages: vec![passage(1, PassageKind::Memory, "x")], more: false };
    state.reduce(Event::Timeline(timeline::Event::Listed { request, older: false, result: Ok(page) }));
    let request = state.facts.facts.ask();
    let facts = Facts { facts: vec![fact(7, "a", "b", "c")] };
    state.reduce(Event::Facts(facts::Event::Listed { request, result: Ok(facts) }));
    state.reduce(Event::Opened);
    let effects = state.reduce(Event::Gone { passages: vec![1], facts: vec![7] });
    assert!(effects.is_empty(), "what is shown is right already");
    assert_eq!(state.search.shown().len(), 1);
    assert!(state.timeline.passages.value().unwrap().is_empty());
    assert!(state.facts.shown().is_empty());
    assert_eq!(state.reduce(Event::Show(Tab::Graph)).len(), 1, "it is linked anew");
    assert_eq!(state.reduce(Event::Gone { passages: vec![2], facts: vec![] }).len(), 1);
    state.reduce(Event::Show(Tab::Facts));
    let again = state.reduce(Event::Gone { passages: vec![], facts: vec![9] });
    assert!(matches!(again.as_slice(), [Outer::Memory(Effect::Facts { .. })]), "what it had ended holds again");
}

#[test]
fn tabs_are_known_by_their_ids() {
    for tab in Tab::ALL {
        assert_eq!(Tab::of(tab.id()), tab);
    }
    assert_eq!(Tab::of("nonsense"), Tab::Search);
}
