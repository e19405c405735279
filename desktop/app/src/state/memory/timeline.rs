//! Passages as they were noted, newest first, a page at a time.

use super::loaded::Loaded;
use super::{Effect, dates};
use crate::state::Effect as Outer;
use butterfly_api::memory::{ListRequest, Passage, PassageKind, Passages};
use jiff::tz::TimeZone;
use std::sync::Arc;

/// Passages of one page: a few windows full.
const PAGE: u32 = 60;

/// The timeline.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct State {
    pub kind: Option<PassageKind>,
    /// Only those with this tag; empty: all.
    pub tag: String,
    pub passages: Loaded<Arc<Vec<Arc<Passage>>>>,
    /// Older ones follow.
    pub more: bool,
}

/// What happens to the timeline.
#[derive(Debug, Clone)]
pub enum Event {
    Kind(Option<PassageKind>),
    Tag(String),
    /// Nothing was typed for a moment after this request.
    Due(u64),
    /// The end of what is there is near.
    Older,
    Listed {
        request: u64,
        older: bool,
        result: Result<Passages, String>,
    },
}

/// Passages of one day, one after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Day {
    pub heading: String,
    pub passages: Vec<Arc<Passage>>,
}

impl State {
    /// Changes the state by what happened, and says what is to be done.
    pub(super) fn reduce(&mut self, event: Event) -> Vec<Outer> {
        match event {
            Event::Kind(kind) => {
                self.kind = kind;
                return self.read();
            }
            Event::Tag(tag) => {
                self.tag = tag;
                let request = self.passages.ask();
                return vec![Outer::Memory(Effect::Later(Box::new(super::Event::Timeline(Event::Due(request)))))];
            }
            Event::Due(request) => {
                if self.passages.waits_for(request) {
                    return vec![Outer::Memory(self.list(request, None))];
                }
            }
            Event::Older => {
                let last = self.passages.value().and_then(|passages| passages.last()).map(|passage| passage.id);
                if let Some(last) = last.filter(|_| self.can_go_on()) {
                    let request = self.passages.ask();
                    return vec![Outer::Memory(self.list(request, Some(last)))];
                }
            }
            Event::Listed { request, older, result } => self.listed(request, older, result),
        }
        Vec::new()
    }

    /// Reads from the newest on.
    pub(super) fn read(&mut self) -> Vec<Outer> {
        let request = self.passages.ask();
        vec![Outer::Memory(self.list(request, None))]
    }

    fn list(&self, request: u64, before: Option<u64>) -> Effect {
        let tag = self.tag.trim().trim_start_matches('#');
        let tag = (!tag.is_empty()).then(|| tag.to_owned());
        Effect::List { request, list: ListRequest { kind: self.kind, tag, before, limit: PAGE } }
    }

    fn listed(&mut self, request: u64, older: bool, result: Result<Passages, String>) {
        if !self.passages.waits_for(request) {
            return;
        }
        let (before, more_before) = (self.passages.value().cloned(), self.more);
        let mut more = more_before;
        let result = result.map(|page| {
            more = page.more;
            let mut all = before.filter(|_| older).unwrap_or_default();
            Arc::make_mut(&mut all).extend(page.passages.into_iter().map(Arc::new));
            all
        });
        self.passages.answer(request, result);
        self.more = more;
    }

    /// Whether the end of what is there is worth telling: something older is there, and not under way.
    #[must_use]
    pub fn can_go_on(&self) -> bool {
        self.more && !self.passages.is_loading()
    }

    /// Takes out what was forgotten.
    pub(super) fn without(&mut self, gone: &[u64]) {
        if let Some(passages) = self.passages.value_mut() {
            Arc::make_mut(passages).retain(|passage| !gone.contains(&passage.id));
        }
    }
}

