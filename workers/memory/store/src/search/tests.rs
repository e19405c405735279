//! Claims about search, over a real database.

use super::*;
use crate::Store;
use crate::passages::import::{Line, take};
use butterfly_recall::stem::stem;
use diesel::connection::SimpleConnection;
use tempfile::TempDir;

const NOW: i64 = 1_800_000_000_000;

fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    (folder, store)
}

/// Lines `(conversation, speaker, text)`, a minute apart; ids count from 1 over all.
fn say(store: &Store, lines: &[(&str, &str, &str)]) {
    let lines: Vec<Line> = lines
        .iter()
        .enumerate()
        .map(|(place, (conversation, speaker, text))| Line {
            id: format!("{}", place + 1),
            conversation: (*conversation).to_owned(),
            speaker: (*speaker).to_owned(),
            text: (*text).to_owned(),
            at_ms: NOW - 1_000_000_000 + i64::try_from(place).unwrap() * 60_000,
        })
        .collect();
    store.write(|db| take(db, &lines, 0)).unwrap();
}

fn search_in(store: &Store, text: &str, scope: &Scope, near: &[(i64, f32)]) -> Vec<Found> {
    let query = Query::parse(text);
    let weights = Weights::default();
    store
        .read(|db| {
            let gathered = gather(db, text, &query, scope, &Frequent::default())?;
            rank(db, &gathered, &Ask { query: &query, scope, weights: &weights, near, limit: 10, now_ms: NOW })
        })
        .unwrap()
}

fn search(store: &Store, text: &str) -> Vec<String> {
    search_in(store, text, &Scope::default(), &[]).into_iter().map(|found| found.passage.text).collect()
}

fn conversation(store: &Store, name: &str) -> i64 {
    store.read(|db| crate::passages::conversation(db, name)).unwrap()
}

fn check(store: &Store) {
    store
        .write(|db| {
            Ok(db.batch_execute(
                "INSERT INTO passages_fts (passages_fts, rank) VALUES ('integrity-check', 1); \
                 INSERT INTO passages_grams (passages_grams, rank) VALUES ('integrity-check', 1);",
            )?)
        })
        .unwrap();
}

#[test]
fn question_finds_what_answers_it_by_the_stems_of_its_words() {
    let (_folder, store) = store();
    say(
        &store,
        &[
            ("a", "Ana", "My sister is living in Porto now."),
            ("a", "Ben", "The weather is fine."),
            ("b", "Cleo", "I bought a bicycle."),
        ],
    );
    assert_eq!(search(&store, "Where does your sister live?")[0], "My sister is living in Porto now.");
    assert_eq!(search(&store, "bicycles")[0], "I bought a bicycle.");
}

#[test]
fn whatever_a_person_types_is_answered() {
    let (_folder, store) = store();
    say(&store, &[("a", "Ana", "C++ and what's-his-name met user:1 at the café 東京タワー 😀 שלום")]);
    let megabyte = "lots of words ".repeat(80_000);
    for query in [
        "what's",
        "C++",
        "NEAR(",
        "\"",
        "*",
        "user:1",
        "a AND NOT (",
        "' OR 1=1 --",
        "-",
        "",
        " ",
        "\0",
        "caf\0e",
        "😀",
        "שלום",
        "^x",
        "text:",
        "\"a b",
        "{}",
        &megabyte,
    ] {
        search(&store, query);
    }
    for query in ["what's-his-name", "C++", "user:1", "cafe", "東京", "京タ", "東京タワー", "שלום", "タワー", "ワー"]
    {
        assert_eq!(search(&store, query).len(), 1, "{query}");
    }
}

#[test]
fn two_characters_of_a_script_without_spaces_are_found_wherever_they_stand() {
    let (_folder, store) = store();
    say(&store, &[("a", "Ana", "我妹妹住在里斯本"), ("a", "Ben", "我喜欢猫"), ("a", "Ana", "우리 고양이는 귀엽다")]);
    assert_eq!(search(&store, "妹妹")[0], "我妹妹住在里斯本");
    assert_eq!(search(&store, "斯本")[0], "我妹妹住在里斯本");
    assert_eq!(search(&store, "我妹妹住在哪里？")[0], "我妹妹住在里斯本");
    assert_eq!(search(&store, "猫")[0], "我喜欢猫");
    assert_eq!(search(&store, "고양이")[0], "우리 고양이는 귀엽다");
}

