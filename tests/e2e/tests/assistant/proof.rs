//! `doctor --prove` over the bus: every attempt is denied to the twin, and the table goes red without any one layer.

use crate::support::run;
use butterfly_api::control;
use butterfly_kit::harness::{Instance, Which, named};
use butterfly_wire::control::ProofReport;
use butterfly_wire::verdict::{Verdict, judge};

async fn prove(which: Which, arguments: &[&str], name: &str) -> anyhow::Result<ProofReport> {
    let (_instance, bus) = Instance::start(which, arguments, &[]).await?;
    Ok(bus.call::<control::Prove>(&named(name)).await?)
}

fn got_through(report: &ProofReport) -> Vec<&str> {
    assert_eq!(report.twin.len(), report.control.len());
    let pairs = report.twin.iter().zip(&report.control);
    pairs.filter(|(twin, control)| !judge(twin, control).is_good()).map(|(twin, _)| twin.name.as_str()).collect()
}

#[test]
fn twins_of_production_workers_get_nowhere() {
    run(async {
        for name in ["memory", "vault", "model", "brains"] {
            let report = prove(Which::Production, &[], name).await?;
            assert_eq!(got_through(&report), Vec::<&str>::new(), "{name}");
            assert_eq!(report.live, Vec::<String>::new(), "{name}");
            let denied = report
                .twin
                .iter()
                .zip(&report.control)
                .filter(|(twin, control)| matches!(judge(twin, control), Verdict::Denied { .. }))
                .count();
            assert!(denied >= 20, "only {denied} of {} attempts could be judged", report.twin.len());
        }
        Ok(())
    });
}

#[test]
fn without_any_one_layer_the_table_goes_red() {
    run(async {
        for layer in ["landlock", "seccomp", "give-up"] {
            let report = prove(Which::Kit, &["--twins-without", layer], "echo").await?;
            let through = got_through(&report);
            println!("without {layer}: {through:?} got through");
            assert!(!through.is_empty(), "without {layer} all was denied all the same");
        }
        Ok(())
    });
}
