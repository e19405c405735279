//! The memory graph: what is read of it, where one looks, and what is selected.

pub mod camera;
pub mod labels;
pub mod layout;
pub mod picture;
pub mod quadtree;

use super::loaded::Loaded;
use super::{Effect, sheet};
use crate::state::Effect as Outer;
use butterfly_api::memory::{GraphRequest, GraphView, NodeKind};
use camera::{Camera, Size};
use picture::{Filter, NodeName, Picture};
use quadtree::Point;
use std::sync::Arc;

/// Nodes of one view: the most that the memory worker gives.
const NODES: u32 = 2000;

/// Steps from what is linked most, where everything is asked for: the most that the memory worker takes.
const EVERYTHING: u32 = 4;

/// Steps around one entity, unless chosen.
const AROUND: u32 = 2;

/// Pixels beside a node at which the pointer still means it.
const REACH: f64 = 6.0;

/// Zoom of a press on a button or key.
const ZOOM: f64 = 1.4;

/// Zoom of one pixel of the wheel: a notch of 100 pixels is a sixth.
const WHEEL: f64 = 0.0016;

/// Rows that the list shows at first, and more each time.
pub const ROWS: usize = 100;

/// The graph.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Around this entity; `None`: everything.
    pub around: Option<String>,
    /// Steps from it.
    pub depth: u32,
    pub picture: Loaded<Arc<Picture>>,
    pub camera: Camera,
    /// Of the place that it is drawn in.
    pub size: Size,
    /// Whether the camera was put where it sees this picture.
    fitted: bool,
    pub filter: Filter,
    /// For each node, whether the filter lets it be seen.
    pub visible: Arc<Vec<bool>>,
    /// What is looked for, and the nodes that have it.
    pub find: String,
    pub found: Arc<Vec<u32>>,
    /// Which of `found` was centred last.
    at: Option<usize>,
    pub selected: Option<u32>,
    pub hovered: Option<u32>,
    /// The same as a table.
    pub as_list: bool,
    pub rows: usize,
}

impl Default for State {
    fn default() -> Self {
        Self {
            around: None,
            depth: AROUND,
            picture: Loaded::default(),
            camera: Camera::default(),
            size: Size::default(),
            fitted: false,
            filter: Filter::default(),
            visible: Arc::default(),
            find: String::new(),
            found: Arc::default(),
            at: None,
            selected: None,
            hovered: None,
            as_list: false,
            rows: ROWS,
        }
    }
}

/// What happens to the graph.
#[derive(Debug, Clone)]
pub enum Event {
    /// Around one entity, or everything.
    Around(Option<String>),
    Depth(u32),
    /// A reading is there, laid out.
    Laid {
        request: u64,
        result: Result<Arc<Picture>, String>,
    },
    Resized(Size),
    /// The wheel turned by so many pixels over this place of the window.
    Wheel {
        at: Point,
        by: f64,
    },
    Pan {
        x: f64,
        y: f64,
    },
    /// Closer, around the middle.
    ZoomIn,
    ZoomOut,
    /// All of it.
    Fit,
    /// Show this kind, or no longer.
    Toggle(NodeKind),
    At(Option<u64>),
    Find(String),
    /// Centre the next of what was found.
    Next,
    /// Select what is at this place of the window, or nothing.
    Click(Point),
    Hover(Option<Point>),
    /// Select a node and look at it.
    Visit(u32),
    Deselect,
    AsList(bool),
    /// The list's end is near.
    MoreRows,
    /// Go to where the selected node was said.
    Source,
}

impl State {
    /// What is to be read.
    pub(super) fn read(&mut self) -> Effect {
        let depth = if self.around.is_some() { self.depth } else { EVERYTHING };
        let graph = GraphRequest { around: self.around.clone(), depth, limit: NODES, as_of_unix_ms: None };
        Effect::Graph { request: self.picture.ask(), graph }
    }

    /// Changes the state by what happened, and says what is to be done.
    pub(super) fn reduce(&mut self, event: Event) -> Vec<Outer> {
        match event {
            Event::Around(around) => {
                self.around = around;
                self.fitted = false;
                return vec![Outer::Memory(self.read())];
            }
            Event::Depth(depth) => {
                self.depth = depth;
                self.fitted = false;
                return vec![Outer::Memory(self.read())];
            }
            Event::Laid { request, result } => self.laid(request, result),
            Event::Resized(size) => {
                self.size = size;
                self.fit_once();
                self.keep_in_sight();
            }
            Event::Wheel { at, by } => self.camera = self.camera.zoomed((-by * WHEEL).exp(), at),
            Event::Pan { x, y } => self.camera = self.camera.panned(x, y),
            Event::ZoomIn => self.zoom(ZOOM),
            Event::ZoomOut => self.zoom(1.0 / ZOOM),
            Event::Fit => {
                self.fitted = false;
                self.fit_once();
            }
            Event::Toggle(kind) => {
                match kind {
                    NodeKind::Entity => self.filter.entities = !self.filter.entities,
                    NodeKind::Event => self.filter.events = !self.filter.events,
                    NodeKind::Fact => self.filter.facts = !self.filter.facts,
                }
                self.refilter();
            }
            Event::At(at) => {
                self.filter.at_unix_ms = at;
                self.refilter();
            }
            Event::Find(words) => {
                self.find = words;
                self.at = None;
                self.refind();
            }
            Event::Next => {
                let next = self.at.map_or(0, |at| at + 1);
                let next = if next < self.found.len() { next } else { 0 };
                if let Some(node) = self.found.get(next).copied() {
                    self.at = Some(next);
                    self.visit(node);
                }
            }
            Event::Click(at) => self.selected = self.below(at),
            Event::Hover(at) => self.hovered = at.and_then(|at| self.below(at)),
            Event::Visit(node) => self.visit(node),
            Event::Deselect => self.selected = None,
            Event::AsList(as_list) => {
                self.as_list = as_list;
                self.rows = ROWS;
            }
            Event::MoreRows => self.rows = self.rows.saturating_add(ROWS),
            Event::Source => {
                let node = self.selected.and_then(|at| self.picture.value()?.nodes.get(at as usize));
                return node
                    .and_then(|node| node.source)
                    .map(|passage| Outer::then(sheet::Event::Source(passage)))
                    .into_iter()
                    .collect();
            }
        }
        Vec::new()
    }

