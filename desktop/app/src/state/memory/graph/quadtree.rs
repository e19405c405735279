//! A quadtree over points with masses, for the repulsion of far groups as if each were one point (Barnes and Hut, 1986).

/// A point in the plane.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub struct Point {
    pub x: f64,
    pub y: f64,
}

/// Halvings of the square. Bodies nearer than a sixteen-millionth of its side share a cell.
const DEEPEST: u32 = 24;

/// No cell, no body.
const NONE: u32 = u32::MAX;

/// A square of the plane.
#[derive(Clone, Copy)]
struct Cell {
    /// Cells of the quarters; `NONE` where a quarter is empty.
    quarters: [u32; 4],
    /// The first of the bodies in it, where it is not divided.
    body: u32,
    mass: f64,
    /// Masses times places, and once all are in, the centre of mass.
    centre: Point,
}

const EMPTY: Cell = Cell { quarters: [NONE; 4], body: NONE, mass: 0.0, centre: Point { x: 0.0, y: 0.0 } };

/// The tree. It keeps its storage from one step of a simulation to the next.
#[derive(Default)]
pub struct Quadtree {
    cells: Vec<Cell>,
    /// The next body in the same cell.
    next: Vec<u32>,
    /// Cells to be looked at yet, with their width.
    stack: Vec<(u32, f64)>,
    width: f64,
}

impl Quadtree {
    /// Takes in the bodies; `masses` are as many as `points`, all finite.
    pub fn build(&mut self, points: &[Point], masses: &[f64]) {
        let (mut low, mut high) = (Point { x: f64::MAX, y: f64::MAX }, Point { x: f64::MIN, y: f64::MIN });
        for point in points {
            low = Point { x: low.x.min(point.x), y: low.y.min(point.y) };
            high = Point { x: high.x.max(point.x), y: high.y.max(point.y) };
        }
        self.width = (high.x - low.x).max(high.y - low.y).max(1e-6);
        self.cells.clear();
        self.cells.push(EMPTY);
        self.next.clear();
        self.next.resize(points.len(), NONE);
        for (body, (point, mass)) in points.iter().zip(masses).enumerate() {
            self.insert(body, *point, *mass, low, points);
        }
        for cell in &mut self.cells {
            let mass = cell.mass.max(f64::MIN_POSITIVE);
            cell.centre = Point { x: cell.centre.x / mass, y: cell.centre.y / mass };
        }
    }

    fn insert(&mut self, body: usize, point: Point, mass: f64, low: Point, points: &[Point]) {
        let (mut at, mut low, mut half) = (0, low, self.width / 2.0);
        let number = u32::try_from(body).unwrap_or(NONE);
        for depth in 0..=DEEPEST {
            let cell = &mut self.cells[at];
            let was_empty = cell.mass == 0.0;
            cell.mass += mass;
            cell.centre.x += mass * point.x;
            cell.centre.y += mass * point.y;
            if was_empty || depth == DEEPEST {
                self.next[body] = cell.body;
                cell.body = number;
                return;
            }
            // The one that was here alone moves a level down.
            if cell.body != NONE {
                let resident = std::mem::replace(&mut cell.body, NONE) as usize;
                // Its mass is all that the cell had before.
                let had = cell.mass - mass;
                let quarter = quarter(points[resident], low, half);
                let child = self.child(at, quarter);
                let place = points[resident];
                self.cells[child].mass = had;
                self.cells[child].centre = Point { x: had * place.x, y: had * place.y };
                self.cells[child].body = u32::try_from(resident).unwrap_or(NONE);
            }
            let quarter = quarter(point, low, half);
            at = self.child(at, quarter);
            low.x += if quarter & 1 == 1 { half } else { 0.0 };
            low.y += if quarter & 2 == 2 { half } else { 0.0 };
            half /= 2.0;
        }
    }

