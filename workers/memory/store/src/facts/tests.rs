//! Facts on a real database: what is superseded, what is not, and what comes back.

use super::*;
use crate::database::Store;
use crate::graph;
use butterfly_api::memory::FactsRequest;
use diesel::connection::SimpleConnection;
use proptest::prelude::*;

const DAY: i64 = 24 * 60 * 60 * 1000;

pub(crate) fn with_store<T>(work: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError>) -> T {
    let folder = tempfile::tempdir().unwrap();
    Store::open(folder.path()).unwrap().write(work).unwrap()
}

pub(crate) fn say(db: &mut SqliteConnection, text: &str, at_ms: i64) -> i64 {
    diesel::insert_into(passages::table)
        .values((
            passages::kind.eq(1),
            passages::speaker.eq("user"),
            passages::text.eq(text),
            passages::at_ms.eq(at_ms),
        ))
        .returning(passages::id)
        .get_result(db)
        .unwrap()
}

pub(crate) fn statement(subject: &str, relation: &str, object: &str, from_ms: i64) -> Statement {
    Statement {
        subject: Thing::entity(subject),
        relation: relation.to_owned(),
        object: Object::Thing(Thing::entity(object)),
        from_ms,
    }
}

/// Says and records in one step; returns the passage.
pub(crate) fn tell(db: &mut SqliteConnection, subject: &str, relation: &str, object: &str, at_ms: i64) -> i64 {
    let passage = say(db, &format!("{subject} {relation} {object}"), at_ms);
    record(db, &statement(subject, relation, object, at_ms), passage, at_ms).unwrap();
    passage
}

fn held(db: &mut SqliteConnection, about: &str, as_of: Option<i64>) -> Vec<String> {
    let request =
        FactsRequest { about: Some(about.to_owned()), as_of_unix_ms: as_of.map(unsigned), all: false, limit: 0 };
    list(db, &request, 1000 * DAY).unwrap().facts.into_iter().map(|fact| fact.object).collect()
}

#[test]
fn sister_moves_and_the_old_home_is_kept_for_as_of() {
    with_store(|db| {
        tell(db, "user's sister", "lives in", "Porto", DAY);
        tell(db, "user's sister", "moved to", "Lisbon", 100 * DAY);
        assert_eq!(held(db, "my sister", None), ["Lisbon"]);
        assert_eq!(held(db, "my sister", Some(50 * DAY)), ["Porto"]);
        assert_eq!(held(db, "my sister", Some(100 * DAY)), ["Lisbon"]);
        assert!(held(db, "my sister", Some(0)).is_empty());
        let all = FactsRequest { all: true, ..FactsRequest::default() };
        let all = list(db, &all, 1000 * DAY)?.facts;
        assert_eq!(all.len(), 2);
        assert_eq!(all[1].superseded_by, Some(all[0].id));
        assert_eq!(all[1].valid_to_unix_ms, Some(all[0].valid_from_unix_ms));
        Ok(())
    });
}

#[test]
fn late_older_statement_goes_into_the_past() {
    with_store(|db| {
        tell(db, "user's sister", "lives in", "Lisbon", 100 * DAY);
        tell(db, "user's sister", "lives in", "Porto", DAY);
        assert_eq!(held(db, "my sister", None), ["Lisbon"]);
        assert_eq!(held(db, "my sister", Some(50 * DAY)), ["Porto"]);
        Ok(())
    });
}

#[test]
fn late_statement_interrupts_what_was_said_again_since() {
    with_store(|db| {
        tell(db, "user", "lives in", "Porto", 10 * DAY);
        tell(db, "user", "lives in", "Porto", 30 * DAY);
        tell(db, "user", "lives in", "Braga", 20 * DAY);
        let homes = |db: &mut SqliteConnection, at| held(db, "me", Some(at));
        assert_eq!(homes(db, 15 * DAY), ["Porto"]);
        assert_eq!(homes(db, 25 * DAY), ["Braga"]);
        assert_eq!(homes(db, 35 * DAY), ["Porto"]);
        Ok(())
    });
}

#[test]
fn since_a_day_in_the_past_holds_now_whatever_was_said_between() {
    with_store(|db| {
        tell(db, "user", "lives in", "Porto", 10 * DAY);
        let passage = say(db, "I moved to Lisbon on day 50", 100 * DAY);
        record(db, &statement("user", "lives in", "Lisbon", 50 * DAY), passage, 100 * DAY)?;
        assert_eq!(held(db, "me", Some(40 * DAY)), ["Porto"]);
        assert_eq!(held(db, "me", Some(60 * DAY)), ["Lisbon"]);
        assert_eq!(held(db, "me", None), ["Lisbon"]);
        // Told between, but of an earlier state: it does not outlive what was said on day 100.
        tell(db, "user", "lives in", "Braga", 70 * DAY);
        assert_eq!(held(db, "me", Some(80 * DAY)), ["Braga"]);
        assert_eq!(held(db, "me", None), ["Lisbon"]);
        Ok(())
    });
}

