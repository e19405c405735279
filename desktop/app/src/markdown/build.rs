//! From the parser's events to the tree. There is no recursion: what is open stands on a stack.

use super::{Align, Block, DEPTH, Inline, Item, Table, Target, clean};
use pulldown_cmark::{Alignment, CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// The blocks of a text, each with the byte where it begins.
pub fn blocks(text: &str) -> Vec<(usize, Block)> {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS | Options::ENABLE_MATH;
    let mut build = Build::default();
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        build.take(event, range.start);
    }
    build.finish()
}

/// Something that was opened and not yet closed.
enum Open {
    Paragraph,
    Heading(u8),
    List {
        start: Option<u64>,
        items: Vec<Item>,
    },
    Item {
        task: Option<bool>,
        outer: Vec<Block>,
    },
    Quote {
        outer: Vec<Block>,
    },
    Code {
        language: String,
        text: String,
    },
    Html(String),
    Table(Table),
    Row {
        cells: Vec<Vec<Inline>>,
        head: bool,
    },
    Cell,
    Emphasis {
        outer: Vec<Inline>,
    },
    Strong {
        outer: Vec<Inline>,
    },
    Strike {
        outer: Vec<Inline>,
    },
    Link {
        target: Target,
        outer: Vec<Inline>,
    },
    Image {
        target: Target,
        outer: Vec<Inline>,
    },
    /// What is shown where it stands, because it is nested too deep or has no shape of its own.
    Nothing,
}

#[derive(Default)]
struct Build {
    done: Vec<(usize, Block)>,
    /// Where the top-level block that is open begins.
    begin: usize,
    open: Vec<Open>,
    /// Blocks of the innermost container.
    blocks: Vec<Block>,
    /// Inlines of the innermost block or inline.
    inlines: Vec<Inline>,
}

