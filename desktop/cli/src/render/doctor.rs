//! What `doctor` found: checks with their next steps, and what the twins could not do.

use crate::exit::Exit;
use crate::paint::{Paint, Role};
use crate::render::status::sentence;
use crate::render::table::{Align, Cell, Table};
use crate::render::units;
use crate::text;
use butterfly_api::health::{Check, Level};
use serde::Serialize;

/// What was looked at in one place.
#[derive(Serialize)]
pub struct Section {
    pub about: String,
    pub checks: Vec<Check>,
}

/// The worst level among the sections.
#[must_use]
pub fn worst(sections: &[Section]) -> Level {
    let levels = sections.iter().flat_map(|section| &section.checks).map(|check| check.level);
    levels.max_by_key(|level| rank(*level)).unwrap_or(Level::Ok)
}

const fn rank(level: Level) -> u8 {
    match level {
        Level::Ok => 0,
        Level::Warning => 1,
        Level::Failing => 2,
    }
}

/// The sections for people.
#[must_use]
pub fn text(sections: &[Section], paint: Paint) -> String {
    let mut lines = Vec::new();
    for section in sections {
        lines.push(paint.apply(Role::Strong, &text::escaped(&section.about)).into_owned());
        for check in &section.checks {
            let (word, role) = match check.level {
                Level::Ok => ("ok     ", Role::Good),
                Level::Warning => ("warning", Role::Warning),
                Level::Failing => ("failing", Role::Danger),
            };
            let found = sentence(&check.found);
            lines.push(format!("  {}  {}: {found}", paint.apply(role, word), text::escaped(&check.name)));
            if !check.next_step.is_empty() {
                lines.push(format!("           {} {}", paint.apply(Role::Accent, "→"), sentence(&check.next_step)));
            }
        }
    }
    lines.join("\n")
}

/// How one attempt of a twin is judged.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Judged {
    /// Refused, while the unconfined control got through.
    Denied { error: String },
    /// Not refused, and this system is known not to be able to: `missing` names what it lacks.
    Excused { missing: String },
    /// Not refused.
    GotThrough,
    /// It failed, but not by a refusal, while the control got through: as bad as having got through.
    Unclear { why: String },
    /// The control could not do it either, so the twin's failure proves nothing.
    NotTestable { why: String },
}

/// One attempt.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Row {
    pub attempt: String,
    /// The grant that the worker lacks.
    pub grant: String,
    #[serde(flatten)]
    pub judged: Judged,
}

/// All about one worker.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Proof {
    pub worker: String,
    pub rows: Vec<Row>,
    /// What this system cannot enforce.
    pub missing: Vec<String>,
    /// What is wrong beside the rows: the live process differs from the twin, the twin did not do its work.
    pub wrong: Vec<String>,
}

/// What a run of all twins came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Summary {
    pub workers: usize,
    pub attempts: usize,
    pub denied: usize,
    pub not_testable: usize,
    pub excused: usize,
    pub got_through: usize,
    pub unclear: usize,
    /// Workers about which something else is wrong.
    pub wrong: usize,
}

impl Summary {
    #[must_use]
    pub fn of(proofs: &[Proof]) -> Self {
        let mut summary = Self { workers: proofs.len(), ..Self::default() };
        summary.attempts = proofs.iter().map(|proof| proof.rows.len()).max().unwrap_or(0);
        summary.wrong = proofs.iter().filter(|proof| !proof.wrong.is_empty()).count();
        for row in proofs.iter().flat_map(|proof| &proof.rows) {
            match row.judged {
                Judged::Denied { .. } => summary.denied += 1,
                Judged::NotTestable { .. } => summary.not_testable += 1,
                Judged::Excused { .. } => summary.excused += 1,
                Judged::GotThrough => summary.got_through += 1,
                Judged::Unclear { .. } => summary.unclear += 1,
            }
        }
        summary
    }

    /// The exit code of `doctor --prove`. Nothing proved is never a success.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        let bad = self.got_through + self.unclear + self.wrong;
        if bad > 0 || self.workers == 0 || self.denied == 0 {
            Exit::Failed
        } else if self.excused > 0 {
            Exit::Reduced
        } else {
            Exit::Done
        }
    }

    /// The last line.
    #[must_use]
    pub fn line(&self) -> String {
        let mut parts = vec![
            format!("{} denied", self.denied),
            format!("{} not testable here", self.not_testable),
            format!("{} got through", self.got_through),
        ];
        if self.unclear > 0 {
            parts.push(format!("{} unclear", self.unclear));
        }
        if self.excused > 0 {
            parts.push(format!("{} got through that this system cannot deny", self.excused));
        }
        if self.wrong > 0 {
            parts.push(format!("{} otherwise wrong", units::count(self.wrong as u64, "worker")));
        }
        let (workers, attempts) =
            (units::count(self.workers as u64, "worker"), units::count(self.attempts as u64, "attempt"));
        format!("butterfly doctor: {workers} × {attempts}: {}", parts.join(", "))
    }
}

