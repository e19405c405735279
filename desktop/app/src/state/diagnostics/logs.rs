//! Logs: lines as they are written, the newest few thousand, taken apart as far as they can be. Untrusted text.

use super::units::spelt;
use butterfly_wire::control::{LogLine, LogLines};
use serde_json::{Map, Value};
use std::collections::VecDeque;
use std::sync::Arc;

/// Lines that are kept.
pub const KEPT: usize = 5_000;

/// Bytes of one line that are kept.
const LINE_BYTES: usize = 8 << 10;

/// How much a line matters. A line without a level always does: it may be a panic's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl Level {
    pub const ALL: [Self; 5] = [Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];

    /// As `tracing` writes it, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }

    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name().eq_ignore_ascii_case(word))
    }
}

/// A line, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Counts up by one from line to line.
    pub number: u64,
    pub worker: Arc<str>,
    /// When the kernel read it: the one time that the process cannot make up.
    pub at_unix_ms: u64,
    pub level: Option<Level>,
    /// A path of Rust modules; empty where none was given.
    pub target: String,
    pub message: String,
    /// `name=value`, in the order in which they were written.
    pub fields: String,
}

impl Line {
    #[must_use]
    pub fn of(number: u64, line: &LogLine) -> Self {
        let raw = line.line.trim_end_matches(['\n', '\r']);
        let raw = &raw[..raw.floor_char_boundary(LINE_BYTES)];
        let parts = structured(raw).or_else(|| plain(raw));
        let (level, target, message, fields) = match parts {
            Some((level, target, message, fields)) => (Some(level), target, message, fields),
            None => (None, String::new(), raw.to_owned(), String::new()),
        };
        Self {
            number,
            worker: Arc::from(spelt(&line.worker)),
            at_unix_ms: line.at_unix_ms,
            level,
            target: spelt(&target),
            message: spelt(&message),
            fields: spelt(&fields),
        }
    }
}

type Parts = (Level, String, String, String);

/// What `tracing-subscriber`'s JSON formatter writes.
fn structured(line: &str) -> Option<Parts> {
    if !line.starts_with('{') {
        return None;
    }
    let Ok(Value::Object(mut record)) = serde_json::from_str(line) else { return None };
    let level = Level::of(record.get("level")?.as_str()?)?;
    let target = record.get("target").and_then(Value::as_str).unwrap_or_default().to_owned();
    let Some(Value::Object(fields)) = record.remove("fields") else { return None };
    // Removing one would move the last into its place.
    let (said, fields): (Map<_, _>, Map<_, _>) = fields.into_iter().partition(|(name, _)| name == "message");
    let word = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let message = said.into_iter().next().map(|(_, value)| word(value)).unwrap_or_default();
    let fields: Vec<_> = fields.into_iter().map(|(name, value)| format!("{name}={}", word(value))).collect();
    Some((level, target, message, fields.join(" ")))
}

/// What its plain formatter writes: `TIMESTAMP LEVEL target: message`.
fn plain(line: &str) -> Option<Parts> {
    let (time, rest) = line.trim_start().split_once(char::is_whitespace)?;
    if !(time.starts_with(|character: char| character.is_ascii_digit()) && time.contains('T')) {
        return None;
    }
    let (word, rest) = rest.trim_start().split_once(char::is_whitespace)?;
    let level = Level::of(word)?;
    // A target is a path of Rust modules; anything else is part of what was said.
    match rest.split_once(": ").filter(|(target, _)| !target.is_empty() && !target.contains(char::is_whitespace)) {
        Some((target, message)) => Some((level, target.to_owned(), message.to_owned(), String::new())),
        None => Some((level, String::new(), rest.to_owned(), String::new())),
    }
}

/// What is shown.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Filter {
    /// This one's alone; empty: all.
    pub worker: String,
    /// Nothing that matters less; `None`: all.
    pub least: Option<Level>,
    /// Part of message, target or fields, in any case of letters.
    pub text: String,
}

impl Filter {
    #[must_use]
    pub fn shows(&self, line: &Line) -> bool {
        let wanted = self.text.trim().to_lowercase();
        (self.worker.is_empty() || *line.worker == *self.worker)
            && self.least.is_none_or(|least| line.level.is_none_or(|level| level <= least))
            && (wanted.is_empty()
                || [&line.message, &line.target, &line.fields].iter().any(|text| text.to_lowercase().contains(&wanted)))
    }
}

/// The lines.
#[derive(Debug, Default)]
pub struct Logs {
    pub lines: VecDeque<Line>,
    pub filter: Filter,
    /// The line whose whole text is shown.
    pub selected: Option<u64>,
    next: u64,
    /// Lines out of the kernel's files that may come once more as events.
    overlap: Vec<LogLine>,
}

impl Logs {
    /// The lines that the kernel kept take the place of all that was known.
    pub fn begin(&mut self, kept: LogLines) {
        self.lines.clear();
        for line in &kept.lines {
            self.push(line);
        }
        // Only the last of them can have been published since the subscription began.
        let newest = kept.lines.iter().map(|line| line.at_unix_ms).max().unwrap_or(0);
        self.overlap = kept.lines.into_iter().filter(|line| line.at_unix_ms + 5_000 >= newest).collect();
    }

