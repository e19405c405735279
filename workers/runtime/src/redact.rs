//! Keeps secrets out of what a worker writes to standard error, by their value.
//!
//! Whatever a line was made of (a message, a field, a panic, another crate's log), each secret that lives in this process is
//! looked for in it: as it is, and in the forms in which text gets into logs. It is *not* what keeps secrets apart from logs
//! in the first place (`Secret` has no `Debug`): it is the net below.
//!
//! A secret is looked for while it lives; what was copied out of it and outlives it is not known here.

use butterfly_api::secret::{self, SHORTEST, Secret};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};
use tracing_subscriber::fmt::MakeWriter;

/// What stands in a log where a secret stood.
pub const MARK: &str = "[secret]";

/// The text without the secrets that live in this process.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    without(text, &secret::live())
}

/// Writes a line to standard error, without secrets.
pub fn eprint_line(line: &str) {
    // Nobody reads it: there is no better place to complain about that.
    let _ = writeln!(io::stderr(), "{}", redact(line));
}

/// Standard error for log records, one at a time, without secrets.
#[derive(Debug, Clone, Copy, Default)]
pub struct Redacted;

impl<'a> MakeWriter<'a> for Redacted {
    type Writer = Record<io::Stderr>;

    fn make_writer(&'a self) -> Self::Writer {
        Record { text: Vec::new(), to: io::stderr() }
    }
}

/// One record, gathered until it is whole: a secret that is written in two pieces is still one.
#[derive(Debug)]
pub struct Record<W: Write> {
    text: Vec<u8>,
    to: W,
}

impl<W: Write> Write for Record<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write> Drop for Record<W> {
    fn drop(&mut self) {
        // A log that cannot be written must not end what it tells of.
        let _ = self.to.write_all(redact(&String::from_utf8_lossy(&self.text)).as_bytes());
        let _ = self.to.flush();
    }
}

fn without<'a>(text: &'a str, secrets: &[Secret]) -> Cow<'a, str> {
    let mut text = Cow::Borrowed(text);
    for secret in secrets {
        for form in forms(secret.expose()) {
            if text.contains(form.as_str()) {
                text = Cow::Owned(text.replace(form.as_str(), MARK));
            }
        }
    }
    text
}

/// A value as it may stand in a log, longest first so that no form leaves a part of a longer one.
fn forms(value: &str) -> Vec<Erased> {
    let mut forms = vec![Erased(value.to_owned())];
    let debug = escaped(value, Escape::Debug);
    let json = escaped(value, Escape::Json);
    // A debug representation inside of JSON, as `?value` makes it.
    forms.push(Erased(escaped(&debug, Escape::Json)));
    forms.push(Erased(debug));
    forms.push(Erased(json));
    for keep in [UNRESERVED, PATH_SAFE] {
        for upper in [true, false] {
            forms.push(Erased(percent(value, keep, upper)));
        }
    }
    for upper in [true, false] {
        forms.push(Erased(hex(value, upper)));
    }
    for alphabet in [STANDARD, URL_SAFE] {
        forms.extend((0..3).map(|offset| Erased(base64_core(value.as_bytes(), offset, alphabet))));
    }
    // A short core would be found everywhere.
    forms.retain(|form| form.0.len() >= SHORTEST);
    forms.sort_by(|one, other| other.0.len().cmp(&one.0.len()).then_with(|| one.0.cmp(&other.0)));
    forms.dedup_by(|one, other| one.0 == other.0);
    forms
}

/// A form of a secret is as secret as the secret.
struct Erased(String);

impl Erased {
    fn as_str(&self) -> &str {
        &self.0
    }
}

impl Drop for Erased {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

#[derive(Clone, Copy)]
enum Escape {
    /// RFC 8259, as serde_json writes it.
    Json,
    /// `{:?}` of a string.
    Debug,
}

fn escaped(value: &str, how: Escape) -> String {
    match how {
        Escape::Debug => value.escape_debug().collect(),
        Escape::Json => {
            let mut out = String::with_capacity(value.len());
            for character in value.chars() {
                match character {
                    '"' => out.push_str("\\\""),
                    '\\' => out.push_str("\\\\"),
                    '\n' => out.push_str("\\n"),
                    '\r' => out.push_str("\\r"),
                    '\t' => out.push_str("\\t"),
                    '\u{8}' => out.push_str("\\b"),
                    '\u{c}' => out.push_str("\\f"),
                    control if control < ' ' => {
                        // Writing to a String cannot fail.
                        let _ = write!(out, "\\u{:04x}", u32::from(control));
                    }
                    other => out.push(other),
                }
            }
            out
        }
    }
}

/// RFC 3986, 2.3: what an encoder never has to touch.
const UNRESERVED: &[u8] = b"-._~";

/// What many encoders leave alone in a path or a query as well.
const PATH_SAFE: &[u8] = b"-._~!$&'()*+,;=:@/?";

fn percent(value: &str, keep: &[u8], upper: bool) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || keep.contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = if upper { write!(out, "%{byte:02X}") } else { write!(out, "%{byte:02x}") };
        }
    }
    out
}

fn hex(value: &str, upper: bool) -> String {
    let mut out = String::with_capacity(value.len() * 2);
    for byte in value.bytes() {
        let _ = if upper { write!(out, "{byte:02X}") } else { write!(out, "{byte:02x}") };
    }
    out
}

