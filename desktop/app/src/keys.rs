//! Keys: chords, and which action each one runs.

use crate::actions;
use dioxus::prelude::{Key, Modifiers};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// Keys that are pressed together. `Ctrl` is Command on macOS.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Chord {
    pub ctrl: bool,
    pub alt: bool,
    pub shift: bool,
    /// As `KeyboardEvent.key` has it (UI Events KeyboardEvent key Values), letters in upper case.
    pub key: String,
}

impl Chord {
    /// The chord of an event of the keyboard.
    #[must_use]
    pub fn pressed(modifiers: Modifiers, key: &Key) -> Self {
        let command = if cfg!(target_os = "macos") { Modifiers::META } else { Modifiers::CONTROL };
        let key = match key {
            Key::Character(character) => character.to_uppercase(),
            other => other.to_string(),
        };
        Self {
            ctrl: modifiers.contains(command),
            alt: modifiers.contains(Modifiers::ALT),
            // A character that needs Shift, such as `?`, says so by itself.
            shift: modifiers.contains(Modifiers::SHIFT)
                && (key.chars().count() > 1 || key.chars().all(char::is_alphabetic)),
            key,
        }
    }

    /// Whether a person who types text would mean a character by it.
    #[must_use]
    pub fn is_typing(&self) -> bool {
        !self.ctrl && !self.alt && self.key.chars().count() == 1
    }

    /// Whether it may be bound: it is no modifier alone, and no key that is needed to type or to move.
    #[must_use]
    pub fn is_bindable(&self) -> bool {
        let moves = ["Tab", "Enter", " ", "Backspace", "Delete", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"];
        let modifiers = ["Control", "Shift", "Alt", "Meta", "AltGraph", "Dead", "Process", "Unidentified"];
        !self.is_typing()
            && !modifiers.contains(&self.key.as_str())
            && (self.ctrl || self.alt || !moves.contains(&self.key.as_str()))
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let command = if cfg!(target_os = "macos") { "Cmd+" } else { "Ctrl+" };
        for (held, name) in [(self.ctrl, command), (self.alt, "Alt+"), (self.shift, "Shift+")] {
            if held {
                out.write_str(name)?;
            }
        }
        match self.key.as_str() {
            "Escape" => out.write_str("Esc"),
            " " => out.write_str("Space"),
            key => out.write_str(key),
        }
    }
}

/// Not the name of a chord.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no key; write it like Ctrl+Shift+O")]
pub struct NoChord(String);

impl FromStr for Chord {
    type Err = NoChord;

    fn from_str(text: &str) -> Result<Self, NoChord> {
        let none = || NoChord(text.to_owned());
        // The key may be a plus itself.
        let (held, key) = match text.strip_suffix("++") {
            Some(held) => (held, "+"),
            None => text.rsplit_once('+').unwrap_or(("", text)),
        };
        let key = match key {
            "" => return Err(none()),
            "Esc" => "Escape".to_owned(),
            "Space" => " ".to_owned(),
            key if key.chars().count() == 1 => key.to_uppercase(),
            key => key.to_owned(),
        };
        let mut chord = Self { ctrl: false, alt: false, shift: false, key };
        for word in held.split('+').filter(|_| !held.is_empty()) {
            match word {
                "Ctrl" | "Cmd" => chord.ctrl = true,
                "Alt" => chord.alt = true,
                "Shift" => chord.shift = true,
                _ => return Err(none()),
            }
        }
        Ok(chord)
    }
}

/// Which chord runs which action: the defaults of [`actions::all`], and what the person changed of them.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Keymap {
    /// By action; `None` takes the key away.
    changed: BTreeMap<String, Option<Chord>>,
}

impl Keymap {
    /// Out of the setting `desktop.keys`: `action=chord` separated by spaces; nothing after `=` takes the key away.
    /// What names no action or no chord is left out.
    #[must_use]
    pub fn of_setting(text: &str) -> Self {
        let pairs = text.split_whitespace().filter_map(|pair| pair.split_once('='));
        let known = pairs.filter(|(action, _)| actions::find(action).is_some());
        let changed = known.filter_map(|(action, chord)| match chord {
            "" => Some((action.to_owned(), None)),
            chord => Some((action.to_owned(), Some(chord.parse().ok()?))),
        });
        Self { changed: changed.collect() }
    }

