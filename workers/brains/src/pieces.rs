//! Cutting text so that each piece fits a stream item.

use butterfly_wire::frame::CHUNK_LIMIT;

/// Bytes of text in one item. 1 KiB below the limit leaves room for whatever else an item's encoding holds.
pub(crate) const PIECE_BYTES: usize = CHUNK_LIMIT - 1024;

/// `text` in pieces of at most `most` bytes, cut between characters. Nothing for an empty text.
///
/// `most` is at least 4, the longest character.
pub(crate) fn pieces(text: &str, most: usize) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, tail) = rest.split_at(rest.floor_char_boundary(most));
        rest = tail;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::pieces;

    #[test]
    fn pieces_join_to_the_text_and_none_is_too_long_or_cuts_a_character() {
        let text = "aé€🦋".repeat(50);
        let cut: Vec<_> = pieces(&text, 5).collect();
        assert!(cut.iter().all(|piece| !piece.is_empty() && piece.len() <= 5));
        assert_eq!(cut.concat(), text);
        assert_eq!(pieces("", 5).count(), 0);
        assert_eq!(pieces("short", 5).collect::<Vec<_>>(), ["short"]);
    }
}
