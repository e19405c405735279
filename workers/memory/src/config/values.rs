//! The values in force: environment, profile, database, schema, in this order.
//!
//! All of it is in memory: reading a value never waits for the disk.

use super::check;
use super::ports;
use super::schema::{self, DATA_FOLDER, KEYS, Key, Kind};
use butterfly_api::config::{Setting, Source};
use butterfly_api::value;
use butterfly_store::settings::{self, Edit, Stored, Values};
use butterfly_store::{Store, StoreError};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::watch;

/// Settings for whoever in this worker reads them.
pub struct Config {
    store: Arc<Store>,
    /// By key; as they were given, right or wrong.
    overrides: Values,
    stored: RwLock<Stored>,
    changes: watch::Sender<u64>,
}

impl Config {
    /// Reads what is stored. `overrides` are the kernel's, names without the prefix; those that are no setting's are
    /// ignored, and an empty one counts as absent.
    ///
    /// # Errors
    /// The database's.
    pub fn open(store: Arc<Store>, overrides: &[(String, String)]) -> Result<Arc<Self>, StoreError> {
        let stored = store.read(settings::load)?;
        let given = |row: &Key| {
            let value = overrides.iter().find(|(name, _)| Some(name.as_str()) == row.env)?.1.trim();
            (!value.is_empty()).then(|| (row.key.to_owned(), value.to_owned()))
        };
        let overrides: Values = KEYS.iter().filter_map(given).collect();
        for (key, value) in &overrides {
            if let Err(why) = check::key(key, false).and_then(|row| check::value(row, value)) {
                tracing::warn!("an override cannot be used: {why}");
            }
        }
        Ok(Arc::new(Self { store, overrides, stored: RwLock::new(stored), changes: watch::Sender::new(0) }))
    }

    /// The value of a key, as text.
    #[must_use]
    pub fn text(&self, key: &str) -> String {
        self.text_in(None, key)
    }

    /// The same for a conversation that uses a profile; one that does not exist changes nothing.
    #[must_use]
    pub fn text_in(&self, profile: Option<&str>, key: &str) -> String {
        self.row(key).map(|row| self.in_force(row, profile).0).unwrap_or_default()
    }

    /// A flag's value.
    #[must_use]
    pub fn flag(&self, key: &str) -> bool {
        self.flag_in(None, key)
    }

    #[must_use]
    pub fn flag_in(&self, profile: Option<&str>, key: &str) -> bool {
        self.usable(profile, key).and_then(|value| value::flag(&value)).unwrap_or_default()
    }

    /// A whole number's value, in its key's unit.
    #[must_use]
    pub fn integer(&self, key: &str) -> i64 {
        self.integer_in(None, key)
    }

    #[must_use]
    pub fn integer_in(&self, profile: Option<&str>, key: &str) -> i64 {
        self.usable(profile, key).and_then(|value| value.parse().ok()).unwrap_or_default()
    }

    /// A number's value.
    #[must_use]
    pub fn number(&self, key: &str) -> f64 {
        self.number_in(None, key)
    }

    #[must_use]
    pub fn number_in(&self, profile: Option<&str>, key: &str) -> f64 {
        self.usable(profile, key).and_then(|value| value.parse().ok()).unwrap_or_default()
    }

    /// Changes whenever a value may have.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The ports that the model worker's confinement needs.
    #[must_use]
    pub fn model_ports(&self) -> Vec<u16> {
        ports::of_provider(&self.text("model.provider"), &self.text("model.url"))
    }

    /// Every key with the value in force, for the workers.
    #[must_use]
    pub fn all(&self, profile: Option<&str>) -> Vec<(String, String)> {
        KEYS.iter().map(|row| (row.key.to_owned(), self.in_force(row, profile).0)).collect()
    }

    /// A key with all that is known of its value.
    #[must_use]
    pub fn setting(&self, row: &Key, profile: Option<&str>) -> Setting {
        let (value, source) = self.in_force(row, profile);
        let stored = self.with(|stored| stored.values.get(row.key).cloned());
        let hidden = !matches!(source, Source::Default | Source::Database);
        let problem = if row.key == DATA_FOLDER { None } else { check::value(row, &value).err() };
        Setting { info: row.info(), value, source, stored: stored.filter(|_| hidden), problem }
    }

    /// The override that decides this key, if there is one, with its full name.
    #[must_use]
    pub fn overridden(&self, row: &Key) -> Option<String> {
        let name = row.env.filter(|_| self.overrides.contains_key(row.key))?;
        Some(format!("{}{name}", schema::PREFIX))
    }

    /// What is set, without the overrides.
    #[must_use]
    pub fn stored(&self) -> Stored {
        self.with(Stored::clone)
    }

