//! Words of a text, cut and folded as FTS5's `unicode61 remove_diacritics 2` does, and the characters of scripts that are
//! written without spaces.
//!
//! It does not stem and does not know stopwords. Its cut need not be the same as SQLite's to the last rare character: what
//! SQLite looks up it cuts itself, and what is scored here is read by both sides of the comparison with this one.

use unicode_normalization::char::decompose_canonical;

/// A word as it stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Lower case, without diacritics on Latin letters.
    pub folded: String,
    /// It began with a capital letter in the text.
    pub capital: bool,
}

/// Scripts without spaces between words: Han, kana, Hangul. They are found by pairs of characters.
#[must_use]
pub fn is_cjk(character: char) -> bool {
    matches!(u32::from(character),
        0x3041..=0x30ff | 0x31f0..=0x31ff | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xac00..=0xd7a3 | 0xf900..=0xfaff
        | 0xff66..=0xff9d | 0x20000..=0x2fa1f)
}

/// Letters, digits and private use, as FTS5 has it; marks that sit on a letter belong to it.
fn is_word(character: char) -> bool {
    character.is_alphanumeric() || is_mark(character) || matches!(character, '\u{e000}'..='\u{f8ff}')
}

/// Combining diacritical marks: part of a word, and dropped from it.
fn is_mark(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}')
}

fn fold_into(out: &mut String, character: char) {
    if character.is_ascii() {
        out.push(character.to_ascii_lowercase());
        return;
    }
    if is_mark(character) {
        return;
    }
    for lower in character.to_lowercase() {
        let mut base = None;
        decompose_canonical(lower, |part| {
            base.get_or_insert(part);
        });
        // Latin alone loses its marks: elsewhere they make another letter (й is not и).
        match base {
            Some(base) if base.is_ascii_alphabetic() => out.push(base),
            Some(_) | None if is_mark(lower) => {}
            Some(_) | None => out.push(lower),
        }
    }
}

/// The words of `text`, in order. A run of CJK characters is one word, as it is for FTS5.
pub fn words(text: &str) -> impl Iterator<Item = Word> + '_ {
    text.split(|character| !is_word(character)).filter_map(|run| {
        let first = run.chars().next()?;
        let mut folded = String::with_capacity(run.len());
        run.chars().for_each(|character| fold_into(&mut folded, character));
        (!folded.is_empty()).then(|| Word { folded, capital: first.is_uppercase() })
    })
}

/// Runs of CJK characters in `text`, in order.
pub fn cjk_runs(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character| !is_cjk(character)).filter(|run| !run.is_empty())
}

/// What a run of CJK characters is looked up by: its pairs, or the character if it is alone.
#[must_use]
pub fn pairs(run: &str) -> Vec<String> {
    let characters: Vec<char> = run.chars().collect();
    match characters.as_slice() {
        [alone] => vec![alone.to_string()],
        more => more.windows(2).map(|pair| pair.iter().collect()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> Vec<String> {
        words(text).map(|word| word.folded).collect()
    }

    #[test]
    fn words_are_cut_at_what_is_no_letter_or_digit() {
        assert_eq!(
            folded("what's C++ foo-bar user:1 (x) \"y\" *"),
            ["what", "s", "c", "foo", "bar", "user", "1", "x", "y"]
        );
    }

    #[test]
    fn latin_letters_lose_their_marks_and_others_keep_them() {
        assert_eq!(folded("Café ÅNGSTRÖM e\u{301}tude Ý"), ["cafe", "angstrom", "etude", "y"]);
        assert_eq!(folded("Мой"), ["мой"]);
        assert_eq!(folded("한국어"), ["한국어"]);
    }

    #[test]
    fn right_to_left_text_emoji_and_nul_are_cut_too() {
        assert_eq!(folded("שלום עולם"), ["שלום", "עולם"]);
        assert_eq!(folded("a\0b 😀 c"), ["a", "b", "c"]);
        assert!(folded("😀\u{301}\0").is_empty());
    }

    #[test]
    fn runs_of_cjk_give_pairs_and_single_characters_themselves() {
        assert_eq!(cjk_runs("iPhone手机 と 東京タワー").collect::<Vec<_>>(), ["手机", "と", "東京タワー"]);
        assert_eq!(pairs("東京タワー"), ["東京", "京タ", "タワ", "ワー"]);
        assert_eq!(pairs("猫"), ["猫"]);
    }
}
