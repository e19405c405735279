//! Tables: aligned columns, numbers to the right, cut to the terminal's width where there is one.

use crate::paint::{Paint, Role};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns of blank between two cells.
const GAP: usize = 2;

/// The least a flexible column is cut to: below this it says nothing.
const LEAST: usize = 8;

/// How a column is set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Align {
    Left,
    Right,
    /// To the left, and cut where the table is too wide.
    Flexible,
}

/// One cell: text, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    text: String,
    role: Option<Role>,
}

impl Cell {
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), role: None }
    }

    pub fn of(role: Role, text: impl Into<String>) -> Self {
        Self { text: text.into(), role: Some(role) }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(text)
    }
}

/// Heads and rows.
#[derive(Debug, Default)]
pub struct Table {
    heads: Vec<(&'static str, Align)>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    #[must_use]
    pub fn new(heads: &[(&'static str, Align)]) -> Self {
        Self { heads: heads.to_vec(), rows: Vec::new() }
    }

    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table's lines, without a final newline. `columns` is the width to fit, if any.
    #[must_use]
    pub fn render(&self, paint: Paint, columns: Option<usize>) -> String {
        let widths = self.widths(columns);
        let heads: Vec<_> = self.heads.iter().map(|(head, _)| Cell::of(Role::Muted, *head)).collect();
        let lines = std::iter::once(&heads).chain(&self.rows).map(|row| self.line(row, &widths, paint));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn widths(&self, columns: Option<usize>) -> Vec<usize> {
        let mut widths: Vec<usize> = self.heads.iter().map(|(head, _)| head.width()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.text.width());
            }
        }
        let Some(columns) = columns else { return widths };
        let gaps = GAP * widths.len().saturating_sub(1);
        let mut excess = (widths.iter().sum::<usize>() + gaps).saturating_sub(columns);
        for (width, (_, align)) in widths.iter_mut().zip(&self.heads).rev() {
            if *align == Align::Flexible && excess > 0 {
                let cut = excess.min(width.saturating_sub(LEAST));
                *width -= cut;
                excess -= cut;
            }
        }
        widths
    }

    fn line(&self, row: &[Cell], widths: &[usize], paint: Paint) -> String {
        let mut line = String::new();
        for (index, ((cell, width), (_, align))) in row.iter().zip(widths).zip(&self.heads).enumerate() {
            let text = cut(&cell.text, *width);
            let blank = " ".repeat(width.saturating_sub(text.width()));
            let shown = cell.role.map_or_else(|| text.clone().into(), |role| paint.apply(role, &text));
            if index > 0 {
                line.push_str(&" ".repeat(GAP));
            }
            match align {
                Align::Right => line.extend([blank.as_str(), &shown]),
                // The last column's blanks would only be noise in a file.
                Align::Left | Align::Flexible if index + 1 == row.len() => line.push_str(&shown),
                Align::Left | Align::Flexible => line.extend([&*shown, blank.as_str()]),
            }
        }
        line
    }
}

/// The text within a width, with an ellipsis where something was cut off.
#[must_use]
pub fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 0;
    for character in text.chars() {
        used += character.width().unwrap_or(0);
        if used + 1 > width {
            break;
        }
        kept.push(character);
    }
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&[("NAME", Align::Left), ("SIZE", Align::Right), ("REASON", Align::Flexible)]);
        table.row(vec!["brains".into(), "1.0 MiB".into(), "all is well with it".into()]);
        table.row(vec!["模型".into(), Cell::of(Role::Danger, "12 B"), "held".into()]);
        table
    }

    #[test]
    fn columns_are_aligned_by_what_is_seen() {
        insta::assert_snapshot!(table().render(Paint::new(false), None), @r"
        NAME       SIZE  REASON
        brains  1.0 MiB  all is well with it
        模型       12 B  held
        ");
    }

    #[test]
    fn colour_changes_nothing_but_colour() {
        let coloured = table().render(Paint::new(true), None);
        assert!(coloured.contains("\x1b[31m12 B\x1b[0m"));
        let stripped = crate::text::Stripper::default().strip(&coloured);
        assert_eq!(stripped, table().render(Paint::new(false), None));
    }

    #[test]
    fn a_narrow_terminal_cuts_the_flexible_column() {
        let narrow = table().render(Paint::new(false), Some(28));
        assert!(narrow.lines().all(|line| line.width() <= 28), "{narrow}");
        assert!(narrow.contains("all is wel…"), "{narrow}");
        let impossible = table().render(Paint::new(false), Some(3));
        assert!(impossible.contains("all is …"), "{impossible}");
    }
}
