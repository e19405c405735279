//! A graph with its places: what the memory worker answered, laid out and ready to be drawn.

use super::layout::lay_out;
use super::quadtree::Point;
use butterfly_api::memory::{Fact, GraphView, Node, NodeKind};
use std::time::{Duration, Instant};

/// The relation between a fact and the one that ended it, as the memory worker names it.
const SUPERSEDED_BY: &str = "superseded by";

/// Names a node over several readings of the graph.
pub type NodeName = (NodeKind, u64);

/// A link as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub from: u32,
    pub to: u32,
    pub relation: String,
}

impl Link {
    /// Whether it leads from a fact to the one that ended it.
    #[must_use]
    pub fn supersedes(&self) -> bool {
        self.relation == SUPERSEDED_BY
    }
}

/// Which nodes are to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filter {
    pub entities: bool,
    pub events: bool,
    pub facts: bool,
    /// What was known and held then: Unix time in ms; `None`: whenever.
    pub at_unix_ms: Option<u64>,
}

impl Default for Filter {
    fn default() -> Self {
        Self { entities: true, events: true, facts: true, at_unix_ms: None }
    }
}

impl Filter {
    /// Whether nodes of this kind are to be seen.
    #[must_use]
    pub const fn shows(&self, kind: NodeKind) -> bool {
        match kind {
            NodeKind::Entity => self.entities,
            NodeKind::Event => self.events,
            NodeKind::Fact => self.facts,
        }
    }

    fn holds(&self, node: &Node) -> bool {
        let Some(at) = self.at_unix_ms else { return true };
        // An event has its day and stays; what is a fact or was named must have begun, and not be over.
        node.at_unix_ms <= at && node.until_unix_ms.is_none_or(|until| until > at)
    }
}

/// A graph, laid out.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    pub nodes: Vec<Node>,
    pub links: Vec<Link>,
    /// Where each node is, and how wide: its radius.
    pub places: Vec<Point>,
    pub radii: Vec<f64>,
    /// The links of each node, by their place in `links`.
    linked: Vec<Vec<u32>>,
    /// Nodes were left out for the limit.
    pub cut: bool,
    /// Time that the layout took.
    pub took: Duration,
}

impl Picture {
    /// Lays a graph out. It takes a while: not for the window's thread.
    #[must_use]
    pub fn of(view: GraphView) -> Self {
        let GraphView { nodes, edges, cut } = view;
        let inside = |at: u32| (at as usize) < nodes.len();
        let links: Vec<Link> = edges
            .into_iter()
            .filter(|edge| edge.from != edge.to && inside(edge.from) && inside(edge.to))
            .map(|edge| Link { from: edge.from, to: edge.to, relation: edge.relation })
            .collect();
        let mut linked = vec![Vec::new(); nodes.len()];
        for (at, link) in (0_u32..).zip(&links) {
            linked[link.from as usize].push(at);
            linked[link.to as usize].push(at);
        }
        let radii: Vec<f64> = nodes.iter().zip(&linked).map(|(node, links)| radius(node.kind, links.len())).collect();
        let pairs: Vec<(u32, u32)> = links.iter().map(|link| (link.from, link.to)).collect();
        let begun = Instant::now();
        let places = lay_out(&radii, &pairs);
        Self { nodes, links, places, radii, linked, cut, took: begun.elapsed() }
    }

    /// How many links a node has.
    #[must_use]
    pub fn degree(&self, node: u32) -> usize {
        self.linked.get(node as usize).map_or(0, Vec::len)
    }

    /// A node's neighbours: the link, and the node at its other end.
    pub fn neighbours(&self, node: u32) -> impl Iterator<Item = (&Link, u32)> {
        let links = self.linked.get(node as usize).map_or(&[][..], Vec::as_slice);
        links.iter().filter_map(|at| self.links.get(*at as usize)).map(move |link| {
            let other = if link.from == node { link.to } else { link.from };
            (link, other)
        })
    }

