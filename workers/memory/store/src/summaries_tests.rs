//! Summaries on a real database: cursors, branches, forgetting.

use super::*;
use crate::database::Store;
use diesel::connection::SimpleConnection;

fn with_store<T>(work: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError>) -> T {
    let folder = tempfile::tempdir().unwrap();
    Store::open(folder.path()).unwrap().write(work).unwrap()
}

/// Adds a message after `parent`. A turn's own message has part -1.
fn message(db: &mut SqliteConnection, id: i64, parent: Option<i64>, turn: i64, part: i32, attempt: i64) {
    let parent = parent.map_or("NULL".to_owned(), |parent| parent.to_string());
    let role = if part < 0 { 1 } else { 2 };
    db.batch_execute(&format!(
        "INSERT OR IGNORE INTO conversations (id, created_ms, updated_ms, context_tokens) VALUES (1, 0, 0, 4096); \
         INSERT INTO passages (id, kind, conversation_id, speaker, text, at_ms) \
            VALUES ({id}, 0, 1, 'x', 'text {id}', {id}); \
         INSERT INTO messages (id, conversation_id, parent_id, turn_id, part, attempt, role, state) \
            VALUES ({id}, 1, {parent}, {turn}, {part}, {attempt}, {role}, 1); \
         UPDATE conversations SET head = {id}"
    ))
    .unwrap();
}

/// Turns 10, 20, … with one answer each: 11, 21, …
fn turns(db: &mut SqliteConnection, count: i64) {
    for turn in (1..=count).map(|number| number * 10) {
        message(db, turn, (turn > 10).then_some(turn - 9), turn, -1, 0);
        message(db, turn + 1, Some(turn), turn, 0, 0);
    }
}

fn new(messages: &[i64], previous: Option<i64>) -> NewSummary {
    NewSummary {
        conversation: 1,
        text: format!("sum of {messages:?}"),
        tags: vec!["two words".to_owned()],
        previous,
        messages: messages.to_vec(),
        model: "tiny".to_owned(),
    }
}

fn after(db: &mut SqliteConnection) -> Vec<i64> {
    progress(db, 1).unwrap().after.into_iter().map(|message| message.id).collect()
}

#[test]
fn summaries_go_on_from_one_another_and_the_transcript_stays() {
    with_store(|db| {
        turns(db, 4);
        assert_eq!(after(db), [10, 11, 20, 21, 30, 31, 40, 41]);
        let first = keep(db, &new(&[10, 11], None), 100)?.unwrap();
        let seen = progress(db, 1)?;
        assert_eq!(seen.summary.as_ref().map(|summary| summary.id), Some(unsigned(first)));
        assert_eq!((seen.context_tokens, after(db)), (4096, vec![20, 21, 30, 31, 40, 41]));
        let second = keep(db, &new(&[20, 21], Some(first)), 101)?.unwrap();
        assert_eq!(after(db), [30, 31, 40, 41]);
        let found = current(db, 1, &[10, 20, 30, 40])?.unwrap();
        assert_eq!((found.id, found.first_turn, found.last_turn), (unsigned(second), 10, 20));
        assert_eq!((found.from_unix_ms, found.to_unix_ms, found.tags), (10, 21, vec!["two-words".to_owned()]));
        let messages: i64 = messages::table.count().get_result(db)?;
        assert_eq!(messages, 8);
        // Turns that the list leaves out at its beginning do no harm.
        assert_eq!(current(db, 1, &[30, 40])?.map(|summary| summary.id), Some(unsigned(second)));
        Ok(())
    });
}

#[test]
fn branch_has_the_newest_summary_of_its_own_past() {
    with_store(|db| {
        turns(db, 4);
        let first = keep(db, &new(&[10, 11], None), 100)?.unwrap();
        let second = keep(db, &new(&[20, 21], Some(first)), 101)?.unwrap();
        // Turn 20 said differently: 50 follows 11.
        message(db, 50, Some(11), 50, -1, 0);
        message(db, 51, Some(50), 50, 0, 0);
        assert_eq!(current(db, 1, &[10, 50])?.map(|summary| summary.id), Some(unsigned(first)));
        assert_eq!(after(db), [50, 51]);
        assert_eq!(progress(db, 1)?.summary.map(|summary| summary.id), Some(unsigned(first)));
        // Turn 20 answered differently: what was summed up of it was another answer.
        message(db, 60, Some(20), 20, 0, 1);
        assert_eq!(current(db, 1, &[10, 20])?.map(|summary| summary.id), Some(unsigned(first)));
        message(db, 70, Some(60), 70, -1, 0);
        assert_eq!(current(db, 1, &[10, 20, 70])?.map(|summary| summary.id), Some(unsigned(first)));
        assert_eq!(after(db), [20, 60, 70]);
        assert_eq!(current(db, 1, &[10, 20, 30, 40])?.map(|summary| summary.id), Some(unsigned(second)));
        // Turn 10 said differently: nothing stands for it.
        message(db, 80, None, 80, -1, 0);
        assert_eq!(current(db, 1, &[80])?, None);
        assert_eq!(after(db), [80]);
        Ok(())
    });
}

#[test]
fn summary_goes_with_any_message_that_it_sums_up_and_is_not_kept_after_it() {
    with_store(|db| {
        turns(db, 4);
        let first = keep(db, &new(&[10, 11], None), 100)?.unwrap();
        let second = keep(db, &new(&[20, 21], Some(first)), 101)?.unwrap();
        let sources: Vec<i64> = summary_sources::table
            .filter(summary_sources::summary_id.eq(second))
            .select(summary_sources::passage_id)
            .load(db)?;
        assert_eq!(sources, [10, 11, 20, 21]);
        let gone = new(&[30, 99], Some(second));
        assert_eq!(keep(db, &gone, 102)?, None);
        diesel::delete(passages::table.find(second)).execute(db)?;
        assert_eq!(keep(db, &new(&[30, 31], Some(second)), 103)?, None);
        assert_eq!(progress(db, 1)?.summary.map(|summary| summary.id), Some(unsigned(first)));
        Ok(())
    });
}

#[test]
fn only_conversations_that_a_model_answered_in_are_looked_at() {
    with_store(|db| {
        db.batch_execute(
            "INSERT INTO conversations (id, created_ms, updated_ms, context_tokens, trashed_ms) VALUES \
             (1, 0, 10, 4096, NULL), (2, 0, 20, 0, NULL), (3, 0, 30, 4096, 5), (4, 0, 40, 4096, NULL), (5, 0, 50, 1, NULL)",
        )?;
        assert_eq!(changed(db, 0, 20)?, [(1, 10), (4, 40), (5, 50)]);
        assert_eq!(changed(db, 40, 20)?, [(4, 40), (5, 50)]);
        assert_eq!(changed(db, 0, 2)?, [(4, 40), (5, 50)]);
        Ok(())
    });
}

#[test]
fn a_long_conversation_is_followed_to_its_beginning() {
    with_store(|db| {
        turns(db, 500);
        let seen = progress(db, 1)?;
        assert_eq!((seen.after.len(), seen.after[0].id), (1000, 10));
        assert_eq!(seen.after[0].bytes, "text 10".len() as u64);
        let said = texts(db, &[11, 10, 99])?;
        assert_eq!(said.iter().map(|said| said.id).collect::<Vec<_>>(), [10, 11]);
        Ok(())
    });
}
