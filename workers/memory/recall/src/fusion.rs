//! Candidates of several sources become one order.
//!
//! Each source's scores are normalised to 0..=1 *as scores*: places in a list throw away how much better the first is than
//! the tenth, and fusing places was measured to be worse than words alone. What stands beside a good passage shares in its
//! score, because the answer often stands in the turn after the question; what asks counts less than what tells, because it
//! repeats the query's words and knows no more than it. Every score is the sum of its reasons.

use crate::near::Print;
use std::collections::{HashMap, HashSet};

/// Why a passage was found; the order is that of the reasons in a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Word,
    Meaning,
    Link,
    Recency,
    Tag,
    Neighbour,
    Superseded,
}

/// One share of a score.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    pub kind: Kind,
    /// After its weight; below zero for [`Kind::Superseded`].
    pub score: f32,
    /// In words and numbers.
    pub detail: String,
}

/// What each source counts. Only their proportions matter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    pub word: f32,
    pub meaning: f32,
    pub link: f32,
    pub recency: f32,
    /// For tags, the speaker and the day that the query names.
    pub tag: f32,
    /// Share of the better neighbour's score.
    pub neighbour: f32,
}

/// Found best on the fixture of `tests/recall` with real vectors; `docs/memory.md` tells how.
impl Default for Weights {
    fn default() -> Self {
        Self { word: 0.5, meaning: 0.5, link: 0.5, recency: 0.05, tag: 0.25, neighbour: 0.25 }
    }
}

/// Age at which recency has fallen to a half, in ms: a month.
pub const HALF_LIFE_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// What remains of the score of a passage that says what was corrected later: found still, after the correction.
///
/// By words, meaning, tag and neighbours it may reach 2; the correction has its link, 0.5, and little else where it is said in
/// other words.
pub const SUPERSEDED_SHARE: f32 = 0.3;

/// Least part of the score of a text with all of the query's words that counts as full: the best of poor matches is poor.
/// 0.3 to 0.8 were measured to be alike on the whole; more of it favours meaning.
pub const FULL_SHARE: f32 = 0.5;

/// Least distance between the nearest vector and the farthest one that counts, for which the nearest one counts in full. Of
/// vectors that have nothing to do with the query one is always the nearest, by a hundredth or two. Up to 0.15 it was measured
/// to cost nothing; there are models whose cosines differ by little more.
pub const SPREAD: f32 = 0.15;

/// What a passage that only asks keeps of its score; one that asks in part keeps accordingly more. 0.3 to 0.7 were measured
/// to be alike, and to find 2 answers of 100 more than 1.
pub const ASKING_SHARE: f32 = 0.4;

/// How many times as much of its neighbour's score a passage has that follows upon a question: it is the answer.
pub const ANSWERING: f32 = 2.0;

/// Reasons that add less than this are not told.
const TOLD: f32 = 0.005;

/// A passage that some source found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Candidate {
    pub id: i64,
    /// Unix time in ms.
    pub at_ms: i64,
    /// BM25, 0 where no word matched, and the words that did.
    pub word: f32,
    pub words: Vec<String>,
    /// Cosine similarity; `None`: not among the nearest.
    pub meaning: Option<f32>,
    /// Strength of the link in 0..=1, and what it is.
    pub link: Option<(f32, String)>,
    /// How much of what the query names the passage is labelled with, in 0..=1, and what.
    pub tag: Option<(f32, String)>,
    /// How much of it asks, in 0..=1.
    pub asks: f32,
    /// What was said just before and just after.
    pub before: Option<i64>,
    pub after: Option<i64>,
    /// What corrected it.
    pub superseded: Option<String>,
}

/// A candidate with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    pub id: i64,
    /// The sum of the reasons' scores, to rounding.
    pub score: f32,
    pub reasons: Vec<Reason>,
}