#[test]
fn word_that_nobody_said_is_found_inside_of_others() {
    let (_folder, store) = store();
    say(&store, &[("a", "Ana", "We watched the Butterflies."), ("a", "Ben", "Nice.")]);
    assert_eq!(search(&store, "utterfl")[0], "We watched the Butterflies.");
    let found = |piece: &str| store.read(|db| containing(db, piece, &Scope::default(), 10)).unwrap().len();
    assert_eq!(
        (found("the BUTTER"), found("d the"), found("butter the"), found("\"%_"), found("es"), found("")),
        (1, 1, 0, 0, 1, 0)
    );
}

#[test]
fn quoted_phrase_comes_before_its_scattered_words() {
    let (_folder, store) = store();
    say(
        &store,
        &[
            ("a", "Ana", "The house is red and the door of the house is big, red, red house."),
            ("a", "Ben", "A house that has a red roof."),
            ("a", "Ana", "Red, house, red, house."),
        ],
    );
    let phrase = search(&store, "\"roof\" \"has a red roof\"");
    assert_eq!(phrase[0], "A house that has a red roof.");
}

#[test]
fn only_the_named_conversation_is_searched_and_nothing_else_takes_its_places() {
    let (_folder, store) = store();
    let mut lines: Vec<(&str, &str, &str)> = vec![("noise", "Ana", "a piano is a piano is a piano"); 700];
    lines.push(("mine", "Ben", "We might hear someone play the piano there, if the shop is open at all by then."));
    say(&store, &lines);
    let scope = Scope { conversation: Some(conversation(&store, "mine")), ..Scope::default() };
    let found = search_in(&store, "piano", &scope, &[(1, 0.9), (701, 0.1)]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].passage.conversation.as_deref(), Some("mine"));
}

#[test]
fn later_trashed_unready_and_shown_passages_are_not_found() {
    let (_folder, store) = store();
    say(
        &store,
        &[
            ("a", "Ana", "my piano is black"),
            ("b", "Ben", "my piano is white"),
            ("c", "Cleo", "my piano is red"),
            ("d", "Dan", "my piano is green"),
        ],
    );
    let b = conversation(&store, "b");
    store
        .write(|db| {
            Ok(db.batch_execute(&format!(
                "UPDATE conversations SET trashed_ms = 1 WHERE id = {b}; UPDATE passages SET ready = 0 WHERE speaker = 'Cleo'"
            ))?)
        })
        .unwrap();
    check(&store);
    let near = [(1, 0.9), (2, 0.9), (3, 0.9), (4, 0.9)];
    let texts = |scope: &Scope| -> Vec<String> {
        let mut texts: Vec<String> =
            search_in(&store, "piano", scope, &near).into_iter().map(|found| found.passage.speaker).collect();
        texts.sort();
        texts
    };
    assert_eq!(texts(&Scope::default()), ["Ana", "Dan"]);
    let then = NOW - 1_000_000_000 + 60_000;
    assert_eq!(texts(&Scope { as_of_ms: Some(then), ..Scope::default() }), ["Ana"]);
    let shown = Some((conversation(&store, "d"), 4));
    assert_eq!(texts(&Scope { shown, ..Scope::default() }), ["Ana"]);
}

#[test]
fn term_in_most_passages_finds_no_candidates_but_still_weighs() {
    let (_folder, store) = store();
    let mut lines = vec![("a", "Ana", "the common thing happened again"); 1_500];
    lines.extend(vec![("a", "Ana", "nothing else was to be said about it"); 1_500]);
    lines.push(("a", "Ben", "a rare common bird"));
    lines.push(("a", "Ben", "a rare bird"));
    say(&store, &lines);
    let frequent = Frequent::default();
    let query = Query::parse("common rare");
    let find = || store.read(|db| words::find(db, &query, &Scope::default(), &frequent, 10)).unwrap();
    let words = find();
    assert_eq!(words.left_out, [0]);
    assert_eq!(words.ids, [3_002, 3_001]);
    assert!((1_400..1_600).contains(&words.having[0]), "{:?}", words.having);
    assert_eq!(find(), words);
    assert_eq!(search(&store, "common rare")[0], "a rare common bird");
    // Alone, it finds the latest.
    let alone = Query::parse("common");
    let words = store.read(|db| words::find(db, &alone, &Scope::default(), &frequent, 10)).unwrap();
    assert_eq!(words.ids.first(), Some(&3_001));
    assert_eq!(words.ids.len(), 10);
}

