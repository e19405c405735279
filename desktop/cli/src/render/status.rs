//! The status table, and the objects that `status --json`, `up --json` and `top --json` print.

use crate::paint::{Paint, Role};
use crate::render::table::{Align, Cell, Table};
use crate::render::units;
use crate::text;
use butterfly_wire::confinement::{Confinement, Grade};
use butterfly_wire::control::{KernelStatus, Status, WorkerState, WorkerStatus};
use serde::Serialize;

/// `docs/cli.md` describes this object.
#[derive(Serialize)]
pub struct StatusView<'a> {
    pub kernel: KernelView<'a>,
    pub workers: Vec<WorkerView<'a>>,
}

#[derive(Serialize)]
pub struct KernelView<'a> {
    pid: u32,
    version: &'a str,
    uptime_ms: u64,
    rss_bytes: u64,
    socket: &'a str,
    cpu_ms: u64,
    clients: u32,
    warnings: &'a [String],
}

#[derive(Serialize)]
pub struct WorkerView<'a> {
    name: &'a str,
    state: &'static str,
    pid: u32,
    generation: u32,
    restarts: u32,
    uptime_ms: u64,
    rss_bytes: u64,
    cpu_ms: u64,
    in_flight: u32,
    oldest_in_flight_ms: u64,
    queue_bytes: u64,
    messages_in: u64,
    messages_out: u64,
    confinement: ConfinementView<'a>,
    /// Why it is held.
    held_reason: Option<&'a str>,
    /// Time until it is started again.
    backoff_ms: Option<u64>,
    violations: u32,
    instance_of: Option<&'a str>,
    endpoint: String,
}

#[derive(Serialize)]
pub struct ConfinementView<'a> {
    grade: &'static str,
    landlock_abi: u32,
    landlock: bool,
    seccomp: bool,
    no_new_privs: bool,
    network: &'a str,
    missing: &'a [String],
}

impl<'a> From<&'a Status> for StatusView<'a> {
    fn from(status: &'a Status) -> Self {
        Self {
            kernel: KernelView::from(&status.kernel),
            workers: status.workers.iter().map(WorkerView::from).collect(),
        }
    }
}

impl<'a> From<&'a KernelStatus> for KernelView<'a> {
    fn from(kernel: &'a KernelStatus) -> Self {
        Self {
            pid: kernel.pid,
            version: &kernel.version,
            uptime_ms: kernel.uptime_ms,
            rss_bytes: kernel.rss_bytes,
            socket: &kernel.socket,
            cpu_ms: kernel.cpu_ms,
            clients: kernel.clients,
            warnings: &kernel.warnings,
        }
    }
}

impl<'a> From<&'a WorkerStatus> for WorkerView<'a> {
    fn from(worker: &'a WorkerStatus) -> Self {
        Self {
            name: &worker.name,
            state: worker.state.name(),
            pid: worker.pid,
            generation: worker.generation,
            restarts: worker.restarts,
            uptime_ms: worker.uptime_ms,
            rss_bytes: worker.rss_bytes,
            cpu_ms: worker.cpu_ms,
            in_flight: worker.in_flight,
            oldest_in_flight_ms: worker.oldest_in_flight_ms,
            queue_bytes: worker.queue_bytes,
            messages_in: worker.messages_in,
            messages_out: worker.messages_out,
            confinement: ConfinementView::from(&worker.confinement),
            held_reason: match &worker.state {
                WorkerState::Held { reason } => Some(reason),
                _ => None,
            },
            backoff_ms: match worker.state {
                WorkerState::Backoff { remaining_ms } => Some(remaining_ms),
                _ => None,
            },
            violations: worker.violations,
            instance_of: Some(worker.instance_of.as_str()).filter(|class| !class.is_empty()),
            endpoint: worker.endpoint.to_string(),
        }
    }
}

impl<'a> From<&'a Confinement> for ConfinementView<'a> {
    fn from(confinement: &'a Confinement) -> Self {
        Self {
            grade: confinement.grade.name(),
            landlock_abi: confinement.landlock_abi,
            landlock: confinement.landlock,
            seccomp: confinement.seccomp,
            no_new_privs: confinement.no_new_privs,
            network: &confinement.network,
            missing: &confinement.missing,
        }
    }
}

/// How a state looks.
#[must_use]
pub const fn state_role(state: &WorkerState) -> Role {
    match state {
        WorkerState::Ready => Role::Good,
        WorkerState::Starting | WorkerState::Draining | WorkerState::Backoff { .. } => Role::Warning,
        WorkerState::Stopped => Role::Muted,
        WorkerState::Held { .. } => Role::Danger,
    }
}

/// How a grade looks.
#[must_use]
pub const fn grade_role(grade: Grade) -> Role {
    match grade {
        Grade::Full => Role::Good,
        Grade::Reduced => Role::Warning,
        Grade::None => Role::Danger,
    }
}

