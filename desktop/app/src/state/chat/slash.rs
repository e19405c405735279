//! What can be typed instead of a message, and its completion.

/// A command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slash {
    /// Choose a model, or use this one.
    Model(Option<String>),
    New,
    /// Note something for good.
    Remember(String),
    /// Find what is to be deleted.
    Forget(String),
    /// Find words in all conversations.
    Search(String),
    /// Write the conversation down; `true`: as JSON.
    Export(bool),
    /// Choose a settings profile, or use this one; `none` uses none.
    Profile(Option<String>),
    Help,
    /// One that says nothing without an argument; how it is used.
    Incomplete(&'static str),
    Unknown(String),
}

/// A command as it is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// With its slash.
    pub word: &'static str,
    /// What follows it, such as `TEXT`; empty: nothing.
    pub argument: &'static str,
    pub help: &'static str,
}

/// All of them, in the order of `/help`.
pub const OFFERS: [Offer; 8] = [
    Offer { word: "/model", argument: "[NAME]", help: "Choose the model that answers" },
    Offer { word: "/new", argument: "", help: "Begin a new conversation" },
    Offer { word: "/remember", argument: "TEXT", help: "Note something for good" },
    Offer { word: "/forget", argument: "WORDS", help: "Delete what was said or noted; shows what would go" },
    Offer { word: "/search", argument: "WORDS", help: "Find words in all conversations" },
    Offer { word: "/export", argument: "[json]", help: "Write this conversation to a file" },
    Offer { word: "/profile", argument: "[NAME]", help: "Choose the settings that this conversation uses" },
    Offer { word: "/help", argument: "", help: "Show commands and keys" },
];

impl Slash {
    /// The command that a text is; `None` for a message. A command begins the text and is a word of letters, so that a
    /// path is a message.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
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
            "model" => Self::Model(argument),
            "new" => Self::New,
            "remember" => with("Write what is to be noted behind it: /remember TEXT", Self::Remember),
            "forget" => with("Write what it is about behind it: /forget WORDS", Self::Forget),
            "search" => with("Write what to look for behind it: /search WORDS", Self::Search),
            "export" => Self::Export(rest.eq_ignore_ascii_case("json")),
            "profile" => Self::Profile(argument),
            "help" => Self::Help,
            _ => Self::Unknown(word.to_owned()),
        })
    }
}

/// One line of the completion: what it shows, and the text that it makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    pub label: String,
    pub help: String,
    /// What the composer's text becomes.
    pub text: String,
    /// Whether that is a whole command, which can be run at once.
    pub whole: bool,
}

/// What a text that begins with a slash may become; empty where there is nothing to complete.
#[must_use]
pub fn complete(text: &str, models: &[String], profiles: &[String]) -> Vec<Completion> {
    if !text.starts_with('/') || text.contains('\n') {
        return Vec::new();
    }
    let Some((word, typed)) = text.split_once(' ') else {
        let begun = OFFERS.iter().filter(|offer| offer.word.starts_with(text));
        return begun
            .map(|offer| Completion {
                label: if offer.argument.is_empty() {
                    offer.word.into()
                } else {
                    format!("{} {}", offer.word, offer.argument)
                },
                help: offer.help.into(),
                text: if offer.argument.is_empty() { offer.word.into() } else { format!("{} ", offer.word) },
                whole: !matches!(offer.word, "/remember" | "/forget" | "/search"),
            })
            .collect();
    };
    let names: Vec<String> = match word {
        "/model" => models.to_vec(),
        "/profile" => profiles.iter().cloned().chain(["none".to_owned()]).collect(),
        "/export" => vec!["markdown".into(), "json".into()],
        _ => return Vec::new(),
    };
    let typed = typed.trim().to_lowercase();
    let fitting = names.into_iter().filter(|name| name.to_lowercase().contains(&typed));
    fitting
        .map(|name| Completion { text: format!("{word} {name}"), label: name, help: String::new(), whole: true })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_words_at_the_start() {
        assert_eq!(Slash::parse("/help"), Some(Slash::Help));
        assert_eq!(Slash::parse("/model  qwen3:8b "), Some(Slash::Model(Some("qwen3:8b".into()))));
        assert_eq!(Slash::parse("/export JSON"), Some(Slash::Export(true)));
        assert_eq!(Slash::parse("/quti"), Some(Slash::Unknown("/quti".into())));
        assert!(matches!(Slash::parse("/remember "), Some(Slash::Incomplete(_))));
        for message in ["hello", " /help", "/etc/passwd is what?", "/", "// comment", "", "2/3"] {
            assert_eq!(Slash::parse(message), None, "{message}");
        }
    }

    #[test]
    fn every_offer_is_a_command() {
        for offer in OFFERS {
            let command = Slash::parse(&format!("{} x", offer.word));
            assert!(!matches!(command, None | Some(Slash::Unknown(_) | Slash::Incomplete(_))), "{}", offer.word);
        }
    }

    #[test]
    fn a_slash_offers_all_and_letters_narrow_it_down() {
        let labels = |text: &str| -> Vec<String> {
            complete(text, &["qwen3:8b".into(), "llama3".into()], &["work".into()])
                .into_iter()
                .map(|it| it.text)
                .collect()
        };
        assert_eq!(labels("/").len(), OFFERS.len());
        assert_eq!(labels("/mo"), ["/model "]);
        assert_eq!(labels("/model ll"), ["/model llama3"]);
        assert_eq!(labels("/profile "), ["/profile work", "/profile none"]);
        assert_eq!(labels("/remember me"), [""; 0]);
        assert_eq!(labels("hello"), [""; 0]);
        assert_eq!(labels("/model\nx"), [""; 0]);
    }
}