#[test]
fn answer_beside_a_match_is_found_and_says_so() {
    let (_folder, store) = store();
    say(
        &store,
        &[
            ("a", "Ana", "Where did you grow up?"),
            ("a", "Ben", "In Tromsø, far up north."),
            ("a", "Ana", "Cold!"),
            ("a", "Ben", "Very."),
            ("a", "Ana", "So what is for dinner?"),
        ],
    );
    let found = search_in(&store, "where did he grow up", &Scope::default(), &[]);
    assert_eq!(found[0].passage.text, "In Tromsø, far up north.");
    assert!(found[0].reasons.iter().any(|reason| reason.kind == ReasonKind::Neighbour));
    assert!(found.iter().all(|found| found.passage.text != "Very."));
}

#[test]
fn named_speaker_alone_finds_what_they_said() {
    let (_folder, store) = store();
    let mut lines = vec![("a", "Ben", "I mended the old clock."), ("a", "Ana", "Thank you, Ben!")];
    lines.extend(vec![("a", "Ana", "nothing of it"); 20]);
    say(&store, &lines);
    let found = search(&store, "Ben");
    assert!(found.iter().any(|text| text == "I mended the old clock."), "{found:?}");
    let scope = Scope { conversation: Some(conversation(&store, "a")), ..Scope::default() };
    let found = search_in(&store, "what has Ben been doing?", &scope, &[]);
    assert_eq!(found[0].passage.text, "I mended the old clock.", "{found:?}");
}

#[test]
fn what_the_assistant_repeats_of_an_outdated_fact_comes_after_the_correction() {
    let (_folder, store) = store();
    say(
        &store,
        &[
            ("a", "user", "My sister lives in Porto."),
            ("a", "user", "Where does my sister live?"),
            ("a", "assistant", "Your sister lives in Porto."),
            ("b", "user", "Actually, my sister moved to Lisbon"),
        ],
    );
    // What holds is asked of today, and the other tests' time has yet to come.
    let (then, later) = (1_000, 4_000);
    store
        .write(|db| {
            db.batch_execute("UPDATE passages SET at_ms = id * 1000")?;
            use crate::facts::{record, tests::statement};
            record(db, &statement("user's sister", "lives in", "Porto", then), 1, then)?;
            record(db, &statement("user's sister", "lives in", "Lisbon", later), 4, later)?;
            Ok(())
        })
        .unwrap();
    let near = [(2, 0.95), (3, 0.8), (1, 0.75), (4, 0.6)];
    for near in [&near[..], &[]] {
        let now = search_in(&store, "where does my sister live?", &Scope::default(), near);
        assert!(now[0].passage.text.contains("Lisbon"), "{now:#?}");
        let outdated = now.iter().filter(|found| found.passage.text.contains("Porto"));
        for found in outdated {
            let why = found.reasons.iter().find(|reason| reason.kind == ReasonKind::Superseded).unwrap();
            assert_eq!(why.detail, "corrected later: user's sister lives in Lisbon");
        }
        let before = Scope { as_of_ms: Some(later - 1), ..Scope::default() };
        let then = search_in(&store, "where does my sister live?", &before, near);
        assert!(then[0].passage.text.contains("Porto"), "{then:#?}");
        assert!(then.iter().all(|found| found.reasons.iter().all(|reason| reason.kind != ReasonKind::Superseded)));
    }
}

#[test]
fn message_and_the_memory_of_it_are_one_result() {
    let (_folder, store) = store();
    say(&store, &[("a", "user", "remember that the spare key hangs behind the barometer")]);
    let note = crate::passages::Note {
        text: "the spare key hangs behind the barometer".to_owned(),
        speaker: String::new(),
        tags: Vec::new(),
        conversation: None,
        source: Some(1),
        at_ms: NOW,
    };
    store.write(|db| crate::passages::add(db, &note)).unwrap();
    let found = search(&store, "where is the spare key?");
    assert_eq!(found, ["the spare key hangs behind the barometer"]);
}

