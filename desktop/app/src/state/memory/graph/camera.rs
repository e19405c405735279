//! What of the plane is seen: one scale and one shift, which is all that panning and zooming change.

use super::quadtree::Point;

/// Least and greatest scale: two thousand nodes fit a small window, and one node does not fill it.
const SCALES: (f64, f64) = (0.05, 6.0);

/// Greatest scale of [`Camera::fit`]: few nodes are not blown up.
const FIT: f64 = 1.6;

/// Pixels that are left free around what is fitted, for the names below the nodes.
const PADDING: f64 = 48.0;

/// From the plane to the screen: `screen = plane × scale + shift`, in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Camera {
    pub scale: f64,
    pub x: f64,
    pub y: f64,
    /// Whether it got here by a jump, which is shown as a short motion.
    pub glides: bool,
}

impl Default for Camera {
    fn default() -> Self {
        Self { scale: 1.0, x: 0.0, y: 0.0, glides: false }
    }
}

/// A size in CSS pixels.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub struct Size {
    pub width: f64,
    pub height: f64,
}

impl Size {
    /// Whether anything can be seen in it.
    #[must_use]
    pub fn is_empty(self) -> bool {
        !(self.width >= 1.0 && self.height >= 1.0)
    }
}

impl Camera {
    /// Where a place of the screen lies in the plane.
    #[must_use]
    pub fn to_plane(self, at: Point) -> Point {
        Point { x: (at.x - self.x) / self.scale, y: (at.y - self.y) / self.scale }
    }

    /// Where a place of the plane is seen.
    #[must_use]
    pub fn to_screen(self, at: Point) -> Point {
        Point { x: at.x * self.scale + self.x, y: at.y * self.scale + self.y }
    }

    /// Moved by so many pixels.
    #[must_use]
    pub fn panned(self, x: f64, y: f64) -> Self {
        Self { x: self.x + x, y: self.y + y, glides: false, ..self }
    }

    /// Zoomed so that what is seen at `at` stays there.
    #[must_use]
    pub fn zoomed(self, factor: f64, at: Point) -> Self {
        let scale = (self.scale * factor).clamp(SCALES.0, SCALES.1);
        let plane = self.to_plane(at);
        Self { scale, x: at.x - plane.x * scale, y: at.y - plane.y * scale, glides: false }
    }

    /// With this place in the middle; nearer, if it was seen from afar.
    #[must_use]
    pub fn centred(self, on: Point, size: Size) -> Self {
        let scale = self.scale.max(1.0);
        Self { scale, x: size.width / 2.0 - on.x * scale, y: size.height / 2.0 - on.y * scale, glides: true }
    }

    /// So that all from `low` to `high` is seen.
    #[must_use]
    pub fn fit(low: Point, high: Point, size: Size) -> Self {
        let free = |pixels: f64| (pixels - 2.0 * PADDING).max(pixels / 2.0);
        let (width, height) = ((high.x - low.x).max(1.0), (high.y - low.y).max(1.0));
        let scale = (free(size.width) / width).min(free(size.height) / height).clamp(SCALES.0, FIT);
        let middle = Point { x: f64::midpoint(low.x, high.x), y: f64::midpoint(low.y, high.y) };
        Self { scale, x: size.width / 2.0 - middle.x * scale, y: size.height / 2.0 - middle.y * scale, glides: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { width: 800.0, height: 600.0 };

    fn near(one: Point, other: Point) -> bool {
        (one.x - other.x).hypot(one.y - other.y) < 1e-6
    }

    #[test]
    fn zooming_leaves_what_is_at_the_pointer_there() {
        let pointer = Point { x: 120.0, y: 480.0 };
        let mut camera = Camera::default().panned(33.0, -7.0);
        let below = camera.to_plane(pointer);
        for factor in [1.2, 1.2, 0.7, 3.0, 0.1] {
            camera = camera.zoomed(factor, pointer);
            assert!(near(camera.to_plane(pointer), below));
        }
        assert!(near(camera.to_screen(below), pointer));
    }

    #[test]
    fn the_scale_has_ends() {
        let mut camera = Camera::default();
        for _ in 0..100 {
            camera = camera.zoomed(2.0, Point::default());
        }
        assert_eq!(camera.scale, SCALES.1);
        for _ in 0..100 {
            camera = camera.zoomed(0.5, Point::default());
        }
        assert_eq!(camera.scale, SCALES.0);
    }

    #[test]
    fn what_is_fitted_is_seen_and_in_the_middle() {
        let (low, high) = (Point { x: -3000.0, y: 10.0 }, Point { x: 1000.0, y: 900.0 });
        let camera = Camera::fit(low, high, SIZE);
        for corner in [low, high] {
            let seen = camera.to_screen(corner);
            assert!((0.0..=SIZE.width).contains(&seen.x) && (0.0..=SIZE.height).contains(&seen.y), "{seen:?}");
        }
        assert!(near(camera.to_screen(Point { x: -1000.0, y: 455.0 }), Point { x: 400.0, y: 300.0 }));
        // One node alone is not blown up.
        assert!(Camera::fit(low, low, SIZE).scale <= FIT);
        let on = Camera::default().zoomed(0.2, Point::default()).centred(high, SIZE);
        assert!(near(on.to_screen(high), Point { x: 400.0, y: 300.0 }) && on.scale >= 1.0);
    }
}
