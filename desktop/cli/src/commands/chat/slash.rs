//! What can be typed instead of a message.

/// A command of the interactive chat.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Slash {
    Help,
    /// Note something.
    Remember(String),
    /// Delete what has this number, or what a search for it finds.
    Forget(String),
    /// Find what was said or noted.
    Search(String),
    /// Show what was said in this conversation.
    History,
    /// Say the last message differently: with this text, or edited.
    Edit(Option<String>),
    /// Answer the last message once more.
    Retry,
    /// Show the models, or use one.
    Model(Option<String>),
    Stop,
    New,
    Quit,
    /// A command that says nothing without an argument; how it is used.
    Incomplete(&'static str),
    Unknown(String),
}

/// Usages and what they do, in the order of `/help`.
pub const COMMANDS: [(&str, &str); 12] = [
    ("/help", "show these commands"),
    ("/remember TEXT", "note something for good"),
    ("/search QUERY", "find what was said or noted"),
    ("/forget QUERY", "delete what was said or noted, by words or number; shows what would go and asks"),
    ("/history", "show what was said in this conversation"),
    ("/edit [TEXT]", "say the last message differently; what was said stays beside it"),
    ("/retry", "have the last message answered again; the earlier answer stays beside it"),
    ("/model [NAME]", "show the models, or answer with one from now on"),
    ("/stop", "stop an answer that runs in this conversation"),
    ("/new", "begin a new conversation"),
    ("/quit", "leave; the assistant stays ready"),
    ("/exit", "the same"),
];

impl Slash {
    /// The command that a line is; `None` for a message. A command begins the line and is a word of letters, so that a
    /// path is a message.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let name = word.strip_prefix('/')?;
        if name.is_empty() || !name.chars().all(|character| character.is_ascii_alphabetic()) {
            return None;
        }
        let rest = rest.trim();
        let argument = (!rest.is_empty()).then(|| rest.to_owned());
        let with = |usage: &'static str, command: fn(String) -> Self| match argument.clone() {
            Some(argument) => command(argument),
            None => Self::Incomplete(usage),
        };
        Some(match name {
            "help" => Self::Help,
            "remember" => with("/remember TEXT", Self::Remember),
            "search" => with("/search QUERY", Self::Search),
            "forget" => with("/forget QUERY, or the number of what was found", Self::Forget),
            "history" => Self::History,
            "edit" => Self::Edit(argument),
            "retry" => Self::Retry,
            "model" => Self::Model(argument.and_then(|names| names.split_whitespace().next().map(str::to_owned))),
            "stop" => Self::Stop,
            "new" => Self::New,
            "quit" | "exit" => Self::Quit,
            _ => Self::Unknown(word.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_words_at_the_start_of_the_line() {
        assert_eq!(Slash::parse("/help"), Some(Slash::Help));
        assert_eq!(Slash::parse("/model"), Some(Slash::Model(None)));
        assert_eq!(Slash::parse("/model  qwen3:8b "), Some(Slash::Model(Some("qwen3:8b".into()))));
        assert_eq!(Slash::parse("/remember  I like tea. "), Some(Slash::Remember("I like tea.".into())));
        assert_eq!(Slash::parse("/forget"), Some(Slash::Incomplete("/forget QUERY, or the number of what was found")));
        assert_eq!(Slash::parse("/edit"), Some(Slash::Edit(None)));
        assert_eq!(Slash::parse("/edit two\nlines"), Some(Slash::Edit(Some("two\nlines".into()))));
        assert_eq!(Slash::parse("/quti"), Some(Slash::Unknown("/quti".into())));
        for message in ["hello", " /help", "/etc/passwd is what?", "/", "// comment", "", "2/3"] {
            assert_eq!(Slash::parse(message), None, "{message}");
        }
    }

    #[test]
    fn every_listed_command_is_one() {
        for (usage, _) in COMMANDS {
            let command = Slash::parse(usage);
            assert!(!matches!(command, None | Some(Slash::Unknown(_) | Slash::Incomplete(_))), "{usage}");
        }
    }
}
