//! The report: rows of figure, baseline, ratio and target, and the page that they make.

use std::fmt::Write;

/// What a number counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    Microseconds,
    Milliseconds,
    PerSecond,
    Mebibytes,
    /// Of one.
    Share,
    /// Things.
    Count,
}

impl Unit {
    /// The number with its unit, in four digits or so.
    #[must_use]
    pub fn show(self, number: f64) -> String {
        match self {
            Self::Microseconds => format!("{number:.1} µs"),
            Self::Milliseconds => format!("{number:.2} ms"),
            Self::PerSecond => format!("{number:.0} /s"),
            Self::Mebibytes => format!("{number:.2} MiB"),
            Self::Share => format!("{number:.3}"),
            Self::Count => format!("{number:.0}"),
        }
    }
}

/// What is to be reached.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Target {
    /// Figure divided by baseline.
    RatioAtMost(f64),
    RatioAtLeast(f64),
    /// Figure less baseline, in the row's unit.
    AddedAtMost(f64),
    /// The figure alone, in the row's unit.
    AtMost(f64),
}

/// One comparison.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    pub what: String,
    pub unit: Unit,
    pub figure: f64,
    pub baseline: f64,
    /// What the baseline is.
    pub against: &'static str,
    pub target: Option<Target>,
}

impl Row {
    #[must_use]
    pub fn new(what: impl Into<String>, unit: Unit, figure: f64, baseline: f64, against: &'static str) -> Self {
        Self { what: what.into(), unit, figure, baseline, against, target: None }
    }

    #[must_use]
    pub fn target(self, target: Target) -> Self {
        Self { target: Some(target), ..self }
    }

    /// Whether the target is reached; `None` without one. What is not a number reaches nothing.
    #[must_use]
    pub fn met(&self) -> Option<bool> {
        Some(match self.target? {
            Target::RatioAtMost(most) => self.figure / self.baseline <= most,
            Target::RatioAtLeast(least) => self.figure / self.baseline >= least,
            Target::AddedAtMost(most) => self.figure - self.baseline <= most,
            Target::AtMost(most) => self.figure <= most,
        })
    }

    fn cells(&self) -> [String; 6] {
        let show = |number| self.unit.show(number);
        let compared = match self.target {
            Some(Target::AddedAtMost(_)) => format!("+{}", show(self.figure - self.baseline)),
            Some(Target::RatioAtMost(_) | Target::RatioAtLeast(_) | Target::AtMost(_)) | None => {
                format!("{:.3} ×", self.figure / self.baseline)
            }
        };
        let target = match self.target {
            Some(Target::RatioAtMost(most)) => format!("≤ {most} ×"),
            Some(Target::RatioAtLeast(least)) => format!("≥ {least} ×"),
            Some(Target::AddedAtMost(most)) => format!("≤ +{}", show(most)),
            Some(Target::AtMost(most)) => format!("≤ {}", show(most)),
            None => String::new(),
        };
        let met = match self.met() {
            Some(true) => "met",
            Some(false) => "**missed**",
            None => "",
        };
        let baseline = format!("{} ({})", show(self.baseline), self.against);
        [self.what.clone(), show(self.figure), baseline, compared, target, met.to_owned()]
    }
}

/// What one benchmark reports.
#[derive(Clone, PartialEq, Debug)]
pub struct Section {
    pub title: &'static str,
    /// How it was measured, in whole sentences.
    pub method: String,
    pub rows: Vec<Row>,
}

/// The page, in Markdown. `conditions` are the facts of machine and run.
#[must_use]
pub fn page(conditions: &[(&str, String)], sections: &[Section]) -> String {
    let mut page = String::from(
        "# Benchmarks\n\n\
         Written by `make bench`; run it again instead of editing this page. Each figure stands beside its baseline from \
         the same run, measured in turns, so that whatever else the machine did met both. Times and rates are medians \
         unless a row says otherwise. A target that was missed is called missed.\n\n",
    );
    for (name, value) in conditions {
        let _ = writeln!(page, "- {name}: {value}");
    }
    for section in sections {
        let _ = write!(page, "\n## {}\n\n{}\n\n", section.title, section.method);
        page.push_str(&table(&section.rows));
    }
    page
}

/// A table whose columns are aligned also where nobody renders it.
fn table(rows: &[Row]) -> String {
    let head = ["what", "figure", "baseline", "compared", "target", ""].map(str::to_owned);
    let cells: Vec<_> = std::iter::once(head).chain(rows.iter().map(Row::cells)).collect();
    let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; 6] = std::array::from_fn(width);
    let line = |row: &[String; 6]| {
        let mut line = String::from("|");
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            let _ = match column {
                0 | 5 => write!(line, " {cell:<width$} |"),
                _ => write!(line, " {cell:>width$} |"),
            };
        }
        line + "\n"
    };
    let rule: [String; 6] = std::array::from_fn(|column| {
        let dashes = "-".repeat(widths[column].max(3) - usize::from((1..5).contains(&column)));
        if (1..5).contains(&column) { dashes + ":" } else { dashes }
    });
    let mut table = line(&cells[0]);
    table.push_str(&line(&rule));
    for row in &cells[1..] {
        table.push_str(&line(row));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(figure: f64, target: Target) -> Row {
        Row::new("x", Unit::Milliseconds, figure, 10.0, "bare").target(target)
    }

    #[test]
    fn a_target_is_met_or_missed_and_never_rounded() {
        assert_eq!(row(12.5, Target::RatioAtMost(1.25)).met(), Some(true));
        assert_eq!(row(12.500_1, Target::RatioAtMost(1.25)).met(), Some(false));
        assert_eq!(row(7.9, Target::RatioAtLeast(0.8)).met(), Some(false));
        assert_eq!(row(12.1, Target::AddedAtMost(2.0)).met(), Some(false));
        assert_eq!(row(f64::NAN, Target::AtMost(1.0)).met(), Some(false));
        assert_eq!(Row::new("x", Unit::PerSecond, 1.0, 1.0, "bare").met(), None);
    }

    #[test]
    fn the_page_says_what_was_missed() {
        let rows = vec![row(20.0, Target::AtMost(15.0)), row(5.0, Target::AtMost(15.0))];
        let section = Section { title: "Title", method: "Method.".to_owned(), rows };
        let page = page(&[("machine", "this".to_owned())], &[section]);
        assert!(page.contains("- machine: this\n"));
        assert!(page.contains("| 20.00 ms | 10.00 ms (bare) |  2.000 × | ≤ 15.00 ms | **missed** |"), "{page}");
        assert_eq!(page.matches("| met").count(), 1);
    }
}
