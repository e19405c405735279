//! What is embedded for a passage: who says what, between what was said just before and just after.
//!
//! A turn such as "Yes, in May!" means nothing alone. The turn itself stays the most of what is embedded: what is around it
//! is cut to the part that stands nearest.

/// A turn that stands beside the passage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn<'a> {
    pub speaker: &'a str,
    pub text: &'a str,
}

/// Bytes of a turn beside the passage that are taken: two sentences. Small embedding models read 256 tokens, and the
/// passage itself must fit beside both.
pub const BESIDE_BYTES: usize = 280;

/// Bytes of the passage itself that are taken: more than any embedding model in use reads well (8192 tokens), and a bound
/// on what a request carries.
pub const PASSAGE_BYTES: usize = 8 << 10;

/// The text to embed: `speaker: text`, the turn before above it and the turn after below it, a line each.
#[must_use]
pub fn embedded(before: Option<Turn<'_>>, passage: Turn<'_>, after: Option<Turn<'_>>) -> String {
    let mut out = String::new();
    if let Some(before) = before {
        line(&mut out, before.speaker, tail(before.text.trim(), BESIDE_BYTES));
    }
    line(&mut out, passage.speaker, head(passage.text.trim(), PASSAGE_BYTES));
    if let Some(after) = after {
        line(&mut out, after.speaker, head(after.text.trim(), BESIDE_BYTES));
    }
    out
}

fn line(out: &mut String, speaker: &str, text: &str) {
    if !out.is_empty() {
        out.push('\n');
    }
    if !speaker.is_empty() {
        out.push_str(speaker);
        out.push_str(": ");
    }
    out.push_str(text);
}

/// The first `limit` bytes, to the end of a character.
#[must_use]
pub fn head(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

/// The last `limit` bytes, from the start of a character.
#[must_use]
pub fn tail(text: &str, limit: usize) -> &str {
    &text[text.ceil_char_boundary(text.len().saturating_sub(limit))..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passage_stands_between_its_neighbours_with_their_speakers() {
        let before = Turn { speaker: "Ana", text: "When do you move?" };
        let passage = Turn { speaker: "Ben", text: "In May!\n" };
        assert_eq!(embedded(Some(before), passage, None), "Ana: When do you move?\nBen: In May!");
        assert_eq!(embedded(None, Turn { speaker: "", text: "x" }, None), "x");
    }

    #[test]
    fn long_neighbours_are_cut_to_what_stands_nearest() {
        let long = format!("far {} near", "é".repeat(500));
        let text = embedded(
            Some(Turn { speaker: "A", text: &long }),
            Turn { speaker: "B", text: "here" },
            Some(Turn { speaker: "A", text: &long }),
        );
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].ends_with("near") && !lines[0].contains("far"));
        assert!(lines[2].starts_with("A: far") && !lines[2].contains("near"));
        assert!(text.len() < 2 * (BESIDE_BYTES + 8) + 16);
    }
}
