//! bincode is called in one file. Elsewhere its derives are fine: they name a layout, they choose no configuration.

use crate::Violation;
use crate::source::{code_only, line_of, words};
use crate::tree::Tree;

/// The one file that calls bincode; upstream is no longer developed, so this is what a successor would replace.
pub const CODEC: &str = "ipc/wire/src/codec.rs";

/// The names that may be used anywhere.
pub const DERIVES: [&str; 3] = ["BorrowDecode", "Decode", "Encode"];

/// Every use of bincode outside [`CODEC`] that is more than a derive.
pub fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, source) in tree.texts(".rs").filter(|(path, _)| *path != CODEC) {
        let code = code_only(source);
        for at in words(&code, "bincode") {
            let rest = code[at + "bincode".len()..].trim_start();
            let imported = code[..at].trim_end().ends_with("use") || code[..at].trim_end().ends_with("extern crate");
            let used = match rest.strip_prefix("::") {
                Some(path) => names(path).into_iter().find(|name| !DERIVES.contains(&name.as_str())),
                None if imported => Some("the crate itself".to_string()),
                None => None,
            };
            if let Some(name) = used {
                let what = format!("uses bincode's {name} outside {CODEC}");
                violations.push(Violation::at(path, line_of(&code, at), what, "call butterfly_wire::codec instead"));
            }
        }
    }
    violations
}

/// The names behind `bincode::`: one, or those of a group.
fn names(path: &str) -> Vec<String> {
    let word = |text: &str| text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    match path.trim_start().strip_prefix('{') {
        Some(group) => {
            group.split('}').next().unwrap_or(group).split(',').map(word).filter(|name| !name.is_empty()).collect()
        }
        None => vec![word(path)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derives_are_fine_anywhere_and_calls_in_the_codec_alone() {
        let derives =
            "use bincode::{Decode, Encode};\n#[derive(Encode, bincode::Decode)]\n#[bincode(crate = x)]\nstruct A;";
        let calls = "use bincode::config::standard;";
        assert_eq!(check(&Tree::of(&[("ipc/api/src/a.rs", derives), (CODEC, calls)])), []);
    }

    #[test]
    fn calls_and_configuration_elsewhere_are_seen() {
        let uses = [
            "fn f() { bincode::encode_to_vec(1, c) }",
            "use bincode::config::standard;",
            "use bincode::{Decode, config};",
            "use bincode;",
            "use bincode as b;",
            "use ::bincode::decode_from_slice;",
        ];
        for source in uses {
            assert_eq!(check(&Tree::of(&[("kernel/src/a.rs", source)])).len(), 1, "{source}");
        }
    }

    #[test]
    fn talking_about_bincode_is_no_use_of_it() {
        assert_eq!(
            check(&Tree::of(&[("a.rs", "// bincode::config\nconst A: &str = \"bincode::x\"; let bincode = 1;")])),
            []
        );
    }
}
