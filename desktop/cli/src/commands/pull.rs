//! `model pull`: a progress bar, lines, or objects, until the model is there.

use crate::context::Context;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::render::units;
use crate::text;
use butterfly_api::model::{Pull, PullProgress, PullRequest, Pulled};
use butterfly_client::{Bus, Next};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// Between two redraws while nothing comes, so that the time left goes on.
const TICK: Duration = Duration::from_millis(200);

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'a> {
    Progress(&'a PullProgress),
    End(&'a Pulled),
}

/// Fetches a model. Ctrl-C ends it; the server keeps what it has, and goes on from there the next time.
///
/// # Errors
/// What the model worker answers.
pub async fn run(context: &Context, bus: &Bus, request: PullRequest) -> Result<Exit, Fault> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut stream = bus.stream::<Pull>(&request).await?;
    let mut view = View::new(context);
    loop {
        let next = tokio::select! {
            next = stream.next() => next,
            _ = interrupt.recv() => {
                view.clear();
                return Err(Fault::interrupted("the pull was stopped; the same command goes on where it ended"));
            }
        };
        match next {
            Ok(Next::Item(progress)) => view.progress(context, &progress)?,
            Ok(Next::End(pulled)) => {
                view.clear();
                let out = &context.out;
                if out.json {
                    out.object(&Line::End(&pulled))?;
                } else {
                    out.line(&format!("{} is ready", text::escaped(&pulled.model)))?;
                }
                return Ok(Exit::Done);
            }
            Err(failure) => {
                view.clear();
                return Err(failure.into());
            }
        }
    }
}

/// How progress is shown.
enum View {
    Objects,
    /// One bar; a server's status line is beside it, and a new layer begins it anew.
    Bar {
        bar: ProgressBar,
        digest: String,
    },
    /// Output is no terminal: a line whenever a tenth more is there.
    Lines(Milestones),
}

/// What was said last, so that a log does not fill with percentages.
#[derive(Default, Debug)]
struct Milestones {
    status: String,
    digest: String,
    tenth: u64,
}

impl View {
    fn new(context: &Context) -> Self {
        if context.out.json {
            return Self::Objects;
        }
        if !context.out.terminal {
            return Self::Lines(Milestones::default());
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout());
        bar.set_style(spinner());
        bar.enable_steady_tick(TICK);
        Self::Bar { bar, digest: String::new() }
    }

    fn progress(&mut self, context: &Context, progress: &PullProgress) -> Result<(), Fault> {
        match self {
            Self::Objects => context.out.object(&Line::Progress(progress)),
            Self::Bar { bar, digest } => {
                bar.set_message(text::escaped(&progress.status));
                if progress.total_bytes == 0 {
                    bar.set_style(spinner());
                    return Ok(());
                }
                if *digest != progress.digest {
                    digest.clone_from(&progress.digest);
                    bar.set_style(measured());
                    // What an earlier pull left there would look like infinite speed.
                    bar.set_length(progress.total_bytes);
                    bar.set_position(progress.completed_bytes);
                    bar.reset_eta();
                    bar.reset_elapsed();
                }
                bar.set_length(progress.total_bytes);
                bar.set_position(progress.completed_bytes.min(progress.total_bytes));
                Ok(())
            }
            Self::Lines(milestones) => match milestones.reached(progress) {
                Some(line) => context.out.line(&line),
                None => Ok(()),
            },
        }
    }

    fn clear(&self) {
        if let Self::Bar { bar, .. } = self {
            bar.finish_and_clear();
        }
    }
}

impl Milestones {
    fn reached(&mut self, progress: &PullProgress) -> Option<String> {
        let tenth = progress.completed_bytes.saturating_mul(10).checked_div(progress.total_bytes).unwrap_or(0).min(10);
        let same = self.status == progress.status && self.digest == progress.digest;
        if same && tenth <= self.tenth {
            return None;
        }
        self.status.clone_from(&progress.status);
        self.digest.clone_from(&progress.digest);
        self.tenth = tenth;
        let status = text::escaped(&progress.status);
        if progress.total_bytes == 0 {
            return Some(status);
        }
        let (completed, total) = (units::bytes(progress.completed_bytes), units::bytes(progress.total_bytes));
        Some(format!("{status}: {} % ({completed} of {total})", tenth * 10))
    }
}

fn measured() -> ProgressStyle {
    style("{msg} {wide_bar} {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left")
}

fn spinner() -> ProgressStyle {
    style("{spinner} {msg}")
}

/// A template that does not parse would be a fault in this file alone; the default style shows the same less nicely.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(status: &str, completed_bytes: u64, total_bytes: u64) -> PullProgress {
        PullProgress { status: status.into(), digest: "d".into(), total_bytes, completed_bytes }
    }

    #[test]
    fn a_log_gets_a_line_for_each_status_and_each_tenth() {
        let mut milestones = Milestones::default();
        let steps = [(0, 0), (0, 1000), (50, 1000), (100, 1000), (199, 1000), (1000, 1000), (1000, 1000)];
        let lines: Vec<_> =
            steps.iter().filter_map(|(done, all)| milestones.reached(&progress("pulling", *done, *all))).collect();
        assert_eq!(lines, ["pulling", "pulling: 10 % (100 B of 1000 B)", "pulling: 100 % (1000 B of 1000 B)"]);
        assert!(milestones.reached(&progress("verifying\x1b[m", 0, 0)).is_some_and(|line| !line.contains('\x1b')));
    }

    #[test]
    fn the_templates_parse() {
        for template in ["{msg} {wide_bar} {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left", "{spinner} {msg}"] {
            assert!(ProgressStyle::with_template(template).is_ok());
        }
    }

    #[test]
    fn objects_carry_their_type() {
        let line = serde_json::to_string(&Line::Progress(&progress("p", 1, 2))).unwrap();
        assert_eq!(line, r#"{"type":"progress","status":"p","digest":"d","total_bytes":2,"completed_bytes":1}"#);
        let line = serde_json::to_string(&Line::End(&Pulled { model: "m".into() })).unwrap();
        assert_eq!(line, r#"{"type":"end","model":"m"}"#);
    }
}
