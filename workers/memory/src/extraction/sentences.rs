//! What of a text is said by its speaker, in earnest: sentences without code, quotations, questions, conditions, doubts,
//! negations and hearsay.
//!
//! It errs towards silence: what it lets through is taken as true.

/// A sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sentence<'a> {
    /// Without its final mark.
    pub(crate) text: &'a str,
    pub(crate) question: bool,
    /// Where it ends in the whole text.
    pub(crate) end: usize,
}

/// Words before a full stop that do not end a sentence.
const ABBREVIATIONS: &[&str] =
    &["dr", "mr", "mrs", "ms", "st", "prof", "e.g", "i.e", "vs", "no", "nr", "jr", "sr", "approx", "etc"];

/// Sentences that begin so ask or suppose something, whatever mark they end with.
const ASKING: &[&str] = &[
    "what",
    "where",
    "when",
    "who",
    "whose",
    "whom",
    "which",
    "why",
    "how",
    "is",
    "are",
    "do",
    "does",
    "did",
    "can",
    "could",
    "would",
    "will",
    "shall",
    "should",
    "has",
    "have",
    "had",
    "am",
    "was",
    "were",
    "may",
    "might",
    "if",
    "unless",
    "suppose",
    "imagine",
    "pretend",
    "let's",
    "write",
    "translate",
    "say",
    "repeat",
    "act",
    "assume",
    "what's",
    "where's",
    "who's",
    "when's",
    "how's",
    "isn't",
    "aren't",
    "don't",
    "doesn't",
    "didn't",
    "can't",
    "tell",
    "explain",
    "summarise",
    "summarize",
    "correct",
    "rewrite",
    "complete",
    "continue",
];

/// Words that make a sentence something other than a plain statement of fact.
const DOUBTS: &[&str] = &[
    "if",
    "unless",
    "would",
    "could",
    "might",
    "may",
    "maybe",
    "perhaps",
    "probably",
    "possibly",
    "wish",
    "wishes",
    "hope",
    "hopes",
    "think",
    "thinks",
    "thought",
    "guess",
    "suppose",
    "supposed",
    "believe",
    "believes",
    "doubt",
    "said",
    "says",
    "say",
    "told",
    "tells",
    "heard",
    "hear",
    "according",
    "supposedly",
    "apparently",
    "allegedly",
    "reportedly",
    "rumour",
    "rumor",
    "claims",
    "claimed",
    "claim",
    "joke",
    "joking",
    "kidding",
    "example",
    "hypothetically",
    "pretend",
    "imagine",
    "dream",
    "dreamt",
    "dreamed",
    "dreams",
    "wants",
    "want",
    "wanted",
    "almost",
    "nearly",
    "should",
    "lie",
    "lied",
    "lying",
    "false",
    "wrong",
    "untrue",
    "ever",
    "story",
    "novel",
    "character",
    "assume",
    "assuming",
    "whether",
    "seems",
    "seem",
    "formerly",
    "i'd",
    "he'd",
    "she'd",
    "they'd",
    "we'd",
    "you'd",
    "shall",
    "until",
    "till",
    "planning",
    "plans",
    "considering",
    "someday",
    "somebody",
    "someone",
    "wonder",
];

/// Words that deny.
const DENIALS: &[&str] = &["not", "no", "never", "neither", "nor", "nobody", "nothing", "cannot", "without", "hardly"];

/// The text without code and without what is quoted; those become a mark that no pattern matches, so that the words
/// around them are not read as one sentence. Bytes stay in their places.
pub(crate) fn own_words(text: &str) -> String {
    let mut own = String::with_capacity(text.len());
    let mut fenced = false;
    for line in text.split_inclusive('\n') {
        let start = line.trim_start();
        if start.starts_with("```") || start.starts_with("~~~") {
            fenced = !fenced;
            blank(&mut own, line);
        } else if fenced || start.starts_with('>') || line.starts_with("    ") || line.starts_with('\t') {
            blank(&mut own, line);
        } else {
            without_quotes(&mut own, line);
        }
    }
    own
}

fn blank(own: &mut String, line: &str) {
    for byte in line.bytes() {
        own.push(if byte == b'\n' { '\n' } else { '\u{1}' });
    }
}