    /// As [`Self::of_setting`] reads it.
    #[must_use]
    pub fn to_setting(&self) -> String {
        let name = |chord: &Option<Chord>| {
            chord.as_ref().map(ToString::to_string).unwrap_or_default().replace("Cmd+", "Ctrl+")
        };
        let pairs: Vec<_> = self.changed.iter().map(|(action, chord)| format!("{action}={}", name(chord))).collect();
        pairs.join(" ")
    }

    /// The chord of an action.
    #[must_use]
    pub fn chord(&self, action: &str) -> Option<Chord> {
        match self.changed.get(action) {
            Some(changed) => changed.clone(),
            None => actions::find(action)?.key.and_then(|key| key.parse().ok()),
        }
    }

    /// The action that a chord runs.
    #[must_use]
    pub fn action(&self, chord: &Chord) -> Option<&'static actions::Action> {
        actions::all().find(|action| self.chord(action.id).as_ref() == Some(chord))
    }

    /// Gives an action a chord, and takes it from whichever had it.
    pub fn bind(&mut self, action: &str, chord: Option<Chord>) {
        if let Some(other) = chord.as_ref().and_then(|chord| self.action(chord)).filter(|other| other.id != action) {
            self.changed.insert(other.id.to_owned(), None);
        }
        self.changed.insert(action.to_owned(), chord);
    }

    /// Back to the action's default.
    pub fn reset(&mut self, action: &str) {
        self.changed.remove(action);
    }

    /// Back to the action's default, which is taken from whichever has it now.
    pub fn reclaim(&mut self, action: &str) {
        self.reset(action);
        let Some(chord) = self.chord(action) else { return };
        let others = actions::all().filter(|other| other.id != action && self.chord(other.id).as_ref() == Some(&chord));
        for other in others.map(|other| other.id).collect::<Vec<_>>() {
            self.changed.insert(other.to_owned(), None);
        }
    }

    /// Whether the person changed this action's chord.
    #[must_use]
    pub fn is_changed(&self, action: &str) -> bool {
        self.changed.contains_key(action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chord(text: &str) -> Chord {
        text.parse().unwrap()
    }

    #[test]
    fn a_chord_is_written_as_it_is_read() {
        for text in ["Ctrl+Shift+O", "Esc", "Ctrl+,", "Ctrl+/", "Ctrl+K", "Alt+Space", "F5", "Ctrl++"] {
            assert_eq!(chord(text).to_string(), text);
        }
        assert_eq!(chord("Ctrl+k"), chord("Ctrl+K"));
        for text in ["", "+", "Ctrl+", "Hyper+K"] {
            assert!(text.parse::<Chord>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_needed_to_type_cannot_be_bound() {
        for text in ["A", "Tab", "Enter", "Space", "Shift"] {
            assert!(!chord(text).is_bindable(), "{text}");
        }
        for text in ["Ctrl+A", "F5", "Esc", "Alt+Enter", "Ctrl+Tab"] {
            assert!(chord(text).is_bindable(), "{text}");
        }
    }

    #[test]
    fn a_chord_runs_one_action_and_settings_bring_it_back() {
        let mut keys = Keymap::default();
        let palette = keys.chord("frame.palette").unwrap();
        keys.bind("frame.sidebar", Some(palette.clone()));
        assert_eq!(keys.action(&palette).unwrap().id, "frame.sidebar");
        assert_eq!(keys.chord("frame.palette"), None);
        assert_eq!(Keymap::of_setting(&keys.to_setting()), keys);
        keys.reclaim("frame.palette");
        assert_eq!(keys.action(&palette).unwrap().id, "frame.palette", "a default comes back to its action alone");
        assert_eq!(keys.chord("frame.sidebar"), None);
        keys.reset("frame.sidebar");
        assert_eq!(keys, Keymap::default());
        assert_eq!(Keymap::of_setting("nonsense=Ctrl+K frame.palette=Hyper+X"), Keymap::default());
    }
}
