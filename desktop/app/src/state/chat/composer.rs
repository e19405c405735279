//! What is being typed: the draft, what waits behind a running answer, and files that are quoted.

use std::collections::VecDeque;

/// Bytes of a draft that are kept; a longer one stays in the window alone. Memory refuses more than 64 KiB.
pub const DRAFT_LIMIT: usize = 64 << 10;

/// Bytes of a file that can be quoted: a quarter of what one message may have, and more than a local model reads well.
pub const QUOTE_LIMIT: u64 = 64 << 10;

/// What is being typed in the open conversation.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Composer {
    pub text: String,
    /// Counts changes that were not typed: the text field is made anew then.
    pub revision: u64,
    /// The message that is being said differently, and the draft that comes back afterwards.
    pub editing: Option<(u64, String)>,
    /// Sent one after the other when the running answer is over.
    pub queue: VecDeque<String>,
    /// The completion's chosen line; `None`: it was closed.
    pub completion: Option<usize>,
    /// Why something was not sent, for people.
    pub fault: Option<String>,
    /// Counts what was typed; a draft is saved when this rests.
    pub version: u64,
    /// The version that was saved.
    pub saved: u64,
}

impl Composer {
    #[must_use]
    pub fn with(text: String, queue: VecDeque<String>) -> Self {
        Self { text, queue, ..Self::default() }
    }

    /// The person typed.
    pub fn typed(&mut self, text: String) {
        self.text = text;
        self.version += 1;
        self.fault = None;
        self.completion = Some(0);
    }

    /// The text is replaced by the program.
    pub fn set(&mut self, text: String) {
        if self.text != text {
            self.text = text;
            self.revision += 1;
            self.version += 1;
        }
        self.completion = None;
    }

    /// Takes what is to be sent, and leaves the draft that was put aside for an edit.
    pub fn take(&mut self) -> (String, Option<u64>) {
        let text = std::mem::take(&mut self.text);
        let (editing, draft) = self.editing.take().unzip();
        self.text = draft.unwrap_or_default();
        self.revision += 1;
        self.version += 1;
        self.completion = None;
        self.fault = None;
        (text, editing)
    }

    /// The draft, if there is one to be saved: what is typed instead of an earlier message is none.
    #[must_use]
    pub fn draft(&self) -> &str {
        match &self.editing {
            Some((_, draft)) => draft,
            None => &self.text,
        }
    }

    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// Puts a file's text below what is typed.
    pub fn quote(&mut self, name: &str, text: &str) {
        let mut all = self.text.trim_end().to_owned();
        if !all.is_empty() {
            all.push_str("\n\n");
        }
        all.push_str(&quoted(name, text));
        self.set(all);
    }
}

/// A file's text in a fence that nothing in it can close (CommonMark 0.31.2, 4.5: the closing fence is at least as
/// long as the opening one).
#[must_use]
pub fn quoted(name: &str, text: &str) -> String {
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    let name: String = name.chars().filter(|it| !it.is_control() && *it != '`').collect();
    let language = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let language = if language.chars().all(char::is_alphanumeric) { language } else { "" };
    let end = if text.ends_with('\n') { "" } else { "\n" };
    format!("{name}:\n{fence}{language}\n{text}{end}{fence}\n")
}

/// A file's bytes as text to be quoted.
///
/// # Errors
/// One sentence for people: it is too large, or no text.
pub fn as_text(name: &str, bytes: Vec<u8>) -> Result<String, String> {
    if bytes.len() as u64 > QUOTE_LIMIT {
        let size = bytes.len() as u64;
        return Err(too_large(name, size));
    }
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(text.replace("\r\n", "\n")),
        Ok(_) | Err(_) => Err(format!("“{name}” was not quoted, because it is no text; only text files can be.")),
    }
}

/// What is said of a file that is too large.
#[must_use]
pub fn too_large(name: &str, size: u64) -> String {
    format!(
        "“{name}” was not quoted, because it has {} KiB and at most {} KiB can be; quote the part that matters.",
        size.div_ceil(1024),
        QUOTE_LIMIT / 1024
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_edit_puts_the_draft_aside_and_brings_it_back() {
        let mut composer = Composer::default();
        composer.typed("a draft".into());
        composer.editing = Some((7, composer.text.clone()));
        composer.set("as it was said".into());
        assert_eq!(composer.draft(), "a draft");
        composer.typed("said better".into());
        assert_eq!(composer.take(), ("said better".into(), Some(7)));
        assert_eq!((composer.text.as_str(), &composer.editing), ("a draft", &None));
    }

    #[test]
    fn what_is_no_text_or_too_much_of_it_is_refused_with_a_sentence() {
        assert_eq!(as_text("a.txt", b"one\r\ntwo".to_vec()), Ok("one\ntwo".into()));
        assert!(as_text("a.bin", vec![0xff, 0xfe]).unwrap_err().contains("no text"));
        assert!(as_text("a.bin", b"a\0b".to_vec()).unwrap_err().contains("no text"));
        assert!(as_text("a.log", vec![b'x'; 70 << 10]).unwrap_err().contains("70 KiB"));
    }

    proptest! {
        #[test]
        fn no_text_closes_its_fence(text in "[`a\\n]{0,60}", name in "\\PC{0,12}") {
            let quoted = quoted(&name, &text);
            let fence: String = quoted.lines().nth(1).unwrap().chars().take_while(|it| *it == '`').collect();
            let closing = quoted.lines().filter(|line| line.trim().starts_with(&fence)).count();
            prop_assert_eq!(closing, 2, "{}", quoted);
        }
    }
}
