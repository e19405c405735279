//! Proof of confinement: what a worker's twin tried that it must not be able to do, and what came of it.

use butterfly_wire::control::ProofReport;
use butterfly_wire::verdict::{Verdict, excused_by, judge};

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Stable, such as `file.read`.
    pub attempt: String,
    /// The grant that the worker lacks, in words.
    pub grant: String,
    pub verdict: Verdict,
    /// It got through because this system lacks what would deny it, by this name.
    pub excused: Option<&'static str>,
}

impl Row {
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.verdict.is_good() || self.excused.is_some()
    }
}

/// All about one worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    pub rows: Vec<Row>,
    /// Differences between the live process and its twin, in words.
    pub wrong: Vec<String>,
}

impl Proof {
    #[must_use]
    pub fn of(report: &ProofReport) -> Self {
        let rows = report.twin.iter().zip(&report.control).map(|(twin, control)| Row {
            attempt: twin.name.clone(),
            grant: twin.grant.clone(),
            verdict: judge(twin, control),
            excused: excused_by(&twin.name).filter(|lacking| {
                judge(twin, control) == Verdict::GotThrough && report.missing.iter().any(|it| it == lacking)
            }),
        });
        let mut wrong = report.live.clone();
        if report.twin.len() != report.control.len() {
            wrong.push("the twin and its control did not try the same".to_owned());
        }
        Self { rows: rows.collect(), wrong }
    }

    #[must_use]
    pub fn denied(&self) -> usize {
        self.rows.iter().filter(|row| matches!(row.verdict, Verdict::Denied { .. })).count()
    }

    /// Whether nothing got through. Nothing denied proves nothing.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.wrong.is_empty() && self.denied() > 0 && self.rows.iter().all(Row::is_good)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use butterfly_wire::confinement::{Attempt, Outcome};

    fn attempt(outcome: Outcome) -> Attempt {
        Attempt { name: "file.read".into(), grant: "a path".into(), outcome }
    }

    fn report(twin: Vec<Outcome>, control: Vec<Outcome>) -> ProofReport {
        ProofReport {
            worker: "model".into(),
            twin: twin.into_iter().map(attempt).collect(),
            control: control.into_iter().map(attempt).collect(),
            live: Vec::new(),
            missing: Vec::new(),
        }
    }

    #[test]
    fn nothing_denied_proves_nothing_and_one_that_got_through_disproves() {
        let denied = || Outcome::Denied { error: "EACCES".into() };
        let good = Proof::of(&report(vec![denied()], vec![Outcome::Succeeded]));
        assert!(good.is_good() && good.denied() == 1);
        assert!(!Proof::of(&report(Vec::new(), Vec::new())).is_good());
        assert!(!Proof::of(&report(vec![denied()], vec![denied()])).is_good(), "it fails unconfined, too");
        let through = report(vec![denied(), Outcome::Succeeded], vec![Outcome::Succeeded, Outcome::Succeeded]);
        assert!(!Proof::of(&through).is_good());
        let tcp = |missing: Vec<String>| {
            let mut through = through.clone();
            through.twin[1].name = "tcp.connect".into();
            through.control[1].name = "tcp.connect".into();
            Proof::of(&ProofReport { missing, ..through }).is_good()
        };
        assert!(tcp(vec!["TCP port limits".into()]), "what this system is known not to deny is no surprise");
        assert!(!tcp(Vec::new()));
        let uneven = Proof::of(&report(vec![denied(), denied()], vec![Outcome::Succeeded]));
        assert!(!uneven.is_good() && !uneven.wrong.is_empty());
    }
}
