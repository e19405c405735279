//! Exit codes: what a script learns without reading a word. `docs/cli.md` repeats the table and a test compares.

/// How the program ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    Done,
    Failed,
    Usage,
    /// `doctor --prove` alone: the same number as [`Exit::Usage`], which it cannot be mistaken for once it has printed.
    Reduced,
    NoKernel,
    CutOff,
    Refused,
    /// 128 + SIGINT, as shells count.
    Interrupted,
    /// 128 + SIGPIPE, as shells count.
    OutputClosed,
    /// 128 + SIGTERM, as shells count.
    Terminated,
}

impl Exit {
    pub const ALL: [Self; 10] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::Reduced,
        Self::NoKernel,
        Self::CutOff,
        Self::Refused,
        Self::Interrupted,
        Self::OutputClosed,
        Self::Terminated,
    ];

    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage | Self::Reduced => 2,
            Self::NoKernel => 3,
            Self::CutOff => 4,
            Self::Refused => 5,
            Self::Interrupted => 130,
            Self::OutputClosed => 141,
            Self::Terminated => 143,
        }
    }

    /// What it means, in the words of `--help` and `docs/cli.md`.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed; the message says why and what to do next",
            Self::Usage => "wrong usage: an unknown command, option or worker, or an unusable home folder",
            Self::Reduced => "`doctor --prove`: only what this system cannot enforce got through",
            Self::NoKernel => "no kernel runs here",
            Self::CutOff => "the answer was cut off: a worker died, or the connection was lost",
            Self::Refused => "refused: the capability table or the socket's owner does not allow it",
            Self::Interrupted => "stopped by Ctrl-C",
            Self::OutputClosed => "nobody reads the output any more",
            Self::Terminated => "ended by a signal",
        }
    }
}

/// The table at the end of `--help`.
#[must_use]
pub fn help() -> String {
    let rows = Exit::ALL.iter().map(|exit| format!("  {:>3}  {}\n", exit.number(), exit.meaning()));
    format!("Exit codes:\n{}", rows.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows `| 0 | … |` of the page, whatever else stands in it.
    fn documented() -> Vec<(u8, String)> {
        let page = include_str!("../../../docs/cli.md");
        let row = |line: &str| {
            let mut cells = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ");
            let number = cells.next()?.parse().ok()?;
            Some((number, cells.next()?.to_owned()))
        };
        page.lines().filter_map(row).collect()
    }

    #[test]
    fn the_page_lists_exactly_these_codes() {
        let ours: Vec<_> = Exit::ALL.iter().map(|exit| (exit.number(), exit.meaning().to_owned())).collect();
        assert_eq!(documented(), ours);
    }
}
