//! One line of a worker's log: structured JSON, `TIMESTAMP LEVEL target: message`, or whatever it wrote. Untrusted.

use crate::args::LogLevel;
use crate::paint::{Paint, Role};
use crate::render::units;
use crate::text;
use butterfly_wire::control::LogLine;
use serde::Serialize;
use serde_json::{Map, Value};

/// A line, taken apart as far as it can be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Entry {
    pub worker: String,
    /// When the kernel read it: the one time that the worker cannot make up.
    pub at_unix_ms: u64,
    /// `None` for a line that is no log record, such as a panic's.
    pub level: Option<&'static str>,
    pub target: Option<String>,
    pub message: String,
    pub fields: Map<String, Value>,
}

const fn name(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    }
}

/// A level by the name that `tracing` writes.
fn level(word: &str) -> Option<LogLevel> {
    let all = [LogLevel::Error, LogLevel::Warn, LogLevel::Info, LogLevel::Debug, LogLevel::Trace];
    all.into_iter().find(|level| name(*level).eq_ignore_ascii_case(word))
}

impl Entry {
    #[must_use]
    pub fn parse(line: &LogLine) -> Self {
        let (worker, at_unix_ms) = (line.worker.clone(), line.at_unix_ms);
        let raw = line.line.trim_end_matches(['\n', '\r']);
        if let Some((found, target, message, fields)) = structured(raw).or_else(|| plain(raw)) {
            return Self { worker, at_unix_ms, level: Some(name(found)), target: Some(target), message, fields };
        }
        Self { worker, at_unix_ms, level: None, target: None, message: raw.to_owned(), fields: Map::new() }
    }

    /// Whether it matters at least as much as `least`. A line without a level always does: it may be a panic.
    #[must_use]
    pub fn matters(&self, least: LogLevel) -> bool {
        self.level.and_then(level).is_none_or(|level| level <= least)
    }

    /// The line for people.
    #[must_use]
    pub fn render(&self, paint: Paint) -> String {
        let (word, role) = match self.level.and_then(level) {
            Some(LogLevel::Error) => ("ERROR", Some(Role::Danger)),
            Some(LogLevel::Warn) => (" WARN", Some(Role::Warning)),
            Some(LogLevel::Info) => (" INFO", Some(Role::Good)),
            Some(LogLevel::Debug) => ("DEBUG", Some(Role::Muted)),
            Some(LogLevel::Trace) => ("TRACE", Some(Role::Muted)),
            None => ("     ", None),
        };
        let word = role.map_or(word.into(), |role| paint.apply(role, word));
        let time = units::moment(self.at_unix_ms);
        let worker = format!("{:<8}", text::escaped(&self.worker));
        let mut line = format!("{} {word} {} ", paint.apply(Role::Muted, &time), paint.apply(Role::Strong, &worker));
        if let Some(target) = &self.target {
            line.push_str(&paint.apply(Role::Muted, &format!("{}: ", text::escaped(target))));
        }
        line.push_str(&text::escaped(&self.message));
        for (key, value) in &self.fields {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let field = format!(" {}={}", text::escaped(key), text::escaped(&value));
            line.push_str(&paint.apply(Role::Muted, &field));
        }
        line
    }
}

type Parts = (LogLevel, String, String, Map<String, Value>);

/// What `tracing-subscriber`'s JSON formatter writes.
fn structured(line: &str) -> Option<Parts> {
    if !line.starts_with('{') {
        return None;
    }
    let Ok(Value::Object(mut record)) = serde_json::from_str(line) else { return None };
    let found = level(record.get("level")?.as_str()?)?;
    let target = record.get("target").and_then(Value::as_str).unwrap_or_default().to_owned();
    let Some(Value::Object(fields)) = record.remove("fields") else { return None };
    // Removing one would move the last into its place.
    let (said, fields): (Map<_, _>, Map<_, _>) = fields.into_iter().partition(|(name, _)| name == "message");
    let message = match said.into_iter().next() {
        Some((_, Value::String(message))) => message,
        Some((_, other)) => other.to_string(),
        None => String::new(),
    };
    Some((found, target, message, fields))
}

/// What its plain formatter writes: `TIMESTAMP LEVEL target: message`.
fn plain(line: &str) -> Option<Parts> {
    let (time, rest) = line.trim_start().split_once(char::is_whitespace)?;
    if !(time.starts_with(|character: char| character.is_ascii_digit()) && time.contains('T')) {
        return None;
    }
    let (word, rest) = rest.trim_start().split_once(char::is_whitespace)?;
    let found = level(word)?;
    let (target, message) = rest.split_once(": ").unwrap_or(("", rest));
    // A target is a path of Rust modules; anything else is part of what was said.
    if target.is_empty() || target.contains(char::is_whitespace) {
        return Some((found, String::new(), rest.to_owned(), Map::new()));
    }
    Some((found, target.to_owned(), message.to_owned(), Map::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(line: &str) -> Entry {
        Entry::parse(&LogLine { worker: "model".into(), at_unix_ms: 1_763_820_916_123, line: line.into() })
    }

    fn shown(line: &str) -> String {
        entry(line).render(Paint::new(false))
    }

    #[test]
    fn structured_lines_show_message_and_fields() {
        let line = r#"{"timestamp":"2025-11-22T14:15:16.1Z","level":"WARN","fields":{"message":"slow","ms":12,"url":"http://h"},"target":"butterfly_model::ollama"}"#;
        assert_eq!(
            shown(line),
            "2025-11-22T14:15:16.123Z  WARN model    butterfly_model::ollama: slow ms=12 url=http://h"
        );
    }

    #[test]
    fn plain_lines_are_taken_apart_too() {
        let found = entry("2025-11-22T14:15:16.123456Z ERROR butterfly_kernel::listener: no socket: in use\n");
        assert_eq!((found.level, found.target.as_deref()), (Some("error"), Some("butterfly_kernel::listener")));
        assert_eq!(found.message, "no socket: in use");
        assert_eq!(
            entry("2025-11-22T14:15:16Z  INFO said without a target: yes").message,
            "said without a target: yes"
        );
    }

    #[test]
    fn anything_else_is_shown_as_it_is_and_cannot_drive_the_terminal() {
        for line in ["thread 'main' panicked", r#"{"level":"WARN"}"#, "{broken", "7 apples: and more", "", "2025 T"] {
            let found = entry(line);
            assert_eq!((found.level, found.message.as_str()), (None, line));
        }
        assert!(shown("\x1b[2Jgone\u{9b}H").ends_with("\\x1b[2Jgone\\x9bH"));
        let sneaky =
            r#"{"level":"INFO","target":"t\u001b[1m","fields":{"message":"m\u001b]0;x\u0007","k\u001bk":"v\nINFO"}}"#;
        assert!(shown(sneaky).ends_with("t\\x1b[1m: m\\x1b]0;x\\x07 k\\x1bk=v\\nINFO"), "{}", shown(sneaky));
    }

    #[test]
    fn a_filter_keeps_what_matters_and_what_has_no_level() {
        let info = entry("2025-11-22T14:15:16Z INFO a::b: hello");
        assert!(info.matters(LogLevel::Info) && info.matters(LogLevel::Trace) && !info.matters(LogLevel::Warn));
        assert!(entry("thread 'main' panicked").matters(LogLevel::Error));
    }
}
