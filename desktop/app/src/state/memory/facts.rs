//! What is held to be true, from when to when, and what corrected it.

use super::loaded::Loaded;
use super::{Effect, dates};
use crate::state::frame::{Toast, Tone};
use crate::state::{Effect as Outer, System};
use butterfly_api::memory::{Fact, Facts, FactsRequest};
use jiff::tz::TimeZone;
use std::sync::Arc;

/// Facts of one reading: the most that the memory worker gives.
pub const FACTS: u32 = 500;

/// Rows that are shown at first, and more each time.
pub const ROWS: usize = 100;

/// The facts.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Words that a fact must have.
    pub find: String,
    /// Only about this entity, which the memory worker was asked for.
    pub about: Option<String>,
    /// A date, as it was typed.
    pub as_of: String,
    /// Also what has ended.
    pub ended: bool,
    /// Newest first.
    pub facts: Loaded<Arc<Vec<Arc<Fact>>>>,
    pub rows: usize,
    /// The fact that a link led to.
    pub marked: Option<u64>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            find: String::new(),
            about: None,
            as_of: String::new(),
            ended: true,
            facts: Loaded::default(),
            rows: ROWS,
            marked: None,
        }
    }
}

/// What happens to the facts.
#[derive(Debug, Clone)]
pub enum Event {
    Find(String),
    /// All about this entity, or about everything.
    About(Option<String>),
    AsOf(String),
    Ended(bool),
    /// Nothing was typed for a moment after this request.
    Due(u64),
    Listed {
        request: u64,
        result: Result<Facts, String>,
    },
    /// Show this fact: a link leads to it.
    Reveal(u64),
    MoreRows,
}

impl State {
    /// Changes the state by what happened, and says what is to be done.
    pub(super) fn reduce(&mut self, event: Event) -> Vec<Outer> {
        match event {
            Event::Find(words) => {
                self.find = words;
                self.rows = ROWS;
            }
            Event::About(about) => {
                self.about = about.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
                self.find.clear();
                return self.read();
            }
            Event::AsOf(as_of) => {
                self.as_of = as_of;
                let request = self.facts.ask();
                return vec![Outer::Memory(Effect::Later(Box::new(super::Event::Facts(Event::Due(request)))))];
            }
            Event::Ended(ended) => {
                self.ended = ended;
                return self.read();
            }
            Event::Due(request) => {
                if self.facts.waits_for(request) {
                    return self.list(request);
                }
            }
            Event::Listed { request, result } => {
                let facts = result.map(|facts| Arc::new(facts.facts.into_iter().map(Arc::new).collect()));
                if self.facts.answer(request, facts) {
                    self.rows = ROWS;
                }
            }
            Event::Reveal(id) => return self.reveal(id),
            Event::MoreRows => self.rows = self.rows.saturating_add(ROWS),
        }
        Vec::new()
    }

    /// Until when, or what is wrong with the date.
    ///
    /// # Errors
    /// What would be a date.
    pub fn until(&self) -> Result<Option<u64>, String> {
        dates::end_of(&self.as_of, &TimeZone::system())
    }

    /// Reads them anew.
    pub(super) fn read(&mut self) -> Vec<Outer> {
        let request = self.facts.ask();
        self.list(request)
    }

    fn list(&mut self, request: u64) -> Vec<Outer> {
        let Ok(as_of_unix_ms) = self.until() else {
            self.facts.cancel();
            return Vec::new();
        };
        let facts = FactsRequest { about: self.about.clone(), as_of_unix_ms, all: self.ended, limit: FACTS };
        vec![Outer::Memory(Effect::Facts { request, facts })]
    }

    /// Those with the words that are looked for.
    #[must_use]
    pub fn shown(&self) -> Vec<Arc<Fact>> {
        let words: Vec<String> = self.find.split_whitespace().map(str::to_lowercase).collect();
        let has = |fact: &Fact| {
            let text = format!("{} {} {}", fact.subject, fact.relation, fact.object).to_lowercase();
            words.iter().all(|word| text.contains(word))
        };
        let facts = self.facts.value().map_or(&[][..], |facts| facts.as_slice());
        facts.iter().filter(|fact| has(fact)).cloned().collect()
    }

