//! No file names a folder of the machine that it was written on: it would be wrong on every other one.

use crate::Violation;
use crate::source::line_of;
use crate::tree::Tree;

/// Users that stand for the reader, in examples.
pub const PLACEHOLDERS: [&str; 8] = ["NAME", "USER", "alice", "bob", "someone", "u", "user", "you"];

/// Every text with such a path.
pub fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, text) in tree.texts("") {
        for (at, found) in roots(text).into_iter().chain(homes(text)) {
            let remedy = "say it relative to the project, or ask the environment; /home/you stands for the reader's";
            violations.push(Violation::at(path, line_of(text, at), format!("names {found}"), remedy));
        }
    }
    violations
}

/// Root's home, and the folder that containers like to mount a checkout at.
fn roots(text: &str) -> Vec<(usize, String)> {
    let found = |name: &str| {
        let path = format!("/{name}/");
        absolute(text, &path).into_iter().map(move |at| (at, path.clone())).collect::<Vec<_>>()
    };
    ["root", "work"].into_iter().flat_map(found).collect()
}

/// Homes of users who are no placeholder.
fn homes(text: &str) -> Vec<(usize, String)> {
    let is_name = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    ["/home/", "/Users/"]
        .iter()
        .flat_map(|start| absolute(text, start).into_iter().map(move |at| (at, *start)))
        .filter_map(|(at, start)| {
            let name: String = text[at + start.len()..].chars().take_while(is_name).collect();
            let name = name.trim_end_matches('.');
            (!name.is_empty() && !PLACEHOLDERS.contains(&name)).then(|| (at, format!("{start}{name}")))
        })
        .collect()
}

/// Where `path` starts a path, and does not go on with one (`docs/work/`, `~/work/`, `$DIR/work/`).
fn absolute(text: &str, path: &str) -> Vec<usize> {
    let goes_on =
        |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '~' | '/' | '}' | ')' | '>' | '*' | '$');
    let starts = |at: &usize| !text[..*at].chars().next_back().is_some_and(goes_on);
    text.match_indices(path).map(|(at, _)| at).filter(starts).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> usize {
        check(&Tree::of(&[("a.md", text)])).len()
    }

    // Put together here, so that this file names no such path itself.
    fn under(folder: &str, rest: &str) -> String {
        format!("/{folder}/{rest}")
    }

    #[test]
    fn paths_of_one_machine_are_seen() {
        let paths = [under("root", ".ssh"), under("work", "main"), under("home", "carol/x"), under("Users", "carol")];
        for path in paths {
            for text in [path.clone(), format!("see `{path}`"), format!("DIR={path}"), format!("(\"{path}\")")] {
                assert_eq!(found(&text), 1, "{text}");
            }
        }
    }

    #[test]
    fn placeholders_and_relative_paths_are_fine() {
        let fine =
            ["/home/you/notes", "/home/$USER/x", "/home/<name>", "docs/work/a", "~/work/a", "$HOME/work/a", "/root"];
        for text in fine {
            assert_eq!(found(text), 0, "{text}");
        }
    }
}
