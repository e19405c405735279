//! The half of the bridge that settings need: what is set, profiles, providers, secrets, export and import.

mod profiles;
mod transfer;

use super::Port;
use crate::state::settings::field::Place;
use crate::state::settings::{Effect, Event, Loaded, field, provider, secrets};
use butterfly_api::config::{
    Import, ImportRequest, KeyRequest, List, ListProfiles, ListRequest, Set, SetRequest, Unset,
};
use butterfly_api::{model, vault};
use butterfly_client::Bus;
use butterfly_wire::Failure;
use butterfly_wire::catalog::{config, topic, vault as vault_service};
use serde_json::{Map, Value, json};
use std::time::Instant;

/// Does what the state asked for, and answers with events.
pub async fn perform(port: Port, effect: Effect) {
    match effect {
        Effect::Load { request } => {
            let result = load(port.bus()).await.map_err(words);
            port.emit(Event::Loaded { request, result });
        }
        Effect::Set { change, place, value } => {
            let result = set(port.bus(), place.clone(), value).await.map_err(words);
            port.emit(Event::Field(field::Event::Answered { place, change, result: result.map(Box::new) }));
        }
        Effect::Profiles(effect) => profiles::perform(port, effect).await,
        Effect::Provider(effect) => provide(port, effect).await,
        Effect::Secrets(effect) => keep(port, effect).await,
        Effect::Transfer(effect) => transfer::perform(port, effect).await,
    }
}

/// Follows what concerns this part for as long as the connection lasts.
pub async fn follow(port: Port) {
    tokio::join!(
        each(&port, config::ID, topic::CONFIG_CHANGED, || Event::Changed),
        each(&port, vault_service::ID, topic::SECRET_CHANGED, || Event::Secrets(secrets::Event::Changed)),
    );
}

/// Emits an event for each of a topic's. What was dropped because it came too fast means the same.
async fn each(port: &Port, service: u16, topic: u16, event: impl Fn() -> Event) {
    let mut events = match port.bus().subscribe(service, topic).await {
        Ok(events) => events,
        Err(failure) => {
            tracing::warn!("changes of settings are not heard of: {failure}");
            return;
        }
    };
    while events.next().await.is_some() {
        port.emit(event());
    }
}

/// What a failure says to people.
fn words(failure: Failure) -> String {
    failure.message
}

async fn load(bus: &Bus) -> Result<Loaded, Failure> {
    let settings = bus.call::<List>(&ListRequest::default()).await?.settings;
    let profiles = bus.call::<ListProfiles>(&()).await?.profiles;
    Ok(Loaded { settings, profiles })
}

async fn set(bus: &Bus, place: Place, value: Option<String>) -> Result<butterfly_api::config::ChangedSetting, Failure> {
    let Place { profile, key } = place;
    match value {
        Some(value) => bus.call::<Set>(&SetRequest { key, value, profile }).await,
        None => bus.call::<Unset>(&KeyRequest { key, profile }).await,
    }
}

/// A document that the service `config` imports: settings and profiles, of which the former may be none.
fn document(settings: Map<String, Value>, profiles: Map<String, Value>) -> String {
    json!({"format": "butterfly-settings", "version": 1, "settings": settings, "profiles": profiles}).to_string()
}

async fn provide(port: Port, effect: provider::Effect) {
    match effect {
        provider::Effect::Apply { request, values, undo } => {
            let settings = values.into_iter().map(|(key, value)| (key.to_owned(), Value::from(value))).collect();
            // An import is the one change that stores several settings at once.
            let import = ImportRequest { json: document(settings, Map::new()), dry_run: false };
            let result = port.bus().call::<Import>(&import).await.map_err(words);
            port.emit(Event::Provider(provider::Event::Applied { request, undo, result }));
        }
        provider::Effect::Test { request } => {
            let asked = Instant::now();
            let probe = port.bus().call::<model::ProbeServer>(&()).await;
            let millis = u64::try_from(asked.elapsed().as_millis()).unwrap_or(u64::MAX);
            let result = probe.map(|probe| provider::Tested { probe, millis }).map_err(words);
            port.emit(Event::Provider(provider::Event::Tested { request, result }));
        }
        provider::Effect::Models { request } => {
            let result = port.bus().call::<model::List>(&()).await.map_err(words);
            port.emit(Event::Provider(provider::Event::Models { request, result }));
        }
    }
}

async fn keep(port: Port, effect: secrets::Effect) {
    let event = match effect {
        secrets::Effect::Load { request } => {
            let result = port.bus().call::<vault::List>(&()).await.map_err(words);
            secrets::Event::Loaded { request, result }
        }
        secrets::Effect::Store { request, name, value } => {
            let set = vault::SetRequest { name: name.clone(), value: value.open() };
            let result = port.bus().call::<vault::Set>(&set).await.map_err(words);
            secrets::Event::Stored { request, name, result }
        }
        secrets::Effect::Delete { request, name } => {
            let delete = vault::NameRequest { name: name.clone() };
            let result = port.bus().call::<vault::Delete>(&delete).await.map(|deleted| deleted.existed).map_err(words);
            secrets::Event::Deleted { request, name, result }
        }
    };
    port.emit(Event::Secrets(event));
}
