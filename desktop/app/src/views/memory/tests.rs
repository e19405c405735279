//! Each tab, in each of its states, drawn without a window.

use super::Memory;
use crate::state::link::Event as Link;
use crate::state::memory::{Event, State, Tab, facts, graph, search, sheet, timeline};
use crate::ui::Ui;
use butterfly_api::memory::{
    Details, Edge, Fact, Facts, Found, GraphView, Node, NodeKind, Passage, PassageKind, Passages, Reason, ReasonKind,
    Results, SearchRequest,
};
use butterfly_wire::control::WorkerState;
use dioxus::prelude::*;
use std::sync::Mutex;

/// 22 November 2026, 12:00 in UTC.
const NOON: u64 = 1_795_348_800_000;

/// What happened before the view is drawn.
struct Before(Mutex<Option<Vec<crate::state::Event>>>);

/// The view after these events, as HTML.
fn drawn(tab: Tab, events: impl FnOnce(&mut State) -> Vec<crate::state::Event>) -> String {
    // The numbers of requests are made by the state; it is asked for them before.
    let mut scratch = State::default();
    let mut all = vec![Event::Show(tab).into()];
    all.extend(events(&mut scratch));
    let mut dom = VirtualDom::new(|| {
        let before = use_context::<std::rc::Rc<Before>>();
        use_context_provider(|| {
            let (effects, asked) = crate::bridge::channel();
            // Somebody listens for as long as the view stands.
            std::mem::forget(asked);
            let ui = Ui::new(effects);
            for event in before.0.lock().unwrap().take().unwrap_or_default() {
                ui.send(event);
            }
            ui
        });
        rsx! { Memory {} }
    })
    .with_root_context(std::rc::Rc::new(Before(Mutex::new(Some(all)))));
    dom.rebuild_in_place();
    dioxus_ssr::render(&dom)
}

fn connected() -> crate::state::Event {
    Link::Connected { started_kernel: false, kernel_pid: 1 }.into()
}

fn passage(id: u64, kind: PassageKind, text: &str) -> Passage {
    Passage {
        id,
        kind,
        external_id: None,
        conversation: None,
        conversation_id: (kind == PassageKind::Message).then_some(3),
        speaker: "Ana".into(),
        text: text.into(),
        tags: vec!["family".into()],
        at_unix_ms: NOON,
        source: None,
    }
}

fn fact(id: u64, object: &str, until: Option<u64>, superseded_by: Option<u64>) -> Fact {
    Fact {
        id,
        subject: "Mona".into(),
        relation: "lives in".into(),
        object: object.into(),
        valid_from_unix_ms: NOON - 86_400_000 * 30,
        valid_to_unix_ms: until,
        recorded_unix_ms: NOON,
        source: Some(40 + id),
        superseded_by,
    }
}

fn found() -> Results {
    let reason = |kind, score, detail: &str| Reason { kind, score, detail: detail.into() };
    let found = Found {
        passage: passage(8, PassageKind::Message, "My sister lives in Leeds <script>alert(1)</script>"),
        score: 0.71,
        reasons: vec![
            reason(ReasonKind::Word, 0.5, "bm25 7.31 of 9.02: sister, live"),
            reason(ReasonKind::Superseded, -0.2, ""),
        ],
    };
    Results { results: vec![found], degraded: None, embed_us: 1500, search_us: 600 }
}

/// Types a query, and answers it.
fn searched(state: &mut State, result: Result<Results, String>) -> Vec<crate::state::Event> {
    state.search.answer.ask();
    let request = state.search.answer.ask();
    let query = SearchRequest { query: "where does my sister live".into(), ..SearchRequest::default() };
    vec![
        connected(),
        search::Event::Typed(query.query.clone()).into(),
        search::Event::Submit.into(),
        search::Event::Found { request, query, result }.into(),
    ]
}

/// Asks for something by opening the view, and answers it.
fn read(answer: crate::state::Event) -> Vec<crate::state::Event> {
    vec![Event::Opened.into(), connected(), answer]
}

fn graph_of_mona() -> GraphView {
    let node = |kind, id, label: &str, until| Node {
        id,
        kind,
        label: label.into(),
        at_unix_ms: NOON - 86_400_000 * 30,
        until_unix_ms: until,
        source: Some(5),
    };
    let edge = |from, to, relation: &str| Edge { from, to, relation: relation.into() };
    GraphView {
        nodes: vec![
            node(NodeKind::Entity, 1, "Mona", None),
            node(NodeKind::Fact, 1, "lives in Leeds", Some(NOON - 86_400_000)),
            node(NodeKind::Entity, 2, "Leeds", None),
            node(NodeKind::Fact, 2, "lives in York", None),
            node(NodeKind::Event, 3, "concert", None),
        ],
        edges: vec![edge(0, 1, "lives in"), edge(1, 2, "object"), edge(0, 3, "lives in"), edge(1, 3, "superseded by")],
        cut: false,
    }
}

