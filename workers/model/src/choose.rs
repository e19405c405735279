//! Which model answers when nobody named one. Pure.

use butterfly_api::model::ModelInfo;

/// Parts of names that embedding models carry, for servers that do not say what a model can do.
const EMBEDDING_NAMES: [&str; 7] = ["embed", "minilm", "bge-", "gte-", "e5-", "arctic", "paraphrase"];

/// Whether a model can hold a conversation.
#[must_use]
pub fn can_chat(model: &ModelInfo) -> bool {
    if model.capabilities.is_empty() {
        return !looks_like_embedding(&model.name);
    }
    model.capabilities.iter().any(|capability| capability == "completion")
}

/// Whether a model makes vectors.
#[must_use]
pub fn can_embed(model: &ModelInfo) -> bool {
    if model.capabilities.is_empty() {
        return looks_like_embedding(&model.name);
    }
    model.capabilities.iter().any(|capability| capability == "embedding")
}

/// Whether the model runs on somebody else's computer. Such a one answers only when it was named.
#[must_use]
pub fn is_remote(model: &ModelInfo) -> bool {
    model.name.ends_with("-cloud") || model.name.ends_with(":cloud") || model.capabilities.iter().any(|c| c == "remote")
}

/// The model for a conversation, and why, as the end of a sentence. Of those that can chat and run on this machine:
/// gpt-oss, else the one that is loaded now, else the one that was installed last; by name where that says nothing.
#[must_use]
pub fn for_chat<'a>(installed: &'a [ModelInfo], loaded: &[String]) -> Option<(&'a ModelInfo, &'static str)> {
    let candidates: Vec<_> = installed.iter().filter(|model| can_chat(model) && !is_remote(model)).collect();
    let preset = candidates.iter().filter(|model| family(&model.name) == "gpt-oss");
    // Of two sizes the smaller: the larger needs a server's memory.
    if let Some(model) = preset.min_by_key(|model| (model.size_bytes, &model.name)) {
        return Some((model, "the model that ButterFly Bot prefers"));
    }
    if let Some(model) = loaded.iter().find_map(|name| candidates.iter().find(|model| same(&model.name, name))) {
        return Some((model, "the model that is loaded already"));
    }
    let newest = candidates.iter().max_by_key(|model| (model.modified_unix_ms, std::cmp::Reverse(&model.name)))?;
    Some((newest, if candidates.len() == 1 { "the only chat model there is" } else { "the chat model installed last" }))
}

/// The model for embeddings: the smallest, because it runs beside a chat model.
#[must_use]
pub fn for_embedding(installed: &[ModelInfo]) -> Option<&ModelInfo> {
    let candidates = installed.iter().filter(|model| can_embed(model) && !is_remote(model));
    candidates.min_by_key(|model| (model.size_bytes, &model.name))
}

/// Whether two names mean one model: Ollama adds `:latest` where there is no tag.
#[must_use]
pub fn same(one: &str, other: &str) -> bool {
    with_tag(one) == with_tag(other)
}

/// A name without registry and tag: `gpt-oss` of `library/gpt-oss:20b`.
#[must_use]
pub fn family(name: &str) -> &str {
    let last = name.rsplit('/').next().unwrap_or(name);
    last.split(':').next().unwrap_or(last)
}

fn with_tag(name: &str) -> (&str, &str) {
    let folder = name.rfind('/').map_or(0, |at| at + 1);
    match name[folder..].find(':') {
        Some(at) => (&name[..folder + at], &name[folder + at + 1..]),
        None => (name, "latest"),
    }
}

fn looks_like_embedding(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    EMBEDDING_NAMES.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(name: &str, capabilities: &[&str], modified_unix_ms: u64) -> ModelInfo {
        ModelInfo {
            name: name.to_owned(),
            size_bytes: 1,
            parameters: String::new(),
            quantization: String::new(),
            capabilities: capabilities.iter().map(|text| (*text).to_owned()).collect(),
            context_tokens: 0,
            modified_unix_ms,
        }
    }

    fn chosen(installed: &[ModelInfo], loaded: &[&str]) -> Option<String> {
        let loaded: Vec<String> = loaded.iter().map(|name| (*name).to_owned()).collect();
        for_chat(installed, &loaded).map(|(model, _)| model.name.clone())
    }

    #[test]
    fn the_table_of_choices() {
        let chat = ["completion", "tools"];
        let old = model("llama3.2:3b", &chat, 1);
        let new = model("qwen3:8b", &chat, 2);
        let oss = model("gpt-oss:20b", &chat, 0);
        let vectors = model("all-minilm:latest", &["embedding"], 9);
        let cloud = model("gpt-oss:120b-cloud", &chat, 9);
        let far = model("big:latest", &["completion", "remote"], 9);
        let mute = model("nomic-embed-text-v1.5", &[], 9);
        let plain = model("mistral-7b", &[], 3);

        assert_eq!(chosen(&[], &[]), None);
        assert_eq!(chosen(&[vectors.clone(), mute.clone()], &[]), None, "embedding models do not chat");
        assert_eq!(chosen(&[cloud.clone(), far.clone()], &[]), None, "what is said must not leave the machine unasked");
        assert_eq!(chosen(&[old.clone(), new.clone(), vectors.clone()], &[]).unwrap(), "qwen3:8b");
        assert_eq!(chosen(&[old.clone(), new.clone()], &["llama3.2:3b"]).unwrap(), "llama3.2:3b");
        assert_eq!(chosen(&[old.clone(), new.clone()], &["all-minilm"]).unwrap(), "qwen3:8b");
        assert_eq!(chosen(&[old.clone(), oss, new, cloud], &["llama3.2:3b"]).unwrap(), "gpt-oss:20b");
        assert_eq!(chosen(&[mute.clone(), plain], &[]).unwrap(), "mistral-7b");

        assert_eq!(for_embedding(&[old, vectors]).unwrap().name, "all-minilm:latest");
        assert_eq!(for_embedding(&[mute]).unwrap().name, "nomic-embed-text-v1.5");
    }

    #[test]
    fn a_name_without_a_tag_is_its_latest() {
        assert!(same("qwen3", "qwen3:latest"));
        assert!(!same("qwen3", "qwen3:8b"));
        assert!(same("host:5000/me/m", "host:5000/me/m:latest"));
        assert_eq!(family("hf.co/unsloth/gpt-oss:20b"), "gpt-oss");
    }
}
