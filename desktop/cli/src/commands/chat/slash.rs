//! What can be typed instead of a message.

/// A command of the interactive chat.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Slash {
    Help,
    /// Show the models, or use one.
    Model(Option<String>),
    Stop,
    New,
    Quit,
    Unknown(String),
}

/// Names and what they do, in the order of `/help`.
pub const COMMANDS: [(&str, &str); 5] = [
    ("/help", "show these commands"),
    ("/model [NAME]", "show the models, or answer with one from now on"),
    ("/stop", "stop an answer that runs in this conversation"),
    ("/new", "begin a new conversation"),
    ("/quit", "leave; the assistant stays ready"),
];

impl Slash {
    /// The command that a line is; `None` for a message. A command begins the line and is a word of letters, so that a
    /// path is a message.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let word = words.next()?;
        let name = word.strip_prefix('/').filter(|_| line.starts_with('/'))?;
        if name.is_empty() || !name.chars().all(|character| character.is_ascii_alphabetic()) {
            return None;
        }
        let argument = words.next().map(str::to_owned);
        Some(match name {
            "help" => Self::Help,
            "model" => Self::Model(argument),
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
        assert_eq!(Slash::parse("/quti"), Some(Slash::Unknown("/quti".into())));
        for message in ["hello", " /help", "/etc/passwd is what?", "/", "// comment", "", "2/3"] {
            assert_eq!(Slash::parse(message), None, "{message}");
        }
    }

    #[test]
    fn every_listed_command_is_one() {
        for (usage, _) in COMMANDS {
            let command = Slash::parse(usage);
            assert!(!matches!(command, None | Some(Slash::Unknown(_))), "{usage}");
        }
    }
}
