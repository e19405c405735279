//! A passage as the lists show it: who said it and when, what was said, and what can be done with it.

use super::parts;
use crate::components::{Badge, Icon, IconButton};
use crate::state::frame::Tone;
use crate::state::memory::forget::Forgettable;
use crate::state::memory::{Event, Tab, dates, sheet, timeline};
use crate::ui::use_ui;
use butterfly_api::memory::{Passage, PassageKind};
use dioxus::prelude::*;
use jiff::tz::TimeZone;
use std::sync::Arc;

/// Characters that a list shows of a passage. All of it is one press away.
const SHOWN: usize = 700;

/// Shortest word of a query that is marked inside of longer ones.
const STEM: usize = 4;

/// Shortest word that is marked beside longer ones.
const WORD: usize = 3;

/// A word of a text, and whether the query has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub text: String,
    pub marked: bool,
}

/// The text in pieces, with the query's words marked: whole words, and words that begin with one of the query's.
pub(super) fn pieces(text: &str, query: &str) -> Vec<Piece> {
    let terms: Vec<String> =
        query.split(|c: char| !c.is_alphanumeric()).filter(|term| !term.is_empty()).map(str::to_lowercase).collect();
    // `my` and `in` stand everywhere; they are marked only where nothing else is looked for.
    let long = terms.iter().any(|term| term.chars().count() >= WORD);
    let terms: Vec<String> = terms.into_iter().filter(|term| !long || term.chars().count() >= WORD).collect();
    let marked = |word: &str| {
        let word = word.to_lowercase();
        terms.iter().any(|term| {
            // The stems of `lives` and `live` are one.
            let stem = term.strip_suffix('s').filter(|stem| stem.chars().count() >= STEM).unwrap_or(term);
            word == *term || (stem.chars().count() >= STEM && word.starts_with(stem))
        })
    };
    let mut all: Vec<Piece> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let is_word = rest.starts_with(char::is_alphanumeric);
        let end = rest.find(|c: char| c.is_alphanumeric() != is_word).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        let mark = is_word && marked(piece);
        match all.last_mut() {
            Some(last) if last.marked == mark => last.text.push_str(piece),
            _ => all.push(Piece { text: piece.to_owned(), marked: mark }),
        }
        rest = after;
    }
    all
}

/// As much of a text as a list shows, and whether that is not all.
pub(super) fn shown(text: &str) -> (&str, bool) {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => (text[..end].trim_end(), true),
        None => (text, false),
    }
}

/// Who said it, as the person would say it.
pub(super) fn speaker(name: &str) -> &str {
    match name {
        "user" => "You",
        "assistant" => "Assistant",
        name => name,
    }
}

/// A passage. `query` marks its words; `whole_date` is for lists that are not grouped by days.
#[component]
pub(super) fn Card(
    passage: Arc<Passage>,
    #[props(default)] query: String,
    #[props(default)] whole_date: bool,
    children: Element,
) -> Element {
    let ui = use_ui();
    let zone = TimeZone::system();
    let id = passage.id;
    let exact = dates::moment(passage.at_unix_ms, &zone);
    let when = if whole_date { dates::day(passage.at_unix_ms, &zone) } else { dates::time(passage.at_unix_ms, &zone) };
    let (text, is_cut) = shown(&passage.text);
    let is_memory = passage.kind == PassageKind::Memory;
    let has_source = passage.kind == PassageKind::Message || passage.source.is_some();
    let edited = Arc::clone(&passage);
    rsx! {
        article { class: "passage", id: "passage-{id}", "aria-label": "{parts::kind(passage.kind)} of {speaker(&passage.speaker)}, {exact}",
            header { class: "passage-head",
                span { class: "passage-speaker", "{speaker(&passage.speaker)}" }
                if passage.kind != PassageKind::Message {
                    Badge { tone: Tone::Info, text: parts::kind(passage.kind) }
                }
                for tag in passage.tags.iter().cloned() {
                    button {
                        key: "{tag}",
                        class: "memory-tag",
                        r#type: "button",
                        title: "Show all with this tag",
                        onclick: move |_| {
                            ui.send(timeline::Event::Tag(tag.clone()));
                            ui.send(Event::Show(Tab::Timeline));
                        },
                        "#{tag}"
                    }
                }
                time { class: "passage-time", title: "{exact}", "{when}" }
            }
            p { class: "passage-text",
                for (at, piece) in pieces(text, &query).into_iter().enumerate() {
                    if piece.marked {
                        mark { key: "{at}", "{piece.text}" }
                    } else {
                        span { key: "{at}", "{piece.text}" }
                    }
                }
                if is_cut {
                    button {
                        class: "memory-link",
                        r#type: "button",
                        onclick: move |_| ui.send(sheet::Event::Details(id)),
                        "… show all"
                    }
                }
            }
            {children}
            div { class: "passage-actions",
                if has_source {
                    IconButton {
                        icon: Icon::Chat,
                        label: "Open the conversation there",
                        onclick: move |()| ui.send(sheet::Event::Source(id)),
                    }
                }
                IconButton {
                    icon: Icon::Info,
                    label: "All about it",
                    onclick: move |()| ui.send(sheet::Event::Details(id)),
                }
                if is_memory {
                    IconButton {
                        icon: Icon::Edit,
                        label: "Edit",
                        onclick: move |()| ui.send(sheet::Event::Edit(Box::new((*edited).clone()))),
                    }
                }
                IconButton {
                    icon: Icon::Trash,
                    label: "Forget",
                    danger: true,
                    onclick: move |()| ui.send(sheet::Event::Forget(Forgettable::passage(id))),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(text: &str, query: &str) -> Vec<String> {
        let pieces = pieces(text, query);
        assert_eq!(pieces.iter().map(|piece| piece.text.as_str()).collect::<String>(), text);
        pieces.into_iter().filter(|piece| piece.marked).map(|piece| piece.text).collect()
    }

    #[test]
    fn the_querys_words_are_marked() {
        assert_eq!(marked("My sister lives in Leeds.", "where does my SISTER live?"), ["sister", "lives"]);
        assert_eq!(marked("sisters", "sister"), ["sisters"]);
        assert_eq!(marked("in inner rooms", "in"), ["in"], "short words are marked alone");
        assert_eq!(marked("Ärzte, ärztlich", "ärzte"), ["Ärzte"]);
        assert!(marked("nothing of it", "").is_empty());
        assert!(pieces("", "x").is_empty());
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let long = "ä".repeat(SHOWN + 5);
        let (text, is_cut) = shown(&long);
        assert!(is_cut && text.chars().count() == SHOWN);
        assert_eq!(shown("short"), ("short", false));
    }
}
