//! Settings as a document that can be taken along and passed on: JSON, versioned, with secrets by name only. Pure.
//!
//! It names every key: `null` is the default, so that taking it in makes the same of any store. A document that names
//! fewer keys changes no others; a profile that it names is replaced as a whole, and other profiles stay. Where the data
//! folder lies is a matter of one machine and never in it.

use super::check;
use super::schema::{DATA_FOLDER, KEYS, Key, Kind};
use butterfly_api::config::Change;
use butterfly_store::settings::{Edit, Stored, Values};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// What a document says it is.
const FORMAT: &str = "butterfly-settings";

/// The version that is written, and the newest that is read.
const VERSION: u64 = 1;

/// Faults that are told at once: enough to correct a file by, few enough to read.
const FAULTS_SHOWN: usize = 10;

/// What taking in a document would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    pub edits: Vec<Edit>,
    /// The edits as people see them, without those that change nothing.
    pub changes: Vec<Change>,
    /// Secrets that the document names.
    pub secrets: Vec<String>,
}

/// All that is set, as JSON with its final newline. `secrets` are the names that these settings need.
#[must_use]
pub fn export(stored: &Stored, secrets: &[&str]) -> String {
    let settings: Map<String, Value> = KEYS
        .iter()
        .filter(|row| row.key != DATA_FOLDER)
        .map(|row| (row.key.to_owned(), of_row(row, &stored.values).unwrap_or(Value::Null)))
        .collect();
    let profile = |values: &Values| -> Map<String, Value> {
        let rows = KEYS.iter().filter(|row| row.in_profiles);
        rows.filter_map(|row| Some((row.key.to_owned(), of_row(row, values)?))).collect()
    };
    let profiles: Map<String, Value> =
        stored.profiles.iter().map(|(name, values)| (name.clone(), Value::Object(profile(values)))).collect();
    let document = json!({
        "format": FORMAT, "version": VERSION, "settings": settings, "profiles": profiles, "secrets": secrets,
    });
    format!("{document:#}\n")
}

/// A stored value as JSON; `None` where none is stored, or one that another version stored and this one cannot use.
fn of_row(row: &Key, values: &Values) -> Option<Value> {
    let value = check::value(row, values.get(row.key)?).ok()?;
    let number = || value.parse::<f64>().ok().map(Value::from);
    Some(match row.kind {
        Kind::Flag => Value::Bool(value == "true"),
        Kind::Integer { .. } => value.parse::<i64>().map_or(Value::String(value), Value::from),
        Kind::Number { .. } => number().unwrap_or(Value::String(value)),
        Kind::Text { .. } | Kind::Choice(_) | Kind::Url | Kind::Path => Value::String(value),
    })
}

/// What a document would change.
///
/// # Errors
/// For people: all that is wrong with it. Nothing has changed.
pub fn plan(stored: &Stored, document: &str) -> Result<Plan, String> {
    let refused = |why: String| format!("the document was not imported, and nothing was changed: {why}");
    let document: Value =
        serde_json::from_str(document).map_err(|fault| refused(format!("it is no JSON ({fault})")))?;
    let mut reading = Reading { stored, plan: Plan::default(), faults: Vec::new() };
    reading.document(&document);
    let Reading { plan, mut faults, .. } = reading;
    if faults.is_empty() {
        return Ok(plan);
    }
    let more = faults.len().saturating_sub(FAULTS_SHOWN);
    faults.truncate(FAULTS_SHOWN);
    if more > 0 {
        faults.push(format!("and {more} more"));
    }
    Err(refused(faults.join("; ")))
}

/// A document that is being read.
struct Reading<'a> {
    stored: &'a Stored,
    plan: Plan,
    faults: Vec<String>,
}

