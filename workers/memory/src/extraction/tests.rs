//! Extraction on a real store, with a model at the far end of a real connection.

use super::scripted::{Scripted, worker};
use super::*;
use butterfly_api::memory::FactsRequest;
use butterfly_api::model::{Cause, ModelError, Role};
use butterfly_store::schema::{extraction_outbox, messages, passages as table};
use diesel::prelude::*;
use serde_json::json;

const DAY: i64 = 24 * 60 * 60 * 1000;

/// Says something in the first conversation, as a finished message, and has it wait. `role` as in the table.
fn say(db: &mut SqliteConnection, role: i32, text: &str, at_ms: i64) -> Result<i64, StoreError> {
    diesel::sql_query("INSERT OR IGNORE INTO conversations (id, created_ms, updated_ms) VALUES (1, 0, 0)")
        .execute(db)?;
    let speaker = if role == 1 { "user" } else { "assistant" };
    let id: i64 = diesel::insert_into(table::table)
        .values((
            table::kind.eq(0),
            table::conversation_id.eq(1),
            table::speaker.eq(speaker),
            table::text.eq(text),
            table::at_ms.eq(at_ms),
        ))
        .returning(table::id)
        .get_result(db)?;
    diesel::insert_into(messages::table)
        .values((
            messages::id.eq(id),
            messages::conversation_id.eq(1),
            messages::turn_id.eq(id),
            messages::part.eq(-1),
            messages::role.eq(role),
            messages::state.eq(1),
        ))
        .execute(db)?;
    outbox::enqueue(db, id)?;
    Ok(id)
}

async fn said(core: &Arc<Core>, role: i32, text: &str, at_ms: i64) -> i64 {
    let text = text.to_owned();
    core.write(move |db| say(db, role, &text, at_ms)).await.unwrap()
}

async fn facts(core: &Arc<Core>, as_of: Option<i64>) -> Vec<String> {
    let request = FactsRequest { as_of_unix_ms: as_of.map(|at| at as u64), ..FactsRequest::default() };
    let facts = core.read(move |db| facts::list(db, &request, 10_000 * DAY)).await.unwrap().facts;
    facts.into_iter().map(|fact| format!("{} {} {}", fact.subject, fact.relation, fact.object)).collect()
}

async fn waiting(core: &Arc<Core>) -> i64 {
    core.read(|db| Ok(extraction_outbox::table.count().get_result(db)?)).await.unwrap()
}

fn stated(subject: &str, relation: &str, object: &str) -> String {
    json!({"facts": [{"subject": subject, "relation": relation, "object": object}]}).to_string()
}

#[tokio::test]
async fn where_does_my_sister_live_finds_the_corrected_fact_and_as_of_the_old_one() {
    let (_folder, core, config) = worker(None, &[]);
    let extraction = Extraction::new(Arc::clone(&core), config);
    let porto = said(&core, 1, "By the way, my sister lives in Porto.", 100 * DAY).await;
    extraction.rules_round().await.unwrap();
    let lisbon = said(&core, 1, "Actually, my sister moved to Lisbon.", 200 * DAY).await;
    extraction.rules_round().await.unwrap();
    assert_eq!(facts(&core, None).await, ["user's sister lives in Lisbon"]);
    assert_eq!(facts(&core, Some(150 * DAY)).await, ["user's sister lives in Porto"]);
    let links = |as_of| core.read(move |db| graph::links(db, "where does my sister live?", as_of));
    assert_eq!(links(None).await.unwrap()[0].passage, lisbon);
    assert_eq!(links(Some(150 * DAY)).await.unwrap()[0].passage, porto);
    let superseded = core.read(move |db| graph::superseded(db, &[porto, lisbon], None)).await.unwrap();
    assert_eq!(superseded.into_keys().collect::<Vec<_>>(), [porto]);
}

#[tokio::test]
async fn elliptic_correction_is_understood_where_one_fact_is_meant() {
    let (_folder, core, config) = worker(None, &[]);
    let extraction = Extraction::new(Arc::clone(&core), config);
    said(&core, 1, "My sister lives in Porto.", 100 * DAY).await;
    said(&core, 1, "No, not Porto but Lisbon.", 200 * DAY).await;
    extraction.rules_round().await.unwrap();
    assert_eq!(facts(&core, None).await, ["user's sister lives in Lisbon"]);
    assert_eq!(facts(&core, Some(150 * DAY)).await, ["user's sister lives in Porto"]);
}

