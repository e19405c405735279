//! When facts about one subject and relation hold: time arithmetic, and nothing else.
//!
//! A fact holds in `[from, to)`, in Unix time ms. Invariant: where a relation has one value at a time, no two intervals of
//! one subject and relation overlap, in whatever order the statements arrive.

/// A fact that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub id: i64,
    /// It says the very same as the new statement.
    pub same: bool,
    pub from: i64,
    /// `None`: it is not known to have ended.
    pub to: Option<i64>,
    /// The first time after the new statement's beginning, and before its own end, at which this one was said again.
    pub again: Option<i64>,
}

impl Span {
    fn holds_at(&self, at: i64) -> bool {
        self.from <= at && self.to.is_none_or(|to| at < to)
    }

    /// A fact that was corrected from its very beginning never held.
    fn ever_held(&self) -> bool {
        self.to.is_none_or(|to| self.from < to)
    }
}

/// What becomes of a new statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It is known: that fact gains a source, and begins no later than now said.
    Known { fact: i64, from: i64 },
    /// It is new, and holds until its successor begins, if there is one.
    New { to: Option<i64>, successor: Option<i64> },
    /// It is new, and interrupts a fact that was said again later: that one ends, and from `until` on holds anew.
    Within { until: i64 },
}

/// Where a statement goes, and which fact ends where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    pub place: Place,
    pub ends: Option<i64>,
}

/// Places a statement that holds from `from` among the facts of the same subject and relation, where that relation has
/// one value at a time. What arrives late goes into the past; it never retires what began after it.
#[must_use]
pub fn place_single(spans: &[Span], from: i64) -> Placed {
    let holder = spans.iter().find(|span| span.ever_held() && span.holds_at(from));
    if let Some(holder) = holder.filter(|holder| holder.same) {
        return Placed { place: Place::Known { fact: holder.id, from: holder.from }, ends: None };
    }
    let ends = holder.map(|holder| holder.id);
    if let Some(until) = holder.and_then(|holder| holder.again) {
        return Placed { place: Place::Within { until }, ends };
    }
    let next = spans.iter().filter(|span| span.ever_held() && span.from > from).min_by_key(|span| span.from);
    let place = match next {
        Some(next) if next.same => Place::Known { fact: next.id, from },
        Some(next) => Place::New { to: Some(next.from), successor: Some(next.id) },
        None => Place::New { to: None, successor: None },
    };
    Placed { place, ends }
}