    /// Stores changes that were checked before, all or none, and puts them in force. It blocks.
    ///
    /// # Errors
    /// The database's; then nothing has changed.
    pub fn apply(&self, edits: &[Edit]) -> Result<(), StoreError> {
        let stored = self.store.write(|db| {
            settings::apply(db, edits)?;
            settings::load(db)
        })?;
        self.replace(stored);
        Ok(())
    }

    /// Deletes a profile and returns the conversations that used it. It blocks.
    ///
    /// # Errors
    /// The database's; then nothing has changed.
    pub fn remove_profile(&self, name: &str) -> Result<Vec<i64>, StoreError> {
        let (stored, users) = self.store.write(|db| {
            let users = settings::remove_profile(db, name)?;
            Ok((settings::load(db)?, users))
        })?;
        self.replace(stored);
        Ok(users)
    }

    /// Reads anew what is stored, after the store was replaced. It blocks.
    ///
    /// # Errors
    /// The database's; then the values stay as they were.
    pub fn reload(&self) -> Result<(), StoreError> {
        let stored = self.store.read(settings::load)?;
        self.replace(stored);
        Ok(())
    }

    fn replace(&self, stored: Stored) {
        *self.stored.write().unwrap_or_else(PoisonError::into_inner) = stored;
        self.changes.send_modify(|count| *count += 1);
    }

    fn with<T>(&self, look: impl FnOnce(&Stored) -> T) -> T {
        look(&self.stored.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The row of a key that this program itself names.
    fn row(&self, key: &str) -> Option<&'static Key> {
        let row = schema::find(key);
        debug_assert!(row.is_some(), "the schema has no {key}");
        row
    }

    /// The value and where it comes from, fit or not: what is said of a wrong one is its user's matter.
    fn in_force(&self, row: &Key, profile: Option<&str>) -> (String, Source) {
        if row.key == DATA_FOLDER {
            let folder = self.store.folder();
            let chosen = self.with(|stored| stored.values.get(row.key).cloned());
            // A store that came here otherwise, with a copy or by hand, may have been chosen to be elsewhere.
            let is_chosen = chosen.is_some_and(|chosen| is_same(folder, Path::new(&chosen)));
            let source = if is_chosen { Source::Database } else { Source::Default };
            return (folder.to_string_lossy().into_owned(), source);
        }
        if let Some(value) = self.overrides.get(row.key) {
            // In the stored spelling where it is right, so that a reader need not know the others.
            return (check::value(row, value).unwrap_or_else(|_| value.clone()), Source::Environment);
        }
        self.with(|stored| {
            let profile = profile.filter(|_| row.in_profiles);
            let of_profile = profile.and_then(|name| Some((name, stored.profiles.get(name)?.get(row.key)?)));
            match (of_profile, stored.values.get(row.key)) {
                (Some((name, value)), _) => (value.clone(), Source::Profile { name: name.to_owned() }),
                (None, Some(value)) => (value.clone(), Source::Database),
                (None, None) => (row.default.to_owned(), Source::Default),
            }
        })
    }

    /// The value in force where it is of the key's kind, else the default: for numbers and flags, which must be something.
    fn usable(&self, profile: Option<&str>, key: &str) -> Option<String> {
        let row = self.row(key)?;
        debug_assert!(matches!(row.kind, Kind::Flag | Kind::Integer { .. } | Kind::Number { .. }), "{key} is a text");
        let (value, _) = self.in_force(row, profile);
        Some(check::value(row, &value).unwrap_or_else(|_| row.default.to_owned()))
    }
}

/// Whether two paths lead to one folder that is there.
fn is_same(one: &Path, other: &Path) -> bool {
    one == other || matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use tempfile::TempDir;

    /// A configuration over an empty store of its own.
    pub(crate) fn config(overrides: &[(&str, &str)]) -> (TempDir, Arc<Config>) {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(folder.path()).unwrap());
        let overrides: Vec<_> = overrides.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let config = Config::open(store, &overrides).unwrap();
        (folder, config)
    }

    pub(crate) fn set(profile: Option<&str>, key: &str, value: &str) -> Edit {
        Edit::Set { profile: profile.map(str::to_owned), key: key.to_owned(), value: value.to_owned() }
    }

    fn source(config: &Config, key: &str, profile: Option<&str>) -> (String, Source, Option<String>) {
        let setting = config.setting(schema::find(key).unwrap(), profile);
        (setting.value, setting.source, setting.stored)
    }