#[tokio::test]
async fn what_is_to_be_remembered_becomes_a_memory_of_the_message() {
    let (_folder, core, config) = worker(None, &[]);
    let extraction = Extraction::new(Arc::clone(&core), config);
    let message = said(&core, 1, "Remember that the key is under the mat.", 100 * DAY).await;
    extraction.rules_round().await.unwrap();
    let noted: Vec<(String, Option<i64>, String)> = core
        .read(|db| {
            Ok(table::table.filter(table::kind.eq(1)).select((table::text, table::source_id, table::tags)).load(db)?)
        })
        .await
        .unwrap();
    assert_eq!(noted, [("the key is under the mat.".to_owned(), Some(message), REMEMBERED.to_owned())]);
}

#[tokio::test]
async fn memory_that_was_noted_from_a_message_is_outdated_with_it() {
    let model = Scripted::new("ollama", |_| Ok(stated("user's brother", "lives in", "Faro")));
    let (_folder, core, config) = worker(Some(&model), &[]);
    let extraction = Extraction::new(Arc::clone(&core), config);
    let mut told = Vec::new();
    for (text, day) in [
        ("remember that my sister Ann lives in Porto", 100),
        ("Remember that my dear brother has been living in Faro for years.", 101),
        ("Remember that the key is under the mat. My sister likes tea.", 102),
    ] {
        let message = said(&core, 1, text, day * DAY).await;
        extraction.rules_round().await.unwrap();
        let noted = core.read(move |db| passages::noted_from(db, message)).await.unwrap();
        assert_eq!(noted.len(), 1, "{text}");
        told.push((message, noted[0]));
    }
    while matches!(extraction.model_round().await, Ok(Round::Read)) {}
    said(&core, 1, "Actually, my sister moved to Lisbon.", 200 * DAY).await;
    said(&core, 1, "My brother lives in Braga.", 201 * DAY).await;
    extraction.rules_round().await.unwrap();
    let all: Vec<i64> = told.iter().flat_map(|(message, memory)| [*message, *memory]).collect();
    let outdated = |as_of| {
        let all = all.clone();
        core.read(move |db| graph::superseded(db, &all, as_of))
    };
    let mut lowered: Vec<i64> = outdated(None).await.unwrap().into_keys().collect();
    lowered.sort_unstable();
    assert_eq!(lowered, [told[0].0, told[0].1, told[1].0, told[1].1]);
    assert!(outdated(Some(150 * DAY)).await.unwrap().is_empty());
    // What was noted is of the key, not of her liking.
    let memory = told[2].1;
    assert!(core.read(move |db| facts::of_passage(db, memory)).await.unwrap().is_empty());
}

#[tokio::test]
async fn imported_talk_makes_facts_and_no_memories() {
    let (_folder, core, config) = worker(None, &[]);
    let extraction = Extraction::new(Arc::clone(&core), config);
    let message = said(&core, 1, "Remember that my sister lives in Porto.", DAY).await;
    core.write(move |db| {
        diesel::update(table::table.find(message)).set(table::external_id.eq("D1:1")).execute(db)?;
        Ok(())
    })
    .await
    .unwrap();
    extraction.rules_round().await.unwrap();
    assert_eq!(facts(&core, None).await, ["user's sister lives in Porto"]);
    assert!(core.read(move |db| passages::noted_from(db, message)).await.unwrap().is_empty());
}

#[tokio::test]
async fn assistant_summaries_and_own_prompts_are_never_read() {
    let model = Scripted::new("ollama", |_| Ok(stated("user", "lives in", "Porto")));
    let (_folder, core, config) = worker(Some(&model), &[]);
    let extraction = Extraction::new(Arc::clone(&core), config);
    let prompt = answer::question("I live in Porto.");
    said(&core, 2, "I live in Porto. My sister lives in Faro.", DAY).await;
    said(&core, 3, "I live in Porto.", DAY).await;
    said(&core, 0, "I live in Porto.", DAY).await;
    said(&core, 1, &format!("{}\n\n{}", prompt.system, prompt.user.replace("I live", "\nthey lived")), DAY).await;
    core.write(|db| {
        let id: i64 = diesel::insert_into(table::table)
            .values((
                table::kind.eq(2),
                table::speaker.eq("summary"),
                table::text.eq("I live in Porto."),
                table::at_ms.eq(DAY),
            ))
            .returning(table::id)
            .get_result(db)?;
        outbox::enqueue(db, id)
    })
    .await
    .unwrap();
    extraction.rules_round().await.unwrap();
    assert!(matches!(extraction.model_round().await, Ok(Round::Until(None))));
    assert!(facts(&core, None).await.is_empty());
    assert_eq!((model.times(), waiting(&core).await), (0, 0));
}

