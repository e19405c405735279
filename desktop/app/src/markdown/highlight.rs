//! Colours for code, by the names that the theme has for them. The grammars are those that syntect brings.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxReference, SyntaxSet};

/// Bytes of a block that are coloured. A longer one is data rather than code, and stays plain.
pub const LIMIT: usize = 128 << 10;

/// Bytes of a line that are coloured: beyond, it is minified, and a grammar takes long for it.
const LINE_LIMIT: usize = 1_000;

/// Blocks whose colours are kept: what a window shows, and a few more.
const KEPT: usize = 128;

/// What a piece of code is, and so which of the theme's colours it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    Plain,
    Keyword,
    String,
    Number,
    Comment,
    Function,
    Type,
    Constant,
    Operator,
}

impl Token {
    /// The class of `assets/chat.css`.
    #[must_use]
    pub const fn class(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Keyword => Some("t-keyword"),
            Self::String => Some("t-string"),
            Self::Number => Some("t-number"),
            Self::Comment => Some("t-comment"),
            Self::Function => Some("t-function"),
            Self::Type => Some("t-type"),
            Self::Constant => Some("t-constant"),
            Self::Operator => Some("t-operator"),
        }
    }
}

/// A coloured piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub token: Token,
    pub text: String,
}

/// A line, without its newline.
pub type Line = Vec<Span>;

/// Colours code that grows, line by line: a line that is whole is looked at once.
#[derive(Default)]
pub struct Highlighter {
    language: String,
    state: Option<(ParseState, ScopeStack)>,
    /// Bytes of the text that `lines` stands for.
    done: usize,
    lines: Vec<Arc<Line>>,
}

impl Highlighter {
    /// Colours what is new of a text. `budget` bounds the lines that are coloured now; the rest stays plain until the next
    /// time. The last line, which may still grow, is always plain.
    pub fn follow(&mut self, language: &str, text: &str, budget: usize) {
        if self.language != language || self.done > text.len() || !text.is_char_boundary(self.done) {
            *self = Self { language: language.to_owned(), state: begin(language), ..Self::default() };
        }
        let whole = text.rfind('\n').map_or(0, |at| at + 1);
        if self.done >= whole || text.len() > LIMIT {
            return;
        }
        for line in text[self.done..whole].split_inclusive('\n').take(budget) {
            let spans = match &mut self.state {
                Some((state, scopes)) => colour(state, scopes, line),
                None => vec![plain(line)],
            };
            self.lines.push(Arc::new(spans));
            self.done += line.len();
        }
    }

    /// The lines that are coloured, and the byte from which on the text is still plain.
    #[must_use]
    pub fn lines(&self) -> (&[Arc<Line>], usize) {
        (&self.lines, self.done)
    }
}

/// The coloured lines of a whole text, or `None` where it stays plain: for want of a grammar, or for its length.
#[must_use]
pub fn highlight(language: &str, text: &str) -> Option<Arc<Vec<Arc<Line>>>> {
    if text.len() > LIMIT {
        return None;
    }
    let (mut state, mut scopes) = begin(language)?;
    let lines = text.split_inclusive('\n').map(|line| Arc::new(colour(&mut state, &mut scopes, line)));
    let lines = Arc::new(lines.collect::<Vec<_>>());
    let mut kept = kept();
    if kept.len() == KEPT {
        kept.pop_front();
    }
    kept.push_back((language.to_owned(), text.to_owned(), Arc::clone(&lines)));
    Some(lines)
}

/// What [`highlight`] found for this text, if that is still known.
#[must_use]
pub fn known(language: &str, text: &str) -> Option<Arc<Vec<Arc<Line>>>> {
    let kept = kept();
    kept.iter().find(|(of, it, _)| it == text && of == language).map(|(_, _, lines)| Arc::clone(lines))
}

/// Whether there is a grammar for this language.
#[must_use]
pub fn knows(language: &str) -> bool {
    syntax(language).is_some()
}

type Kept = VecDeque<(String, String, Arc<Vec<Arc<Line>>>)>;

fn kept() -> std::sync::MutexGuard<'static, Kept> {
    static KEPT: Mutex<Kept> = Mutex::new(VecDeque::new());
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

fn set() -> &'static SyntaxSet {
    static SET: OnceLock<SyntaxSet> = OnceLock::new();
    SET.get_or_init(SyntaxSet::load_defaults_newlines)
}

fn syntax(language: &str) -> Option<&'static SyntaxReference> {
    if language.is_empty() || language.len() > 32 {
        return None;
    }
    let lower = language.to_ascii_lowercase();
    // What models write, where syntect has another name for it, or a grammar that is near enough.
    let name = match lower.as_str() {
        "typescript" | "ts" | "tsx" | "jsx" | "mjs" | "node" => "js",
        "shell" | "zsh" | "console" | "shell-session" | "sh-session" => "sh",
        "c++" | "cxx" => "cpp",
        "c#" | "csharp" => "cs",
        "golang" => "go",
        "py3" | "python3" => "py",
        "jsonc" | "json5" | "ndjson" => "json",
        "kotlin" | "kt" => "java",
        "text" | "plaintext" | "txt" | "plain" | "output" => return None,
        other => other,
    };
    set().find_syntax_by_token(name)
}

fn begin(language: &str) -> Option<(ParseState, ScopeStack)> {
    Some((ParseState::new(syntax(language)?), ScopeStack::new()))
}

