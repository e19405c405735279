//! A block of code: its language, a button that copies it, and its lines with the theme's colours.

use crate::components::{Glyph, Icon};
use crate::markdown::highlight::{self, Highlighter, Line};
use crate::state::System;
use crate::system;
use crate::ui::use_ui;
use dioxus::prelude::*;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// Lines that are one element of the page, drawn again only together.
const CHUNK: usize = 40;

/// Lines of growing code that are coloured at once on the window's thread: what one batch of tokens brings, and more.
const BUDGET: usize = 12;

/// Time for which the button says that it copied.
const SAID: Duration = Duration::from_millis(1600);

/// A block of code. While it grows, each line is coloured when it is whole.
#[component]
pub fn CodeBlock(language: String, text: String, growing: bool) -> Element {
    let ui = use_ui();
    let mut copied = use_signal(|| false);
    let name = if language.is_empty() { "text".to_owned() } else { language.clone() };
    let copy = {
        let text = text.clone();
        move |_| {
            system::perform(ui, System::Copy(text.clone()));
            copied.set(true);
            spawn(async move {
                tokio::time::sleep(SAID).await;
                copied.set(false);
            });
        }
    };
    rsx! {
        div { class: "code",
            div { class: "code-head",
                span { class: "code-language", "{name}" }
                button { class: "code-copy", r#type: "button", "aria-label": "Copy the code", onclick: copy,
                    Glyph { icon: if copied() { Icon::Check } else { Icon::Copy }, size: 14 }
                    span { if copied() { "Copied" } else { "Copy" } }
                }
            }
            pre { tabindex: "0", dir: "ltr", "aria-label": "Code, {name}",
                code {
                    if growing {
                        Growing { language, text }
                    } else {
                        Whole { language, text }
                    }
                }
            }
        }
    }
}

#[component]
fn Growing(language: String, text: String) -> Element {
    let colours = use_hook(|| Rc::new(RefCell::new(Highlighter::default())));
    let mut colours = colours.borrow_mut();
    colours.follow(&language, &text, BUDGET);
    let (lines, done) = colours.lines();
    let rest = text.get(done..).unwrap_or_default();
    rsx! {
        for (at, chunk) in lines.chunks(CHUNK).enumerate() {
            Chunk { key: "{at}", lines: chunk.to_vec() }
        }
        "{rest}"
    }
}

#[component]
fn Whole(language: String, text: String) -> Element {
    let mut lines = use_signal(|| highlight::known(&language, &text));
    // A grammar takes its time; what is not coloured yet is shown meanwhile. Without a runtime nobody waits either.
    use_hook(|| {
        let is_known = lines.peek().is_some() || !highlight::knows(&language);
        if !is_known && tokio::runtime::Handle::try_current().is_ok() {
            let (language, text) = (language.clone(), text.clone());
            spawn(async move {
                let coloured = tokio::task::spawn_blocking(move || highlight::highlight(&language, &text)).await;
                if let Ok(Some(coloured)) = coloured {
                    lines.set(Some(coloured));
                }
            });
        }
    });
    let lines = lines.read();
    match &*lines {
        Some(lines) => rsx! {
            for (at, chunk) in lines.chunks(CHUNK).enumerate() {
                Chunk { key: "{at}", lines: chunk.to_vec() }
            }
        },
        None => rsx! { "{text}" },
    }
}

#[component]
fn Chunk(lines: Vec<Arc<Line>>) -> Element {
    rsx! {
        for (at, line) in lines.iter().enumerate() {
            Fragment { key: "{at}",
                for (at, span) in line.iter().enumerate() {
                    if let Some(class) = span.token.class() {
                        span { key: "{at}", class, "{span.text}" }
                    } else {
                        Fragment { key: "{at}", "{span.text}" }
                    }
                }
                "\n"
            }
        }
    }
}