/// Places a statement among the facts that say the very same, where a relation accumulates values: nothing ends.
#[must_use]
pub fn place_accumulating(spans: &[Span], from: i64) -> Placed {
    let same = || spans.iter().filter(|span| span.same && span.ever_held());
    let known = same().find(|span| span.holds_at(from)).map(|span| (span.id, span.from));
    let later = || same().filter(|span| span.from > from).min_by_key(|span| span.from).map(|span| (span.id, from));
    let place = match known.or_else(later) {
        Some((fact, from)) => Place::Known { fact, from },
        None => Place::New { to: None, successor: None },
    };
    Placed { place, ends: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn span(id: i64, same: bool, from: i64, to: Option<i64>) -> Span {
        Span { id, same, from, to, again: None }
    }

    #[test]
    fn a_newer_statement_ends_the_one_that_holds() {
        let placed = place_single(&[span(1, false, 10, None)], 20);
        assert_eq!(placed, Placed { place: Place::New { to: None, successor: None }, ends: Some(1) });
    }

    #[test]
    fn a_late_older_statement_goes_into_the_past() {
        let placed = place_single(&[span(1, false, 10, None)], 5);
        assert_eq!(placed, Placed { place: Place::New { to: Some(10), successor: Some(1) }, ends: None });
    }

    #[test]
    fn between_two_it_ends_the_earlier_and_yields_to_the_later() {
        let placed = place_single(&[span(1, false, 10, Some(30)), span(2, false, 30, None)], 20);
        assert_eq!(placed, Placed { place: Place::New { to: Some(30), successor: Some(2) }, ends: Some(1) });
    }

    #[test]
    fn saying_it_again_adds_nothing_and_saying_it_earlier_moves_its_beginning() {
        let spans = [span(1, false, 10, Some(30)), span(2, true, 30, None)];
        assert_eq!(place_single(&spans, 40).place, Place::Known { fact: 2, from: 30 });
        let earlier = place_single(&spans, 20);
        assert_eq!(earlier, Placed { place: Place::Known { fact: 2, from: 20 }, ends: Some(1) });
    }

    #[test]
    fn going_back_is_a_new_fact() {
        let spans = [span(1, true, 10, Some(30)), span(2, false, 30, None)];
        assert_eq!(place_single(&spans, 40), Placed { place: Place::New { to: None, successor: None }, ends: Some(2) });
    }

    #[test]
    fn what_never_held_is_no_obstacle() {
        let spans = [span(1, true, 10, Some(10)), span(2, false, 10, None)];
        assert_eq!(place_single(&spans, 10), Placed { place: Place::New { to: None, successor: None }, ends: Some(2) });
    }

    #[test]
    fn accumulating_values_never_end_each_other() {
        let spans = [span(1, false, 10, None), span(2, true, 20, None)];
        assert_eq!(place_accumulating(&spans, 30).place, Place::Known { fact: 2, from: 20 });
        assert_eq!(place_accumulating(&spans, 5).place, Place::Known { fact: 2, from: 5 });
        assert_eq!(place_accumulating(&spans[..1], 30).place, Place::New { to: None, successor: None });
    }

    /// A fact of the test's table: what it says, and for which times that was said.
    #[derive(Clone)]
    struct Row {
        span: Span,
        value: u8,
        said: Vec<i64>,
    }

    /// Applies a placing to a table, as the store does to its own.
    fn apply(facts: &mut Vec<Row>, value: u8, from: i64) {
        let again = |row: &Row| row.said.iter().copied().filter(|said| *said > from).min();
        let spans: Vec<Span> =
            facts.iter().map(|row| Span { same: row.value == value, again: again(row), ..row.span }).collect();
        let placed = place_single(&spans, from);
        let ended = placed.ends.and_then(|id| facts.iter().position(|row| row.span.id == id));
        let add = |facts: &mut Vec<Row>, value: u8, from: i64, to: Option<i64>, said: Vec<i64>| {
            let id = facts.len() as i64;
            facts.push(Row { span: span(id, false, from, to), value, said });
        };
        match placed.place {
            Place::Known { fact, from: begins } => {
                for row in facts.iter_mut().filter(|row| row.span.id == fact) {
                    row.span.from = begins;
                    row.said.push(from);
                }
            }
            Place::New { to, .. } => add(facts, value, from, to, vec![from]),
            Place::Within { until } => {
                let holder = facts[ended.unwrap()].clone();
                let later = holder.said.iter().copied().filter(|said| *said >= until).collect();
                add(facts, value, from, Some(until), vec![from]);
                add(facts, holder.value, until, holder.span.to, later);
            }
        }
        if let Some(ended) = ended {
            facts[ended].span.to = Some(from);
            facts[ended].said.retain(|said| *said <= from);
        }
    }

    #[test]
    fn what_was_said_again_later_is_interrupted_and_not_retired() {
        let mut facts = Vec::new();
        for (value, from) in [(0, 0), (0, 20), (1, 10)] {
            apply(&mut facts, value, from);
        }
        let spans: Vec<_> = facts.iter().map(|row| (row.value, row.span.from, row.span.to)).collect();
        assert_eq!(spans, [(0, 0, Some(10)), (1, 10, Some(20)), (0, 20, None)]);
    }

    proptest! {
        #[test]
        fn intervals_never_overlap_and_the_last_word_of_each_instant_holds(
            statements in proptest::collection::vec((0_u8..4, 0_i64..30), 1..40)
        ) {
            let mut facts = Vec::new();
            for (value, from) in &statements {
                apply(&mut facts, *value, *from);
                // What was just said holds at the time for which it was said.
                let holding: Vec<u8> = facts
                    .iter()
                    .filter(|row| row.span.ever_held() && row.span.holds_at(*from))
                    .map(|row| row.value)
                    .collect();
                prop_assert_eq!(holding, vec![*value]);
            }
            for at in 0..31 {
                let holding = facts.iter().filter(|row| row.span.ever_held() && row.span.holds_at(at)).count();
                prop_assert!(holding <= 1, "{} facts hold at {}", holding, at);
                // From the earliest statement on something holds: nothing was ended without a successor.
                let earliest = statements.iter().map(|(_, from)| *from).min().unwrap_or(0);
                prop_assert_eq!(holding, usize::from(at >= earliest));
            }
        }

        #[test]
        fn order_of_arrival_does_not_matter_where_no_two_speak_of_one_instant(
            values in proptest::collection::vec(0_u8..4, 1..10), seed in proptest::collection::vec(0_usize..100, 10)
        ) {
            let told = |order: &[usize]| {
                let mut facts = Vec::new();
                for place in order {
                    apply(&mut facts, values[*place], *place as i64);
                }
                (0..values.len() as i64)
                    .map(|at| facts.iter().find(|row| row.span.ever_held() && row.span.holds_at(at)).map(|row| row.value))
                    .collect::<Vec<_>>()
            };
            let sorted: Vec<usize> = (0..values.len()).collect();
            let mut shuffled = sorted.clone();
            for (place, swap) in seed.iter().enumerate().take(values.len()) {
                shuffled.swap(place, swap % values.len());
            }
            prop_assert_eq!(told(&sorted), told(&shuffled));
            prop_assert_eq!(told(&sorted), values.iter().map(|value| Some(*value)).collect::<Vec<_>>());
        }
    }
}
