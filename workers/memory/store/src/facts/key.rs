//! How names are compared, and which names a text may hold.
//!
//! It is *not* a language model: it knows words, possessives and the first person, nothing of meaning.

/// The entity that stands for the person whose assistant this is.
pub const USER: &str = "user";

/// Words of a text that are looked at. A question is shorter; a whole page names nothing in particular.
const WORDS: usize = 96;

/// Words that one name may have: `user's sister's best friend` has four.
const NAME_WORDS: usize = 5;

/// Characters that one name without spaces (Chinese, Japanese) may have.
const NAME_CHARACTERS: usize = 8;

/// A name that a text may hold, and which of its words that takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub key: String,
    /// The first of its words, and one past the last.
    pub first: usize,
    pub end: usize,
}

/// A name as it is compared: lower case, single spaces, no punctuation around it, and in the third person
/// (`My sister` is `user's sister`).
#[must_use]
pub fn key(name: &str) -> String {
    let mut words = words(name);
    if words.len() > 1 && matches!(words[0].as_str(), "the" | "a" | "an") {
        words.remove(0);
    }
    for word in &mut words {
        *word = third_person(word).to_owned();
    }
    words.join(" ")
}

/// The words of a text, in lower case: letters and digits with the apostrophes, hyphens, dots and signs between them.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    text.split(|c: char| c.is_whitespace() || matches!(c, '"' | '“' | '”' | '„' | '«' | '»' | '(' | ')' | '[' | ']'))
        .map(|word| word.replace(['’', '‘', 'ʼ'], "'").to_lowercase())
        .map(|word| {
            // `+` and `#` end names of their own: C++, C#.
            let word = word.trim_start_matches(|c: char| !c.is_alphanumeric());
            word.trim_end_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '+' | '#')).to_owned()
        })
        .filter(|word| !word.is_empty())
        .collect()
}

/// The first person's words as the third person's.
fn third_person(word: &str) -> &str {
    match word {
        "my" | "mine" | "our" => "user's",
        "i" | "me" | "myself" | "i'm" | "i've" | "i'd" => USER,
        other => other,
    }
}

/// All names that `text` may hold, longest first: runs of up to five words, without a possessive ending, and runs of
/// characters where words are written without spaces.
#[must_use]
pub fn candidates(text: &str) -> Vec<Candidate> {
    let mut words = words(text);
    words.truncate(WORDS);
    let spoken: Vec<String> = words.iter().map(|word| third_person(word).to_owned()).collect();
    let mut found = Vec::new();
    for length in (1..=NAME_WORDS.min(spoken.len())).rev() {
        for first in 0..=spoken.len() - length {
            let name = spoken[first..first + length].join(" ");
            let end = first + length;
            // `my` alone is not the user: what is meant is something of theirs.
            if length == 1 && matches!(words[first].as_str(), "my" | "mine" | "our") {
                continue;
            }
            if let Some(owner) = name.strip_suffix("'s").or_else(|| name.strip_suffix('\'')) {
                found.push(Candidate { key: owner.to_owned(), first, end });
            }
            found.push(Candidate { key: name, first, end });
        }
    }
    for (place, word) in spoken.iter().enumerate().filter(|(_, word)| word.chars().any(is_unspaced)) {
        let characters: Vec<char> = word.chars().take(WORDS).collect();
        for length in (2..=NAME_CHARACTERS.min(characters.len())).rev() {
            for run in characters.windows(length).filter(|run| run.iter().all(|c| is_unspaced(*c))) {
                found.push(Candidate { key: run.iter().collect(), first: place, end: place + 1 });
            }
        }
    }
    found
}

/// Whether words of this character's script are written without spaces between them.
fn is_unspaced(character: char) -> bool {
    matches!(u32::from(character), 0x3040..=0x30FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3134F)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case_spaces_and_person() {
        for (name, expected) in [
            ("  My   Sister ", "user's sister"),
            ("my sister’s dog", "user's sister's dog"),
            ("The Blue Note.", "blue note"),
            ("me", "user"),
            ("C++", "c++"),
            ("“Ana”", "ana"),
            ("Straße", "straße"),
            ("...", ""),
            ("the", "the"),
        ] {
            assert_eq!(key(name), expected, "{name:?}");
        }
    }

    #[test]
    fn question_holds_the_possessive_name() {
        let keys: Vec<String> =
            candidates("Where does my sister live?").into_iter().map(|candidate| candidate.key).collect();
        assert!(keys.contains(&"user's sister".to_owned()));
        assert!(!keys.contains(&"user".to_owned()), "my sister is not me");
        let keys: Vec<String> = candidates("What's Ana's birthday?").into_iter().map(|c| c.key).collect();
        assert!(keys.contains(&"ana".to_owned()));
    }

    #[test]
    fn name_without_spaces_is_found_within_a_sentence() {
        assert!(candidates("王小明住在哪里").iter().any(|candidate| candidate.key == "王小明"));
    }

    #[test]
    fn a_long_text_yields_a_bounded_number() {
        assert!(candidates(&"word's ".repeat(200_000)).len() < 1200);
        assert!(candidates(&"字".repeat(100_000)).len() < 1200);
    }
}
