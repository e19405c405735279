//! The models on the server's disk, in its memory, and on their way to it.

use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Bytes of the layers of every model that is pulled.
pub(super) const LAYERS: [u64; 3] = [4_000_000, 12_000, 500];

/// Bytes between two reports of a pull.
pub(super) const REPORT_BYTES: u64 = 1_000_000;

/// A model on the disk.
#[derive(Debug, Clone)]
pub struct Installed {
    pub name: String,
    pub family: String,
    pub capabilities: Vec<String>,
    /// Its own limit, in tokens.
    pub context: u32,
    pub size: u64,
    pub modified: SystemTime,
    /// Runs on somebody else's computer.
    pub remote: bool,
}

impl Installed {
    /// A model that chats and uses tools.
    #[must_use]
    pub fn chat(name: &str) -> Self {
        Self::new(name, &["completion", "tools"])
    }

    /// A model that makes vectors.
    #[must_use]
    pub fn embedding(name: &str) -> Self {
        Self { size: 45_000_000, context: 512, ..Self::new(name, &["embedding"]) }
    }

    #[must_use]
    pub fn new(name: &str, capabilities: &[&str]) -> Self {
        let last = name.rsplit('/').next().unwrap_or(name);
        Self {
            name: if last.contains(':') { name.to_owned() } else { format!("{name}:latest") },
            family: last.split(':').next().unwrap_or(last).replace('-', ""),
            capabilities: capabilities.iter().map(|text| (*text).to_owned()).collect(),
            context: 32_768,
            size: 5_000_000_000,
            modified: UNIX_EPOCH + Duration::from_secs(1_700_000_000),
            remote: false,
        }
    }

    /// Changed so many seconds later than others.
    #[must_use]
    pub fn newer_by(mut self, seconds: u64) -> Self {
        self.modified += Duration::from_secs(seconds);
        self
    }

    #[must_use]
    pub fn with_context(self, context: u32) -> Self {
        Self { context, ..self }
    }

    fn details(&self) -> Value {
        json!({
            "parent_model": "", "format": "gguf", "family": self.family, "families": [self.family],
            "parameter_size": "8.2B", "quantization_level": "Q4_K_M",
        })
    }
}

#[derive(Default)]
pub(super) struct Library {
    installed: BTreeMap<String, Installed>,
    /// Context by name.
    loaded: BTreeMap<String, u32>,
    /// Bytes that have come, by digest: what makes a pull resume.
    pub(super) fetched: HashMap<String, u64>,
}

/// `name` with its tag.
fn full(name: &str) -> String {
    Installed::new(name, &[]).name
}

impl Library {
    pub(super) fn install(&mut self, model: Installed) {
        self.installed.insert(model.name.clone(), model);
    }

    pub(super) fn uninstall(&mut self, name: &str) {
        self.installed.remove(&full(name));
        self.loaded.remove(&full(name));
    }

    pub(super) fn load(&mut self, name: &str, context: u32) {
        self.loaded.insert(full(name), context);
    }

    pub(super) fn find(&self, name: &str) -> Option<&Installed> {
        self.installed.get(&full(name))
    }

    pub(super) fn tags(&self) -> Value {
        let models: Vec<_> = self
            .installed
            .values()
            .map(|model| {
                let mut tag = json!({
                    "name": model.name, "model": model.name, "modified_at": rfc3339(model.modified),
                    "size": model.size, "digest": digest(&model.name, 0), "details": model.details(),
                    "capabilities": model.capabilities,
                });
                if model.remote {
                    tag["remote_host"] = json!("https://ollama.com:443");
                    tag["remote_model"] = json!(model.name);
                }
                tag
            })
            .collect();
        json!({ "models": models })
    }

    pub(super) fn show(model: &Installed) -> Value {
        json!({
            "license": "Apache License 2.0", "modelfile": format!("FROM {}", model.name),
            "parameters": "temperature                    0.6", "template": "{{ .Prompt }}",
            "details": model.details(),
            "model_info": {
                "general.architecture": model.family,
                format!("{}.context_length", model.family): model.context,
                format!("{}.embedding_length", model.family): 4096,
            },
            "capabilities": model.capabilities, "modified_at": rfc3339(model.modified),
        })
    }

    pub(super) fn ps(&self) -> Value {
        let expires = rfc3339(SystemTime::now() + Duration::from_secs(300));
        let models: Vec<_> = self
            .loaded
            .iter()
            .filter_map(|(name, context)| {
                let model = self.installed.get(name)?;
                Some(json!({
                    "name": name, "model": name, "size": model.size, "digest": digest(name, 0),
                    "details": model.details(), "expires_at": expires, "size_vram": model.size / 2,
                    "context_length": context,
                }))
            })
            .collect();
        json!({ "models": models })
    }

    /// As vLLM lists models.
    pub(super) fn v1_models(&self) -> Value {
        let seconds = |at: SystemTime| at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let data: Vec<_> = self
            .installed
            .values()
            .map(|model| {
                json!({
                    "id": model.name, "object": "model", "created": seconds(model.modified), "owned_by": "library",
                    "max_model_len": model.context,
                })
            })
            .collect();
        json!({ "object": "list", "data": data })
    }
}

/// The digest of a model's layer: any 64 hex digits that differ.
pub(super) fn digest(name: &str, layer: usize) -> String {
    let seed = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64 ^ layer as u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("sha256:{seed:016x}{:016x}{:016x}{:016x}", !seed, seed.rotate_left(7), seed.rotate_left(23))
}

/// A moment as Go writes it, in UTC, with nanoseconds.
pub(super) fn rfc3339(at: SystemTime) -> String {
    let moment = Timestamp::try_from(at).unwrap_or_default();
    format!("{moment:.9}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_ollama_does() {
        let at = |seconds| rfc3339(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(at(784_111_777), "1994-11-06T08:49:37.000000000Z");
        assert_eq!(at(1_709_164_800), "2024-02-29T00:00:00.000000000Z");
        assert_eq!(at(978_307_199), "2000-12-31T23:59:59.000000000Z");
    }

    #[test]
    fn digests_of_layers_differ() {
        assert_ne!(digest("a", 0), digest("a", 1));
        assert_ne!(digest("a", 0), digest("b", 0));
        assert_eq!(digest("a", 0).len(), "sha256:".len() + 64);
    }
}
