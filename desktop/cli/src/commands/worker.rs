//! `restart`, `stop` and `start`: each waits, by the kernel's events, until it is done.

use crate::context::{Context, status};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::launch::next_change;
use crate::paint::Role;
use crate::render::status::sentence;
use crate::render::units;
use crate::text;
use butterfly_api::control;
use butterfly_wire::catalog::{control as service, topic};
use butterfly_wire::control::{Named, Status, WorkerState};
use serde::Serialize;
use std::time::Instant;

/// What is done to a worker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    Restart,
    Stop,
    Start,
}

/// What `--json` prints.
#[derive(Serialize)]
struct ActView<'a> {
    worker: &'a str,
    state: &'static str,
    generation: u32,
    elapsed_ms: u64,
}

/// How far an act has come.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Progress {
    Done,
    Failed(String),
    Going,
}

impl Act {
    /// Judges a worker's state; `before` is its generation when the act began.
    fn progress(self, before: u32, generation: u32, state: &WorkerState) -> Progress {
        match (self, state) {
            (Self::Restart, WorkerState::Ready) if generation > before => Progress::Done,
            (Self::Start, WorkerState::Ready) | (Self::Stop, WorkerState::Stopped) => Progress::Done,
            // The worker may have been held before: only what comes of this start counts.
            (Self::Restart | Self::Start, WorkerState::Held { reason }) if generation > before => {
                Progress::Failed(reason.clone())
            }
            _ => Progress::Going,
        }
    }

    const fn done(self) -> &'static str {
        match self {
            Self::Restart => "restarted",
            Self::Stop => "stopped",
            Self::Start => "ready",
        }
    }
}

/// Does it and waits until it is done.
///
/// # Errors
/// For a worker that there is not, and for one that is held instead of ready.
pub async fn run(context: &Context, act: Act, worker: &str) -> Result<Exit, Fault> {
    let bus = context.connect().await?;
    let mut events = bus.subscribe(service::ID, topic::WORKERS).await?;
    let (before, state) = find(&status(&bus).await?, worker)?;
    let out = &context.out;
    let begun = Instant::now();
    let already = act != Act::Restart && act.progress(before, before, &state) == Progress::Done;
    let named = Named { name: worker.to_owned() };
    if !already {
        match act {
            Act::Restart => bus.call::<control::Restart>(&named).await?,
            Act::Stop => bus.call::<control::Stop>(&named).await?,
            Act::Start => bus.call::<control::Start>(&named).await?,
        }
    }
    let mut known = find(&status(&bus).await?, worker)?;
    loop {
        match act.progress(before, known.0, &known.1) {
            Progress::Done => break,
            Progress::Failed(reason) => {
                let message = format!("{worker} is held: {}", sentence(&reason));
                return Err(Fault::new(Exit::Failed, "held", message));
            }
            Progress::Going => {}
        }
        match next_change(&mut events).await? {
            Some(changed) if changed.name == worker => known = (changed.generation, changed.state),
            Some(_) => {}
            None => known = find(&status(&bus).await?, worker)?,
        }
    }
    let elapsed_ms = begun.elapsed().as_millis() as u64;
    if out.json {
        out.object(&ActView { worker, state: known.1.name(), generation: known.0, elapsed_ms })?;
    } else {
        let verb = if already { format!("was {} already", known.1.name()) } else { act.done().to_owned() };
        let time = if already { String::new() } else { format!(" after {}", units::milliseconds(elapsed_ms)) };
        let name = text::escaped(worker);
        out.line(&format!("{} {verb}: generation {}{time}", out.paint.apply(Role::Strong, &name), known.0))?;
    }
    Ok(Exit::Done)
}

/// Generation and state of a worker by its name.
fn find(status: &Status, name: &str) -> Result<(u32, WorkerState), Fault> {
    known(status, name)?;
    let worker = status.workers.iter().find(|worker| worker.name == name);
    worker.map(|worker| (worker.generation, worker.state.clone())).ok_or_else(|| no_such(status, name))
}

/// Whether there is a worker of this name.
///
/// # Errors
/// A usage fault that names those there are.
pub fn known(status: &Status, name: &str) -> Result<(), Fault> {
    if status.workers.iter().any(|worker| worker.name == name) { Ok(()) } else { Err(no_such(status, name)) }
}

fn no_such(status: &Status, name: &str) -> Fault {
    let names: Vec<_> = status.workers.iter().map(|worker| worker.name.as_str()).collect();
    Fault::usage(format!("there is no worker \"{name}\"; there are: {}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held() -> WorkerState {
        WorkerState::Held { reason: "why".into() }
    }

    #[test]
    fn a_restart_is_done_with_the_next_generation_only() {
        assert_eq!(Act::Restart.progress(3, 3, &WorkerState::Ready), Progress::Going);
        assert_eq!(Act::Restart.progress(3, 4, &WorkerState::Starting), Progress::Going);
        assert_eq!(Act::Restart.progress(3, 4, &WorkerState::Ready), Progress::Done);
    }

    #[test]
    fn a_worker_that_was_held_before_is_judged_by_what_comes_of_the_start() {
        assert_eq!(Act::Start.progress(3, 3, &held()), Progress::Going);
        assert_eq!(Act::Start.progress(3, 4, &held()), Progress::Failed("why".into()));
        assert_eq!(Act::Restart.progress(3, 4, &held()), Progress::Failed("why".into()));
        assert_eq!(Act::Stop.progress(3, 3, &held()), Progress::Going);
        assert_eq!(Act::Stop.progress(3, 3, &WorkerState::Stopped), Progress::Done);
    }

    #[test]
    fn an_unknown_worker_is_wrong_usage_and_names_those_there_are() {
        let fault = find(&crate::render::status::tests::sample(), "nobody").unwrap_err();
        assert_eq!(fault.exit, Exit::Usage);
        assert!(fault.message.contains("model, brains, scheduler"));
    }
}
