//! The report that a person copies to ask for help: all that Diagnostics knows, as text, and nothing that is private.
//!
//! No secret and no text of a message is in it, and the home's name is not. What a process wrote is not believed to keep
//! to that: quotations are left out of it, and so is whatever looks like a secret, here and everywhere.

use super::State;
use super::crashes::exit;
use super::health::summary;
use super::logs::{Level, Line};
use super::units::{bytes, count, milliseconds, sentence, utc};
use butterfly_api::health;
use butterfly_wire::control::{LogLine, WorkerStatus};
use std::fmt::Write;

/// Log lines that a report holds.
const LINES: usize = 40;

/// Crash reports that it holds.
const CRASHES: usize = 5;

/// Shorter words are no secrets, or protect nothing, in bytes.
const SECRET_BYTES: usize = 20;

/// Writes the report. `home` is the person's home folder, and `now_unix_ms` the present.
#[must_use]
pub fn text(state: &State, home: &str, now_unix_ms: u64) -> String {
    let clean = |text: &str| scrub(text, home);
    let mut out = String::new();
    let mut line = |text: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{text}");
    };
    line(format!("ButterFly Bot {} ({} {})", env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH));
    line(format!("Report of {}. It holds no message text, no secret, and no name of a home folder.", utc(now_unix_ms)));
    if !state.is_online {
        line("There was no connection to the kernel: what follows was true when there was.".to_owned());
    }
    line(String::new());
    match &state.workers.status {
        None => line("The kernel was never reached.".to_owned()),
        Some(status) => {
            let kernel = &status.kernel;
            line(format!(
                "Kernel {}: up {}, {}, {}, {}",
                kernel.version,
                milliseconds(kernel.uptime_ms),
                bytes(kernel.rss_bytes),
                count(u64::from(kernel.clients), "client"),
                clean(&kernel.socket),
            ));
            line(String::new());
            line("Workers".to_owned());
            for worker in &status.workers {
                line(format!("  {}", clean(&of_worker(state, worker))));
            }
        }
    }
    let sections = state.health.sections(&state.workers);
    if !sections.is_empty() {
        line(String::new());
        line(format!("Health: {}", summary(&sections).1));
        for (section, check) in
            sections.iter().flat_map(|section| section.checks.iter().map(move |check| (section, check)))
        {
            let word = match check.level {
                health::Level::Ok => "ok",
                health::Level::Warning => "warning",
                health::Level::Failing => "FAILING",
            };
            let next = if check.next_step.is_empty() { String::new() } else { format!(" -> {}", check.next_step) };
            let found = sentence(&check.found);
            line(format!("  {word:<8} {} / {}: {}", section.about, check.name, clean(&format!("{found}{next}"))));
        }
    }
    line(String::new());
    line(format!("Crash reports: {}", state.crashes.reports.len()));
    for crash in state.crashes.reports.iter().take(CRASHES) {
        line(format!(
            "  {} {} (generation {}), {}, after {}: {}",
            utc(crash.at_unix_ms),
            crash.worker,
            crash.generation,
            exit(crash.exit),
            milliseconds(crash.uptime_ms),
            clean(&sentence(&crash.cause)),
        ));
        if !crash.in_flight.is_empty() {
            line(format!("    was answering: {}", crash.in_flight.join(", ")));
        }
        let tail = crash.stderr_tail.iter().map(|text| LogLine {
            worker: crash.worker.clone(),
            at_unix_ms: crash.at_unix_ms,
            line: text.clone(),
        });
        for text in tail.filter_map(|raw| written(&Line::of(0, &raw), home)) {
            line(format!("    {text}"));
        }
    }
    let mut lines: Vec<_> = state
        .logs
        .lines
        .iter()
        .rev()
        .filter(|line| line.level.is_none_or(|level| level <= Level::Warn))
        .filter_map(|line| Some(format!("  {} {:<8} {}", utc(line.at_unix_ms), line.worker, written(line, home)?)))
        .take(LINES)
        .collect();
    lines.reverse();
    if !lines.is_empty() {
        line(String::new());
        line("Newest warnings and errors of the logs".to_owned());
        lines.into_iter().for_each(line);
    }
    out
}

fn of_worker(state: &State, worker: &WorkerStatus) -> String {
    let confinement = &worker.confinement;
    let mut text = format!("{:<10} {:<8} generation {}", worker.name, worker.state.name(), worker.generation);
    if worker.pid != 0 {
        let _ = write!(
            text,
            ", up {}, {}, {}, {} in flight, confined: {} (Landlock ABI {}, network: {})",
            milliseconds(worker.uptime_ms),
            count(u64::from(worker.restarts), "restart"),
            bytes(worker.rss_bytes),
            worker.in_flight,
            confinement.grade.name(),
            confinement.landlock_abi,
            confinement.network,
        );
        if !confinement.missing.is_empty() {
            let _ = write!(text, ", missing: {}", confinement.missing.join(", "));
        }
    }
    if let Some((cpu, messages)) = state.workers.histories.get(&worker.name).and_then(|history| history.now()) {
        let _ = write!(text, ", CPU {cpu:.1} %, {messages:.1} messages/s");
    }
    text
}

