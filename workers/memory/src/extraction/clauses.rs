//! Clauses: whom or what they are about, and what they say of it.

use super::dates;
use super::lexicon::{ADVERBS, ATTRIBUTES, ENDS, HABITS, ROLES};
use super::reader::{Reader, is_name, owner, owner_of_nothing, thing, trimmed};
use super::rules::Taken;
use super::sentences;
use super::verbs::{VERBS, Verb, Wants};
use butterfly_store::facts::Object;

/// Words of a sentence that can be a statement.
const SENTENCE_WORDS: usize = 60;

/// Whom or what a clause is about.
pub(super) enum Subject {
    Someone(String),
    /// Something that somebody has one of, as its relation.
    Attribute(String, String),
}

impl Reader<'_> {
    pub(super) fn statements(&mut self, taken: &mut Taken, noted: bool) {
        let contrast = self.contrast();
        let rest = &self.low[self.at..];
        if rest.is_empty()
            || rest.len() > SENTENCE_WORDS
            || self.words[self.at..].iter().any(|word| word.contains('\u{1}'))
            || !sentences::is_plain(rest, false)
        {
            return;
        }
        let before = taken.statements.len();
        let begin = self.at;
        self.clauses(taken);
        let found = taken.statements.len() > before;
        // What was no clause is looked at again as a whole.
        self.at = begin;
        if let Some(old) = contrast.filter(|_| !found) {
            // Only where nothing is left but the new value: what it is about was said before.
            let new = trimmed(&self.words[self.at..]);
            if self.low.len() - self.at <= 3 && is_name(&new) && is_name(&old) {
                taken.replaced.push((old, new));
            }
            return;
        }
        if !found {
            self.event(taken, noted);
        }
    }

    pub(super) fn clauses(&mut self, taken: &mut Taken) {
        if self.starts(self.at, &["call", "me"]) && self.low.len() <= self.at + 5 {
            if let Some((name, _)) = self.name(self.at + 2).filter(|(_, end)| *end == self.low.len()) {
                self.state(taken, self.me.to_owned(), "is named", thing(name), self.said_ms);
            }
            return;
        }
        // A subject without a predicate ends it: what follows cannot be read surely.
        while let Some((subject, next)) = self.subject(taken) {
            self.at = next;
            let Some(after) = self.predicates(taken, &subject) else { return };
            self.at = after;
            if matches!(self.word(self.at), "and" | "but") {
                self.at += 1;
            }
            if self.at >= self.low.len() {
                return;
            }
        }
    }

    /// Whom the clause is about, and where its verb stands.
    pub(super) fn subject(&mut self, taken: &mut Taken) -> Option<(Subject, usize)> {
        let at = self.at;
        match self.word(at) {
            "i" => Some((Subject::Someone(self.me.to_owned()), at + 1)),
            "my" => self.of(format!("{}'s", self.me), at + 1, taken),
            _ => {
                let (name, end) = self.name(at)?;
                match owner(&name) {
                    Some(owner) => self.of(format!("{owner}'s"), end, taken),
                    None => Some((Subject::Someone(name), end)),
                }
            }
        }
    }

    /// Something that belongs to `owner` (with its `'s`), whose name begins at `at`.
    pub(super) fn of(&mut self, owner: String, at: usize, taken: &mut Taken) -> Option<(Subject, usize)> {
        let whose = owner.strip_suffix("'s").unwrap_or(&owner).to_owned();
        if matches!(self.word(at), "favourite" | "favorite") {
            let end = (at + 2..=at + 3).find(|end| matches!(self.word(*end), "is" | "are"))?;
            let sort = self.low[at + 1..end].join(" ");
            return Some((Subject::Attribute(whose, format!("favourite {sort}")), end));
        }
        for (words, relation) in ATTRIBUTES {
            let words: Vec<&str> = words.split(' ').collect();
            let end = at + words.len();
            if self.starts(at, &words) && self.word(end) == "is" {
                return Some((Subject::Attribute(whose, (*relation).to_owned()), end));
            }
        }
        // `older sister`, `best friend`: at most two words before the role.
        let role = (at..at + 3).find(|place| {
            let word = self.word(*place);
            ROLES.contains(&word.strip_suffix("'s").unwrap_or(word))
        })?;
        if self.low[at..role].iter().any(|word| ENDS.contains(&word.as_str()) || !word.chars().all(char::is_alphabetic))
        {
            return None;
        }
        let who = format!("{owner} {}", self.low[at..=role].join(" "));
        if who.ends_with("'s") {
            return self.of(who, role + 1, taken);
        }
        let mut next = role + 1;
        // `my sister Ana`, `my sister, Ana,`.
        if let Some((name, end)) = self.name(next).filter(|(_, end)| *end - next <= 3 && *end < self.low.len()) {
            let enclosed = self.pauses(role);
            if owner_of_nothing(&name) && enclosed == self.pauses(end - 1) {
                self.state(taken, who.clone(), "is named", thing(name), self.said_ms);
                next = end;
            } else {
                return None;
            }
        }
        Some((Subject::Someone(who), next))
    }

    /// What is said of the subject; returns where it ends.
    pub(super) fn predicates(&mut self, taken: &mut Taken, subject: &Subject) -> Option<usize> {
        let mut at = self.at;
        let mut said = None;
        loop {
            while ADVERBS.contains(&self.word(at)) {
                at += 1;
            }
            let Some(end) = self.predicate(taken, subject, at) else { return said };
            said = Some(end);
            let (Subject::Someone(_), "and" | "but") = (subject, self.word(end)) else {
                if matches!(subject, Subject::Someone(_))
                    && end > at
                    && self.pauses(end - 1)
                    && self.verb(end).is_some()
                {
                    at = end;
                    continue;
                }
                return said;
            };
            at = end + 1;
        }
    }

    pub(super) fn verb(&self, at: usize) -> Option<&'static Verb> {
        VERBS.iter().filter(|verb| self.starts(at, verb.words)).max_by_key(|verb| verb.words.len())
    }

    pub(super) fn predicate(&mut self, taken: &mut Taken, subject: &Subject, at: usize) -> Option<usize> {
        match subject {
            Subject::Attribute(whose, relation) => self.attribute(taken, whose, relation, at),
            Subject::Someone(who) => {
                if let Some(verb) = self.verb(at) {
                    // `Dogs like bones`: only one person's verb goes with one name.
                    let plural =
                        matches!(verb.words[0], "like" | "love" | "enjoy" | "hate" | "dislike" | "live" | "work");
                    if plural && who != self.me {
                        return None;
                    }
                    let start = at + verb.words.len();
                    return self.object(taken, who, verb.relation, verb.wants, start);
                }
                self.is(taken, who, at).or_else(|| self.has(taken, who, at))
            }
        }
    }

    /// `my birthday is …`.
    pub(super) fn attribute(&mut self, taken: &mut Taken, whose: &str, relation: &str, at: usize) -> Option<usize> {
        let start = at + 1;
        let end = self.object_end(start);
        let rest = || trimmed(&self.words[start..end]);
        let (object, end) = match relation {
            "birthday" => {
                let first = if matches!(self.word(start), "on" | "the") { start + 1 } else { start };
                let dated = dates::at(&self.words, first, self.said_ms)?;
                (Object::Value(dated.label), dated.end)
            }
            "phone number" => {
                let number = rest();
                let digits = number.chars().filter(char::is_ascii_digit).count();
                let odd = |c: char| !c.is_ascii_digit() && !"+-()/. ".contains(c);
                if !(4..=20).contains(&digits) || number.contains(odd) {
                    return None;
                }
                (Object::Value(number), end)
            }
            "email address" => {
                let address = rest();
                let (name, host) = address.split_once('@')?;
                if name.is_empty() || !host.contains('.') || address.contains(' ') {
                    return None;
                }
                (Object::Value(address), end)
            }
            "address" => {
                // Commas belong to it: the rest of the sentence.
                let whole = trimmed(&self.words[start..]);
                if !whole.contains(|c: char| c.is_ascii_digit()) || self.low.len() - start > 12 {
                    return None;
                }
                (Object::Value(whole), self.low.len())
            }
            "is named" | "comes from" | "works at" => {
                let (name, end) = match self.name(start) {
                    Some(found) => found,
                    // `my name is max`, and nothing more.
                    None if relation == "is named" && end == start + 1 && end == self.low.len() => (rest(), end),
                    None => return None,
                };
                (thing(name), end)
            }
            "works as" => return self.object(taken, whose, relation, Wants::Trade, start),
            _ => {
                let value = rest();
                let words = end - start;
                if !(1..=4).contains(&words)
                    || matches!(self.word(start), "the" | "it" | "that" | "this" | "not" | "what")
                {
                    return None;
                }
                (thing(value), end)
            }
        };
        self.state(taken, whose.to_owned(), relation, object, self.said_ms);
        Some(end)
    }

    /// `is a nurse`, `is 34 years old`, `is Ana`, `Ana is my sister`.
    pub(super) fn is(&mut self, taken: &mut Taken, who: &str, at: usize) -> Option<usize> {
        if !matches!(self.word(at), "is" | "am") {
            return None;
        }
        let next = at + 1;
        if self.starts(next + 1, &["years", "old"]) {
            let age: u32 = self.word(next).parse().ok().filter(|age| *age < 130)?;
            self.state(taken, who.to_owned(), "age", Object::Value(age.to_string()), self.said_ms);
            return Some(next + 3);
        }
        if matches!(self.word(next), "a" | "an") {
            return self.object(taken, who, "works as", Wants::Trade, next);
        }
        if HABITS.contains(&self.word(next)) && self.object_end(next) == next + 1 {
            self.state(taken, who.to_owned(), "is", thing(self.word(next).to_owned()), self.said_ms);
            return Some(next + 1);
        }
        if self.word(next) == "my" && who != self.me && is_name(who) {
            let role = (next + 1..next + 4).find(|place| ROLES.contains(&self.word(*place)))?;
            let whose = format!("{}'s {}", self.me, self.low[next + 1..=role].join(" "));
            let ends = role + 1 == self.low.len() || self.pauses(role) || ENDS.contains(&self.word(role + 1));
            if !ends || self.low[next + 1..role].iter().any(|word| ENDS.contains(&word.as_str())) {
                return None;
            }
            self.state(taken, whose, "is named", thing(who.to_owned()), self.said_ms);
            return Some(role + 1);
        }
        // `my sister is Ana`: whose name is asked for belongs to somebody.
        if who == self.me || is_name(who) && !who.contains("'s ") {
            return None;
        }
        let (name, end) = self.name(next)?;
        let ends = end == self.low.len() || self.pauses(end - 1) || matches!(self.word(end), "and" | "but");
        if !ends || !owner_of_nothing(&name) {
            return None;
        }
        self.state(taken, who.to_owned(), "is named", thing(name), self.said_ms);
        Some(end)
    }

    /// `have a dog named Rex`.
    pub(super) fn has(&mut self, taken: &mut Taken, who: &str, at: usize) -> Option<usize> {
        if !matches!(self.word(at), "have" | "has") || !matches!(self.word(at + 1), "a" | "an") {
            return None;
        }
        let role = (at + 2..at + 5).find(|place| ROLES.contains(&self.word(*place)))?;
        let what = self.low[at + 2..=role].join(" ");
        if !matches!(self.word(role + 1), "named" | "called") {
            let ends = role + 1 == self.low.len() || self.pauses(role);
            if !ends || role != at + 2 {
                return None;
            }
            self.state(taken, who.to_owned(), "has", thing(what), self.said_ms);
            return Some(role + 1);
        }
        let (name, end) = self.name(role + 2)?;
        self.state(taken, format!("{who}'s {what}"), "is named", thing(name), self.said_ms);
        self.state(taken, who.to_owned(), "has", thing(what), self.said_ms);
        Some(end)
    }
}
