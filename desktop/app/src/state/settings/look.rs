//! What the app follows of the settings `desktop.*`. What cannot be used is as it is by default.

use crate::keys::Keymap;
use crate::state::frame::{Look, Theme};

/// What closing the window does to the assistant.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum OnClose {
    /// It ends, if this window started it.
    #[default]
    StopStarted,
    /// It stays.
    KeepRunning,
}

impl OnClose {
    pub(super) fn of(word: Option<&str>) -> Self {
        match word {
            Some("keep_running") => Self::KeepRunning,
            Some(_) | None => Self::StopStarted,
        }
    }
}

/// A flag's value; `otherwise` where it is none.
pub(super) fn flag(value: Option<String>, otherwise: bool) -> bool {
    value.and_then(|value| butterfly_api::value::flag(&value)).unwrap_or(otherwise)
}

/// How the app looks. `value` gives a key's value.
pub(super) fn look(value: impl Fn(&str) -> Option<String>) -> Look {
    let usual = Look::default();
    let plain = |accent: &String| !accent.is_empty() && accent.bytes().all(|byte| byte.is_ascii_lowercase());
    Look {
        theme: value("desktop.theme").map_or(usual.theme, |word| Theme::of(&word)),
        // It becomes part of the page: a name of a colour and nothing else.
        accent: value("desktop.accent").filter(plain).unwrap_or(usual.accent),
        text_size: value("desktop.text_size")
            .and_then(|size| size.parse().ok())
            .filter(|size| (80..=160).contains(size))
            .unwrap_or(usual.text_size),
        reduced_motion: flag(value("desktop.reduced_motion"), usual.reduced_motion),
        usage_footer: flag(value("desktop.usage_footer"), usual.usage_footer),
    }
}

/// Which key runs what. `value` gives a key's value.
pub(super) fn keys(value: impl Fn(&str) -> Option<String>) -> Keymap {
    Keymap::of_setting(&value("desktop.keys").unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        move |key| pairs.iter().find(|(other, _)| *other == key).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn without_settings_the_app_looks_as_usual() {
        assert_eq!(look(of(&[])), Look::default());
        assert_eq!(keys(of(&[])), Keymap::default());
        assert_eq!(OnClose::of(None), OnClose::StopStarted);
    }

    #[test]
    fn each_setting_changes_its_part() {
        let look = look(of(&[
            ("desktop.theme", "dark"),
            ("desktop.accent", "teal"),
            ("desktop.text_size", "160"),
            ("desktop.reduced_motion", "true"),
            ("desktop.usage_footer", "false"),
        ]));
        let expected = Look {
            theme: Theme::Dark,
            accent: "teal".into(),
            text_size: 160,
            reduced_motion: true,
            usage_footer: false,
        };
        assert_eq!(look, expected);
        let keys = keys(of(&[("desktop.keys", "frame.sidebar=Ctrl+J frame.palette=")]));
        assert_eq!(keys.chord("frame.sidebar").map(|chord| chord.to_string()), Some("Ctrl+J".into()));
        assert_eq!(keys.chord("frame.palette"), None);
        assert_eq!(OnClose::of(Some("keep_running")), OnClose::KeepRunning);
    }

    #[test]
    fn what_cannot_be_used_is_as_usual() {
        for size in ["79", "161", "big", "", "-100"] {
            let value = move |key: &str| (key == "desktop.text_size").then(|| size.to_owned());
            assert_eq!(look(value), Look::default(), "{size}");
        }
        for accent in ["", "Teal", "a\" onload=\"x", "a b"] {
            let value = move |key: &str| (key == "desktop.accent").then(|| accent.to_owned());
            assert_eq!(look(value), Look::default(), "{accent}");
        }
        assert_eq!(look(of(&[("desktop.theme", "purple"), ("desktop.reduced_motion", "maybe")])), Look::default());
    }
}
