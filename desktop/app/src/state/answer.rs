//! The answers that are being said, apart from the rest: they change thirty times a second.
//!
//! What has come is kept as plain text. Whoever shows it makes Markdown of what is new, so that an answer that nobody
//! looks at costs nothing.

use super::{Effect as Outer, chat};
use butterfly_api::model::Usage;
use butterfly_api::session::TurnItem;
use std::collections::BTreeMap;

/// All answers that run, by the number that the conversation's run has.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct State {
    pub runs: BTreeMap<u64, Answer>,
}

/// One answer, as far as it has come.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Answer {
    pub text: String,
    pub thinking: String,
    /// What the program said meanwhile: a model is being loaded, a worker came back.
    pub notices: Vec<String>,
    pub usage: Option<Usage>,
    /// The secret that the turn waits for.
    pub waits_for: Option<String>,
    pub phase: Phase,
}

/// How far an answer has come.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Nothing was said yet.
    #[default]
    Waiting,
    Thinking,
    Speaking,
    /// It is over; why, if not because all was said.
    Over {
        fault: Option<String>,
    },
}

/// What happens to an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    Began {
        run: u64,
    },
    Item {
        run: u64,
        item: TurnItem,
    },
    Ended {
        run: u64,
        fault: Option<String>,
    },
    /// The transcript has it now, in the turn with this message of the person's.
    Dropped {
        run: u64,
        turn: Option<u64>,
    },
}

impl State {
    /// Changes the state by what happened, and says what is to be done.
    pub fn reduce(&mut self, event: Event) -> Vec<Outer> {
        match event {
            Event::Began { run } => {
                self.runs.insert(run, Answer::default());
            }
            Event::Item { run, item } => {
                // What comes late is of no use: the transcript has it.
                if let Some(answer) = self.runs.get_mut(&run) {
                    answer.take(item);
                }
            }
            Event::Ended { run, fault } => {
                if let Some(answer) = self.runs.get_mut(&run) {
                    answer.waits_for = None;
                    answer.phase = Phase::Over { fault };
                }
            }
            Event::Dropped { run, turn } => {
                let notices = self.runs.remove(&run).map(|answer| answer.notices).unwrap_or_default();
                if let Some(turn) = turn.filter(|_| !notices.is_empty()) {
                    return vec![Outer::then(chat::Event::Noticed { turn, notices })];
                }
            }
        }
        Vec::new()
    }
}

impl Answer {
    fn take(&mut self, item: TurnItem) {
        match item {
            TurnItem::Started { .. } => {}
            TurnItem::Thinking { text } => {
                self.waits_for = None;
                self.thinking.push_str(&text);
                self.phase = Phase::Thinking;
            }
            TurnItem::Text { text } => {
                self.waits_for = None;
                self.text.push_str(&text);
                self.phase = Phase::Speaking;
            }
            // A long notice comes in pieces; one that is said twice is read once.
            TurnItem::Notice { text } if self.notices.last() == Some(&text) => {}
            TurnItem::Notice { text } => self.notices.push(text),
            TurnItem::Usage(usage) => self.usage = Some(usage),
            TurnItem::NeedsSecret { name, .. } => self.waits_for = Some(name),
        }
    }

    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> TurnItem {
        TurnItem::Text { text: text.into() }
    }

    #[test]
    fn words_are_added_in_the_order_in_which_they_come() {
        let mut state = State::default();
        state.reduce(Event::Began { run: 1 });
        assert_eq!(state.runs[&1].phase, Phase::Waiting);
        state.reduce(Event::Item { run: 1, item: TurnItem::Thinking { text: "hm".into() } });
        assert_eq!(state.runs[&1].phase, Phase::Thinking);
        for piece in ["a", "b", "c"] {
            state.reduce(Event::Item { run: 1, item: text(piece) });
        }
        assert_eq!((state.runs[&1].text.as_str(), &state.runs[&1].phase), ("abc", &Phase::Speaking));
    }

    #[test]
    fn each_answer_has_its_own_words_and_late_ones_are_dropped() {
        let mut state = State::default();
        state.reduce(Event::Began { run: 1 });
        state.reduce(Event::Began { run: 2 });
        state.reduce(Event::Item { run: 1, item: text("one") });
        state.reduce(Event::Item { run: 2, item: text("two") });
        state.reduce(Event::Dropped { run: 1, turn: None });
        state.reduce(Event::Item { run: 1, item: text("late") });
        assert!(!state.runs.contains_key(&1));
        assert_eq!(state.runs[&2].text, "two");
    }

    #[test]
    fn what_ends_keeps_its_words_and_says_why() {
        let mut state = State::default();
        state.reduce(Event::Began { run: 1 });
        state.reduce(Event::Item { run: 1, item: text("half") });
        state.reduce(Event::Ended { run: 1, fault: Some("the model ended".into()) });
        assert!(state.runs[&1].is_over());
        assert_eq!(state.runs[&1].text, "half");
    }

    #[test]
    fn notices_outlive_their_answer() {
        let mut state = State::default();
        state.reduce(Event::Began { run: 1 });
        let notice = || Event::Item { run: 1, item: TurnItem::Notice { text: "the model is being loaded".into() } };
        state.reduce(notice());
        state.reduce(notice());
        let effects = state.reduce(Event::Dropped { run: 1, turn: Some(7) });
        let [Outer::Then(event)] = &effects[..] else { panic!("{effects:?}") };
        let crate::state::Event::Chat(chat::Event::Noticed { turn: 7, notices }) = &**event else {
            panic!("{event:?}")
        };
        assert_eq!(notices, &["the model is being loaded"]);
    }

    #[test]
    fn a_turn_that_waits_for_a_secret_says_so_until_it_goes_on() {
        let mut state = State::default();
        state.reduce(Event::Began { run: 1 });
        let item = TurnItem::NeedsSecret { name: "model.api_key".into(), why: "it wants one".into() };
        state.reduce(Event::Item { run: 1, item });
        assert_eq!(state.runs[&1].waits_for.as_deref(), Some("model.api_key"));
        state.reduce(Event::Item { run: 1, item: text("so") });
        assert_eq!(state.runs[&1].waits_for, None);
    }
}
