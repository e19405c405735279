//! The way from the components to the state: each part in a signal of its own, so that what changes redraws only who
//! reads it, and one function that everything goes through.

use crate::state::{Effect, Event, answer, chat, diagnostics, frame, link, memory, settings, setup};
use crate::system;
use dioxus::prelude::*;
use std::collections::VecDeque;
use tokio::sync::mpsc::UnboundedSender;

/// A handle on the state. It is small and copied freely; components get it from [`use_ui`].
#[derive(Clone, Copy, PartialEq)]
pub struct Ui {
    pub frame: Signal<frame::State>,
    pub link: Signal<link::State>,
    pub setup: Signal<setup::State>,
    pub chat: Signal<chat::State>,
    /// The answer that is streaming. Apart from `chat`, because it changes thirty times a second.
    pub answer: Signal<answer::State>,
    pub memory: Signal<memory::State>,
    pub diagnostics: Signal<diagnostics::State>,
    pub settings: Signal<settings::State>,
    effects: CopyValue<UnboundedSender<Effect>>,
}

impl Ui {
    /// The state as it is before anything happened. Must be called in a component; effects for the bus go to `effects`.
    #[must_use]
    pub fn new(effects: UnboundedSender<Effect>) -> Self {
        Self {
            frame: Signal::new(frame::State::default()),
            link: Signal::new(link::State::default()),
            setup: Signal::new(setup::State::default()),
            chat: Signal::new(chat::State::default()),
            answer: Signal::new(answer::State::default()),
            memory: Signal::new(memory::State::default()),
            diagnostics: Signal::new(diagnostics::State::default()),
            settings: Signal::new(settings::State::default()),
            effects: CopyValue::new(effects),
        }
    }

    /// Something happened. The reducers run at once, in order; what they ask for is done afterwards.
    pub fn send(mut self, event: impl Into<Event>) {
        let mut events = VecDeque::from([event.into()]);
        while let Some(event) = events.pop_front() {
            let effects = match event {
                Event::Frame(event) => self.frame.write().reduce(event),
                Event::Link(event) => self.link.write().reduce(event),
                Event::Setup(event) => self.setup.write().reduce(event),
                Event::Chat(event) => self.chat.write().reduce(event),
                Event::Answer(event) => self.answer.write().reduce(event),
                Event::Memory(event) => self.memory.write().reduce(event),
                Event::Diagnostics(event) => self.diagnostics.write().reduce(event),
                Event::Settings(event) => self.settings.write().reduce(event),
            };
            for effect in effects {
                match effect {
                    Effect::Then(event) => events.push_back(*event),
                    Effect::System(effect) => system::perform(self, effect),
                    other => {
                        // The bridge lives as long as the window; without it there is nobody left to tell.
                        let _ = self.effects.read().send(other);
                    }
                }
            }
        }
    }
}

/// The state, for a component below [`crate::app::App`].
#[must_use]
pub fn use_ui() -> Ui {
    use_context()
}