/// A figure of a process, or a dash where there is none.
#[must_use]
pub fn if_alive(worker: &WorkerStatus, value: impl FnOnce() -> String) -> Cell {
    if worker.pid == 0 { Cell::of(Role::Muted, "–") } else { Cell::new(value()) }
}

/// The kernel's line, the table of workers, and a line for each thing to know.
#[must_use]
pub fn text(status: &Status, paint: Paint, columns: Option<usize>) -> String {
    let kernel = &status.kernel;
    let line = format!(
        "{}  {}, pid {}, up {}, {}, {}",
        paint.apply(Role::Strong, "kernel"),
        text::escaped(&kernel.version),
        kernel.pid,
        units::milliseconds(kernel.uptime_ms),
        units::bytes(kernel.rss_bytes),
        text::escaped(&kernel.socket),
    );
    let mut lines = vec![line, String::new(), table(status).render(paint, columns)];
    let remarks = remarks(status, paint);
    if !remarks.is_empty() {
        lines.push(String::new());
        lines.extend(remarks);
    }
    lines.join("\n")
}

fn table(status: &Status) -> Table {
    let mut table = Table::new(&[
        ("WORKER", Align::Flexible),
        ("STATE", Align::Left),
        ("PID", Align::Right),
        ("GEN", Align::Right),
        ("RESTARTS", Align::Right),
        ("UP", Align::Right),
        ("MEMORY", Align::Right),
        ("CALLS", Align::Right),
        ("NETWORK", Align::Flexible),
        ("CONFINED", Align::Left),
    ]);
    for worker in &status.workers {
        let grade = worker.confinement.grade;
        table.row(vec![
            Cell::of(Role::Strong, text::escaped(&worker.name)),
            Cell::of(state_role(&worker.state), worker.state.name()),
            if_alive(worker, || worker.pid.to_string()),
            worker.generation.to_string().into(),
            worker.restarts.to_string().into(),
            if_alive(worker, || units::short_milliseconds(worker.uptime_ms)),
            if_alive(worker, || units::bytes(worker.rss_bytes)),
            if_alive(worker, || worker.in_flight.to_string()),
            if_alive(worker, || text::escaped(&worker.confinement.network)),
            if worker.pid == 0 { Cell::of(Role::Muted, "–") } else { Cell::of(grade_role(grade), grade.name()) },
        ]);
    }
    table
}

/// What needs somebody's attention, a line each.
#[must_use]
pub fn remarks(status: &Status, paint: Paint) -> Vec<String> {
    let mut lines = Vec::new();
    for worker in &status.workers {
        let name = text::escaped(&worker.name);
        match &worker.state {
            WorkerState::Held { reason } => lines.push(format!(
                "{} {name}: {} Start it again with `butterfly restart {name}`.",
                paint.apply(Role::Danger, "held:"),
                sentence(reason),
            )),
            WorkerState::Backoff { remaining_ms } => lines.push(format!(
                "{} {name} failed and is started again in {}; `butterfly crashes` says why.",
                paint.apply(Role::Warning, "backoff:"),
                units::milliseconds(*remaining_ms),
            )),
            WorkerState::Starting | WorkerState::Ready | WorkerState::Draining | WorkerState::Stopped => {}
        }
        if worker.pid != 0 && !worker.confinement.missing.is_empty() {
            lines.push(format!(
                "{} {name} lacks what this system cannot enforce: {}.",
                paint.apply(Role::Warning, "reduced:"),
                text::escaped(&worker.confinement.missing.join(", ")),
            ));
        }
    }
    let warnings = status.kernel.warnings.iter();
    lines.extend(warnings.map(|warning| format!("{} {}", paint.apply(Role::Warning, "note:"), text::escaped(warning))));
    lines
}

