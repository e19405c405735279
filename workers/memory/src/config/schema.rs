//! Every setting there is: one row a key. What it takes, what it does, who hears of it.
//!
//! `docs/configuration.md` and `butterfly config list` show this table; no other place knows a default or a range.
//! Secrets are never settings: they live in the vault.

use butterfly_api::config::{KeyInfo, ValueKind};

/// Before an override's name in the environment.
pub const PREFIX: &str = "BUTTERFLY_";

/// Where the data folder is. Setting it moves the folder; the database does not hold it.
pub const DATA_FOLDER: &str = "memory.db_path";

/// What a value may be. See [`ValueKind`], which goes to clients.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Flag,
    /// Both bounds are allowed.
    Integer {
        min: i64,
        max: i64,
        unit: &'static str,
    },
    /// Both bounds are allowed.
    Number {
        min: f64,
        max: f64,
    },
    Text {
        max_bytes: u32,
        form: Form,
    },
    Choice(&'static [&'static str]),
    /// Empty: the provider's usual address.
    Url,
    Path,
}

impl Kind {
    /// As clients know it, and check it by before they ask.
    #[must_use]
    pub fn for_clients(self) -> ValueKind {
        match self {
            Self::Flag => ValueKind::Bool,
            Self::Integer { min, max, unit } => ValueKind::Integer { min, max, unit: unit.to_owned() },
            Self::Number { min, max } => ValueKind::Number { min, max },
            Self::Text { max_bytes, form: Form::ModelName | Form::KeepAlive | Form::Shortcuts } => {
                ValueKind::Text { max_bytes, optional: true }
            }
            Self::Choice(values) => {
                ValueKind::Choice { values: values.iter().map(|value| (*value).to_owned()).collect() }
            }
            Self::Url => ValueKind::Url,
            Self::Path => ValueKind::Path,
        }
    }
}

/// What a text must look like beside its length. All of them may be empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A model's name as its server knows it: no blanks.
    ModelName,
    /// A time as Ollama takes it: `10m`, `0`, `-1`.
    KeepAlive,
    /// `action=chord` pairs with blanks between them, such as `chat.new=Ctrl+N`; nothing after `=` takes the key away.
    Shortcuts,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    pub key: &'static str,
    pub group: &'static str,
    pub kind: Kind,
    pub default: &'static str,
    pub help: &'static str,
    /// The override without [`PREFIX`]; `None` where the environment has no say.
    pub env: Option<&'static str>,
    /// Restarted where its confinement changes with the value.
    pub restarts: Option<&'static str>,
    pub in_profiles: bool,
}

/// The longest name of a model; a registry path with a tag stays far below.
const MODEL_NAME_BYTES: u32 = 256;

/// A weight beyond this drowns all others, which setting those to 0 says more clearly.
const WEIGHT: Kind = Kind::Number { min: 0.0, max: 10.0 };

/// Each of some hundred actions with a chord of its own.
const SHORTCUT_BYTES: u32 = 4096;

const MODEL_NAME: Kind = Kind::Text { max_bytes: MODEL_NAME_BYTES, form: Form::ModelName };

/// A row with what most rows have.
const fn key(key: &'static str, group: &'static str, kind: Kind, default: &'static str) -> Key {
    Key { key, group, kind, default, help: "", env: None, restarts: None, in_profiles: false }
}

impl Key {
    const fn help(self, help: &'static str) -> Self {
        Self { help, ..self }
    }

    const fn env(self, name: &'static str) -> Self {
        Self { env: Some(name), ..self }
    }

    const fn restarts(self, worker: &'static str) -> Self {
        Self { restarts: Some(worker), ..self }
    }

    const fn in_profiles(self) -> Self {
        Self { in_profiles: true, ..self }
    }

