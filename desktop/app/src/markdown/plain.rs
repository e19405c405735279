//! A person's own words: shown as they were typed, but for what they fenced as code.

use super::{Block, clean};
use std::sync::Arc;

/// The blocks of what a person typed. Nothing in it is Markdown but fences (CommonMark 0.31.2, 4.5).
#[must_use]
pub fn plain(text: &str) -> Vec<Arc<Block>> {
    let mut blocks = Vec::new();
    let mut words = String::new();
    let mut code: Option<(&str, String, String)> = None;
    for line in text.lines() {
        match &mut code {
            Some((fence, language, body)) => {
                let closing = line.trim();
                if closing.len() >= fence.len() && closing.chars().all(|it| it == '`') {
                    blocks.push(fenced(language, body));
                    code = None;
                } else {
                    body.push_str(line);
                    body.push('\n');
                }
            }
            None => match fence(line) {
                Some((fence, language)) => {
                    push(&mut blocks, &mut words);
                    code = Some((fence, language.to_owned(), String::new()));
                }
                None => {
                    words.push_str(line);
                    words.push('\n');
                }
            },
        }
    }
    push(&mut blocks, &mut words);
    if let Some((_, language, body)) = code {
        blocks.push(fenced(&language, &body));
    }
    blocks.into_iter().map(Arc::new).collect()
}

/// The fence that a line opens, and its language.
fn fence(line: &str) -> Option<(&str, &str)> {
    let rest = line.trim_start_matches('`');
    let ticks = line.len() - rest.len();
    (ticks >= 3 && !rest.contains('`')).then(|| (&line[..ticks], rest.split_whitespace().next().unwrap_or_default()))
}

fn push(blocks: &mut Vec<Block>, words: &mut String) {
    let said = std::mem::take(words);
    let said = said.trim_matches('\n');
    if !said.is_empty() {
        blocks.push(Block::Plain(clean(said).into_owned()));
    }
}

fn fenced(language: &str, body: &str) -> Block {
    Block::Code { language: clean(language).into_owned(), text: clean(body.trim_end_matches('\n')).into_owned() }
}