impl Reading<'_> {
    fn document(&mut self, document: &Value) {
        let Some(fields) = document.as_object() else {
            return self.faults.push("it is no JSON object; use what `butterfly config export` writes".to_owned());
        };
        if fields.get("format").and_then(Value::as_str) != Some(FORMAT) {
            return self
                .faults
                .push(format!("its format is not {FORMAT:?}; use what `butterfly config export` writes"));
        }
        match fields.get("version").and_then(Value::as_u64) {
            Some(1..=VERSION) => {}
            Some(newer) if newer > VERSION => {
                return self.faults.push(format!(
                    "it was written by a newer version of ButterFly Bot (format {newer}, this one reads {VERSION})"
                ));
            }
            Some(_) | None => return self.faults.push("it names no version".to_owned()),
        }
        for (name, value) in fields {
            match (name.as_str(), value) {
                ("format" | "version", _) => {}
                ("settings", Value::Object(settings)) => self.settings(settings),
                ("profiles", Value::Object(profiles)) => {
                    profiles.iter().for_each(|(profile, values)| self.profile(profile, values));
                }
                ("secrets", names) => self.secrets(names),
                ("settings" | "profiles", _) => self.faults.push(format!("its {name:?} is no object")),
                (other, _) => self.faults.push(format!("{other:?} is no part of it")),
            }
        }
    }

    fn settings(&mut self, settings: &Map<String, Value>) {
        for (key, value) in settings {
            if key == DATA_FOLDER {
                if !value.is_null() {
                    let why = "where the data lies is a matter of each machine; use `butterfly config set` there";
                    self.faults.push(format!("{key} cannot be imported: {why}"));
                }
                continue;
            }
            self.value(None, key, value);
        }
    }

    fn profile(&mut self, name: &str, values: &Value) {
        if let Err(fault) = check::profile(name) {
            return self.faults.push(fault);
        }
        let Some(values) = values.as_object() else {
            return self.faults.push(format!("the profile {name} is no object"));
        };
        let known = self.stored.profiles.get(name);
        if known.is_none() {
            self.plan.edits.push(Edit::AddProfile { name: name.to_owned() });
        }
        let named: BTreeSet<&String> = values.keys().collect();
        for key in known.into_iter().flat_map(Values::keys).filter(|key| !named.contains(key)) {
            self.change(Some(name), key, None);
        }
        for (key, value) in values {
            self.value(Some(name), key, value);
        }
    }

    fn value(&mut self, profile: Option<&str>, key: &str, value: &Value) {
        let text = match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            Value::Bool(on) => Some(on.to_string()),
            Value::Number(number) => Some(number.to_string()),
            Value::Array(_) | Value::Object(_) => {
                return self.faults.push(format!("{key} has more than one value"));
            }
        };
        let checked =
            check::key(key, profile.is_some()).and_then(|row| text.map(|text| check::value(row, &text)).transpose());
        match checked {
            Ok(after) => self.change(profile, key, after),
            Err(fault) => self.faults.push(match profile {
                Some(name) => format!("in the profile {name}, {fault}"),
                None => fault,
            }),
        }
    }

    fn change(&mut self, profile: Option<&str>, key: &str, after: Option<String>) {
        let values = match profile {
            Some(name) => self.stored.profiles.get(name),
            None => Some(&self.stored.values),
        };
        let before = values.and_then(|values| values.get(key)).cloned();
        if before == after {
            return;
        }
        let profile = profile.map(str::to_owned);
        self.plan.edits.push(match after.clone() {
            Some(value) => Edit::Set { profile: profile.clone(), key: key.to_owned(), value },
            None => Edit::Unset { profile: profile.clone(), key: key.to_owned() },
        });
        self.plan.changes.push(Change { key: key.to_owned(), profile, before, after });
    }

    fn secrets(&mut self, names: &Value) {
        let plain =
            |name: &&str| name.len() <= 64 && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        let names: Option<Vec<&str>> = names.as_array().and_then(|names| names.iter().map(Value::as_str).collect());
        match names {
            Some(names) if names.iter().all(plain) => {
                self.plan.secrets = names.into_iter().map(str::to_owned).collect();
            }
            Some(_) | None => {
                let what = "it has more than the names of secrets; take their values out, and store each with";
                self.faults.push(format!("{what} `butterfly secret set NAME`"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::values::tests::{config, set};
    use super::*;
    use proptest::prelude::*;

    /// Any value that a row takes.
    fn fitting(row: &'static Key) -> BoxedStrategy<String> {
        match row.kind {
            Kind::Flag => any::<bool>().prop_map(|on| on.to_string()).boxed(),
            Kind::Integer { min, max, .. } => (min..=max).prop_map(|number| number.to_string()).boxed(),
            Kind::Number { min, max } => (min..=max).prop_map(|number| number.to_string()).boxed(),
            Kind::Text { form: super::super::schema::Form::ModelName, .. } => "[!-~äöü東]{0,40}".boxed(),
            Kind::Text { form: super::super::schema::Form::KeepAlive, .. } => "(-?[0-9]{1,4}[smh]?)?".boxed(),
            Kind::Text { form: super::super::schema::Form::Shortcuts, .. } => {
                "([a-z]{1,6}\\.[a-z]{1,6}=(Ctrl\\+[A-Z=,])?( chat\\.[a-z]{1,6}=Alt\\+F[1-9])?)?".boxed()
            }
            Kind::Choice(values) => prop::sample::select(values).prop_map(str::to_owned).boxed(),
            Kind::Url => "(https?://[a-z]{1,9}(:[1-9][0-9]{0,3})?(/[a-z]{1,5})?)?".boxed(),
            Kind::Path => "/[a-z]{1,9}".boxed(),
        }
    }

    fn edits(profile: Option<&'static str>) -> impl Strategy<Value = Vec<Edit>> {
        let rows = KEYS.iter().filter(|row| row.key != DATA_FOLDER && (row.in_profiles || profile.is_none()));
        let each = rows.map(|row| {
            prop::option::of(fitting(row)).prop_map(move |value| value.map(|value| set(profile, row.key, &value)))
        });
        each.collect::<Vec<_>>().prop_map(|edits| edits.into_iter().flatten().collect())
    }

    /// Through the database, so that what it makes of the values counts too.
    fn stored(edits: &[Edit]) -> Stored {
        let (_folder, config) = config(&[]);
        let checked: Vec<_> = edits
            .iter()
            .map(|edit| match edit {
                Edit::Set { profile, key, value } => {
                    let value = check::value(check::key(key, profile.is_some()).unwrap(), value).unwrap();
                    Edit::Set { profile: profile.clone(), key: key.clone(), value }
                }
                Edit::Unset { .. } | Edit::AddProfile { .. } => edit.clone(),
            })
            .collect();
        config.apply(&checked).unwrap();
        config.stored()
    }

    fn imported(before: &Stored, document: &str) -> Stored {
        let (_folder, config) = config(&[]);
        let mut edits: Vec<_> = before.values.iter().map(|(key, value)| set(None, key, value)).collect();
        for (name, values) in &before.profiles {
            edits.push(Edit::AddProfile { name: name.clone() });
            edits.extend(values.iter().map(|(key, value)| set(Some(name.as_str()), key, value)));
        }
        config.apply(&edits).unwrap();
        config.apply(&plan(&config.stored(), document).unwrap().edits).unwrap();
        config.stored()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

        #[test]
        fn what_was_exported_makes_the_same_of_any_store(
            here in edits(None), work in edits(Some("work")), home in edits(Some("home")),
            other in edits(None), elsewhere in edits(Some("work")),
        ) {
            let mut all = [here, work, home].concat();
            all.push(Edit::AddProfile { name: "empty".to_owned() });
            let source = stored(&all);
            let document = export(&source, &[]);
            prop_assert_eq!(&imported(&Stored::default(), &document), &source);
            prop_assert_eq!(&plan(&source, &document).unwrap().changes, &[]);
            // In a store that has other values, too; profiles that it does not name stay.
            let mut target = imported(&stored(&[other, elsewhere].concat()), &document);
            target.profiles.retain(|name, _| source.profiles.contains_key(name));
            prop_assert_eq!(&target, &source);
        }

        #[test]
        fn any_text_is_refused_or_planned_without_a_panic(text in ".{0,200}") {
            let _ = plan(&Stored::default(), &text);
        }
    }

    fn document(settings: &Value, profiles: &Value, secrets: &Value) -> String {
        json!({"format": FORMAT, "version": 1, "settings": settings, "profiles": profiles, "secrets": secrets})
            .to_string()
    }

    #[test]
    fn a_document_is_typed_and_names_secrets_only() {
        let source = stored(&[
            set(None, "memory.enabled", "false"),
            set(None, "memory.retention_days", "30"),
            set(None, "model.provider", "openai"),
            set(None, "memory.summarise_at", "0.5"),
            set(Some("work"), "model.name", "m"),
        ]);
        let text = export(&source, &["openai.api_key"]);
        assert!(text.ends_with("}\n"));
        let parsed: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(parsed["settings"]["memory.enabled"], json!(false));
        assert_eq!(parsed["settings"]["memory.retention_days"], json!(30));
        assert_eq!(parsed["settings"]["memory.summarise_at"], json!(0.5));
        assert_eq!(parsed["settings"]["model.name"], Value::Null);
        assert_eq!(parsed["settings"].as_object().unwrap().len(), KEYS.len() - 1);
        assert_eq!(parsed["settings"].get(DATA_FOLDER), None);
        assert_eq!(parsed["profiles"], json!({"work": {"model.name": "m"}}));
        assert_eq!(parsed["secrets"], json!(["openai.api_key"]));
    }

    #[test]
    fn all_that_is_wrong_is_named_at_once() {
        let settings = json!({
            "model.name": "fine", "model.providr": "x", "memory.retention_days": 99999, "openai.api_key": "sk-1",
            "memory.db_path": "/x", "model.url": {"a": 1},
        });
        let profiles = json!({"work": {"model.provider": "openai"}, "two words": {}, "list": []});
        let secrets = json!({"openai.api_key": "sk-1"});
        let message = plan(&Stored::default(), &document(&settings, &profiles, &secrets)).unwrap_err();
        for part in [
            "nothing was changed",
            "did you mean model.provider?",
            "from 0 to 36500 (days)",
            "secret set openai.api_key",
            "matter of each machine",
            "model.url has more than one value",
            "in the profile work, model.provider",
            "two words",
            "the profile list is no object",
        ] {
            assert!(message.contains(part), "{part} is not in: {message}");
        }
        assert!(!message.contains("sk-1"), "{message}");
        let many: Map<String, Value> = (0..FAULTS_SHOWN + 2).map(|n| (format!("nonsense.{n}"), Value::Null)).collect();
        let message = plan(&Stored::default(), &document(&many.into(), &json!({}), &json!([]))).unwrap_err();
        assert!(message.ends_with("and 2 more"), "{message}");
    }

    #[test]
    fn what_is_no_document_is_refused() {
        let stored = Stored::default();
        for (text, part) in [
            ("", "no JSON"),
            ("[1]", "no JSON object"),
            (r#"{"version":1}"#, "its format"),
            (r#"{"format":"butterfly-settings"}"#, "no version"),
            (r#"{"format":"butterfly-settings","version":2}"#, "newer version"),
            (r#"{"format":"butterfly-settings","version":1,"settings":[]}"#, "no object"),
            (r#"{"format":"butterfly-settings","version":1,"sttings":{}}"#, "\"sttings\" is no part"),
            (r#"{"format":"butterfly-settings","version":1,"secrets":["sk with blanks"]}"#, "secret set"),
        ] {
            let message = plan(&stored, text).unwrap_err();
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn the_difference_is_what_would_change() {
        let before = stored(&[
            set(None, "model.name", "old"),
            set(None, "memory.enabled", "false"),
            set(Some("work"), "model.name", "w"),
            set(Some("work"), "memory.enabled", "false"),
        ]);
        let settings = json!({"model.name": "new", "memory.enabled": "FALSE", "memory.retention_days": null});
        let plan = plan(&before, &document(&settings, &json!({"work": {"model.name": "w"}}), &json!([]))).unwrap();
        let change = |key: &str, profile: Option<&str>, before: Option<&str>, after: Option<&str>| Change {
            key: key.into(),
            profile: profile.map(Into::into),
            before: before.map(Into::into),
            after: after.map(Into::into),
        };
        let mut changes = plan.changes;
        changes.sort_by_key(|change| change.profile.clone());
        let expected = [
            change("model.name", None, Some("old"), Some("new")),
            change("memory.enabled", Some("work"), Some("false"), None),
        ];
        assert_eq!(changes, expected);
    }
}
