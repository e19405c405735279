//! What a twin's attempt proves, once it is laid beside its control's.

use crate::confinement::{Attempt, Outcome};
use std::fmt;

/// What one row of `doctor --prove` says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The confinement refused what works without it.
    Denied { error: String },
    /// It worked, confined.
    GotThrough,
    /// It does not work here even unconfined, so that its failure proves nothing.
    NotTestable { why: String },
    /// It works unconfined and failed confined, but not with a refusal. Proves nothing, and is no fault of the system's: as
    /// bad as having got through.
    Unclear { why: String },
}

impl Verdict {
    /// Whether a proof with this row may still come out well.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        match self {
            Self::Denied { .. } | Self::NotTestable { .. } => true,
            Self::GotThrough | Self::Unclear { .. } => false,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied { error } => write!(f, "denied ({error})"),
            Self::GotThrough => f.write_str("GOT THROUGH"),
            Self::NotTestable { why } => write!(f, "not testable here ({why})"),
            Self::Unclear { why } => write!(f, "UNCLEAR ({why})"),
        }
    }
}

/// Compares an attempt of the confined twin with the same attempt of the unconfined control.
#[must_use]
pub fn judge(twin: &Attempt, control: &Attempt) -> Verdict {
    if twin.name != control.name {
        return Verdict::Unclear { why: format!("its control tried {} instead", control.name) };
    }
    match (&twin.outcome, &control.outcome) {
        // Whatever the control saw: what worked, worked.
        (Outcome::Succeeded, _) => Verdict::GotThrough,
        (_, Outcome::Denied { error }) => Verdict::NotTestable { why: format!("unconfined it fails too: {error}") },
        (_, Outcome::NotTestable { why }) => Verdict::NotTestable { why: format!("unconfined it fails too: {why}") },
        (Outcome::Denied { error }, Outcome::Succeeded) => Verdict::Denied { error: error.clone() },
        (Outcome::NotTestable { why }, Outcome::Succeeded) => {
            Verdict::Unclear { why: format!("unconfined it works, confined it fails without a refusal: {why}") }
        }
    }
}

/// The name, as in [`crate::confinement::Confinement::missing`], of what a system must lack for this attempt to get through in spite
/// of everything; `None` where nothing excuses it.
#[must_use]
pub fn excused_by(attempt: &str) -> Option<&'static str> {
    (attempt == "tcp.connect").then_some("TCP port limits")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(outcome: Outcome) -> Attempt {
        Attempt { name: "file.read".into(), grant: "read the file".into(), outcome }
    }

    fn denied() -> Outcome {
        Outcome::Denied { error: "EACCES".into() }
    }

    fn untestable() -> Outcome {
        Outcome::NotTestable { why: "ENOENT".into() }
    }

    fn verdict(twin: Outcome, control: Outcome) -> Verdict {
        judge(&attempt(twin), &attempt(control))
    }

    #[test]
    fn a_refusal_counts_only_where_the_control_succeeds() {
        assert_eq!(verdict(denied(), Outcome::Succeeded), Verdict::Denied { error: "EACCES".into() });
        assert!(matches!(verdict(denied(), denied()), Verdict::NotTestable { why } if why.ends_with("EACCES")));
        assert!(matches!(verdict(denied(), untestable()), Verdict::NotTestable { why } if why.ends_with("ENOENT")));
    }

    #[test]
    fn what_worked_got_through_whatever_the_control_saw() {
        for control in [Outcome::Succeeded, denied(), untestable()] {
            assert_eq!(verdict(Outcome::Succeeded, control), Verdict::GotThrough);
        }
    }

    #[test]
    fn failing_without_a_refusal_is_never_a_pass() {
        let unclear = verdict(untestable(), Outcome::Succeeded);
        assert!(matches!(&unclear, Verdict::Unclear { why } if why.ends_with("ENOENT")) && !unclear.is_good());
        assert!(verdict(untestable(), untestable()).is_good());
        assert!(!verdict(Outcome::Succeeded, Outcome::Succeeded).is_good());
    }

    #[test]
    fn rows_that_do_not_belong_together_prove_nothing() {
        let other = Attempt { name: "file.write".into(), ..attempt(Outcome::Succeeded) };
        assert!(matches!(judge(&attempt(denied()), &other), Verdict::Unclear { .. }));
    }
}