#[test]
fn exact_duplicate_gains_a_source() {
    with_store(|db| {
        let first = tell(db, "user's sister", "lives in", "Porto", DAY);
        let again = tell(db, "My sister", "resides in", "porto", 2 * DAY);
        let facts = of_passage(db, again)?;
        assert_eq!(facts, of_passage(db, first)?);
        assert_eq!((facts.len(), facts[0].source), (1, Some(unsigned(first))));
        assert_eq!(held(db, "my sister", None), ["Porto"]);
        let likes = tell(db, "user", "likes", "pizza", DAY);
        let love = tell(db, "user", "love", "Pizza", 3 * DAY);
        assert_eq!(of_passage(db, likes)?, of_passage(db, love)?);
        Ok(())
    });
}

#[test]
fn similar_relations_subjects_and_likings_are_not_retired() {
    with_store(|db| {
        tell(db, "user's sister", "works at", "Sonae", DAY);
        tell(db, "user's sister", "was born in", "Braga", DAY);
        tell(db, "user's brother", "lives in", "Porto", DAY);
        tell(db, "user's sister", "visited", "Porto", DAY);
        tell(db, "user's sister", "lives in", "Lisbon", 2 * DAY);
        tell(db, "user's sister", "visited", "Rome", 3 * DAY);
        let all = FactsRequest { all: true, ..FactsRequest::default() };
        let ended =
            list(db, &all, 1000 * DAY)?.facts.into_iter().filter(|fact| fact.valid_to_unix_ms.is_some()).count();
        assert_eq!(ended, 0);
        Ok(())
    });
}

#[test]
fn forgetting_the_correction_brings_back_what_it_had_ended() {
    with_store(|db| {
        let porto = tell(db, "user's sister", "lives in", "Porto", DAY);
        let lisbon = tell(db, "user's sister", "lives in", "Lisbon", 100 * DAY);
        diesel::delete(passages::table.find(lisbon)).execute(db)?;
        assert_eq!(held(db, "my sister", None), ["Porto"]);
        let fact = of_passage(db, porto)?.remove(0);
        assert_eq!((fact.valid_to_unix_ms, fact.superseded_by), (None, None));
        diesel::delete(passages::table.find(porto)).execute(db)?;
        assert!(held(db, "my sister", None).is_empty());
        assert_eq!(facts::table.count().get_result::<i64>(db)?, 0);
        Ok(())
    });
}

#[test]
fn fact_begins_with_the_earliest_source_that_is_left() {
    with_store(|db| {
        tell(db, "user", "lives in", "Braga", DAY);
        let later = tell(db, "user", "lives in", "Porto", 30 * DAY);
        let earlier = tell(db, "user", "lives in", "Porto", 10 * DAY);
        assert_eq!(held(db, "me", Some(20 * DAY)), ["Porto"]);
        diesel::delete(passages::table.find(earlier)).execute(db)?;
        assert_eq!(held(db, "me", Some(20 * DAY)), ["Braga"]);
        assert_eq!(held(db, "me", Some(40 * DAY)), ["Porto"]);
        assert_eq!(of_passage(db, later)?[0].valid_from_unix_ms, unsigned(30 * DAY));
        Ok(())
    });
}

