//! Recall and reciprocal rank (Voorhees, "The TREC-8 Question Answering Track Report", 1999).

/// Places that recall is measured at.
pub const AT: [usize; 3] = [5, 10, 20];

/// Figures over some questions, as shares.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Figures {
    pub questions: usize,
    /// Of a question's evidence, how much is among the first of [`AT`]; the mean over the questions.
    pub recall: [f64; 3],
    /// One by the place of the first evidence, 0 if there is none; the mean over the questions.
    pub reciprocal_rank: f64,
}

impl Figures {
    /// Of rankings with their evidence.
    #[must_use]
    pub fn of<'a>(rankings: impl Iterator<Item = (&'a [String], &'a [String])>) -> Self {
        let mut sum = Self::default();
        for (ranking, evidence) in rankings {
            let places: Vec<usize> =
                evidence.iter().filter_map(|id| ranking.iter().position(|found| found == id)).collect();
            for (recall, at) in sum.recall.iter_mut().zip(AT) {
                *recall += places.iter().filter(|place| **place < at).count() as f64 / evidence.len() as f64;
            }
            sum.reciprocal_rank += places.iter().min().map_or(0.0, |first| 1.0 / (first + 1) as f64);
            sum.questions += 1;
        }
        let questions = sum.questions.max(1) as f64;
        Self {
            questions: sum.questions,
            recall: sum.recall.map(|recall| recall / questions),
            reciprocal_rank: sum.reciprocal_rank / questions,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn figures_are_means_over_the_questions() {
        let (first, second) = (ids("x a y z w b"), ids("q"));
        let (both, none) = (ids("a b"), ids("n"));
        let figures = Figures::of([(&first[..], &both[..]), (&second[..], &none[..])].into_iter());
        assert_eq!(figures.questions, 2);
        assert_eq!(figures.recall, [0.25, 0.5, 0.5]);
        assert!((figures.reciprocal_rank - 0.25).abs() < 1e-9);
    }
}
