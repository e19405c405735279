//! Profiles on the bus. There is no call that makes an empty one, or one that renames: an import makes a profile with
//! all its values in one transaction, and conversations are told of it one by one.

use super::{document, words};
use crate::bridge::Port;
use crate::state::settings::Event;
use crate::state::settings::profiles::{self, Deed, Effect, User};
use butterfly_api::config::{Import, ImportRequest, Profile, RemoveProfile, WhichProfile};
use butterfly_api::conversations::{Change, List, ListRequest, Update};
use butterfly_client::Bus;
use butterfly_wire::Failure;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Conversations that are asked for at once: the most that are given.
const PAGE: u32 = 200;

pub(super) async fn perform(port: Port, effect: Effect) {
    let bus = port.bus();
    let (request, result) = match effect {
        Effect::Users { request } => {
            let result = users(bus, false).await.map_err(words);
            return port.emit(Event::Profiles(profiles::Event::Users { request, result }));
        }
        Effect::Create { request, profile, users } => {
            let name = profile.name.clone();
            // Only what is brought back has conversations.
            let is_new = users.is_empty() && profile.values.is_empty();
            let made = create(bus, &profile, &users).await;
            (request, made.map(|()| if is_new { Deed::Created { name } } else { Deed::Restored { name } }))
        }
        Effect::Rename { request, profile, to } => {
            let from = profile.name.clone();
            let renamed = rename(bus, profile, &to).await;
            (request, renamed.map(|()| Deed::Renamed { from, to }))
        }
        Effect::Delete { request, profile, users } => {
            let removed = bus.call::<RemoveProfile>(&WhichProfile { name: profile.name.clone() }).await;
            (request, removed.map(|_| Deed::Deleted { profile, users }))
        }
    };
    port.emit(Event::Profiles(profiles::Event::Done { request, result: result.map_err(words) }));
}

async fn create(bus: &Bus, profile: &Profile, users: &[User]) -> Result<(), Failure> {
    let values: Map<String, Value> =
        profile.values.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect();
    let profiles = Map::from_iter([(profile.name.clone(), Value::Object(values))]);
    bus.call::<Import>(&ImportRequest { json: document(Map::new(), profiles), dry_run: false }).await?;
    for user in users {
        let update =
            Update { conversation: user.conversation, profile: Some(profile.name.clone()), ..Update::default() };
        bus.call::<Change>(&update).await?;
    }
    Ok(())
}

/// The old one goes last: whatever fails before leaves every conversation with the values that it had.
async fn rename(bus: &Bus, profile: Profile, to: &str) -> Result<(), Failure> {
    let mut all = users(bus, false).await?.remove(&profile.name).unwrap_or_default();
    all.extend(users(bus, true).await?.remove(&profile.name).unwrap_or_default());
    create(bus, &Profile { name: to.to_owned(), values: profile.values }, &all).await?;
    bus.call::<RemoveProfile>(&WhichProfile { name: profile.name }).await?;
    Ok(())
}

/// The conversations that use a profile, by its name.
async fn users(bus: &Bus, trash: bool) -> Result<BTreeMap<String, Vec<User>>, Failure> {
    let mut users: BTreeMap<String, Vec<User>> = BTreeMap::new();
    let mut offset = 0;
    loop {
        let page = bus.call::<List>(&ListRequest { offset, limit: PAGE, trash }).await?;
        let count = u32::try_from(page.conversations.len()).unwrap_or(u32::MAX);
        for conversation in page.conversations {
            if let Some(profile) = conversation.profile {
                let user = User { conversation: conversation.id, title: conversation.title };
                users.entry(profile).or_default().push(user);
            }
        }
        offset = offset.saturating_add(count);
        if count == 0 || offset >= page.total {
            return Ok(users);
        }
    }
}