#[test]
fn correction_ends_the_fact_and_is_a_memory_of_its_own() {
    with_store(|db| {
        let porto = tell(db, "user's sister", "lives in", "Porto", DAY);
        let fact = of_passage(db, porto)?.remove(0).id;
        let request = Correction { fact, object: "Lisbon".to_owned(), from_unix_ms: Some(unsigned(50 * DAY)) };
        let changed = correct(db, &request, 60 * DAY)?.facts;
        assert_eq!((changed[0].object.as_str(), changed[1].object.as_str()), ("Lisbon", "Porto"));
        assert_eq!(changed[1].superseded_by, Some(changed[0].id));
        let memory = changed[0].source.unwrap();
        let text: String = passages::table.find(signed(memory)).select(passages::text).first(db)?;
        assert_eq!(text, "user's sister lives in Lisbon");
        assert_eq!(held(db, "my sister", Some(40 * DAY)), ["Porto"]);
        // What has ended cannot be corrected after its end, nor before it began, nor to what it says.
        for (from, object) in [(55, "Rome"), (0, "Rome"), (10, "porto")] {
            let request = Correction { fact, object: object.to_owned(), from_unix_ms: Some(unsigned(from * DAY)) };
            assert!(matches!(correct(db, &request, 60 * DAY), Err(StoreError::Refused(_))), "{from} {object}");
        }
        let none = Correction { fact: 999, object: String::new(), from_unix_ms: None };
        assert!(matches!(correct(db, &none, 60 * DAY), Err(StoreError::NotFound(_))));
        let end = Correction { fact: changed[0].id, object: String::new(), from_unix_ms: None };
        assert_eq!(correct(db, &end, 70 * DAY)?.facts[0].valid_to_unix_ms, Some(unsigned(70 * DAY)));
        assert!(held(db, "my sister", None).is_empty());
        Ok(())
    });
}

#[test]
fn one_person_under_two_names_is_listed_under_both() {
    with_store(|db| {
        tell(db, "user's sister", "is named", "Ana", DAY);
        tell(db, "user's sister", "lives in", "Porto", DAY);
        tell(db, "Ana", "works at", "Sonae", DAY);
        let mut objects = held(db, "Ana", None);
        objects.sort();
        assert_eq!(objects, ["Ana", "Porto", "Sonae"]);
        Ok(())
    });
}

#[test]
fn what_is_no_name_is_refused() {
    with_store(|db| {
        let passage = say(db, "x", 1);
        for (subject, relation, object) in
            [("", "likes", "tea"), ("user", "", "tea"), ("user", "likes", "..."), ("user", "likes", &"x".repeat(161))]
        {
            let refused = record(db, &statement(subject, relation, object, 1), passage, 1);
            assert!(matches!(refused, Err(StoreError::Refused(_))), "{subject} {relation} {object}");
        }
        Ok(())
    });
}

#[test]
fn outbox_waits_for_the_rules_first_and_holds_a_bounded_number_for_the_model() {
    with_store(|db| {
        let ids: Vec<i64> = (0..600).map(|number| say(db, "x", number)).collect();
        for id in &ids {
            enqueue(db, *id)?;
            enqueue(db, *id)?;
        }
        let rules = outbox::due(db, outbox::Stage::Rules, 1, 5)?;
        assert_eq!(rules.iter().map(|row| row.passage).collect::<Vec<_>>(), ids[..5]);
        for id in &ids {
            outbox::for_model(db, *id)?;
        }
        assert!(outbox::due(db, outbox::Stage::Rules, 1, 5)?.is_empty());
        let model = outbox::due(db, outbox::Stage::Model, 1, 1000)?;
        assert_eq!((model.len(), model[0].passage), (500, ids[599]));
        outbox::put_off(db, ids[599], 2, 77)?;
        assert_eq!(outbox::due(db, outbox::Stage::Model, 1, 1)?[0].passage, ids[598]);
        assert_eq!(outbox::due(db, outbox::Stage::Model, 77, 1)?[0].attempts, 2);
        assert_eq!(outbox::clear(db)?, 500);
        assert_eq!(outbox::next_due(db, outbox::Stage::Model)?, None);
        Ok(())
    });
}

#[test]
fn what_is_meant_is_known_only_where_one_fact_says_it() {
    with_store(|db| {
        tell(db, "user's sister", "lives in", "Porto", DAY);
        tell(db, "user", "visited", "Porto", DAY);
        let one = outbox::only_about(db, "porto", 2 * DAY)?;
        assert_eq!(one, Some(("user's sister".to_owned(), "lives in".to_owned())));
        tell(db, "user's brother", "lives in", "Porto", DAY);
        assert_eq!(outbox::only_about(db, "porto", 2 * DAY)?, None);
        Ok(())
    });
}

#[test]
fn look_ups_go_through_indexes() {
    #[derive(QueryableByName)]
    struct Step {
        #[diesel(sql_type = Text)]
        detail: String,
    }
    with_store(|db| {
        for query in [
            "SELECT id FROM facts WHERE subject_id = 1 AND relation = 'x' ORDER BY valid_from_ms, id",
            "SELECT id FROM facts WHERE subject_id = 1 ORDER BY id DESC LIMIT 5",
            "SELECT id FROM facts WHERE object_id = 1 ORDER BY id DESC LIMIT 5",
            "UPDATE facts SET superseded_by = NULL WHERE superseded_by = 1",
            "SELECT passage_id FROM extraction_outbox WHERE stage = 1 AND not_before_ms <= 5",
            "SELECT fact_id FROM fact_sources WHERE passage_id IN (1, 2)",
            "SELECT passage_id FROM mentions WHERE entity_id = 1 ORDER BY passage_id DESC LIMIT 5",
        ] {
            let plan: Vec<Step> = sql_query(format!("EXPLAIN QUERY PLAN {query}")).load(db)?;
            let plan: String = plan.into_iter().map(|step| step.detail + "; ").collect();
            assert!(plan.contains("SEARCH") && !plan.contains("SCAN"), "{query}: {plan}");
            assert!(!query.contains("LIMIT") || !plan.contains("TEMP B-TREE"), "{query}: {plan}");
        }
        Ok(())
    });
}

