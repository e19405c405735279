//! A sentence that is being read: its words, what stands before the statement, and names.

use super::lexicon::{ENDS, LEADS, NOT_NAMES, NOTE};
use super::rules::Taken;
use super::sentences::Sentence;
use butterfly_store::facts::{NAME_BYTES, Object, Statement, Thing};

/// A sentence that is being read.
pub(super) struct Reader<'a> {
    pub(super) words: Vec<&'a str>,
    /// In lower case, without punctuation around it.
    pub(super) low: Vec<String>,
    /// How far it has been read.
    pub(super) at: usize,
    pub(super) me: &'a str,
    pub(super) said_ms: i64,
}

impl<'a> Reader<'a> {
    pub(super) fn new(sentence: &Sentence<'a>, me: &'a str, said_ms: i64) -> Self {
        let mut words = Vec::new();
        let mut low = Vec::new();
        for word in sentence.text.split_whitespace() {
            // What was quoted is a word that no pattern has.
            let plain = if word.contains('\u{1}') { "\u{1}".to_owned() } else { plain(word) };
            match plain.as_str() {
                "" => continue,
                "i'm" | "im" => low.extend(["i".to_owned(), "am".to_owned()]),
                "i've" => low.extend(["i".to_owned(), "have".to_owned()]),
                "name's" => low.extend(["name".to_owned(), "is".to_owned()]),
                _ => low.push(plain),
            }
            words.push(word);
            if low.len() > words.len() {
                // The second of two words that are written as one has no text of its own.
                words.push(&word[word.len()..]);
            }
        }
        Self { words, low, at: 0, me, said_ms }
    }

    pub(super) fn word(&self, place: usize) -> &str {
        self.low.get(place).map_or("", String::as_str)
    }

    pub(super) fn starts(&self, place: usize, with: &[&str]) -> bool {
        with.iter().enumerate().all(|(offset, word)| self.word(place + offset) == *word)
    }

    /// Whether this word ends with a comma, a colon or a bracket: what follows is another thought.
    pub(super) fn pauses(&self, place: usize) -> bool {
        self.words.get(place).is_some_and(|word| word.ends_with([',', ':', ')', '–', '—']))
    }

    /// Passes over what stands before the statement itself.
    pub(super) fn leads(&mut self) {
        loop {
            let lead = LEADS.iter().find(|lead| self.starts(self.at, lead));
            let length = match lead {
                Some(lead) => lead.len(),
                // `No, my sister …`, not `No sister …`.
                None if self.word(self.at) == "no"
                    && (self.pauses(self.at) || matches!(self.word(self.at + 1), "my" | "i" | "not" | "actually")) =>
                {
                    1
                }
                None if self.word(self.at) == "it's" && self.low[self.at..].iter().any(|word| word == "not") => 1,
                None => return,
            };
            if self.at + length >= self.low.len() {
                return;
            }
            self.at += length;
        }
    }

    /// Passes over `remember that`, and returns the address at which the words after it begin.
    pub(super) fn note(&mut self) -> Option<usize> {
        let asked = NOTE.iter().filter(|words| self.starts(self.at, words)).map(|words| words.len()).max()?;
        let mut next = self.at + asked;
        let colon = self.words.get(next - 1).is_some_and(|word| word.ends_with(':'));
        let that = self.word(next) == "that";
        if that {
            next += 1;
        }
        let first = self.word(next);
        // A noun (`note the difference`), or a memory of the speaker's own (`remember when we …`).
        let bare_note = self.word(self.at) == "note" && asked == 1 && !colon && !that;
        let reminisces = matches!(
            first,
            "when" | "how" | "what" | "who" | "why" | "where" | "me" | "us" | "if" | "whether" | "him" | "her"
        );
        if bare_note || reminisces && !that && !colon {
            return None;
        }
        let end = self.words.get(next - 1).map(|word| word.as_ptr() as usize + word.len())?;
        self.at = next;
        Some(end)
    }

