//! Pages that name tests as evidence name tests that there are.

use crate::Violation;
use crate::tree::Tree;

/// The pages whose code spans are read for names of tests.
pub const PAGES: [&str; 1] = ["docs/threat-model.md"];

/// Underscores from which on a name in a code span is a test's. Names of other things there are shorter.
const UNDERSCORES: usize = 3;

/// Every name of a test on these pages that no source file declares.
pub fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for page in PAGES {
        for (index, line) in tree.text(page).unwrap_or_default().lines().enumerate() {
            for name in line.split('`').skip(1).step_by(2).filter(|span| is_name(span)) {
                let declaration = format!("fn {name}(");
                if !tree.texts(".rs").any(|(_, source)| source.contains(&declaration)) {
                    let what = format!("names the test {name}, which is not there");
                    violations.push(Violation::at(page, index + 1, what, "name the test that shows it now"));
                }
            }
        }
    }
    violations
}

fn is_name(span: &str) -> bool {
    let underscores = span.matches('_').count();
    underscores >= UNDERSCORES && span.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(page: &str) -> usize {
        let source = "#[test]\nfn a_thing_that_is_shown() {}\n";
        check(&Tree::of(&[(PAGES[0], page), ("tests/a.rs", source)])).len()
    }

    #[test]
    fn a_test_that_is_not_there_is_seen() {
        assert_eq!(found("| x | `a_thing_that_is_shown`, `no_new_privs` | see a_thing_that_was_shown |"), 0);
        assert_eq!(found("| x | `a_thing_that_is_shown`, `a_thing_that_was_shown` (e2e) |"), 1);
        assert_eq!(found("`a_thing_that_is`"), 1, "a part of a name is none");
    }
}
