//! Structured logs: one JSON object a line on standard error, which the kernel collects unread. Secrets are kept out of them.

use crate::redact::Redacted;
use std::sync::OnceLock;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, reload};

/// The level in force, once logging has started.
static LEVEL: OnceLock<reload::Handle<Targets, Registry>> = OnceLock::new();

/// Starts logging at the level that the override `LOG` names (`error` … `trace`; default `info`).
pub(crate) fn start(level: Option<&str>) {
    let (levels, handle) = reload::Layer::new(filter(level.and_then(parse).unwrap_or(LevelFilter::INFO)));
    let layer = tracing_subscriber::fmt::layer().json().with_writer(Redacted).with_ansi(false);
    // A second start in one process (tests) keeps the first subscriber, which is as good.
    if tracing_subscriber::registry().with(levels).with(layer).try_init().is_ok() {
        let _ = LEVEL.set(handle);
    }
}

/// Logs from this level on from now on, as the setting `log.level` names it; another word changes nothing.
pub fn log_at(level: &str) {
    if let (Some(handle), Some(level)) = (LEVEL.get(), parse(level)) {
        // It fails only where the subscriber is gone, and then nothing is logged at all.
        let _ = handle.modify(|current| *current = filter(level));
    }
}

/// This project's crates at the level, all others one level quieter: what a library tells at `info` (LanceDB names each file that
/// it writes) would push what matters out of the bounded log.
fn filter(level: LevelFilter) -> Targets {
    let others = match level {
        LevelFilter::INFO => LevelFilter::WARN,
        LevelFilter::DEBUG => LevelFilter::INFO,
        LevelFilter::TRACE => LevelFilter::DEBUG,
        quiet => quiet,
    };
    Targets::new().with_default(others).with_target("butterfly", level)
}

fn parse(level: &str) -> Option<LevelFilter> {
    // The parser also takes numbers and `off`, which nobody is offered.
    ["error", "warn", "info", "debug", "trace"].contains(&level).then(|| level.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_follows_the_setting_while_the_process_runs() {
        start(Some("warn"));
        assert!(tracing::enabled!(tracing::Level::WARN) && !tracing::enabled!(tracing::Level::INFO));
        log_at("debug");
        assert!(tracing::enabled!(tracing::Level::DEBUG) && !tracing::enabled!(tracing::Level::TRACE));
        for other in ["loud", "off", "0", ""] {
            log_at(other);
            assert!(tracing::enabled!(tracing::Level::DEBUG), "{other}");
        }
        assert!(!tracing::enabled!(target: "lance::file_audit", tracing::Level::DEBUG));
        assert!(tracing::enabled!(target: "lance::file_audit", tracing::Level::INFO));
        log_at("info");
        assert!(!tracing::enabled!(target: "lance::file_audit", tracing::Level::INFO));
        log_at("error");
        assert!(tracing::enabled!(tracing::Level::ERROR) && !tracing::enabled!(tracing::Level::WARN));
    }
}
