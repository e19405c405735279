//! The graph, drawn. Panning and zooming change one transform; the nodes are drawn again only when what is seen changes.

use super::super::parts::{Shared, node_kind};
use crate::components::{Icon, IconButton};
use crate::state::memory::graph::Event;
use crate::state::memory::graph::camera::{Camera, Size};
use crate::state::memory::graph::labels::{self, Look, Named, shortened};
use crate::state::memory::graph::picture::{Filter, Picture};
use crate::state::memory::graph::quadtree::Point;
use crate::ui::use_ui;
use butterfly_api::memory::NodeKind;
use dioxus::html::geometry::WheelDelta;
use dioxus::html::input_data::MouseButton;
use dioxus::prelude::*;
use std::fmt::Write;
use std::sync::Arc;

/// Pixels that an arrow key moves.
const STEP: f64 = 80.0;

/// Pixels of a line and of a page, where the wheel counts in them (as browsers have it).
const WHEEL_LINE: f64 = 16.0;
const WHEEL_PAGE: f64 = 400.0;

/// Pixels after which a press is no click any more.
const STILL: f64 = 4.0;

/// Neighbours of what is looked at that show their names, and found nodes that are ringed.
const NAMED: usize = 30;
const RINGED: usize = 200;

/// Links up to which those between facts are dashed: more of them are noise, and slow to draw.
const DASHED: usize = 400;

/// A press: where it is now, and how far it has come.
#[derive(Clone, Copy)]
struct Drag {
    x: f64,
    y: f64,
    way: f64,
}

/// What is drawn: it changes only with the graph and its filter.
#[derive(Clone, PartialEq)]
struct Scene {
    picture: Shared<Picture>,
    visible: Shared<Vec<bool>>,
    filter: Filter,
}

/// The drawing and what moves it.
#[component]
pub(super) fn Canvas() -> Element {
    let ui = use_ui();
    let summary = use_memo(move || {
        let memory = ui.memory.read();
        memory.graph.picture.value().map(|picture| picture.summary()).unwrap_or_default()
    });
    let mut drag = use_signal(|| None::<Drag>);
    let is_dragged = use_memo(move || drag.read().is_some_and(|drag| drag.way > STILL));
    let over_node = use_memo(move || ui.memory.read().graph.hovered.is_some());
    rsx! {
        div {
            class: "graph-stage",
            onresize: move |event| {
                if let Ok(size) = event.get_content_box_size() {
                    ui.send(Event::Resized(Size { width: size.width, height: size.height }));
                }
            },
            svg { class: "graph-svg", role: "img", "aria-label": "Memory graph: {summary}. “List” shows the same as a table.",
                Eye {}
            }
            div {
                id: "graph-surface",
                class: "graph-surface",
                class: if is_dragged() { "dragged" },
                class: if over_node() { "over" },
                tabindex: "0",
                role: "application",
                "aria-label": "Memory graph. Arrow keys move it, plus and minus zoom, 0 shows all of it.",
                onwheel: move |event| {
                    event.prevent_default();
                    let by = match event.delta() {
                        WheelDelta::Pixels(by) => by.y,
                        WheelDelta::Lines(by) => by.y * WHEEL_LINE,
                        WheelDelta::Pages(by) => by.y * WHEEL_PAGE,
                    };
                    let at = event.element_coordinates();
                    ui.send(Event::Wheel { at: Point { x: at.x, y: at.y }, by });
                },
                onpointerdown: move |event| {
                    if event.trigger_button() == Some(MouseButton::Primary) {
                        let at = event.client_coordinates();
                        drag.set(Some(Drag { x: at.x, y: at.y, way: 0.0 }));
                    }
                },
                onpointermove: move |event| {
                    let held = event.held_buttons().contains(MouseButton::Primary);
                    let pressed = *drag.peek();
                    if let Some(before) = pressed.filter(|_| held) {
                        let at = event.client_coordinates();
                        let (x, y) = (at.x - before.x, at.y - before.y);
                        drag.set(Some(Drag { x: at.x, y: at.y, way: before.way + x.hypot(y) }));
                        // What is moved is not pointed at: it is drawn plainly, and quicker.
                        if ui.memory.peek().graph.hovered.is_some() {
                            ui.send(Event::Hover(None));
                        }
                        ui.send(Event::Pan { x, y });
                        return;
                    }
                    if pressed.is_some() {
                        // It was let go outside.
                        drag.set(None);
                    }
                    let at = event.element_coordinates();
                    let at = Point { x: at.x, y: at.y };
                    let changes = {
                        let memory = ui.memory.peek();
                        memory.graph.below(at) != memory.graph.hovered
                    };
                    if changes {
                        ui.send(Event::Hover(Some(at)));
                    }
                },
                onpointerup: move |event| {
                    let pressed = drag.take();
                    if pressed.is_some_and(|drag| drag.way <= STILL) {
                        let at = event.element_coordinates();
                        ui.send(Event::Click(Point { x: at.x, y: at.y }));
                    }
                },
                onpointerleave: move |_| ui.send(Event::Hover(None)),
                onkeydown: move |event| {
                    let Some(moved) = moved_by(&event) else { return };
                    event.prevent_default();
                    ui.send(moved);
                },
            }
            Buttons {}
        }
    }
}

