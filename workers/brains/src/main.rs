//! The brains worker's program: everything is in the library.

use butterfly_api::session;
use butterfly_brains::Brains;
use butterfly_runtime::Worker;
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    butterfly_runtime::run(|_| {
        let brains = Arc::new(Brains::new());
        let (prepared, checked) = (Arc::clone(&brains), Arc::clone(&brains));
        Worker::new()
            .serves(session::serve(brains))
            .prepares(move |bus| async move {
                prepared.prepare(bus).await;
                Ok(())
            })
            .checks(move || {
                let checked = Arc::clone(&checked);
                async move { checked.checks() }
            })
    })
}