    #[test]
    fn the_environment_wins_over_the_profile_over_the_database_over_the_default() {
        let (_folder, config) = config(&[("MODEL", "from-env"), ("HOME", "/x"), ("MEMORY_ENABLED", " ")]);
        config
            .apply(&[
                set(None, "model.name", "from-db"),
                set(Some("work"), "model.name", "from-profile"),
                set(None, "model.keep_alive", "5m"),
                set(Some("work"), "model.keep_alive", "10m"),
            ])
            .unwrap();
        let work = Some("work");
        assert_eq!(
            source(&config, "model.name", work),
            ("from-env".into(), Source::Environment, Some("from-db".into()))
        );
        let profile = Source::Profile { name: "work".into() };
        assert_eq!(source(&config, "model.keep_alive", work), ("10m".into(), profile, Some("5m".into())));
        assert_eq!(source(&config, "model.keep_alive", None), ("5m".into(), Source::Database, None));
        assert_eq!(source(&config, "model.keep_alive", Some("gone")), ("5m".into(), Source::Database, None));
        assert_eq!(source(&config, "memory.enabled", work), ("true".into(), Source::Default, None));
        assert_eq!(config.overridden(schema::find("model.name").unwrap()), Some("BUTTERFLY_MODEL".into()));
        assert_eq!(config.overridden(schema::find("memory.enabled").unwrap()), None);
    }

    #[test]
    fn typed_values_are_of_their_kind_even_if_an_override_is_not() {
        let (_folder, config) = config(&[
            ("MEMORY_ENABLED", "Off"),
            ("MEMORY_RETENTION_DAYS", "soon"),
            ("MEMORY_SUMMARISE_AT", "7"),
            ("MODEL_PROVIDER", "gpt5"),
        ]);
        assert!(!config.flag("memory.enabled"));
        assert_eq!(config.text("memory.enabled"), "false", "in one spelling");
        assert_eq!(config.integer("memory.retention_days"), 0);
        assert!((config.number("memory.summarise_at") - 0.75).abs() < f64::EPSILON);
        // The model worker says what is wrong with it; a silent default would answer from somewhere else.
        assert_eq!(config.text("model.provider"), "gpt5");
        let setting = config.setting(schema::find("model.provider").unwrap(), None);
        assert!(setting.problem.unwrap().contains("ollama, openai or builtin"));
    }

    #[test]
    fn a_change_is_seen_and_survives() {
        let (folder, config) = config(&[]);
        let mut changes = config.watch();
        config.apply(&[set(None, "memory.retention_days", "30")]).unwrap();
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        assert_eq!(config.integer("memory.retention_days"), 30);
        config.reload().unwrap();
        assert!(changes.has_changed().unwrap());
        drop(config);
        let again = Config::open(Arc::new(Store::open(folder.path()).unwrap()), &[]).unwrap();
        assert_eq!(again.integer("memory.retention_days"), 30);
    }

    #[test]
    fn a_profile_changes_what_it_may_and_nothing_else() {
        let (_folder, config) = config(&[]);
        // As a database from elsewhere could hold it.
        config.apply(&[set(Some("work"), "model.provider", "openai"), set(Some("work"), "model.name", "m")]).unwrap();
        assert_eq!(config.text_in(Some("work"), "model.provider"), "ollama");
        assert_eq!(config.text_in(Some("work"), "model.name"), "m");
        assert_eq!(config.remove_profile("work").unwrap(), [0_i64; 0]);
        assert_eq!(config.text_in(Some("work"), "model.name"), "");
    }

    #[test]
    fn the_data_folder_is_where_the_store_is_and_chosen_only_if_it_was_chosen_to_be_there() {
        let (folder, config) = config(&[]);
        let here = folder.path().to_string_lossy().into_owned();
        assert_eq!(source(&config, "memory.db_path", None), (here.clone(), Source::Default, None));
        config.apply(&[set(None, "memory.db_path", "/elsewhere")]).unwrap();
        assert_eq!(source(&config, "memory.db_path", None), (here.clone(), Source::Default, None));
        config.apply(&[set(None, "memory.db_path", &here)]).unwrap();
        assert_eq!(source(&config, "memory.db_path", None), (here, Source::Database, None));
        assert_eq!(config.setting(schema::find("memory.db_path").unwrap(), None).problem, None);
    }

    #[test]
    fn ports_follow_what_is_in_force() {
        let (_folder, config) = config(&[("MODEL_URL", "https://api.example.com/v1")]);
        assert_eq!(config.model_ports(), [443, 53]);
        config.apply(&[set(None, "model.provider", "builtin")]).unwrap();
        assert_eq!(config.model_ports(), [0_u16; 0]);
    }

    #[test]
    fn every_key_has_a_value_of_its_kind() {
        let (_folder, config) = config(&[]);
        for row in KEYS {
            match row.kind {
                Kind::Flag => drop(config.flag(row.key)),
                Kind::Integer { min, max, .. } => assert!((min..=max).contains(&config.integer(row.key))),
                Kind::Number { min, max } => assert!((min..=max).contains(&config.number(row.key))),
                Kind::Text { .. } | Kind::Choice(_) | Kind::Url | Kind::Path => {
                    assert_eq!(
                        config.text(row.key),
                        config.all(None).into_iter().find(|(key, _)| key == row.key).unwrap().1
                    );
                }
            }
        }
    }
}