/// A line as a report may show it: a log record without quotations, and of a panic where it was.
fn written(line: &Line, home: &str) -> Option<String> {
    match line.level {
        Some(level) => {
            let text = format!("{} {}: {} {}", level.name().to_uppercase(), line.target, line.message, line.fields);
            Some(scrub(&unquoted(text.trim_end()), home))
        }
        // `thread 'main' panicked at src/x.rs:1:2:` and then, on lines of its own, whatever the panic says.
        None => {
            let at = line.message.split_once(" panicked at ")?.1;
            Some(scrub(&format!("a panic at {}", at.split_whitespace().next()?), home))
        }
    }
}

/// What stands in quotation marks may be anybody's words.
fn unquoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['"', '`', '“']) {
        let (before, quoted) = rest.split_at(at);
        let open = quoted.chars().next().unwrap_or('"');
        let close = if open == '“' { '”' } else { open };
        let inner = &quoted[open.len_utf8()..];
        out.push_str(before);
        out.push_str("[…]");
        match inner.find(close) {
            Some(end) => rest = &inner[end + close.len_utf8()..],
            None => return out,
        }
    }
    out.push_str(rest);
    out
}

/// Takes out the home's name and whatever looks like a secret.
#[must_use]
pub fn scrub(text: &str, home: &str) -> String {
    let home = home.trim_end_matches('/');
    let text = if home.len() > 1 { text.replace(home, "~") } else { text.to_owned() };
    let mut out = String::with_capacity(text.len());
    let mut after_name = false;
    for word in text.split_inclusive(char::is_whitespace) {
        let bare = word.trim_end();
        let space = &word[bare.len()..];
        let (shown, is_name) = cleaned(bare, after_name);
        out.push_str(&shown);
        out.push_str(space);
        after_name = is_name && !bare.is_empty();
    }
    out
}

/// One word, and whether it announces that the next one is a secret.
fn cleaned(word: &str, after_name: bool) -> (String, bool) {
    const REMOVED: &str = "[removed]";
    let lower = word.to_ascii_lowercase();
    let announces = ["authorization:", "bearer", "password:", "token:", "secret:", "api_key:", "api-key:", "key:"];
    if announces.iter().any(|name| lower == *name || (name.ends_with(':') && lower.ends_with(name))) {
        return (word.to_owned(), true);
    }
    if after_name {
        return (REMOVED.to_owned(), false);
    }
    if let Some((name, value)) = word.split_once('=')
        && !value.is_empty()
        && ["key", "token", "secret", "password", "credential", "auth"]
            .iter()
            .any(|word| name.to_ascii_lowercase().contains(word))
    {
        return (format!("{name}={REMOVED}"), false);
    }
    if let Some((scheme, rest)) = word.split_once("://") {
        let host = rest.split('/').next().unwrap_or_default();
        let rest = match host.rsplit_once('@') {
            Some((user, _)) => format!("{REMOVED}@{}", &rest[user.len() + 1..]),
            None => rest.to_owned(),
        };
        let (path, query) = rest.split_once('?').map_or((rest.as_str(), ""), |(path, _)| (path, "?[removed]"));
        return (format!("{scheme}://{path}{query}"), false);
    }
    let parts = word.split_inclusive(['=', ':', ',', ';', '(', ')', '[', ']', '"', '\'', '`', '<', '>', '{', '}']);
    let shown = parts.map(|part| match core(part) {
        core if is_secret(core) => part.replacen(core, REMOVED, 1),
        _ => part.to_owned(),
    });
    (shown.collect(), false)
}

/// A word without the marks around it.
fn core(word: &str) -> &str {
    word.trim_matches(|character: char| !character.is_ascii_alphanumeric())
}

/// Whether a word looks like a key: a well-known beginning, or long and of letters and digits without a sense.
fn is_secret(word: &str) -> bool {
    let known =
        ["sk-", "pk-", "rk-", "ghp_", "gho_", "ghs_", "github_pat_", "xox", "AKIA", "AIza", "eyJ", "hf_", "gsk_"];
    if word.len() >= 12 && known.iter().any(|start| word.starts_with(start)) {
        return true;
    }
    let made_of_key = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-+/.".contains(&byte));
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
    // A path has short parts; a key has one long one.
    let longest = word.split(['/', '.', '-', '_']).map(str::len).max().unwrap_or(0);
    made_of_key && word.len() >= SECRET_BYTES && longest >= 16 && digits >= 2 && letters >= 2
}

