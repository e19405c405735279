//! What the commands about memory print, word for word.

use super::*;
use butterfly_api::conversations::Summary;
use butterfly_api::memory::Edge;

const AT: u64 = 1_763_820_916_123;

fn passage_of(id: u64, text: &str) -> Passage {
    Passage {
        id,
        kind: PassageKind::Message,
        external_id: Some("m1".into()),
        conversation: Some("c1".into()),
        conversation_id: Some(3),
        speaker: "Ann".into(),
        text: text.into(),
        tags: vec!["sea".into()],
        at_unix_ms: AT,
        source: None,
    }
}

fn found() -> Found {
    let reasons = vec![
        Reason { kind: ReasonKind::Word, score: 0.5, detail: "bm25 7.31 of 9.02: tide".into() },
        Reason { kind: ReasonKind::Superseded, score: -0.25, detail: String::new() },
    ];
    Found { passage: passage_of(12, "The tide\nturns at \x1b[2J six."), score: 0.25, reasons }
}

fn fact() -> Fact {
    Fact {
        id: 4,
        subject: "user's sister".into(),
        relation: "lives in".into(),
        object: "Porto".into(),
        valid_from_unix_ms: 1_767_225_600_000,
        valid_to_unix_ms: Some(1_780_272_000_000),
        recorded_unix_ms: AT,
        source: Some(12),
        superseded_by: Some(5),
    }
}

fn plain() -> Paint {
    Paint::new(false)
}

