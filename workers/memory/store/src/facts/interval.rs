//! Where a new statement goes among the facts of the same subject and relation: time arithmetic, and nothing else.
//!
//! A fact holds in `[from, to)`, in Unix time ms. Where a relation has one value at a time, each fact holds until the next one
//! begins, and of two that begin at the same instant the one that was recorded later holds; the schema's triggers see to
//! that. So no two intervals of one subject and relation overlap, in whatever order the statements arrive. What is decided
//! here is whether a statement is a fact of its own.

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
    /// It is new. What holds then ends, and it holds itself until the next fact begins.
    New,
    /// It is new, and interrupts a fact that was said again later: from `until` on, that one holds anew.
    Within { holder: i64, until: i64 },
}

/// Places a statement that holds from `from` among the facts of the same subject and relation, where that relation has
/// one value at a time. What arrives late goes into the past; it never retires what began after it.
#[must_use]
pub fn place_single(spans: &[Span], from: i64) -> Place {
    let holder = spans.iter().find(|span| span.ever_held() && span.holds_at(from));
    if let Some(holder) = holder {
        if holder.same {
            return Place::Known { fact: holder.id, from: holder.from };
        }
        if let Some(until) = holder.again {
            return Place::Within { holder: holder.id, until };
        }
    }
    let next = spans.iter().filter(|span| span.ever_held() && span.from > from).min_by_key(|span| span.from);
    match next.filter(|next| next.same) {
        // Over what was said between and never held it cannot be moved: that would hold then.
        Some(next) if !spans.iter().any(|span| span.id != next.id && span.from >= from && span.from <= next.from) => {
            Place::Known { fact: next.id, from }
        }
        Some(_) | None => Place::New,
    }
}

