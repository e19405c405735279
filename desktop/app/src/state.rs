//! What the app knows: plain data, and the reducers that change it. No window, no bus.
//!
//! Everything that happens is an [`Event`], whether a person pressed a key or the bus answered. A reducer changes its
//! part of the state and returns [`Effect`]s: what must be done outside. [`crate::bridge`] does what needs the bus,
//! [`crate::system`] what needs the desktop; both answer with further events. So a test needs neither.

pub mod answer;
pub mod chat;
pub mod diagnostics;
pub mod frame;
pub mod lease;
pub mod link;
pub mod memory;
pub mod settings;
pub mod setup;

/// Something that happened, by the part of the state that it is about.
#[derive(Debug, Clone)]
pub enum Event {
    Frame(frame::Event),
    Link(link::Event),
    Setup(setup::Event),
    Chat(chat::Event),
    Answer(answer::Event),
    Memory(memory::Event),
    Diagnostics(diagnostics::Event),
    Settings(settings::Event),
}

/// Something to be done outside of the state.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Tell another part of the state.
    Then(Box<Event>),
    System(System),
    Link(link::Effect),
    Setup(setup::Effect),
    Chat(chat::Effect),
    Memory(memory::Effect),
    Diagnostics(diagnostics::Effect),
    Settings(settings::Effect),
}

/// What the desktop around the app does for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum System {
    /// Put text on the clipboard.
    Copy(String),
    /// Open a link in the person's browser, after they saw and agreed to the target. http, https and mailto alone.
    OpenLink(String),
    /// A notification, where the system has them and the window is not looked at.
    Notify { title: String, body: String },
    /// Move the focus to the element with this id.
    Focus(String),
    /// Close the window.
    Quit,
}

impl Effect {
    /// Tells another part of the state.
    pub fn then(event: impl Into<Event>) -> Self {
        Self::Then(Box::new(event.into()))
    }

    /// A short message at the window's edge.
    pub fn toast(toast: frame::Toast) -> Self {
        Self::then(frame::Event::Toast(toast))
    }
}

macro_rules! belongs {
    ($($Part:ident: $module:ident),* $(,)?) => { $(
        impl From<$module::Event> for Event {
            fn from(event: $module::Event) -> Self {
                Self::$Part(event)
            }
        }
    )* };
}

belongs!(
    Frame: frame,
    Link: link,
    Setup: setup,
    Chat: chat,
    Answer: answer,
    Memory: memory,
    Diagnostics: diagnostics,
    Settings: settings,
);
