//! What a question's names lead to, on a real database.

use super::*;
use crate::facts::tests::{say, tell, with_store};
use crate::facts::{mention, outbox};

const DAY: i64 = 24 * 60 * 60 * 1000;

fn first(db: &mut SqliteConnection, query: &str, as_of: Option<i64>) -> Option<i64> {
    links(db, query, as_of).unwrap().first().map(|link| link.passage)
}

#[test]
fn where_does_my_sister_live_finds_the_corrected_fact_and_as_of_the_old_one() {
    with_store(|db| {
        let porto = tell(db, "user's sister", "lives in", "Porto", DAY);
        let works = tell(db, "user's sister", "works at", "Sonae", DAY);
        let brother = tell(db, "user's brother", "lives in", "Faro", DAY);
        let lisbon = tell(db, "user's sister", "lives in", "Lisbon", 100 * DAY);
        let found = links(db, "Where does my sister live?", None)?;
        assert_eq!((found[0].passage, found[0].score), (lisbon, ASKED));
        assert!(found[0].detail.contains("user's sister lives in Lisbon"), "{}", found[0].detail);
        assert!(found.iter().all(|link| link.passage != brother && link.score <= 1.0 && link.score > 0.0));
        // It names her, but what it says no longer holds.
        let old = found.iter().find(|link| link.passage == porto).map(|link| link.score);
        assert_eq!(old, Some(MENTIONED));
        assert!(found.iter().any(|link| link.passage == works && link.score == BESIDE));
        assert_eq!(first(db, "Where does my sister live?", Some(50 * DAY)), Some(porto));
        assert_eq!(first(db, "where is my sister's home", None), Some(lisbon));
        assert_eq!(first(db, "Where does my sister live?", Some(0)), None);
        Ok(())
    });
}

#[test]
fn another_name_leads_one_step_further() {
    with_store(|db| {
        tell(db, "user's sister", "is named", "Ana", DAY);
        let home = tell(db, "user's sister", "lives in", "Lisbon", DAY);
        let found = links(db, "where does Ana live?", None)?;
        let link = found.iter().find(|link| link.passage == home).unwrap();
        assert_eq!(link.score, NEIGHBOUR_ASKED);
        assert!(link.detail.contains("user's sister lives in Lisbon"));
        Ok(())
    });
}

#[test]
fn user_is_linked_by_what_is_asked_for_only() {
    with_store(|db| {
        let home = tell(db, "user", "lives in", "Faro", DAY);
        let birthday = tell(db, "user", "birthday", "12 March", DAY);
        let colour = tell(db, "user", "favourite colour", "blue", DAY);
        tell(db, "user", "likes", "tea", DAY);
        assert_eq!(links(db, "Where do I live?", None)?.iter().map(|l| l.passage).collect::<Vec<_>>(), [home]);
        assert_eq!(first(db, "when is my birthday", None), Some(birthday));
        assert_eq!(first(db, "what's my favorite colour?", None), Some(colour));
        // Nothing is known of a brother: what is known of the user is no answer.
        assert!(links(db, "Where does my brother live?", None)?.is_empty());
        assert!(links(db, "what is the capital of France", None)?.is_empty());
        Ok(())
    });
}

#[test]
fn names_are_whole_words_and_the_longest_wins() {
    with_store(|db| {
        let ana = tell(db, "Ana", "lives in", "Porto", DAY);
        let maria = tell(db, "Ana Maria", "lives in", "Faro", DAY);
        assert!(links(db, "banana bread", None)?.is_empty());
        let found = links(db, "where does Ana Maria live", None)?;
        assert_eq!(found[0].passage, maria);
        assert!(found.iter().all(|link| link.passage != ana));
        Ok(())
    });
}

#[test]
fn name_in_a_script_without_spaces_is_found() {
    with_store(|db| {
        let home = tell(db, "王小明", "lives in", "上海", DAY);
        assert_eq!(first(db, "王小明住在哪里？", None), Some(home));
        Ok(())
    });
}

#[test]
fn passages_that_only_name_it_come_last_and_are_bounded() {
    with_store(|db| {
        let home = tell(db, "Ana", "lives in", "Porto", DAY);
        let ana = named(db, "met Ana today")?;
        assert_eq!(ana.len(), 1);
        for number in 0..300 {
            let passage = say(db, "met Ana", number);
            mention(db, ana[0], passage)?;
        }
        let found = links(db, "Ana?", None)?;
        assert_eq!(found[0].passage, home);
        assert_eq!(found.len() as i64, MENTIONS + 1);
        let each = MENTIONED * FAN as f32 / MENTIONS as f32;
        assert!(found[1..].iter().all(|link| link.score == each), "of whom much is said, a name says little");
        Ok(())
    });
}

#[test]
fn much_that_is_known_of_one_name_counts_little_each_and_what_is_asked_for_counts_in_full() {
    with_store(|db| {
        let home = tell(db, "Melanie", "lives in", "Oslo", DAY);
        let likes: Vec<i64> =
            (0..40).map(|day| tell(db, "Melanie", "likes", &format!("thing {day}"), day * DAY)).collect();
        let score = |db: &mut SqliteConnection, query: &str, passage: i64| {
            links(db, query, None)
                .unwrap()
                .into_iter()
                .find(|link| link.passage == passage)
                .map_or(0.0, |link| link.score)
        };
        assert_eq!(score(db, "Where does Melanie live?", home), ASKED);
        assert!(score(db, "Where does Melanie live?", likes[3]) < 0.1);
        assert!(score(db, "What would Melanie say?", likes[3]) < 0.1);
        // Little is known of Caroline, and everybody speaks of her.
        let one = tell(db, "Caroline", "likes", "tea", DAY);
        assert_eq!(score(db, "What would Caroline say?", one), ABOUT);
        let caroline = named(db, "Caroline")?;
        for day in 0..40 {
            let passage = say(db, "hello Caroline", day * DAY);
            mention(db, caroline[0], passage)?;
        }
        assert!(score(db, "What would Caroline say?", one) < 0.1);
        assert_eq!(score(db, "What does Caroline like?", one), ASKED);
        Ok(())
    });
}

#[test]
fn any_text_is_a_question() {
    with_store(|db| {
        tell(db, "user's sister", "lives in", "Porto", DAY);
        for query in ["", "\0", "'s", "my", "what's \" NEAR( *", &"my sister ".repeat(50_000), "‏مرحبا", "🦋"]
        {
            links(db, query, None)?;
            named(db, query)?;
        }
        outbox::clear(db)?;
        Ok(())
    });
}
