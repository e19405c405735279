//! The shape of the repository: its fixed top level, and source files that open with their purpose and stay short.

use crate::Violation;
use crate::tree::Tree;
use std::collections::BTreeSet;

/// What the top level consists of.
pub const TOP: [&str; 9] =
    ["Cargo.toml", "README.md", "desktop", "docs", "ipc", "kernel", "migrations", "tests", "workers"];

/// What may stand beside it, because a tool looks for it there and nowhere else.
pub const TOOLS: [&str; 9] =
    [".ci", ".config", ".gitignore", "Cargo.lock", "LICENSE", "Makefile", "clippy.toml", "deny.toml", "rustfmt.toml"];

/// A file that is longer has a second noun inside; at 500 one looks for it, here it has to go.
pub const MAX_LINES: usize = 600;

/// What the top level has too much or too little of.
pub fn top_level(tree: &Tree) -> Vec<Violation> {
    let present: BTreeSet<&str> = tree.paths().map(|path| path.split('/').next().unwrap_or(path)).collect();
    let stray = present.iter().filter(|name| !TOP.contains(name) && !TOOLS.contains(name)).map(|name| {
        Violation::new(
            *name,
            "does not belong at the top level",
            "move it into one of the folders there, or add it to .gitignore",
        )
    });
    let absent = TOP
        .iter()
        .filter(|name| !present.contains(*name))
        .map(|name| Violation::new(*name, "is missing from the top level", "the layout is fixed; put it back"));
    stray.chain(absent).collect()
}

/// Source files that do not open with a `//!` line.
pub fn openings(tree: &Tree) -> Vec<Violation> {
    let opens = |source: &str| source.lines().next().is_some_and(|line| line.starts_with("//!") && line.len() > 3);
    tree.texts(".rs")
        .filter(|(_, source)| !opens(source))
        .map(|(path, _)| {
            Violation::at(path, 1, "does not open with a `//!` comment", "say in its first line what it is")
        })
        .collect()
}

/// Source files over [`MAX_LINES`].
pub fn lengths(tree: &Tree) -> Vec<Violation> {
    tree.texts(".rs")
        .map(|(path, source)| (path, source.lines().count()))
        .filter(|(_, lines)| *lines > MAX_LINES)
        .map(|(path, lines)| {
            Violation::new(
                path,
                format!("has {lines} lines, over {MAX_LINES}"),
                "give the second noun in it a file of its own",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> Vec<(&'static str, &'static str)> {
        let folders = ["desktop/a", "docs/a", "ipc/a", "kernel/a", "migrations/a", "tests/a", "workers/a", ".ci/run"];
        folders.into_iter().chain(["Cargo.toml", "README.md", "Makefile"]).map(|path| (path, "")).collect()
    }

    #[test]
    fn a_stray_name_and_a_missing_one_are_seen() {
        assert_eq!(top_level(&Tree::of(&whole())), []);
        let mut stray = whole();
        stray.extend([("scripts/a.sh", ""), ("notes.txt", "")]);
        let places: Vec<String> = top_level(&Tree::of(&stray)).into_iter().map(|violation| violation.place).collect();
        assert_eq!(places, ["notes.txt", "scripts"]);
        let absent: Vec<_> = whole().into_iter().filter(|(path, _)| *path != "README.md").collect();
        assert_eq!(top_level(&Tree::of(&absent))[0].place, "README.md");
    }

    #[test]
    fn a_file_without_its_purpose_in_the_first_line_is_seen() {
        for source in ["", "use a;\n", "// a\n", "\n//! a\n", "//!\n//! a\n"] {
            assert_eq!(openings(&Tree::of(&[("a.rs", source)])).len(), 1, "{source:?}");
        }
        assert_eq!(openings(&Tree::of(&[("a.rs", "//! What it is.\n"), ("a.md", "no Rust")])), []);
    }

    #[test]
    fn a_long_file_is_seen() {
        assert_eq!(lengths(&Tree::of(&[("a.rs", &"\n".repeat(MAX_LINES + 1))])).len(), 1);
        assert_eq!(lengths(&Tree::of(&[("a.rs", &"\n".repeat(MAX_LINES)), ("a.md", &"\n".repeat(9999))])), []);
    }
}
