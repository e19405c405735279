//! The frame around the views: which one is shown, what lies above it, and how all of it looks.

use super::{Effect, System};
use crate::keys::{Chord, Keymap};

/// How many toasts are shown at once; an older one gives way.
const TOASTS: usize = 4;

/// Light or dark.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// As the desktop around the app.
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The word that the setting `desktop.theme` has for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme that a setting names; what is no theme is the system's.
    #[must_use]
    pub fn of(word: &str) -> Self {
        Self::ALL.into_iter().find(|theme| theme.word() == word).unwrap_or_default()
    }
}

/// How the app looks: what the settings `desktop.*` say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    pub theme: Theme,
    /// A name of `assets/tokens.css`.
    pub accent: String,
    /// Percent of the usual size.
    pub text_size: u16,
    pub reduced_motion: bool,
    /// Tokens, speed and model below each answer.
    pub usage_footer: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            theme: Theme::System,
            accent: "violet".into(),
            text_size: 100,
            reduced_motion: false,
            usage_footer: true,
        }
    }
}

/// What a toast is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Info,
    Success,
    Warning,
    Danger,
}

/// A short message at the window's edge. It goes by itself, unless it is about a failure.
#[derive(Debug, Clone)]
pub struct Toast {
    pub tone: Tone,
    pub text: String,
    /// A button, such as "Undo", and what it does.
    pub action: Option<(String, Box<super::Event>)>,
}

impl Toast {
    #[must_use]
    pub fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self { tone, text: text.into(), action: None }
    }

    /// With a button.
    #[must_use]
    pub fn with(mut self, label: impl Into<String>, event: impl Into<super::Event>) -> Self {
        self.action = Some((label.into(), Box::new(event.into())));
        self
    }
}

/// A question that must be answered before something is done that is hard to take back.
#[derive(Debug, Clone)]
pub struct Confirm {
    pub title: String,
    /// What will happen, in a sentence or two.
    pub text: String,
    /// More of it, a line each, such as what else goes.
    pub details: Vec<String>,
    /// The button that does it.
    pub label: String,
    /// Whether it destroys something: the button is red and not the default.
    pub danger: bool,
    pub event: Box<super::Event>,
}

/// What lies above the view.
#[derive(Debug, Default, Clone)]
pub enum Overlay {
    #[default]
    None,
    /// The command palette, with what was typed in it.
    Palette {
        query: String,
        selected: usize,
    },
    Confirm(Confirm),
    /// A link's target is shown before it is opened.
    Link {
        url: String,
    },
}

/// The frame.
#[derive(Debug, Clone)]
pub struct State {
    /// The id of a view in [`crate::views::VIEWS`].
    pub view: &'static str,
    pub sidebar: bool,
    pub overlay: Overlay,
    pub toasts: Vec<(u64, Toast)>,
    next_toast: u64,
    pub look: Look,
    pub keys: Keymap,
    /// Waits for the next chord, to bind it to this action.
    pub rebinding: Option<&'static str>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            view: "chat",
            sidebar: true,
            overlay: Overlay::None,
            toasts: Vec::new(),
            next_toast: 1,
            look: Look::default(),
            keys: Keymap::default(),
            rebinding: None,
        }
    }
}

/// What happens to the frame.
#[derive(Debug, Clone)]
pub enum Event {
    Show(&'static str),
    ToggleSidebar,
    OpenPalette,
    PaletteQuery(String),
    PaletteSelect(usize),
    Ask(Confirm),
    /// The answer to [`Overlay::Confirm`] or [`Overlay::Link`] is yes.
    Agree,
    CloseOverlay,
    /// A link of a message was clicked.
    FollowLink(String),
    Toast(Toast),
    DismissToast(u64),
    /// The button of a toast.
    ActToast(u64),
    /// Settings with these values are in force.
    Look(Look),
    Keys(Keymap),
    Rebind(Option<&'static str>),
    /// The chord for the action that waits for one.
    Bound(Chord),
}

impl State {
    /// Changes the state by what happened, and says what is to be done.
    pub fn reduce(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Show(view) => {
                self.view = view;
                self.overlay = Overlay::None;
                vec![Effect::System(System::Focus("main".into()))]
            }
            Event::ToggleSidebar => {
                self.sidebar = !self.sidebar;
                Vec::new()
            }
            Event::OpenPalette => {
                self.overlay = Overlay::Palette { query: String::new(), selected: 0 };
                Vec::new()
            }
            Event::PaletteQuery(query) => {
                self.overlay = Overlay::Palette { query, selected: 0 };
                Vec::new()
            }
            Event::PaletteSelect(at) => {
                if let Overlay::Palette { selected, .. } = &mut self.overlay {
                    *selected = at;
                }
                Vec::new()
            }
            Event::Ask(confirm) => {
                self.overlay = Overlay::Confirm(confirm);
                Vec::new()
            }
            Event::Agree => match std::mem::take(&mut self.overlay) {
                Overlay::Confirm(confirm) => vec![Effect::Then(confirm.event)],
                Overlay::Link { url } => vec![Effect::System(System::OpenLink(url))],
                Overlay::None | Overlay::Palette { .. } => Vec::new(),
            },
            Event::CloseOverlay => {
                self.overlay = Overlay::None;
                Vec::new()
            }
            Event::FollowLink(url) => {
                self.overlay = Overlay::Link { url };
                Vec::new()
            }
            Event::Toast(toast) => {
                self.toasts.push((self.next_toast, toast));
                self.next_toast += 1;
                if self.toasts.len() > TOASTS {
                    self.toasts.remove(0);
                }
                Vec::new()
            }
            Event::DismissToast(id) => {
                self.toasts.retain(|(other, _)| *other != id);
                Vec::new()
            }
            Event::ActToast(id) => {
                let Some(at) = self.toasts.iter().position(|(other, _)| *other == id) else { return Vec::new() };
                let (_, toast) = self.toasts.remove(at);
                toast.action.map(|(_, event)| Effect::Then(event)).into_iter().collect()
            }
            Event::Look(look) => {
                self.look = look;
                Vec::new()
            }
            Event::Keys(keys) => {
                self.keys = keys;
                Vec::new()
            }
            Event::Rebind(action) => {
                self.rebinding = action;
                Vec::new()
            }
            Event::Bound(chord) => {
                let Some(action) = self.rebinding.take() else { return Vec::new() };
                self.keys.bind(action, Some(chord));
                let text = self.keys.to_setting();
                vec![Effect::then(super::settings::Event::Keep { key: "desktop.keys", value: text })]
            }
        }
    }
}
