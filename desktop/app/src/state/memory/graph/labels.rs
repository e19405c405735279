//! Which nodes show their names: the biggest first, as many as there is room for where one looks.

use super::camera::{Camera, Size};
use super::picture::Picture;
use super::quadtree::Point;
use butterfly_api::memory::NodeKind;

/// Scale from which on facts show what they say: before, they are dots between names.
const FACTS_FROM: f64 = 0.9;

/// Most names at once: what one can read, and what a step of the zoom can change without a pause.
const MOST: usize = 140;

/// Most characters of a name.
pub const CHARACTERS: usize = 28;

/// Width of a character and height of a line, in pixels at 12 px.
const CHARACTER: f64 = 6.6;
const LINE: f64 = 17.0;

/// A look that many neighbouring cameras share, so that names are chosen anew only now and then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Half powers of two of the scale.
    level: i32,
    /// Which half of a window is at the top left.
    column: i32,
    row: i32,
    /// The window, in steps of 64 pixels.
    width: i32,
    height: i32,
}

const STEP: f64 = 64.0;

/// Pixels of the radius from which on a node is not to be covered by another one's name.
const DISC: f64 = 5.0;

/// A node that shows its name, below it or above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    pub node: u32,
    pub above: bool,
}

/// Half a window of so many steps, in pixels.
fn half(steps: i32) -> f64 {
    f64::from(steps) * STEP / 2.0
}

impl Look {
    /// The look of a camera.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub fn of(camera: Camera, size: Size) -> Self {
        let steps = |pixels: f64| (pixels / STEP).ceil().max(1.0) as i32;
        let (width, height) = (steps(size.width), steps(size.height));
        Self {
            level: (camera.scale.log2() * 2.0).floor() as i32,
            column: (-camera.x / half(width)).floor() as i32,
            row: (-camera.y / half(height)).floor() as i32,
            width,
            height,
        }
    }

    /// The least scale of these cameras.
    #[must_use]
    pub fn scale(self) -> f64 {
        2.0_f64.powf(f64::from(self.level) / 2.0)
    }
}

/// The nodes whose names are shown, best first.
///
/// Names are placed at the look's least scale, where they are nearest to each other: at a greater one they part.
#[must_use]
pub fn named(picture: &Picture, visible: &[bool], look: Look) -> Vec<Named> {
    let scale = look.scale();
    let (left, right) = span(look.column, look.width, scale);
    let (top, bottom) = span(look.row, look.height, scale);
    let mut order: Vec<u32> = (0_u32..)
        .zip(&picture.nodes)
        .filter(|(at, node)| {
            let place = picture.places[*at as usize];
            visible.get(*at as usize).copied().unwrap_or(false)
                && (node.kind != NodeKind::Fact || scale >= FACTS_FROM)
                && (left..=right).contains(&place.x)
                && (top..=bottom).contains(&place.y)
        })
        .map(|(at, _)| at)
        .collect();
    order.sort_by_key(|at| {
        (picture.nodes[*at as usize].kind == NodeKind::Fact, std::cmp::Reverse(picture.degree(*at)), *at)
    });
    placed(picture, visible, &order, scale)
}

/// Those of the nodes whose names have room at this scale, in their order: below the node, else above it. A name covers
/// no other name and no node that stands out.
#[must_use]
pub fn placed(picture: &Picture, visible: &[bool], order: &[u32], scale: f64) -> Vec<Named> {
    let discs: Vec<(u32, Point, f64)> = (0_u32..)
        .zip(picture.places.iter().zip(&picture.radii))
        .filter(|(node, (_, radius))| visible.get(*node as usize).copied().unwrap_or(false) && **radius * scale >= DISC)
        .map(|(node, (at, radius))| (node, Point { x: at.x * scale, y: at.y * scale }, radius * scale))
        .collect();
    let mut taken: Vec<Frame> = Vec::new();
    let mut named = Vec::new();
    for node in order.iter().copied() {
        if named.len() == MOST {
            break;
        }
        let free = |frame: &Frame| {
            !taken.iter().any(|other| frame.meets(other))
                && !discs.iter().any(|(other, at, radius)| *other != node && frame.meets_disc(*at, *radius))
        };
        let found = [false, true].into_iter().find_map(|above| {
            let frame = frame(picture, node, scale, above).filter(free)?;
            Some((above, frame))
        });
        if let Some((above, frame)) = found {
            taken.push(frame);
            named.push(Named { node, above });
        }
    }
    named
}

/// From the least to the greatest place that any of a look's cameras sees, along one axis.
fn span(place: i32, steps: i32, scale: f64) -> (f64, f64) {
    let (near, far) = (f64::from(place) * half(steps) / scale, f64::from(place + 1) * half(steps) / scale);
    let root = std::f64::consts::SQRT_2;
    (near.min(near / root), far.max(far / root) + 2.0 * half(steps) / scale)
}

/// The part of the screen that a name covers.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Frame {
    left: f64,
    right: f64,
    top: f64,
}

