//! Markdown that is honest, and Markdown that is not.

use super::*;
use proptest::prelude::*;

fn text(text: &str) -> Inline {
    Inline::Text(text.into())
}

fn one(markdown: &str) -> Block {
    let mut blocks = parse(markdown);
    assert_eq!(blocks.len(), 1, "{blocks:?}");
    Arc::unwrap_or_clone(blocks.remove(0))
}

/// All text of a tree, and how deep it is nested.
fn walk(blocks: &[Block], depth: usize, out: &mut String, deepest: &mut usize) {
    *deepest = (*deepest).max(depth);
    for block in blocks {
        match block {
            Block::Paragraph(inlines) | Block::Heading(_, inlines) => inline(inlines, depth + 1, out, deepest),
            Block::List { items, .. } => items.iter().for_each(|item| walk(&item.blocks, depth + 2, out, deepest)),
            Block::Quote(blocks) => walk(blocks, depth + 1, out, deepest),
            Block::Code { language, text } => out.extend([language.as_str(), text.as_str()]),
            Block::Math(text) | Block::Html(text) | Block::Plain(text) => out.push_str(text),
            Block::Table(table) => {
                table
                    .head
                    .iter()
                    .chain(table.rows.iter().flatten())
                    .for_each(|cell| inline(cell, depth + 1, out, deepest));
            }
            Block::Rule => {}
        }
        out.push('\n');
    }
}

fn inline(inlines: &[Inline], depth: usize, out: &mut String, deepest: &mut usize) {
    *deepest = (*deepest).max(depth);
    for it in inlines {
        match it {
            Inline::Text(text) | Inline::Code(text) | Inline::Math(text) => out.push_str(text),
            Inline::Emphasis(inner) | Inline::Strong(inner) | Inline::Strike(inner) => {
                inline(inner, depth + 1, out, deepest);
            }
            Inline::Link { target, text } => {
                inline(text, depth + 1, out, deepest);
                seen(target, out);
            }
            Inline::Image { target, description } => {
                out.push_str(description);
                seen(target, out);
            }
            Inline::Break => out.push('\n'),
        }
    }
}

/// What leads outside may be opened; what is refused is only shown.
fn seen(target: &Target, out: &mut String) {
    match target {
        Target::Outside(url) => assert!(crate::system::may_open(url), "{url:?}"),
        Target::Refused(url) => out.push_str(url),
    }
}

fn all_text(blocks: &[Arc<Block>]) -> (String, usize) {
    let blocks: Vec<Block> = blocks.iter().map(|block| (**block).clone()).collect();
    let (mut out, mut deepest) = (String::new(), 0);
    walk(&blocks, 0, &mut out, &mut deepest);
    (out, deepest)
}

#[test]
fn blocks_are_what_commonmark_says() {
    assert_eq!(
        one("a *b* **c** ~~d~~ `e` $x^2$"),
        Block::Paragraph(vec![
            text("a "),
            Inline::Emphasis(vec![text("b")]),
            text(" "),
            Inline::Strong(vec![text("c")]),
            text(" "),
            Inline::Strike(vec![text("d")]),
            text(" "),
            Inline::Code("e".into()),
            text(" "),
            Inline::Math("x^2".into()),
        ])
    );
    assert_eq!(one("## two"), Block::Heading(2, vec![text("two")]));
    assert_eq!(one("---"), Block::Rule);
    assert_eq!(one("> said"), Block::Quote(vec![Block::Paragraph(vec![text("said")])]));
    assert_eq!(one("```rust\nlet a;\n```"), Block::Code { language: "rust".into(), text: "let a;".into() });
    assert_eq!(one("$$\n\\int x\n$$"), Block::Math("\\int x".into()));
    assert_eq!(one("a<br>b"), Block::Paragraph(vec![text("a"), Inline::Break, text("b")]));
}

#[test]
fn lists_keep_their_numbers_their_tasks_and_their_inner_lists() {
    let Block::List { start: Some(3), items } = one("3. a\n4. b\n   - [x] c\n   - [ ] d") else { panic!() };
    assert_eq!(items[0].blocks, [Block::Paragraph(vec![text("a")])]);
    assert_eq!(items[1].blocks[0], Block::Paragraph(vec![text("b")]));
    let Block::List { start: None, items } = &items[1].blocks[1] else { panic!("{items:?}") };
    assert_eq!(items.iter().map(|item| item.task).collect::<Vec<_>>(), [Some(true), Some(false)]);
    let Block::List { items, .. } = one("- a\n\n  b\n\n- c") else { panic!() };
    assert_eq!((items[0].blocks.len(), items[1].blocks.len()), (2, 1));
}

