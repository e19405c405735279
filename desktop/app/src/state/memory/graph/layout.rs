//! A force-directed layout: linked nodes draw together, all others push each other away (Fruchterman and Reingold, 1991),
//! far ones in groups ([`Quadtree`]), until it has cooled down. The same graph always gets the same places.
//!
//! It knows nothing of what is drawn; two thousand nodes take some tenths of a second of one core, so it runs beside the
//! window's thread.

use super::quadtree::{Point, Quadtree};

/// Length that a link wants to have.
const LINK: f64 = 42.0;

/// How strongly two nodes of mass 1 push each other away.
const CHARGE: f64 = 34.0;

/// Pull to the middle: it keeps what is not linked in sight.
const GRAVITY: f64 = 0.1;

/// Accuracy of the repulsion: 0 is exact. Greater values than 0.9 show as lumps.
const THETA: f64 = 0.9;

/// What remains of a node's speed from one step to the next.
const INERTIA: f64 = 0.6;

/// Where it is cold enough to stop, of 1 at the beginning.
const COLD: f64 = 0.001;

/// Space that is left between two nodes.
const MARGIN: f64 = 5.0;

/// Rounds in which nodes that overlap are pushed apart at the end.
const SEPARATIONS: usize = 30;

/// Nodes with the number of their links, and pairs of linked nodes, to places: as many as `radii`, around the middle of
/// the plane. `links` names nodes by their place in `radii`; what names none is passed over.
#[must_use]
pub fn lay_out(radii: &[f64], links: &[(u32, u32)]) -> Vec<Point> {
    let count = radii.len();
    let links: Vec<(usize, usize)> = links
        .iter()
        .map(|(from, to)| (*from as usize, *to as usize))
        .filter(|(from, to)| from != to && *from < count && *to < count)
        .collect();
    let mut degrees = vec![0_u32; count];
    for (from, to) in &links {
        degrees[*from] += 1;
        degrees[*to] += 1;
    }
    let mut points = spiral(count, &links);
    cool_down(&mut points, &links, &degrees);
    for _ in 0..SEPARATIONS {
        if !separate(&mut points, radii) {
            break;
        }
    }
    points
}

/// Where nodes begin: on a spiral of equal density (Vogel, 1979), each component together, neighbours near each other.
fn spiral(count: usize, links: &[(usize, usize)]) -> Vec<Point> {
    let mut neighbours = vec![Vec::new(); count];
    for (from, to) in links {
        neighbours[*from].push(*to);
        neighbours[*to].push(*from);
    }
    let mut by_degree: Vec<usize> = (0..count).collect();
    by_degree.sort_by_key(|node| (std::cmp::Reverse(neighbours[*node].len()), *node));
    let mut order = Vec::with_capacity(count);
    let mut seen = vec![false; count];
    for start in by_degree {
        if std::mem::replace(&mut seen[start], true) {
            continue;
        }
        let mut next = order.len();
        order.push(start);
        while next < order.len() {
            for neighbour in &neighbours[order[next]] {
                if !std::mem::replace(&mut seen[*neighbour], true) {
                    order.push(*neighbour);
                }
            }
            next += 1;
        }
    }
    let golden = std::f64::consts::PI * (3.0 - 5.0_f64.sqrt());
    let mut points = vec![Point::default(); count];
    let mut turn = 0.0;
    for (place, node) in (0_u32..).zip(order) {
        let distance = LINK * 0.5 * (f64::from(place) + 0.5).sqrt();
        points[node] = Point { x: distance * f64::cos(turn), y: distance * f64::sin(turn) };
        turn += golden;
    }
    points
}

/// Steps until it is cold: fewer of a great graph, whose begin is better by comparison.
fn steps(count: usize) -> u32 {
    if count <= 600 { 300 } else { 180 }
}

fn cool_down(points: &mut [Point], links: &[(usize, usize)], degrees: &[u32]) {
    // What has many links needs room for them.
    let masses: Vec<f64> = degrees.iter().map(|degree| 1.0 + f64::from(*degree).sqrt() * 0.6).collect();
    let mut speeds = vec![Point::default(); points.len()];
    let mut tree = Quadtree::default();
    let steps = steps(points.len());
    let cooling = COLD.powf(1.0 / f64::from(steps));
    let mut heat = 1.0;
    for _ in 0..steps {
        heat *= cooling;
        draw_together(points, &mut speeds, links, degrees, heat);
        tree.build(points, &masses);
        for node in 0..points.len() {
            let mut push = Point::default();
            tree.each(node, points, &masses, THETA, |x, y, distance, mass| {
                let distance = distance.max(1.0);
                push.x -= x * mass / distance;
                push.y -= y * mass / distance;
            });
            let (at, speed) = (points[node], &mut speeds[node]);
            speed.x += (push.x * CHARGE - at.x * GRAVITY) * heat;
            speed.y += (push.y * CHARGE - at.y * GRAVITY) * heat;
        }
        for (point, speed) in points.iter_mut().zip(&mut speeds) {
            speed.x *= INERTIA;
            speed.y *= INERTIA;
            point.x += speed.x;
            point.y += speed.y;
        }
    }
}

/// Links as springs: the end with fewer links moves more.
fn draw_together(points: &[Point], speeds: &mut [Point], links: &[(usize, usize)], degrees: &[u32], heat: f64) {
    for (from, to) in links {
        let (less, more) = (f64::from(degrees[*from]), f64::from(degrees[*to]));
        let x = points[*to].x + speeds[*to].x - points[*from].x - speeds[*from].x;
        let y = points[*to].y + speeds[*to].y - points[*from].y - speeds[*from].y;
        let length = x.hypot(y).max(1e-3);
        let pull = (length - LINK) / length * heat / less.min(more);
        let share = less / (less + more);
        speeds[*to].x -= x * pull * share;
        speeds[*to].y -= y * pull * share;
        speeds[*from].x += x * pull * (1.0 - share);
        speeds[*from].y += y * pull * (1.0 - share);
    }
}

