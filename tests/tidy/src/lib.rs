//! The project's own rules as ordinary tests: layout, who may depend on whom, where `unsafe` may stand, what a page links to.
//!
//! Each rule is a pure function from data to violations, with a test that shows it catching one; `tests/tree.rs` applies
//! them all to this repository. This crate is *not* a linter for other projects: the rules' tables are constants here.

pub mod adr;
pub mod claims;
pub mod codec;
pub mod layers;
pub mod links;
pub mod lints;
pub mod machine;
pub mod packages;
pub mod shape;
pub mod source;
pub mod tree;
pub mod unsafety;

use std::fmt;

/// One place that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// A path from the repository's root, with a line where there is one, or a package.
    pub place: String,
    /// What is wrong there.
    pub what: String,
    /// What puts it right.
    pub remedy: &'static str,
}

impl Violation {
    pub(crate) fn new(place: impl Into<String>, what: impl Into<String>, remedy: &'static str) -> Self {
        Self { place: place.into(), what: what.into(), remedy }
    }

    pub(crate) fn at(path: &str, line: usize, what: impl Into<String>, remedy: &'static str) -> Self {
        Self::new(format!("{path}:{line}"), what, remedy)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.place, self.what, self.remedy)
    }
}
