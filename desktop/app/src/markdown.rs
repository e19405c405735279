//! Markdown as a plain tree of blocks: CommonMark 0.31.2 with the tables, task lists and strikethrough of GitHub.
//!
//! What a model or a memory says is data. The tree has no way to say HTML, script, style, a picture or a file: raw HTML
//! is text, a picture is its description with a link, and a link is one only where it leads to the web or to a mail
//! address. Characters that hide or reorder text are made visible ([`mod@clean`]). Nesting is bounded ([`DEPTH`]), so that
//! nothing that walks the tree can run out of stack.

mod build;
pub mod clean;
pub mod highlight;
mod plain;
mod stream;
#[cfg(test)]
mod tests;

pub use clean::clean;
pub use plain::plain;
pub use stream::Stream;

use std::sync::Arc;

/// How deep blocks and inlines may be nested in each other. Deeper ones are shown at this depth: nobody reads further
/// in, and a text of a few kilobytes can nest ten thousand times.
pub const DEPTH: usize = 24;

/// A block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    Paragraph(Vec<Inline>),
    /// 1 to 6.
    Heading(u8, Vec<Inline>),
    /// Numbered from `start`, or with bullets.
    List {
        start: Option<u64>,
        items: Vec<Item>,
    },
    Quote(Vec<Block>),
    /// `language` as it was written, such as `rust`; empty where none was.
    Code {
        language: String,
        text: String,
    },
    /// TeX source.
    Math(String),
    /// Raw HTML, shown as its source.
    Html(String),
    Table(Table),
    Rule,
    /// A person's words as they were typed, line by line.
    Plain(String),
}

/// An item of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Item {
    /// Of a task list: whether it is done.
    pub task: Option<bool>,
    pub blocks: Vec<Block>,
}

/// A table. Rows may have other numbers of cells than the head.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    pub align: Vec<Align>,
    pub head: Vec<Vec<Inline>>,
    pub rows: Vec<Vec<Vec<Inline>>>,
}

/// How a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Align {
    #[default]
    Start,
    Centre,
    End,
}

/// A piece of text within a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inline {
    Text(String),
    Emphasis(Vec<Inline>),
    Strong(Vec<Inline>),
    Strike(Vec<Inline>),
    Code(String),
    /// TeX source.
    Math(String),
    Link {
        target: Target,
        text: Vec<Inline>,
    },
    /// A picture is never loaded: its description, and where it would have come from.
    Image {
        target: Target,
        description: String,
    },
    Break,
}

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// An address with http, https or mailto.
    Outside(String),
    /// Anything else; it is shown and leads nowhere.
    Refused(String),
}

impl Target {
    /// Sorts a link's target. Only what the app may open counts as leading outside.
    #[must_use]
    pub fn of(url: &str) -> Self {
        let hides = url.chars().any(|it| it.is_whitespace() || clean::is_hidden(it));
        let opens = !hides && crate::system::may_open(url);
        if opens { Self::Outside(url.to_owned()) } else { Self::Refused(clean(url).into_owned()) }
    }
}

/// The blocks of a whole text.
#[must_use]
pub fn parse(text: &str) -> Vec<Arc<Block>> {
    build::blocks(text).into_iter().map(|(_, block)| Arc::new(block)).collect()
}
