//! Text that others wrote, made safe for a terminal: it may be shown, it may not drive.

use std::fmt::Write as _;

/// Strips escape sequences and control characters from text that arrives in pieces; newline and tab stay. A sequence
/// that is cut by the end of a piece is still recognised.
#[derive(Debug, Default)]
pub struct Stripper {
    state: State,
}

/// Where in an escape sequence (ECMA-48, 5.4) the next character stands.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Ground,
    /// After ESC, and after intermediate characters.
    Escape,
    /// Inside a control sequence: parameters until a final character.
    Control,
    /// Inside a command string: everything until its terminator.
    Command,
    /// After an ESC inside a command string.
    CommandEscape,
}

impl Stripper {
    /// The harmless part of the next piece.
    pub fn strip(&mut self, piece: &str) -> String {
        let mut out = String::with_capacity(piece.len());
        for character in piece.chars() {
            if let Some(kept) = self.take(character) {
                out.push(kept);
            }
        }
        out
    }

    fn take(&mut self, character: char) -> Option<char> {
        // A sequence never outlives its line: an unfinished one must not swallow the rest of an answer.
        if character == '\n' {
            self.state = State::Ground;
            return Some(character);
        }
        let (state, kept) = match (self.state, character) {
            (State::Command, '\x1b') => (State::CommandEscape, None),
            (_, '\x1b') => (State::Escape, None),
            (State::Command | State::CommandEscape, '\x07' | '\u{9c}') => (State::Ground, None),
            (State::CommandEscape, '\\') => (State::Ground, None),
            (State::Command | State::CommandEscape, _) => (State::Command, None),
            (State::Escape, '[') => (State::Control, None),
            (State::Escape, ']' | 'P' | 'X' | '^' | '_') => (State::Command, None),
            (State::Escape, ' '..='/') => (State::Escape, None),
            (State::Escape, '0'..='~') => (State::Ground, None),
            (State::Control, ' '..='?') => (State::Control, None),
            (State::Control, '@'..='~') => (State::Ground, None),
            (_, '\u{9b}') => (State::Control, None),
            (_, '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}') => (State::Command, None),
            (_, other) => (State::Ground, (!is_harmful(other)).then_some(other)),
        };
        self.state = state;
        kept
    }
}

/// Control characters, and the two marks that make later text read backwards.
fn is_harmful(character: char) -> bool {
    (character.is_control() && !matches!(character, '\n' | '\t')) || matches!(character, '\u{202d}' | '\u{202e}')
}

/// One line of somebody else's text with every harmful character shown as an escape, so that nothing is hidden.
#[must_use]
pub fn escaped(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for character in line.chars() {
        match character {
            '\t' => out.push('\t'),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            other if is_harmful(other) => {
                // Writing to a string cannot fail.
                let _ = match u32::from(other) {
                    code @ 0..=0xff => write!(out, "\\x{code:02x}"),
                    code => write!(out, "\\u{{{code:x}}}"),
                };
            }
            other => out.push(other),
        }
    }
    out
}

/// JSON in which no character can drive a terminal. `serde_json` escapes those below U+0020 alone; the others can stand
/// only inside strings, where an escape means the same.
#[must_use]
pub fn terminal_safe_json(json: String) -> String {
    if !json.chars().any(is_harmful) {
        return json;
    }
    let mut out = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        if is_harmful(character) {
            let _ = write!(out, "\\u{:04x}", u32::from(character));
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(pieces: &[&str]) -> String {
        let mut stripper = Stripper::default();
        pieces.iter().map(|piece| stripper.strip(piece)).collect()
    }

    #[test]
    fn escape_sequences_vanish_and_text_stays() {
        assert_eq!(stripped(&["a\x1b[31mred\x1b[0m\tb\n"]), "ared\tb\n");
        assert_eq!(stripped(&["title \x1b]0;owned\x07done"]), "title done");
        assert_eq!(stripped(&["link \x1b]8;;http://x\x1b\\text\x1b]8;;\x1b\\"]), "link text");
        assert_eq!(stripped(&["\x1bPq#0\x1b\\x\x1b(By\x1bcz"]), "xyz");
        assert_eq!(stripped(&["\u{9b}2Jc1 \u{9d}0;t\u{9c}end"]), "c1 end");
    }

    #[test]
    fn a_sequence_cut_between_pieces_is_still_one() {
        assert_eq!(stripped(&["a\x1b", "[3", "1", "mb", "\x1b]52;c;", "aGk=\x1b", "\\c"]), "abc");
    }

    #[test]
    fn an_unfinished_sequence_swallows_no_more_than_its_line() {
        assert_eq!(stripped(&["a\x1b]0;never ends\nnext"]), "a\nnext");
        assert_eq!(stripped(&["a\x1b[31\u{e9}b"]), "a\u{e9}b");
    }

    #[test]
    fn lone_controls_and_overrides_vanish_but_scripts_do_not() {
        assert_eq!(stripped(&["a\rb\x08c\x00d\x7fe\u{202e}f"]), "abcdef");
        assert_eq!(stripped(&["שלום\u{200f} 👩\u{200d}🔬 नमस्ते"]), "שלום\u{200f} 👩\u{200d}🔬 नमस्ते");
    }

    #[test]
    fn log_lines_hide_nothing() {
        assert_eq!(escaped("a\x1b[2Jb\r\x00\u{9b}\u{202e}é"), "a\\x1b[2Jb\\r\\x00\\x9b\\u{202e}é");
    }

    #[test]
    fn json_cannot_drive_the_terminal_and_means_the_same() {
        let value = serde_json::json!({"text": "a\x1b[1m\u{9b}31m\u{7f}\u{202e}é"});
        let safe = terminal_safe_json(value.to_string());
        assert!(!safe.chars().any(is_harmful));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
    }
}