#[test]
fn the_object_of_a_search_has_the_documented_shape() {
    let results = Results { results: vec![found()], degraded: Some("no vectors".into()), embed_us: 1, search_us: 2 };
    insta::assert_snapshot!(serde_json::to_string(&ResultsView::from(&results)).unwrap(), @r#"{"results":[{"id":12,"external_id":"m1","conversation":"c1","speaker":"Ann","text":"The tide\nturns at \u001b[2J six.","at":"2025-11-22T14:15:16.123Z","score":0.25,"reasons":[{"kind":"word","score":0.5,"detail":"bm25 7.31 of 9.02: tide"},{"kind":"superseded","score":-0.25,"detail":""}]}],"degraded":"no vectors"}"#);
}

#[test]
fn a_result_says_what_who_when_and_why() {
    insta::assert_snapshot!(results(&[found(), found()], plain(), None), @r"
    0.250  Ann  2025-11-22 14:15  #12  message  in c1  [sea]
      The tide\nturns at \x1b[2J six.
      word +0.500 (bm25 7.31 of 9.02: tide); superseded -0.250

    0.250  Ann  2025-11-22 14:15  #12  message  in c1  [sea]
      The tide\nturns at \x1b[2J six.
      word +0.500 (bm25 7.31 of 9.02: tide); superseded -0.250
    ");
    let narrow = results(&[found()], plain(), Some(20));
    assert!(narrow.contains("  The tide\\nturns a…"), "{narrow}");
}

#[test]
fn details_name_what_was_taken_and_made_from_it() {
    let details = Details {
        passage: passage_of(12, "The tide turns."),
        facts: vec![fact()],
        derived: vec![Passage { kind: PassageKind::Summary, ..passage_of(20, "Of tides.") }],
        embedded_by: None,
    };
    insta::assert_snapshot!(super::details(&details, plain()), @r"
    Ann  2025-11-22 14:15  #12  message  in c1  [sea]
      The tide turns.
      imported as:  m1
      vector by:    none yet
      facts taken from it:
        user's sister lives in Porto (fact 4, from 2026-01-01 until 2026-06-01)
      made from it:
        #20 summary: Of tides.
    ");
}

#[test]
fn facts_show_the_time_in_which_they_hold() {
    let holds = Fact { id: 5, object: "Lisbon".into(), valid_to_unix_ms: None, source: None, ..fact() };
    insta::assert_snapshot!(facts(&[fact(), holds], plain(), None), @r"
    ID  ABOUT          RELATION  WHAT    FROM        UNTIL       SOURCE
     4  user's sister  lives in  Porto   2026-01-01  2026-06-01     #12
     5  user's sister  lives in  Lisbon  2026-01-01  –                –
    ");
}

#[test]
fn a_graph_is_nodes_with_their_links() {
    let node = |id, kind, label: &str| Node {
        id,
        kind,
        label: label.into(),
        at_unix_ms: 1_767_225_600_000,
        until_unix_ms: None,
        source: None,
    };
    let view = GraphView {
        nodes: vec![node(1, NodeKind::Entity, "user's sister"), node(1, NodeKind::Fact, "lives in Porto")],
        edges: vec![
            Edge { from: 0, to: 1, relation: "has".into() },
            // Whoever sends a wrong index does not end the program.
            Edge { from: 0, to: 99, relation: "x".into() },
        ],
        cut: true,
    };
    insta::assert_snapshot!(graph(&view, plain()), @r"
    user's sister  entity, 2026-01-01
      has → lives in Porto
    lives in Porto  fact, 2026-01-01
    … more is left out; --limit shows more
    ");
}

#[test]
fn forgetting_names_all_that_goes() {
    let forgotten = Forgotten {
        passages: vec![passage_of(12, "The tide turns.")],
        facts: vec![fact()],
        entities: vec!["Porto".into()],
        edges: 2,
        vectors: 1,
        explanations: 2,
        backups: vec!["before-migration.db".into()],
    };
    insta::assert_snapshot!(super::forgotten(&forgotten, plain(), None), @r"
    Ann  2025-11-22 14:15  #12  message  in c1  [sea]
      The tide turns.
    fact: user's sister lives in Porto (fact 4, from 2026-01-01 until 2026-06-01)
    people and things that nothing else speaks of: Porto
    2 links
    1 vector
    2 explanations of what a turn was given
    the copy before-migration.db in the data folder
    ");
}

#[test]
fn an_explanation_says_what_was_given_and_what_was_left_out() {
    let mut explanation = Explanation {
        conversation: 3,
        turn: 9,
        text: "When does the tide turn?".into(),
        model: "kit:latest".into(),
        shown: None,
    };
    assert!(super::explanation(&explanation, plain(), None).contains("was not kept"));
    explanation.shown = Some(Shown {
        recalled: vec![found()],
        summary: Some(Summary {
            id: 20,
            text: "Of tides.".into(),
            tags: vec![],
            first_turn: 1,
            last_turn: 5,
            from_unix_ms: 0,
            to_unix_ms: 0,
            model: "kit:latest".into(),
        }),
        turns: 1,
        turns_left_out: 4,
        context_tokens: 8192,
        prompt_tokens: 900,
        degraded: Some("no embedding model".into()),
        memory_enabled: true,
    });
    insta::assert_snapshot!(super::explanation(&explanation, plain(), None), @r"
    When does the tide turn?  turn #9 of conversation 3
      model: kit:latest
      in the prompt: 1 earlier turn, 4 left out
      about 900 of 8192 tokens
      a summary of turns #1 to #5, by kit:latest:
        Of tides.
      recalled (1):
        0.250  Ann  2025-11-22 14:15  #12  message  in c1  [sea]
          The tide\nturns at \x1b[2J six.
          word +0.500 (bm25 7.31 of 9.02: tide); superseded -0.250
      without: no embedding model
    ");
}

#[test]
fn figures_have_their_units() {
    let figures = Stats {
        conversations: 2,
        messages: 340,
        vectors: 340,
        embedding_model: "all-minilm".into(),
        dimensions: 384,
        vector_index: "flat".into(),
        waiting_for_vectors: 1,
        database_bytes: 1 << 20,
        folder: "/srv/assistant/data".into(),
        last_vacuum_unix_ms: Some(AT),
        ..Stats::default()
    };
    insta::assert_snapshot!(stats(&figures, AT + 60_000, plain()), @r"
    folder:        /srv/assistant/data
    conversations: 2
    messages:      340
    memories:      0
    summaries:     0
    facts:         0 about 0 people and things, 0 links
    vectors:       340 of 384 dimensions by all-minilm, searched flat
    waiting:       1 passage
    database:      1.0 MiB
    vector store:  0 B
    retention:     never
    vacuum:        1 min 0 s ago
    copies:        none
    ");
}