fn without_quotes(own: &mut String, line: &str) {
    let mut rest = line;
    while let Some((place, open)) = rest.char_indices().find(|(_, c)| matches!(c, '"' | '“' | '„' | '«' | '`')) {
        own.push_str(&rest[..place]);
        let close = match open {
            '“' | '„' => &['”', '“'][..],
            '«' => &['»'],
            '`' => &['`'],
            _ => &['"', '”'],
        };
        let inside = &rest[place + open.len_utf8()..];
        // A quotation that does not end takes the rest of the line.
        let end = inside
            .char_indices()
            .find(|(_, c)| close.contains(c))
            .map_or(rest.len(), |(at, c)| place + open.len_utf8() + at + c.len_utf8());
        blank(own, &rest[place..end]);
        rest = &rest[end..];
    }
    own.push_str(rest);
}

/// Cuts a text into sentences: at `.`, `!`, `?` before a space, at `;` and at line ends.
pub(crate) fn split(text: &str) -> Vec<Sentence<'_>> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut characters = text.char_indices().peekable();
    while let Some((place, character)) = characters.next() {
        let end = place + character.len_utf8();
        let next = characters.peek().map(|(_, next)| *next);
        let mark = match character {
            '\n' | ';' => true,
            '!' | '?' | '…' | '。' | '？' | '！' => next.is_none_or(|next| !matches!(next, '!' | '?' | '.')),
            '.' => next.is_none_or(char::is_whitespace) && !abbreviated(&text[start..place]),
            _ => false,
        };
        if !mark {
            continue;
        }
        push(&mut found, &text[start..place], matches!(character, '?' | '？'), end);
        start = end;
    }
    push(&mut found, &text[start..], false, text.len());
    found
}

fn push<'a>(found: &mut Vec<Sentence<'a>>, text: &'a str, question: bool, end: usize) {
    // `…?!` asks as well.
    let question = question || text.trim_end_matches(['!', '.']).ends_with('?');
    let text = text.trim().trim_end_matches(['.', '!', '?', ',']).trim();
    let text = text.trim_start_matches(|c: char| matches!(c, '-' | '*' | '•' | '–') || c.is_whitespace());
    if !text.is_empty() {
        found.push(Sentence { text, question, end });
    }
}

fn abbreviated(before: &str) -> bool {
    let word = before.rsplit(char::is_whitespace).next().unwrap_or("").to_lowercase();
    let word = word.trim_start_matches(|c: char| !c.is_alphanumeric());
    ABBREVIATIONS.contains(&word) || word.chars().count() == 1 && word.chars().all(char::is_alphabetic)
}

/// Whether words (lower case, without punctuation around them) are a plain statement. `but_not` allows the denial in
/// `not Porto but Lisbon` and `Lisbon, not Porto`.
pub(crate) fn is_plain(words: &[String], but_not: bool) -> bool {
    let Some(first) = words.first() else { return false };
    if ASKING.contains(&first.as_str()) || words.iter().any(|word| DOUBTS.contains(&word.as_str())) {
        return false;
    }
    if words.windows(2).any(|pair| pair[0] == "used" && pair[1] == "to") {
        return false;
    }
    let denies = |word: &String| DENIALS.contains(&word.as_str()) || word.ends_with("n't");
    but_not || !words.iter().any(denies)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        split(text).into_iter().map(|sentence| sentence.text).collect()
    }

    #[test]
    fn sentences_end_where_they_end() {
        assert_eq!(
            texts("Hi! I live in St. Gallen. My sister, Dr. A. Lee, is 3.5 km away"),
            ["Hi", "I live in St. Gallen", "My sister, Dr. A. Lee, is 3.5 km away"]
        );
        assert_eq!(texts("- one\n* two; three…"), ["one", "two", "three"]);
        assert!(split("Really?! Yes.")[0].question);
        assert!(texts("...\n\n?").is_empty());
    }

    #[test]
    fn code_and_quotations_are_nobodys_words() {
        for text in [
            "```\nI live in Porto\n```",
            "> I live in Porto",
            "`I live in Porto`",
            "He wrote \"I live in Porto",
            "“I live in Porto”",
            "    I live in Porto",
        ] {
            assert!(!own_words(text).contains("Porto"), "{text}");
            assert_eq!(own_words(text).len(), text.len(), "bytes stay in their places");
        }
        assert_eq!(own_words("It's Ana's \"x\" day"), "It's Ana's \u{1}\u{1}\u{1} day");
    }
}
