//! How well a text answers a query's words: BM25, as FTS5 computes it (Robertson and Zaragoza, "The Probabilistic Relevance
//! Framework: BM25 and Beyond", 2009; k1 = 1.2, b = 0.75).
//!
//! FTS5 finds candidates by some of the query's terms; here each is weighed by all of them, so that a passage that meaning
//! or a link found is judged by the same measure as one that words found.

use crate::analysis::{Query, Term};
use crate::stem::stem;
use crate::window::head;
use crate::words::{cjk_runs, is_cjk, pairs, words};
use std::collections::HashMap;

const K1: f32 = 1.2;
const B: f32 = 0.75;

/// Bytes of a passage that are read: a chapter. Words beyond it are found, and weigh nothing.
const TEXT_BYTES: usize = 64 << 10;

/// What a word weighs that names who speaks, as a share of its weight in a text: "Thanks, Ana!" is not what Ana said.
const NAME_SHARE: f32 = 0.3;

/// What a word weighs that stands inside of another one only (`fly` in `butterfly`), as a share.
const INSIDE_SHARE: f32 = 0.5;

/// The texts that are searched, as a whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Corpus {
    /// Passages.
    pub rows: u64,
    /// Words in one, on average.
    pub words: f32,
}

/// A query's terms with their weights.
#[derive(Debug, Clone)]
pub struct Weights<'q> {
    query: &'q Query,
    corpus: Corpus,
    idf: Vec<f32>,
    full: f32,
    /// Terms that no passage has as a word of its own.
    inside: Vec<usize>,
    by_stem: HashMap<&'q str, usize>,
}

/// How a text answers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Match {
    pub score: f32,
    /// The query's terms that it has, by their places in [`Query::terms`].
    pub terms: Vec<usize>,
}

/// How rare a term is: the inverse document frequency, never negative.
#[must_use]
pub fn rarity(rows: u64, having: u64) -> f32 {
    let (rows, having) = (rows.max(having) as f32, having as f32);
    (1.0 + (rows - having + 0.5) / (having + 0.5)).ln()
}

impl<'q> Weights<'q> {
    /// `having`: for each of the query's terms, how many passages have it. `speakers`: words of the names of those who speak.
    #[must_use]
    pub fn new(query: &'q Query, corpus: Corpus, having: &[u64], speakers: &[String]) -> Self {
        let mut by_stem = HashMap::new();
        let mut idf = Vec::with_capacity(query.terms.len());
        let mut full = 0.0;
        for (place, term) in query.terms.iter().enumerate() {
            let mut weight = rarity(corpus.rows, having.get(place).copied().unwrap_or(0));
            full += weight;
            match term {
                Term::Word { word, stem } => {
                    by_stem.insert(stem.as_str(), place);
                    if speakers.contains(word) {
                        weight *= NAME_SHARE;
                    }
                }
                Term::Pair(pair) => {
                    by_stem.insert(pair.as_str(), place);
                }
                Term::Phrase { .. } => {}
            }
            idf.push(weight);
        }
        Self { query, corpus, idf, full, inside: Vec::new(), by_stem }
    }

    /// These terms, by their places, count where they stand inside of a word.
    #[must_use]
    pub fn inside(mut self, terms: &[usize]) -> Self {
        self.inside = terms.to_vec();
        self
    }

    /// The score that a text of average length would have that has every term once, if names weighed like other words: who
    /// has only the name has little of what was asked for.
    #[must_use]
    pub fn full(&self) -> f32 {
        self.full
    }

    /// Weighs a text with its tags.
    #[must_use]
    pub fn weigh(&self, text: &str, tags: &str) -> Match {
        let mut counts = vec![0u32; self.query.terms.len()];
        let mut stems: Vec<String> = Vec::new();
        let phrases = self.query.terms.iter().any(|term| matches!(term, Term::Phrase { .. }));
        let mut length = 0u32;
        for word in words(head(text, TEXT_BYTES)).chain(words(tags)) {
            length += 1;
            if word.folded.is_ascii() || !word.folded.contains(is_cjk) {
                let stem = stem(&word.folded);
                if let Some(place) = self.by_stem.get(stem.as_str()) {
                    counts[*place] += 1;
                }
                if phrases {
                    stems.push(stem);
                }
                continue;
            }
            for run in cjk_runs(&word.folded) {
                // Single characters are asked for seldom, and pairs nearly always: both are counted.
                let single = run.chars().map(String::from).filter(|_| run.chars().count() > 1);
                for pair in pairs(run).into_iter().chain(single) {
                    if let Some(place) = self.by_stem.get(pair.as_str()) {
                        counts[*place] += 1;
                    }
                }
            }
            for part in word.folded.split(is_cjk).filter(|part| !part.is_empty()) {
                if let Some(place) = self.by_stem.get(stem(part).as_str()) {
                    counts[*place] += 1;
                }
            }
        }
        for (place, term) in self.query.terms.iter().enumerate() {
            if let Term::Phrase { stems: phrase, .. } = term {
                let found = stems.windows(phrase.len()).filter(|window| window == phrase).count();
                counts[place] = u32::try_from(found).unwrap_or(u32::MAX);
            }
        }
        let mut out = self.sum(&counts, length);
        if !self.inside.is_empty() {
            let lower = head(text, TEXT_BYTES).to_lowercase();
            for place in &self.inside {
                if let Some(Term::Word { word, .. }) = self.query.terms.get(*place)
                    && counts[*place] == 0
                    && lower.contains(word.as_str())
                {
                    out.score += INSIDE_SHARE * self.idf[*place];
                    out.terms.push(*place);
                }
            }
        }
        out
    }

