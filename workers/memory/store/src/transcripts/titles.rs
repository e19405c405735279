//! Titles of conversations.

/// Characters of a title that is made from the first words.
const AUTOMATIC_CHARS: usize = 60;

/// Characters of a title that a person gives.
const GIVEN_CHARS: usize = 200;

/// The first words of `text`, on one line.
#[must_use]
pub fn first_words(text: &str) -> String {
    let mut title = String::new();
    for word in text.split_whitespace() {
        let space = usize::from(!title.is_empty());
        if title.chars().count() + space + word.chars().count() > AUTOMATIC_CHARS {
            // A first word that is too long by itself is cut: a title is never empty.
            if title.is_empty() {
                title.extend(word.chars().take(AUTOMATIC_CHARS));
            }
            title.push('…');
            break;
        }
        if space == 1 {
            title.push(' ');
        }
        title.push_str(word);
    }
    title
}

/// A title as a person typed it, on one line.
#[must_use]
pub fn given(text: &str) -> String {
    let mut title = String::new();
    for word in text.split_whitespace() {
        if !title.is_empty() {
            title.push(' ');
        }
        title.push_str(word);
    }
    title.chars().take(GIVEN_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_words_are_one_short_line() {
        assert_eq!(first_words("  hello\n  there "), "hello there");
        assert_eq!(first_words(&"word ".repeat(40)), format!("{}…", ["word"; 12].join(" ")));
        assert_eq!(first_words(&"ü".repeat(100)), format!("{}…", "ü".repeat(60)));
    }

    #[test]
    fn given_title_is_one_line_of_bounded_length() {
        assert_eq!(given(" a\n\tb "), "a b");
        assert_eq!(given(&"é".repeat(300)).chars().count(), GIVEN_CHARS);
    }
}
