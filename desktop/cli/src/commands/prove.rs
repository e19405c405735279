//! `doctor --prove`: a twin of each worker attempts what is forbidden, beside an unconfined control.

use crate::context::{Context, status};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::render::doctor::{Judged, Proof, Row, Summary, proof as show};
use butterfly_api::control;
use butterfly_client::Bus;
use butterfly_wire::control::{Named, ProofReport};
use butterfly_wire::verdict::{Verdict, excused_by, judge};
use serde::Serialize;
use std::collections::BTreeSet;

/// What every proof must have tried, by the attempts' stable names: a twin that skips one of these has proved too little.
const REQUIRED: [&str; 32] = [
    "file.read",
    "file.write",
    "file.truncate",
    "file.chmod",
    "file.chown",
    "file.utime",
    "file.setxattr",
    "folder.list-home",
    "kernel.memory",
    "kernel.environ",
    "tcp.connect",
    "tcp.listen",
    "tcp.multipath",
    "tcp.fast-open",
    "net.udp",
    "net.raw",
    "net.netlink",
    "net.vsock",
    "unix.path",
    "unix.abstract",
    "process.signal",
    "process.trace",
    "process.take-descriptor",
    "program.exec",
    "program.exec-memory",
    "namespace.user",
    "system.mount",
    "system.io-uring",
    "system.bpf",
    "system.perf",
    "system.keyring",
    "system.userfaultfd",
];

#[derive(Serialize)]
struct ProveView<'a> {
    exit: u8,
    summary: Summary,
    workers: &'a [Proof],
}

/// Proves every worker, or one.
///
/// # Errors
/// When no kernel runs, or there is no such worker. A proof that cannot be made is a row that is wrong, not an error.
pub async fn run(context: &Context, worker: Option<&str>) -> Result<Exit, Fault> {
    let bus = context.connect().await?;
    let status = status(&bus).await?;
    if let Some(name) = worker {
        super::worker::known(&status, name)?;
    }
    let out = &context.out;
    let mut proofs = Vec::new();
    // Instances come and go: their class is proved with its owner's test, not here.
    let standing = status.workers.iter().filter(|it| it.instance_of.is_empty());
    for it in standing.filter(|it| worker.is_none_or(|name| name == it.name)) {
        let proof = prove(&bus, &it.name).await;
        if !out.json {
            out.line(&show(&proof, out.paint, out.columns()))?;
            out.line("")?;
        }
        proofs.push(proof);
    }
    let summary = Summary::of(&proofs);
    let exit = summary.exit();
    if out.json {
        out.object(&ProveView { exit: exit.number(), summary, workers: &proofs })?;
    } else {
        out.line(&summary.line())?;
    }
    Ok(exit)
}

async fn prove(bus: &Bus, worker: &str) -> Proof {
    match bus.call::<control::Prove>(&Named { name: worker.to_owned() }).await {
        Ok(report) => examine(&report),
        Err(failure) => Proof {
            worker: worker.to_owned(),
            rows: Vec::new(),
            missing: Vec::new(),
            wrong: vec![format!("its twin proved nothing: {failure}")],
        },
    }
}

/// Lays the twin beside its control.
fn examine(report: &ProofReport) -> Proof {
    let rows = report.twin.iter().zip(&report.control).map(|(twin, control)| {
        let excuse = excused_by(&twin.name).filter(|excuse| report.missing.iter().any(|missing| missing == excuse));
        let judged = match (judge(twin, control), excuse) {
            (Verdict::Denied { error }, _) => Judged::Denied { error },
            (Verdict::NotTestable { why }, _) => Judged::NotTestable { why },
            (Verdict::Unclear { why }, _) => Judged::Unclear { why },
            (Verdict::GotThrough, Some(missing)) => Judged::Excused { missing: missing.to_owned() },
            (Verdict::GotThrough, None) => Judged::GotThrough,
        };
        Row { attempt: twin.name.clone(), grant: twin.grant.clone(), judged }
    });
    let rows: Vec<_> = rows.collect();
    let mut wrong = report.live.clone();
    if report.twin.len() != report.control.len() {
        wrong.push(format!(
            "the twin made {} attempts and its control {}; one of them ended early",
            report.twin.len(),
            report.control.len()
        ));
    }
    let tried: BTreeSet<_> = rows.iter().map(|row| row.attempt.as_str()).collect();
    if tried.len() != rows.len() {
        wrong.push("an attempt was reported twice".to_owned());
    }
    let untried: Vec<_> = REQUIRED.into_iter().filter(|name| !tried.contains(name)).collect();
    if !untried.is_empty() {
        wrong.push(format!("these were not attempted: {}", untried.join(", ")));
    }
    Proof { worker: report.worker.clone(), rows, missing: report.missing.clone(), wrong }
}

#[cfg(test)]
mod tests {
    use super::*;
    use butterfly_wire::confinement::{Attempt, Outcome};

    fn report(change: impl Fn(&str) -> Outcome) -> ProofReport {
        let attempt =
            |name: &str, outcome| Attempt { name: name.to_owned(), grant: "none gives this".to_owned(), outcome };
        ProofReport {
            worker: "model".to_owned(),
            twin: REQUIRED.iter().map(|name| attempt(name, change(name))).collect(),
            control: REQUIRED.iter().map(|name| attempt(name, Outcome::Succeeded)).collect(),
            live: Vec::new(),
            missing: Vec::new(),
        }
    }

    fn denied(_: &str) -> Outcome {
        Outcome::Denied { error: "EPERM".to_owned() }
    }

    fn exit(report: &ProofReport) -> Exit {
        Summary::of(&[examine(report)]).exit()
    }

    #[test]
    fn all_denied_is_a_proof() {
        assert_eq!(exit(&report(denied)), Exit::Done);
    }

    #[test]
    fn what_gets_through_is_excused_by_what_is_missing_and_by_nothing_else() {
        let one =
            |through: &'static str| report(move |name| if name == through { Outcome::Succeeded } else { denied(name) });
        let mut connect = one("tcp.connect");
        assert_eq!(exit(&connect), Exit::Failed);
        connect.missing = vec!["Landlock audit records".to_owned()];
        assert_eq!(exit(&connect), Exit::Failed);
        connect.missing.push("TCP port limits".to_owned());
        assert_eq!(exit(&connect), Exit::Reduced);
        let mut read = one("file.read");
        read.missing.clone_from(&connect.missing);
        assert_eq!(exit(&read), Exit::Failed);
    }

    #[test]
    fn a_proof_with_gaps_is_none() {
        let mut short = report(denied);
        short.twin.pop();
        assert_eq!(exit(&short), Exit::Failed, "the twin ended early");
        short.control.pop();
        assert_eq!(exit(&short), Exit::Failed, "both ended early");
        let mut twice = report(denied);
        twice.twin.push(twice.twin[0].clone());
        twice.control.push(twice.control[0].clone());
        assert_eq!(exit(&twice), Exit::Failed, "an attempt is reported twice");
        let mut live = report(denied);
        live.live.push("the live process has no filter".to_owned());
        assert_eq!(exit(&live), Exit::Failed, "the live process differs");
        let unclear = report(|_| Outcome::NotTestable { why: "ENOENT".to_owned() });
        assert_eq!(exit(&unclear), Exit::Failed, "failing without a refusal");
    }
}
