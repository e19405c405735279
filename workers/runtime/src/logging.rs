//! Structured logs: one JSON object a line on standard error, which the kernel collects unread.

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging at the level that the override `LOG` names (`error` … `trace`; default `info`).
pub(crate) fn start(level: Option<&str>) {
    let level = level.and_then(|name| name.parse().ok()).unwrap_or(LevelFilter::INFO);
    let layer = tracing_subscriber::fmt::layer().json().with_writer(std::io::stderr).with_ansi(false);
    // A second start in one process (tests) keeps the first subscriber, which is as good.
    let _ = tracing_subscriber::registry().with(level).with(layer).try_init();
}