fn plain(line: &str) -> Span {
    Span { token: Token::Plain, text: line.trim_end_matches('\n').to_owned() }
}

fn colour(state: &mut ParseState, scopes: &mut ScopeStack, line: &str) -> Line {
    if line.len() > LINE_LIMIT {
        return vec![plain(line)];
    }
    // A grammar that fails leaves its line plain.
    let Ok(changes) = state.parse_line(line, set()) else { return vec![plain(line)] };
    let mut spans: Line = Vec::new();
    let mut at = 0;
    let mut push = |text: &str, token: Token| {
        let text = text.trim_end_matches('\n');
        match spans.last_mut() {
            _ if text.is_empty() => {}
            Some(last) if last.token == token => last.text.push_str(text),
            _ => spans.push(Span { token, text: text.to_owned() }),
        }
    };
    for (to, change) in changes {
        push(line.get(at..to).unwrap_or_default(), token(scopes));
        at = to;
        if scopes.apply(&change).is_err() {
            break;
        }
    }
    push(line.get(at..).unwrap_or_default(), token(scopes));
    spans
}

/// The innermost scope that says what the text is.
fn token(scopes: &ScopeStack) -> Token {
    scopes.as_slice().iter().rev().find_map(|scope| named(*scope)).unwrap_or(Token::Plain)
}

/// TextMate's names for scopes, from the most particular.
fn named(scope: Scope) -> Option<Token> {
    static NAMES: OnceLock<Vec<(Scope, Token)>> = OnceLock::new();
    let names = NAMES.get_or_init(|| {
        [
            ("comment", Token::Comment),
            ("punctuation.definition.comment", Token::Comment),
            ("string", Token::String),
            ("punctuation.definition.string", Token::String),
            ("constant.character", Token::String),
            ("constant.numeric", Token::Number),
            ("constant", Token::Constant),
            ("support.constant", Token::Constant),
            ("variable.language", Token::Constant),
            ("keyword.operator", Token::Operator),
            ("keyword", Token::Keyword),
            ("storage.type.function", Token::Keyword),
            ("storage", Token::Keyword),
            ("entity.name.function", Token::Function),
            ("support.function", Token::Function),
            ("variable.function", Token::Function),
            ("meta.function-call.generic", Token::Function),
            ("entity.name.tag", Token::Keyword),
            ("entity.other.attribute-name", Token::Function),
            ("entity.name", Token::Type),
            ("entity.other.inherited-class", Token::Type),
            ("support.type", Token::Type),
            ("support.class", Token::Type),
            ("markup.inserted", Token::String),
            ("markup.deleted", Token::Keyword),
            ("markup.heading", Token::Keyword),
            ("meta.mapping.key", Token::Type),
        ]
        .into_iter()
        .filter_map(|(name, token)| Some((Scope::new(name).ok()?, token)))
        .collect()
    });
    // The longest name that fits is the most particular one.
    names
        .iter()
        .filter(|(name, _)| name.is_prefix_of(scope))
        .max_by_key(|(name, _)| name.len())
        .map(|(_, token)| *token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(lines: &[Arc<Line>]) -> String {
        let line = |line: &Arc<Line>| line.iter().map(|span| span.text.clone()).collect::<String>();
        lines.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn code_has_the_colours_of_what_it_is() {
        let lines = highlight("rust", "fn main() { // begin\n    let x = \"a\" + 42;\n}").unwrap();
        let of =
            |text: &str| lines.iter().flat_map(|it| it.iter()).find(|it| it.text.contains(text)).map(|it| it.token);
        assert_eq!(of("fn"), Some(Token::Keyword));
        assert_eq!(of("begin"), Some(Token::Comment));
        assert_eq!(of("\"a\""), Some(Token::String));
        assert_eq!(of("42"), Some(Token::Number));
        assert_eq!(of("main"), Some(Token::Function));
    }

    #[test]
    fn colours_change_no_character() {
        for language in ["rust", "python", "js", "tsx", "json", "html", "sh", "c++", "yaml", "sql"] {
            let text = "a < b && \"c\\\"d\" // x\n\n\t{ é: [1, 2] }\n<p onclick='x'>";
            let lines = highlight(language, text).unwrap();
            assert_eq!(shown(&lines), text, "{language}");
            assert_eq!(known(language, text), Some(lines));
        }
    }

    #[test]
    fn what_has_no_grammar_or_no_end_stays_plain() {
        assert!(highlight("klingon", "x").is_none() && !knows("text") && knows("Rust"));
        assert!(highlight("rust", &"x".repeat(LIMIT + 1)).is_none());
        let lines = highlight("js", &format!("let a = 1;\n{}\nlet b = 2;", "(".repeat(5_000))).unwrap();
        assert_eq!(lines[1].len(), 1);
    }

    #[test]
    fn lines_that_grow_are_coloured_once_and_as_in_the_whole() {
        let text = "fn a() {\n    /* one\n    two */\n    let b = 'c';\n}\n";
        let mut growing = Highlighter::default();
        for end in 0..=text.len() {
            growing.follow("rust", &text[..end], 8);
        }
        let whole = highlight("rust", text).unwrap();
        assert_eq!(growing.lines(), (&whole[..], text.len()));
        let mut slow = Highlighter::default();
        slow.follow("rust", text, 2);
        assert_eq!(slow.lines().0.len(), 2, "a budget is kept");
    }
}
