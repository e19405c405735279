//! How many tokens a text takes in a model's prompt, without the model.

/// Bytes of a Latin text that make a token: the tokenizers in use have 3.5 to 4.5 for English prose, fewer for names and
/// code. Rather too many than too few: what does not fit is cut off silently by servers.
const BYTES_PER_TOKEN: usize = 4;

/// An estimate that errs on the high side: a token for every four bytes of ASCII, for every short word, and for every
/// other character.
#[must_use]
pub fn estimate(text: &str) -> u32 {
    let mut tokens = 0usize;
    let mut run = 0usize;
    for character in text.chars() {
        if character.is_ascii_alphanumeric() {
            run += 1;
            continue;
        }
        tokens += run.div_ceil(BYTES_PER_TOKEN);
        run = 0;
        // A space goes with the word that it stands before.
        tokens += usize::from(!character.is_ascii_whitespace());
    }
    tokens += run.div_ceil(BYTES_PER_TOKEN);
    u32::try_from(tokens).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimate_grows_with_the_text_and_counts_every_character_of_cjk() {
        assert_eq!(estimate(""), 0);
        assert_eq!(estimate("a cat sat."), 4);
        assert_eq!(estimate("understanding"), 4);
        assert_eq!(estimate("東京タワー"), 5);
        assert!(estimate(&"word ".repeat(1000)) >= 1000);
    }
}