/// What a key does to the graph.
fn moved_by(event: &KeyboardEvent) -> Option<Event> {
    let modifiers = event.modifiers();
    if modifiers.contains(Modifiers::CONTROL)
        || modifiers.contains(Modifiers::META)
        || modifiers.contains(Modifiers::ALT)
    {
        return None;
    }
    Some(match event.key() {
        Key::ArrowLeft => Event::Pan { x: STEP, y: 0.0 },
        Key::ArrowRight => Event::Pan { x: -STEP, y: 0.0 },
        Key::ArrowUp => Event::Pan { x: 0.0, y: STEP },
        Key::ArrowDown => Event::Pan { x: 0.0, y: -STEP },
        Key::Enter => Event::Next,
        Key::Escape => Event::Deselect,
        Key::Character(character) => match character.as_str() {
            "+" | "=" => Event::ZoomIn,
            "-" | "_" => Event::ZoomOut,
            "0" => Event::Fit,
            _ => return None,
        },
        _ => return None,
    })
}

#[component]
fn Buttons() -> Element {
    let ui = use_ui();
    rsx! {
        div { class: "graph-buttons",
            IconButton { icon: Icon::ZoomIn, label: "Zoom in (+)", id: "graph-zoom-in", onclick: move |()| ui.send(Event::ZoomIn) }
            IconButton { icon: Icon::ZoomOut, label: "Zoom out (−)", id: "graph-zoom-out", onclick: move |()| ui.send(Event::ZoomOut) }
            IconButton { icon: Icon::Fit, label: "Show all (0)", id: "graph-fit", onclick: move |()| ui.send(Event::Fit) }
        }
    }
}

/// The one element that moves.
#[component]
fn Eye() -> Element {
    let ui = use_ui();
    let camera = use_memo(move || ui.memory.read().graph.camera);
    let scene = use_memo(move || {
        let memory = ui.memory.read();
        let graph = &memory.graph;
        let picture = Shared(Arc::clone(graph.picture.value()?));
        Some(Scene { picture, visible: Shared(Arc::clone(&graph.visible)), filter: graph.filter })
    });
    let look = use_memo(move || {
        let memory = ui.memory.read();
        Look::of(memory.graph.camera, memory.graph.size)
    });
    let named = use_memo(move || {
        scene().map(|scene| labels::named(&scene.picture, &scene.visible, look())).unwrap_or_default()
    });
    let focus = use_memo(move || {
        let memory = ui.memory.read();
        memory.graph.hovered.or(memory.graph.selected)
    });
    let selected = use_memo(move || ui.memory.read().graph.selected);
    let found = use_memo(move || Shared(Arc::clone(&ui.memory.read().graph.found)));
    let Camera { scale, x, y, glides } = camera();
    let Some(scene) = scene() else { return rsx! {} };
    rsx! {
        g {
            id: "graph-eye",
            class: if glides { "graph-eye glides" } else { "graph-eye" },
            style: "transform: translate({x:.2}px, {y:.2}px) scale({scale:.5}); --unscale: {1.0 / scale:.5}",
            g { class: if focus().is_some() || !found().is_empty() { "graph-base dim" } else { "graph-base" },
                Links { scene: scene.clone() }
                Nodes { scene: scene.clone() }
                Names { scene: scene.clone(), names: named() }
            }
            Marks { scene: scene.clone(), found: found() }
            if let Some(focus) = focus() {
                Focus { scene, focus, selected: selected(), scale: look().scale() }
            }
        }
    }
}

/// A path along all of the links: one element, however many there are.
fn path(picture: &Picture, links: impl Iterator<Item = (u32, u32)>) -> String {
    let mut path = String::new();
    for (from, to) in links {
        if let (Some(from), Some(to)) = (picture.places.get(from as usize), picture.places.get(to as usize)) {
            // Writing to a string cannot fail.
            let _ = write!(path, "M{:.1} {:.1}L{:.1} {:.1}", from.x, from.y, to.x, to.y);
        }
    }
    path
}

#[component]
fn Links(scene: Scene) -> Element {
    let links = scene.picture.visible_links(&scene.filter, &scene.visible);
    let ends = |supersedes: bool| {
        let chosen = links.iter().filter(move |link| link.supersedes() == supersedes);
        path(&scene.picture, chosen.map(|link| (link.from, link.to)))
    };
    let many = links.len() > DASHED;
    rsx! {
        path { class: "graph-link", d: ends(false) }
        path { class: if many { "graph-link supersedes many" } else { "graph-link supersedes" }, d: ends(true) }
    }
}

/// A node as it is drawn.
#[derive(Clone, Copy, PartialEq)]
struct Dot {
    node: u32,
    at: Point,
    radius: f64,
    kind: NodeKind,
    has_ended: bool,
}