/// Places a statement among the facts that say the very same, where a relation accumulates values: nothing ends.
#[must_use]
pub fn place_accumulating(spans: &[Span], from: i64) -> Place {
    let same = || spans.iter().filter(|span| span.same && span.ever_held());
    let known = same().find(|span| span.holds_at(from)).map(|span| (span.id, span.from));
    let later = || same().filter(|span| span.from > from).min_by_key(|span| span.from).map(|span| (span.id, from));
    known.or_else(later).map_or(Place::New, |(fact, from)| Place::Known { fact, from })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn span(id: i64, same: bool, from: i64, to: Option<i64>) -> Span {
        Span { id, same, from, to, again: None }
    }

    #[test]
    fn other_values_are_facts_of_their_own_before_between_and_after() {
        let spans = [span(1, false, 10, Some(30)), span(2, false, 30, None)];
        for from in [5, 10, 20, 30, 40] {
            assert_eq!(place_single(&spans, from), Place::New);
        }
    }

    #[test]
    fn saying_it_again_adds_nothing_and_saying_it_earlier_moves_its_beginning() {
        let spans = [span(1, false, 10, Some(30)), span(2, true, 30, None)];
        assert_eq!(place_single(&spans, 40), Place::Known { fact: 2, from: 30 });
        assert_eq!(place_single(&spans, 20), Place::Known { fact: 2, from: 20 });
    }

    #[test]
    fn beginning_is_not_moved_over_what_was_said_between() {
        let spans = [span(1, false, 10, Some(30)), span(2, false, 30, Some(30)), span(3, true, 30, None)];
        assert_eq!(place_single(&spans, 20), Place::New);
    }

    #[test]
    fn going_back_is_a_new_fact() {
        let spans = [span(1, true, 10, Some(30)), span(2, false, 30, None)];
        assert_eq!(place_single(&spans, 40), Place::New);
    }

    #[test]
    fn what_never_held_is_not_known() {
        let spans = [span(1, true, 10, Some(10)), span(2, false, 10, None)];
        assert_eq!(place_single(&spans, 10), Place::New);
    }

    #[test]
    fn what_was_said_again_later_is_interrupted() {
        let spans = [Span { again: Some(20), ..span(1, false, 0, None) }];
        assert_eq!(place_single(&spans, 10), Place::Within { holder: 1, until: 20 });
    }

    #[test]
    fn accumulating_values_never_end_each_other() {
        let spans = [span(1, false, 10, None), span(2, true, 20, None)];
        assert_eq!(place_accumulating(&spans, 30), Place::Known { fact: 2, from: 20 });
        assert_eq!(place_accumulating(&spans, 5), Place::Known { fact: 2, from: 5 });
        assert_eq!(place_accumulating(&spans[..1], 30), Place::New);
    }

    /// A fact of the test's table: what it says, from when, and for which times that was said.
    #[derive(Clone)]
    struct Row {
        id: i64,
        value: u8,
        from: i64,
        said: Vec<i64>,
    }

    /// The table's intervals, as the schema's triggers make them.
    fn spans(facts: &[Row], value: u8, at: i64) -> Vec<Span> {
        let mut order: Vec<&Row> = facts.iter().collect();
        order.sort_by_key(|row| (row.from, row.id));
        let next = |place: usize| order.get(place + 1).map(|row| row.from);
        let again = |row: &Row, to: Option<i64>| {
            row.said.iter().copied().filter(|said| *said > at && to.is_none_or(|to| *said < to)).min()
        };
        let span = |(place, row): (usize, &&Row)| {
            let to = next(place);
            Span { id: row.id, same: row.value == value, from: row.from, to, again: again(row, to) }
        };
        order.iter().enumerate().map(span).collect()
    }

    /// Applies a placing to a table, as the store does to its own.
    fn apply(facts: &mut Vec<Row>, value: u8, from: i64) {
        let add = |facts: &mut Vec<Row>, value: u8, from: i64, said: Vec<i64>| {
            let id = facts.len() as i64;
            facts.push(Row { id, value, from, said });
        };
        match place_single(&spans(facts, value, from), from) {
            Place::Known { fact, from: begins } => {
                for row in facts.iter_mut().filter(|row| row.id == fact) {
                    row.from = begins;
                    row.said.push(from);
                }
            }
            Place::New => add(facts, value, from, vec![from]),
            Place::Within { holder, until } => {
                let row = facts.iter_mut().find(|row| row.id == holder).unwrap();
                let later = row.said.iter().copied().filter(|said| *said >= until).collect();
                row.said.retain(|said| *said < until);
                let again = row.value;
                add(facts, value, from, vec![from]);
                add(facts, again, until, later);
            }
        }
    }

    fn holding(facts: &[Row], at: i64) -> Vec<u8> {
        let held = spans(facts, 0, 0).into_iter().filter(|span| span.ever_held() && span.holds_at(at));
        held.map(|span| facts[usize::try_from(span.id).unwrap()].value).collect()
    }

    proptest! {
        #[test]
        fn one_value_holds_at_a_time_and_the_last_word_of_each_instant_is_it(
            statements in proptest::collection::vec((0_u8..4, 0_i64..30), 1..40)
        ) {
            let mut facts = Vec::new();
            for (value, from) in &statements {
                apply(&mut facts, *value, *from);
                // What was just said holds at the time for which it was said.
                prop_assert_eq!(holding(&facts, *from), vec![*value]);
            }
            let earliest = statements.iter().map(|(_, from)| *from).min().unwrap_or(0);
            for at in 0..31 {
                // From the earliest statement on something holds: nothing was ended without a successor.
                prop_assert_eq!(holding(&facts, at).len(), usize::from(at >= earliest));
            }
        }

        #[test]
        fn order_of_arrival_does_not_matter_where_no_two_speak_of_one_instant(
            values in proptest::collection::vec(0_u8..4, 1..10), seed in proptest::collection::vec(0_usize..100, 10)
        ) {
            let mut order: Vec<usize> = (0..values.len()).collect();
            for (place, swap) in seed.iter().enumerate().take(values.len()) {
                order.swap(place, swap % values.len());
            }
            let mut facts = Vec::new();
            for place in order {
                apply(&mut facts, values[place], place as i64);
            }
            let held: Vec<u8> = (0..values.len() as i64).flat_map(|at| holding(&facts, at)).collect();
            prop_assert_eq!(held, values);
        }
    }
}
