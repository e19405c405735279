//! Forgetting: the question that says what else goes, and what is told afterwards.

use super::sheet;
use crate::state::frame::{Confirm, Toast, Tone};
use butterfly_api::memory::{Fact, Forgotten, Passage, PassageKind};
use std::collections::BTreeSet;

/// Lines that name passages, and lines that name facts; the rest is counted.
const NAMED: usize = 6;

/// Characters of a passage in such a line.
const QUOTED: usize = 90;

/// What is to be forgotten.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Forgettable {
    /// Passages.
    pub passages: Vec<u64>,
    /// Facts, each without the passage that it came from.
    pub facts: Vec<u64>,
}

impl Forgettable {
    #[must_use]
    pub fn passage(id: u64) -> Self {
        Self { passages: vec![id], facts: Vec::new() }
    }

    #[must_use]
    pub fn fact(id: u64) -> Self {
        Self { passages: Vec::new(), facts: vec![id] }
    }
}

/// The question, once it is known what would go. `None`: nothing has that number any more.
#[must_use]
pub fn question(what: &Forgettable, goes: &Forgotten) -> Option<Confirm> {
    if goes.passages.is_empty() && goes.facts.is_empty() {
        return None;
    }
    let subject = match (goes.passages.len(), goes.facts.len()) {
        (0, facts) => count(facts, "fact"),
        (_, 0) => passages(&goes.passages),
        (_, facts) => format!("{} and {}", passages(&goes.passages), count(facts, "fact")),
    };
    Some(Confirm {
        title: format!("Forget {subject}?"),
        text: "It leaves the assistant's memory for good; this cannot be taken back.".into(),
        details: details(what, goes),
        label: "Forget".into(),
        danger: true,
        event: Box::new(sheet::Event::ForgetAgreed(what.clone()).into()),
    })
}

/// A line each: what was asked for first, then what else goes.
fn details(what: &Forgettable, goes: &Forgotten) -> Vec<String> {
    let mut lines = Vec::new();
    let (asked, more): (Vec<_>, Vec<_>) = goes.passages.iter().partition(|passage| what.passages.contains(&passage.id));
    let named: Vec<String> = asked.into_iter().chain(more).map(told).collect();
    cut(&mut lines, named, "more passage");
    cut(&mut lines, goes.facts.iter().map(|fact| format!("Fact: {}", sentence(fact))).collect(), "more fact");
    if !goes.entities.is_empty() {
        lines.push(format!("Nothing else speaks of: {}", goes.entities.join(", ")));
    }
    let counts: Vec<String> = [(goes.edges, "link"), (goes.vectors, "vector")]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, noun)| count(number as usize, noun))
        .collect();
    if !counts.is_empty() {
        lines.push(counts.join(" and "));
    }
    if goes.explanations > 0 {
        let answers = count(goes.explanations as usize, "answer");
        lines.push(format!("The note of why {answers} knew it, since it quotes what goes"));
    }
    if !goes.backups.is_empty() {
        lines.push(format!("Still in these copies until the store is next cleaned up: {}", goes.backups.join(", ")));
    }
    lines.push("Not touched: exports, and backups that you keep elsewhere".into());
    lines
}

fn cut(lines: &mut Vec<String>, all: Vec<String>, noun: &str) {
    let rest = all.len().saturating_sub(NAMED);
    lines.extend(all.into_iter().take(NAMED));
    if rest > 0 {
        lines.push(format!("… and {}", count(rest, noun)));
    }
}

fn told(passage: &Passage) -> String {
    let kind = match passage.kind {
        PassageKind::Memory => "Memory",
        PassageKind::Message => "Message",
        PassageKind::Summary => "Summary",
    };
    if passage.text.is_empty() {
        return format!("{kind} #{}", passage.id);
    }
    format!("{kind}: “{}”", quoted(&passage.text))
}

/// The beginning of a text, on one line.
#[must_use]
pub fn quoted(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= QUOTED {
        return line;
    }
    let mut short: String = line.chars().take(QUOTED - 1).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

/// A fact as a sentence.
#[must_use]
pub fn sentence(fact: &Fact) -> String {
    format!("{} {} {}", fact.subject, fact.relation, fact.object)
}

/// Such as `1 fact` and `2 facts`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    match noun.strip_suffix('y') {
        Some(stem) if number != 1 => format!("{number} {stem}ies"),
        _ => format!("{number} {noun}{ending}"),
    }
}

