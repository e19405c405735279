//! Settings that a turn needs, kept until they change.

use butterfly_api::config::{GetValues, Values, ValuesRequest};
use butterfly_client::Bus;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Profiles whose values are kept: more than anybody uses at once. All go when it is reached.
const PROFILES: usize = 32;

/// Time for the settings to come: a turn does not wait longer for what has defaults.
const PATIENCE: Duration = Duration::from_secs(2);

/// Tokens that recalled items may take where the settings do not say: enough for a dozen sentences.
const RECALL_TOKENS: u32 = 1024;

/// What a turn needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// `memory.enabled`: whether anything is recalled.
    pub(crate) memory_enabled: bool,
    /// `memory.recall_tokens`: tokens that recalled items may take.
    pub(crate) recall_tokens: u32,
    /// `model.name`, in a conversation with a profile of its own; elsewhere the model worker knows.
    pub(crate) model: Option<String>,
    /// `model.context_tokens`, likewise.
    pub(crate) context_tokens: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { memory_enabled: true, recall_tokens: RECALL_TOKENS, model: None, context_tokens: None }
    }
}

impl Settings {
    fn read(values: &Values, in_profile: bool) -> Self {
        let value = |key: &str| values.values.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
        let of_profile = |key: &str| value(key).filter(|value| in_profile && !value.is_empty());
        Self {
            memory_enabled: value("memory.enabled") != Some("false"),
            recall_tokens: value("memory.recall_tokens").and_then(|n| n.parse().ok()).unwrap_or(RECALL_TOKENS),
            model: of_profile("model.name").map(str::to_owned),
            context_tokens: of_profile("model.context_tokens").and_then(|n| n.parse().ok()).filter(|n| *n > 0),
        }
    }
}

#[derive(Default)]
struct Cache {
    values: HashMap<Option<String>, Arc<Settings>>,
    /// Counts the changes, so that what was asked for before one is not kept after it.
    changes: u64,
}

/// The settings of all profiles that were used since the last change.
#[derive(Default)]
pub(crate) struct SettingsCache {
    cache: Mutex<Cache>,
}

impl SettingsCache {
    /// The settings of a profile, or those outside of all; the defaults where nobody tells.
    pub(crate) async fn of(&self, bus: &Bus, profile: Option<&str>) -> Arc<Settings> {
        let profile = profile.map(str::to_owned);
        let changes = {
            let cache = self.cache();
            if let Some(found) = cache.values.get(&profile) {
                return Arc::clone(found);
            }
            cache.changes
        };
        let request = ValuesRequest { profile: profile.clone() };
        let values = match tokio::time::timeout(PATIENCE, bus.call::<GetValues>(&request)).await {
            Ok(Ok(values)) => values,
            Ok(Err(failure)) => {
                tracing::warn!(code = failure.code.name(), "no settings; the defaults are used");
                return Arc::default();
            }
            Err(_) => {
                tracing::warn!("no settings in time; the defaults are used");
                return Arc::default();
            }
        };
        let settings = Arc::new(Settings::read(&values, profile.is_some()));
        let mut cache = self.cache();
        if cache.changes == changes {
            if cache.values.len() >= PROFILES {
                cache.values.clear();
            }
            cache.values.insert(profile, Arc::clone(&settings));
        }
        settings
    }

    /// Something changed: all is asked for anew when it is needed.
    pub(crate) fn changed(&self) {
        let mut cache = self.cache();
        cache.values.clear();
        cache.changes += 1;
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, &str)]) -> Values {
        Values { values: pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect() }
    }

    #[test]
    fn a_profile_chooses_the_model_and_nothing_else_does() {
        let told = values(&[("model.name", "small:1b"), ("model.context_tokens", "8192"), ("memory.enabled", "false")]);
        let profile = Settings::read(&told, true);
        assert_eq!((profile.model.as_deref(), profile.context_tokens), (Some("small:1b"), Some(8192)));
        let outside = Settings::read(&told, false);
        assert_eq!((outside.model, outside.context_tokens, outside.memory_enabled), (None, None, false));
    }

    #[test]
    fn what_is_not_told_has_its_default() {
        assert_eq!(Settings::read(&values(&[("model.name", "")]), true), Settings::default());
        assert_eq!(Settings::read(&values(&[("memory.recall_tokens", "300")]), false).recall_tokens, 300);
    }
}
