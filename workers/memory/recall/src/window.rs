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

/// Bytes of a passage that is said again between its neighbours: a small model reads no more of it anyway.
const AGAIN_BYTES: usize = 600;

/// The text to embed: `speaker: text`; below it the turn before, the passage again, and the turn after, a line each.
///
/// The passage stands first and twice, so that it is half of what is read. In the middle and once, its vector was measured to
/// be its neighbours' as much as its own: a fifth of the answers that were found this way were not found that way.
#[must_use]
pub fn embedded(before: Option<Turn<'_>>, passage: Turn<'_>, after: Option<Turn<'_>>) -> String {
    let mut out = String::new();
    let text = head(passage.text.trim(), PASSAGE_BYTES);
    line(&mut out, passage.speaker, text);
    if let Some(before) = before {
        line(&mut out, before.speaker, tail(before.text.trim(), BESIDE_BYTES));
    }
    if (before.is_some() || after.is_some()) && text.len() <= AGAIN_BYTES {
        line(&mut out, passage.speaker, text);
    }
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
    fn passage_stands_first_and_between_its_neighbours_with_their_speakers() {
        let before = Turn { speaker: "Ana", text: "When do you move?" };
        let passage = Turn { speaker: "Ben", text: "In May!\n" };
        assert_eq!(embedded(Some(before), passage, None), "Ben: In May!\nAna: When do you move?\nBen: In May!");
        assert_eq!(embedded(None, passage, None), "Ben: In May!");
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
        assert_eq!((lines[0], lines[2]), ("B: here", "B: here"));
        assert!(lines[1].ends_with("near") && !lines[1].contains("far"));
        assert!(lines[3].starts_with("A: far") && !lines[3].contains("near"));
        assert!(text.len() < 2 * (BESIDE_BYTES + 8) + 32);
    }

    #[test]
    fn long_passage_is_said_once() {
        let long = "word ".repeat(200);
        let text = embedded(Some(Turn { speaker: "A", text: "x" }), Turn { speaker: "B", text: &long }, None);
        assert_eq!(text.lines().count(), 2);
    }
}