    fn sum(&self, counts: &[u32], length: u32) -> Match {
        let mut out = Match::default();
        let norm = K1 * (1.0 - B + B * length as f32 / self.corpus.words.max(1.0));
        for (place, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let count = *count as f32;
            out.score += self.idf[place] * count * (K1 + 1.0) / (count + norm);
            out.terms.push(place);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORPUS: Corpus = Corpus { rows: 1000, words: 8.0 };

    #[test]
    fn rare_terms_weigh_more_and_no_term_weighs_less_than_nothing() {
        assert!(rarity(1000, 1) > rarity(1000, 100));
        assert!(rarity(1000, 1000) >= 0.0 && rarity(10, 1000) >= 0.0);
    }

    #[test]
    fn text_is_weighed_by_stems_and_says_which_terms_it_has() {
        let query = Query::parse("moving to Lisbon");
        let weights = Weights::new(&query, CORPUS, &[10, 1], &[]);
        let both = weights.weigh("she moved to lisbon", "");
        let one = weights.weigh("she moved to porto", "");
        assert_eq!((both.terms.as_slice(), one.terms.as_slice()), (&[0, 1][..], &[0][..]));
        assert!(both.score > one.score && one.score > 0.0);
        assert_eq!(weights.weigh("nothing of it", ""), Match::default());
        assert_eq!(weights.weigh("nothing", "lisbon").terms, [1]);
    }

    #[test]
    fn short_text_outweighs_a_long_one_with_the_same_words() {
        let query = Query::parse("piano");
        let weights = Weights::new(&query, CORPUS, &[5], &[]);
        assert!(
            weights.weigh("a piano", "").score
                > weights.weigh(&format!("a piano {}", "and more ".repeat(30)), "").score
        );
    }

    #[test]
    fn phrase_counts_where_its_words_stand_side_by_side() {
        let query = Query::parse("\"red house\"");
        let weights = Weights::new(&query, CORPUS, &[1, 10, 10], &[]);
        assert!(weights.weigh("two red houses", "").terms.contains(&0));
        assert!(!weights.weigh("a red big house", "").terms.contains(&0));
    }

    #[test]
    fn name_of_a_speaker_in_the_text_weighs_little() {
        let query = Query::parse("Ana piano");
        let plain = Weights::new(&query, CORPUS, &[10, 10], &[]).weigh("hello ana", "");
        let named = Weights::new(&query, CORPUS, &[10, 10], &["ana".to_owned()]).weigh("hello ana", "");
        assert!(named.score < plain.score * 0.5);
        let weights = Weights::new(&query, Corpus { words: 2.0, ..CORPUS }, &[10, 10], &["ana".to_owned()]);
        assert!(weights.weigh("Ana piano", "").score < weights.full() * 0.7);
    }

    #[test]
    fn word_inside_of_another_counts_where_it_was_asked_for_so() {
        let query = Query::parse("fly");
        let weights = Weights::new(&query, CORPUS, &[1], &[]);
        assert!(weights.weigh("a butterfly", "").terms.is_empty());
        let inside = weights.clone().inside(&[0]).weigh("a Butterfly", "");
        assert_eq!(inside.terms, [0]);
        assert!(inside.score < weights.weigh("a fly", "").score);
    }

    #[test]
    fn pairs_are_found_inside_longer_runs() {
        let query = Query::parse("东京 猫");
        let weights = Weights::new(&query, CORPUS, &[1, 1], &[]);
        assert_eq!(weights.weigh("我在东京塔看到了小猫", "").terms, [0, 1]);
    }
}
