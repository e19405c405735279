//! Where the window was last, and in which theme: what is needed before the settings are known. It is state and no setting:
//! it stands in the state folder, and a damaged one is ignored.

use crate::state::frame::Theme;
use butterfly_wire::place::Place;
use dioxus::desktop::tao::window::{self, Window};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::PathBuf;

/// The page's colour (`--bg` of `assets/tokens.css`) in the light theme and in the dark one.
const LIGHT: (u8, u8, u8, u8) = (0xfd, 0xfd, 0xfc, 0xff);
const DARK: (u8, u8, u8, u8) = (0x17, 0x18, 0x1c, 0xff);

/// Size and place in logical pixels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Geometry {
    pub width: f64,
    pub height: f64,
    /// Of the upper left corner; `None` leaves it to the window manager.
    pub position: Option<(f64, f64)>,
    pub maximized: bool,
    /// The word of the setting `desktop.theme`.
    #[serde(default)]
    theme: String,
    /// Whether that was dark; `None`: it was never shown.
    #[serde(default)]
    dark: Option<bool>,
}

impl Default for Geometry {
    fn default() -> Self {
        Self { width: 1120.0, height: 760.0, position: None, maximized: false, theme: String::new(), dark: None }
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

    /// Takes over how it looks now; `system` is the desktop's theme.
    pub fn dress(&mut self, theme: Theme, system: window::Theme) {
        self.theme = theme.word().to_owned();
        self.dark = Some(match theme {
            Theme::Light => false,
            Theme::Dark => true,
            Theme::System => system == window::Theme::Dark,
        });
    }

    /// The theme until the settings are known.
    #[must_use]
    pub fn theme(&self) -> Theme {
        Theme::of(&self.theme)
    }

    /// The colour until the page is there: a dark window that begins white would flash.
    #[must_use]
    pub fn colour(&self) -> Option<(u8, u8, u8, u8)> {
        self.dark.map(|dark| if dark { DARK } else { LIGHT })
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
        let mut geometry = Geometry {
            width: 900.0,
            height: 700.0,
            position: Some((10.0, 20.0)),
            maximized: true,
            ..Geometry::default()
        };
        geometry.dress(Theme::System, window::Theme::Dark);
        geometry.save(&place);
        assert_eq!(Geometry::load(&place), geometry);
        let old = r#"{"width":900,"height":700,"position":null,"maximized":false}"#;
        fs::write(path(&place), old).unwrap();
        assert_eq!(Geometry::load(&place).height, 700.0, "it says nothing of a theme");
        for damaged in ["", "{}", r#"{"width":1e9,"height":700,"position":null,"maximized":false}"#] {
            fs::write(path(&place), damaged).unwrap();
            assert_eq!(Geometry::load(&place), Geometry::default(), "{damaged}");
        }
    }
    #[test]
    fn until_the_page_is_there_the_window_has_its_colour() {
        let hex = |(red, green, blue, _): (u8, u8, u8, u8)| format!("--bg: #{red:02x}{green:02x}{blue:02x};");
        let mut geometry = Geometry::default();
        assert_eq!((geometry.colour(), geometry.theme()), (None, Theme::System));
        for (theme, system, colour) in [
            (Theme::Light, window::Theme::Dark, LIGHT),
            (Theme::Dark, window::Theme::Light, DARK),
            (Theme::System, window::Theme::Dark, DARK),
        ] {
            geometry.dress(theme, system);
            assert_eq!((geometry.colour(), geometry.theme()), (Some(colour), theme));
            assert!(crate::app::STYLES.contains(&hex(colour)), "tokens.css lacks {}", hex(colour));
        }
    }
}