/// Somebody's words with one full stop at their end.
#[must_use]
pub fn sentence(words: &str) -> String {
    let words = text::escaped(words.trim());
    if words.is_empty() || words.ends_with(['.', '!', '?']) { words } else { format!("{words}.") }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use butterfly_wire::EndpointId;

    /// A status with a healthy, a held and a failed worker.
    pub fn sample() -> Status {
        let worker = |name: &str, slot, state, pid| WorkerStatus {
            name: name.to_owned(),
            endpoint: EndpointId::new(slot, 2),
            state,
            pid,
            generation: 2,
            restarts: 1,
            uptime_ms: 65_000,
            rss_bytes: 12_582_912,
            cpu_ms: 340,
            in_flight: 1,
            oldest_in_flight_ms: 1500,
            queue_bytes: 2048,
            messages_in: 10,
            messages_out: 20,
            violations: 0,
            confinement: Confinement {
                grade: if pid == 0 { Grade::None } else { Grade::Reduced },
                landlock_abi: 6,
                landlock: pid != 0,
                seccomp: pid != 0,
                no_new_privs: pid != 0,
                network: "tcp 11434".to_owned(),
                missing: if pid == 0 { Vec::new() } else { vec!["audit flags".to_owned()] },
            },
            instance_of: String::new(),
        };
        Status {
            kernel: KernelStatus {
                pid: 41,
                version: "0.1.0".to_owned(),
                uptime_ms: 66_000,
                rss_bytes: 6_291_456,
                cpu_ms: 120,
                socket: "/run/user/7/butterfly/kernel.sock".to_owned(),
                clients: 1,
                warnings: vec!["the kernel was started by root".to_owned()],
            },
            workers: vec![
                worker("model", 2, WorkerState::Ready, 42),
                worker("brains", 3, WorkerState::Held { reason: "it failed 5 times\x1b[2J in 60 s".to_owned() }, 0),
                worker("scheduler", 4, WorkerState::Backoff { remaining_ms: 400 }, 0),
            ],
        }
    }

    #[test]
    fn the_table_says_what_is_and_what_to_do() {
        insta::assert_snapshot!(text(&sample(), Paint::new(false), None), @r"
        kernel  0.1.0, pid 41, up 1 min 6 s, 6.0 MiB, /run/user/7/butterfly/kernel.sock

        WORKER     STATE    PID  GEN  RESTARTS      UP    MEMORY  CALLS  NETWORK    CONFINED
        model      ready     42    2         1  1m 05s  12.0 MiB      1  tcp 11434  reduced
        brains     held       –    2         1       –         –      –  –          –
        scheduler  backoff    –    2         1       –         –      –  –          –

        reduced: model lacks what this system cannot enforce: audit flags.
        held: brains: it failed 5 times\x1b[2J in 60 s. Start it again with `butterfly restart brains`.
        backoff: scheduler failed and is started again in 400 ms; `butterfly crashes` says why.
        note: the kernel was started by root
        ");
    }

    #[test]
    fn the_object_has_the_documented_shape() {
        let status = sample();
        insta::assert_snapshot!(serde_json::to_string_pretty(&StatusView::from(&status)).unwrap(), @r#"
        {
          "kernel": {
            "pid": 41,
            "version": "0.1.0",
            "uptime_ms": 66000,
            "rss_bytes": 6291456,
            "socket": "/run/user/7/butterfly/kernel.sock",
            "cpu_ms": 120,
            "clients": 1,
            "warnings": [
              "the kernel was started by root"
            ]
          },
          "workers": [
            {
              "name": "model",
              "state": "ready",
              "pid": 42,
              "generation": 2,
              "restarts": 1,
              "uptime_ms": 65000,
              "rss_bytes": 12582912,
              "cpu_ms": 340,
              "in_flight": 1,
              "oldest_in_flight_ms": 1500,
              "queue_bytes": 2048,
              "messages_in": 10,
              "messages_out": 20,
              "confinement": {
                "grade": "reduced",
                "landlock_abi": 6,
                "landlock": true,
                "seccomp": true,
                "no_new_privs": true,
                "network": "tcp 11434",
                "missing": [
                  "audit flags"
                ]
              },
              "held_reason": null,
              "backoff_ms": null,
              "violations": 0,
              "instance_of": null,
              "endpoint": "2.2"
            },
            {
              "name": "brains",
              "state": "held",
              "pid": 0,
              "generation": 2,
              "restarts": 1,
              "uptime_ms": 65000,
              "rss_bytes": 12582912,
              "cpu_ms": 340,
              "in_flight": 1,
              "oldest_in_flight_ms": 1500,
              "queue_bytes": 2048,
              "messages_in": 10,
              "messages_out": 20,
              "confinement": {
                "grade": "none",
                "landlock_abi": 6,
                "landlock": false,
                "seccomp": false,
                "no_new_privs": false,
                "network": "tcp 11434",
                "missing": []
              },
              "held_reason": "it failed 5 times\u001b[2J in 60 s",
              "backoff_ms": null,
              "violations": 0,
              "instance_of": null,
              "endpoint": "3.2"
            },
            {
              "name": "scheduler",
              "state": "backoff",
              "pid": 0,
              "generation": 2,
              "restarts": 1,
              "uptime_ms": 65000,
              "rss_bytes": 12582912,
              "cpu_ms": 340,
              "in_flight": 1,
              "oldest_in_flight_ms": 1500,
              "queue_bytes": 2048,
              "messages_in": 10,
              "messages_out": 20,
              "confinement": {
                "grade": "none",
                "landlock_abi": 6,
                "landlock": false,
                "seccomp": false,
                "no_new_privs": false,
                "network": "tcp 11434",
                "missing": []
              },
              "held_reason": null,
              "backoff_ms": 400,
              "violations": 0,
              "instance_of": null,
              "endpoint": "4.2"
            }
          ]
        }
        "#);
    }
}