/// Passages of one kind by that, else as passages.
fn passages(passages: &[Passage]) -> String {
    let kinds: BTreeSet<&str> = passages
        .iter()
        .map(|passage| match passage.kind {
            PassageKind::Memory => "memory",
            PassageKind::Message => "message",
            PassageKind::Summary => "summary",
        })
        .collect();
    let noun = if kinds.len() == 1 { kinds.into_iter().next().unwrap_or("passage") } else { "passage" };
    count(passages.len(), noun)
}

/// What is told when it is done, or was not.
#[must_use]
pub fn outcome(what: Forgettable, result: &Result<Forgotten, String>) -> Toast {
    match result {
        Ok(gone) if gone.passages.is_empty() && gone.facts.is_empty() => {
            Toast::new(Tone::Info, "It was forgotten already.")
        }
        Ok(gone) => {
            let parts =
                [(passages(&gone.passages), gone.passages.len()), (count(gone.facts.len(), "fact"), gone.facts.len())];
            let parts: Vec<String> =
                parts.into_iter().filter(|(_, number)| *number > 0).map(|(text, _)| text).collect();
            Toast::new(Tone::Success, format!("Forgotten: {}.", parts.join(" and ")))
        }
        Err(why) => Toast::new(Tone::Danger, format!("Nothing was forgotten: {why}"))
            .with("Try again", sheet::Event::ForgetAgreed(what)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::facts::tests::fact;
    use super::super::search::tests::passage;
    use super::*;

    fn goes() -> Forgotten {
        Forgotten {
            passages: vec![
                passage(2, PassageKind::Summary, "a summary"),
                passage(1, PassageKind::Memory, &"My sister lives in Leeds. ".repeat(20)),
            ],
            facts: vec![fact(1, "user's sister", "lives in", "Leeds")],
            entities: vec!["Leeds".into()],
            edges: 3,
            vectors: 1,
            explanations: 2,
            backups: vec!["before-3.db".into()],
        }
    }

    #[test]
    fn the_question_says_what_else_goes() {
        let question = question(&Forgettable::passage(1), &goes()).unwrap();
        assert_eq!(question.title, "Forget 2 passages and 1 fact?");
        assert!(question.danger);
        let details = question.details;
        assert!(
            details[0].starts_with("Memory: “My sister lives in Leeds.") && details[0].ends_with("…”"),
            "{details:?}"
        );
        assert_eq!(
            details[1..],
            [
                "Summary: “a summary”",
                "Fact: user's sister lives in Leeds",
                "Nothing else speaks of: Leeds",
                "3 links and 1 vector",
                "The note of why 2 answers knew it, since it quotes what goes",
                "Still in these copies until the store is next cleaned up: before-3.db",
                "Not touched: exports, and backups that you keep elsewhere",
            ]
        );
    }

    #[test]
    fn many_are_counted_and_none_is_no_question() {
        let passages = (0..20).map(|id| passage(id, PassageKind::Message, "hello")).collect();
        let goes = Forgotten { passages, ..Forgotten::default() };
        let question = question(&Forgettable::passage(3), &goes).unwrap();
        assert_eq!(question.title, "Forget 20 messages?");
        assert_eq!(question.details.len(), NAMED + 2);
        assert!(question.details.contains(&"… and 14 more passages".to_owned()));
        assert!(super::question(&Forgettable::passage(3), &Forgotten::default()).is_none());
    }

    #[test]
    fn the_outcome_is_told_and_a_failure_can_be_tried_again() {
        let told = |result| outcome(Forgettable::fact(1), &result);
        assert_eq!(told(Ok(goes())).text, "Forgotten: 2 passages and 1 fact.");
        let one = Forgotten { passages: vec![passage(1, PassageKind::Memory, "x")], ..Forgotten::default() };
        assert_eq!(told(Ok(one)).text, "Forgotten: 1 memory.");
        assert_eq!(told(Ok(Forgotten::default())).tone, Tone::Info);
        let failed = told(Err("the memory worker is away; try again".into()));
        assert_eq!(failed.tone, Tone::Danger);
        assert!(failed.action.is_some());
        assert_eq!(count(3, "memory"), "3 memories");
    }
}
