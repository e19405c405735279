//! The model worker's program.

use butterfly_api::model;
use butterfly_model::ModelWorker;
use butterfly_runtime::Worker;
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    butterfly_runtime::run(|start| {
        let worker = Arc::new(ModelWorker::new(&start.overrides));
        let (checked, prepared) = (Arc::clone(&worker), Arc::clone(&worker));
        Worker::new()
            .serves(model::serve(worker))
            .checks(move || {
                let worker = Arc::clone(&checked);
                async move { worker.checks().await }
            })
            .prepares(move |bus| async move {
                prepared.begin(bus).await;
                Ok(())
            })
    })
}
