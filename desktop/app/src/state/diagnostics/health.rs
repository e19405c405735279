//! Health: what each worker finds of itself, and what the kernel says of it, each with its next step.

use super::units::{self, count, milliseconds, sentence};
use super::workers::Workers;
use butterfly_api::health::{Check, Level};
use butterfly_wire::confinement::{Confinement, Grade};
use butterfly_wire::control::{KernelStatus, WorkerState, WorkerStatus};
use std::collections::BTreeMap;

/// What is known of one worker's own checks.
#[derive(Debug, Default, Clone, PartialEq)]
struct Answer {
    /// The number of the question that is open.
    asked: Option<u64>,
    checks: Vec<Check>,
}

/// What the workers answered.
#[derive(Debug, Default)]
pub struct Health {
    answers: BTreeMap<String, Answer>,
    /// Space for logs and crash reports, which no worker may look at.
    pub disk: Option<Check>,
    next: u64,
}

/// All that was looked at in one place.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// A worker's name, `kernel`, or `disk`.
    pub about: String,
    pub is_checking: bool,
    pub checks: Vec<Check>,
}

impl Section {
    #[must_use]
    pub fn worst(&self) -> Level {
        worst(&self.checks)
    }
}

/// The worst level among checks.
#[must_use]
pub fn worst(checks: &[Check]) -> Level {
    checks.iter().map(|check| check.level).max_by_key(|level| rank(*level)).unwrap_or(Level::Ok)
}

const fn rank(level: Level) -> u8 {
    match level {
        Level::Ok => 0,
        Level::Warning => 1,
        Level::Failing => 2,
    }
}

impl Health {
    /// A worker is being asked: the number of the question.
    pub fn ask(&mut self, worker: &str) -> u64 {
        self.next += 1;
        self.answers.entry(worker.to_owned()).or_default().asked = Some(self.next);
        self.next
    }

    /// A worker answered, or could not. What belongs to an earlier question is dropped.
    pub fn answer(&mut self, worker: &str, question: u64, answer: Result<Vec<Check>, String>) {
        let Some(known) = self.answers.get_mut(worker).filter(|known| known.asked == Some(question)) else { return };
        known.asked = None;
        known.checks = answer.unwrap_or_else(|why| {
            let next_step = "Restart it under Workers, and look into its log if that does not help".to_owned();
            vec![Check { name: "answers".into(), level: Level::Failing, found: why, next_step }]
        });
    }

    /// Nobody will answer any more.
    pub fn give_up(&mut self) {
        for answer in self.answers.values_mut() {
            answer.asked = None;
        }
    }

    /// What a worker found is no longer of this process.
    pub fn forget(&mut self, worker: &str) {
        self.answers.remove(worker);
    }

    /// Whether anybody was ever asked.
    #[must_use]
    pub fn is_known(&self) -> bool {
        !self.answers.is_empty()
    }

    #[must_use]
    pub fn is_checking(&self) -> bool {
        self.answers.values().any(|answer| answer.asked.is_some())
    }

    /// All of it, in the order of the table: the kernel, the workers, the disk.
    #[must_use]
    pub fn sections(&self, workers: &Workers) -> Vec<Section> {
        let Some(status) = &workers.status else { return Vec::new() };
        let mut sections =
            vec![Section { about: "kernel".into(), is_checking: false, checks: of_kernel(&status.kernel) }];
        for worker in workers.standing() {
            let mut checks = vec![of_state(worker)];
            let answer = self.answers.get(&worker.name);
            if worker.state == WorkerState::Ready {
                checks.push(of_confinement(&worker.confinement));
                checks.extend(answer.iter().flat_map(|answer| answer.checks.clone()));
            }
            let is_checking = answer.is_some_and(|answer| answer.asked.is_some());
            sections.push(Section { about: worker.name.clone(), is_checking, checks });
        }
        if let Some(disk) = &self.disk {
            sections.push(Section { about: "disk".into(), is_checking: false, checks: vec![disk.clone()] });
        }
        sections
    }
}

fn check(name: &str, level: Level, found: String, next_step: &str) -> Check {
    Check { name: name.to_owned(), level, found, next_step: next_step.to_owned() }
}

fn of_kernel(kernel: &KernelStatus) -> Vec<Check> {
    let found = format!(
        "version {}, up {}, {} of memory",
        kernel.version,
        milliseconds(kernel.uptime_ms),
        units::bytes(kernel.rss_bytes)
    );
    let mut checks = vec![check("running", Level::Ok, found, "")];
    checks.extend(kernel.warnings.iter().map(|warning| check("note", Level::Warning, warning.clone(), "")));
    checks
}

