//! What the fixture claims, and that the measured program finds what it names.

use butterfly_recall::Weights;
use butterfly_recall_harness::embed::Embedder;
use butterfly_recall_harness::fixture::Fixture;
use butterfly_recall_harness::run::{By, Library, Where};
use butterfly_recall_harness::vectors::Vectors;
use std::collections::HashSet;
use std::rc::Rc;

fn stand_in() -> Rc<Vectors> {
    Rc::new(Vectors::new(Embedder::StandIn))
}

#[test]
fn fixture_is_large_enough_and_half_of_it_cannot_be_found_by_words() {
    let fixture = Fixture::read().unwrap();
    let apart = fixture.questions.iter().filter(|question| !fixture.shares_words(question)).count();
    assert!(fixture.turns.len() >= 400, "{}", fixture.turns.len());
    assert!(fixture.questions.len() >= 100, "{}", fixture.questions.len());
    assert!(apart * 2 >= fixture.questions.len(), "{apart} of {}", fixture.questions.len());
    let speakers: HashSet<&str> = fixture.turns.iter().map(|turn| turn.speaker.as_str()).collect();
    assert!(speakers.len() >= 14, "{speakers:?}");
}

#[test]
fn every_turn_has_an_id_of_its_own_and_every_question_is_asked_once() {
    let fixture = Fixture::read().unwrap();
    let ids: HashSet<(&str, &str)> =
        fixture.turns.iter().map(|turn| (turn.conversation.as_str(), turn.id.as_str())).collect();
    assert_eq!(ids.len(), fixture.turns.len());
    let questions: HashSet<(&str, &str)> =
        fixture.questions.iter().map(|question| (question.conversation.as_str(), question.text.as_str())).collect();
    assert_eq!(questions.len(), fixture.questions.len());
}

#[test]
fn long_dialogue_is_of_two_who_are_named_alike_throughout() {
    let long = Fixture::read().unwrap().as_one_dialogue();
    let speakers: HashSet<&str> = long.turns.iter().map(|turn| turn.speaker.as_str()).collect();
    assert_eq!(speakers, HashSet::from(["Maya", "Tom"]));
    assert!(long.turns.len() >= 300 && long.questions.len() >= 150, "{} {}", long.turns.len(), long.questions.len());
    assert!(long.turns.is_sorted_by_key(|turn| turn.at_ms));
    let known: HashSet<&str> = long.turns.iter().map(|turn| turn.id.as_str()).collect();
    assert!(long.questions.iter().flat_map(|question| &question.evidence).all(|id| known.contains(id.as_str())));
    let told: String = long
        .turns
        .iter()
        .map(|turn| turn.text.as_str())
        .chain(long.questions.iter().map(|question| question.text.as_str()))
        .collect();
    for name in ["Farah", "Oskar", "Priya", "Jonas", "Ruth", "Eli", "Sofia", "Dan"] {
        assert!(!told.split(|c: char| !c.is_alphanumeric()).any(|word| word == name), "{name}");
    }
}

#[test]
fn rankings_hold_turns_of_the_searched_place_each_once() {
    let fixture = Fixture::read().unwrap();
    let library = Library::new(&fixture, stand_in(), Weights::default()).unwrap();
    let known: HashSet<String> =
        fixture.turns.iter().map(|turn| format!("{}/{}", turn.conversation, turn.id)).collect();
    let questions = &fixture.questions[..40];
    for by in [By::Words, By::Meaning, By::Both] {
        for place in [Where::Everywhere, Where::Conversation] {
            let rankings = library.rankings(questions, by, place).unwrap();
            assert_eq!(rankings.len(), questions.len());
            for (ranking, question) in rankings.iter().zip(questions) {
                let each: HashSet<&String> = ranking.iter().collect();
                assert_eq!(each.len(), ranking.len());
                assert!(ranking.iter().all(|id| known.contains(id)));
                if place == Where::Conversation {
                    let prefix = format!("{}/", question.conversation);
                    assert!(ranking.iter().all(|id| id.starts_with(&prefix)));
                }
            }
        }
    }
}

#[test]
fn same_run_gives_the_same_ranking() {
    let fixture = Fixture::read().unwrap();
    let run = || {
        let library = Library::new(&fixture, stand_in(), Weights::default()).unwrap();
        library.rankings(&fixture.questions[..40], By::Both, Where::Everywhere).unwrap()
    };
    assert_eq!(run(), run());
}
