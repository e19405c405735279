//! Finding passages, with the reasons why each came up.

use super::loaded::Loaded;
use super::{Effect, dates};
use crate::state::Effect as Outer;
use butterfly_api::memory::{Found, PassageKind, Results, SearchRequest};
use jiff::tz::TimeZone;
use std::sync::Arc;

/// Results of one search: more is not looked through, but asked for better.
const RESULTS: u32 = 60;

/// What was found for a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub query: String,
    /// As of then: Unix time in ms.
    pub as_of_unix_ms: Option<u64>,
    /// Best first.
    pub found: Vec<Arc<Found>>,
    /// What the search went without, and what to do about it.
    pub degraded: Option<String>,
    /// Time that it took, in µs.
    pub took_us: u64,
}

/// The search.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct State {
    pub query: String,
    /// A date, as it was typed.
    pub as_of: String,
    pub kind: Option<PassageKind>,
    pub answer: Loaded<Arc<Answer>>,
}

/// What happens to the search.
#[derive(Debug, Clone)]
pub enum Event {
    Typed(String),
    AsOf(String),
    /// Show only these; `None`: all.
    Kind(Option<PassageKind>),
    /// Nothing was typed for a moment after this request.
    Due(u64),
    /// Now.
    Submit,
    Found {
        request: u64,
        query: SearchRequest,
        result: Result<Results, String>,
    },
}

