//! `unsafe` stands where the kernel's interfaces force it, and each block says why it is sound.

use crate::Violation;
use crate::source::{code_only, line_of, words};
use crate::tree::Tree;

/// The folders and files that may hold `unsafe`: both sides of confinement, and the probes that try to get around it.
pub const MAY: [&str; 3] = ["kernel/sandbox/", "kernel/jail/", "workers/runtime/src/prove/sys.rs"];

/// `unsafe` outside those places, and blocks and impls without a `// SAFETY:` comment.
pub fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, source) in tree.texts(".rs") {
        let code = code_only(source);
        let lines: Vec<&str> = source.lines().collect();
        let code_lines: Vec<&str> = code.lines().collect();
        let mut elsewhere = false;
        for at in words(&code, "unsafe") {
            let line = line_of(&code, at);
            if !MAY.iter().any(|place| path.starts_with(place)) {
                // One report a file: the remedy is the same for all.
                if !elsewhere {
                    let remedy =
                        "use a safe wrapper (nix, rustix), or move the call into kernel/sandbox or kernel/jail";
                    violations.push(Violation::at(path, line, "unsafe code outside its places", remedy));
                }
                elsewhere = true;
                continue;
            }
            let rest = code[at + "unsafe".len()..].trim_start();
            let argued =
                !(rest.starts_with('{') || rest.starts_with("impl")) || is_argued(&lines, &code_lines, line - 1);
            if !argued {
                let remedy = "write right above it why the call is sound here";
                violations.push(Violation::at(path, line, "unsafe without a `// SAFETY:` comment", remedy));
            }
        }
    }
    violations
}

/// Does a `SAFETY:` comment stand above the statement that line `index` belongs to?
fn is_argued(lines: &[&str], code_lines: &[&str], index: usize) -> bool {
    for above in (0..index).rev() {
        let line = lines[above].trim();
        if line.starts_with("//") {
            if line.contains("SAFETY:") {
                return true;
            }
            continue;
        }
        let code = code_lines.get(above).map_or("", |code| code.trim());
        let is_attribute = code.starts_with("#[");
        let ends_a_statement = code.is_empty() || code.ends_with([';', '{', '}', ',']);
        if ends_a_statement && !is_attribute {
            return false;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, source: &str) -> Vec<Violation> {
        check(&Tree::of(&[(path, source)]))
    }

    #[test]
    fn unsafe_elsewhere_is_seen_wherever_it_stands() {
        for source in ["fn f() { unsafe { g() } }", "unsafe fn f() {}", "#[unsafe(no_mangle)]\nfn f() {}"] {
            for path in ["kernel/src/spawn.rs", "workers/runtime/src/prove/other.rs", "tests/e2e/tests/x.rs"] {
                assert_eq!(found(path, source).len(), 1, "{path}: {source}");
            }
        }
    }

    #[test]
    fn the_word_in_comments_strings_and_lint_names_is_fine() {
        assert_eq!(found("a.rs", "//! unsafe\n#![forbid(unsafe_code)]\nconst A: &str = \"unsafe { }\";"), []);
    }

    #[test]
    fn a_block_needs_its_argument_right_above_the_statement() {
        let path = "kernel/jail/src/main.rs";
        let argued = [
            "// SAFETY: no pointers.\nunsafe { g() }",
            "// SAFETY: the argument\n// goes on here.\nlet x =\n    unsafe { g() };",
            "// SAFETY: ours.\n#[allow(unsafe_code)]\nunsafe { g() }",
            "// SAFETY: not shared.\nunsafe impl Send for A {}",
            "unsafe fn f() {}",
        ];
        for source in argued {
            assert_eq!(found(path, source), [], "{source}");
        }
        let bare = [
            "unsafe { g() }",
            "// SAFETY: of another.\nf();\nunsafe { g() }",
            "// SAFETY: too far.\n\nunsafe { g() }",
            "// no argument\nunsafe { g() }",
            "unsafe impl Send for A {}",
        ];
        for source in bare {
            assert_eq!(found(path, source).len(), 1, "{source}");
        }
    }
}
