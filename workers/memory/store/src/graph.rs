//! The graph: entities and events, the facts between them, and what a question's names lead to.
//!
//! It reads; facts are written in [`crate::facts`]. Nothing here is stored: nodes and edges are views of the tables.

pub mod links;
pub mod outdated;

pub use links::{Link, links, named};
pub use outdated::{Ended, ended, superseded};

use crate::error::StoreError;
use crate::facts::{self, signed, unsigned};
use butterfly_api::memory::{Edge, GraphRequest, GraphView, Node, NodeKind};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use diesel::{SqliteConnection, sql_query};
use std::collections::HashMap;

/// Steps from the entity in the middle.
pub const DEEPEST: u32 = 4;
/// Nodes of one view: what a screen can show, and far below what a frame holds.
pub const MOST_NODES: u32 = 2000;
/// Nodes where no number is asked for.
const USUAL_NODES: u32 = 200;
/// Entities that a view without a middle begins with, before it goes on with others.
const MIDDLES: u32 = 24;
/// The edge from a fact to what it says of its subject.
const OBJECT: &str = "object";
/// The edge from a fact to the one that ended it.
const SUPERSEDED_BY: &str = "superseded by";

#[derive(QueryableByName)]
struct FactRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    subject_id: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    object_id: Option<i64>,
    #[diesel(sql_type = Text)]
    relation: String,
    #[diesel(sql_type = Text)]
    object: String,
    #[diesel(sql_type = BigInt)]
    from_ms: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    to_ms: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    superseded_by: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    source: Option<i64>,
}

#[derive(QueryableByName)]
struct EntityRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Integer)]
    kind: i32,
    #[diesel(sql_type = BigInt)]
    at_ms: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    source: Option<i64>,
}

#[derive(QueryableByName)]
struct IdRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// A view that grows until it is full.
struct View {
    graph: GraphView,
    limit: usize,
    /// Entities and facts by their row, and their place among the nodes.
    entities: HashMap<i64, u32>,
    facts: HashMap<i64, u32>,
    /// Places of facts that ended, and the row of what ended each.
    ended: Vec<(u32, i64)>,
}

impl View {
    /// The node's place, or `None` where the view is full.
    fn push(&mut self, node: Node) -> Option<u32> {
        if self.graph.nodes.len() >= self.limit {
            self.graph.cut = true;
            return None;
        }
        self.graph.nodes.push(node);
        u32::try_from(self.graph.nodes.len() - 1).ok()
    }

    fn is_full(&self) -> bool {
        self.graph.nodes.len() >= self.limit
    }

    fn link(&mut self, from: u32, to: u32, relation: &str) {
        self.graph.edges.push(Edge { from, to, relation: relation.to_owned() });
    }
}

/// What is linked around an entity, breadth first; without one, around those that are linked most, and then, as long as
/// there is room, around all others. As of a time, only what held then; else what has ended, too, with its end.
///
/// # Errors
/// [`StoreError::NotFound`] where nothing has that name; the database's.
pub fn view(db: &mut SqliteConnection, request: &GraphRequest) -> Result<GraphView, StoreError> {
    let limit = if request.limit == 0 { USUAL_NODES } else { request.limit.min(MOST_NODES) };
    let mut view = View {
        graph: GraphView { nodes: Vec::new(), edges: Vec::new(), cut: false },
        limit: limit as usize,
        entities: HashMap::new(),
        facts: HashMap::new(),
        ended: Vec::new(),
    };
    let as_of = request.as_of_unix_ms.map(signed);
    let (mut middles, depth) = match &request.around {
        Some(name) => match facts::entity_of(db, name)? {
            Some(id) => (vec![id], request.depth.min(DEEPEST)),
            None => {
                return Err(StoreError::NotFound(format!(
                    "nothing is known about {name}; `butterfly memory graph` without a name shows what is linked most"
                )));
            }
        },
        None => (most_linked(db, limit)?, request.depth.clamp(1, DEEPEST)),
    };
    // They begin together: what is linked around the first alone may fill the view.
    let together = MIDDLES.min(limit.div_ceil(4)) as usize;
    let others = middles.split_off(together.min(middles.len()));
    spread(db, &mut view, middles, depth, as_of)?;
    for entity in others {
        if view.entities.contains_key(&entity) {
            continue;
        }
        if view.is_full() {
            view.graph.cut = true;
            break;
        }
        // As of a time, who is not linked then is left out.
        if as_of.is_none() || has_more(db, &view, entity, as_of)? {
            spread(db, &mut view, vec![entity], depth, as_of)?;
        }
    }
    link_successors(&mut view);
    Ok(view.graph)
}

/// Adds what is linked around these entities, step by step.
fn spread(
    db: &mut SqliteConnection,
    view: &mut View,
    mut frontier: Vec<i64>,
    depth: u32,
    as_of: Option<i64>,
) -> Result<(), StoreError> {
    add_entities(db, view, &frontier)?;
    for _ in 0..depth {
        if frontier.is_empty() {
            break;
        }
        let mut next = Vec::new();
        for entity in std::mem::take(&mut frontier) {
            if view.is_full() {
                // Whether anything stands beyond decides if something was cut.
                view.graph.cut = view.graph.cut || has_more(db, view, entity, as_of)?;
                continue;
            }
            expand(db, view, entity, as_of, &mut next)?;
        }
        frontier = next;
    }
    Ok(())
}