/// Pushes nodes apart that overlap; whether any did. Neighbours are found through a grid as wide as the widest pair.
fn separate(points: &mut [Point], radii: &[f64]) -> bool {
    let widest = radii.iter().fold(0.0_f64, |most, radius| most.max(*radius)) * 2.0 + MARGIN;
    #[allow(clippy::cast_possible_truncation)]
    let square = |point: Point| ((point.x / widest).floor() as i64, (point.y / widest).floor() as i64);
    let mut grid: std::collections::HashMap<(i64, i64), Vec<usize>> = std::collections::HashMap::new();
    for (node, point) in points.iter().enumerate() {
        grid.entry(square(*point)).or_default().push(node);
    }
    let mut overlapped = false;
    for node in 0..points.len() {
        let (column, row) = square(points[node]);
        for (across, down) in [(-1, -1), (0, -1), (1, -1), (-1, 0), (0, 0), (1, 0), (-1, 1), (0, 1), (1, 1)] {
            let Some(others) = grid.get(&(column + across, row + down)) else { continue };
            for other in others.iter().copied().filter(|other| *other > node) {
                overlapped |= part(points, radii, node, other);
            }
        }
    }
    overlapped
}

/// Moves two nodes apart, each by half of what is missing.
fn part(points: &mut [Point], radii: &[f64], one: usize, other: usize) -> bool {
    let (mut x, mut y) = (points[other].x - points[one].x, points[other].y - points[one].y);
    let mut distance = x.hypot(y);
    let wanted = radii[one] + radii[other] + MARGIN;
    if distance >= wanted {
        return false;
    }
    if distance < 1e-6 {
        // At the same place any direction does, as long as it is always the same.
        #[allow(clippy::cast_precision_loss)]
        let turn = other as f64 * 2.4;
        (x, y, distance) = (turn.cos(), turn.sin(), 1.0);
    }
    let step = (wanted - distance.min(wanted)).max(0.1) / distance / 2.0;
    points[one] = Point { x: points[one].x - x * step, y: points[one].y - y * step };
    points[other] = Point { x: points[other].x + x * step, y: points[other].y + y * step };
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Clusters around hubs, chains between them, and nodes that nothing is linked with: as memories are.
    pub(super) fn memories(count: u32) -> Vec<(u32, u32)> {
        let mut links = Vec::new();
        for node in 1..count {
            match node % 10 {
                9 => {}
                digit if digit < 5 => links.push((node, (node * 7919) % (count / 40 + 1))),
                _ => links.push((node, node - 1)),
            }
            if node % 4 == 0 {
                links.push((node, (node * 104_729) % node));
            }
        }
        links
    }

    fn radii(count: usize) -> Vec<f64> {
        (0..count).map(|node| 4.0 + f64::from(u32::try_from(node % 7).unwrap())).collect()
    }

    #[test]
    fn the_same_graph_gets_the_same_places() {
        let links = memories(300);
        assert_eq!(lay_out(&radii(300), &links), lay_out(&radii(300), &links));
    }

    #[test]
    fn two_thousand_nodes_all_have_a_place_of_their_own() {
        let links = memories(2000);
        let radii = radii(2000);
        let points = lay_out(&radii, &links);
        assert_eq!(points.len(), 2000);
        assert!(points.iter().all(|point| point.x.is_finite() && point.y.is_finite()));
        for (from, to) in links.iter().filter(|(from, to)| from != to) {
            let (from, to) = (points[*from as usize], points[*to as usize]);
            assert!((from.x - to.x).hypot(from.y - to.y) > 4.0, "{from:?} {to:?}");
        }
        let overlapping = (0..2000)
            .flat_map(|one| (one + 1..2000).map(move |other| (one, other)))
            .filter(|(one, other)| {
                let (x, y) = (points[*one].x - points[*other].x, points[*one].y - points[*other].y);
                x.hypot(y) < radii[*one] + radii[*other]
            })
            .count();
        assert!(overlapping <= 20, "{overlapping} pairs overlap");
    }

    #[test]
    fn linked_nodes_are_nearer_than_others() {
        let links = memories(400);
        let points = lay_out(&radii(400), &links);
        let distance = |(one, other): (u32, u32)| {
            let (one, other) = (points[one as usize], points[other as usize]);
            (one.x - other.x).hypot(one.y - other.y)
        };
        let mean = |pairs: &[(u32, u32)]| {
            pairs.iter().map(|pair| distance(*pair)).sum::<f64>() / f64::from(u32::try_from(pairs.len()).unwrap())
        };
        let others: Vec<_> = (0..400).map(|node| (node, (node * 31 + 17) % 400)).collect();
        let (linked, others) = (mean(&links), mean(&others));
        assert!(linked * 2.0 < others, "{linked} {others}");
    }

    #[test]
    fn no_node_one_node_and_wrong_links_are_no_trouble() {
        assert!(lay_out(&[], &[]).is_empty());
        assert_eq!(lay_out(&[5.0], &[(0, 0), (0, 9), (7, 7)]).len(), 1);
        // All of them linked with each other.
        let links: Vec<_> = (0..30).flat_map(|one| (0..30).map(move |other| (one, other))).collect();
        assert!(lay_out(&[6.0; 30], &links).iter().all(|point| point.x.is_finite() && point.y.is_finite()));
    }
}