    /// Whether there may be more than were read.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.facts.value().is_some_and(|facts| facts.len() >= FACTS as usize)
    }

    /// The fact of that number, if it was read.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<Arc<Fact>> {
        self.facts.value()?.iter().find(|fact| fact.id == id).cloned()
    }

    fn reveal(&mut self, id: u64) -> Vec<Outer> {
        if self.get(id).is_none() {
            let text =
                format!("Fact {id} is not among those that were read; look for it by the name that it is about.");
            return vec![Outer::toast(Toast::new(Tone::Info, text))];
        }
        if !self.shown().iter().any(|fact| fact.id == id) {
            self.find.clear();
        }
        let place = self.shown().iter().position(|fact| fact.id == id).unwrap_or(0);
        self.rows = self.rows.max(place + 1);
        self.marked = Some(id);
        vec![Outer::System(System::Focus(format!("fact-{id}")))]
    }

    /// Takes out what was forgotten.
    pub(super) fn without(&mut self, gone: &[u64]) {
        if let Some(facts) = self.facts.value_mut() {
            Arc::make_mut(facts).retain(|fact| !gone.contains(&fact.id));
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::state::memory) fn fact(id: u64, subject: &str, relation: &str, object: &str) -> Fact {
        Fact {
            id,
            subject: subject.into(),
            relation: relation.into(),
            object: object.into(),
            valid_from_unix_ms: 1_795_305_600_000,
            valid_to_unix_ms: None,
            recorded_unix_ms: 1_795_305_600_000,
            source: Some(40 + id),
            superseded_by: None,
        }
    }

    fn asked(effects: &[Outer]) -> (u64, FactsRequest) {
        let [Outer::Memory(Effect::Facts { request, facts })] = effects else { panic!("{effects:?}") };
        (*request, facts.clone())
    }

    fn filled(count: u64) -> State {
        let mut state = State::default();
        let (request, _) = asked(&state.read());
        let facts = (0..count).rev().map(|id| fact(id, "Mona", "likes", &format!("thing {id}"))).collect();
        state.reduce(Event::Listed { request, result: Ok(Facts { facts }) });
        state
    }

    #[test]
    fn what_has_ended_is_asked_for_unless_one_does_not_want_it() {
        let mut state = State::default();
        assert!(asked(&state.read()).1.all);
        assert!(!asked(&state.reduce(Event::Ended(false))).1.all);
    }

    #[test]
    fn words_narrow_and_an_entity_is_asked_for() {
        let mut state = filled(120);
        state.reduce(Event::Find("MONA 11".into()));
        assert_eq!(state.shown().len(), 11);
        let (request, facts) = asked(&state.reduce(Event::About(Some(" Mona ".into()))));
        assert_eq!(facts.about.as_deref(), Some("Mona"));
        assert!(state.find.is_empty());
        let (_, all) = asked(&state.reduce(Event::About(None)));
        assert_eq!(all.about, None);
        state.reduce(Event::Listed { request, result: Ok(Facts { facts: Vec::new() }) });
        assert_eq!(state.shown().len(), 120, "late");
    }

    #[test]
    fn a_link_leads_to_a_fact_wherever_it_stands() {
        let mut state = filled(300);
        state.reduce(Event::Find("thing 299".into()));
        let effects = state.reduce(Event::Reveal(5));
        assert!(matches!(effects.as_slice(), [Outer::System(System::Focus(id))] if id == "fact-5"));
        assert!(state.find.is_empty() && state.rows == 295 && state.marked == Some(5));
        let effects = state.reduce(Event::Reveal(9999));
        assert!(matches!(effects.as_slice(), [Outer::Then(_)]), "it says that it is not there");
        assert_eq!(state.marked, Some(5));
    }

    #[test]
    fn rows_come_as_one_scrolls_and_many_facts_are_said_to_be_cut() {
        let mut state = filled(500);
        assert!(state.is_cut() && !filled(499).is_cut());
        assert_eq!(state.rows, ROWS);
        state.reduce(Event::MoreRows);
        assert_eq!(state.rows, 2 * ROWS);
        state.without(&[3, 4]);
        assert_eq!(state.shown().len(), 498);
    }
}