/// Passages by days, in the zone of the person.
#[must_use]
pub fn days(passages: &[Arc<Passage>], now_unix_ms: u64, zone: &TimeZone) -> Vec<Day> {
    let days = passages.chunk_by(|one, other| dates::same_day(one.at_unix_ms, other.at_unix_ms, zone));
    days.map(|passages| Day {
        heading: dates::heading(passages[0].at_unix_ms, now_unix_ms, zone),
        passages: passages.to_vec(),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::super::search::tests::passage;
    use super::*;

    const DAY: u64 = 86_400_000;

    fn page(ids: &[u64], more: bool) -> Passages {
        let passages = ids.iter().map(|id| {
            let mut passage = passage(*id, PassageKind::Memory, "text");
            passage.at_unix_ms = id / 10 * DAY;
            passage
        });
        Passages { passages: passages.collect(), more }
    }

    fn asked(effects: &[Outer]) -> (u64, ListRequest) {
        let [Outer::Memory(Effect::List { request, list })] = effects else { panic!("{effects:?}") };
        (*request, list.clone())
    }

    fn ids(state: &State) -> Vec<u64> {
        state.passages.value().unwrap().iter().map(|passage| passage.id).collect()
    }

    fn filled() -> State {
        let mut state = State::default();
        let (request, _) = asked(&state.read());
        state.reduce(Event::Listed { request, older: false, result: Ok(page(&[35, 34, 21], true)) });
        state
    }

    #[test]
    fn older_pages_follow_and_each_is_asked_for_once() {
        let mut state = filled();
        let (request, list) = asked(&state.reduce(Event::Older));
        assert_eq!(list.before, Some(21));
        assert!(state.reduce(Event::Older).is_empty(), "it is under way");
        state.reduce(Event::Listed { request, older: true, result: Ok(page(&[20, 3], false)) });
        assert_eq!(ids(&state), [35, 34, 21, 20, 3]);
        assert!(state.reduce(Event::Older).is_empty(), "nothing older is there");
    }

    #[test]
    fn another_filter_begins_anew_and_drops_what_is_under_way() {
        let mut state = filled();
        let (older, _) = asked(&state.reduce(Event::Older));
        let (request, list) = asked(&state.reduce(Event::Kind(Some(PassageKind::Summary))));
        assert_eq!((list.kind, list.before), (Some(PassageKind::Summary), None));
        assert_eq!(ids(&state).len(), 3, "what is known stays until the answer is there");
        state.reduce(Event::Listed { request: older, older: true, result: Ok(page(&[1], false)) });
        assert_eq!(ids(&state).len(), 3);
        state.reduce(Event::Listed { request, older: false, result: Ok(page(&[9], false)) });
        assert_eq!(ids(&state), [9]);
    }

    #[test]
    fn a_tag_is_asked_for_when_it_is_typed() {
        let mut state = filled();
        let effects = state.reduce(Event::Tag(" #Work".into()));
        let [Outer::Memory(Effect::Later(event))] = effects.as_slice() else { panic!("{effects:?}") };
        let super::super::Event::Timeline(due) = (**event).clone() else { panic!("{event:?}") };
        let (_, list) = asked(&state.reduce(due));
        assert_eq!(list.tag.as_deref(), Some("Work"));
    }

    #[test]
    fn a_failure_leaves_what_is_known() {
        let mut state = filled();
        let (request, _) = asked(&state.reduce(Event::Older));
        state.reduce(Event::Listed { request, older: true, result: Err("away".into()) });
        assert_eq!(ids(&state).len(), 3);
        assert_eq!(state.passages.error(), Some("away"));
        assert!(!state.reduce(Event::Older).is_empty(), "it can be tried again");
    }

    #[test]
    fn days_have_their_passages_in_order() {
        let mut state = filled();
        let days = days(state.passages.value().unwrap(), 3 * DAY + 5, &TimeZone::UTC);
        let told: Vec<_> = days.iter().map(|day| (day.heading.as_str(), day.passages.len())).collect();
        assert_eq!(told, [("Today", 2), ("Yesterday", 1)]);
        state.without(&[35, 21]);
        assert_eq!(ids(&state), [34]);
    }
}