impl State {
    /// Changes the state by what happened, and says what is to be done.
    pub(super) fn reduce(&mut self, event: Event) -> Vec<Outer> {
        match event {
            Event::Typed(query) => {
                self.query = query;
                return self.soon();
            }
            Event::AsOf(as_of) => {
                self.as_of = as_of;
                return self.soon();
            }
            Event::Kind(kind) => self.kind = kind,
            Event::Due(request) => {
                if self.answer.waits_for(request) {
                    return self.search(request);
                }
            }
            Event::Submit => return self.read(),
            Event::Found { request, query, result } => {
                let answer = result.map(|results| {
                    Arc::new(Answer {
                        query: query.query,
                        as_of_unix_ms: query.as_of_unix_ms,
                        found: results.results.into_iter().map(Arc::new).collect(),
                        degraded: results.degraded,
                        took_us: results.embed_us.saturating_add(results.search_us),
                    })
                });
                self.answer.answer(request, answer);
            }
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

    /// Searches at once, if there is something to search for.
    pub(super) fn read(&mut self) -> Vec<Outer> {
        if self.query.trim().is_empty() {
            self.answer.clear();
            return Vec::new();
        }
        let request = self.answer.ask();
        self.search(request)
    }

    /// Searches when nothing more is typed for a moment.
    fn soon(&mut self) -> Vec<Outer> {
        if self.query.trim().is_empty() {
            self.answer.clear();
            return Vec::new();
        }
        let request = self.answer.ask();
        vec![Outer::Memory(Effect::Later(Box::new(super::Event::Search(Event::Due(request)))))]
    }

    fn search(&mut self, request: u64) -> Vec<Outer> {
        let Ok(as_of_unix_ms) = self.until() else {
            // The field says what is wrong.
            self.answer.cancel();
            return Vec::new();
        };
        let query =
            SearchRequest { query: self.query.trim().to_owned(), limit: RESULTS, conversation: None, as_of_unix_ms };
        vec![Outer::Memory(Effect::Search { request, query })]
    }

    /// What was found, of the kind that is wanted.
    #[must_use]
    pub fn shown(&self) -> Vec<Arc<Found>> {
        let found = self.answer.value().map_or(&[][..], |answer| answer.found.as_slice());
        found.iter().filter(|found| self.kind.is_none_or(|kind| found.passage.kind == kind)).cloned().collect()
    }

    /// Takes out what was forgotten.
    pub(super) fn without(&mut self, gone: &[u64]) {
        if let Some(answer) = self.answer.value_mut() {
            Arc::make_mut(answer).found.retain(|found| !gone.contains(&found.passage.id));
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use butterfly_api::memory::{Passage, Reason, ReasonKind};

    pub(in crate::state::memory) fn passage(id: u64, kind: PassageKind, text: &str) -> Passage {
        Passage {
            id,
            kind,
            external_id: None,
            conversation: None,
            conversation_id: (kind == PassageKind::Message).then_some(7),
            speaker: "user".into(),
            text: text.into(),
            tags: Vec::new(),
            at_unix_ms: 1_795_305_600_000 + id,
            source: None,
        }
    }

    pub(in crate::state::memory) fn results(kinds: &[PassageKind]) -> Results {
        let found = |(id, kind): (u64, &PassageKind)| Found {
            passage: passage(id, *kind, "text"),
            score: 0.5,
            reasons: vec![Reason { kind: ReasonKind::Word, score: 0.5, detail: "bm25".into() }],
        };
        Results { results: (1..).zip(kinds).map(found).collect(), degraded: None, embed_us: 1, search_us: 2 }
    }

    fn due(effects: &[Outer]) -> u64 {
        let [Outer::Memory(Effect::Later(event))] = effects else { panic!("{effects:?}") };
        let super::super::Event::Search(Event::Due(request)) = **event else { panic!("{event:?}") };
        request
    }

    fn asked(effects: &[Outer]) -> (u64, SearchRequest) {
        let [Outer::Memory(Effect::Search { request, query })] = effects else { panic!("{effects:?}") };
        (*request, query.clone())
    }

    #[test]
    fn it_searches_when_one_stops_typing() {
        let mut state = State::default();
        let first = due(&state.reduce(Event::Typed("sis".into())));
        let second = due(&state.reduce(Event::Typed("sister ".into())));
        assert!(state.reduce(Event::Due(first)).is_empty(), "something was typed since");
        let (_, query) = asked(&state.reduce(Event::Due(second)));
        assert_eq!(query.query, "sister");
    }

    #[test]
    fn a_reply_to_what_was_typed_before_is_dropped() {
        let mut state = State::default();
        let reply = |request, query, kinds: &[PassageKind]| Event::Found { request, query, result: Ok(results(kinds)) };
        state.query = "old".into();
        let (old, old_query) = asked(&state.reduce(Event::Submit));
        state.query = "new".into();
        let (new, new_query) = asked(&state.reduce(Event::Submit));
        state.reduce(reply(new, new_query, &[PassageKind::Memory]));
        state.reduce(reply(old, old_query, &[]));
        assert_eq!(state.answer.value().unwrap().query, "new");
        assert_eq!(state.shown().len(), 1);
    }

    #[test]
    fn no_words_no_results() {
        let mut state = State { query: "old".into(), ..State::default() };
        let (request, query) = asked(&state.reduce(Event::Submit));
        assert!(state.reduce(Event::Typed("  ".into())).is_empty());
        state.reduce(Event::Found { request, query, result: Ok(results(&[PassageKind::Memory])) });
        assert!(state.answer.value().is_none() && !state.answer.is_loading());
    }

    #[test]
    fn a_wrong_date_is_not_asked_about() {
        let mut state = State { query: "sister".into(), ..State::default() };
        let request = due(&state.reduce(Event::AsOf("soon".into())));
        assert!(state.reduce(Event::Due(request)).is_empty());
        assert!(state.until().is_err() && !state.answer.is_loading());
        let request = due(&state.reduce(Event::AsOf("2026-11-22".into())));
        let (_, query) = asked(&state.reduce(Event::Due(request)));
        assert_eq!(query.as_of_unix_ms, state.until().unwrap());
    }

    #[test]
    fn a_kind_narrows_what_was_found_and_what_is_forgotten_is_gone() {
        let mut state = State { query: "sister".into(), ..State::default() };
        let (request, query) = asked(&state.reduce(Event::Submit));
        let kinds = [PassageKind::Memory, PassageKind::Message, PassageKind::Memory];
        state.reduce(Event::Found { request, query, result: Ok(results(&kinds)) });
        state.reduce(Event::Kind(Some(PassageKind::Memory)));
        assert_eq!(state.shown().len(), 2);
        state.without(&[1]);
        assert_eq!(state.shown().len(), 1);
    }
}
