//! What stands where nothing was said yet: what one can do here.

use crate::components::{Glyph, Icon};
use crate::state::System;
use crate::state::chat::{self, BUILTIN, COMPOSER};
use crate::system;
use crate::ui::use_ui;
use dioxus::prelude::*;

/// Things to begin with: an icon, what it is, how it is done, and the text that is typed for it.
const OFFERS: [(Icon, &str, &str, &str); 4] = [
    (Icon::Chat, "Ask anything", "The model that answers is named below", ""),
    (Icon::Memory, "Have it remember something", "/remember followed by what it is", "/remember "),
    (Icon::Search, "Find what was said before", "/search followed by a few words", "/search "),
    (Icon::File, "Quote a text file", "Drop it here, or use the button below", ""),
];

/// The beginning of a conversation.
#[component]
pub fn Welcome() -> Element {
    let ui = use_ui();
    let is_builtin = use_memo(move || {
        let chat = ui.chat.read();
        let chosen = chat.models.as_ref().and_then(|models| models.chosen.as_deref());
        chat.model.is_none() && (chosen == Some(BUILTIN) || ui.setup.read().responder().is_some())
    });
    rsx! {
        div { class: "welcome",
            span { class: "welcome-mark", Glyph { icon: Icon::Logo, size: 30 } }
            h1 { "What do you want to work on?" }
            p { class: "muted",
                if is_builtin() {
                    "The built-in responder answers: it knows what you told it, and no language model is connected yet."
                } else {
                    "What you say is kept on this computer, and found again when it matters."
                }
            }
            ul { class: "welcome-offers",
                for (icon, title, how, text) in OFFERS {
                    li { key: "{title}",
                        button {
                            class: "welcome-offer",
                            r#type: "button",
                            onclick: move |_| {
                                if icon == Icon::File {
                                    ui.send(chat::Event::PickFile);
                                } else {
                                    if !text.is_empty() {
                                        ui.send(chat::Event::Prefill(text.to_owned()));
                                    }
                                    system::perform(ui, System::Focus(COMPOSER.into()));
                                }
                            },
                            Glyph { icon, size: 18 }
                            span { class: "welcome-title", "{title}" }
                            span { class: "welcome-how", "{how}" }
                        }
                    }
                }
            }
        }
    }
}