#[test]
fn passage_of_the_named_speaker_comes_before_the_one_that_greets_them() {
    let (_folder, store) = store();
    say(
        &store,
        &[
            ("a", "Caroline", "I went hiking last weekend."),
            ("a", "Melanie", "Hi Caroline, I went hiking too."),
            ("a", "Caroline", "Great."),
        ],
    );
    let found = search_in(&store, "When did Caroline go hiking?", &Scope::default(), &[(1, 0.5), (2, 0.5), (3, 0.1)]);
    assert_eq!(found[0].passage.text, "I went hiking last weekend.");
    let tag = found[0].reasons.iter().find(|reason| reason.kind == ReasonKind::Tag).unwrap();
    assert_eq!(tag.detail, "said by Caroline");
}

#[test]
fn meaning_alone_finds_and_its_words_are_weighed_all_the_same() {
    let (_folder, store) = store();
    say(&store, &[("a", "Ana", "I adopted a puppy."), ("a", "Ben", "The train was late.")]);
    let found = search_in(&store, "which pet?", &Scope::default(), &[(1, 0.6), (2, 0.1)]);
    assert_eq!(found[0].passage.text, "I adopted a puppy.");
    let sum: f32 = found[0].reasons.iter().map(|reason| reason.score).sum();
    assert!((found[0].score - sum).abs() < 1e-4);
}

#[test]
fn stems_are_those_that_the_index_has() {
    let (_folder, store) = store();
    let words = "abilities ability able agreed agreement analogies animals apologies argued baking beautiful being believed \
        bikes biking bled bowls buses calmly capitalism caresses carried carrying cats centuries changed cities classes \
        conditional conflated controlling cried cries crying dancing decisiveness digitizer disabled dying electricity \
        failing falling fed feed feudalism filing fizzed flies formalize formative generalizations goodness gyroscopic \
        happiness happy hesitancy hissing hoping hopping inference irritant journaling kids knitting languages loving \
        meetings misses motoring mugs national operator oscillators ponies predication probate rate rational reading \
        replacement revival roll running says sensibility sing singing sized sky studies studying surprising swimming tanned \
        ties traditional tries troubled troubling using valency vietnamization was whales yes yoga ys eed aed ing";
    store
        .write(|db| {
            Ok(db.batch_execute("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, passages_fts, row)")?)
        })
        .unwrap();
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Text)]
        term: String,
    }
    for word in words.split_whitespace() {
        let term = store
            .write(|db| {
                db.batch_execute("DELETE FROM passages")?;
                sql_query("INSERT INTO passages (kind, speaker, text, at_ms) VALUES (1, '', ?, 0)")
                    .bind::<Text, _>(word)
                    .execute(db)?;
                let found: Found = sql_query("SELECT term FROM temp.vocabulary").get_result(db)?;
                Ok(found.term)
            })
            .unwrap();
        assert_eq!(stem(word), term, "{word}");
    }
}

#[test]
fn indexes_hold_after_many_changes_and_deletions() {
    let (_folder, store) = store();
    let texts: Vec<String> =
        (0..300).map(|number| format!("note {number} on 東京 and butterflies {}", number % 7)).collect();
    let lines: Vec<(&str, &str, &str)> = texts.iter().map(|text| ("a", "Ana", text.as_str())).collect();
    say(&store, &lines);
    store
        .write(|db| {
            Ok(db.batch_execute(
                "UPDATE passages SET text = 'changed ' || text WHERE id % 3 = 0; UPDATE passages SET ready = 0 WHERE id % 5 = 0; \
                 UPDATE passages SET tags = 'work' WHERE id % 4 = 0; DELETE FROM messages; DELETE FROM passages WHERE id % 2 = 0;",
            )?)
        })
        .unwrap();
    check(&store);
    store.write(|db| Ok(db.batch_execute("DELETE FROM passages")?)).unwrap();
    check(&store);
    let left: Vec<i64> = store.read(|db| containing(db, "butterflies", &Scope::default(), 10)).unwrap();
    assert!(left.is_empty());
}
