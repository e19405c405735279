//! Views of the graph on a real database: depth, limit, time.

use super::*;
use crate::facts::tests::{say, tell, with_store};
use crate::facts::{Kind, Object, Statement, Thing, record};
use std::collections::HashSet;

const DAY: i64 = 24 * 60 * 60 * 1000;

fn request(around: Option<&str>, depth: u32, limit: u32) -> GraphRequest {
    GraphRequest { around: around.map(str::to_owned), depth, limit, as_of_unix_ms: None }
}

fn labels(view: &GraphView) -> Vec<&str> {
    view.nodes.iter().map(|node| node.label.as_str()).collect()
}

fn check(view: &GraphView) {
    let ids: HashSet<_> = view.nodes.iter().map(|node| (node.kind as u8, node.id)).collect();
    assert_eq!(ids.len(), view.nodes.len(), "each node once");
    for edge in &view.edges {
        assert!((edge.from as usize) < view.nodes.len() && (edge.to as usize) < view.nodes.len());
    }
}

#[test]
fn view_shows_an_entity_its_facts_and_what_they_lead_to() {
    with_store(|db| {
        tell(db, "user's sister", "lives in", "Porto", DAY);
        tell(db, "user's sister", "lives in", "Lisbon", 9 * DAY);
        tell(db, "Lisbon", "is in", "Portugal", DAY);
        let one = view(db, &request(Some("my sister"), 1, 0))?;
        check(&one);
        assert_eq!(labels(&one), ["user's sister", "lives in Lisbon", "Lisbon", "lives in Porto", "Porto"]);
        let relations: HashSet<&str> = one.edges.iter().map(|edge| edge.relation.as_str()).collect();
        assert_eq!(relations, HashSet::from(["lives in", OBJECT, SUPERSEDED_BY]));
        assert!(!one.cut);
        let two = view(db, &request(Some("my sister"), 2, 0))?;
        assert!(labels(&two).contains(&"Portugal"));
        let then = GraphRequest { as_of_unix_ms: Some(unsigned(5 * DAY)), ..request(Some("my sister"), 1, 0) };
        assert_eq!(labels(&view(db, &then)?), ["user's sister", "lives in Porto", "Porto"]);
        assert_eq!(labels(&view(db, &request(Some("my sister"), 0, 0))?), ["user's sister"]);
        Ok(())
    });
}

#[test]
fn depth_is_at_most_four() {
    with_store(|db| {
        for step in 0..8 {
            tell(db, &format!("n{step}"), "knows", &format!("n{}", step + 1), DAY);
        }
        let found = view(db, &request(Some("n0"), 1000, 0))?;
        check(&found);
        let entities = found.nodes.iter().filter(|node| node.kind == NodeKind::Entity).count();
        assert_eq!(entities, 5);
        Ok(())
    });
}

#[test]
fn limit_cuts_and_says_so() {
    with_store(|db| {
        for number in 0..60 {
            tell(db, "user", "likes", &format!("thing {number}"), DAY);
        }
        let found = view(db, &request(Some("me"), 2, 21))?;
        check(&found);
        assert_eq!(found.nodes.len(), 21);
        assert!(found.cut);
        let whole = view(db, &request(Some("me"), 2, 9999))?;
        check(&whole);
        assert_eq!((whole.nodes.len(), whole.cut), (121, false));
        let exact = view(db, &request(Some("me"), 2, 121))?;
        assert_eq!((exact.nodes.len(), exact.cut), (121, false));
        Ok(())
    });
}

#[test]
fn without_a_middle_the_most_linked_are_shown() {
    with_store(|db| {
        assert_eq!(view(db, &request(None, 1, 0))?.nodes.len(), 0);
        tell(db, "Rex", "likes", "bones", DAY);
        for number in 0..5 {
            tell(db, "user", "likes", &format!("thing {number}"), DAY);
        }
        let found = view(db, &request(None, 1, 0))?;
        check(&found);
        assert_eq!(found.nodes[0].label, "user");
        assert!(labels(&found).contains(&"Rex"));
        Ok(())
    });
}

#[test]
fn without_a_middle_all_is_shown_that_there_is_room_for() {
    with_store(|db| {
        // Pairs that nothing links with each other: more than a view begins with.
        let pairs = 3 * MIDDLES;
        for number in 0..pairs {
            tell(db, &format!("one {number}"), "knows", &format!("other {number}"), i64::from(number) * DAY);
        }
        let whole = view(db, &request(None, 4, MOST_NODES))?;
        check(&whole);
        assert_eq!((whole.nodes.len(), whole.cut), (3 * pairs as usize, false));
        let cut = view(db, &request(None, 4, 100))?;
        check(&cut);
        assert!(cut.cut && cut.nodes.len() <= 100, "{}", cut.nodes.len());
        // Those that were told of by then: beyond those that a view begins with, nobody stands alone.
        let then = GraphRequest { as_of_unix_ms: Some(unsigned(5 * DAY)), ..request(None, 4, MOST_NODES) };
        let then = view(db, &then)?;
        check(&then);
        assert_eq!(then.nodes.iter().filter(|node| node.kind == NodeKind::Fact).count(), 6);
        assert!(then.nodes.len() <= 18 + MIDDLES as usize, "{}", then.nodes.len());
        Ok(())
    });
}

#[test]
fn event_is_a_node_of_its_own_kind() {
    with_store(|db| {
        let passage = say(db, "dentist on 1970-01-20", DAY);
        let event = Thing { name: "dentist (1970-01-20)".to_owned(), kind: Kind::Event { at_ms: 19 * DAY } };
        let statement = Statement {
            subject: event,
            relation: "takes place on".to_owned(),
            object: Object::Value("1970-01-20".to_owned()),
            from_ms: DAY,
        };
        record(db, &statement, passage, DAY)?;
        let found = view(db, &request(Some("dentist (1970-01-20)"), 1, 0))?;
        assert_eq!((found.nodes[0].kind, found.nodes[0].at_unix_ms), (NodeKind::Event, unsigned(19 * DAY)));
        assert_eq!(found.nodes[0].source, Some(unsigned(passage)));
        assert_eq!(found.nodes[1].kind, NodeKind::Fact);
        Ok(())
    });
}

#[test]
fn unknown_name_is_told() {
    with_store(|db| {
        assert!(matches!(view(db, &request(Some("Nobody"), 1, 0)), Err(StoreError::NotFound(_))));
        Ok(())
    });
}