#[tokio::test]
async fn model_finds_what_the_rules_do_not_and_is_believed_as_far_as_the_message_goes() {
    let model = Scripted::new("ollama", |request| {
        assert_eq!(request.temperature, Some(0.0));
        assert!(request.format.is_some() && request.messages[0].role == Role::System);
        Ok(json!({"facts": [
            {"subject": "my sister", "relation": "lives_in", "object": "Porto"},
            {"subject": "user", "relation": "lives in", "object": "Madrid"},
        ]})
        .to_string())
    });
    let (_folder, core, config) = worker(Some(&model), &[]);
    let extraction = Extraction::new(Arc::clone(&core), config);
    said(&core, 1, "So my dear sister has been living in Porto for years.", DAY).await;
    extraction.rules_round().await.unwrap();
    assert!(facts(&core, None).await.is_empty());
    assert!(matches!(extraction.model_round().await, Ok(Round::Read)));
    assert_eq!(facts(&core, None).await, ["user's sister lives in Porto"]);
    assert_eq!(waiting(&core).await, 0);
}

#[tokio::test]
async fn rules_are_surer_than_a_model() {
    let model = Scripted::new("ollama", |_| Ok(stated("user's sister", "lives in", "Porto")));
    let (_folder, core, config) = worker(Some(&model), &[]);
    let extraction = Extraction::new(Arc::clone(&core), config);
    said(&core, 1, "My sister lives in Lisbon. My brother likes Porto.", DAY).await;
    extraction.rules_round().await.unwrap();
    let before = facts(&core, None).await;
    assert!(before.contains(&"user's sister lives in Lisbon".to_owned()));
    assert!(matches!(extraction.model_round().await, Ok(Round::Read)));
    assert_eq!(facts(&core, None).await, before);
}

#[tokio::test]
async fn rubbish_costs_nothing_but_the_attempt() {
    let model = Scripted::new("ollama", |_| Ok("Sure! Here are the facts: user lives in Porto".to_owned()));
    let (_folder, core, config) = worker(Some(&model), &[]);
    let extraction = Extraction::new(Arc::clone(&core), config);
    said(&core, 1, "We were all quite happy in Porto.", DAY).await;
    extraction.rules_round().await.unwrap();
    assert!(matches!(extraction.model_round().await, Ok(Round::Read)));
    assert!(matches!(extraction.model_round().await, Ok(Round::Until(None))));
    assert!(facts(&core, None).await.is_empty());
    assert_eq!((model.times(), waiting(&core).await), (1, 0));
}

#[tokio::test]
async fn attempts_are_bounded_and_wait_longer_each_time() {
    let model = Scripted::new("ollama", |_| Err(ModelError::new(Cause::MidStream, "it broke off").into()));
    let (_folder, core, config) = worker(Some(&model), &[]);
    let extraction = Extraction::new(Arc::clone(&core), config);
    let message = said(&core, 1, "We were all quite happy in Porto.", DAY).await;
    extraction.rules_round().await.unwrap();
    let mut last = 0;
    for attempt in 1..=ATTEMPTS {
        assert!(matches!(extraction.model_round().await, Ok(Round::Read)));
        if attempt == ATTEMPTS {
            break;
        }
        assert!(matches!(extraction.model_round().await, Ok(Round::Until(Some(_)))), "it is not due yet");
        let due = core.read(|db| outbox::next_due(db, Stage::Model)).await.unwrap().unwrap();
        let pause = due - facts::now_ms();
        assert!(pause > last, "attempt {attempt} waits {pause} ms");
        last = pause;
        core.write(move |db| outbox::put_off(db, message, attempt, 0)).await.unwrap();
    }
    assert_eq!((model.times(), waiting(&core).await), (ATTEMPTS as usize, 0));
}