#[cfg(test)]
mod tests {
    use super::super::workers::tests::sample;
    use super::super::{Event, tests::connected};
    use super::*;
    use butterfly_wire::control::{CrashReport, Exit, LogLines};
    use proptest::prelude::*;

    fn filled() -> State {
        let mut state = connected();
        let secret = r#"{"level":"WARN","target":"butterfly_model::http","fields":{"message":"refused","token":"abc","panic":"cannot read \"my private diary\"","url":"http://kim:pw@h:1/x?key=1"}}"#;
        let crash = CrashReport {
            worker: "model".into(),
            generation: 3,
            pid: 99,
            at_unix_ms: 1_763_820_916_123,
            uptime_ms: 61_000,
            exit: Exit::Code(101),
            cause: "it panicked".into(),
            stderr_tail: vec![
                "thread 'main' panicked at workers/model/src/chat.rs:10:5:".into(),
                "I love you more than anything".into(),
                "2025-11-22T14:15:16Z ERROR a::b: cannot say `dear diary` to sk-abcdefghijklmnop".into(),
            ],
            in_flight: vec!["model.chat".into()],
            headers: Vec::new(),
        };
        state.reduce(Event::Crashes(Ok(vec![crash])));
        let line = |line: &str| LogLine { worker: "model".into(), at_unix_ms: 1_763_820_916_123, line: line.into() };
        state.reduce(Event::LogsKept(LogLines {
            lines: vec![line(secret), line("my diary"), line("2025-11-22T14:15:16Z INFO a::b: quiet")],
        }));
        state
    }

    #[test]
    fn the_report_says_all_and_betrays_nothing() {
        let report = text(&filled(), "/home/you", 1_763_820_921_000);
        // Its first line names the machine that runs the test.
        insta::assert_snapshot!(report.split_once('\n').unwrap().1);
        for private in ["/home/you", "diary", "I love", "abc", ":pw", "key=1"] {
            assert!(!report.contains(private), "{private} in\n{report}");
        }
    }

    #[test]
    fn without_a_kernel_it_says_so() {
        let report = text(&State::default(), "/home/you", 0);
        assert!(report.contains("no connection") && report.contains("never reached"), "{report}");
        let mut state = connected();
        state.reduce(Event::Lost);
        assert!(text(&state, "", 0).contains("what follows was true"));
        assert!(sample().kernel.socket.contains("/home/you"));
    }

    #[test]
    fn what_looks_like_a_secret_goes_and_what_does_not_stays() {
        for (raw, clean) in [
            ("Authorization: Bearer x", "Authorization: Bearer [removed]"),
            ("Authorization: x y", "Authorization: [removed] y"),
            ("Bearer abc", "Bearer [removed]"),
            ("api_key=abc rest", "api_key=[removed] rest"),
            ("the password: hunter2", "the password: [removed]"),
            ("sk-proj-1234abcd5678", "[removed]"),
            ("(0f3a9b7c5d2e8f1a0b4c)", "([removed])"),
            ("http://u:p@host:1/a?b=c", "http://[removed]@host:1/a?[removed]"),
            ("/home/you/x and /home/you", "~/x and ~"),
            ("butterfly_model::ollama 12.5 MiB gpt-oss:20b", "butterfly_model::ollama 12.5 MiB gpt-oss:20b"),
            ("2025-11-22T14:15:16Z 127.0.0.1:11434", "2025-11-22T14:15:16Z 127.0.0.1:11434"),
            ("/usr/share/ca-certificates/x/y.crt", "/usr/share/ca-certificates/x/y.crt"),
            ("butterfly_memory::indexing::embedding", "butterfly_memory::indexing::embedding"),
        ] {
            assert_eq!(scrub(raw, "/home/you"), clean, "{raw}");
        }
    }

    proptest! {
        #[test]
        fn no_key_survives_wherever_it_stands(
            key in "[A-Za-z]{8}[0-9]{4}[A-Za-z0-9]{12,30}", before in "[a-z =:(\"']{0,9}", after in "[a-z )\"',]{0,9}",
        ) {
            let shown = scrub(&format!("{before}{key}{after}"), "/home/you");
            prop_assert!(!shown.contains(&key), "{shown}");
        }

        #[test]
        fn any_text_comes_through_without_a_panic(text in "\\PC{0,200}") {
            let _ = unquoted(&scrub(&text, "/home/you"));
        }
    }
}