fn dot(picture: &Picture, node: u32) -> Option<Dot> {
    let (it, at) = (picture.nodes.get(node as usize)?, picture.places.get(node as usize)?);
    let radius = picture.radii.get(node as usize)?;
    Some(Dot { node, at: *at, radius: *radius, kind: it.kind, has_ended: it.until_unix_ms.is_some() })
}

#[component]
fn Nodes(scene: Scene) -> Element {
    let seen = (0_u32..).zip(scene.visible.iter()).filter(|(_, seen)| **seen);
    let dots: Vec<Dot> = seen.filter_map(|(node, _)| dot(&scene.picture, node)).collect();
    rsx! {
        for dot in dots {
            Shape { key: "{dot.node}", dot }
        }
    }
}

/// One node: a disc, or a square on its tip for an event.
#[component]
fn Shape(dot: Dot, #[props(default)] is_copy: bool) -> Element {
    let Dot { node, at, radius, kind, has_ended } = dot;
    let class = node_kind(kind).1;
    let ended = if has_ended { " has-ended" } else { "" };
    let id = (!is_copy).then(|| format!("node-{node}"));
    if kind == NodeKind::Event {
        let (left, right, top, bottom) = (at.x - radius, at.x + radius, at.y - radius, at.y + radius);
        return rsx! {
            path {
                id,
                class: "graph-node {class}{ended}",
                d: "M{at.x:.1} {top:.1}L{right:.1} {at.y:.1}L{at.x:.1} {bottom:.1}L{left:.1} {at.y:.1}Z",
            }
        };
    }
    rsx! {
        circle { id, class: "graph-node {class}{ended}", cx: "{at.x:.1}", cy: "{at.y:.1}", r: "{radius:.1}" }
    }
}

#[component]
fn Names(scene: Scene, names: Vec<Named>) -> Element {
    rsx! {
        for name in names {
            Name { key: "{name.node}", scene: scene.clone(), name }
        }
    }
}

/// A name below its node or above it, as big as text is, however near one is.
#[component]
fn Name(scene: Scene, name: Named) -> Element {
    let Named { node, above } = name;
    let (Some(dot), Some(it)) = (dot(&scene.picture, node), scene.picture.nodes.get(node as usize)) else {
        return rsx! {};
    };
    let (x, y) = (dot.at.x, if above { dot.at.y - dot.radius } else { dot.at.y + dot.radius });
    let class = node_kind(it.kind).1;
    rsx! {
        g { style: "transform: translate({x:.1}px, {y:.1}px) scale(var(--unscale))",
            text { class: "graph-name {class}", y: if above { "-6" } else { "14" }, "{shortened(&it.label)}" }
        }
    }
}

/// Rings around what was found.
#[component]
fn Marks(scene: Scene, found: Shared<Vec<u32>>) -> Element {
    let dots: Vec<Dot> = found.iter().take(RINGED).filter_map(|node| dot(&scene.picture, *node)).collect();
    rsx! {
        for dot in dots {
            g { key: "{dot.node}",
                Shape { dot, is_copy: true }
                circle { class: "graph-ring found", cx: "{dot.at.x:.1}", cy: "{dot.at.y:.1}", r: "{dot.radius + 4.0:.1}" }
            }
        }
    }
}

/// What is pointed at or selected, with its neighbours, above all the rest.
#[component]
fn Focus(scene: Scene, focus: u32, selected: Option<u32>, scale: f64) -> Element {
    let sees = |node: u32| scene.visible.get(node as usize).copied().unwrap_or(false);
    let mut near: Vec<u32> = Vec::new();
    for link in scene.picture.visible_links(&scene.filter, &scene.visible) {
        let other = if link.from == focus { link.to } else { link.from };
        if (link.from == focus || link.to == focus) && sees(other) && !near.contains(&other) {
            near.push(other);
        }
    }
    let links = path(&scene.picture, near.iter().map(|other| (focus, *other)));
    let dots: Vec<Dot> = near.iter().chain([&focus]).filter_map(|node| dot(&scene.picture, *node)).collect();
    let ring = selected.and_then(|node| dot(&scene.picture, node));
    // Its own name comes first, and is there in any case.
    let order: Vec<u32> = [focus].into_iter().chain(near.into_iter().take(NAMED)).collect();
    let mut names = labels::placed(&scene.picture, &scene.visible, &order, scale);
    if names.first().is_none_or(|first| first.node != focus) {
        names.insert(0, Named { node: focus, above: false });
    }
    rsx! {
        g { class: "graph-focus",
            path { class: "graph-link", d: links }
            for dot in dots {
                Shape { key: "{dot.node}", dot, is_copy: true }
            }
            if let Some(dot) = ring {
                circle { class: "graph-ring", cx: "{dot.at.x:.1}", cy: "{dot.at.y:.1}", r: "{dot.radius + 4.0:.1}" }
            }
            Names { scene: scene.clone(), names }
        }
    }
}
