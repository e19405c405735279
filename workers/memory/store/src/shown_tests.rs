//! Explanations on a real database.

use super::*;
use crate::database::Store;
use butterfly_api::conversations::Summary;
use butterfly_api::memory::{Found, Passage, PassageKind};
use diesel::connection::SimpleConnection;

fn with_store<T>(work: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError>) -> T {
    let folder = tempfile::tempdir().unwrap();
    Store::open(folder.path()).unwrap().write(work).unwrap()
}

/// Two turns: 1 with its answer 2, and 3.
fn turns(db: &mut SqliteConnection) {
    db.batch_execute(
        "INSERT INTO conversations (id, created_ms, updated_ms, head) VALUES (7, 0, 0, 3); \
         INSERT INTO passages (id, kind, conversation_id, speaker, text, at_ms) \
            VALUES (1, 0, 7, 'user', 'Where is it?', 1), (2, 0, 7, 'assistant', 'There.', 2), (3, 0, 7, 'user', 'Oh', 3); \
         INSERT INTO messages (id, conversation_id, parent_id, turn_id, part, role, state, model) \
            VALUES (1, 7, NULL, 1, -1, 1, 1, ''), (2, 7, 1, 1, 0, 2, 1, 'tiny'), (3, 7, 2, 3, -1, 1, 1, '')",
    )
    .unwrap();
}

fn shown(passage: u64, quoted: Option<u64>) -> Shown {
    let passage = Passage {
        id: passage,
        kind: PassageKind::Memory,
        external_id: None,
        conversation: None,
        conversation_id: None,
        speaker: "user".to_owned(),
        text: "the key is under the mat".to_owned(),
        tags: vec![],
        at_unix_ms: 5,
        source: None,
    };
    let summary = |id| Summary {
        id,
        text: "so far".to_owned(),
        tags: vec![],
        first_turn: 1,
        last_turn: 1,
        from_unix_ms: 1,
        to_unix_ms: 2,
        model: "tiny".to_owned(),
    };
    Shown {
        recalled: vec![Found { passage, score: 0.5, reasons: vec![] }],
        summary: quoted.map(summary),
        turns: 2,
        ..Shown::default()
    }
}

#[test]
fn any_message_of_a_turn_explains_it_and_none_the_last_one() {
    with_store(|db| {
        turns(db);
        keep(db, 1, &shown(70, Some(71)))?;
        for message in [1, 2] {
            let explained = explain(db, Some(message))?;
            assert_eq!((explained.conversation, explained.turn, explained.model.as_str()), (7, 1, "tiny"));
            assert_eq!(explained.text, "Where is it?");
            assert_eq!(explained.shown, Some(shown(70, Some(71))));
        }
        let last = explain(db, None)?;
        assert_eq!((last.turn, last.shown), (3, None));
        assert!(matches!(explain(db, Some(99)), Err(StoreError::NotFound(_))));
        Ok(())
    });
}

#[test]
fn nothing_said_is_nothing_to_explain() {
    with_store(|db| {
        assert!(matches!(explain(db, None), Err(StoreError::NotFound(_))));
        Ok(())
    });
}

#[test]
fn what_is_kept_again_takes_the_place_of_what_was() {
    with_store(|db| {
        turns(db);
        keep(db, 1, &shown(70, Some(71)))?;
        keep(db, 1, &shown(80, None))?;
        assert_eq!(load(db, 1)?, Some(shown(80, None)));
        assert!(quoting(db, &[70, 71])?.is_empty());
        assert_eq!(quoting(db, &[80])?, [1]);
        Ok(())
    });
}

#[test]
fn explanation_goes_with_any_passage_that_it_quotes() {
    for forgotten in [70, 71] {
        with_store(|db| {
            turns(db);
            keep(db, 1, &shown(70, Some(71)))?;
            keep(db, 3, &shown(90, None))?;
            assert_eq!(forget(db, &[forgotten, 5])?, 1);
            assert_eq!(load(db, 1)?, None);
            assert!(load(db, 3)?.is_some());
            let left: i64 = shown_passages::table.count().get_result(db)?;
            assert_eq!(left, 1);
            Ok(())
        });
    }
}
