//! `doctor`: what every worker finds of itself, its confinement, and the disk.

use crate::context::{Context, status};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::render::doctor::{Section, text, worst};
use crate::render::status::sentence;
use crate::render::units;
use butterfly_api::health::{Check, CheckAll, Level};
use butterfly_client::{Bus, ConnectError};
use butterfly_wire::confinement::Grade;
use butterfly_wire::control::{Status, WorkerState, WorkerStatus};
use serde::Serialize;
use std::path::Path;

/// Below this, the next log line or crash report may not fit, in bytes.
const DISK_FAILING: u64 = 64 << 20;

/// Below this, a person should know before it is too late, in bytes.
const DISK_WARNING: u64 = 1 << 30;

#[derive(Serialize)]
struct DoctorView<'a> {
    level: Level,
    sections: &'a [Section],
}

/// Looks at everything and says what to do about what is wrong.
///
/// # Errors
/// For a worker that there is not, and where something other than the kernel answers.
pub async fn run(context: &Context, worker: Option<&str>) -> Result<Exit, Fault> {
    let place = &context.instance.place;
    let mut sections = Vec::new();
    let mut exit = Exit::Done;
    match context.try_connect().await {
        Ok((bus, _)) => {
            let status = status(&bus).await?;
            if let Some(name) = worker {
                super::worker::known(&status, name)?;
            } else {
                sections.push(Section { about: "kernel".to_owned(), checks: kernel(&status) });
            }
            for it in status.workers.iter().filter(|it| worker.is_none_or(|name| name == it.name)) {
                let mut checks = vec![state(it)];
                if it.state == WorkerState::Ready {
                    checks.push(confinement(it));
                    checks.extend(ask(&bus, it).await);
                }
                sections.push(Section { about: it.name.clone(), checks });
            }
        }
        Err(ConnectError::NotRunning(_)) => {
            let found = "no kernel runs".to_owned();
            let next_step = "start it with `butterfly up`".to_owned();
            let check = Check { name: "running".to_owned(), level: Level::Failing, found, next_step };
            sections.push(Section { about: "kernel".to_owned(), checks: vec![check] });
            exit = Exit::NoKernel;
        }
        Err(other) => return Err(other.into()),
    }
    if worker.is_none() {
        sections.push(Section { about: "disk".to_owned(), checks: vec![disk(&place.state)] });
    }
    let out = &context.out;
    let level = worst(&sections);
    if out.json {
        out.object(&DoctorView { level, sections: &sections })?;
    } else {
        out.line(&text(&sections, out.paint))?;
    }
    Ok(match (exit, level) {
        (Exit::Done, Level::Failing) => Exit::Failed,
        (exit, _) => exit,
    })
}

fn kernel(status: &Status) -> Vec<Check> {
    let kernel = &status.kernel;
    let mut checks = vec![Check {
        name: "running".to_owned(),
        level: Level::Ok,
        found: format!("version {}, pid {}, {} resident", kernel.version, kernel.pid, units::bytes(kernel.rss_bytes)),
        next_step: String::new(),
    }];
    checks.extend(kernel.warnings.iter().map(|warning| Check {
        name: "note".to_owned(),
        level: Level::Warning,
        found: warning.clone(),
        next_step: String::new(),
    }));
    checks
}

fn state(worker: &WorkerStatus) -> Check {
    let (level, next_step) = match &worker.state {
        WorkerState::Ready => (Level::Ok, String::new()),
        WorkerState::Starting | WorkerState::Draining => (Level::Warning, "wait a moment and look again".to_owned()),
        WorkerState::Backoff { .. } => (Level::Warning, "`butterfly crashes -v` says why it failed".to_owned()),
        WorkerState::Stopped => (Level::Warning, format!("start it with `butterfly start {}`", worker.name)),
        WorkerState::Held { .. } => {
            (Level::Failing, format!("mend that, then start it with `butterfly restart {}`", worker.name))
        }
    };
    let found = match &worker.state {
        WorkerState::Held { reason } => format!("held: {}", sentence(reason)),
        other if worker.restarts > 0 => {
            format!("{}, restarted {}", other.name(), units::count(u64::from(worker.restarts), "time"))
        }
        other => other.name().to_owned(),
    };
    Check { name: "state".to_owned(), level, found, next_step }
}

fn confinement(worker: &WorkerStatus) -> Check {
    let confinement = &worker.confinement;
    let (level, found, next_step) = match confinement.grade {
        Grade::Full => {
            let found = format!("full (Landlock ABI {}, network {})", confinement.landlock_abi, confinement.network);
            (Level::Ok, found, "")
        }
        Grade::Reduced => (
            Level::Warning,
            format!("reduced: this system cannot enforce {}", confinement.missing.join(", ")),
            "a newer Linux enforces more; 6.15 or newer all of it",
        ),
        Grade::None => (Level::Failing, "not in force".to_owned(), "stop it, and look into `butterfly logs`"),
    };
    Check { name: "confinement".to_owned(), level, found, next_step: next_step.to_owned() }
}

/// What the worker says of itself.
async fn ask(bus: &Bus, worker: &WorkerStatus) -> Vec<Check> {
    match bus.to(worker.endpoint).call::<CheckAll>(&()).await {
        Ok(report) => report.checks,
        Err(failure) => vec![Check {
            name: "answers".to_owned(),
            level: Level::Failing,
            found: failure.message,
            next_step: format!("restart it with `butterfly restart {}`", worker.name),
        }],
    }
}

/// Space for logs and crash reports.
fn disk(state: &Path) -> Check {
    let name = "space for logs".to_owned();
    // Before the first start the folder is not there yet, but the disk is.
    let Some(found) = state.ancestors().find_map(|folder| rustix::fs::statvfs(folder).ok()) else {
        let found = format!("the disk of {} cannot be examined", state.display());
        return Check { name, level: Level::Warning, found, next_step: "check that its folder is readable".to_owned() };
    };
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let (level, next_step) = match free {
        0..DISK_FAILING => (Level::Failing, "make room on that disk"),
        DISK_FAILING..DISK_WARNING => (Level::Warning, "make room on that disk soon"),
        _ => (Level::Ok, ""),
    };
    let found = format!("{} free for {}", units::bytes(free), state.display());
    Check { name, level, found, next_step: next_step.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::status::tests::sample;

    #[test]
    fn what_is_not_well_has_a_next_step() {
        let status = sample();
        let levels: Vec<_> = status.workers.iter().map(|worker| state(worker).level).collect();
        assert_eq!(levels, [Level::Ok, Level::Failing, Level::Warning]);
        for worker in &status.workers {
            for check in [state(worker), confinement(worker)] {
                assert_eq!(check.level == Level::Ok, check.next_step.is_empty(), "{check:?}");
            }
        }
    }

    #[test]
    fn a_folder_that_is_not_there_yet_has_a_disk_all_the_same() {
        let check = disk(&std::env::temp_dir().join("not-there/nor-this"));
        assert!(check.found.contains("free for"), "{check:?}");
    }
}