fn of_state(worker: &WorkerStatus) -> Check {
    let (level, found) = match &worker.state {
        WorkerState::Ready if worker.restarts > 0 => {
            (Level::Ok, format!("ready, restarted {}", count(u64::from(worker.restarts), "time")))
        }
        WorkerState::Ready => (Level::Ok, "ready".to_owned()),
        WorkerState::Starting => (Level::Warning, "it is starting".to_owned()),
        WorkerState::Draining => (Level::Warning, "it finishes what it is doing and then ends".to_owned()),
        WorkerState::Backoff { .. } => (Level::Warning, "it failed and is started again in a moment".to_owned()),
        WorkerState::Stopped => (Level::Warning, "somebody stopped it".to_owned()),
        WorkerState::Held { reason } => (Level::Failing, format!("it is held: {reason}")),
    };
    check("state", level, found, next_step(&worker.state))
}

/// What a person can do about a worker in this state; empty where there is nothing to do.
#[must_use]
pub const fn next_step(state: &WorkerState) -> &'static str {
    match state {
        WorkerState::Ready => "",
        WorkerState::Starting | WorkerState::Draining => "Wait a moment",
        WorkerState::Backoff { .. } => "Its crash report says why it failed",
        WorkerState::Stopped => "Resume it under Workers",
        WorkerState::Held { .. } => "Mend that, then resume it under Workers; its crash reports and its log say more",
    }
}

fn of_confinement(confinement: &Confinement) -> Check {
    let (level, found, next_step) = match confinement.grade {
        Grade::Full => (
            Level::Ok,
            format!("full (Landlock ABI {}, network: {})", confinement.landlock_abi, confinement.network),
            "",
        ),
        Grade::Reduced => (
            Level::Warning,
            format!("reduced: this system cannot enforce {}", confinement.missing.join(", ")),
            "A newer Linux enforces more, 6.15 or newer all of it",
        ),
        Grade::None => (Level::Failing, "not in force".to_owned(), "Stop it, and look into its log"),
    };
    check("confinement", level, found, next_step)
}

/// How all of it is, in a sentence, with the worst level.
#[must_use]
pub fn summary(sections: &[Section]) -> (Level, String) {
    let levels = || sections.iter().flat_map(|section| &section.checks).map(|check| check.level);
    let failing = levels().filter(|level| *level == Level::Failing).count() as u64;
    let warnings = levels().filter(|level| *level == Level::Warning).count() as u64;
    match (failing, warnings) {
        (0, 0) => (Level::Ok, "Everything that was looked at is well.".to_owned()),
        (0, warnings) => (Level::Warning, sentence(&format!("{} to know about", count(warnings, "thing")))),
        (failing, 0) => (Level::Failing, sentence(&format!("{} to mend", count(failing, "thing")))),
        (failing, warnings) => {
            (Level::Failing, sentence(&format!("{} to mend, {warnings} to know about", count(failing, "thing"))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::workers::tests::sample;
    use super::*;

    fn workers() -> Workers {
        let mut workers = Workers::default();
        workers.read(sample());
        workers
    }

    fn ok() -> Check {
        check("model server", Level::Ok, "it answers".into(), "")
    }

    #[test]
    fn what_is_not_well_has_a_next_step() {
        let sections = Health::default().sections(&workers());
        let abouts: Vec<_> = sections.iter().map(|section| (section.about.as_str(), section.worst())).collect();
        assert_eq!(
            abouts,
            [
                ("kernel", Level::Warning),
                ("model", Level::Warning),
                ("brains", Level::Failing),
                ("memory", Level::Warning)
            ]
        );
        for check in sections.iter().skip(1).flat_map(|section| &section.checks) {
            assert_eq!(check.level == Level::Ok, check.next_step.is_empty(), "{check:?}");
        }
        assert_eq!(summary(&sections), (Level::Failing, "1 thing to mend, 3 to know about.".to_owned()));
    }

    #[test]
    fn only_the_newest_question_is_answered() {
        let (mut health, workers) = (Health::default(), workers());
        let first = health.ask("model");
        let second = health.ask("model");
        health.answer("model", first, Ok(Vec::new()));
        assert!(health.is_checking());
        health.answer("model", second, Ok(vec![ok()]));
        let sections = health.sections(&workers);
        assert!(!sections[1].is_checking && sections[1].checks.contains(&ok()));
        health.answer("model", second, Err("late".into()));
        assert!(health.sections(&workers)[1].checks.contains(&ok()), "it was answered already");
    }

    #[test]
    fn a_worker_that_cannot_answer_is_failing_and_one_that_is_gone_is_not_waited_for() {
        let (mut health, workers) = (Health::default(), workers());
        let question = health.ask("model");
        health.answer("model", question, Err("it did not answer in time".into()));
        assert_eq!(health.sections(&workers)[1].worst(), Level::Failing);
        health.ask("model");
        health.give_up();
        assert!(!health.is_checking());
        health.forget("model");
        assert_eq!(health.sections(&workers)[1].worst(), Level::Warning);
    }
}