    /// The name that a node keeps when the graph is read again.
    #[must_use]
    pub fn name(&self, node: u32) -> Option<NodeName> {
        self.nodes.get(node as usize).map(|node| (node.kind, node.id))
    }

    /// The node of that name.
    #[must_use]
    pub fn find(&self, name: NodeName) -> Option<u32> {
        (0_u32..).zip(&self.nodes).find(|(_, node)| (node.kind, node.id) == name).map(|(at, _)| at)
    }

    /// The place of everything: its least and greatest coordinates.
    #[must_use]
    pub fn bounds(&self) -> (Point, Point) {
        let (mut low, mut high) = (Point { x: 0.0, y: 0.0 }, Point { x: 0.0, y: 0.0 });
        for (at, (place, radius)) in self.places.iter().zip(&self.radii).enumerate() {
            let (least, most) = (
                Point { x: place.x - radius, y: place.y - radius },
                Point { x: place.x + radius, y: place.y + radius },
            );
            (low, high) = if at == 0 {
                (least, most)
            } else {
                (
                    Point { x: low.x.min(least.x), y: low.y.min(least.y) },
                    Point { x: high.x.max(most.x), y: high.y.max(most.y) },
                )
            };
        }
        (low, high)
    }

    /// First and last time at which something began or ended: Unix time in ms.
    #[must_use]
    pub fn times(&self) -> Option<(u64, u64)> {
        let all =
            || self.nodes.iter().flat_map(|node| [Some(node.at_unix_ms), node.until_unix_ms].into_iter().flatten());
        Some((all().min()?, all().max()?))
    }

    /// For each node, whether it is to be seen.
    #[must_use]
    pub fn visible(&self, filter: &Filter) -> Vec<bool> {
        self.nodes.iter().map(|node| filter.shows(node.kind) && filter.holds(node)).collect()
    }

    /// The links between what is seen. Where facts are not shown, what they link is linked directly.
    #[must_use]
    pub fn visible_links(&self, filter: &Filter, visible: &[bool]) -> Vec<Link> {
        let sees = |node: u32| visible.get(node as usize).copied().unwrap_or(false);
        let mut shown: Vec<Link> = self.links.iter().filter(|link| sees(link.from) && sees(link.to)).cloned().collect();
        if filter.facts {
            return shown;
        }
        for (fact, node) in (0_u32..).zip(&self.nodes) {
            if node.kind != NodeKind::Fact || !filter.holds(node) {
                continue;
            }
            let mut ends = self.neighbours(fact).filter(|(link, other)| !link.supersedes() && sees(*other));
            if let (Some((_, from)), Some((_, to))) = (ends.next(), ends.next()) {
                shown.push(Link { from, to, relation: node.label.clone() });
            }
        }
        shown
    }

    /// The node at a place of the plane, or nearest to it within `reach`; the smaller one where two are.
    #[must_use]
    pub fn at(&self, place: Point, reach: f64, visible: &[bool]) -> Option<u32> {
        let mut best: Option<(f64, u32)> = None;
        for (node, ((at, radius), seen)) in (0_u32..).zip(self.places.iter().zip(&self.radii).zip(visible)) {
            let distance = (at.x - place.x).hypot(at.y - place.y) - radius;
            if *seen && distance <= reach && best.is_none_or(|(least, _)| distance < least) {
                best = Some((distance, node));
            }
        }
        best.map(|(_, node)| node)
    }

