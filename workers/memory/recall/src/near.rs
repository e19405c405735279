//! Near-duplicates: the same thing said twice takes the place of something else only once.

use crate::words::words;
use std::collections::HashSet;

/// Share of words that two texts have in common (Jaccard), from which they are the same thing.
pub const SAME: f32 = 0.9;

/// The words of a text, for comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Print(HashSet<String>);

impl Print {
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(words(text).map(|word| word.folded).collect())
    }

    /// Whether two texts say the same in nearly the same words.
    #[must_use]
    pub fn is_near(&self, other: &Self) -> bool {
        let (few, many) = if self.0.len() < other.0.len() { (self, other) } else { (other, self) };
        if few.0.is_empty() || (few.0.len() as f32) < SAME * many.0.len() as f32 {
            return false;
        }
        let common = few.0.iter().filter(|word| many.0.contains(*word)).count();
        let all = few.0.len() + many.0.len() - common;
        common as f32 >= SAME * all as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_words_are_near_and_other_words_are_not() {
        let print = Print::of("I bought a blue bike yesterday!");
        assert!(print.is_near(&Print::of("i bought a BLUE bike, yesterday")));
        assert!(!print.is_near(&Print::of("I bought a red bike yesterday")));
        assert!(!print.is_near(&Print::of("I sold it")));
        assert!(!Print::of("😀").is_near(&Print::of("🎉")));
    }
}
