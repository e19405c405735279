//! What the rules take, and above all what they leave.

use super::*;
use butterfly_store::facts::Object;

/// 2026-03-04, a Wednesday.
const SAID: i64 = 1_772_618_400_000;

fn facts_by(speaker: &str, text: &str) -> Vec<String> {
    let sentence = |statement: Statement| {
        let object = match statement.object {
            Object::Thing(thing) => thing.name,
            Object::Value(value) => value,
        };
        format!("{} {} {object}", statement.subject.name, statement.relation)
    };
    read(speaker, text, SAID).statements.into_iter().map(sentence).collect()
}

fn facts(text: &str) -> Vec<String> {
    facts_by("user", text)
}

fn check(cases: &[(&str, &[&str])]) {
    for (text, expected) in cases {
        assert_eq!(facts(text), *expected, "{text}");
    }
}

#[test]
fn what_the_user_says_of_themselves() {
    check(&[
        ("I live in Porto.", &["user lives in Porto"]),
        ("i live in porto", &["user lives in porto"]),
        ("I'm living in New York now", &["user lives in New York"]),
        ("I just moved to Lisbon!", &["user lives in Lisbon"]),
        ("I've moved to St. Gallen.", &["user lives in St. Gallen"]),
        ("I work at Bank of America and I live in Boston.", &["user works at Bank of America", "user lives in Boston"]),
        ("I work for Sonae as a nurse", &["user works at Sonae"]),
        ("I work as a software engineer.", &["user works as software engineer"]),
        ("I'm a teacher.", &["user works as teacher"]),
        ("I'm vegetarian", &["user is vegetarian"]),
        ("I am allergic to peanuts and shellfish.", &["user is allergic to peanuts", "user is allergic to shellfish"]),
        ("I like jazz, green tea and cats.", &["user likes jazz", "user likes green tea", "user likes cats"]),
        ("I like tea and I hate coffee.", &["user likes tea", "user dislikes coffee"]),
        ("I love the Beatles", &["user likes the Beatles"]),
        ("I speak German and Portuguese", &["user speaks German", "user speaks Portuguese"]),
        ("I'm married to Bob.", &["user is married to Bob"]),
        ("I'm 34 years old", &["user age 34"]),
        ("I was born on 12 March 1990 in Braga", &["user birthday 1990-03-12"]),
        ("I was born in Braga", &["user was born in Braga"]),
        ("I'm from Braga, by the way", &["user comes from Braga"]),
        ("I have a dog named Rex.", &["user's dog is named Rex", "user has dog"]),
        ("I have a sister.", &["user has sister"]),
        ("Call me Max", &["user is named Max"]),
        ("My name is Max.", &["user is named Max"]),
        ("My name's Max Weber.", &["user is named Max Weber"]),
        ("my name is max", &["user is named max"]),
    ]);
}

#[test]
fn what_the_user_says_of_theirs() {
    check(&[
        ("My sister lives in Porto.", &["user's sister lives in Porto"]),
        (
            "By the way, my sister lives in Porto and works at Sonae.",
            &["user's sister lives in Porto", "user's sister works at Sonae"],
        ),
        ("My sister Ana lives in Porto", &["user's sister is named Ana", "user's sister lives in Porto"]),
        (
            "My older sister, Ana, lives in Porto",
            &["user's older sister is named Ana", "user's older sister lives in Porto"],
        ),
        ("My sister is Ana.", &["user's sister is named Ana"]),
        ("Ana is my sister.", &["user's sister is named Ana"]),
        ("My sister's name is Ana", &["user's sister is named Ana"]),
        ("My sister's birthday is on March 12th.", &["user's sister birthday 12 March"]),
        ("my birthday is 1990-03-12", &["user birthday 1990-03-12"]),
        ("My sister’s dog is called Rex", &["user's sister's dog is named Rex"]),
        (
            "My brother is a nurse, and my mother works at Sonae",
            &["user's brother works as nurse", "user's mother works at Sonae"],
        ),
        ("My favourite colour is blue.", &["user favourite colour blue"]),
        ("My favorite band is the Beatles", &[]),
        ("My phone number is +351 912 345 678", &["user phone number +351 912 345 678"]),
        ("My email is ana@example.org", &["user email address ana@example.org"]),
        ("My address is 12 Rua Nova, Porto", &["user address 12 Rua Nova, Porto"]),
        ("Ana's birthday is 12 March.", &["Ana birthday 12 March"]),
        ("Ana lives in Porto", &["Ana lives in Porto"]),
        ("Ana Maria's husband is Bob", &["Ana Maria's husband is named Bob"]),
        ("My sister married Bob", &["user's sister is married to Bob"]),
    ]);
}

