//! What a verb is followed by: places, names, things, trades, dates of birth; and the day of an event.

use super::dates::{self, Dated, Grain};
use super::lexicon::{ENDS, HABITS, NO_PLACES, POINTING, TRADES};
use super::reader::{Reader, date, owner_of_nothing, plain, thing, trimmed};
use super::rules::Taken;
use super::verbs::Wants;
use butterfly_store::facts::{Kind, NAME_BYTES, Object, Statement, Thing};

/// Words of an event's name.
const EVENT_WORDS: usize = 12;

impl Reader<'_> {
    pub(super) fn object(
        &mut self,
        taken: &mut Taken,
        who: &str,
        relation: &str,
        wants: Wants,
        at: usize,
    ) -> Option<usize> {
        if at >= self.low.len() {
            return None;
        }
        match wants {
            Wants::Things | Wants::Languages => return self.several(taken, who, relation, wants, at),
            Wants::Trade => return self.trade(taken, who, at),
            Wants::Birth => return self.birth(taken, who, relation, at),
            Wants::Place | Wants::Name => {}
        }
        let (object, end) = match self.name(at) {
            // `St. Gallen`, `Bank of America`, `Rio de Janeiro`.
            Some((_, end)) if matches!(self.word(end), "of" | "de" | "do" | "am" | "an") && !self.pauses(end - 1) => {
                let (_, end) = self.name(end + 1)?;
                (trimmed(&self.words[at..end]), end)
            }
            Some(found) => found,
            None if wants == Wants::Place => {
                let end = self.object_end(at);
                let plain = self.low[at..end].iter().all(|word| word.chars().all(|c| c.is_alphabetic() || c == '-'));
                if end - at > 2 || !plain || self.low[at..end].iter().any(|word| NO_PLACES.contains(&word.as_str())) {
                    return None;
                }
                (trimmed(&self.words[at..end]), end)
            }
            None => return None,
        };
        // `works at Sonae's office`: of what belongs to it nothing is said.
        if !owner_of_nothing(&object) || self.word(end) == "of" {
            return None;
        }
        let (from, end) = self.valid_from(end);
        self.state(taken, who.to_owned(), relation, thing(object), from);
        Some(end)
    }

    /// `since 2019`, `in March 2026`, `last Tuesday`: from when on it holds, else from when it was said.
    pub(super) fn valid_from(&self, end: usize) -> (i64, usize) {
        let lead = usize::from(matches!(self.word(end), "since" | "in" | "from" | "on"));
        let found =
            dates::at(&self.words, end + lead, self.said_ms).or_else(|| dates::at(&self.words, end, self.said_ms));
        match found {
            // A day without a year may be the last or the next one; what is to come has not happened.
            Some(Dated { at_ms, grain: Grain::Day | Grain::Month | Grain::Year, end, .. }) if at_ms <= self.said_ms => {
                (at_ms, end)
            }
            Some(_) | None => (self.said_ms, end),
        }
    }

    /// `peanuts and shellfish`, `jazz, tea and cats`.
    pub(super) fn several(
        &mut self,
        taken: &mut Taken,
        who: &str,
        relation: &str,
        wants: Wants,
        at: usize,
    ) -> Option<usize> {
        let mut found = Vec::new();
        let mut start = at;
        let mut last = at;
        loop {
            let (object, end) = match wants {
                Wants::Languages => match self.name(start) {
                    Some(found) => found,
                    None => break,
                },
                _ => {
                    let end = self.object_end(start);
                    let named = self.name(start + 1).is_some();
                    let points = POINTING.contains(&self.word(start)) && !(self.word(start) == "the" && named);
                    if end - start > 4 || points || end == start || ENDS.contains(&self.word(start)) {
                        break;
                    }
                    (trimmed(&self.words[start..end]), end)
                }
            };
            // `and my brother likes …`: another clause.
            if !found.is_empty() && (self.verb(end).is_some() || matches!(self.word(end), "is" | "are" | "has" | "was"))
            {
                break;
            }
            found.push(object);
            last = end;
            let listed = self.pauses(end - 1) && !matches!(self.word(end), "and" | "but" | "i" | "my");
            match self.word(end) {
                "and" if self.verb(end + 1).is_none() && !matches!(self.word(end + 1), "i" | "my" | "") => {
                    start = end + 1
                }
                // Only a list that goes on with `and` is a list.
                _ if listed && self.low[end..].iter().take(8).any(|word| word == "and") => start = end,
                // `I like tea in the morning`, `I like Ana's idea`: the whole is meant.
                "in" | "on" | "as" | "from" | "that" | "which" | "to" | "about" | "of" | "at" => return None,
                _ => break,
            }
        }
        if found.is_empty() {
            return None;
        }
        for object in found {
            self.state(taken, who.to_owned(), relation, thing(object), self.said_ms);
        }
        Some(last)
    }

    /// `as a nurse`, `a software engineer`, `a vegan`.
    pub(super) fn trade(&mut self, taken: &mut Taken, who: &str, at: usize) -> Option<usize> {
        let start = if matches!(self.word(at), "a" | "an" | "the") { at + 1 } else { at };
        let end = self.object_end(start);
        let last = self.low.get(end.checked_sub(1)?)?;
        let words = end - start;
        if !(1..=3).contains(&words) {
            return None;
        }
        let relation = match (TRADES.contains(&last.as_str()), HABITS.contains(&last.as_str())) {
            (true, _) => "works as",
            (false, true) => "is",
            (false, false) => return None,
        };
        let adjective = |word: &String| {
            matches!(word.as_str(), "good" | "bad" | "great" | "real" | "terrible" | "former" | "retired")
        };
        if self.low[start..end].iter().any(adjective) {
            return None;
        }
        let what = trimmed(&self.words[start..end]);
        self.state(taken, who.to_owned(), relation, thing(what), self.said_ms);
        Some(end)
    }

    /// `on 12 March 1990`, `in Braga`.
    pub(super) fn birth(&mut self, taken: &mut Taken, who: &str, relation: &str, at: usize) -> Option<usize> {
        let dated = dates::at(&self.words, at, self.said_ms);
        let (relation, object, end) = match (dated, relation) {
            (Some(dated), _) => match dated.grain {
                Grain::Day | Grain::DayOfYear => ("birthday", Object::Value(dated.label), dated.end),
                Grain::Month | Grain::Year => ("birth year", Object::Value(dated.label), dated.end),
            },
            (None, "was born in") => {
                let (name, end) = self.name(at)?;
                (relation, thing(name), end)
            }
            (None, _) => return None,
        };
        self.state(taken, who.to_owned(), relation, object, self.said_ms);
        Some(end)
    }

    /// A sentence with a day in it: something happens then.
    pub(super) fn event(&mut self, taken: &mut Taken, noted: bool) {
        let words = &self.words[self.at..];
        let Some(dated) = dates::find(words, self.said_ms) else { return };
        let first = self.word(self.at);
        let second = self.word(self.at + 1);
        let starts_plainly = matches!(
            first,
            "i" | "my"
                | "we"
                | "our"
                | "the"
                | "there"
                | "there's"
                | "today"
                | "tomorrow"
                | "yesterday"
                | "next"
                | "on"
        ) || self.name(self.at).is_some()
            && matches!(second, "is" | "has" | "arrives" | "visits" | "flies" | "comes" | "starts" | "leaves" | "gets");
        let grain = matches!(dated.grain, Grain::Day | Grain::DayOfYear);
        let pronoun = matches!(first, "he" | "she" | "it" | "they" | "this" | "that" | "you");
        if !grain || pronoun || !starts_plainly && !noted {
            return;
        }
        let mut kept: Vec<&str> = words[..dated.first].to_vec();
        while kept.last().is_some_and(|word| matches!(plain(word).as_str(), "on" | "at" | "by" | "the" | "is" | "for"))
        {
            kept.pop();
        }
        kept.extend(&words[dated.end..]);
        for lead in [&["i", "have"][..], &["we", "have"], &["there", "is"], &["there's"]] {
            if kept.len() > lead.len() && kept.iter().zip(lead).all(|(word, lead)| plain(word) == **lead) {
                kept.drain(..lead.len());
            }
        }
        while kept.first().is_some_and(|word| matches!(plain(word).as_str(), "a" | "an" | "the" | "my" | "our" | "on"))
        {
            kept.remove(0);
        }
        if kept.is_empty() || kept.len() > EVENT_WORDS {
            return;
        }
        let day = date(dated.at_ms);
        let name = format!("{} ({day})", trimmed(&kept));
        let event = Thing { name, kind: Kind::Event { at_ms: dated.at_ms } };
        if event.name.len() <= NAME_BYTES {
            taken.statements.push(Statement {
                subject: event,
                relation: "takes place on".to_owned(),
                object: Object::Value(day),
                from_ms: self.said_ms,
            });
        }
    }
}