    /// The fact that a node is, as far as the graph tells it.
    #[must_use]
    pub fn fact(&self, node: u32) -> Option<Fact> {
        let it = self.nodes.get(node as usize).filter(|it| it.kind == NodeKind::Fact)?;
        let (link, subject) = self.neighbours(node).find(|(link, _)| link.to == node && !link.supersedes())?;
        let object = it.label.strip_prefix(link.relation.as_str()).unwrap_or(&it.label).trim();
        let mut ended_by = self.neighbours(node).filter(|(link, _)| link.supersedes() && link.from == node);
        Some(Fact {
            id: it.id,
            subject: self.nodes.get(subject as usize)?.label.clone(),
            relation: link.relation.clone(),
            object: object.to_owned(),
            valid_from_unix_ms: it.at_unix_ms,
            valid_to_unix_ms: it.until_unix_ms,
            recorded_unix_ms: it.at_unix_ms,
            source: it.source,
            superseded_by: ended_by.next().and_then(|(_, other)| self.nodes.get(other as usize)).map(|by| by.id),
        })
    }

    /// What is told of it where it cannot be seen.
    #[must_use]
    pub fn summary(&self) -> String {
        let [entities, events, facts] = self.counts();
        let entities = if entities == 1 { "1 entity".to_owned() } else { format!("{entities} entities") };
        let plural = |number: usize, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
        let (events, facts, links) = (plural(events, "event"), plural(facts, "fact"), plural(self.links.len(), "link"));
        format!("{entities}, {events}, {facts} and {links}")
    }

    /// Nodes whose label has all of these words, those with most links first.
    #[must_use]
    pub fn matching(&self, words: &str, visible: &[bool]) -> Vec<u32> {
        let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
        if words.is_empty() {
            return Vec::new();
        }
        let mut found: Vec<u32> = (0_u32..)
            .zip(&self.nodes)
            .filter(|(at, node)| {
                let label = node.label.to_lowercase();
                visible.get(*at as usize).copied().unwrap_or(false) && words.iter().all(|word| label.contains(word))
            })
            .map(|(at, _)| at)
            .collect();
        found.sort_by_key(|node| (std::cmp::Reverse(self.degree(*node)), *node));
        found
    }

    /// How many there are of each kind: entities, events, facts.
    #[must_use]
    pub fn counts(&self) -> [usize; 3] {
        let of = |kind| self.nodes.iter().filter(|node| node.kind == kind).count();
        [of(NodeKind::Entity), of(NodeKind::Event), of(NodeKind::Fact)]
    }
}

/// Wider with more links, so that what much is known of stands out.
fn radius(kind: NodeKind, links: usize) -> f64 {
    let links = f64::from(u32::try_from(links).unwrap_or(u32::MAX));
    match kind {
        NodeKind::Entity => (5.0 + 2.1 * links.sqrt()).min(26.0),
        NodeKind::Event => (6.0 + 1.6 * links.sqrt()).min(20.0),
        NodeKind::Fact => 3.5,
    }
}

#[cfg(test)]
pub(in crate::state::memory) mod tests {
    use super::*;
    use butterfly_api::memory::Edge;

    pub(in crate::state::memory) fn node(kind: NodeKind, id: u64, label: &str, at: u64, until: Option<u64>) -> Node {
        Node { id, kind, label: label.into(), at_unix_ms: at, until_unix_ms: until, source: Some(id + 100) }
    }

    /// Mona lived in Leeds until 2000, and lives in York; there is a concert, too.
    pub(in crate::state::memory) fn mona() -> GraphView {
        let edge = |from, to, relation: &str| Edge { from, to, relation: relation.into() };
        GraphView {
            nodes: vec![
                node(NodeKind::Entity, 1, "Mona", 1000, None),
                node(NodeKind::Fact, 1, "lives in Leeds", 1000, Some(2000)),
                node(NodeKind::Entity, 2, "Leeds", 1000, None),
                node(NodeKind::Fact, 2, "lives in York", 2000, None),
                node(NodeKind::Entity, 3, "York", 2000, None),
                node(NodeKind::Event, 4, "concert", 1500, None),
            ],
            edges: vec![
                edge(0, 1, "lives in"),
                edge(1, 2, "object"),
                edge(0, 3, "lives in"),
                edge(3, 4, "object"),
                edge(1, 3, SUPERSEDED_BY),
                edge(0, 77, "nowhere"),
            ],
            cut: false,
        }
    }

