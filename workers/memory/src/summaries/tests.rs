//! Summing up on a real store, with a model at the far end of a real connection.

use super::*;
use crate::extraction::scripted::{Scripted, worker};
use butterfly_api::model::{Cause, ModelError};
use butterfly_store::StoreError;
use diesel::SqliteConnection;
use diesel::connection::SimpleConnection;
use serde_json::json;

/// Turns 10, 20, … of a conversation with a context of 1024 tokens; each takes about 230.
fn turns(db: &mut SqliteConnection, from: i64, to: i64) -> Result<(), StoreError> {
    db.batch_execute(
        "INSERT OR IGNORE INTO conversations (id, created_ms, updated_ms, context_tokens) VALUES (1, 0, 1, 1024)",
    )?;
    for turn in (from..=to).map(|number| number * 10) {
        let parent = if turn == 10 { "NULL".to_owned() } else { (turn - 9).to_string() };
        let (answer, text) = (turn + 1, format!("turn {turn} {}", "word ".repeat(75)));
        db.batch_execute(&format!(
            "INSERT INTO passages (id, kind, conversation_id, speaker, text, at_ms) VALUES \
               ({turn}, 0, 1, 'user', '{text}', {turn}), ({answer}, 0, 1, 'assistant', '{text}', {answer}); \
             INSERT INTO messages (id, conversation_id, parent_id, turn_id, part, role, state) VALUES \
               ({turn}, 1, {parent}, {turn}, -1, 1, 1), ({answer}, 1, {turn}, {turn}, 0, 2, 1); \
             UPDATE conversations SET head = {answer}, updated_ms = {answer}"
        ))?;
    }
    Ok(())
}

fn summary(text: &str) -> String {
    json!({"summary": text, "tags": ["rome"]}).to_string()
}

async fn current(core: &Arc<Core>, branch: Vec<i64>) -> Option<butterfly_api::conversations::Summary> {
    core.read(move |db| summaries::current(db, 1, &branch)).await.unwrap()
}

#[tokio::test]
async fn older_turns_are_summed_up_once_and_the_next_goes_on_from_there() {
    let model = Scripted::new("ollama", |request| {
        let before = request.messages[1].content.contains("The summary so far:\nfirst");
        Ok(summary(if before { "second" } else { "first" }))
    });
    let (_folder, core, config) = worker(Some(&model), &[]);
    let job = Summaries::new(Arc::clone(&core), config);
    core.write(|db| turns(db, 1, 2)).await.unwrap();
    assert_eq!(job.sum_up(1, 0).await, Ok(Done::Nothing));
    core.write(|db| turns(db, 3, 4)).await.unwrap();
    assert!(matches!(job.sum_up(1, 0).await, Ok(Done::Kept(_))));
    assert_eq!(job.sum_up(1, 0).await, Ok(Done::Nothing));
    let first = current(&core, vec![10, 20, 30, 40]).await.unwrap();
    assert_eq!((first.text.as_str(), first.first_turn, first.model.as_str()), ("first", 10, "tiny"));
    assert_eq!(first.tags, ["rome"]);
    core.write(|db| turns(db, 5, 7)).await.unwrap();
    assert!(matches!(job.sum_up(1, 0).await, Ok(Done::Kept(_))));
    let second = current(&core, vec![10, 20, 30, 40, 50, 60, 70]).await.unwrap();
    assert_eq!((second.text.as_str(), second.first_turn), ("second", 10));
    assert!(second.last_turn > first.last_turn);
    // No turn was read twice.
    let asked = model.asked.lock().unwrap();
    for turn in [10, 20, 30, 40, 50] {
        let line = format!("user: turn {turn} ");
        assert!(asked.iter().filter(|request| request.messages[1].content.contains(&line)).count() <= 1, "{turn}");
    }
}

#[tokio::test]
async fn failure_changes_nothing_and_the_same_turns_are_tried_again() {
    let model = Scripted::new("ollama", |request| match request.format {
        Some(_) => Ok("Here you are: they talked.".to_owned()),
        None => Ok("They talked.".to_owned()),
    });
    let (_folder, core, config) = worker(Some(&model), &[]);
    let job = Summaries::new(Arc::clone(&core), config);
    core.write(|db| turns(db, 1, 5)).await.unwrap();
    for attempt in 0..FORMAL_ATTEMPTS {
        assert!(matches!(job.sum_up(1, attempt).await, Err(Unanswered::Failed(_))));
        assert_eq!(current(&core, vec![10, 20, 30, 40, 50]).await, None);
    }
    // A model that cannot keep to a form is asked for plain text.
    assert!(matches!(job.sum_up(1, FORMAL_ATTEMPTS).await, Ok(Done::Kept(_))));
    let kept = current(&core, vec![10, 20, 30, 40, 50]).await.unwrap();
    assert_eq!((kept.text.as_str(), kept.tags.len()), ("They talked.", 0));
}

#[tokio::test]
async fn without_a_model_or_with_memory_off_nothing_happens() {
    let builtin = Scripted::new("builtin", |_| Ok(summary("x")));
    let (_folder, core, config) = worker(Some(&builtin), &[]);
    core.write(|db| turns(db, 1, 5)).await.unwrap();
    assert!(matches!(Summaries::new(Arc::clone(&core), config).sum_up(1, 0).await, Err(Unanswered::NoModel(_))));
    assert_eq!(current(&core, vec![10, 20, 30, 40, 50]).await, None);

    let absent = Scripted::new("ollama", |_| Err(ModelError::new(Cause::ServerNotRunning, "no server").into()));
    let (_folder, core, config) = worker(Some(&absent), &[]);
    core.write(|db| turns(db, 1, 5)).await.unwrap();
    assert!(matches!(Summaries::new(core, config).sum_up(1, 0).await, Err(Unanswered::NoModel(_))));

    let idle = Scripted::new("ollama", |_| Ok(summary("x")));
    let (_folder, core, config) = worker(Some(&idle), &[("MEMORY_ENABLED", "false")]);
    core.write(|db| turns(db, 1, 5)).await.unwrap();
    assert_eq!(Summaries::new(core, config).sum_up(1, 0).await, Ok(Done::Nothing));
    assert_eq!(idle.times(), 0);
}

#[tokio::test]
async fn background_job_sums_up_what_has_grown_too_long() {
    let model = Scripted::new("ollama", |_| Ok(summary("short")));
    let (_folder, core, config) = worker(Some(&model), &[]);
    let job = tokio::spawn(Summaries::new(Arc::clone(&core), config).run());
    let mut stored = core.watch();
    core.write(|db| turns(db, 1, 6)).await.unwrap();
    model.asked_times(1).await;
    while current(&core, vec![10, 20, 30, 40, 50, 60]).await.is_none() {
        stored.changed().await.unwrap();
    }
    job.abort();
}
