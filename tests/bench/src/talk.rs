//! Made-up talk: words as often as words are in a language (Zipf's law), the same in every run.

/// Words that there are; an English speaker uses about so many.
const VOCABULARY: usize = 20_000;

/// Words of one message, at least and at most.
const SHORTEST: u64 = 8;
const LONGEST: u64 = 24;

/// Words of one question: some from what it asks for, some that are in every second message.
const FROM_MESSAGE: u64 = 4;
const COMMON: u64 = 2;
const COMMON_WORDS: u64 = 40;

/// Messages of one conversation.
const CONVERSATION: usize = 500;

/// 1 January 2024 in Unix ms; then a message a minute.
const BEGIN_MS: u64 = 1_704_067_200_000;

/// Steele, Lea and Flood's `SplitMix64`.
#[must_use]
pub fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The generator.
#[derive(Debug)]
pub struct Talk {
    words: Vec<String>,
    /// Up to which share of all words each one goes, times 2^64.
    upto: Vec<u64>,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub id: String,
    pub conversation: String,
    pub speaker: &'static str,
    pub text: String,
    pub at_unix_ms: u64,
}

impl Default for Talk {
    fn default() -> Self {
        let words = (0..VOCABULARY).map(|rank| word(rank as u64)).collect();
        let all: f64 = (1..=VOCABULARY).map(|rank| 1.0 / rank as f64).sum();
        let mut sum = 0.0;
        let upto = (1..=VOCABULARY).map(|rank| {
            sum += 1.0 / rank as f64;
            (sum / all * u64::MAX as f64) as u64
        });
        let upto = upto.collect();
        Self { words, upto }
    }
}

impl Talk {
    /// The words of message `n`.
    fn ranks(&self, n: usize) -> impl Iterator<Item = usize> {
        let seed = mix(n as u64);
        let count = SHORTEST + seed % (LONGEST - SHORTEST + 1);
        (0..count).map(move |place| {
            let chance = mix(seed.wrapping_add(place + 1));
            self.upto.partition_point(|upto| *upto < chance).min(VOCABULARY - 1)
        })
    }

    /// Message `n`.
    #[must_use]
    pub fn message(&self, n: usize) -> Message {
        let words: Vec<&str> = self.ranks(n).map(|rank| self.words[rank].as_str()).collect();
        Message {
            id: format!("m{n}"),
            conversation: format!("c{}", n / CONVERSATION),
            speaker: ["Ana", "Bo"][n % 2],
            text: words.join(" "),
            at_unix_ms: BEGIN_MS + n as u64 * 60_000,
        }
    }

    /// What is asked by question `n` of so many messages.
    #[must_use]
    pub fn question(&self, n: usize, messages: usize) -> String {
        let seed = mix(0x0071_0000 + n as u64);
        let ranks: Vec<usize> = self.ranks((seed % messages as u64) as usize).collect();
        let pick = |place: u64| ranks[(mix(seed + place) % ranks.len() as u64) as usize];
        let common = |place: u64| (mix(seed + 100 + place) % COMMON_WORDS) as usize;
        let ranks = (0..FROM_MESSAGE).map(pick).chain((0..COMMON).map(common));
        ranks.map(|rank| self.words[rank].as_str()).collect::<Vec<_>>().join(" ")
    }
}

/// A word that looks like none of English, so that nobody takes it for a stopword: syllables that tell the rank.
fn word(rank: u64) -> String {
    const FIRST: [&str; 16] = ["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "br", "kr"];
    const THEN: [&str; 4] = ["a", "e", "i", "o"];
    let mut word = String::new();
    let mut rest = rank + 64;
    while rest > 0 {
        word.push_str(FIRST[(rest % 16) as usize]);
        word.push_str(THEN[(rest / 16 % 4) as usize]);
        rest /= 64;
    }
    word.push('x');
    word
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn talk_is_the_same_in_every_run_and_its_words_are_told_apart() {
        let talk = Talk::default();
        assert_eq!(talk.words.iter().collect::<HashSet<_>>().len(), VOCABULARY);
        assert_eq!(talk.message(7), Talk::default().message(7));
        assert_ne!(talk.message(7).text, talk.message(8).text);
        assert_eq!(talk.question(3, 100).split(' ').count() as u64, FROM_MESSAGE + COMMON);
    }

    #[test]
    fn words_are_as_often_as_in_a_language() {
        let talk = Talk::default();
        let having = |word: &str| (0..2000).filter(|n| talk.message(*n).text.split(' ').any(|one| one == word)).count();
        let (first, tenth, thousandth) = (having(&talk.words[0]), having(&talk.words[9]), having(&talk.words[999]));
        assert!(first > 1000 && tenth > 100 && tenth < first && thousandth < 20, "{first} {tenth} {thousandth}");
    }
}