/// The entities with the most facts, best first.
fn most_linked(db: &mut SqliteConnection, count: u32) -> Result<Vec<i64>, StoreError> {
    let rows: Vec<IdRow> = sql_query(format!(
        "SELECT id FROM (SELECT subject_id AS id FROM facts UNION ALL \
         SELECT object_id FROM facts WHERE object_id IS NOT NULL) GROUP BY id ORDER BY count(*) DESC, id LIMIT {count}"
    ))
    .load(db)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

fn add_entities(db: &mut SqliteConnection, view: &mut View, ids: &[i64]) -> Result<(), StoreError> {
    let missing: Vec<String> = ids.iter().filter(|id| !view.entities.contains_key(id)).map(i64::to_string).collect();
    let rows: Vec<EntityRow> = sql_query(format!(
        "SELECT id, name, kind, at_ms, \
         (SELECT min(passage_id) FROM mentions WHERE entity_id = entities.id) AS source \
         FROM entities WHERE id IN ({})",
        missing.join(",")
    ))
    .load(db)?;
    let mut rows: HashMap<i64, EntityRow> = rows.into_iter().map(|row| (row.id, row)).collect();
    for id in ids {
        let Some(row) = rows.remove(id) else { continue };
        let kind = if row.kind == 1 { NodeKind::Event } else { NodeKind::Entity };
        let node = Node {
            id: unsigned(row.id),
            kind,
            label: row.name,
            at_unix_ms: unsigned(row.at_ms),
            until_unix_ms: None,
            source: row.source.map(unsigned),
        };
        if let Some(place) = view.push(node) {
            view.entities.insert(*id, place);
        }
    }
    Ok(())
}

/// The facts about an entity, newest first: of those that hold before those that ended.
fn facts_about(
    db: &mut SqliteConnection,
    entity: i64,
    as_of: Option<i64>,
    limit: usize,
) -> Result<Vec<FactRow>, StoreError> {
    let mut rows: Vec<FactRow> = Vec::new();
    for side in ["subject_id", "object_id"] {
        let side: Vec<FactRow> = sql_query(format!(
            "SELECT id, subject_id, object_id, relation, object, valid_from_ms AS from_ms, valid_to_ms AS to_ms, \
             superseded_by, (SELECT min(passage_id) FROM fact_sources WHERE fact_id = facts.id) AS source \
             FROM facts WHERE {side} = ?1 \
             AND (?2 IS NULL OR (valid_from_ms <= ?2 AND (valid_to_ms IS NULL OR valid_to_ms > ?2))) \
             ORDER BY id DESC LIMIT {limit}"
        ))
        .bind::<BigInt, _>(entity)
        .bind::<Nullable<BigInt>, _>(as_of)
        .load(db)?;
        rows.extend(side);
    }
    rows.sort_by_key(|row| (row.to_ms.is_some(), std::cmp::Reverse(row.id)));
    Ok(rows)
}

fn has_more(db: &mut SqliteConnection, view: &View, entity: i64, as_of: Option<i64>) -> Result<bool, StoreError> {
    let rows = facts_about(db, entity, as_of, view.limit + 1)?;
    Ok(rows.iter().any(|row| !view.facts.contains_key(&row.id)))
}

fn expand(
    db: &mut SqliteConnection,
    view: &mut View,
    entity: i64,
    as_of: Option<i64>,
    next: &mut Vec<i64>,
) -> Result<(), StoreError> {
    let rows = facts_about(db, entity, as_of, view.limit + 1)?;
    for row in rows {
        if view.facts.contains_key(&row.id) {
            continue;
        }
        let ends: Vec<i64> = [Some(row.subject_id), row.object_id].into_iter().flatten().collect();
        let fresh: Vec<i64> = ends.iter().copied().filter(|id| !view.entities.contains_key(id)).collect();
        // A fact comes with both of its ends or not at all.
        if view.graph.nodes.len() + 1 + fresh.len() > view.limit {
            view.graph.cut = true;
            continue;
        }
        let node = Node {
            id: unsigned(row.id),
            kind: NodeKind::Fact,
            label: format!("{} {}", row.relation, row.object),
            at_unix_ms: unsigned(row.from_ms),
            until_unix_ms: row.to_ms.map(unsigned),
            source: row.source.map(unsigned),
        };
        let Some(place) = view.push(node) else { continue };
        view.facts.insert(row.id, place);
        add_entities(db, view, &fresh)?;
        next.extend(fresh);
        if let Some(subject) = view.entities.get(&row.subject_id).copied() {
            view.link(subject, place, &row.relation);
        }
        if let Some(object) = row.object_id.and_then(|id| view.entities.get(&id).copied()) {
            view.link(place, object, OBJECT);
        }
        if let Some(successor) = row.superseded_by {
            view.ended.push((place, successor));
        }
    }
    Ok(())
}

/// Links each fact with the one that ended it, where both are shown.
fn link_successors(view: &mut View) {
    for (ended, successor) in std::mem::take(&mut view.ended) {
        if let Some(successor) = view.facts.get(&successor).copied() {
            view.link(ended, successor, SUPERSEDED_BY);
        }
    }
}

#[cfg(test)]
#[path = "graph/tests.rs"]
mod tests;
