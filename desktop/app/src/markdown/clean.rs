//! Characters that hide, reorder or steer text are shown instead of obeyed (Unicode UAX #9, UTS #39; "Trojan Source",
//! CVE-2021-42574).

use std::borrow::Cow;

/// The same text with every character that works unseen replaced by one that is seen. Newlines and tabs stay.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut in_flag = false;
    for character in text.chars() {
        let is_tag = matches!(character, '\u{e0020}'..='\u{e007f}');
        // Regional flags are a black flag with such characters behind it (UTS #51).
        in_flag = character == '\u{1f3f4}' || (in_flag && is_tag);
        if (is_tag && in_flag) || !is_hidden(character) {
            out.push(character);
        } else {
            out.push_str(&shown(character));
        }
    }
    Cow::Owned(out)
}

/// Whether a character works without being seen: controls, marks that reorder, tags, fillers.
#[must_use]
pub fn is_hidden(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        // Embeddings, overrides and isolates. The marks U+200E, U+200F and U+061C only help neutral characters.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        // Deprecated format characters, the interlinear annotation, tags, fillers that look like nothing at all.
        '\u{206a}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' => true,
        other => other.is_control(),
    }
}

/// How it is shown: a control by its picture, everything else by its number.
fn shown(character: char) -> String {
    match character {
        '\r' => String::new(),
        '\u{7f}' => "\u{2421}".to_owned(),
        '\u{2028}' | '\u{2029}' => "\n".to_owned(),
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + u32::from(character)).unwrap_or('\u{fffd}').to_string(),
        other => format!("⟨U+{:04X}⟩", u32::from(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_is_shown() {
        assert_eq!(clean("a\u{202e}b\u{2066}c"), "a⟨U+202E⟩b⟨U+2066⟩c");
        assert_eq!(clean("a\u{0}b\u{1b}[31mc\u{7f}d\u{9b}e"), "a␀b␛[31mc␡d⟨U+009B⟩e");
        assert_eq!(clean("x\u{e0041}\u{e0042}"), "x⟨U+E0041⟩⟨U+E0042⟩");
        assert_eq!(clean("one\r\ntwo\u{2028}three"), "one\ntwo\nthree");
    }

    #[test]
    fn what_scripts_need_stays() {
        for text in [
            "שלום\u{200f} 👩\u{200d}🔬 नमस्ते\u{200c}",
            "tab\tand\nline",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
        ] {
            assert_eq!(clean(text), text);
        }
    }

    #[test]
    fn nothing_hidden_is_left_whatever_goes_in() {
        for code in 0..=0x10_ffff_u32 {
            let Some(character) = char::from_u32(code) else { continue };
            assert!(!clean(&character.to_string()).chars().any(is_hidden), "{code:x}");
        }
    }
}
