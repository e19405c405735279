//! Settings, with their schema. Served by memory.
//!
//! Values travel as text, in the form that `butterfly config set` takes; the schema says what they are.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// What a value may be.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ValueKind {
    Bool,
    /// With its unit, such as `days`; empty: a count.
    Integer {
        min: i64,
        max: i64,
        unit: String,
    },
    Number {
        min: f64,
        max: f64,
    },
    /// At most so many bytes; may be empty where `optional`.
    Text {
        max_bytes: u32,
        optional: bool,
    },
    Choice {
        values: Vec<String>,
    },
    /// `http` or `https`.
    Url,
    /// An absolute path.
    Path,
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize)]
pub struct KeyInfo {
    pub key: String,
    /// For people: a heading.
    pub group: String,
    pub kind: ValueKind,
    pub default: String,
    /// What it does, in a sentence or two.
    pub help: String,
    /// The override, such as `BUTTERFLY_MODEL_URL`.
    pub env: String,
    /// A worker that is restarted when it changes, because its confinement does.
    pub restarts: Option<String>,
    /// May a profile set it.
    pub in_profiles: bool,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "snake_case")]
pub enum Source {
    Default,
    Database,
    Environment,
    Profile { name: String },
}

/// A key and the value in force.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize)]
pub struct Setting {
    pub info: KeyInfo,
    pub value: String,
    pub source: Source,
    /// What the database says, where something else is in force.
    pub stored: Option<String>,
    /// Why the value cannot be used, where it came past the checks: from the environment, or from another version.
    pub problem: Option<String>,
}

/// Argument of `values`: for workers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct ValuesRequest {
    pub profile: Option<String>,
}

/// Reply of `values`: every key with the value in force.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Values {
    pub values: Vec<(String, String)>,
}

/// Argument of `list`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct ListRequest {
    /// Keys that begin so; empty: all.
    pub prefix: String,
    pub profile: Option<String>,
}

/// Reply of `list`, in the schema's order.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize)]
pub struct Settings {
    pub settings: Vec<Setting>,
}

/// Names a key, in a profile or outside of all.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct KeyRequest {
    pub key: String,
    pub profile: Option<String>,
}

/// Argument of `set`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SetRequest {
    pub key: String,
    pub value: String,
    /// Made if it does not exist.
    pub profile: Option<String>,
}

/// Reply of `set` and `unset`.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize, Deserialize)]
pub struct ChangedSetting {
    pub setting: Setting,
    /// The worker that was restarted for it.
    pub restarted: Option<String>,
    /// Something that the person should know, such as that an override hides the value.
    pub note: Option<String>,
}

/// Reply of `export`: JSON, with secrets by name only.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Document {
    pub json: String,
}

/// Argument of `import`: all of it, or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ImportRequest {
    pub json: String,
    /// Only say what would change.
    pub dry_run: bool,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Change {
    pub key: String,
    pub profile: Option<String>,
    /// `None`: not set.
    pub before: Option<String>,
    pub after: Option<String>,
}

/// Reply of `import`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Imported {
    pub changes: Vec<Change>,
    /// Secrets that the document names.
    pub secrets: Vec<String>,
    pub restarted: Vec<String>,
}

/// One profile: a named set of overrides.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Profile {
    pub name: String,
    pub values: Vec<(String, String)>,
}

/// Reply of `profiles`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Profiles {
    pub profiles: Vec<Profile>,
}

/// Names a profile.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct WhichProfile {
    pub name: String,
}

/// Event: these keys may have other values now.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConfigChanged {
    pub keys: Vec<String>,
}

crate::service! {
    /// Settings.
    pub trait Config in config;
    /// All values in force.
    unary GetValues = VALUES values(ValuesRequest) => Values;
    /// Keys, their schema and their values.
    unary List = LIST list(ListRequest) => Settings;
    /// One of them.
    unary Get = GET get(KeyRequest) => Setting;
    /// Sets one.
    unary Set = SET set(SetRequest) => ChangedSetting;
    /// Goes back to the default, or out of the profile.
    unary Unset = UNSET unset(KeyRequest) => ChangedSetting;
    /// All that is set, to take along.
    unary Export = EXPORT export(()) => Document;
    /// Takes in what was exported.
    unary Import = IMPORT import(ImportRequest) => Imported;
    /// The profiles.
    unary ListProfiles = PROFILES profiles(()) => Profiles;
    /// Deletes a profile; conversations that used it use none.
    unary RemoveProfile = REMOVE_PROFILE remove_profile(WhichProfile) => Profiles;
}