#[tokio::test]
async fn built_in_responder_is_not_asked_and_what_waits_stays() {
    let model = Scripted::new("builtin", |_| Ok(stated("user", "likes", "Porto")));
    let (_folder, core, config) = worker(Some(&model), &[]);
    let extraction = Extraction::new(Arc::clone(&core), config);
    said(&core, 1, "We were all quite happy in Porto.", DAY).await;
    extraction.rules_round().await.unwrap();
    assert!(matches!(extraction.model_round().await, Err(Unanswered::NoModel(_))));
    assert_eq!((facts(&core, None).await.len(), waiting(&core).await), (0, 1));
}

#[tokio::test]
async fn switched_off_nothing_is_read_and_nothing_waits() {
    let model = Scripted::new("ollama", |_| Ok(stated("user", "lives in", "Porto")));
    let (_folder, core, config) = worker(Some(&model), &[("MEMORY_ENABLED", "false")]);
    assert!(!config.flag(ENABLED));
    let extraction = Extraction::new(Arc::clone(&core), config);
    said(&core, 1, "I live in Porto. Remember that the key is under the mat.", DAY).await;
    extraction.rules_round().await.unwrap();
    assert!(matches!(extraction.model_round().await, Ok(Round::Until(None))));
    assert_eq!((facts(&core, None).await.len(), waiting(&core).await, model.times()), (0, 0, 0));
}

#[tokio::test]
async fn without_a_model_s_reading_what_is_sure_is_still_taken() {
    let model = Scripted::new("ollama", |_| Ok(stated("user", "likes", "trains")));
    let (_folder, core, config) = worker(Some(&model), &[("MEMORY_EXTRACT", "false")]);
    assert!(!config.flag(EXTRACT));
    let extraction = Extraction::new(Arc::clone(&core), config);
    said(&core, 1, "I live in Porto, and trains are what I like to see there.", DAY).await;
    extraction.rules_round().await.unwrap();
    assert!(matches!(extraction.model_round().await, Ok(Round::Until(None))));
    assert_eq!((facts(&core, None).await.len(), waiting(&core).await, model.times()), (1, 0, 0));
}

#[tokio::test]
async fn background_job_wakes_when_something_was_said() {
    let model = Scripted::new("ollama", |_| Ok(stated("user's sister", "lives in", "Porto")));
    let (_folder, core, config) = worker(Some(&model), &[]);
    let job = tokio::spawn(Extraction::new(Arc::clone(&core), config).run());
    let mut stored = core.watch();
    said(&core, 1, "So my dear sister has been living in Porto for years.", DAY).await;
    model.asked_times(1).await;
    while facts(&core, None).await.is_empty() {
        stored.changed().await.unwrap();
    }
    job.abort();
}

#[tokio::test]
async fn what_was_forgotten_while_the_model_thought_is_not_recorded() {
    let (_folder, core, _config) = worker(None, &[]);
    let message = said(&core, 1, "I live in Porto.", DAY).await;
    let statement = Statement {
        subject: Thing::entity("user"),
        relation: "lives in".to_owned(),
        object: Object::Thing(Thing::entity("Porto")),
        from_ms: DAY,
    };
    core.write(move |db| {
        diesel::delete(table::table.find(message)).execute(db)?;
        believe(db, message, &[statement])
    })
    .await
    .unwrap();
    assert!(facts(&core, None).await.is_empty());
}

#[tokio::test]
async fn what_was_said_last_is_read_for_whoever_asks_and_an_import_is_not_waited_for() {
    let (_folder, core, config) = worker(None, &[]);
    let extraction = Extraction::new(Arc::clone(&core), config);
    said(&core, 1, "I live in Porto.", DAY).await;
    extraction.catch_up().await;
    assert_eq!(facts(&core, None).await.len(), 1);
    for number in 0..=i64::from(BATCH) {
        said(&core, 1, &format!("My brother lives in Town{number}."), DAY).await;
    }
    let before = waiting(&core).await;
    extraction.catch_up().await;
    assert_eq!(waiting(&core).await, before, "all of it is the background's");
}
