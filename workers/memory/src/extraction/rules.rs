//! What a text states, by rules: what its speaker says in earnest, in patterns that mean one thing only.
//!
//! Precision comes before recall: a fact that is missed can be told again, one that is made up misleads for years. So
//! pronouns of the third person, questions, conditions, doubts, denials, hearsay, quotations and code yield nothing. It
//! reads English; other languages yield nothing, except what a model finds in them.

use super::reader::Reader;
use super::sentences;
use butterfly_store::facts::Statement;
use butterfly_store::facts::key::USER;

/// How much of a text is read. Who states facts about themselves does so in fewer words.
const READ_BYTES: usize = 16 << 10;
/// Statements that are taken from one text.
const STATEMENTS: usize = 32;
/// Bytes of what is noted.
const NOTE_BYTES: usize = 4 << 10;

/// What a text states.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// What is to be remembered, in the speaker's words.
    pub notes: Vec<String>,
    pub statements: Vec<Statement>,
    /// `not Porto but Lisbon` without saying of what: the old and the new.
    pub replaced: Vec<(String, String)>,
}

/// Reads what `speaker` said at `at_ms` (Unix time in ms). An empty name, `user` and `you` are the user.
#[must_use]
pub fn read(speaker: &str, text: &str, at_ms: i64) -> Taken {
    let mut end = text.len().min(READ_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = &text[..end];
    let own = sentences::own_words(text);
    let me = match speaker.trim().to_lowercase().as_str() {
        "" | "you" | "me" | USER => USER.to_owned(),
        _ => speaker.trim().to_owned(),
    };
    let mut taken = Taken::default();
    for sentence in sentences::split(&own) {
        let mut reader = Reader::new(&sentence, &me, at_ms);
        reader.leads();
        if sentence.question {
            continue;
        }
        let noted = reader.note();
        if let Some(start) = noted {
            let from = start - own.as_ptr() as usize;
            note(&mut taken, text, from, sentence.end);
        }
        reader.statements(&mut taken, noted.is_some());
        if taken.statements.len() >= STATEMENTS {
            taken.statements.truncate(STATEMENTS);
            break;
        }
    }
    taken
}

/// Whether somebody states something in earnest in this text: if not, a model need not be asked.
pub(crate) fn states_something(text: &str) -> bool {
    let own = sentences::own_words(text);
    sentences::split(&own).into_iter().any(|sentence| {
        let mut reader = Reader::new(&sentence, USER, 0);
        reader.leads();
        !sentence.question && reader.words.len() - reader.at > 2 && sentences::is_plain(&reader.low[reader.at..], true)
    })
}

/// The sentences of a text that state something without denying anything, in lower-case words.
pub(crate) fn plain_sentences(text: &str) -> Vec<Vec<String>> {
    let own = sentences::own_words(text);
    let mut plain = Vec::new();
    for sentence in sentences::split(&own).into_iter().filter(|sentence| !sentence.question) {
        let mut reader = Reader::new(&sentence, USER, 0);
        reader.leads();
        reader.contrast();
        let low = reader.low.split_off(reader.at);
        if sentences::is_plain(&low, false) {
            plain.push(low);
        }
    }
    plain
}

fn note(taken: &mut Taken, text: &str, from: usize, end: usize) {
    let mut noted = text[from..end].trim().trim_start_matches([':', ',']).trim();
    // `Remember:` with the lines that follow.
    if noted.is_empty() {
        noted = text[end..].trim();
    }
    let mut length = noted.len().min(NOTE_BYTES);
    while !noted.is_char_boundary(length) {
        length -= 1;
    }
    let noted = noted[..length].trim();
    if noted.split_whitespace().count() >= 2 && !taken.notes.iter().any(|known| known == noted) {
        taken.notes.push(noted.to_owned());
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