    /// What clients are told of it.
    #[must_use]
    pub fn info(&self) -> KeyInfo {
        KeyInfo {
            key: self.key.to_owned(),
            group: self.group.to_owned(),
            kind: self.kind.for_clients(),
            default: self.default.to_owned(),
            help: self.help.to_owned(),
            env: self.env.map(|name| format!("{PREFIX}{name}")).unwrap_or_default(),
            restarts: self.restarts.map(str::to_owned),
            in_profiles: self.in_profiles,
        }
    }
}

/// All of them, in the order in which people see them. Names of overrides avoid the words that the kernel takes for
/// secrets (`KEY`, `TOKEN` …); a test holds them to it.
pub const KEYS: &[Key] = &[
    key("model.provider", "Model", Kind::Choice(&["ollama", "openai", "builtin"]), "ollama")
        .help("Who answers: Ollama, any server with an OpenAI-compatible /v1, or the built-in responder, which needs no model.")
        .env("MODEL_PROVIDER")
        .restarts("model"),
    key("model.url", "Model", Kind::Url, "")
        .help("The server's address. Empty: http://127.0.0.1:11434 for ollama, http://127.0.0.1:1234/v1 for openai.")
        .env("MODEL_URL")
        .restarts("model"),
    key("model.name", "Model", MODEL_NAME, "")
        .help("The model that answers where none is named. Empty: chosen from what is installed.")
        .env("MODEL")
        .in_profiles(),
    // 1 Mi tokens is more than any model on a person's own computer can hold.
    key("model.context_tokens", "Model", Kind::Integer { min: 0, max: 1 << 20, unit: "tokens" }, "0")
        .help("The context that is asked for. 0: as much as the conversation needs, within what the model can.")
        .env("MODEL_CONTEXT")
        .in_profiles(),
    key("model.keep_alive", "Model", Kind::Text { max_bytes: 16, form: Form::KeepAlive }, "")
        .help("How long Ollama keeps a model loaded, such as 10m, 0 or -1 (for ever). Empty: as the server is set.")
        .env("MODEL_KEEP_ALIVE")
        .in_profiles(),
    key("model.embedding", "Model", MODEL_NAME, "")
        .help("The model that makes the vectors for search by meaning. Empty: the smallest that can. Another one makes all vectors anew, in the background.")
        .env("MODEL_EMBEDDING"),
    key("memory.enabled", "Memory", Kind::Flag, "true")
        .help("Whether earlier conversations are drawn on. If not, transcripts are still kept, but nothing is recalled, embedded or extracted.")
        .env("MEMORY_ENABLED")
        .in_profiles(),
    key(DATA_FOLDER, "Memory", Kind::Path, "")
        .help("The folder that holds everything that is remembered. Setting it moves the folder there."),
    // A hundred years.
    key("memory.retention_days", "Memory", Kind::Integer { min: 0, max: 36_500, unit: "days" }, "0")
        .help("What was said longer ago than this is deleted. 0: nothing is.")
        .env("MEMORY_RETENTION_DAYS"),
    key("memory.summary_model", "Memory", MODEL_NAME, "")
        .help("The model that writes summaries and takes facts from what was said. Empty: the one that answers.")
        .env("MEMORY_SUMMARY_MODEL"),
    // Below a fifth a summary is longer than what it sums up; above 95 % no room is left for the answer.
    key("memory.summarise_at", "Memory", Kind::Number { min: 0.2, max: 0.95 }, "0.75")
        .help("How full of a conversation's turns the model's context may be, as a share, before the oldest are summed up.")
        .env("MEMORY_SUMMARISE_AT")
        .in_profiles(),
    key("memory.extract", "Memory", Kind::Flag, "true")
        .help("Whether a model takes facts and links from what was said. If not, only what is sure without a model is taken.")
        .env("MEMORY_EXTRACT"),
    key("memory.recall_tokens", "Recall", Kind::Integer { min: 0, max: 32_768, unit: "tokens" }, "1024")
        .help("How much of a prompt may be taken by what was recalled. 0: nothing is recalled.")
        .env("MEMORY_RECALL_BUDGET")
        .in_profiles(),
    key("memory.recall.weight_word", "Recall", WEIGHT, "0.5")
        .help("What it counts that a passage has words of the question (bm25, normalised).")
        .env("MEMORY_RECALL_WEIGHT_WORD")
        .in_profiles(),
    key("memory.recall.weight_meaning", "Recall", WEIGHT, "0.5")
        .help("What it counts that a passage means something similar (cosine of the vectors, normalised).")
        .env("MEMORY_RECALL_WEIGHT_MEANING")
        .in_profiles(),
    key("memory.recall.weight_link", "Recall", WEIGHT, "0.5")
        .help("What it counts that a fact about something that the question names leads to a passage.")
        .env("MEMORY_RECALL_WEIGHT_LINK")
        .in_profiles(),
    key("memory.recall.weight_recency", "Recall", WEIGHT, "0.05")
        .help("What it counts that something was said lately.")
        .env("MEMORY_RECALL_WEIGHT_RECENCY")
        .in_profiles(),
    key("memory.recall.weight_tag", "Recall", WEIGHT, "0.25")
        .help("What it counts that the question names a passage's tag, its speaker or its day.")
        .env("MEMORY_RECALL_WEIGHT_TAG")
        .in_profiles(),
    key("memory.recall.weight_neighbour", "Recall", WEIGHT, "0.25")
        .help("What it counts that a passage was said just before or after one that matched: a share of that one's score.")
        .env("MEMORY_RECALL_WEIGHT_NEIGHBOUR")
        .in_profiles(),
    key("log.level", "Logs", Kind::Choice(&["error", "warn", "info", "debug", "trace"]), "info")
        .help("How much the workers write into their logs.")
        .env("LOG"),
    key("desktop.theme", "Desktop", Kind::Choice(&["system", "light", "dark"]), "system")
        .help("Whether the app is light or dark. system: as the desktop around it.")
        .env("DESKTOP_THEME"),
    key(
        "desktop.accent",
        "Desktop",
        Kind::Choice(&["violet", "blue", "teal", "green", "amber", "rose", "graphite"]),
        "violet",
    )
    .help("The colour of what can be pressed and of what is chosen.")
    .env("DESKTOP_ACCENT"),
    // Below four fifths text is too small to read, and beyond 160 % a small window has no room for two columns.
    key("desktop.text_size", "Desktop", Kind::Integer { min: 80, max: 160, unit: "percent" }, "100")
        .help("How large text and controls of the app are.")
        .env("DESKTOP_TEXT_SIZE"),
    key("desktop.reduced_motion", "Desktop", Kind::Flag, "false")
        .help("Nothing in the app moves or fades. What the desktop around it asks for is followed in any case.")
        .env("DESKTOP_REDUCED_MOTION"),
    key("desktop.usage_footer", "Desktop", Kind::Flag, "true")
        .help("Whether each answer says which model gave it, with tokens, speed and time to the first word.")
        .env("DESKTOP_USAGE_FOOTER"),
    key("desktop.notifications", "Desktop", Kind::Flag, "true")
        .help("Whether the system shows a notification when an answer is ready and the window is not looked at.")
        .env("DESKTOP_NOTIFICATIONS"),
    key("desktop.on_close", "Desktop", Kind::Choice(&["stop_started", "keep_running"]), "stop_started")
        .help("What closing the window does: stop_started ends the assistant if this window started it, keep_running leaves it there.")
        .env("DESKTOP_ON_CLOSE"),
    key("desktop.keys", "Desktop", Kind::Text { max_bytes: SHORTCUT_BYTES, form: Form::Shortcuts }, "")
        .help("Shortcuts other than the usual ones, such as chat.new=Ctrl+N; the page of shortcuts in the app writes them.")
        .env("DESKTOP_SHORTCUTS"),
];