    fn seen(picture: &Picture, filter: &Filter) -> Vec<String> {
        let visible = picture.visible(filter);
        picture.nodes.iter().zip(visible).filter(|(_, seen)| *seen).map(|(node, _)| node.label.clone()).collect()
    }

    #[test]
    fn links_to_nowhere_are_left_out_and_neighbours_know_each_other() {
        let picture = Picture::of(mona());
        assert_eq!(picture.links.len(), 5);
        assert_eq!(picture.degree(0), 2);
        let of_leeds: Vec<_> = picture.neighbours(2).map(|(link, other)| (link.relation.as_str(), other)).collect();
        assert_eq!(of_leeds, [("object", 1)]);
        assert_eq!(picture.find((NodeKind::Fact, 2)), Some(3));
        assert_eq!(picture.name(5), Some((NodeKind::Event, 4)));
        assert_eq!((picture.name(6), picture.degree(6)), (None, 0));
        assert_eq!(picture.times(), Some((1000, 2000)));
        assert_eq!(picture.counts(), [3, 1, 2]);
    }

    #[test]
    fn at_a_time_only_what_held_then_is_seen() {
        let picture = Picture::of(mona());
        let at = |at| seen(&picture, &Filter { at_unix_ms: Some(at), ..Filter::default() });
        assert_eq!(at(1000), ["Mona", "lives in Leeds", "Leeds"]);
        assert_eq!(at(1999), ["Mona", "lives in Leeds", "Leeds", "concert"]);
        assert_eq!(at(2000), ["Mona", "Leeds", "lives in York", "York", "concert"]);
        assert!(at(10).is_empty());
    }

    #[test]
    fn without_facts_what_they_link_is_linked_directly() {
        let picture = Picture::of(mona());
        let filter = Filter { facts: false, ..Filter::default() };
        let links = picture.visible_links(&filter, &picture.visible(&filter));
        let links: Vec<_> = links.iter().map(|link| (link.from, link.to, link.relation.as_str())).collect();
        assert_eq!(links, [(0, 2, "lives in Leeds"), (0, 4, "lives in York")]);
        // What does not hold then links nothing then.
        let then = Filter { at_unix_ms: Some(2500), ..filter };
        assert_eq!(picture.visible_links(&then, &picture.visible(&then)).len(), 1);
    }

    #[test]
    fn the_pointer_finds_what_is_below_it_and_seen() {
        let picture = Picture::of(mona());
        let all = picture.visible(&Filter::default());
        for node in 0..6 {
            assert_eq!(picture.at(picture.places[node as usize], 4.0, &all), Some(node));
        }
        let none = vec![false; 6];
        assert_eq!(picture.at(picture.places[0], 4.0, &none), None);
        assert_eq!(picture.at(Point { x: 9e9, y: 0.0 }, 4.0, &all), None);
    }

    #[test]
    fn a_fact_is_told_from_its_links() {
        let picture = Picture::of(mona());
        let fact = picture.fact(1).unwrap();
        assert_eq!(
            (fact.subject.as_str(), fact.relation.as_str(), fact.object.as_str()),
            ("Mona", "lives in", "Leeds")
        );
        assert_eq!((fact.id, fact.valid_to_unix_ms, fact.superseded_by), (1, Some(2000), Some(2)));
        assert_eq!(picture.fact(3).unwrap().superseded_by, None);
        assert_eq!(picture.fact(0), None);
        assert_eq!(picture.summary(), "3 entities, 1 event, 2 facts and 5 links");
    }

    #[test]
    fn words_find_labels_however_they_are_written() {
        let picture = Picture::of(mona());
        let all = picture.visible(&Filter::default());
        assert_eq!(picture.matching("york", &all), [3, 4]);
        assert_eq!(picture.matching("YORK lives", &all), [3]);
        assert!(picture.matching("  ", &all).is_empty());
    }
}
