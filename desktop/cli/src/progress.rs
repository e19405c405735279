//! How far something has come: a bar at a terminal, a line each tenth elsewhere, nothing with `--json`.

use crate::out::Out;
use crate::render::units;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// Between two redraws while nothing comes.
const TICK: Duration = Duration::from_millis(200);

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Bytes,
    /// Things with this name, in the plural.
    Count(&'static str),
}

/// On standard error: standard output is for results.
pub struct Progress {
    view: View,
    what: &'static str,
    unit: Unit,
}

enum View {
    Silent,
    Bar(ProgressBar),
    /// The tenth that was reported last.
    Lines {
        out: Out,
        tenth: Option<u64>,
    },
}

impl Progress {
    #[must_use]
    pub fn new(out: &Out, what: &'static str, unit: Unit) -> Self {
        let view = if out.json {
            View::Silent
        } else if out.terminal {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.set_message(what);
            bar.set_style(style(SPINNER));
            bar.enable_steady_tick(TICK);
            View::Bar(bar)
        } else {
            View::Lines { out: out.clone(), tenth: None }
        };
        Self { view, what, unit }
    }

    /// `total` is 0 where it is not known.
    pub fn at(&mut self, done: u64, total: u64) {
        match &mut self.view {
            View::Silent => {}
            View::Bar(bar) => {
                if bar.length() != Some(total) && total > 0 {
                    bar.set_length(total);
                    bar.set_style(style(match self.unit {
                        Unit::Bytes => BYTES,
                        Unit::Count(_) => COUNT,
                    }));
                }
                bar.set_position(done);
            }
            View::Lines { out, tenth } => {
                let reached = done.saturating_mul(10).checked_div(total).map(|tenth| tenth.min(10));
                if reached.is_some() && reached > *tenth {
                    *tenth = reached;
                    out.remark(&line(self.what, self.unit, done, total));
                }
            }
        }
    }

    /// Takes the bar away.
    pub fn end(&self) {
        if let View::Bar(bar) = &self.view {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

fn line(what: &str, unit: Unit, done: u64, total: u64) -> String {
    let share = done.saturating_mul(100).checked_div(total).unwrap_or(0);
    match unit {
        Unit::Bytes => format!("{what}: {share} % ({} of {})", units::bytes(done), units::bytes(total)),
        Unit::Count(name) => format!("{what}: {share} % ({done} of {total} {name})"),
    }
}

const SPINNER: &str = "{spinner} {msg}";
const BYTES: &str = "{msg} {wide_bar} {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left";
const COUNT: &str = "{msg} {wide_bar} {pos} of {len}  {per_sec}  {eta} left";

/// A template that does not parse would be a fault in this file alone; the default style shows the same less nicely.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_parse() {
        for template in [SPINNER, BYTES, COUNT] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }

    #[test]
    fn lines_say_what_how_much_and_of_how_much() {
        assert_eq!(line("sending", Unit::Bytes, 512, 1024), "sending: 50 % (512 B of 1.0 KiB)");
        assert_eq!(line("vectors", Unit::Count("passages"), 3, 4), "vectors: 75 % (3 of 4 passages)");
    }
}