/// A step of the property's story.
#[derive(Debug, Clone)]
enum Step {
    Tell { home: usize, from: i64, said: i64 },
    Correct { home: Option<usize>, from: i64 },
    Forget { which: usize },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0_usize..4, 1_i64..40, 1_i64..40).prop_map(|(home, from, said)| Step::Tell { home, from, said }),
        1 => (proptest::option::of(0_usize..4), 1_i64..40).prop_map(|(home, from)| Step::Correct { home, from }),
        1 => (0_usize..20).prop_map(|which| Step::Forget { which }),
    ]
}

#[test]
fn homes_of_one_never_overlap_whatever_is_told_corrected_and_forgotten() {
    const HOMES: [&str; 4] = ["Porto", "Lisbon", "Braga", "Faro"];
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    // The claim is about time arithmetic: no need to wait for the disk.
    store.maintain(|db| Ok(db.batch_execute("PRAGMA synchronous = OFF")?)).unwrap();
    let config = proptest::test_runner::Config { cases: 64, failure_persistence: None, ..Default::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let story = |steps: Vec<Step>| {
        let told = store.write(|db| {
            db.batch_execute("DELETE FROM passages; DELETE FROM facts; DELETE FROM entities")?;
            let mut told = Vec::new();
            for step in steps {
                match step {
                    Step::Tell { home, from, said } => {
                        let passage = say(db, HOMES[home], said * DAY);
                        record(db, &statement("user", "lives in", HOMES[home], from * DAY), passage, said * DAY)?;
                        told.push(passage);
                    }
                    Step::Correct { home, from } => {
                        let newest: Option<i64> = facts::table.select(diesel::dsl::max(facts::id)).first(db)?;
                        let object = home.map_or(String::new(), |home| HOMES[home].to_owned());
                        let from_unix_ms = Some(unsigned(from * DAY));
                        let fact = unsigned(newest.unwrap_or_default());
                        match correct(db, &Correction { fact, object, from_unix_ms }, 50 * DAY) {
                            Ok(_) | Err(StoreError::Refused(_) | StoreError::NotFound(_)) => {}
                            Err(other) => return Err(other),
                        }
                    }
                    Step::Forget { which } => {
                        if !told.is_empty() {
                            let passage = told.remove(which % told.len());
                            diesel::delete(passages::table.find(passage)).execute(db)?;
                        }
                    }
                }
                let spans: Vec<(i64, Option<i64>)> =
                    facts::table.select((facts::valid_from_ms, facts::valid_to_ms)).load(db)?;
                for at in (0..52).map(|day| day * DAY) {
                    let holding = spans.iter().filter(|(from, to)| *from <= at && to.is_none_or(|to| at < to)).count();
                    if holding > 1 {
                        return Err(StoreError::Refused(format!("{holding} homes on day {}: {spans:?}", at / DAY)));
                    }
                }
                if spans.iter().any(|(from, to)| to.is_some_and(|to| *from > to)) {
                    return Err(StoreError::Refused(format!("a fact ends before it begins: {spans:?}")));
                }
            }
            Ok(())
        });
        told.map_err(|error| proptest::test_runner::TestCaseError::fail(error.to_string()))
    };
    runner.run(&proptest::collection::vec(step(), 1..25), story).unwrap();
}

#[test]
fn superseded_passage_says_by_what() {
    with_store(|db| {
        let porto = tell(db, "user's sister", "lives in", "Porto", DAY);
        let lisbon = tell(db, "user's sister", "lives in", "Lisbon", 100 * DAY);
        let found = graph::superseded(db, &[porto, lisbon], None)?;
        assert_eq!(found.len(), 1);
        assert_eq!(found[&porto], "corrected later: user's sister lives in Lisbon");
        assert!(graph::superseded(db, &[porto, lisbon], Some(50 * DAY))?.is_empty());
        Ok(())
    });
}
