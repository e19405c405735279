//! What Ollama says of its models: `/api/tags`, `/api/show`, `/api/ps`, `/api/version`.

use crate::moment::unix_ms;
use butterfly_api::model::{ModelDetails, ModelInfo, RunningModel};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The most of a license or template that is passed on, in bytes: some repeat a license three times over.
const TEXT_LIMIT: usize = 128 << 10;

#[derive(Deserialize)]
pub struct Version {
    pub version: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Details {
    family: String,
    parameter_size: String,
    quantization_level: String,
    context_length: u32,
}

#[derive(Deserialize)]
pub struct Tags {
    models: Option<Vec<Tag>>,
}

#[derive(Deserialize)]
struct Tag {
    name: String,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    modified_at: String,
    #[serde(default)]
    details: Option<Details>,
    #[serde(default)]
    capabilities: Option<Vec<String>>,
    #[serde(default)]
    remote_host: String,
}

impl Tags {
    pub fn into_models(self) -> Vec<ModelInfo> {
        self.models.unwrap_or_default().into_iter().map(Tag::into_model).collect()
    }
}

impl Tag {
    fn into_model(self) -> ModelInfo {
        let details = self.details.unwrap_or_default();
        let mut capabilities = self.capabilities.unwrap_or_default();
        if !self.remote_host.is_empty() {
            capabilities.push("remote".to_owned());
        }
        ModelInfo {
            name: self.name,
            size_bytes: self.size,
            parameters: details.parameter_size,
            quantization: details.quantization_level,
            capabilities,
            context_tokens: details.context_length,
            modified_unix_ms: unix_ms(&self.modified_at),
        }
    }
}

#[derive(Deserialize)]
pub struct Show {
    #[serde(default)]
    license: String,
    #[serde(default)]
    template: String,
    #[serde(default)]
    parameters: String,
    #[serde(default)]
    details: Option<Details>,
    #[serde(default)]
    model_info: Map<String, Value>,
    #[serde(default)]
    capabilities: Option<Vec<String>>,
    #[serde(default)]
    modified_at: String,
    #[serde(default)]
    remote_host: String,
}

impl Show {
    pub fn into_details(self, name: &str) -> ModelDetails {
        let details = self.details.unwrap_or_default();
        let family = self.model_info.get("general.architecture").and_then(Value::as_str).unwrap_or(&details.family);
        let length = self.model_info.get(&format!("{family}.context_length"));
        let length = length.or_else(|| {
            let mut entries = self.model_info.iter();
            entries.find(|(key, _)| key.ends_with(".context_length")).map(|(_, value)| value)
        });
        let context_tokens = length.and_then(Value::as_u64).and_then(|tokens| u32::try_from(tokens).ok());
        let mut capabilities = self.capabilities.unwrap_or_default();
        if !self.remote_host.is_empty() {
            capabilities.push("remote".to_owned());
        }
        ModelDetails {
            family: family.to_owned(),
            info: ModelInfo {
                name: name.to_owned(),
                size_bytes: 0,
                parameters: details.parameter_size,
                quantization: details.quantization_level,
                capabilities,
                context_tokens: context_tokens.unwrap_or(details.context_length),
                modified_unix_ms: unix_ms(&self.modified_at),
            },
            license: bounded(self.license),
            template: bounded(self.template),
            defaults: bounded(self.parameters),
        }
    }
}

fn bounded(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(TEXT_LIMIT));
    text
}

#[derive(Deserialize)]
pub struct Ps {
    models: Option<Vec<Process>>,
}

#[derive(Deserialize)]
struct Process {
    name: String,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    size_vram: u64,
    #[serde(default)]
    context_length: u32,
    #[serde(default)]
    expires_at: String,
}

impl Ps {
    /// The model that was used last expires last.
    pub fn into_models(self) -> Vec<RunningModel> {
        let processes = self.models.unwrap_or_default().into_iter();
        let mut models: Vec<_> = processes
            .map(|process| RunningModel {
                name: process.name,
                size_bytes: process.size,
                accelerator_bytes: process.size_vram,
                context_tokens: process.context_length,
                expires_unix_ms: unix_ms(&process.expires_at),
            })
            .collect();
        models.sort_by_key(|model| std::cmp::Reverse(model.expires_unix_ms));
        models
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_model_has_its_context_and_capabilities() {
        let show: Show = serde_json::from_str(
            r#"{"license":"MIT","parameters":"temperature 1","template":"{{ .Prompt }}",
                "details":{"parent_model":"","format":"gguf","family":"gptoss","families":["gptoss"],"parameter_size":"20.9B","quantization_level":"MXFP4"},
                "model_info":{"general.architecture":"gptoss","gptoss.context_length":131072,"gptoss.rope.scaling.original_context_length":4096},
                "capabilities":["completion","tools","thinking"],"modified_at":"1994-11-06T08:49:37Z"}"#,
        )
        .unwrap();
        let details = show.into_details("gpt-oss:20b");
        assert_eq!(details.info.context_tokens, 131_072);
        assert_eq!(details.info.capabilities, ["completion", "tools", "thinking"]);
        assert_eq!(details.info.modified_unix_ms, 784_111_777_000);
        assert_eq!((details.family.as_str(), details.defaults.as_str()), ("gptoss", "temperature 1"));
    }

    #[test]
    fn older_servers_leave_fields_out() {
        let tags: Tags = serde_json::from_str(r#"{"models":[{"name":"m:latest"}]}"#).unwrap();
        assert_eq!(tags.into_models()[0].name, "m:latest");
        let none: Tags = serde_json::from_str(r#"{"models":null}"#).unwrap();
        assert!(none.into_models().is_empty());
        let details = serde_json::from_str::<Show>("{}").unwrap().into_details("m");
        assert_eq!(details.info.context_tokens, 0);
    }

    #[test]
    fn the_model_used_last_comes_first() {
        let ps: Ps = serde_json::from_str(
            r#"{"models":[{"name":"old","expires_at":"2026-01-01T00:00:00Z"},
                {"name":"new","size":9,"size_vram":4,"context_length":8192,"expires_at":"2026-01-01T00:05:00Z"}]}"#,
        )
        .unwrap();
        let models = ps.into_models();
        assert_eq!(models[0].name, "new");
        assert_eq!((models[0].accelerator_bytes, models[0].context_tokens), (4, 8192));
    }
}