#[test]
fn corrections_are_statements_and_what_was_wrong_is_none() {
    check(&[
        ("Actually, my sister moved to Lisbon.", &["user's sister lives in Lisbon"]),
        ("No, my sister lives in Lisbon", &["user's sister lives in Lisbon"]),
        ("no my sister lives in Lisbon", &["user's sister lives in Lisbon"]),
        ("My sister lives not in Porto but in Lisbon", &["user's sister lives in Lisbon"]),
        ("My sister lives in Lisbon, not Porto.", &["user's sister lives in Lisbon"]),
        ("My sister lives in Lisbon and not in Porto", &["user's sister lives in Lisbon"]),
        ("Correction: my birthday is 13 March", &["user birthday 13 March"]),
    ]);
    for (text, replaced) in [
        ("Not Porto but Lisbon.", Some(("Porto", "Lisbon"))),
        ("No, not Porto but Lisbon", Some(("Porto", "Lisbon"))),
        ("Sorry, I meant Lisbon, not Porto.", Some(("Porto", "Lisbon"))),
        ("It's Lisbon, not Porto", Some(("Porto", "Lisbon"))),
        ("Not bad but slow", None),
        ("Not now", None),
    ] {
        let expected: Vec<_> = replaced.into_iter().map(|(old, new)| (old.to_owned(), new.to_owned())).collect();
        let taken = read("user", text, SAID);
        assert_eq!(taken.replaced, expected, "{text}");
        assert!(taken.statements.is_empty(), "{text}");
    }
}

#[test]
fn beginning_is_taken_from_a_past_date() {
    let from = |text: &str| read("user", text, SAID).statements[0].from_ms;
    let day = |text: &str| butterfly_recall::moment::parse(text).unwrap();
    assert_eq!(from("I moved to Lisbon in March 2025"), day("2025-03-01"));
    assert_eq!(from("I live in Lisbon since 2019."), day("2019-01-01"));
    assert_eq!(from("My sister moved to Lisbon yesterday"), day("2026-03-03"));
    assert_eq!(from("My sister moved to Lisbon on 1 March 2026."), day("2026-03-01"));
    assert_eq!(from("I live in Lisbon"), SAID);
    // What is to come has not happened.
    assert_eq!(from("My sister moved to Lisbon on 1 April 2026"), SAID);
}

#[test]
fn what_is_not_said_in_earnest_yields_nothing() {
    for text in [
        // Questions.
        "Do I live in Porto?",
        "Where does my sister live",
        "My sister lives in Porto?",
        "is my name Max",
        "Did you know my sister lives in Porto?",
        "You know that I live in Porto, right?",
        // Conditions, wishes, doubts.
        "If I live in Porto, I pay less",
        "I would live in Porto",
        "I think my sister lives in Porto",
        "Maybe my sister lives in Porto",
        "I wish I lived in Porto",
        "My sister might live in Porto",
        "Imagine I live in Porto",
        "Suppose my name is Max",
        "I almost moved to Porto",
        "I'd like tea",
        "My sister wants to live in Porto",
        "My sister lives in Porto, I guess",
        // Denials and the past.
        "I don't live in Porto",
        "My sister no longer lives in Porto",
        "I never liked tea",
        "I am not allergic to peanuts",
        "I used to live in Porto",
        "I haven't moved to Porto",
        // Hearsay.
        "Bob says my sister lives in Porto",
        "I heard my sister lives in Porto",
        "Apparently my sister lives in Porto",
        "She told me my name is Max",
        // Pronouns and nobody.
        "She lives in Porto",
        "He is my brother",
        "They moved to Lisbon",
        "Everyone likes tea",
        "Nobody lives in Porto",
        "It lives in Porto",
        "This is my sister",
        // Quotations and code.
        "\"I live in Porto\"",
        "He wrote \"my name is Max\" on it",
        "```\nI live in Porto\n```",
        "> I live in Porto",
        "Run `I live in Porto`",
        "My sister \"no longer\" lives in Porto",
        // Not what it looks like.
        "I live in fear",
        "I live in a small house",
        "I live in the past",
        "I like it",
        "I like your answer",
        "I like the second one",
        "I love you",
        "I like that idea",
        "I like to swim in the morning",
        "I work for free",
        "I work at night",
        "I'm a bit tired",
        "I'm a mess",
        "I'm tired",
        "My sister is tired",
        "My code lives in src",
        "My heart lives in Paris",
        "My day is ruined",
        "My name is hard to pronounce",
        "Call me back tomorrow",
        "Call me later",
        "Dogs like bones",
        "Lisbon is nice",
        "I'm from the internet",
        "I have a question",
        "I have a sister who is tired",
        "The test is my friend",
        "Write a story: I live in Porto",
        "Translate: my name is Max",
        "Tell me that my sister lives in Porto",
        "My phone number is secret",
        "I may be in Porto on Friday",
        "My favourite is the blue one",
        "",
        "\0",
        "...",
    ] {
        let taken = read("user", text, SAID);
        assert_eq!(taken, Taken::default(), "{text}");
    }
}

