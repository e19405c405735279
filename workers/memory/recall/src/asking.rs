//! How much of a text asks, so that what asks the same as a query does not come before what answers it.
//!
//! It goes by punctuation alone: a question without its mark counts as a statement.

/// The share of a text, in 0..=1, that is sentences with a question mark at their end.
#[must_use]
pub fn asked(text: &str) -> f32 {
    let (mut all, mut asked, mut sentence) = (0u32, 0u32, 0u32);
    // Marks stand in runs: `?!` asks, and so does `?")`.
    let (mut ended, mut asks) = (false, false);
    for character in text.chars() {
        let wide = matches!(character, '。' | '！' | '？');
        if wide || matches!(character, '.' | '!' | '?' | '…') {
            ended = true;
            asks |= matches!(character, '?' | '？');
        } else if ended && is_closing(character) {
            continue;
        } else if ended && !character.is_whitespace() && !asks {
            // `3.5` and `e.g.` go on; after a question mark, or a mark of a script without spaces, something new begins.
            ended = false;
        }
        if ended && (wide || character.is_whitespace() || asks && character.is_alphanumeric()) {
            all += sentence;
            asked += if asks { sentence } else { 0 };
            (sentence, ended, asks) = (0, false, false);
        }
        sentence += u32::from(character.is_alphanumeric());
    }
    all += sentence;
    asked += if asks { sentence } else { 0 };
    if all == 0 { 0.0 } else { asked as f32 / all as f32 }
}

/// What closes around a sentence after its mark.
fn is_closing(character: char) -> bool {
    matches!(character, '"' | '\'' | ')' | ']' | '”' | '’' | '»')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn questions_count_by_their_length() {
        for (text, share) in [
            ("Where does she live?", 1.0),
            ("Really?! \"And you?\"", 1.0),
            ("In Porto.", 0.0),
            ("", 0.0),
            ("?", 0.0),
            ("東京はどこですか？", 1.0),
            ("What is 3.5 plus 2?", 1.0),
            ("no mark at all", 0.0),
        ] {
            assert!((asked(text) - share).abs() < 1e-6, "{text}: {}", asked(text));
        }
        let half = asked("I ran nine miles. How far were you?");
        assert!((0.4..0.6).contains(&half), "{half}");
        let wide = asked("私は元気です。あなたは？");
        assert!((0.2..0.6).contains(&wide), "{wide}");
    }

    proptest! {
        #[test]
        fn any_text_has_a_share(text in "\\PC{0,60}|[a-z.?! ]{0,60}") {
            prop_assert!((0.0..=1.0).contains(&asked(&text)));
        }
    }
}