impl Build {
    fn take(&mut self, event: Event<'_>, at: usize) {
        if self.open.is_empty() {
            self.begin = at;
        }
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.text(&text),
            Event::Code(text) => self.inlines.push(Inline::Code(clean(&text).into_owned())),
            Event::InlineMath(text) => self.inlines.push(Inline::Math(clean(&text).into_owned())),
            Event::DisplayMath(text) => {
                let math = clean(text.trim()).into_owned();
                // A formula that is all of its paragraph stands on a line of its own.
                match self.open.last() {
                    Some(Open::Paragraph) if self.inlines.is_empty() => self.blocks.push(Block::Math(math)),
                    _ => self.inlines.push(Inline::Math(math)),
                }
            }
            Event::Html(text) => self.html(&text),
            Event::InlineHtml(text) => match text.to_ascii_lowercase().replace([' ', '/'], "").as_str() {
                "<br>" => self.inlines.push(Inline::Break),
                _ => self.text(&text),
            },
            Event::SoftBreak => self.text(" "),
            Event::HardBreak => self.inlines.push(Inline::Break),
            Event::Rule => self.block(Block::Rule),
            Event::TaskListMarker(done) => {
                let item = self.open.iter_mut().rev().find_map(|open| match open {
                    Open::Item { task, .. } => Some(task),
                    _ => None,
                });
                if let Some(task) = item {
                    *task = Some(done);
                }
            }
            Event::FootnoteReference(label) => self.text(&format!("[^{label}]")),
        }
        if self.open.is_empty() {
            self.flush();
        }
    }

    fn text(&mut self, text: &str) {
        match self.open.last_mut() {
            Some(Open::Code { text: code, .. }) => code.push_str(text),
            Some(Open::Html(html)) => html.push_str(text),
            _ => match self.inlines.last_mut() {
                Some(Inline::Text(before)) => before.push_str(&clean(text)),
                _ => self.inlines.push(Inline::Text(clean(text).into_owned())),
            },
        }
    }

    fn html(&mut self, text: &str) {
        match self.open.last_mut() {
            Some(Open::Html(html)) => html.push_str(text),
            _ => self.block(Block::Html(clean(text).into_owned())),
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        let is_text = matches!(tag, Tag::CodeBlock(_) | Tag::HtmlBlock | Tag::Paragraph | Tag::Heading { .. });
        if self.open.len() >= DEPTH && !is_text {
            self.open.push(Open::Nothing);
            return;
        }
        // A tight item has its text without a paragraph around it; a block behind that text ends it.
        if !is_inline(&tag) {
            self.end_loose_text();
        }
        let open = match tag {
            Tag::Paragraph => Open::Paragraph,
            Tag::Heading { level, .. } => Open::Heading(number(level)),
            Tag::BlockQuote(_) => Open::Quote { outer: std::mem::take(&mut self.blocks) },
            Tag::CodeBlock(kind) => {
                let language = match &kind {
                    CodeBlockKind::Fenced(info) => info.split([' ', ',', '{']).next().unwrap_or_default(),
                    CodeBlockKind::Indented => "",
                };
                Open::Code { language: clean(language).into_owned(), text: String::new() }
            }
            Tag::HtmlBlock => Open::Html(String::new()),
            Tag::List(start) => Open::List { start, items: Vec::new() },
            Tag::Item => Open::Item { task: None, outer: std::mem::take(&mut self.blocks) },
            Tag::Table(align) => {
                let align = align.into_iter().map(column).collect();
                Open::Table(Table { align, ..Table::default() })
            }
            Tag::TableHead => Open::Row { cells: Vec::new(), head: true },
            Tag::TableRow => Open::Row { cells: Vec::new(), head: false },
            Tag::TableCell => Open::Cell,
            Tag::Emphasis => Open::Emphasis { outer: std::mem::take(&mut self.inlines) },
            Tag::Strong => Open::Strong { outer: std::mem::take(&mut self.inlines) },
            Tag::Strikethrough => Open::Strike { outer: std::mem::take(&mut self.inlines) },
            Tag::Link { dest_url, .. } => {
                Open::Link { target: Target::of(&dest_url), outer: std::mem::take(&mut self.inlines) }
            }
            Tag::Image { dest_url, .. } => {
                Open::Image { target: Target::of(&dest_url), outer: std::mem::take(&mut self.inlines) }
            }
            // Not asked of the parser.
            Tag::FootnoteDefinition(_)
            | Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition
            | Tag::Superscript
            | Tag::Subscript
            | Tag::MetadataBlock(_) => Open::Nothing,
        };
        self.open.push(open);
    }

    fn end(&mut self, _: TagEnd) {
        // Starts and ends are balanced, so that what is on top is what ends.
        let Some(open) = self.open.pop() else { return };
        match open {
            Open::Paragraph => {
                let text = std::mem::take(&mut self.inlines);
                if !text.is_empty() {
                    self.block(Block::Paragraph(text));
                }
            }
            Open::Heading(level) => {
                let text = std::mem::take(&mut self.inlines);
                self.block(Block::Heading(level, text));
            }
            Open::List { start, items } => self.block(Block::List { start, items }),
            Open::Item { task, outer } => {
                self.end_loose_text();
                let blocks = std::mem::replace(&mut self.blocks, outer);
                if let Some(Open::List { items, .. }) = self.open.last_mut() {
                    items.push(Item { task, blocks });
                } else {
                    self.blocks.extend(blocks);
                }
            }
            Open::Quote { outer } => {
                self.end_loose_text();
                let blocks = std::mem::replace(&mut self.blocks, outer);
                self.block(Block::Quote(blocks));
            }
            Open::Code { language, text } => {
                let text = clean(text.trim_end_matches('\n')).into_owned();
                self.block(if language == "math" { Block::Math(text) } else { Block::Code { language, text } });
            }
            Open::Html(html) => self.block(Block::Html(clean(html.trim_end()).into_owned())),
            Open::Table(table) => self.block(Block::Table(table)),
            Open::Row { cells, head } => {
                if let Some(Open::Table(table)) = self.open.last_mut() {
                    if head {
                        table.head = cells;
                    } else {
                        table.rows.push(cells);
                    }
                }
            }
            Open::Cell => {
                let text = std::mem::take(&mut self.inlines);
                if let Some(Open::Row { cells, .. }) = self.open.last_mut() {
                    cells.push(text);
                }
            }
            Open::Emphasis { outer } => self.wrap(outer, Inline::Emphasis),
            Open::Strong { outer } => self.wrap(outer, Inline::Strong),
            Open::Strike { outer } => self.wrap(outer, Inline::Strike),
            Open::Link { target, outer } => self.wrap(outer, |text| Inline::Link { target, text }),
            Open::Image { target, outer } => {
                self.wrap(outer, |text| Inline::Image { target, description: words(&text) })
            }
            Open::Nothing => self.end_loose_text(),
        }
    }

    fn wrap(&mut self, outer: Vec<Inline>, wrap: impl FnOnce(Vec<Inline>) -> Inline) {
        let inner = std::mem::replace(&mut self.inlines, outer);
        self.inlines.push(wrap(inner));
    }

    fn block(&mut self, block: Block) {
        self.blocks.push(block);
    }

    /// Text that stands in a container without a paragraph becomes one.
    fn end_loose_text(&mut self) {
        // Within a table or a paragraph it belongs to what is open.
        let in_text = matches!(
            self.open.last(),
            Some(
                Open::Paragraph
                    | Open::Heading(_)
                    | Open::Cell
                    | Open::Emphasis { .. }
                    | Open::Strong { .. }
                    | Open::Strike { .. }
                    | Open::Link { .. }
                    | Open::Image { .. }
            )
        );
        if !in_text && !self.inlines.is_empty() {
            let text = std::mem::take(&mut self.inlines);
            self.blocks.push(Block::Paragraph(text));
        }
    }

    fn flush(&mut self) {
        self.end_loose_text();
        let begin = self.begin;
        self.done.extend(self.blocks.drain(..).map(|block| (begin, block)));
    }

    fn finish(mut self) -> Vec<(usize, Block)> {
        self.open.clear();
        self.flush();
        self.done
    }
}

fn is_inline(tag: &Tag<'_>) -> bool {
    matches!(
        tag,
        Tag::Emphasis
            | Tag::Strong
            | Tag::Strikethrough
            | Tag::Superscript
            | Tag::Subscript
            | Tag::Link { .. }
            | Tag::Image { .. }
            | Tag::TableCell
    )
}

fn number(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

fn column(alignment: Alignment) -> Align {
    match alignment {
        Alignment::None | Alignment::Left => Align::Start,
        Alignment::Center => Align::Centre,
        Alignment::Right => Align::End,
    }
}

/// The words of inlines, without what dresses them. They are nested [`DEPTH`] deep at most.
fn words(inlines: &[Inline]) -> String {
    let mut out = String::new();
    for inline in inlines {
        match inline {
            Inline::Text(text) | Inline::Code(text) | Inline::Math(text) => out.push_str(text),
            Inline::Emphasis(inner) | Inline::Strong(inner) | Inline::Strike(inner) => out.push_str(&words(inner)),
            Inline::Link { text, .. } => out.push_str(&words(text)),
            Inline::Image { description, .. } => out.push_str(description),
            Inline::Break => out.push(' '),
        }
    }
    out
}
