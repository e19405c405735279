//! Rust source without what is no code: comments, strings and characters blanked out, every position kept.
//!
//! It is a scanner for the rules of this crate, *not* a parser: it knows where text ends and code begins, no more.

/// A copy of `source` with the contents of comments, string and character literals replaced by spaces. Line breaks and
/// positions (counted in characters) stay, so that a find in the copy has the same line in the original.
pub fn code_only(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        match skip(&chars, at) {
            Some(end) => {
                out.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
                at = end;
            }
            None => {
                out.push(chars[at]);
                at += 1;
            }
        }
    }
    out
}

/// Where the comment or literal that starts at `at` ends, exclusively; `None` where none starts.
fn skip(chars: &[char], at: usize) -> Option<usize> {
    let next = chars.get(at + 1).copied();
    match chars[at] {
        '/' if next == Some('/') => Some(find(chars, at, '\n')),
        '/' if next == Some('*') => Some(block_comment(chars, at)),
        '"' => Some(string(chars, at)),
        '\'' => character(chars, at),
        'r' => raw_string(chars, at),
        _ => None,
    }
}

fn find(chars: &[char], from: usize, wanted: char) -> usize {
    (from..chars.len()).find(|at| chars[*at] == wanted).unwrap_or(chars.len())
}

/// Rust's block comments nest.
fn block_comment(chars: &[char], start: usize) -> usize {
    let mut depth = 0;
    let mut at = start;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                at += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    chars.len()
}

fn string(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

/// A character literal; `None` for a lifetime, which starts with the same sign.
fn character(chars: &[char], start: usize) -> Option<usize> {
    match chars.get(start + 1)? {
        '\\' => Some((find(chars, start + 3, '\'') + 1).min(chars.len())),
        _ if chars.get(start + 2) == Some(&'\'') => Some(start + 3),
        _ => None,
    }
}

/// `r"…"`, `r#"…"#` and so on, also behind `b` or `c`; `None` for a word with an `r` in it and for raw identifiers.
fn raw_string(chars: &[char], start: usize) -> Option<usize> {
    let is_word = |at: usize| chars.get(at).is_some_and(|c| c.is_alphanumeric() || *c == '_');
    if start > 0 && is_word(start - 1) {
        let prefixed = matches!(chars[start - 1], 'b' | 'c') && (start < 2 || !is_word(start - 2));
        if !prefixed {
            return None;
        }
    }
    let hashes = chars[start + 1..].iter().take_while(|c| **c == '#').count();
    let open = start + 1 + hashes;
    if chars.get(open) != Some(&'"') {
        return None;
    }
    let closes = |at: usize| chars[at] == '"' && chars[at + 1..].iter().take_while(|c| **c == '#').count() >= hashes;
    let close = (open + 1..chars.len()).find(|at| closes(*at));
    Some(close.map_or(chars.len(), |at| at + 1 + hashes))
}

/// Where `word` stands alone in `code`, as byte offsets: not as a part of a longer identifier.
pub fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let before = code[..*at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// The number of the line, counted from 1, that holds the byte at `offset`.
pub fn line_of(text: &str, offset: usize) -> usize {
    text[..offset].matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(source: &str) -> Vec<String> {
        code_only(source).split_whitespace().map(str::to_string).collect()
    }

    #[test]
    fn comments_and_literals_vanish_and_code_stays() {
        let cases = [
            ("a // x\nb", "a b"),
            ("a /* x /* y */ z */ b", "a b"),
            (r#"a "x \" y" b"#, "a b"),
            (r##"a r#"x " y"# b"##, "a b"),
            // The prefix stays, as a word that no rule looks for.
            (r#"a br"x\" c"#, "a b c"),
            (r"a '\'' b '\u{41}' c 'x' d", "a b c d"),
            ("a '\"' b '\"' c", "a b c"),
            ("&'static str", "&'static str"),
            ("fn f<'a>(x: &'a u8) -> &'a u8", "fn f<'a>(x: &'a u8) -> &'a u8"),
            ("let r#type = for_r;", "let r#type = for_r;"),
            ("a \"never closed", "a"),
            ("a /* never closed", "a"),
            ("a '", "a '"),
            ("r", "r"),
        ];
        for (source, code) in cases {
            assert_eq!(kept(source).join(" "), code, "{source}");
        }
    }

    #[test]
    fn lines_keep_their_numbers() {
        let source = "one\n/* two\n three */ \"four\n\" five";
        let code = code_only(source);
        assert_eq!(code.chars().count(), source.chars().count());
        assert_eq!(line_of(&code, code.find("five").unwrap()), 4);
    }

    #[test]
    fn a_word_is_not_found_inside_another() {
        assert_eq!(words("unsafe_code unsafe not_unsafe unsafe{", "unsafe").count(), 2);
    }
}