/// The row of a key.
#[must_use]
pub fn find(key: &str) -> Option<&'static Key> {
    KEYS.iter().find(|row| row.key == key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::check;
    use std::collections::HashSet;

    #[test]
    fn keys_and_overrides_are_named_once() {
        let keys: HashSet<_> = KEYS.iter().map(|row| row.key).collect();
        assert_eq!(keys.len(), KEYS.len());
        let overrides: Vec<_> = KEYS.iter().filter_map(|row| row.env).collect();
        assert_eq!(overrides.iter().collect::<HashSet<_>>().len(), overrides.len());
    }

    #[test]
    fn every_row_explains_itself_and_its_default_is_allowed() {
        for row in KEYS {
            assert!(row.help.len() > 20 && row.help.ends_with('.'), "{} lacks its help", row.key);
            assert!(!row.group.is_empty(), "{} lacks its group", row.key);
            assert!(row.key.split('.').count() >= 2 && row.key == row.key.to_lowercase(), "{}", row.key);
            // Where the data folder is, only the store knows.
            if row.key != DATA_FOLDER {
                assert_eq!(check::value(row, row.default).as_deref(), Ok(row.default), "{}", row.key);
                assert!(row.env.is_some(), "{} has no override", row.key);
            }
        }
    }

    #[test]
    fn no_override_is_named_like_a_secret() {
        // The words by which the kernel drops a variable unread.
        for word in ["KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL"] {
            for name in KEYS.iter().filter_map(|row| row.env) {
                assert!(!name.contains(word), "{name} would be ignored");
            }
        }
    }

    #[test]
    fn weights_are_those_that_were_found_best() {
        let best = butterfly_recall::fusion::Weights::default();
        for (name, weight) in [
            ("word", best.word),
            ("meaning", best.meaning),
            ("link", best.link),
            ("recency", best.recency),
            ("tag", best.tag),
            ("neighbour", best.neighbour),
        ] {
            let row = find(&format!("memory.recall.weight_{name}")).unwrap();
            assert_eq!(row.default.parse::<f32>(), Ok(weight), "{name}");
        }
    }

    #[test]
    fn groups_are_not_torn_apart() {
        let mut groups: Vec<_> = KEYS.iter().map(|row| row.group).collect();
        groups.dedup();
        assert_eq!(groups.iter().collect::<HashSet<_>>().len(), groups.len(), "{groups:?}");
    }

    #[test]
    fn what_changes_confinement_is_in_no_profile() {
        // A worker has one confinement, whatever conversation it serves.
        assert!(KEYS.iter().all(|row| row.restarts.is_none() || !row.in_profiles));
    }

    /// The table of the page.
    fn table() -> String {
        let code = |text: &str| if text.is_empty() { "–".to_owned() } else { format!("`{text}`") };
        let mut lines = vec![
            "| setting | what it does | takes | default | override | profiles |".to_owned(),
            "|---|---|---|---|---|---|".to_owned(),
        ];
        for row in KEYS {
            let allowed = check::allowed(row);
            let takes =
                allowed.strip_prefix("use ").or_else(|| allowed.strip_prefix("write it as ")).unwrap_or(&allowed);
            let name = row.env.map(|name| format!("{PREFIX}{name}")).unwrap_or_default();
            let profiles = if row.in_profiles { "yes" } else { "no" };
            let (key, default, name) = (code(row.key), code(row.default), code(&name));
            lines.push(format!("| {key} | {} | {takes} | {default} | {name} | {profiles} |", row.help));
        }
        lines.join("\n")
    }

    /// With `UPDATE_PAGES` in the environment it is written anew.
    #[test]
    fn the_page_lists_every_setting() {
        let (begin, end) = ("<!-- settings -->\n", "\n<!-- end of settings -->");
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
        let page = std::fs::read_to_string(path).unwrap();
        let (before, rest) = page.split_once(begin).unwrap();
        let (seen, after) = rest.split_once(end).or_else(|| Some(("", rest.strip_prefix(end.trim_start())?))).unwrap();
        if std::env::var_os("UPDATE_PAGES").is_some() {
            std::fs::write(path, format!("{before}{begin}{}{end}{after}", table())).unwrap();
            return;
        }
        assert!(
            seen == table(),
            "docs/configuration.md is not what the schema says: run this test with UPDATE_PAGES=1"
        );
    }
}
