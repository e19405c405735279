//! What a query asks for: terms, each of which FTS5 can look up without misreading any of it.
//!
//! A question is no search expression. Its stopwords go, its other words are joined by OR (AND finds nothing: the answer
//! rarely repeats the question), and each is quoted, so that `C++`, `NEAR(` or `*` are text. What a person puts in double
//! quotes stays together. Scripts without spaces are looked up by pairs of characters.

use crate::stem::stem;
use crate::stopwords::is_stopword;
use crate::window::head;
use crate::words::{Word, cjk_runs, is_cjk, pairs, words};
use std::collections::HashSet;

/// Bytes of a query that are read: a long letter. More says nothing more about what is looked for.
pub const QUERY_BYTES: usize = 32 << 10;

/// Terms that are looked up. A question has five; a pasted page is known by its first sixty-four.
pub const TERMS: usize = 64;

/// Words in one quoted phrase that are kept.
const PHRASE_WORDS: usize = 16;

/// One thing to look up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Term {
    /// A word, folded, with its stem.
    Word { word: String, stem: String },
    /// Words that a person quoted, by their stems: they stand side by side.
    Phrase { words: Vec<String>, stems: Vec<String> },
    /// Two characters of a script without spaces, or one that stands alone.
    Pair(String),
}

impl Term {
    /// The term as an FTS5 string. It holds nothing but letters and digits between its quotes, and spaces in a phrase.
    #[must_use]
    pub fn fts5(&self) -> String {
        match self {
            Self::Word { word, .. } => format!("\"{word}\""),
            Self::Phrase { words, .. } => format!("\"{}\"", words.join(" ")),
            Self::Pair(pair) => format!("\"{pair}\""),
        }
    }

    /// As a person reads it.
    #[must_use]
    pub fn plain(&self) -> String {
        match self {
            Self::Word { word, .. } => word.clone(),
            Self::Phrase { words, .. } => format!("“{}”", words.join(" ")),
            Self::Pair(pair) => pair.clone(),
        }
    }
}

/// A query, taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// What is looked up, each once, in the order of the query; at most [`TERMS`].
    pub terms: Vec<Term>,
    /// All its words, stopwords too, in order: for names and dates.
    pub words: Vec<Word>,
}

impl Query {
    /// Takes any text apart.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = head(text, QUERY_BYTES);
        let all: Vec<Word> = words(text).collect();
        let mut terms = Terms::default();
        for phrase in phrases(text) {
            terms.phrase(phrase);
        }
        let content =
            all.iter().enumerate().filter(|(place, word)| !is_stopword(&word.folded) || is_month(*place, word));
        content.for_each(|(_, word)| terms.word(&word.folded));
        if terms.list.is_empty() {
            // "Who are you?" has nothing else to go by.
            all.iter().for_each(|word| terms.word(&word.folded));
        }
        Self { terms: terms.list, words: all }
    }

    /// The words and phrases as one FTS5 expression, joined by OR; `None` where there are none.
    #[must_use]
    pub fn fts5(&self) -> Option<String> {
        self.joined(|term| !matches!(term, Term::Pair(_)))
    }

    /// The pairs of characters as one FTS5 expression, joined by OR; `None` where there are none.
    #[must_use]
    pub fn fts5_pairs(&self) -> Option<String> {
        self.joined(|term| matches!(term, Term::Pair(_)))
    }

    /// Whether the query has this word, folded.
    #[must_use]
    pub fn names(&self, word: &str) -> bool {
        self.words.iter().any(|other| other.folded == word)
    }

    fn joined(&self, which: impl Fn(&Term) -> bool) -> Option<String> {
        let terms: Vec<String> = self.terms.iter().filter(|term| which(term)).map(Term::fts5).collect();
        (!terms.is_empty()).then(|| terms.join(" OR "))
    }
}

/// "May" is a month inside of a sentence, and "may" is none.
fn is_month(place: usize, word: &Word) -> bool {
    word.folded == "may" && word.capital && place > 0
}

#[derive(Default)]
struct Terms {
    list: Vec<Term>,
    known: HashSet<String>,
}

impl Terms {
    fn add(&mut self, key: String, term: Term) {
        if self.list.len() < TERMS && self.known.insert(key) {
            self.list.push(term);
        }
    }