/// One worker's rows for people.
#[must_use]
pub fn proof(proof: &Proof, paint: Paint, columns: Option<usize>) -> String {
    let mut table = Table::new(&[
        ("ATTEMPT", Align::Left),
        ("OUTCOME", Align::Left),
        ("ERROR", Align::Flexible),
        ("MISSING GRANT", Align::Flexible),
    ]);
    for row in &proof.rows {
        let (outcome, error) = match &row.judged {
            Judged::Denied { error } => (Cell::of(Role::Good, "denied"), error.as_str()),
            Judged::NotTestable { why } => (Cell::of(Role::Muted, "not testable here"), why.as_str()),
            Judged::Excused { missing } => (Cell::of(Role::Warning, "got through (reduced)"), missing.as_str()),
            Judged::GotThrough => (Cell::of(Role::Danger, "GOT THROUGH"), "none"),
            Judged::Unclear { why } => (Cell::of(Role::Danger, "UNCLEAR"), why.as_str()),
        };
        table.row(vec![
            text::escaped(&row.attempt).into(),
            outcome,
            text::escaped(error).into(),
            text::escaped(&row.grant).into(),
        ]);
    }
    let mut lines = vec![paint.apply(Role::Strong, &text::escaped(&proof.worker)).into_owned()];
    if !table.is_empty() {
        lines.push(table.render(paint, columns));
    }
    if !proof.missing.is_empty() {
        let missing = text::escaped(&proof.missing.join(", "));
        lines.push(format!("{} this system cannot enforce: {missing}", paint.apply(Role::Warning, "reduced:")));
    }
    let wrong = proof.wrong.iter();
    lines.extend(wrong.map(|wrong| format!("{} {}", paint.apply(Role::Danger, "wrong:"), sentence(wrong))));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(attempt: &str, judged: Judged) -> Row {
        Row { attempt: attempt.into(), grant: format!("leave for {attempt}"), judged }
    }

    fn denied() -> Judged {
        Judged::Denied { error: "EACCES".into() }
    }

    fn proofs(judged: &[Judged], wrong: &[&str]) -> Vec<Proof> {
        let rows = judged.iter().map(|judged| row("file.read", judged.clone())).collect();
        let wrong = wrong.iter().map(|wrong| (*wrong).to_owned()).collect();
        vec![Proof { worker: "model".into(), rows, missing: Vec::new(), wrong }]
    }

    #[test]
    fn the_exit_code_is_what_the_rows_come_to() {
        let exit = |judged: &[Judged], wrong: &[&str]| Summary::of(&proofs(judged, wrong)).exit();
        let excused = Judged::Excused { missing: "TCP port limits".into() };
        let untested = Judged::NotTestable { why: "no vsock".into() };
        assert_eq!(exit(&[denied(), untested.clone()], &[]), Exit::Done);
        assert_eq!(exit(&[denied(), excused.clone()], &[]), Exit::Reduced);
        assert_eq!(exit(&[denied(), excused, Judged::GotThrough], &[]), Exit::Failed);
        assert_eq!(exit(&[denied()], &["the live process has no filter"]), Exit::Failed);
        assert_eq!(exit(&[denied(), Judged::Unclear { why: "ENOENT".into() }], &[]), Exit::Failed);
        assert_eq!(exit(&[untested], &[]), Exit::Failed, "nothing denied proves nothing");
        assert_eq!(Summary::of(&[]).exit(), Exit::Failed);
    }

    #[test]
    fn the_rows_name_error_and_grant() {
        let judged = [denied(), Judged::NotTestable { why: "unconfined: EAFNOSUPPORT".into() }, Judged::GotThrough];
        let proofs = proofs(&judged, &["the live process has no filter"]);
        insta::assert_snapshot!(proof(&proofs[0], Paint::new(false), None), @r"
        model
        ATTEMPT    OUTCOME            ERROR                     MISSING GRANT
        file.read  denied             EACCES                    leave for file.read
        file.read  not testable here  unconfined: EAFNOSUPPORT  leave for file.read
        file.read  GOT THROUGH        none                      leave for file.read
        wrong: the live process has no filter.
        ");
        let line = Summary::of(&proofs).line();
        assert_eq!(
            line,
            "butterfly doctor: 1 worker × 3 attempts: 1 denied, 1 not testable here, 1 got through, 1 worker otherwise wrong"
        );
        insta::assert_snapshot!(serde_json::to_string(&proofs[0].rows[0]).unwrap(), @r#"{"attempt":"file.read","grant":"leave for file.read","verdict":"denied","error":"EACCES"}"#);
    }

    #[test]
    fn a_check_shows_its_next_step() {
        let check = |level, next_step: &str| Check {
            name: "model server".into(),
            level,
            found: "nothing listens\x1b[m there".into(),
            next_step: next_step.into(),
        };
        let checks = vec![check(Level::Failing, "start `ollama serve`"), check(Level::Ok, "")];
        let sections = [Section { about: "model".into(), checks }];
        assert_eq!(worst(&sections), Level::Failing);
        insta::assert_snapshot!(text(&sections, Paint::new(false)), @r"
        model
          failing  model server: nothing listens\x1b[m there.
                   → start `ollama serve`.
          ok       model server: nothing listens\x1b[m there.
        ");
    }
}