/// Ranks candidates, best first; of equal ones the later id. `full` is the BM25 score of a text that has all of the query's
/// words once; `now_ms` is the moment from which recency counts.
#[must_use]
pub fn fuse(candidates: &[Candidate], full: f32, weights: &Weights, now_ms: i64) -> Vec<Ranked> {
    let best_word = candidates.iter().map(|candidate| candidate.word).fold(FULL_SHARE * full, f32::max);
    let nearest = candidates.iter().filter_map(|candidate| candidate.meaning);
    let range =
        Range { least: nearest.clone().fold(f32::INFINITY, f32::min), most: nearest.fold(f32::NEG_INFINITY, f32::max) };
    let shares: Vec<Vec<Reason>> =
        candidates.iter().map(|candidate| own(candidate, weights, best_word, range, now_ms)).collect();
    let passed: HashMap<i64, Passed> = candidates
        .iter()
        .zip(&shares)
        .map(|(candidate, reasons)| {
            let share = if candidate.superseded.is_some() { SUPERSEDED_SHARE } else { 1.0 };
            (candidate.id, Passed { score: share * passes(reasons), asks: candidate.asks })
        })
        .collect();
    let mut ranked: Vec<Ranked> = candidates
        .iter()
        .zip(shares)
        .map(|(candidate, mut reasons)| {
            for reason in reasons.iter_mut().filter(|reason| reason.kind != Kind::Recency) {
                reason.score *= 1.0 - (1.0 - ASKING_SHARE) * candidate.asks.clamp(0.0, 1.0);
            }
            reasons.extend(neighbour(candidate, &passed, weights.neighbour));
            if let Some(by) = &candidate.superseded {
                let score: f32 = reasons.iter().map(|reason| reason.score).sum();
                reasons.push(Reason {
                    kind: Kind::Superseded,
                    score: score * (SUPERSEDED_SHARE - 1.0),
                    detail: by.clone(),
                });
            }
            reasons.retain(|reason| reason.score.abs() >= TOLD);
            reasons.sort_by_key(|reason| reason.kind);
            Ranked { id: candidate.id, score: reasons.iter().map(|reason| reason.score).sum(), reasons }
        })
        .collect();
    ranked.sort_by(|one, other| other.score.total_cmp(&one.score).then(other.id.cmp(&one.id)));
    ranked
}

/// What a passage passes on to those beside it.
#[derive(Clone, Copy)]
struct Passed {
    score: f32,
    asks: f32,
}

/// What it answers by is passed on, not that it is new, nor who said it: the one beside it has a speaker and a day of its own.
fn passes(reasons: &[Reason]) -> f32 {
    let counts = |kind: Kind| match kind {
        Kind::Word | Kind::Meaning | Kind::Link => true,
        Kind::Recency | Kind::Tag | Kind::Neighbour | Kind::Superseded => false,
    };
    reasons.iter().filter(|reason| counts(reason.kind)).map(|reason| reason.score).sum()
}

#[derive(Clone, Copy)]
struct Range {
    least: f32,
    most: f32,
}

impl Range {
    /// Min-max over no less than [`SPREAD`].
    fn normal(self, value: f32) -> f32 {
        (value - self.least) / (self.most - self.least).max(SPREAD)
    }
}

fn own(candidate: &Candidate, weights: &Weights, best_word: f32, range: Range, now_ms: i64) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if candidate.word > 0.0 && best_word > 0.0 {
        let detail = format!("bm25 {:.2} of {best_word:.2}: {}", candidate.word, candidate.words.join(", "));
        reasons.push(Reason { kind: Kind::Word, score: weights.word * candidate.word / best_word, detail });
    }
    if let Some(cosine) = candidate.meaning {
        let detail = format!("cosine {cosine:.3} of {:.3} to {:.3}", range.least, range.most);
        reasons.push(Reason { kind: Kind::Meaning, score: weights.meaning * range.normal(cosine), detail });
    }
    if let Some((strength, what)) = &candidate.link {
        reasons.push(Reason { kind: Kind::Link, score: weights.link * strength.clamp(0.0, 1.0), detail: what.clone() });
    }
    if let Some((share, what)) = &candidate.tag {
        reasons.push(Reason { kind: Kind::Tag, score: weights.tag * share.clamp(0.0, 1.0), detail: what.clone() });
    }
    let age = now_ms.saturating_sub(candidate.at_ms).max(0);
    let recency = (-(age as f64) / HALF_LIFE_MS as f64).exp2() as f32;
    let days = age as f64 / f64::from(24 * 60 * 60 * 1000);
    reasons.push(Reason {
        kind: Kind::Recency,
        score: weights.recency * recency,
        detail: format!("{days:.1} days old"),
    });
    reasons
}