fn laid(view: GraphView) -> crate::state::Event {
    graph::Event::Laid { request: 1, result: Ok(graph::lay_out(view)) }.into()
}

#[test]
fn before_the_bus_is_there_it_says_so_and_that_nothing_is_lost() {
    for tab in [Tab::Timeline, Tab::Facts, Tab::Graph] {
        let html = drawn(tab, |_| vec![Link::Lost { why: "it ended".into() }.into()]);
        assert!(html.contains("Memory cannot be read now") && html.contains("Nothing is lost"), "{tab:?} {html}");
    }
}

#[test]
fn while_it_reads_it_shows_where_it_will_be() {
    for tab in [Tab::Timeline, Tab::Facts, Tab::Graph] {
        let html = drawn(tab, |_| vec![Event::Opened.into(), connected()]);
        assert!(html.contains(r#"aria-busy="true""#) && html.contains("skeleton"), "{tab:?} {html}");
    }
    let html = drawn(Tab::Search, |_| vec![connected(), search::Event::Typed("sister".into()).into()]);
    assert!(html.contains("Searching") && html.contains("skeleton"), "{html}");
}

#[test]
fn a_failure_says_why_and_what_to_do() {
    let why = || "The memory worker is away; it is being started again.".to_owned();
    let failures: [(Tab, crate::state::Event); 3] = [
        (Tab::Timeline, timeline::Event::Listed { request: 1, older: false, result: Err(why()) }.into()),
        (Tab::Facts, facts::Event::Listed { request: 1, result: Err(why()) }.into()),
        (Tab::Graph, graph::Event::Laid { request: 1, result: Err(why()) }.into()),
    ];
    for (tab, failure) in failures {
        let html = drawn(tab, |_| read(failure));
        assert!(html.contains(r#"role="alert""#) && html.contains("being started again"), "{tab:?} {html}");
        assert!(html.contains("Try again"), "{tab:?}");
    }
    let html = drawn(Tab::Search, |state| searched(state, Err(why())));
    assert!(html.contains("being started again") && html.contains("Try again"), "{html}");
}

#[test]
fn what_is_empty_says_what_would_be_there() {
    let none = Passages { passages: Vec::new(), more: false };
    let html =
        drawn(Tab::Timeline, |_| read(timeline::Event::Listed { request: 1, older: false, result: Ok(none) }.into()));
    assert!(html.contains("Nothing is remembered yet") && html.contains("Remember something"), "{html}");
    let html = drawn(Tab::Facts, |_| {
        read(facts::Event::Listed { request: 1, result: Ok(Facts { facts: Vec::new() }) }.into())
    });
    assert!(html.contains("No facts yet"), "{html}");
    let html = drawn(Tab::Graph, |_| read(laid(GraphView { nodes: Vec::new(), edges: Vec::new(), cut: false })));
    assert!(html.contains("Nothing is linked yet") && !html.contains("graph-surface"), "{html}");
    assert!(drawn(Tab::Search, |_| vec![connected()]).contains("Find anything that was said or noted"));
    let nothing = Results { results: Vec::new(), degraded: None, embed_us: 0, search_us: 1 };
    assert!(drawn(Tab::Search, |state| searched(state, Ok(nothing))).contains("Nothing was found"));
}

#[test]
fn what_was_found_has_its_reasons_and_its_text_is_only_text() {
    let html = drawn(Tab::Search, |state| searched(state, Ok(found())));
    for part in ["+0.50", "−0.20", "bm25 7.31 of 9.02: sister, live", "It has words of what you look for.", "0.71"] {
        assert!(html.contains(part), "{part} {html}");
    }
    assert!(html.contains("1 result in 3 ms"), "{html}");
    assert!(html.contains("<mark>sister</mark>") || html.contains("sister</mark>"), "{html}");
    assert!(!html.contains("<script") && html.contains("&#60;script&#62;"), "{html}");
    assert!(html.contains("Open the conversation there"));
}

#[test]
fn a_search_that_goes_without_something_says_so() {
    let mut results = found();
    results.degraded = Some("Searched by words alone: no embedding model is there.".into());
    assert!(drawn(Tab::Search, |state| searched(state, Ok(results))).contains("by words alone"));
}

#[test]
fn the_timeline_has_days_tags_and_older_ones() {
    let passages = vec![passage(9, PassageKind::Memory, "noted"), passage(8, PassageKind::Message, "said")];
    let page = Passages { passages, more: true };
    let html =
        drawn(Tab::Timeline, |_| read(timeline::Event::Listed { request: 1, older: false, result: Ok(page) }.into()));
    assert_eq!(html.matches("class=\"memory-day\"").count(), 1, "{html}");
    assert!(html.contains("#family") && html.contains("Show older") && html.contains("id=\"passage-9\""), "{html}");
    // A memory can be edited, what was said cannot.
    assert_eq!(html.matches("aria-label=\"Edit\"").count(), 1);
}

#[test]
fn a_superseded_fact_is_struck_and_leads_to_what_corrected_it() {
    let facts = vec![fact(2, "York", None, None), fact(1, "Leeds", Some(NOON - 86_400_000), Some(2))];
    let html = drawn(Tab::Facts, |_| read(facts::Event::Listed { request: 1, result: Ok(Facts { facts }) }.into()));
    assert!(html.contains("id=\"fact-1\"") && html.contains("holds no more"), "{html}");
    assert!(html.contains("<s class=\"memory-fact-object\">Leeds</s>"), "{html}");
    assert!(html.contains("→ lives in York"), "{html}");
    assert!(html.contains("#42") && html.contains("Go to where it was said"));
    assert_eq!(html.matches("Correct this fact").count() / 2, 1, "what has ended is not corrected again");
}

#[test]
fn the_graph_is_an_image_with_a_summary_and_a_surface_for_keys() {
    let html = drawn(Tab::Graph, |_| read(laid(graph_of_mona())));
    assert!(html.contains(r#"role="img""#) && html.contains("2 entities, 1 event, 2 facts and 4 links"), "{html}");
    assert!(html.contains("Arrow keys move it"), "{html}");
    assert_eq!(html.matches("id=\"node-").count(), 5);
    assert_eq!(html.matches("id=\"graph-eye\"").count(), 1);
    assert!(!html.contains("graph-pane"));
}

#[test]
fn the_list_has_every_node_and_the_pane_all_about_one() {
    let html = drawn(Tab::Graph, |_| {
        let mut events = read(laid(graph_of_mona()));
        events.extend([graph::Event::AsList(true).into(), graph::Event::Visit(1).into()]);
        events
    });
    assert_eq!(html.matches("id=\"row-").count(), 5, "{html}");
    assert!(!html.contains("graph-surface"));
    for part in ["Selected: lives in Leeds", "holds no more", "Where it was said", "Forget", "corrected by"] {
        assert!(html.contains(part), "{part} {html}");
    }
}

#[test]
fn a_worker_that_is_away_is_said_and_what_was_read_stays() {
    let html = drawn(Tab::Graph, |_| {
        let mut events = read(laid(graph_of_mona()));
        events.push(Link::Worker { name: "memory".into(), state: WorkerState::Starting }.into());
        events
    });
    assert!(html.contains("The memory worker is away") && html.contains("id=\"node-4\""), "{html}");
}

#[test]
fn the_dialogs_have_names_and_say_what_is_wrong() {
    let html = drawn(Tab::Search, |_| {
        vec![
            sheet::Event::Remember("words".into()).into(),
            sheet::Event::Day("soon".into()).into(),
            sheet::Event::Save.into(),
        ]
    });
    assert!(html.contains(r#"role="dialog""#) && html.contains("write a date like 2026-11-22"), "{html}");
    let html = drawn(Tab::Facts, |_| vec![sheet::Event::Correct(Box::new(fact(1, "Leeds", None, None))).into()]);
    assert!(html.contains("Correct this fact") && html.contains("What holds instead"), "{html}");
    let html = drawn(Tab::Timeline, |_| {
        let details = Details {
            passage: passage(9, PassageKind::Memory, "noted"),
            facts: vec![fact(1, "Leeds", None, None)],
            derived: vec![passage(10, PassageKind::Summary, "short")],
            embedded_by: None,
        };
        vec![
            sheet::Event::Details(9).into(),
            sheet::Event::Detailed { request: 2, result: Ok(Box::new(details)) }.into(),
        ]
    });
    for part in ["Memory #9", "Facts taken from it", "Mona lives in Leeds", "Summary #10", "none yet"] {
        assert!(html.contains(part), "{part} {html}");
    }
}