impl Frame {
    fn meets(&self, other: &Self) -> bool {
        self.left < other.right && other.left < self.right && (self.top - other.top).abs() < LINE
    }

    fn meets_disc(&self, at: Point, radius: f64) -> bool {
        let (x, y) = (at.x.clamp(self.left, self.right), at.y.clamp(self.top, self.top + LINE));
        (at.x - x).hypot(at.y - y) < radius
    }
}

fn frame(picture: &Picture, node: u32, scale: f64, above: bool) -> Option<Frame> {
    let (place, radius) = (picture.places.get(node as usize)?, picture.radii.get(node as usize)? * scale);
    let characters = picture.nodes.get(node as usize)?.label.chars().count().min(CHARACTERS);
    let half = f64::from(u32::try_from(characters).unwrap_or(0)) * CHARACTER / 2.0;
    let (x, y) = (place.x * scale, place.y * scale);
    let top = if above { y - radius - LINE - 1.0 } else { y + radius + 1.0 };
    Some(Frame { left: x - half, right: x + half, top })
}

/// A name, not longer than [`CHARACTERS`].
#[must_use]
pub fn shortened(label: &str) -> String {
    if label.chars().count() <= CHARACTERS {
        return label.to_owned();
    }
    let mut short: String = label.chars().take(CHARACTERS - 1).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use butterfly_api::memory::{Edge, GraphView, Node};

    const SIZE: Size = Size { width: 800.0, height: 600.0 };

    fn many() -> Picture {
        let node = |id: u64| Node {
            id,
            kind: if id % 3 == 2 { NodeKind::Fact } else { NodeKind::Entity },
            label: format!("something {id}"),
            at_unix_ms: id,
            until_unix_ms: None,
            source: None,
        };
        let edges = (1..600_u32).map(|at| Edge { from: at, to: at / 3, relation: "knows".into() }).collect();
        Picture::of(GraphView { nodes: (0..600).map(node).collect(), edges, cut: false })
    }

    fn fitted(picture: &Picture) -> Camera {
        let (low, high) = picture.bounds();
        Camera::fit(low, high, SIZE)
    }

    #[test]
    fn from_afar_only_the_biggest_are_named_and_no_two_names_meet() {
        let picture = many();
        let all = vec![true; 600];
        let look = Look::of(fitted(&picture), SIZE);
        let afar = named(&picture, &all, look);
        assert!((1..=MOST).contains(&afar.len()), "{}", afar.len());
        assert!(afar.iter().all(|named| picture.nodes[named.node as usize].kind == NodeKind::Entity));
        let scale = look.scale();
        let frames: Vec<_> = afar.iter().map(|it| frame(&picture, it.node, scale, it.above).unwrap()).collect();
        for (at, one) in frames.iter().enumerate() {
            assert!(!frames[at + 1..].iter().any(|other| one.meets(other)), "two names at {one:?}");
            let covered = (0..600).filter(|node| *node != afar[at].node).find(|node| {
                let (place, radius) = (picture.places[*node as usize], picture.radii[*node as usize] * scale);
                radius >= DISC && one.meets_disc(Point { x: place.x * scale, y: place.y * scale }, radius)
            });
            assert_eq!(covered, None, "below {one:?}");
        }
    }

    #[test]
    fn nearby_facts_say_what_they_are_and_what_is_seen_is_what_is_named() {
        let picture = many();
        let all = vec![true; 600];
        for target in [0_u32, 50, 599] {
            let place = picture.places[target as usize];
            let camera = Camera { scale: 2.0, ..Camera::default() }.centred(place, SIZE);
            let near = named(&picture, &all, Look::of(camera, SIZE));
            let seen = |node: u32| {
                let at = camera.to_screen(picture.places[node as usize]);
                (0.0..SIZE.width).contains(&at.x) && (0.0..SIZE.height).contains(&at.y)
            };
            // Whoever stands in the middle of the window is among those that may have a name.
            let middle = (0..600).filter(|node| seen(*node)).count();
            let names = near.iter().filter(|named| seen(named.node)).count();
            assert!(names * 4 >= middle.min(60), "{names} names of {middle} nodes");
            assert!(near.iter().any(|named| picture.nodes[named.node as usize].kind == NodeKind::Fact));
        }
    }

    #[test]
    fn what_is_hidden_has_no_name_and_small_moves_change_none() {
        let picture = many();
        let look = Look::of(fitted(&picture), SIZE);
        assert!(named(&picture, &vec![false; 600], look).is_empty());
        let camera = Camera { scale: 1.1, x: -500.0, y: -500.0, glides: false };
        assert_eq!(Look::of(camera, SIZE), Look::of(camera.panned(-20.0, -10.0), SIZE));
        assert_ne!(Look::of(camera, SIZE), Look::of(camera.panned(-900.0, 0.0), SIZE));
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        assert_eq!(shortened("Ana"), "Ana");
        let long = shortened(&"Ä".repeat(50));
        assert_eq!(long.chars().count(), CHARACTERS);
        assert!(long.ends_with('…'));
    }
}