fn neighbour(candidate: &Candidate, passed: &HashMap<i64, Passed>, weight: f32) -> Option<Reason> {
    let of = |id: Option<i64>| id.and_then(|id| passed.get(&id)).copied().unwrap_or(Passed { score: 0.0, asks: 0.0 });
    let (before, after) = (of(candidate.before), of(candidate.after));
    let answers = weight * (1.0 + (ANSWERING - 1.0) * before.asks.clamp(0.0, 1.0)) * before.score;
    let (score, place, from) = if answers >= weight * after.score {
        (answers, "before", before)
    } else {
        (weight * after.score, "after", after)
    };
    let asks = if place == "before" && from.asks > 0.5 { ", and asks" } else { "" };
    (score > 0.0).then(|| Reason {
        kind: Kind::Neighbour,
        score,
        detail: format!("the turn {place} scores {:.3}{asks}", from.score),
    })
}

/// What a passage says, and where that comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said<'a> {
    pub text: &'a str,
    /// The message that a memory was noted from; of everything else, its own id.
    pub origin: i64,
}

/// Leaves out what says the same as something better, be it in the same words or as the memory of a message; and what comes
/// up for nothing at all. Keeps at most `limit`.
#[must_use]
pub fn distinct<'a>(ranked: Vec<Ranked>, limit: usize, said: impl Fn(i64) -> Option<Said<'a>>) -> Vec<Ranked> {
    let mut kept: Vec<Ranked> = Vec::new();
    let mut prints: Vec<Print> = Vec::new();
    let mut origins: HashSet<i64> = HashSet::new();
    for passage in ranked {
        if kept.len() == limit {
            break;
        }
        let Some(said) = said(passage.id) else { continue };
        let print = Print::of(said.text);
        let known = origins.contains(&said.origin) || prints.iter().any(|other| other.is_near(&print));
        if passage.score > 0.0 && !known {
            prints.push(print);
            origins.insert(said.origin);
            kept.push(passage);
        }
    }
    kept
}

/// Whether anything but its age speaks for a passage.
#[must_use]
pub fn answers(passage: &Ranked) -> bool {
    passage.reasons.iter().any(|reason| match reason.kind {
        Kind::Word | Kind::Meaning | Kind::Link | Kind::Tag | Kind::Neighbour => true,
        Kind::Recency | Kind::Superseded => false,
    })
}