#[test]
fn tables_have_a_head_rows_and_columns_that_stand_somewhere() {
    let Block::Table(table) = one("| a | b |\n|:-:|--:|\n| 1 | **2** |\n| 3 | 4 |") else { panic!() };
    assert_eq!(table.align, [Align::Centre, Align::End]);
    assert_eq!(table.head, [vec![text("a")], vec![text("b")]]);
    assert_eq!(table.rows[0][1], [Inline::Strong(vec![text("2")])]);
    assert_eq!(table.rows.len(), 2);
}

#[test]
fn raw_html_is_shown_as_its_source() {
    for html in [
        "<script>alert(1)</script>",
        "<svg onload=alert(1)><circle/></svg>",
        "<iframe src=\"file:///etc/passwd\"></iframe>",
        "<style>*{display:none}</style>",
        "<img src=x onerror=alert(1)>",
    ] {
        let (shown, _) = all_text(&parse(html));
        assert!(shown.contains(html), "{shown}");
        let (shown, _) = all_text(&parse(&format!("before {html} after")));
        assert!(shown.contains(html), "{shown}");
    }
}

#[test]
fn only_the_web_and_mail_are_links() {
    let target = |markdown: &str| {
        let Block::Paragraph(mut inlines) = one(markdown) else { panic!("{markdown}") };
        match inlines.remove(0) {
            Inline::Link { target, .. } | Inline::Image { target, .. } => target,
            other => panic!("{markdown}: {other:?}"),
        }
    };
    for url in ["https://example.org/a?b#c", "http://localhost:3000", "mailto:a@example.org"] {
        assert_eq!(target(&format!("[x]({url})")), Target::Outside(url.into()));
        assert_eq!(target(&format!("<{url}>")), Target::Outside(url.into()));
    }
    for url in [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "&#106;avascript:alert(1)",
        "javascript&colon;alert(1)",
        "data:text/html;base64,PHNjcmlwdD4=",
        "file:///etc/passwd",
        "dioxus://index.html/etc/passwd",
        "vbscript:x",
        "/etc/passwd",
        "//example.org",
        "blob:https://example.org/x",
        "ws://127.0.0.1:1",
        "https:\u{202e}//gro.elpmaxe",
    ] {
        assert!(matches!(target(&format!("[x](<{url}>)")), Target::Refused(_)), "{url}");
        assert!(matches!(target(&format!("![x](<{url}>)")), Target::Refused(_)), "{url}");
    }
}

#[test]
fn a_picture_is_its_description_and_a_link() {
    let Block::Paragraph(inlines) = one("![a *cat*](https://example.org/cat.png)") else { panic!() };
    let target = Target::Outside("https://example.org/cat.png".into());
    assert_eq!(inlines, [Inline::Image { target, description: "a cat".into() }]);
}

#[test]
fn ten_thousand_levels_are_no_deeper_than_two_dozen() {
    const MANY: usize = 10_000;
    for (markdown, what) in [
        ("- ".repeat(MANY) + "x", "lists"),
        ("1. ".repeat(MANY) + "x", "numbered lists"),
        ("> ".repeat(MANY) + "x", "quotes"),
        ("> - ".repeat(MANY) + "x", "quotes of lists"),
        ("*".repeat(MANY) + "x" + &"*".repeat(MANY), "emphasis"),
        ("[".repeat(MANY) + "x" + &"](https://example.org)".repeat(MANY), "links"),
        ("![".repeat(MANY) + "x" + &"](https://example.org)".repeat(MANY), "pictures"),
        ((0..300).map(|at| "  ".repeat(at) + "- x\n").collect(), "indented lists"),
        ("`".repeat(MANY), "ticks"),
        ("<".repeat(MANY), "angles"),
        ("|".repeat(MANY) + "\n" + &"|-".repeat(MANY), "columns"),
        ("$".repeat(MANY), "formulas"),
    ] {
        let blocks = parse(&markdown);
        let (_, deepest) = all_text(&blocks);
        assert!(deepest <= DEPTH * 2 + 4, "{what}: {deepest}");
        let rendered = format!("{blocks:?}");
        assert!(!rendered.is_empty(), "{what}");
    }
}

