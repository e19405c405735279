//! Which secrets there are, what each is for, and who may read it. Constant: no message, setting or file adds a row.

/// One secret that may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name {
    pub name: &'static str,
    /// What it is, for people; fits into "NAME is …".
    pub purpose: &'static str,
    /// The standing workers that may read it, by their names in the kernel's manifest. Clients never may.
    pub readers: &'static [&'static str],
}

/// All of them. A row is a grant: whoever adds one says here who gets to read the value.
pub const NAMES: &[Name] = &[
    Name {
        name: "openai.api_key",
        purpose: "the API key of the OpenAI-compatible model server (model.provider openai)",
        readers: &["model"],
    },
    Name {
        name: "ollama.api_key",
        purpose: "the API key of an Ollama server that asks for one (model.provider ollama)",
        readers: &["model"],
    },
];

/// The row of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Name> {
    NAMES.iter().find(|row| row.name == name)
}

/// Whether a standing worker of this role may read it. `None` is everybody else: clients and instances.
#[must_use]
pub fn may_read(row: &Name, role: Option<&str>) -> bool {
    role.is_some_and(|role| row.readers.contains(&role))
}

/// The name that was probably meant.
#[must_use]
pub fn nearest(name: &str) -> Option<&'static str> {
    let wanted = name.to_lowercase();
    NAMES.iter().map(|row| row.name).min_by_key(|known| distance(&wanted, known))
}

/// Levenshtein's edit distance, in characters.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, from) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (column, to) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// The grants, as they were reviewed. A new row, or a new reader of one, changes this test.
    #[test]
    fn the_table_is_as_reviewed() {
        let table: Vec<_> = NAMES.iter().map(|row| (row.name, row.readers)).collect();
        assert_eq!(table, [("openai.api_key", &["model"][..]), ("ollama.api_key", &["model"][..])]);
    }

    #[test]
    fn names_are_unique_and_fit_for_a_command_line() {
        let mut seen = HashSet::new();
        for row in NAMES {
            assert!(seen.insert(row.name), "{} twice", row.name);
            assert!(row.name.bytes().all(|byte| byte.is_ascii_lowercase() || b"._".contains(&byte)), "{}", row.name);
            assert!(!row.readers.is_empty() && !row.purpose.is_empty(), "{} serves nobody", row.name);
        }
    }

    #[test]
    fn only_a_reader_reads_and_a_client_never_does() {
        for row in NAMES {
            assert!(may_read(row, Some("model")));
            for role in [None, Some("brains"), Some("memory"), Some("vault"), Some("client"), Some(""), Some("Model")] {
                assert!(!may_read(row, role), "{} for {role:?}", row.name);
            }
        }
    }

    #[test]
    fn a_slip_finds_the_name_that_was_meant() {
        for (slip, meant) in [
            ("openai_api_key", "openai.api_key"),
            ("OPENAI.API_KEY", "openai.api_key"),
            ("opnai.apikey", "openai.api_key"),
            ("ollama.key", "ollama.api_key"),
            ("", "ollama.api_key"),
        ] {
            let found = nearest(slip).unwrap();
            assert!(found == meant || slip.is_empty(), "{slip}: {found}");
        }
        assert_eq!(find("openai.api_ke"), None);
    }
}
