//! Reading the page: sections, tables, and blocks of hex.

pub const PAGE: &str = include_str!("../../../../docs/protocol.md");

/// The text below a heading, up to the next one of the same or a higher level.
pub fn section(heading: &str) -> &'static str {
    let level = heading.chars().take_while(|c| *c == '#').count();
    let start = PAGE.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("the page has no {heading}"));
    let text = &PAGE[start + heading.len() + 2..];
    let mut end = text.len();
    let mut at = 0;
    let mut in_block = false;
    for line in text.split_inclusive('\n') {
        in_block ^= line.starts_with("```");
        let hashes = line.chars().take_while(|c| *c == '#').count();
        if !in_block && (1..=level).contains(&hashes) {
            end = at;
            break;
        }
        at += line.len();
    }
    &text[..end]
}

/// The cells of the columns with these titles, of the first table in `text` that has them all, in its order.
pub fn table(text: &str, titles: &[&str]) -> Vec<Vec<String>> {
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let head = cells(line);
        let places: Vec<_> = titles.iter().filter_map(|title| head.iter().position(|cell| cell == title)).collect();
        if head.is_empty() || places.len() < titles.len() {
            continue;
        }
        lines.next();
        let rows: Vec<_> = lines
            .take_while(|line| line.starts_with('|'))
            .map(|line| {
                let row = cells(line);
                places.iter().map(|place| row[*place].clone()).collect()
            })
            .collect();
        assert!(!rows.is_empty(), "the table with {titles:?} has no rows");
        return rows;
    }
    panic!("no table with {titles:?}")
}

fn cells(line: &str) -> Vec<String> {
    let Some(inner) = line.strip_prefix('|').and_then(|rest| rest.strip_suffix('|')) else { return Vec::new() };
    inner.split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// The number at the front of a cell, thousands grouped or not.
pub fn number(cell: &str) -> u64 {
    let digits: String = cell.chars().take_while(|c| c.is_ascii_digit() || *c == ',').filter(|c| *c != ',').collect();
    digits.parse().unwrap_or_else(|_| panic!("{cell:?} is no number"))
}

/// The bytes of the block of hex with this name; what follows a semicolon is for people.
pub fn hex(name: &str) -> Vec<u8> {
    let start = format!("\n```hex {name}\n");
    let at = PAGE.find(&start).unwrap_or_else(|| panic!("the page has no example {name}"));
    let block = PAGE[at + start.len()..].split("```").next().unwrap();
    let digits = block.lines().flat_map(|line| line.split(';').next().unwrap_or_default().split_whitespace());
    digits
        .map(|byte| u8::from_str_radix(byte, 16).unwrap_or_else(|_| panic!("{byte:?} is no byte of {name}")))
        .collect()
}
