//! Relative links in the project's pages lead somewhere: to a file or folder of the repository, and to a heading where they name one.

use crate::Violation;
use crate::tree::Tree;
use std::collections::BTreeMap;

/// Every relative link in a Markdown page whose target is not there.
pub fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (page, text) in tree.texts(".md") {
        for (line, link) in links(text) {
            if let Some(what) = broken(tree, page, &link) {
                violations.push(Violation::at(page, line, format!("links to {link}, {what}"), "correct the link"));
            }
        }
    }
    violations
}

/// What is wrong with a link on `page`; `None` when it resolves, or leads out of the repository by URL.
fn broken(tree: &Tree, page: &str, link: &str) -> Option<&'static str> {
    let is_url = link.split(['/', '#', '?']).next().is_some_and(|start| start.contains(':'));
    if is_url || link.starts_with("//") {
        return None;
    }
    let (file, heading) = link.split_once('#').unwrap_or((link, ""));
    let target = if file.is_empty() { Some(page.to_string()) } else { resolve(page, file) };
    let Some(target) = target.filter(|target| tree.holds(target)) else {
        return Some("which is no file or folder here");
    };
    let has_heading = || tree.text(&target).is_some_and(|text| anchors(text).iter().any(|anchor| anchor == heading));
    (target.ends_with(".md") && !heading.is_empty() && !has_heading()).then_some("a heading that is not there")
}

/// The path from the root that `link` on `page` means; `None` when it leaves the repository.
fn resolve(page: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    if link.starts_with('/') {
        parts.clear();
    }
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The lines of a page with their numbers, without fenced code.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fence: Option<&str> = None;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let start = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| start.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) => return Some((index + 1, line)),
            (Some(_), _) => {}
        }
        None
    })
}

/// The targets of all links of a page, each with its line: inline, by reference and in HTML.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        let line = without_code(line);
        let after =
            |mark: &'static str| line.match_indices(mark).map(|(at, _)| &line[at + mark.len()..]).collect::<Vec<_>>();
        found.extend(after("](").into_iter().map(inline_target).map(|target| (number, target)));
        for mark in ["href=\"", "src=\""] {
            found
                .extend(after(mark).into_iter().filter_map(|rest| Some((number, rest.split_once('"')?.0.to_string()))));
        }
        let definition = line.trim_start().strip_prefix('[').and_then(|rest| rest.split_once("]:"));
        if let Some((label, target)) = definition.filter(|(label, _)| !label.starts_with('^') && !label.contains(']')) {
            let target = target.split_whitespace().next().unwrap_or_default();
            if !label.is_empty() && !target.is_empty() {
                found.push((number, target.trim_matches(['<', '>']).to_string()));
            }
        }
    }
    found
}

/// The target in what follows `](`: up to a title or to the parenthesis that closes the link.
fn inline_target(rest: &str) -> String {
    if let Some((target, _)) = rest.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
        return target.to_string();
    }
    let mut depth = 0;
    let ends = |c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        depth < 0 || c.is_whitespace()
    };
    rest.split(ends).next().unwrap_or_default().to_string()
}

/// A line with its code spans blanked.
fn without_code(line: &str) -> String {
    let parts: Vec<&str> = line.split('`').collect();
    let closed = parts.len() - usize::from(parts.len().is_multiple_of(2));
    parts.iter().enumerate().map(|(index, part)| if index % 2 == 1 && index < closed { " " } else { part }).collect()
}

/// What a page's headings and named anchors are called in links, as GitHub does it.
fn anchors(text: &str) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = Vec::new();
    for (_, line) in prose(text) {
        for mark in ["id=\"", "name=\""] {
            let named = line.split(mark).skip(1).filter_map(|rest| rest.split('"').next());
            found.extend(named.map(str::to_string));
        }
        let title = line.trim_start_matches('#');
        if title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let slug = slug(title.trim());
        let twins = seen.entry(slug.clone()).or_default();
        found.push(if *twins == 0 { slug } else { format!("{slug}-{twins}") });
        *twins += 1;
    }
    found
}

fn slug(title: &str) -> String {
    let mut text = String::new();
    let mut rest = title;
    // Of a link in a heading only its text counts.
    while let Some((before, target)) = rest.split_once("](") {
        text.push_str(before);
        rest = target.split_once(')').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    text.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .flat_map(char::to_lowercase)
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(page: &str) -> usize {
        let files = [
            ("docs/page.md", page),
            (
                "docs/other.md",
                "# The `wire`, in short\n\n## Twice\n\n## Twice\n\n<a id=\"here\"></a>\n```\n# code\n```\n",
            ),
            ("docs/adr/0001-a.md", ""),
            ("README.md", ""),
        ];
        check(&Tree::of(&files)).len()
    }

    #[test]
    fn links_that_lead_somewhere_are_fine() {
        let fine = [
            "[a](other.md) [b](../README.md) [c](adr) [d](adr/) ![e](/README.md)",
            "[a](other.md#the-wire-in-short) [b](other.md#twice-1) [c](other.md#here)",
            "# Here\n[a](#here)",
            "[a](https://example.org/x.md) [b](mailto:a@example.org)",
            "[a](other.md \"title\") [b](<other.md>) [c][id]\n\n[id]: other.md",
            "`[a](gone.md)` and\n```\n[a](gone.md)\n```\n",
            "a note[^1]\n\n[^1]: gone, really",
            "<img src=\"other.md\">",
        ];
        for page in fine {
            assert_eq!(found(page), 0, "{page}");
        }
    }

    #[test]
    fn links_that_lead_nowhere_are_seen() {
        let broken = [
            "[a](gone.md)",
            "[a](../docs/gone/)",
            "[a](../../outside.md)",
            "[a](other.md#gone)",
            "[a](other.md#code)",
            "[a](#gone)",
            "[a][id]\n\n[id]: gone.md",
            "<a href=\"gone.md\">",
            "![a](gone(1).png)",
            "`code` and [a](gone.md) and `code`",
        ];
        for page in broken {
            assert_eq!(found(page), 1, "{page}");
        }
    }
}