    /// Takes `not A but B` and `B, not A` apart: `B` stays. Returns A.
    pub(super) fn contrast(&mut self) -> Option<String> {
        let not = (self.at..self.low.len()).find(|place| self.word(*place) == "not")?;
        let but = (not + 2..self.low.len().min(not + 6)).find(|place| self.word(*place) == "but");
        let (from, to, old) = match but {
            Some(but) => (not, but + 1, not + 1..but),
            None => {
                let joined = not > self.at && self.word(not - 1) == "and";
                let from = if joined { not - 1 } else { not };
                if from <= self.at || !(joined || self.pauses(from - 1)) || self.low.len() > not + 5 {
                    return None;
                }
                (from, self.low.len(), not + 1..self.low.len())
            }
        };
        let mut old: Vec<&str> = self.words[old].to_vec();
        if old.first().is_some_and(|word| matches!(plain(word).as_str(), "in" | "at" | "to")) {
            old.remove(0);
        }
        let old = trimmed(&old);
        self.words.drain(from..to);
        self.low.drain(from..to);
        (!old.is_empty()).then_some(old)
    }

    /// A run of at most three words with capitals.
    pub(super) fn name(&self, at: usize) -> Option<(String, usize)> {
        let mut end = at;
        while end < self.words.len() && end < at + 3 {
            let word = self.words[end].trim_matches(|c: char| !c.is_alphanumeric());
            if !word.chars().next().is_some_and(char::is_uppercase) || NOT_NAMES.contains(&self.word(end)) {
                break;
            }
            end += 1;
            if self.pauses(end - 1) || self.word(end - 1).ends_with("'s") {
                break;
            }
        }
        (end > at).then(|| (trimmed(&self.words[at..end]), end))
    }

    /// Where an object that begins at `at` ends.
    pub(super) fn object_end(&self, at: usize) -> usize {
        let mut end = at;
        while end < self.low.len() && (end == at || !ENDS.contains(&self.word(end))) {
            end += 1;
            if self.pauses(end - 1) {
                break;
            }
        }
        end
    }

    pub(super) fn state(&self, taken: &mut Taken, who: String, relation: &str, object: Object, from_ms: i64) {
        let text = match &object {
            Object::Thing(thing) => &thing.name,
            Object::Value(value) => value,
        };
        if text.is_empty() || text.len() > NAME_BYTES || who.len() > NAME_BYTES {
            return;
        }
        let statement = Statement { subject: Thing::entity(who), relation: relation.to_owned(), object, from_ms };
        if !taken.statements.contains(&statement) {
            taken.statements.push(statement);
        }
    }
}

pub(super) fn date(ms: i64) -> String {
    let (year, month, day) = butterfly_recall::moment::civil(ms);
    format!("{year:04}-{month:02}-{day:02}")
}

pub(super) fn thing(name: String) -> Object {
    Object::Thing(Thing::entity(name))
}

/// Words as one text, without the punctuation around them.
pub(super) fn trimmed(words: &[&str]) -> String {
    let words: Vec<&str> = words.iter().copied().filter(|word| !word.is_empty()).collect();
    let text = words.join(" ");
    text.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '+' | '#')).to_owned()
}

/// A word in lower case, without the punctuation around it.
pub(super) fn plain(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).replace(['’', '‘', 'ʼ'], "'").to_lowercase()
}

/// Whether each word begins with a capital or a digit.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.split_whitespace().all(|word| word.starts_with(|c: char| c.is_uppercase() || c.is_numeric()))
}

/// `Ana's`: Ana.
pub(super) fn owner(name: &str) -> Option<String> {
    let name = name.replace(['’', '‘', 'ʼ'], "'");
    name.strip_suffix("'s").map(str::to_owned)
}

pub(super) fn owner_of_nothing(name: &str) -> bool {
    owner(name).is_none()
}
