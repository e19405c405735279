//! Structured logs: one JSON object a line on standard error, which the kernel collects unread. Secrets are kept out of them.

use crate::redact::Redacted;
use std::sync::OnceLock;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, reload};

/// The level in force, once logging has started.
static LEVEL: OnceLock<reload::Handle<LevelFilter, Registry>> = OnceLock::new();

/// Starts logging at the level that the override `LOG` names (`error` … `trace`; default `info`).
pub(crate) fn start(level: Option<&str>) {
    let (filter, handle) = reload::Layer::new(level.and_then(parse).unwrap_or(LevelFilter::INFO));
    let layer = tracing_subscriber::fmt::layer().json().with_writer(Redacted).with_ansi(false);
    // A second start in one process (tests) keeps the first subscriber, which is as good.
    if tracing_subscriber::registry().with(filter).with(layer).try_init().is_ok() {
        let _ = LEVEL.set(handle);
    }
}

/// Logs from this level on from now on, as the setting `log.level` names it; another word changes nothing.
pub fn log_at(level: &str) {
    if let (Some(handle), Some(level)) = (LEVEL.get(), parse(level)) {
        // It fails only where the subscriber is gone, and then nothing is logged at all.
        let _ = handle.modify(|current| *current = level);
    }
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
        log_at("error");
        assert!(tracing::enabled!(tracing::Level::ERROR) && !tracing::enabled!(tracing::Level::WARN));
    }
}
