//! The health service that every worker has: the worker's own checks, and that it answers at all.

use butterfly_api::health::{Check, Health, Level, Report};
use butterfly_client::Call;
use butterfly_wire::Failure;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// A worker's own checks, made when asked.
pub type Checks = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Vec<Check>> + Send>> + Send + Sync>;

/// Serves `health`.
pub(crate) struct Checker {
    pub(crate) worker: String,
    pub(crate) checks: Option<Checks>,
}

impl Health for Checker {
    async fn check(&self, _: Call, (): ()) -> Result<Report, Failure> {
        let answers = Check {
            name: "answers".to_owned(),
            level: Level::Ok,
            found: format!("the {} worker answers", self.worker),
            next_step: String::new(),
        };
        let mut checks = vec![answers];
        if let Some(own) = &self.checks {
            checks.extend(own().await);
        }
        Ok(Report { checks })
    }
}
