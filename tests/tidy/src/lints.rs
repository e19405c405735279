//! Every package takes the workspace's lints, and no product code switches off the ones that forbid `unwrap` and `expect`.

use crate::Violation;
use crate::source::{code_only, line_of};
use crate::tree::Tree;

/// What the workspace must ask for; with warnings denied each is an error.
pub const WANTED: [&str; 3] = ["unsafe_code", "unwrap_used", "expect_used"];

/// The packages at `folders` whose manifest does not take the workspace's lints.
pub fn inherited<'a>(tree: &Tree, folders: impl Iterator<Item = &'a str>) -> Vec<Violation> {
    folders
        .map(|folder| format!("{folder}/Cargo.toml"))
        .filter(|manifest| !tree.text(manifest).is_some_and(inherits))
        .map(|manifest| {
            Violation::new(manifest, "does not take the workspace's lints", "add `[lints]` with `workspace = true`")
        })
        .collect()
}

fn inherits(manifest: &str) -> bool {
    entries(manifest).any(|(table, entry)| {
        (table == "lints" && entry == "workspace=true") || (table.is_empty() && entry == "lints.workspace=true")
    })
}

/// The entries of a manifest without spaces, each with the table that it stands in.
fn entries(manifest: &str) -> impl Iterator<Item = (String, String)> {
    let mut table = String::new();
    manifest.lines().filter_map(move |line| {
        let line: String = line.split('#').next()?.split_whitespace().collect();
        match line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(name) => {
                table = name.to_string();
                None
            }
            None => Some((table.clone(), line)),
        }
    })
}

/// The lints that the workspace's own manifest fails to warn about.
pub fn asked_for(tree: &Tree) -> Vec<Violation> {
    let manifest = tree.text("Cargo.toml").unwrap_or_default();
    let asked: Vec<(String, String)> =
        entries(manifest).filter(|(table, _)| table.starts_with("workspace.lints")).collect();
    let is_asked = |lint: &str| {
        let levels = ["warn", "deny", "forbid"].map(|level| format!("{lint}=\"{level}\""));
        asked.iter().any(|(_, entry)| levels.contains(entry))
    };
    WANTED
        .iter()
        .filter(|lint| !is_asked(lint))
        .map(|lint| {
            Violation::new("Cargo.toml", format!("does not ask for the lint {lint}"), "set it under [workspace.lints]")
        })
        .collect()
}

/// Attributes in product code (not in tests) that switch `unwrap_used` or `expect_used` off.
pub fn switched_off(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, source) in tree.texts(".rs").filter(|(path, _)| is_product(path)) {
        let code = code_only(source);
        for lint in ["clippy::unwrap_used", "clippy::expect_used"] {
            for (at, _) in code.match_indices(lint) {
                let attribute = code[..at].rfind("#").map_or("", |start| &code[start..at]);
                if attribute.contains("allow(") || attribute.contains("expect(") {
                    let remedy = "return an error, or handle the case";
                    violations.push(Violation::at(path, line_of(&code, at), format!("switches off {lint}"), remedy));
                }
            }
        }
    }
    violations
}

/// Sources of the product: under `src/` of a package outside `tests/`.
fn is_product(path: &str) -> bool {
    let area = ["kernel/", "ipc/", "workers/", "desktop/"].iter().any(|area| path.starts_with(area));
    area && path.contains("/src/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_without_the_workspaces_lints_is_seen() {
        let tree = Tree::of(&[
            ("a/Cargo.toml", "[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n"),
            ("b/Cargo.toml", "lints.workspace = true\n[package]\nname = \"b\"\n"),
            ("c/Cargo.toml", "[package]\nworkspace = true\n[lints.rust]\nunsafe_code = \"allow\"\n"),
            ("d/Cargo.toml", "[lints]\n# workspace = true\n"),
        ]);
        let found = inherited(&tree, ["a", "b", "c", "d", "gone"].into_iter());
        let places: Vec<&str> = found.iter().map(|violation| violation.place.as_str()).collect();
        assert_eq!(places, ["c/Cargo.toml", "d/Cargo.toml", "gone/Cargo.toml"]);
    }

    #[test]
    fn a_lint_that_the_workspace_does_not_ask_for_is_seen() {
        let manifest = "[workspace.lints.rust]\nunsafe_code = \"deny\"\n[workspace.lints.clippy]\nunwrap_used = \"warn\"\nexpect_used = \"allow\"\n";
        let found = asked_for(&Tree::of(&[("Cargo.toml", manifest)]));
        assert_eq!(found.len(), 1);
        assert!(found[0].what.contains("expect_used"));
    }

    #[test]
    fn product_code_may_not_switch_them_off_and_tests_may() {
        let source = "#![allow(\n    clippy::unwrap_used,\n    clippy::expect_used\n)]\n";
        assert_eq!(switched_off(&Tree::of(&[("kernel/src/a.rs", source)])).len(), 2);
        assert_eq!(switched_off(&Tree::of(&[("ipc/api/src/a.rs", "#[expect(clippy::unwrap_used)]")])).len(), 1);
        let tests = Tree::of(&[("kernel/tests/a.rs", source), ("tests/kit/src/a.rs", source)]);
        assert_eq!(switched_off(&tests), []);
        assert_eq!(switched_off(&Tree::of(&[("kernel/src/a.rs", "#![deny(clippy::unwrap_used)]")])), []);
    }
}