    fn child(&mut self, at: usize, quarter: usize) -> usize {
        if self.cells[at].quarters[quarter] == NONE {
            self.cells[at].quarters[quarter] = u32::try_from(self.cells.len()).unwrap_or(NONE);
            self.cells.push(EMPTY);
        }
        self.cells[at].quarters[quarter] as usize
    }

    /// Calls `push` with the distance (x, y), its square and the mass of everything but `body` itself, seen from it: a
    /// cell that is narrower than `theta` times its distance counts as one.
    pub fn each(
        &mut self,
        body: usize,
        points: &[Point],
        masses: &[f64],
        theta: f64,
        mut push: impl FnMut(f64, f64, f64, f64),
    ) {
        let here = points[body];
        let near = theta * theta;
        self.stack.clear();
        self.stack.push((0, self.width));
        while let Some((at, width)) = self.stack.pop() {
            let cell = self.cells[at as usize];
            if cell.body != NONE {
                let mut other = cell.body as usize;
                loop {
                    if other != body {
                        let (x, y) = (points[other].x - here.x, points[other].y - here.y);
                        push(x, y, x * x + y * y, masses[other]);
                    }
                    match self.next[other] {
                        NONE => break,
                        next => other = next as usize,
                    }
                }
                continue;
            }
            let (x, y) = (cell.centre.x - here.x, cell.centre.y - here.y);
            let distance = x * x + y * y;
            if width * width < near * distance {
                push(x, y, distance, cell.mass);
                continue;
            }
            for quarter in cell.quarters {
                if quarter != NONE {
                    self.stack.push((quarter, width / 2.0));
                }
            }
        }
    }
}

/// Which quarter of the square at `low` holds the point: 1 for the right half, and 2 for the lower.
fn quarter(point: Point, low: Point, half: f64) -> usize {
    usize::from(point.x >= low.x + half) + 2 * usize::from(point.y >= low.y + half)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scattered(count: u32) -> Vec<Point> {
        (0..count).map(f64::from).map(|at| Point { x: (at * 1.3).sin() * at, y: (at * 2.1).cos() * at }).collect()
    }

    #[test]
    fn each_body_meets_all_the_others_mass() {
        let points = scattered(200);
        let masses: Vec<f64> = (1..=200).map(f64::from).collect();
        let mut tree = Quadtree::default();
        tree.build(&points, &masses);
        for (body, own) in masses.iter().enumerate() {
            let mut met = 0.0;
            tree.each(body, &points, &masses, 0.9, |_, _, _, mass| met += mass);
            assert!((met - (20_100.0 - own)).abs() < 1e-6, "{body}: {met}");
        }
    }

    #[test]
    fn far_groups_count_almost_as_their_members_do() {
        let points = scattered(300);
        let masses = vec![1.0; 300];
        let mut tree = Quadtree::default();
        tree.build(&points, &masses);
        let (mut error, mut all) = (0.0, 0.0);
        for body in 0..300 {
            let mut force = |theta: f64| {
                let mut sum = (0.0, 0.0);
                tree.each(body, &points, &masses, theta, |x, y, distance, mass| {
                    sum = (sum.0 + x * mass / distance.max(1.0), sum.1 + y * mass / distance.max(1.0));
                });
                sum
            };
            let (exact, quick) = (force(0.0), force(0.9));
            error += (exact.0 - quick.0).hypot(exact.1 - quick.1);
            all += exact.0.hypot(exact.1);
        }
        assert!(error < all * 0.05, "{error} of {all}");
    }

    #[test]
    fn bodies_at_one_place_are_no_endless_tree() {
        let points = vec![Point { x: 3.0, y: 3.0 }; 50];
        let masses = vec![2.0; 50];
        let mut tree = Quadtree::default();
        tree.build(&points, &masses);
        let mut met = 0.0;
        tree.each(7, &points, &masses, 0.9, |_, _, _, mass| met += mass);
        assert!((met - 98.0).abs() < 1e-9);
    }
}
