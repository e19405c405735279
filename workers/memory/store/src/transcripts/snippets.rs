//! The words around what was found, and where in them it stands. Pure text.

use butterfly_recall::stem::stem;
use butterfly_recall::words::words;
use butterfly_recall::{Query, Term};
use std::collections::HashSet;

/// Bytes of a snippet, and of what stands before its first match: two lines on a screen.
const SNIPPET_BYTES: usize = 200;
const BEFORE_BYTES: usize = 60;

/// Matches that are marked in one snippet.
const MATCHES: usize = 16;

/// Bytes of a text that are looked through: a book's chapter. What stands later is found, but not shown.
const LOOKED_BYTES: usize = 256 << 10;

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Looked {
    stems: HashSet<String>,
    pairs: Vec<String>,
    /// The query as it was written, for what is no word.
    whole: String,
}

/// One word of a text, or a piece of it that was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    from: usize,
    to: usize,
}

impl Looked {
    pub(crate) fn of(query: &Query, written: &str) -> Self {
        let mut looked = Self { whole: written.trim().to_lowercase(), ..Self::default() };
        for term in &query.terms {
            match term {
                Term::Word { stem, .. } => {
                    looked.stems.insert(stem.clone());
                }
                Term::Phrase { stems, .. } => looked.stems.extend(stems.iter().cloned()),
                Term::Pair(pair) => looked.pairs.push(pair.clone()),
            }
        }
        looked
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.whole.is_empty()
    }

    /// Whether each word, or the text as it was written, stands in `text`.
    pub(crate) fn all_in(&self, text: &str) -> bool {
        if text.to_lowercase().contains(&self.whole) {
            return true;
        }
        let there: HashSet<String> = words(text).map(|word| stem(&word.folded)).collect();
        let some = !(self.stems.is_empty() && self.pairs.is_empty());
        some && self.stems.iter().all(|stem| there.contains(stem)) && self.pairs.iter().all(|pair| text.contains(pair))
    }

    /// The words around the first place, and the places in them as byte ranges.
    pub(crate) fn snippet(&self, text: &str) -> (String, Vec<(u32, u32)>) {
        let text = butterfly_recall::window::head(text, LOOKED_BYTES);
        let places = self.places(text);
        let first = places.first().map_or(0, |place| place.from);
        let from = if first <= BEFORE_BYTES { 0 } else { word_start(text, first - BEFORE_BYTES, first) };
        let to = word_end(text, from + SNIPPET_BYTES);
        let cut = if from > 0 { "…" } else { "" };
        let mut snippet = String::from(cut);
        snippet.push_str(text.get(from..to).unwrap_or_default());
        if to < text.len() {
            snippet.push('…');
        }
        let offset = |at: usize| u32::try_from(at - from + cut.len()).unwrap_or(u32::MAX);
        let matches = places
            .into_iter()
            .filter(|place| place.from >= from && place.to <= to)
            .take(MATCHES)
            .map(|place| (offset(place.from), offset(place.to)))
            .collect();
        (snippet, matches)
    }

    /// Where it stands, in order and without overlap.
    fn places(&self, text: &str) -> Vec<Place> {
        let mut places: Vec<Place> = runs(text)
            .filter(|place| {
                let run = &text[place.from..place.to];
                words(run).any(|word| self.stems.contains(&stem(&word.folded)))
            })
            .collect();
        for pair in &self.pairs {
            places
                .extend(text.match_indices(pair.as_str()).map(|(from, found)| Place { from, to: from + found.len() }));
        }
        if places.is_empty() && self.whole.is_ascii() && !self.whole.is_empty() {
            // ASCII folds byte by byte: an offset in the folded text is one in the text.
            let folded = text.to_ascii_lowercase();
            places
                .extend(folded.match_indices(&self.whole).map(|(from, found)| Place { from, to: from + found.len() }));
        }
        places.sort_unstable();
        let mut apart: Vec<Place> = Vec::with_capacity(places.len());
        for place in places {
            match apart.last_mut() {
                Some(last) if place.from <= last.to => last.to = last.to.max(place.to),
                Some(_) | None => apart.push(place),
            }
        }
        apart
    }
}

/// Runs of letters and digits.
fn runs(text: &str) -> impl Iterator<Item = Place> + '_ {
    let mut rest = text.char_indices().peekable();
    std::iter::from_fn(move || {
        while rest.peek().is_some_and(|(_, character)| !character.is_alphanumeric()) {
            rest.next();
        }
        let (from, _) = *rest.peek()?;
        let mut to = from;
        while let Some((at, character)) = rest.peek().copied().filter(|(_, character)| character.is_alphanumeric()) {
            to = at + character.len_utf8();
            rest.next();
        }
        Some(Place { from, to })
    })
}

/// The first beginning of a word from `at` on, at most `limit`; a boundary between characters.
fn word_start(text: &str, at: usize, limit: usize) -> usize {
    let at = text.ceil_char_boundary(at);
    match text.get(at..limit).and_then(|part| part.find(char::is_whitespace)) {
        Some(space) => text.ceil_char_boundary(at + space + 1).min(limit),
        None => at,
    }
}

/// The last end of a word up to `at`; a boundary between characters.
fn word_end(text: &str, at: usize) -> usize {
    if at >= text.len() {
        return text.len();
    }
    let at = text.floor_char_boundary(at);
    let from = text.floor_char_boundary(at.saturating_sub(BEFORE_BYTES));
    match text.get(from..at).and_then(|part| part.rfind(char::is_whitespace)) {
        Some(space) => from + space,
        None => at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn looked(query: &str) -> Looked {
        Looked::of(&Query::parse(query), query)
    }

    fn marked(query: &str, text: &str) -> Vec<String> {
        let (snippet, matches) = looked(query).snippet(text);
        matches.iter().map(|(from, to)| snippet[*from as usize..*to as usize].to_owned()).collect()
    }

    #[test]
    fn words_are_marked_in_any_form_and_in_any_script() {
        assert_eq!(marked("lantern rooms", "The Lanterns hang in a room."), ["Lanterns", "room"]);
        assert_eq!(marked("東京", "昨日東京タワーへ"), ["東京"]);
        assert_eq!(marked("café", "Un CAFÉ, un cafe"), ["CAFÉ", "cafe"]);
        assert_eq!(marked("ntern", "the lantern"), ["ntern"], "a piece of a word");
    }

    #[test]
    fn snippet_is_short_and_holds_the_first_match() {
        let text = format!("{} lantern {}", "before ".repeat(100), "after ".repeat(100));
        let (snippet, matches) = looked("lantern").snippet(&text);
        assert!(snippet.len() < SNIPPET_BYTES + 10 && snippet.starts_with('…') && snippet.ends_with('…'), "{snippet}");
        assert_eq!(matches.len(), 1);
    }

    proptest! {
        #[test]
        fn ranges_are_always_on_characters(query in "\\PC{0,12}", text in "\\PC{0,400}", wide in "[🦋éß東 ]{0,200}") {
            for text in [text.as_str(), wide.as_str(), &format!("{wide}{query}{text}")] {
                let looked = looked(&query);
                let (snippet, matches) = looked.snippet(text);
                for (from, to) in matches {
                    prop_assert!(from < to);
                    prop_assert!(snippet.get(from as usize..to as usize).is_some());
                }
                looked.all_in(text);
            }
        }
    }
}
