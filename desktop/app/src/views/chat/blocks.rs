//! Blocks of Markdown as elements. Text becomes text nodes, and nothing becomes HTML.

use super::code::CodeBlock;
use crate::components::{Glyph, Icon};
use crate::markdown::{Align, Block, Inline, Item, Table, Target};
use crate::state::frame;
use crate::ui::use_ui;
use dioxus::prelude::*;
use std::sync::Arc;

/// Blocks, each of which is drawn again only if it is another one. The last may be growing.
#[component]
pub fn Blocks(blocks: Vec<Arc<Block>>, #[props(default)] growing: bool) -> Element {
    let last = blocks.len().saturating_sub(1);
    rsx! {
        div { class: "md",
            for (at, block) in blocks.into_iter().enumerate() {
                One { key: "{at}", block, growing: growing && at == last }
            }
        }
    }
}

#[component]
fn One(block: Arc<Block>, growing: bool) -> Element {
    draw(&block, growing)
}

/// Draws a block. Blocks are nested no deeper than [`crate::markdown::DEPTH`].
fn draw(block: &Block, growing: bool) -> Element {
    match block {
        Block::Paragraph(text) => rsx! {
            p { dir: "auto", {inlines(text)} }
        },
        Block::Heading(level, text) => heading(*level, text),
        Block::List { start: Some(start), items } => rsx! {
            ol { start: "{start}", {list(items, growing)} }
        },
        Block::List { start: None, items } => {
            let class = if items.iter().any(|item| item.task.is_some()) { "tasks" } else { "" };
            rsx! {
                ul { class, {list(items, growing)} }
            }
        }
        Block::Quote(blocks) => rsx! {
            blockquote { {nested(blocks, growing)} }
        },
        Block::Code { language, text } => rsx! {
            CodeBlock { language: language.clone(), text: text.clone(), growing }
        },
        Block::Math(source) => rsx! {
            pre { class: "math", role: "math", tabindex: "0", "aria-label": "Formula, as TeX", code { "{source}" } }
        },
        Block::Html(source) => rsx! {
            pre { class: "raw", dir: "auto", "{source}" }
        },
        Block::Table(table) => draw_table(table),
        Block::Rule => rsx! {
            hr {}
        },
        Block::Plain(words) => rsx! {
            p { class: "plain", dir: "auto", "{words}" }
        },
    }
}

fn nested(blocks: &[Block], growing: bool) -> Element {
    let last = blocks.len().saturating_sub(1);
    rsx! {
        for (at, block) in blocks.iter().enumerate() {
            Fragment { key: "{at}", {draw(block, growing && at == last)} }
        }
    }
}

/// The page has a heading of its own; those of a message stand below it.
fn heading(level: u8, text: &[Inline]) -> Element {
    match level {
        1 => rsx! { h3 { class: "h1", dir: "auto", {inlines(text)} } },
        2 => rsx! { h4 { class: "h2", dir: "auto", {inlines(text)} } },
        3 => rsx! { h5 { class: "h3", dir: "auto", {inlines(text)} } },
        _ => rsx! { h6 { class: "h4", dir: "auto", {inlines(text)} } },
    }
}

fn list(items: &[Item], growing: bool) -> Element {
    let last = items.len().saturating_sub(1);
    rsx! {
        for (at, item) in items.iter().enumerate() {
            li { key: "{at}", class: if item.task.is_some() { "task" },
                if let Some(done) = item.task {
                    span {
                        class: if done { "tick done" } else { "tick" },
                        role: "img",
                        "aria-label": if done { "done:" } else { "to do:" },
                        if done {
                            Glyph { icon: Icon::Check, size: 12 }
                        }
                    }
                }
                if let [Block::Paragraph(text), rest @ ..] = &item.blocks[..] {
                    // An item of one line needs no paragraph around it.
                    span { class: "item", dir: "auto", {inlines(text)} }
                    {nested(rest, growing && at == last)}
                } else {
                    {nested(&item.blocks, growing && at == last)}
                }
            }
        }
    }
}

fn draw_table(table: &Table) -> Element {
    let class = |at: usize| match table.align.get(at).copied().unwrap_or_default() {
        Align::Start => None,
        Align::Centre => Some("centre"),
        Align::End => Some("end"),
    };
    rsx! {
        div { class: "md-table", tabindex: "0", role: "region", "aria-label": "Table",
            table {
                thead {
                    tr {
                        for (at, cell) in table.head.iter().enumerate() {
                            th { key: "{at}", class: class(at), scope: "col", dir: "auto", {inlines(cell)} }
                        }
                    }
                }
                tbody {
                    for (row, cells) in table.rows.iter().enumerate() {
                        tr { key: "{row}",
                            for (at, cell) in cells.iter().enumerate() {
                                td { key: "{at}", class: class(at), dir: "auto", {inlines(cell)} }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn inlines(all: &[Inline]) -> Element {
    rsx! {
        for (at, inline) in all.iter().enumerate() {
            Fragment { key: "{at}", {draw_inline(inline)} }
        }
    }
}

fn draw_inline(inline: &Inline) -> Element {
    match inline {
        Inline::Text(text) => rsx! { "{text}" },
        Inline::Emphasis(inner) => rsx! { em { {inlines(inner)} } },
        Inline::Strong(inner) => rsx! { strong { {inlines(inner)} } },
        Inline::Strike(inner) => rsx! { s { {inlines(inner)} } },
        Inline::Code(text) => rsx! { code { "{text}" } },
        Inline::Math(source) => rsx! { code { class: "math", role: "math", "{source}" } },
        Inline::Link { target: Target::Outside(url), text } => rsx! {
            Outside { url: url.clone(), {inlines(text)} }
        },
        Inline::Link { target: Target::Refused(url), text } => rsx! {
            span { class: "refused", title: "This link leads nowhere: only http, https and mailto are opened.",
                {inlines(text)}
                span { class: "refused-target", " ({url})" }
            }
        },
        Inline::Image { target, description } => {
            let description = if description.is_empty() { "picture" } else { description };
            match target {
                Target::Outside(url) => rsx! {
                    Outside { url: url.clone(),
                        span { class: "picture", Glyph { icon: Icon::Eye, size: 14 } "{description}" }
                    }
                },
                Target::Refused(url) => rsx! {
                    span { class: "picture", "{description}" span { class: "refused-target", " ({url})" } }
                },
            }
        }
        Inline::Break => rsx! { br {} },
    }
}

/// A link out of the app. It has no address of its own that the webview could go to: the app shows the target and asks.
#[component]
fn Outside(url: String, children: Element) -> Element {
    let ui = use_ui();
    let follow = {
        let url = url.clone();
        move || ui.send(frame::Event::FollowLink(url.clone()))
    };
    let pressed = follow.clone();
    rsx! {
        a {
            class: "md-link",
            role: "link",
            tabindex: "0",
            title: "{url}",
            onclick: move |event| {
                event.prevent_default();
                follow();
            },
            onkeydown: move |event| {
                if event.key() == Key::Enter {
                    event.prevent_default();
                    pressed();
                }
            },
            {children}
        }
    }
}
