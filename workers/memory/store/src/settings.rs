//! Settings and profiles as they are stored: text by key. What a key means, and which values it takes, is not known here.
//!
//! Invariants: the profile `''` stands for what is set outside of all profiles; a profile that has values is in
//! `profiles`; a conversation never names a profile that is gone.

use crate::error::StoreError;
use crate::schema::{conversations, profiles, settings};
use diesel::prelude::*;
use std::collections::BTreeMap;

/// Values by key.
pub type Values = BTreeMap<String, String>;

/// All that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    /// Outside of all profiles.
    pub values: Values,
    /// By the profile's name; a profile may be empty.
    pub profiles: BTreeMap<String, Values>,
}

/// One change to what is set. `profile` is `None` outside of all profiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Makes the profile if there is none of that name.
    Set { profile: Option<String>, key: String, value: String },
    /// A profile that has no values left stays.
    Unset { profile: Option<String>, key: String },
    /// Makes an empty profile; one that exists stays as it is.
    AddProfile { name: String },
}

/// Reads all that is set.
///
/// # Errors
/// The database's.
pub fn load(db: &mut SqliteConnection) -> Result<Stored, StoreError> {
    let names: Vec<String> = profiles::table.select(profiles::name).load(db)?;
    let rows: Vec<(String, String, String)> = settings::table.load(db)?;
    let mut stored = Stored::default();
    stored.profiles.extend(names.into_iter().map(|name| (name, Values::new())));
    for (profile, key, value) in rows {
        let values = if profile.is_empty() { &mut stored.values } else { stored.profiles.entry(profile).or_default() };
        values.insert(key, value);
    }
    Ok(stored)
}

/// Makes the changes, in order.
///
/// # Errors
/// The database's.
pub fn apply(db: &mut SqliteConnection, edits: &[Edit]) -> Result<(), StoreError> {
    for edit in edits {
        match edit {
            Edit::Set { profile, key, value } => {
                if let Some(name) = profile {
                    add_profile(db, name)?;
                }
                let profile = profile.as_deref().unwrap_or_default();
                diesel::replace_into(settings::table)
                    .values((settings::profile.eq(profile), settings::key.eq(key), settings::value.eq(value)))
                    .execute(db)?;
            }
            Edit::Unset { profile, key } => {
                let profile = profile.as_deref().unwrap_or_default();
                diesel::delete(settings::table.find((profile, key))).execute(db)?;
            }
            Edit::AddProfile { name } => add_profile(db, name)?,
        }
    }
    Ok(())
}

fn add_profile(db: &mut SqliteConnection, name: &str) -> Result<(), StoreError> {
    diesel::insert_or_ignore_into(profiles::table).values(profiles::name.eq(name)).execute(db)?;
    Ok(())
}

/// Whether there is a profile of that name.
///
/// # Errors
/// The database's.
pub fn has_profile(db: &mut SqliteConnection, name: &str) -> Result<bool, StoreError> {
    Ok(diesel::select(diesel::dsl::exists(profiles::table.find(name))).get_result(db)?)
}

/// Deletes a profile with its values, and returns the conversations that used it and use none now.
///
/// # Errors
/// The database's.
pub fn remove_profile(db: &mut SqliteConnection, name: &str) -> Result<Vec<i64>, StoreError> {
    diesel::delete(settings::table.filter(settings::profile.eq(name))).execute(db)?;
    diesel::delete(profiles::table.find(name)).execute(db)?;
    let users = conversations::table.filter(conversations::profile.eq(name));
    let ids = users.select(conversations::id).order(conversations::id).load(db)?;
    diesel::update(users).set(conversations::profile.eq(None::<String>)).execute(db)?;
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;

    fn set(profile: Option<&str>, key: &str, value: &str) -> Edit {
        Edit::Set { profile: profile.map(str::to_owned), key: key.to_owned(), value: value.to_owned() }
    }

    fn unset(profile: Option<&str>, key: &str) -> Edit {
        Edit::Unset { profile: profile.map(str::to_owned), key: key.to_owned() }
    }

    fn values(pairs: &[(&str, &str)]) -> Values {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_was_set_is_there_after_the_store_was_closed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let edits = [
            set(None, "a", "1"),
            set(None, "a", "2"),
            set(None, "b", "3"),
            set(Some("work"), "a", "4"),
            unset(None, "b"),
            unset(None, "absent"),
            Edit::AddProfile { name: "empty".to_owned() },
            Edit::AddProfile { name: "work".to_owned() },
        ];
        store.write(|db| apply(db, &edits)).unwrap();
        drop(store);
        let stored = Store::open(folder.path()).unwrap().read(load).unwrap();
        assert_eq!(stored.values, values(&[("a", "2")]));
        let profiles = [("empty".to_owned(), values(&[])), ("work".to_owned(), values(&[("a", "4")]))];
        assert_eq!(stored.profiles, BTreeMap::from(profiles));
    }

    #[test]
    fn a_profile_goes_with_its_values_and_out_of_its_conversations() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let conversation = |profile: Option<&str>| {
            (
                conversations::created_ms.eq(0_i64),
                conversations::updated_ms.eq(0_i64),
                conversations::profile.eq(profile.map(str::to_owned)),
            )
        };
        let cleared = store
            .write(|db| {
                apply(db, &[set(Some("work"), "a", "1"), set(Some("home"), "a", "2"), set(None, "a", "3")])?;
                for profile in [Some("work"), Some("home"), None, Some("work")] {
                    diesel::insert_into(conversations::table).values(conversation(profile)).execute(db)?;
                }
                remove_profile(db, "work")
            })
            .unwrap();
        assert_eq!(cleared, [1, 4]);
        let (stored, left) = store
            .read(|db| {
                assert!(!has_profile(db, "work")?);
                assert!(has_profile(db, "home")?);
                let left: Vec<Option<String>> = conversations::table.select(conversations::profile).load(db)?;
                Ok((load(db)?, left))
            })
            .unwrap();
        assert_eq!(left, [None, Some("home".to_owned()), None, None]);
        assert_eq!(stored.profiles.into_keys().collect::<Vec<_>>(), ["home"]);
        assert_eq!(stored.values, values(&[("a", "3")]));
    }
}