    /// New lines.
    pub fn take(&mut self, lines: &LogLines) {
        for line in &lines.lines {
            match self.overlap.iter().rposition(|kept| kept == line) {
                Some(place) => drop(self.overlap.remove(place)),
                None => self.push(line),
            }
        }
        if let Some(newest) = lines.lines.last() {
            // Time has passed the kept lines: what is like one of them now is another line.
            self.overlap.retain(|kept| kept.at_unix_ms >= newest.at_unix_ms);
        }
    }

    fn push(&mut self, line: &LogLine) {
        if self.lines.len() == KEPT {
            self.lines.pop_front();
        }
        self.lines.push_back(Line::of(self.next, line));
        self.next += 1;
    }

    /// The number that the next line gets.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.next
    }

    /// What is shown, newest first; only what came before line `until`, where the view stands still.
    pub fn shown(&self, until: Option<u64>) -> impl Iterator<Item = &Line> {
        let until = until.unwrap_or(u64::MAX);
        self.lines.iter().rev().filter(move |line| line.number < until && self.filter.shows(line))
    }

    /// The line with this number, if it is still kept.
    #[must_use]
    pub fn find(&self, number: u64) -> Option<&Line> {
        let first = self.lines.front()?.number;
        self.lines.get(usize::try_from(number.checked_sub(first)?).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(at_unix_ms: u64, line: &str) -> LogLine {
        LogLine { worker: "model".into(), at_unix_ms, line: line.into() }
    }

    fn line(text: &str) -> Line {
        Line::of(0, &raw(1, text))
    }

    #[test]
    fn structured_and_plain_lines_are_taken_apart() {
        let found = line(
            r#"{"timestamp":"2025-11-22T14:15:16.1Z","level":"WARN","fields":{"message":"slow","ms":12,"url":"http://h"},"target":"butterfly_model::ollama"}"#,
        );
        assert_eq!((found.level, found.target.as_str()), (Some(Level::Warn), "butterfly_model::ollama"));
        assert_eq!((found.message.as_str(), found.fields.as_str()), ("slow", "ms=12 url=http://h"));
        let found = line("2025-11-22T14:15:16.123456Z ERROR butterfly_kernel::listener: no socket: in use\n");
        assert_eq!((found.level, found.target.as_str()), (Some(Level::Error), "butterfly_kernel::listener"));
        assert_eq!(found.message, "no socket: in use");
    }

    #[test]
    fn anything_else_is_shown_as_it_is_and_cannot_hide() {
        for text in ["thread 'main' panicked", r#"{"level":"WARN"}"#, "{broken", "7 apples: and more", "", "2025 T"] {
            assert_eq!((line(text).level, line(text).message.as_str()), (None, text));
        }
        let sneaky = r#"{"level":"INFO","target":"t","fields":{"message":"m\u202ex","k":"v\nINFO"}}"#;
        assert_eq!((line(sneaky).message.as_str(), line(sneaky).fields.as_str()), ("m\\u{202e}x", "k=v\\nINFO"));
        assert_eq!(line(&"é".repeat(LINE_BYTES)).message.len(), LINE_BYTES);
    }

    #[test]
    fn filters_are_joined_and_a_line_without_level_always_matters() {
        let mut logs = Logs::default();
        logs.begin(LogLines {
            lines: vec![
                raw(1, "2025-11-22T14:15:16Z INFO a::b: hello there"),
                raw(2, "thread panicked"),
                LogLine { worker: "memory".into(), ..raw(3, "2025-11-22T14:15:16Z WARN a::c: Hello again") },
            ],
        });
        let shown = |logs: &Logs| logs.shown(None).map(|line| line.at_unix_ms).collect::<Vec<_>>();
        assert_eq!(shown(&logs), [3, 2, 1]);
        logs.filter.least = Some(Level::Warn);
        assert_eq!(shown(&logs), [3, 2]);
        logs.filter.worker = "model".into();
        assert_eq!(shown(&logs), [2]);
        logs.filter = Filter { text: " HELLO".into(), ..Filter::default() };
        assert_eq!(shown(&logs), [3, 1]);
        assert_eq!(logs.shown(Some(2)).count(), 1);
        assert_eq!(logs.find(2).map(|line| line.at_unix_ms), Some(3));
        assert_eq!(logs.find(3), None);
    }

    #[test]
    fn a_line_that_was_kept_and_published_is_shown_once() {
        let mut logs = Logs::default();
        logs.begin(LogLines { lines: vec![raw(1, "a"), raw(2, "b"), raw(2, "b")] });
        let event = |at, text| LogLines { lines: vec![raw(at, text)] };
        logs.take(&event(2, "b"));
        logs.take(&event(2, "b"));
        assert_eq!(logs.lines.len(), 3);
        logs.take(&event(2, "b"));
        assert_eq!(logs.lines.len(), 4, "a third one is another line");
        logs.take(&event(3, "c"));
        logs.take(&event(3, "a"));
        assert_eq!(logs.lines.len(), 6);
        logs.begin(LogLines { lines: vec![raw(9, "z")] });
        assert_eq!(logs.lines.len(), 1, "what the kernel kept takes the place of what was known");
    }

    #[test]
    fn the_ring_is_bounded() {
        let mut logs = Logs::default();
        logs.take(&LogLines { lines: (0..KEPT as u64 + 5).map(|at| raw(at, "x")).collect() });
        assert_eq!((logs.lines.len(), logs.lines.front().map(|line| line.number)), (KEPT, Some(5)));
    }
}