#[test]
fn what_is_to_be_remembered_is_noted_in_the_users_words() {
    for (text, note) in [
        ("Remember that the key is under the mat.", Some("the key is under the mat.")),
        ("Please remember my locker is 12", Some("my locker is 12")),
        ("remember: don't eat fish", Some("don't eat fish")),
        ("Hey, note that \"quotes\" stay.", Some("\"quotes\" stay.")),
        ("Remember to buy milk", Some("to buy milk")),
        ("Don't forget that Ana comes on Friday!", Some("Ana comes on Friday!")),
        ("Keep in mind that I'm left-handed", Some("I'm left-handed")),
        ("Remember:\n- milk\n- bread", Some("- milk\n- bread")),
        ("Remember when we went to Rome", None),
        ("Remember me", None),
        ("Do you remember that the key is under the mat?", None),
        ("Remember the key?", None),
        ("I remember that the key was there", None),
        ("Note the difference", None),
        ("\"Remember that the key is here\"", None),
    ] {
        let expected: Vec<String> = note.into_iter().map(str::to_owned).collect();
        assert_eq!(read("user", text, SAID).notes, expected, "{text}");
    }
    let both = read("user", "Remember that my sister lives in Porto.", SAID);
    assert_eq!((both.notes.len(), both.statements.len()), (1, 1));
}

#[test]
fn days_are_events() {
    check(&[
        (
            "I have a dentist appointment on 12 March 2026.",
            &["dentist appointment (2026-03-12) takes place on 2026-03-12"],
        ),
        ("The wedding is on June 5", &["wedding (2026-06-05) takes place on 2026-06-05"]),
        ("Tomorrow I fly to Rome", &["I fly to Rome (2026-03-05) takes place on 2026-03-05"]),
        ("My exam is next Friday", &["exam (2026-03-06) takes place on 2026-03-06"]),
        ("Remember that Ana comes on 2026-04-01", &["Ana comes (2026-04-01) takes place on 2026-04-01"]),
        ("She flies to Rome tomorrow", &[]),
        ("Is the wedding on June 5?", &[]),
        ("Remind me tomorrow", &[]),
        ("The wedding is not on June 5", &[]),
        ("The wedding is in summer", &[]),
    ]);
}

#[test]
fn another_speaker_speaks_of_themselves() {
    assert_eq!(
        facts_by("Caroline", "I live in Porto. My sister lives in Faro."),
        ["Caroline lives in Porto", "Caroline's sister lives in Faro"]
    );
    assert_eq!(facts_by("", "I live in Porto"), ["user lives in Porto"]);
}

#[test]
fn anything_is_read_without_harm_and_in_bounds() {
    let many = "I like tea. ".repeat(10_000) + &(0..500).map(|n| format!("I live in Town{n}. ")).collect::<String>();
    assert!(read("user", &many, SAID).statements.len() <= STATEMENTS);
    let places = (0..500).map(|n| format!("I live in Town{n}. ")).collect::<String>();
    assert_eq!(read("user", &places, SAID).statements.len(), STATEMENTS);
    for text in [
        "my",
        "my sister",
        "my sister's",
        "I live in",
        "I like and",
        "call me",
        "remember",
        "not but",
        "i'm",
        "é".repeat(20_000).as_str(),
        "🦋 I live in 🦋",
        "‏أنا",
    ] {
        let _ = read("user", text, SAID);
    }
}

#[test]
fn earnest_texts_are_told_from_others() {
    assert!(states_something("We bought a house in Porto."));
    for text in ["Where is it?", "thanks", "What is the capital of France", "```\nlet x = 1;\n```"] {
        assert!(!states_something(text), "{text}");
    }
}
