//! What people read instead of keys and values. The schema has no titles: most are made of the key, and those that would
//! read badly stand here. A key that this app does not know yet still has a title.

use butterfly_api::config::{KeyInfo, ValueKind};

/// Titles that the key's last part does not make.
const TITLES: &[(&str, &str)] = &[
    ("model.provider", "Provider"),
    ("model.url", "Server address"),
    ("model.name", "Model"),
    ("model.context_tokens", "Context"),
    ("model.keep_alive", "Keep loaded"),
    ("model.embedding", "Embedding model"),
    ("memory.enabled", "Remember"),
    ("memory.db_path", "Data folder"),
    ("memory.retention_days", "Delete after"),
    ("memory.summarise_at", "Sum up when this full"),
    ("memory.extract", "Take facts with a model"),
    ("memory.recall_tokens", "Recall budget"),
    ("memory.recall.weight_word", "Weight of words"),
    ("memory.recall.weight_meaning", "Weight of meaning"),
    ("memory.recall.weight_link", "Weight of links"),
    ("memory.recall.weight_recency", "Weight of recency"),
    ("memory.recall.weight_tag", "Weight of tags"),
    ("memory.recall.weight_neighbour", "Weight of neighbours"),
    ("log.level", "Log level"),
    ("desktop.accent", "Accent colour"),
    ("desktop.usage_footer", "Usage below answers"),
    ("desktop.on_close", "When the window closes"),
    ("desktop.keys", "Shortcuts"),
];

/// What choices are called.
const CHOICES: &[(&str, &str, &str)] = &[
    ("model.provider", "ollama", "Ollama"),
    ("model.provider", "openai", "OpenAI-compatible"),
    ("model.provider", "builtin", "Built-in responder"),
    ("desktop.theme", "system", "As the system"),
    ("desktop.on_close", "stop_started", "Stop what it started"),
    ("desktop.on_close", "keep_running", "Keep running"),
];

/// A key's title.
#[must_use]
pub fn of(key: &str) -> String {
    match TITLES.iter().find(|(other, _)| *other == key) {
        Some((_, title)) => (*title).to_owned(),
        None => words(key.rsplit('.').next().unwrap_or(key)),
    }
}

/// A choice's title.
#[must_use]
pub fn choice(key: &str, value: &str) -> String {
    match CHOICES.iter().find(|(other, choice, _)| *other == key && *choice == value) {
        Some((_, _, title)) => (*title).to_owned(),
        None => words(value),
    }
}

/// A value as it stands in a sentence.
#[must_use]
pub fn value(info: &KeyInfo, value: &str) -> String {
    match &info.kind {
        ValueKind::Bool => if value == "true" { "on" } else { "off" }.to_owned(),
        ValueKind::Choice { .. } => choice(&info.key, value),
        ValueKind::Integer { unit, .. } if unit == "percent" => format!("{value} %"),
        ValueKind::Integer { unit, .. } if !unit.is_empty() => format!("{value} {unit}"),
        ValueKind::Integer { .. } | ValueKind::Number { .. } => value.to_owned(),
        ValueKind::Text { .. } | ValueKind::Url | ValueKind::Path if value.is_empty() => "not set".to_owned(),
        ValueKind::Text { .. } | ValueKind::Url | ValueKind::Path => value.to_owned(),
    }
}

/// `text_size` as "Text size".
fn words(name: &str) -> String {
    let name = name.replace('_', " ");
    let mut rest = name.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_not_known_yet_has_a_title_too() {
        assert_eq!(of("desktop.text_size"), "Text size");
        assert_eq!(of("memory.db_path"), "Data folder");
        assert_eq!(of("tools.new_thing"), "New thing");
        assert_eq!(choice("log.level", "trace"), "Trace");
        assert_eq!(choice("desktop.theme", "system"), "As the system");
        assert_eq!(of(""), "");
    }
}
