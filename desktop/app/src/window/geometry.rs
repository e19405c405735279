//! Where the window was last. It is state and no setting: it stands in the state folder, and a damaged one is ignored.

use butterfly_wire::place::Place;
use dioxus::desktop::tao::window::Window;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::PathBuf;

/// Size and place in logical pixels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Geometry {
    pub width: f64,
    pub height: f64,
    /// Of the upper left corner; `None` leaves it to the window manager.
    pub position: Option<(f64, f64)>,
    pub maximized: bool,
}

impl Default for Geometry {
    fn default() -> Self {
        Self { width: 1120.0, height: 760.0, position: None, maximized: false }
    }
}

fn path(place: &Place) -> PathBuf {
    place.state.join("window.json")
}

impl Geometry {
    /// As it was saved; the default where nothing usable was.
    #[must_use]
    pub fn load(place: &Place) -> Self {
        let saved = fs::read(path(place)).ok().and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok());
        saved.filter(Self::is_usable).unwrap_or_default()
    }

    fn is_usable(&self) -> bool {
        let size = 200.0..=20_000.0;
        let at = -20_000.0..=20_000.0;
        size.contains(&self.width)
            && size.contains(&self.height)
            && self.position.is_none_or(|(x, y)| at.contains(&x) && at.contains(&y))
    }

    /// Takes over what the window is now. A maximised one keeps the size that it goes back to.
    pub fn follow(&mut self, window: &Window) {
        self.maximized = window.is_maximized();
        if self.maximized || window.is_minimized() {
            return;
        }
        let scale = window.scale_factor();
        let size = window.inner_size().to_logical::<f64>(scale);
        (self.width, self.height) = (size.width, size.height);
        self.position = window.outer_position().ok().map(|at| at.to_logical::<f64>(scale)).map(|at| (at.x, at.y));
    }

    /// Keeps it for the next start.
    pub fn save(&self, place: &Place) {
        if !self.is_usable() {
            return;
        }
        let path = path(place);
        let saved = serde_json::to_vec(self).map_err(std::io::Error::from).and_then(|bytes| {
            let fresh = path.with_extension("json.new");
            fs::write(&fresh, bytes)?;
            fs::rename(&fresh, &path)
        });
        if let Err(fault) = saved {
            tracing::warn!(%fault, "the window's place could not be kept");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_saved_comes_back_and_what_is_damaged_does_not() {
        let home = tempfile::tempdir().unwrap();
        let place = Place::under(home.path());
        fs::create_dir_all(&place.state).unwrap();
        assert_eq!(Geometry::load(&place), Geometry::default());
        let geometry = Geometry { width: 900.0, height: 700.0, position: Some((10.0, 20.0)), maximized: true };
        geometry.save(&place);
        assert_eq!(Geometry::load(&place), geometry);
        for damaged in ["", "{}", r#"{"width":1e9,"height":700,"position":null,"maximized":false}"#] {
            fs::write(path(&place), damaged).unwrap();
            assert_eq!(Geometry::load(&place), Geometry::default(), "{damaged}");
        }
    }
}
