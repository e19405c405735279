//! The Porter stemmer, in the variant that FTS5's `porter` tokenizer has (Porter, "An algorithm for suffix stripping",
//! 1980). The store's tests compare the two word by word.

/// Words longer than this are left alone, in bytes, as in FTS5.
const LONGEST: usize = 64;

/// The stem of a folded word.
#[must_use]
pub fn stem(word: &str) -> String {
    // Suffixes are ASCII; a word that has other bytes keeps them, and is cut only where it stays UTF-8.
    if word.len() < 3 || word.len() > LONGEST {
        return word.to_owned();
    }
    let mut stem = Stem(word.as_bytes().to_vec());
    stem.step_1a();
    stem.step_1b();
    stem.step_1c();
    stem.replace(STEP_2, 1);
    stem.replace(STEP_3, 1);
    stem.step_4();
    stem.step_5();
    String::from_utf8(stem.0).unwrap_or_else(|_| word.to_owned())
}

const STEP_2: &[(&str, &str)] = &[
    ("ational", "ate"),
    ("tional", "tion"),
    ("enci", "ence"),
    ("anci", "ance"),
    ("izer", "ize"),
    ("logi", "log"),
    ("bli", "ble"),
    ("alli", "al"),
    ("entli", "ent"),
    ("eli", "e"),
    ("ousli", "ous"),
    ("ization", "ize"),
    ("ation", "ate"),
    ("ator", "ate"),
    ("alism", "al"),
    ("iveness", "ive"),
    ("fulness", "ful"),
    ("ousness", "ous"),
    ("aliti", "al"),
    ("iviti", "ive"),
    ("biliti", "ble"),
];

const STEP_3: &[(&str, &str)] =
    &[("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", "")];

/// Longer suffixes stand before those that they end in.
const STEP_4: &[&str] = &[
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ou", "ism", "ate", "iti", "ous",
    "ive", "ize",
];

struct Stem(Vec<u8>);

impl Stem {
    /// Where vowels stand: `y` is one after a consonant.
    fn vowels(&self, length: usize) -> impl Iterator<Item = bool> + '_ {
        let mut consonant = false;
        self.0[..length].iter().map(move |byte| {
            let vowel = matches!(byte, b'a' | b'e' | b'i' | b'o' | b'u') || (*byte == b'y' && consonant);
            consonant = !vowel;
            vowel
        })
    }

    /// The number of vowel-consonant sequences in the first `length` bytes.
    fn measure(&self, length: usize) -> usize {
        let mut before = false;
        let mut count = 0;
        for vowel in self.vowels(length) {
            if before && !vowel {
                count += 1;
            }
            before = vowel;
        }
        count
    }

    fn has_vowel(&self, length: usize) -> bool {
        self.vowels(length).any(|vowel| vowel)
    }

    /// Ends consonant-vowel-consonant, the last no w, x or y.
    fn ends_short(&self, length: usize) -> bool {
        if length < 3 || matches!(self.0[length - 1], b'w' | b'x' | b'y') {
            return false;
        }
        let last: Vec<bool> = self.vowels(length).skip(length - 3).collect();
        last == [false, true, false]
    }

    fn ends(&self, suffix: &str) -> bool {
        self.0.len() > suffix.len() && self.0.ends_with(suffix.as_bytes())
    }

    fn without(&self, suffix: &str) -> usize {
        self.0.len() - suffix.len()
    }

    fn step_1a(&mut self) {
        let length = self.0.len();
        if self.0[length - 1] != b's' {
            return;
        }
        if self.0[length - 2] == b'e' {
            let double = length > 4 && self.0[length - 4] == b's' && self.0[length - 3] == b's';
            let ies = length > 3 && self.0[length - 3] == b'i';
            self.0.truncate(if double || ies { length - 2 } else { length - 1 });
        } else if self.0[length - 2] != b's' {
            self.0.truncate(length - 1);
        }
    }

    fn step_1b(&mut self) {
        if self.ends("eed") {
            if self.measure(self.without("eed")) > 0 {
                self.0.pop();
            }
            return;
        }
        let Some(suffix) = ["ed", "ing"].into_iter().find(|suffix| self.ends(suffix)) else { return };
        let length = self.without(suffix);
        if !self.has_vowel(length) {
            return;
        }
        self.0.truncate(length);
        if self.ends("at") || self.ends("bl") || self.ends("iz") {
            self.0.push(b'e');
            return;
        }
        let last = self.0[length - 1];
        let double = length > 1 && last == self.0[length - 2] && last.is_ascii();
        if double && !matches!(last, b'a' | b'e' | b'i' | b'o' | b'u' | b'l' | b's' | b'z') {
            self.0.pop();
        } else if self.measure(length) == 1 && self.ends_short(length) {
            self.0.push(b'e');
        }
    }

    fn step_1c(&mut self) {
        let length = self.0.len();
        if self.0[length - 1] == b'y' && self.has_vowel(length - 1) {
            self.0[length - 1] = b'i';
        }
    }

    /// The first suffix that fits is the one; it is replaced where what is before it measures enough.
    fn replace(&mut self, table: &[(&str, &str)], least: usize) {
        let Some((suffix, with)) = table.iter().find(|(suffix, _)| self.ends(suffix)) else { return };
        let length = self.without(suffix);
        if self.measure(length) >= least {
            self.0.truncate(length);
            self.0.extend_from_slice(with.as_bytes());
        }
    }

    fn step_4(&mut self) {
        let ion = self.ends("ion") && matches!(self.0[self.without("ion") - 1], b's' | b't');
        let length = if ion {
            self.without("ion")
        } else {
            match STEP_4.iter().find(|suffix| self.ends(suffix)) {
                Some(suffix) => self.without(suffix),
                None => return,
            }
        };
        if self.measure(length) > 1 {
            self.0.truncate(length);
        }
    }

    fn step_5(&mut self) {
        let length = self.0.len();
        if self.0[length - 1] == b'e' {
            let measure = self.measure(length - 1);
            if measure > 1 || (measure == 1 && !self.ends_short(length - 1)) {
                self.0.pop();
            }
        }
        let length = self.0.len();
        if self.ends("ll") && self.measure(length - 1) > 1 {
            self.0.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stems_are_those_of_porters_paper() {
        for (word, expected) in [
            ("caresses", "caress"),
            ("ponies", "poni"),
            ("cats", "cat"),
            ("agreed", "agre"),
            ("plastered", "plaster"),
            ("motoring", "motor"),
            ("sing", "sing"),
            ("conflated", "conflat"),
            ("hopping", "hop"),
            ("falling", "fall"),
            ("filing", "file"),
            ("happy", "happi"),
            ("sky", "sky"),
            ("relational", "relat"),
            ("vietnamization", "vietnam"),
            ("triplicate", "triplic"),
            ("hopefulness", "hope"),
            ("adoption", "adopt"),
            ("replacement", "replac"),
            ("probate", "probat"),
            ("controlling", "control"),
        ] {
            assert_eq!(stem(word), expected, "{word}");
        }
    }

    proptest! {
        #[test]
        fn any_word_has_a_stem_no_longer_than_itself(word in "\\PC{0,80}") {
            prop_assert!(stem(&word).len() <= word.len() + 1);
        }
    }
}