#[test]
fn a_line_of_a_megabyte_is_read() {
    let line = "word ".repeat(200_000);
    let (shown, _) = all_text(&parse(&line));
    assert_eq!(shown.trim().len(), line.trim().len());
    let line = "x".repeat(1 << 20);
    assert_eq!(all_text(&parse(&line)).0.trim().len(), line.len());
}

#[test]
fn words_of_a_person_are_as_they_were_typed_but_for_fences() {
    let blocks = plain("__init__ *not* bold\n\n# no heading\n```py\nprint('`')\n```\n<b>after</b>");
    let blocks: Vec<_> = blocks.iter().map(|block| (**block).clone()).collect();
    assert_eq!(
        blocks,
        [
            Block::Plain("__init__ *not* bold\n\n# no heading".into()),
            Block::Code { language: "py".into(), text: "print('`')".into() },
            Block::Plain("<b>after</b>".into()),
        ]
    );
    assert_eq!(plain("````\n```\n").len(), 1, "a fence that is not closed reaches to the end");
    assert!(plain("").is_empty());
}

#[test]
fn settled_blocks_are_the_very_same_and_only_the_last_is_parsed_again() {
    let paragraph = "Some words of a paragraph that is of usual length.\n\n";
    let mut stream = Stream::default();
    let mut text = String::new();
    let mut first = None;
    for at in 0..200 {
        text.push_str(paragraph);
        stream.follow(&text);
        if at == 1 {
            first = stream.blocks().first().cloned();
        }
    }
    assert!(Arc::ptr_eq(&stream.blocks()[0], &first.unwrap()));
    assert_eq!(stream.blocks().len(), 200);
    assert!(stream.parsed() < text.len() * 4, "{} of {}", stream.parsed(), text.len());
}

/// Texts in which blocks of all kinds follow each other.
fn documents() -> impl Strategy<Value = String> {
    let block = prop_oneof![
        "[a-z*`_ ]{1,30}",
        Just("# heading".to_owned()),
        Just("- a\n- b\n  - c".to_owned()),
        Just("1. a\n2. b".to_owned()),
        Just("```rust\nfn a() {}\n\n// b\n```".to_owned()),
        Just("> quoted\nlazily".to_owned()),
        Just("| a | b |\n|---|---|\n| 1 | 2 |".to_owned()),
        Just("---".to_owned()),
        Just("    indented code\n\n    more".to_owned()),
        Just("<div>\nhtml\n</div>".to_owned()),
        Just("$$\nx\n$$".to_owned()),
        Just("heading\n===".to_owned()),
    ];
    proptest::collection::vec(block, 0..8).prop_map(|blocks| blocks.join("\n\n"))
}

proptest! {
    #[test]
    fn any_text_becomes_blocks_that_hide_nothing(markdown in "\\PC{0,80}|[\\x00-\\x7f\u{202a}-\u{202e}\u{2066}-\u{2069}]{0,80}") {
        let (shown, deepest) = all_text(&parse(&markdown));
        prop_assert!(deepest <= DEPTH * 2 + 4);
        // In a flag's sequence alone they may stand.
        prop_assert!(!shown.chars().any(|it| clean::is_hidden(it) && !('\u{e0020}'..='\u{e007f}').contains(&it)), "{shown:?}");
    }

    #[test]
    fn any_markup_becomes_blocks(markdown in "[-*_`~#>|\\[\\]()<>!$:/ \\n\\\\a-c0-2&;=]{0,120}") {
        let (shown, deepest) = all_text(&parse(&markdown));
        prop_assert!(deepest <= DEPTH * 2 + 4 && shown.len() <= markdown.len() * 8 + 64);
    }

    #[test]
    fn what_comes_in_pieces_is_what_comes_at_once(markdown in documents(), step in 1..7_usize) {
        let mut stream = Stream::default();
        let mut end = 0;
        while end < markdown.len() {
            end = (end + step).min(markdown.len());
            if markdown.is_char_boundary(end) {
                stream.follow(&markdown[..end]);
            }
        }
        stream.follow(&markdown);
        prop_assert_eq!(stream.blocks(), &parse(&markdown)[..]);
    }
}
