//! Actions: everything that can be done, each a named command that a key, the palette, a button and a test reach alike.

use crate::state::frame;
use crate::ui::Ui;
use crate::views::VIEWS;
use dioxus::prelude::*;

/// A command.
#[derive(Clone, Copy)]
pub struct Action {
    /// Stable, such as `chat.new`: settings and tests name it.
    pub id: &'static str,
    /// What the palette shows, such as "New chat".
    pub title: &'static str,
    /// A heading, such as "Chat".
    pub group: &'static str,
    /// The key that runs it unless the person chose another, such as `Ctrl+K`.
    pub key: Option<&'static str>,
    /// Whether it makes sense now; what does not is not offered.
    pub enabled: fn(Ui) -> bool,
    pub run: fn(Ui),
}

/// For actions that always make sense.
#[must_use]
pub fn always(_: Ui) -> bool {
    true
}

/// Those of the frame itself; each view brings its own.
const FRAME: &[Action] = &[
    Action {
        id: "frame.palette",
        title: "Show all commands",
        group: "Window",
        key: Some("Ctrl+K"),
        enabled: always,
        run: |ui| ui.send(frame::Event::OpenPalette),
    },
    Action {
        id: "frame.sidebar",
        title: "Show or hide the sidebar",
        group: "Window",
        key: Some("Ctrl+B"),
        enabled: always,
        run: |ui| ui.send(frame::Event::ToggleSidebar),
    },
    Action {
        id: "frame.close",
        title: "Close the window",
        group: "Window",
        key: Some("Ctrl+W"),
        enabled: always,
        run: |ui| crate::system::perform(ui, crate::state::System::Quit),
    },
    Action {
        id: "frame.theme",
        title: "Switch between light and dark",
        group: "Window",
        key: None,
        enabled: always,
        run: |ui| {
            let theme = match ui.frame.peek().look.theme {
                frame::Theme::Dark => frame::Theme::Light,
                frame::Theme::Light | frame::Theme::System => frame::Theme::Dark,
            };
            ui.send(crate::state::settings::Event::Keep { key: "desktop.theme", value: theme.word().to_owned() });
        },
    },
];

/// All of them: the frame's, and each view's in the views' order.
pub fn all() -> impl Iterator<Item = &'static Action> {
    FRAME.iter().chain(VIEWS.iter().flat_map(|view| view.actions.iter()))
}

/// The action of this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Action> {
    all().find(|action| action.id == id)
}

/// Runs an action, if it makes sense now.
pub fn run(ui: Ui, id: &str) {
    if let Some(action) = find(id).filter(|action| (action.enabled)(ui)) {
        (action.run)(ui);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_and_default_keys_are_given_once() {
        let ids: BTreeSet<_> = all().map(|action| action.id).collect();
        assert_eq!(ids.len(), all().count());
        let keys: Vec<_> = all().filter_map(|action| action.key).collect();
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
        for key in keys {
            let chord: crate::keys::Chord = key.parse().unwrap();
            assert!(chord.is_bindable() && chord.to_string().replace("Cmd", "Ctrl") == key, "{key}");
        }
    }

    #[test]
    fn the_usual_keys_do_the_usual_things() {
        for (id, key) in [
            ("chat.new", "Ctrl+Shift+O"),
            ("frame.palette", "Ctrl+K"),
            ("chat.model", "Ctrl+Shift+M"),
            ("settings.show", "Ctrl+,"),
            ("shortcuts.show", "Ctrl+/"),
            ("chat.stop", "Esc"),
            ("chat.regenerate", "Ctrl+R"),
            ("chat.copy", "Ctrl+Shift+C"),
        ] {
            assert_eq!(find(id).and_then(|action| action.key), Some(key), "{id}");
        }
    }
}
