//! What the command line asks for.

use std::path::PathBuf;

/// The benchmarks by name, in the order of the report.
pub const NAMES: [&str; 15] = [
    "round-trip",
    "in-flight",
    "stream",
    "first-token",
    "tokens",
    "cold-start",
    "restart",
    "memory",
    "status",
    "vectors",
    "durable",
    "keeping",
    "window-start",
    "window-stream",
    "window-hours",
];

/// How a run is to be made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// One benchmark alone.
    pub only: Option<String>,
    /// Few repetitions: to see that it works, not to know how quick it is.
    pub quick: bool,
    /// A million of what is kept, too: it takes hours.
    pub large: bool,
    /// Where the page goes. A whole run goes to `docs/benchmarks.md`, any other one nowhere, unless this says so.
    pub out: Option<PathBuf>,
    /// For the page, instead of today's.
    pub date: Option<String>,
}

/// The command line cannot be understood.
pub const USAGE: &str = "usage: butterfly-bench [--only NAME] [--quick | --large] [--out FILE] [--date YYYY-MM-DD]";

impl Options {
    /// Reads the command line, program name excluded.
    ///
    /// # Errors
    /// For an unknown option, one without its value, or a benchmark that there is not.
    pub fn from_arguments(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut options = Self::default();
        while let Some(name) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| anyhow::anyhow!("{name} needs a value; {USAGE}"));
            match name.as_str() {
                "--quick" => options.quick = true,
                "--large" => options.large = true,
                "--out" => options.out = Some(value()?.into()),
                "--date" => options.date = Some(value()?),
                "--only" => {
                    let only = value()?;
                    anyhow::ensure!(NAMES.contains(&only.as_str()), "there is no {only}, only {}", NAMES.join(", "));
                    options.only = Some(only);
                }
                _ => anyhow::bail!("{name} is no option; {USAGE}"),
            }
        }
        Ok(options)
    }

    #[must_use]
    pub fn wants(&self, name: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == name)
    }

    /// So many repetitions, or a tenth of them and at least two.
    #[must_use]
    pub fn times(&self, full: usize) -> usize {
        if self.quick { (full / 10).max(2) } else { full }
    }

    /// Where the page goes.
    #[must_use]
    pub fn page(&self) -> Option<PathBuf> {
        let whole = self.only.is_none() && !self.quick;
        self.out.clone().or_else(|| whole.then(|| PathBuf::from("docs/benchmarks.md")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> anyhow::Result<Options> {
        Options::from_arguments(words.iter().map(|word| (*word).to_owned()))
    }

    #[test]
    fn only_a_whole_run_replaces_the_page() {
        assert_eq!(parse(&[]).unwrap().page(), Some(PathBuf::from("docs/benchmarks.md")));
        assert_eq!(parse(&["--quick"]).unwrap().page(), None);
        assert_eq!(parse(&["--only", "status"]).unwrap().page(), None);
        assert_eq!(parse(&["--quick", "--out", "x"]).unwrap().page(), Some(PathBuf::from("x")));
    }

    #[test]
    fn nonsense_is_named() {
        assert!(parse(&["--only", "speed"]).unwrap_err().to_string().contains("round-trip"));
        assert!(parse(&["--only"]).is_err());
        assert!(parse(&["--fast"]).unwrap_err().to_string().contains("--fast"));
    }
}