/// The best items that fit into `budget` together; one that does not fit is passed over for a smaller one.
#[must_use]
pub fn within<T>(items: Vec<T>, budget: u32, cost: impl Fn(&T) -> u32) -> Vec<T> {
    let mut left = budget;
    items
        .into_iter()
        .filter(|item| match left.checked_sub(cost(item)) {
            Some(rest) => {
                left = rest;
                true
            }
            None => false,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: i64 = 1_800_000_000_000;

    fn candidate(id: i64) -> Candidate {
        Candidate { id, ..Candidate::default() }
    }

    fn order(candidates: &[Candidate]) -> Vec<i64> {
        fuse(candidates, 0.0, &Weights::default(), NOW).iter().map(|ranked| ranked.id).collect()
    }

    #[test]
    fn what_two_sources_find_comes_before_what_one_finds() {
        let both = Candidate { word: 7.0, meaning: Some(0.6), ..candidate(1) };
        let word = Candidate { word: 8.0, ..candidate(2) };
        let meaning = Candidate { meaning: Some(0.65), ..candidate(3) };
        let far = Candidate { meaning: Some(0.2), ..candidate(4) };
        assert_eq!(order(&[far, meaning, word, both])[0], 1);
    }

    #[test]
    fn scores_count_and_not_places() {
        // The second is far behind in words and just behind in meaning: by places alone the two would tie.
        let first = Candidate { word: 9.0, meaning: Some(0.50), ..candidate(1) };
        let second = Candidate { word: 1.0, meaning: Some(0.51), ..candidate(2) };
        let last = Candidate { meaning: Some(0.1), ..candidate(3) };
        assert_eq!(order(&[second, first, last]), [1, 2, 3]);
    }

    #[test]
    fn turn_beside_a_match_comes_up() {
        let hit = Candidate { word: 5.0, after: Some(2), ..candidate(1) };
        let beside = Candidate { before: Some(1), ..candidate(2) };
        let ranked = fuse(&[hit, beside, candidate(3)], 0.0, &Weights::default(), NOW);
        assert_eq!(ranked[1].id, 2);
        assert_eq!(ranked[1].reasons[0].kind, Kind::Neighbour);
    }

    #[test]
    fn what_was_corrected_comes_after_its_correction() {
        let old =
            Candidate { word: 5.0, superseded: Some("corrected later: lives in Oslo".to_owned()), ..candidate(1) };
        let new = Candidate { word: 4.0, ..candidate(2) };
        let ranked = fuse(&[old, new], 0.0, &Weights::default(), NOW);
        assert_eq!(ranked[0].id, 2);
        let lowered = ranked[1].reasons.iter().find(|reason| reason.kind == Kind::Superseded).unwrap();
        assert!(lowered.score < 0.0);
        assert_eq!(lowered.detail, "corrected later: lives in Oslo");
    }

    #[test]
    fn of_equal_passages_the_later_said_comes_first() {
        let old = Candidate { word: 5.0, at_ms: NOW - HALF_LIFE_MS, ..candidate(2) };
        let new = Candidate { word: 5.0, at_ms: NOW, ..candidate(1) };
        assert_eq!(order(&[old, new]), [1, 2]);
    }

    #[test]
    fn reasons_tell_their_numbers() {
        let found =
            Candidate { word: 7.31, words: vec!["sister".into(), "live".into()], meaning: Some(0.5), ..candidate(1) };
        let best = Candidate { word: 9.02, meaning: Some(0.25), ..candidate(2) };
        let ranked = fuse(&[found, best], 0.0, &Weights::default(), NOW);
        let details: Vec<&str> = ranked
            .iter()
            .find(|ranked| ranked.id == 1)
            .unwrap()
            .reasons
            .iter()
            .map(|reason| reason.detail.as_str())
            .collect();
        assert_eq!(details, ["bm25 7.31 of 9.02: sister, live", "cosine 0.500 of 0.250 to 0.500"]);
    }

    #[test]
    fn nearest_of_vectors_that_are_all_alike_counts_little() {
        let noise = Candidate { meaning: Some(0.197), ..candidate(1) };
        let rest = Candidate { meaning: Some(0.171), ..candidate(2) };
        let fact = Candidate { word: 4.0, ..candidate(3) };
        let ranked = fuse(&[noise, rest, fact], 8.0, &Weights::default(), NOW);
        assert_eq!(ranked[0].id, 3);
        assert!(ranked[1].score < 0.1, "{ranked:?}");
    }

    #[test]
    fn best_of_poor_matches_does_not_count_in_full() {
        let poor = Candidate { word: 1.0, ..candidate(1) };
        let score = |full: f32| fuse(std::slice::from_ref(&poor), full, &Weights::default(), NOW)[0].score;
        assert!((score(1.0) - 0.5).abs() < 1e-3 && (score(8.0) - 0.125).abs() < 1e-3);
    }

    #[test]
    fn answer_comes_before_the_question_that_repeats_the_query() {
        let question = Candidate { word: 8.0, meaning: Some(0.9), asks: 1.0, after: Some(2), ..candidate(1) };
        let answer = Candidate { meaning: Some(0.5), before: Some(1), ..candidate(2) };
        let other = Candidate { meaning: Some(0.1), ..candidate(3) };
        let ranked = fuse(&[question, answer, other], 8.0, &Weights::default(), NOW);
        assert_eq!(ranked[0].id, 2);
        let beside = ranked[0].reasons.iter().find(|reason| reason.kind == Kind::Neighbour).unwrap();
        assert_eq!(beside.detail, "the turn before scores 1.000, and asks");
        assert!((beside.score - 0.5).abs() < 1e-3);
    }

    #[test]
    fn speaker_of_one_turn_says_nothing_of_the_next() {
        let named = Candidate { tag: Some((1.0, "said by Ana".to_owned())), after: Some(2), ..candidate(1) };
        let ranked = fuse(&[named, Candidate { before: Some(1), ..candidate(2) }], 0.0, &Weights::default(), NOW);
        assert!(ranked[1].reasons.iter().all(|reason| reason.kind != Kind::Neighbour));
    }

    #[test]
    fn same_thing_said_twice_is_given_once() {
        let texts = ["the cat sat on the mat", "The cat sat on the mat!", "a dog", "remember the dog", "the dog"];
        // The fifth was noted from the fourth.
        let origins = [1, 2, 3, 4, 4];
        let ranked = |ids: &[i64]| ids.iter().map(|id| Ranked { id: *id, score: 1.0, reasons: Vec::new() }).collect();
        let said = |id: i64| {
            let place = usize::try_from(id - 1).ok()?;
            Some(Said { text: texts.get(place)?, origin: *origins.get(place)? })
        };
        let ids = |kept: Vec<Ranked>| kept.iter().map(|ranked| ranked.id).collect::<Vec<_>>();
        assert_eq!(ids(distinct(ranked(&[1, 2, 3, 4, 5]), 9, said)), [1, 3, 4]);
        assert_eq!(ids(distinct(ranked(&[5, 4, 1]), 9, said)), [5, 1]);
    }

    #[test]
    fn budget_is_kept_and_used() {
        assert_eq!(within(vec![5, 9, 4, 1], 10, |cost| *cost), [5, 4, 1]);
        assert!(within(vec![5], 0, |cost| *cost).is_empty());
    }

    fn any_candidate() -> impl Strategy<Value = Candidate> {
        (
            1i64..40,
            0f32..20.0,
            proptest::option::of(-1f32..1.0),
            proptest::option::of(0f32..1.0),
            any::<bool>(),
            0f32..=1.0,
            0i64..NOW,
        )
            .prop_map(|(id, word, meaning, link, superseded, asks, at_ms)| Candidate {
                asks,
                id,
                at_ms,
                word,
                meaning,
                link: link.map(|strength| (strength, "x".to_owned())),
                before: Some(id - 1),
                after: Some(id + 1),
                superseded: superseded.then(|| "y".to_owned()),
                ..Candidate::default()
            })
    }

    proptest! {
        #[test]
        fn every_score_is_finite_and_the_sum_of_its_reasons(candidates in proptest::collection::vec(any_candidate(), 0..40)) {
            let ranked = fuse(&candidates, 0.0, &Weights::default(), NOW);
            prop_assert_eq!(ranked.len(), candidates.len());
            for passage in &ranked {
                let sum: f32 = passage.reasons.iter().map(|reason| reason.score).sum();
                prop_assert!(passage.score.is_finite() && (passage.score - sum).abs() < 1e-4);
            }
            prop_assert!(ranked.windows(2).all(|pair| pair[0].score >= pair[1].score));
        }

        #[test]
        fn order_of_the_candidates_does_not_matter(candidates in proptest::collection::hash_map(1i64..40, any_candidate(), 0..30)) {
            let mut one: Vec<Candidate> = candidates.into_iter().map(|(id, candidate)| Candidate { id, ..candidate }).collect();
            one.sort_by_key(|candidate| candidate.id);
            let mut other = one.clone();
            other.reverse();
            prop_assert_eq!(fuse(&one, 0.0, &Weights::default(), NOW), fuse(&other, 0.0, &Weights::default(), NOW));
        }
    }
}