/// RFC 4648, 4 and 5.
const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Those characters of an encoding that depend on the value alone, when `offset` bytes (modulo 3) stand before it: so it is
/// found inside of something larger that was encoded as a whole, such as `user:key`, and with or without padding.
fn base64_core(value: &[u8], offset: usize, alphabet: &[u8; 64]) -> String {
    let bits = value.len() * 8;
    // A character takes six bits; the first that begins inside of the value, counted from the value's first bit.
    let first = (6 - (offset * 8) % 6) % 6;
    let mut out = String::with_capacity(bits / 6);
    for start in (first..).step_by(6).take_while(|start| start + 6 <= bits) {
        let (byte, shift) = (start / 8, start % 8);
        let next = value.get(byte + 1).copied().unwrap_or_default();
        let window = u16::from_be_bytes([value[byte], next]);
        let index = usize::from(window >> (10 - shift)) & 63;
        out.push(char::from(alphabet[index]));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// With everything that some encoding escapes.
    const KEY: &str = "sk-\"Zeta\\7/+&= ü?";

    fn clean(text: &str) -> String {
        without(text, &[Secret::new(KEY.to_owned())]).into_owned()
    }

    #[test]
    fn the_value_and_its_usual_forms_are_gone() {
        let json = serde_json::to_string(KEY).unwrap();
        let twice = serde_json::to_string(&format!("{KEY:?}")).unwrap();
        let encoded = "sk-%22Zeta%5C7%2F%2B%26%3D%20%C3%BC%3F";
        let hex: String = KEY.bytes().map(|byte| format!("{byte:02x}")).collect();
        for form in [
            KEY,
            &format!("{KEY:?}"),
            &json,
            &twice,
            encoded,
            &encoded.replace("%5C7%2F%2B", "%5c7%2f%2b").replace("%3D", "%3d").replace("%C3%BC%3F", "%c3%bc%3f"),
            &hex,
            &hex.to_uppercase(),
        ] {
            let line = clean(&format!("before {form} after {form}"));
            assert!(line.starts_with("before ") && line.contains(" after "), "{line}");
            assert!(line.contains(MARK) && !line.contains("Zeta") && !line.contains("5a657461"), "{line}");
        }
    }

    /// An independent encoder: three bytes to four characters, with padding.
    fn base64(bytes: &[u8], alphabet: &[u8; 64]) -> String {
        let mut out = String::new();
        for chunk in bytes.chunks(3) {
            let mut group = [0_u8; 4];
            group[1..=chunk.len()].copy_from_slice(chunk);
            let value = u32::from_be_bytes(group);
            for at in 0..4 {
                let character = alphabet[(value >> (18 - at * 6)) as usize & 63];
                out.push(if at > chunk.len() { '=' } else { char::from(character) });
            }
        }
        out
    }

    #[test]
    fn base64_is_found_wherever_the_value_stands_in_what_was_encoded() {
        assert_eq!(base64(b"any carnal pleas", STANDARD), "YW55IGNhcm5hbCBwbGVhcw==", "the encoder of the test itself");
        for alphabet in [STANDARD, URL_SAFE] {
            for before in ["", "a", "ab", "user:"] {
                for after in ["", "z", "yz"] {
                    let encoded = base64(format!("{before}{KEY}{after}").as_bytes(), alphabet);
                    let line = clean(&format!("Basic {encoded}"));
                    assert!(line.contains(MARK), "{before}|{after}: {line}");
                    // What is left are the edges, which mix the value's bits with its neighbours'.
                    assert!(
                        line.len()
                            < "Basic ".len()
                                + MARK.len()
                                + 4 * before.len().div_ceil(3)
                                + 4 * after.len().div_ceil(3)
                                + 9
                    );
                }
            }
        }
    }

    #[test]
    fn other_text_is_left_as_it_is() {
        assert!(matches!(without("an innocent line", &[Secret::new(KEY.to_owned())]), Cow::Borrowed(_)));
        assert_eq!(without("abc", &[Secret::new("abc".to_owned())]), "abc", "too short to be told from other text");
    }

    /// A log's destination that can be looked at.
    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Shared {
        type Writer = Record<Shared>;

        fn make_writer(&'a self) -> Self::Writer {
            Record { text: Vec::new(), to: self.clone() }
        }
    }

    #[test]
    fn a_log_record_and_a_panics_message_lose_the_value_and_stay_json() {
        let log = Shared::default();
        let subscriber = tracing_subscriber::fmt().json().with_writer(log.clone()).finish();
        let secret = Secret::new("sk-log-\"quoted\"-0123".to_owned());
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(url = format!("https://host/?key={}", secret.expose()), "asked with {}", secret.expose());
            tracing::error!(value = ?secret.expose(), "debugged");
            let panic = std::panic::catch_unwind(|| {
                let text = secret.expose();
                panic!("cannot use {text}");
            });
            let panic = panic.unwrap_err();
            tracing::error!(panic = %panic.downcast_ref::<String>().unwrap(), "the worker panicked");
        });
        let written = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert_eq!(written.lines().count(), 3);
        assert!(!written.contains("quoted") && written.matches(MARK).count() == 4, "{written}");
        for line in written.lines() {
            serde_json::from_str::<serde_json::Value>(line).unwrap();
        }
    }
}