    fn laid(&mut self, request: u64, result: Result<Arc<Picture>, String>) {
        let name = |at: Option<u32>, picture: Option<&Arc<Picture>>| -> Option<NodeName> { picture?.name(at?) };
        let selected = name(self.selected, self.picture.value());
        if !self.picture.answer(request, result) {
            return;
        }
        let picture = self.picture.value();
        self.selected = selected.and_then(|name| picture?.find(name));
        self.hovered = None;
        self.at = None;
        self.rows = ROWS;
        self.refilter();
        self.fit_once();
    }

    fn refilter(&mut self) {
        let Some(picture) = self.picture.value() else { return };
        self.visible = Arc::new(picture.visible(&self.filter));
        if self.selected.is_some_and(|node| !self.visible.get(node as usize).copied().unwrap_or(false)) {
            self.selected = None;
        }
        self.hovered = None;
        self.refind();
    }

    fn refind(&mut self) {
        let found = self.picture.value().map(|picture| picture.matching(&self.find, &self.visible));
        self.found = Arc::new(found.unwrap_or_default());
        self.rows = ROWS;
        if self.at.is_some_and(|at| at >= self.found.len()) {
            self.at = None;
        }
    }

    /// Which of the found nodes was centred last, from 1.
    #[must_use]
    pub fn place_in_found(&self) -> Option<usize> {
        self.at.map(|at| at + 1)
    }

    fn fit_once(&mut self) {
        let Some(picture) = self.picture.value().filter(|picture| !picture.nodes.is_empty()) else { return };
        if self.fitted || self.size.is_empty() {
            return;
        }
        let (low, high) = picture.bounds();
        self.camera = Camera::fit(low, high, self.size);
        self.fitted = true;
    }

    /// What is selected stays in sight when the window, or the pane beside it, takes its room.
    fn keep_in_sight(&mut self) {
        let place = self.selected.and_then(|node| self.picture.value()?.places.get(node as usize).copied());
        let Some(place) = place.filter(|_| !self.size.is_empty()) else { return };
        let seen = self.camera.to_screen(place);
        if !(0.0..self.size.width).contains(&seen.x) || !(0.0..self.size.height).contains(&seen.y) {
            self.camera = self.camera.centred(place, self.size);
        }
    }

    fn zoom(&mut self, factor: f64) {
        let middle = Point { x: self.size.width / 2.0, y: self.size.height / 2.0 };
        self.camera = Camera { glides: true, ..self.camera.zoomed(factor, middle) };
    }

    /// The node at a place of the window.
    #[must_use]
    pub fn below(&self, at: Point) -> Option<u32> {
        let reach = REACH / self.camera.scale;
        self.picture.value()?.at(self.camera.to_plane(at), reach, &self.visible)
    }

    fn visit(&mut self, node: u32) {
        let Some(place) = self.picture.value().and_then(|picture| picture.places.get(node as usize)).copied() else {
            return;
        };
        self.selected = Some(node);
        if !self.size.is_empty() {
            self.camera = self.camera.centred(place, self.size);
        }
    }

    /// What the selected node is, if it is a fact.
    #[must_use]
    pub fn selected_fact(&self) -> Option<u64> {
        let node = self.picture.value()?.nodes.get(self.selected? as usize)?;
        (node.kind == NodeKind::Fact).then_some(node.id)
    }

    /// The rows of the list: what is found, else all that is seen, the most linked first.
    #[must_use]
    pub fn listed(&self) -> Vec<u32> {
        if !self.find.trim().is_empty() {
            return self.found.to_vec();
        }
        let Some(picture) = self.picture.value() else { return Vec::new() };
        let mut rows: Vec<u32> =
            (0_u32..).zip(self.visible.iter()).filter(|(_, seen)| **seen).map(|(node, _)| node).collect();
        rows.sort_by_key(|node| (std::cmp::Reverse(picture.degree(*node)), *node));
        rows
    }
}

/// Lays a graph out, for the bridge.
#[must_use]
pub fn lay_out(view: GraphView) -> Arc<Picture> {
    Arc::new(Picture::of(view))
}

#[cfg(test)]
#[path = "graph/tests.rs"]
mod tests;
