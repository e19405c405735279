//! Decision records are numbered from 0001 without gaps, and the index names each.

use crate::Violation;
use crate::tree::Tree;

/// Where they live.
pub const FOLDER: &str = "docs/adr/";

/// Records with a wrong name or number, and those that the index, where there is one, leaves out.
pub fn check(tree: &Tree) -> Vec<Violation> {
    let index = tree.text("docs/adr/README.md");
    let mut violations = Vec::new();
    let mut next = 1;
    for (path, _) in tree.texts(".md").filter(|(path, _)| path.starts_with(FOLDER)) {
        let name = &path[FOLDER.len()..];
        if name == "README.md" {
            continue;
        }
        match number(name) {
            None => violations.push(Violation::new(
                path,
                "is not named like a decision record",
                "call it NNNN-what-was-decided.md",
            )),
            Some(number) if number != next => {
                violations.push(Violation::new(
                    path,
                    format!("has number {number:04} where {next:04} comes next"),
                    "renumber it",
                ));
                next = number + 1;
            }
            Some(_) => next += 1,
        }
        if index.is_some_and(|index| !index.contains(name)) {
            violations.push(Violation::new(path, "is not in the index", "add it to docs/adr/README.md"));
        }
    }
    violations
}

/// The number of `NNNN-name.md`.
fn number(name: &str) -> Option<u32> {
    let (digits, rest) = name.split_once('-')?;
    let well_formed = digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()) && rest.len() > ".md".len();
    well_formed.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(names: &[&str]) -> Vec<Violation> {
        let paths: Vec<String> = names.iter().map(|name| format!("docs/adr/{name}")).collect();
        let files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), "")).collect();
        check(&Tree::of(&files))
    }

    #[test]
    fn gaps_twins_and_odd_names_are_seen() {
        assert_eq!(found(&["0001-a.md", "0002-b.md"]), []);
        assert_eq!(found(&["0001-a.md", "0003-b.md", "0004-c.md"]).len(), 1);
        assert_eq!(found(&["0001-a.md", "0001-b.md"]).len(), 1);
        assert_eq!(found(&["0002-a.md"]).len(), 1);
        assert_eq!(found(&["0001-a.md", "b.md"]).len(), 1);
        assert_eq!(found(&["1-a.md"]).len(), 1);
    }

    #[test]
    fn a_record_that_the_index_leaves_out_is_seen() {
        let files =
            [("docs/adr/0001-a.md", ""), ("docs/adr/0002-b.md", ""), ("docs/adr/README.md", "- [a](0001-a.md)")];
        let found = check(&Tree::of(&files));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].place, "docs/adr/0002-b.md");
    }
}