    fn word(&mut self, folded: &str) {
        for run in cjk_runs(folded) {
            for pair in pairs(run) {
                self.add(pair.clone(), Term::Pair(pair));
            }
        }
        for word in folded.split(is_cjk).filter(|word| !word.is_empty()) {
            let stem = stem(word);
            self.add(stem.clone(), Term::Word { word: word.to_owned(), stem });
        }
    }

    fn phrase(&mut self, text: &str) {
        let words: Vec<String> = words(text).take(PHRASE_WORDS).map(|word| word.folded).collect();
        if words.len() > 1 && !text.contains(is_cjk) {
            let stems: Vec<String> = words.iter().map(|word| stem(word)).collect();
            self.add(stems.join(" "), Term::Phrase { words, stems });
        }
    }
}

/// What stands between double quotes, straight or curly. An opening quote without its closing one opens nothing.
fn phrases(text: &str) -> Vec<&str> {
    let is_quote = |character| matches!(character, '"' | '“' | '”' | '„' | '«' | '»');
    let parts: Vec<&str> = text.split(is_quote).collect();
    let closed = (parts.len() - 1) / 2;
    parts.into_iter().skip(1).step_by(2).take(closed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fts5(query: &str) -> Option<String> {
        Query::parse(query).fts5()
    }

    #[test]
    fn question_becomes_its_content_words_quoted_and_joined_by_or() {
        assert_eq!(fts5("Where does my sister live?").as_deref(), Some("\"sister\" OR \"live\""));
        assert_eq!(fts5("What's the best? The BEST one").as_deref(), Some("\"best\" OR \"one\""));
    }

    #[test]
    fn what_fts5_would_read_as_syntax_is_text() {
        assert_eq!(fts5("C++").as_deref(), Some("\"c\""));
        assert_eq!(
            fts5("foo-bar user:1 NEAR(x").as_deref(),
            Some("\"foo\" OR \"bar\" OR \"user\" OR \"1\" OR \"near\" OR \"x\"")
        );
        for nothing in ["\"", "*", "(", "-", "", "\0", "😀", "\"\"", "' --"] {
            assert_eq!(fts5(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn quoted_words_stay_together_and_count_alone_too() {
        assert_eq!(
            fts5("who said \"to the lighthouse\" and “big red dog”").as_deref(),
            Some(
                "\"to the lighthouse\" OR \"big red dog\" OR \"said\" OR \"lighthouse\" OR \"big\" OR \"red\" OR \"dog\""
            )
        );
        assert_eq!(fts5("an \"open quote").as_deref(), Some("\"open\" OR \"quote\""));
    }

    #[test]
    fn words_of_one_stem_are_one_term() {
        assert_eq!(fts5("running runs run").as_deref(), Some("\"running\""));
    }

    #[test]
    fn stopwords_alone_are_looked_up_after_all() {
        assert_eq!(fts5("who are you?").as_deref(), Some("\"who\" OR \"are\" OR \"you\""));
    }

    #[test]
    fn may_is_a_month_inside_a_sentence() {
        assert_eq!(fts5("What happened in May?").as_deref(), Some("\"happened\" OR \"may\""));
        assert_eq!(fts5("May I see what may happen").as_deref(), Some("\"see\" OR \"happen\""));
    }

    #[test]
    fn scripts_without_spaces_are_looked_up_by_pairs() {
        let query = Query::parse("iPhone手机 東京タワー");
        assert_eq!(query.fts5().as_deref(), Some("\"iphone\""));
        assert_eq!(query.fts5_pairs().as_deref(), Some("\"手机\" OR \"東京\" OR \"京タ\" OR \"タワ\" OR \"ワー\""));
    }

    #[test]
    fn megabyte_of_text_gives_a_bounded_number_of_terms() {
        let long: String = (0..200_000).map(|number| format!("w{number} ")).collect();
        assert_eq!(Query::parse(&long).terms.len(), TERMS);
        assert_eq!(Query::parse(&"猫犬".repeat(200_000)).terms.len(), 2);
        assert!(Query::parse(&"\"".repeat(1 << 20)).terms.is_empty());
    }

    proptest! {
        #[test]
        fn any_text_gives_terms_of_letters_and_digits_alone(text in "\\PC*|.*|[\"'*()+:a-z \\x00]*") {
            for term in Query::parse(&text).terms {
                let quoted = term.fts5();
                let inner = &quoted[1..quoted.len() - 1];
                prop_assert!(!inner.is_empty());
                prop_assert!(!inner.contains(['"', '\0', '*', '(', ')', ':', '+', '-', '^']));
            }
        }
    }
}
