//! The service `config`: shows, changes, exports and imports settings, and has what follows from a change done.

use super::check;
use super::document;
use super::nearest::nearest;
use super::schema::{DATA_FOLDER, KEYS, Key};
use super::values::Config;
use crate::core::{Core, blocking};
use butterfly_api::config::{
    ChangedSetting, ConfigChanged, Document, ImportRequest, Imported, KeyRequest, ListRequest, Profile, Profiles,
    SetRequest, Setting, Settings as SettingList, Values, ValuesRequest, WhichProfile,
};
use butterfly_api::control::{MoveData, SetProfile};
use butterfly_api::conversations::Changed;
use butterfly_client::{Bus, Call};
use butterfly_store::settings::Edit;
use butterfly_wire::catalog::{self, topic};
use butterfly_wire::control as message;
use butterfly_wire::{ErrorCode, Failure};
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::Mutex;

/// The worker whose confinement depends on settings.
const CONFINED: &str = "model";

/// The service.
pub struct Settings {
    core: Arc<Core>,
    config: Arc<Config>,
    /// One change at a time. Holds the ports that the model worker was given last.
    changing: Mutex<Option<Vec<u16>>>,
}

/// What came of putting a change in force.
#[derive(Default)]
struct Followed {
    restarted: Option<String>,
    note: Option<String>,
}

impl Settings {
    #[must_use]
    pub fn new(core: Arc<Core>, config: Arc<Config>) -> Arc<Self> {
        Arc::new(Self { core, config, changing: Mutex::new(None) })
    }

    /// Gives the model worker the ports that the settings need, before anybody is served. Whoever still runs hears that
    /// settings may differ: another store may have taken the place of the one that this worker had before.
    ///
    /// # Errors
    /// Why the kernel refused. Without the right confinement nothing may start.
    pub async fn prepare(&self, bus: &Bus) -> Result<(), String> {
        let mut in_force = self.changing.lock().await;
        self.confine(bus, &mut in_force).await.map_err(|failure| {
            format!("the model worker could not be confined to what the settings name: {}", failure.message)
        })?;
        announce(bus, KEYS.iter().map(|row| row.key.to_owned()).collect()).await;
        tokio::spawn(follow_level(Arc::clone(&self.config)));
        Ok(())
    }

    /// Whether the model worker had to be restarted.
    async fn confine(&self, bus: &Bus, in_force: &mut Option<Vec<u16>>) -> Result<bool, Failure> {
        let ports = self.config.model_ports();
        if in_force.as_ref() == Some(&ports) {
            return Ok(false);
        }
        let request = message::SetProfile { worker: CONFINED.to_owned(), tcp_ports: Some(ports.clone()), paths: None };
        bus.call::<SetProfile>(&request).await?;
        *in_force = Some(ports);
        Ok(true)
    }

    /// Stores edits that were checked, then has the model worker's confinement follow, then tells everybody.
    async fn change(&self, bus: &Bus, in_force: &mut Option<Vec<u16>>, edits: Vec<Edit>) -> Result<Followed, Failure> {
        let keys = keys_of(&edits);
        let config = Arc::clone(&self.config);
        blocking(move || config.apply(&edits)).await?;
        let followed = match self.confine(bus, in_force).await {
            Ok(restarted) => Followed { restarted: restarted.then(|| CONFINED.to_owned()), note: None },
            Err(failure) => Followed {
                restarted: None,
                note: Some(format!(
                    "it is stored, but the {CONFINED} worker could not be restarted for it ({}); `butterfly down`, then \
                     `butterfly up` puts it in force",
                    failure.message
                )),
            },
        };
        announce(bus, keys).await;
        Ok(followed)
    }

    async fn set_one(&self, call: &Call, request: SetRequest) -> Result<ChangedSetting, Failure> {
        let SetRequest { key, value, profile } = request;
        let row = self.key(&key, profile.as_deref())?;
        let value = check::value(row, &value).map_err(refused)?;
        if row.key == DATA_FOLDER {
            return self.move_data(call, row, value).await;
        }
        let mut in_force = self.changing.lock().await;
        let edit = Edit::Set { profile: profile.clone(), key, value };
        let mut followed = self.change(&self.bus(call), &mut in_force, vec![edit]).await?;
        let note = self.hidden(row).or_else(|| retention_note(&self.config, row));
        followed.note = followed.note.or(note);
        Ok(self.changed(row, profile.as_deref(), followed))
    }

    async fn unset_one(&self, call: &Call, request: KeyRequest) -> Result<ChangedSetting, Failure> {
        let KeyRequest { key, profile } = request;
        let row = self.key(&key, profile.as_deref())?;
        self.known_profile(profile.as_deref())?;
        if row.key == DATA_FOLDER {
            return self.move_data(call, row, String::new()).await;
        }
        let mut in_force = self.changing.lock().await;
        let stored = self.config.stored();
        let was_set = match &profile {
            Some(name) => stored.profiles.get(name).is_some_and(|values| values.contains_key(row.key)),
            None => stored.values.contains_key(row.key),
        };
        let mut followed = Followed::default();
        if was_set {
            let edit = Edit::Unset { profile: profile.clone(), key };
            followed = self.change(&self.bus(call), &mut in_force, vec![edit]).await?;
        } else {
            followed.note = Some("it was not set".to_owned());
        }
        followed.note = followed.note.or_else(|| self.hidden(row));
        Ok(self.changed(row, profile.as_deref(), followed))
    }

    /// Has the kernel move the data folder, which restarts this worker once this call is answered.
    async fn move_data(&self, call: &Call, row: &'static Key, to: String) -> Result<ChangedSetting, Failure> {
        let note = match to.as_str() {
            "" => "everything that is remembered is being moved back into the home's data folder".to_owned(),
            folder => format!("everything that is remembered is being moved to {folder}"),
        };
        // Before the move, because this store is closed with it.
        let before = self.config.stored().values.get(DATA_FOLDER).cloned();
        self.note_folder(Some(to.clone()).filter(|folder| !folder.is_empty())).await?;
        // On the call's own behalf: the kernel moves data only for a client that waits for it.
        if let Err(failure) = call.bus().call::<MoveData>(&message::MoveData { to }).await {
            self.note_folder(before).await?;
            return Err(failure);
        }
        Ok(self.changed(row, None, Followed { restarted: Some("memory".to_owned()), note: Some(note) }))
    }

    /// Keeps that the data folder was chosen: where it is, it is known by itself.
    async fn note_folder(&self, chosen: Option<String>) -> Result<(), Failure> {
        let key = DATA_FOLDER.to_owned();
        let edit = match chosen {
            Some(value) => Edit::Set { profile: None, key, value },
            None => Edit::Unset { profile: None, key },
        };
        let config = Arc::clone(&self.config);
        blocking(move || config.apply(&[edit])).await
    }

    async fn import_all(&self, call: &Call, request: ImportRequest) -> Result<Imported, Failure> {
        let mut in_force = self.changing.lock().await;
        let plan = document::plan(&self.config.stored(), &request.json).map_err(refused)?;
        let mut imported = Imported { changes: plan.changes, secrets: plan.secrets, restarted: Vec::new() };
        if !request.dry_run && !plan.edits.is_empty() {
            let followed = self.change(&self.bus(call), &mut in_force, plan.edits).await?;
            imported.restarted.extend(followed.restarted);
            if let Some(note) = followed.note {
                tracing::warn!("after an import: {note}");
            }
        }
        Ok(imported)
    }

    async fn remove(&self, call: &Call, name: String) -> Result<Profiles, Failure> {
        self.known_profile(Some(&name))?;
        let _turn = self.changing.lock().await;
        let keys = self.config.stored().profiles.remove(&name).unwrap_or_default().into_keys().collect();
        let config = Arc::clone(&self.config);
        let users = blocking(move || config.remove_profile(&name)).await?;
        let bus = self.bus(call);
        announce(&bus, keys).await;
        for id in users.into_iter().filter_map(|id| u64::try_from(id).ok()) {
            let event = Changed { conversation: id };
            let sent = bus.publish(catalog::conversations::ID, topic::CONVERSATION_CHANGED, &event).await;
            log_unsent(sent);
        }
        Ok(self.list_profiles())
    }

    fn list_profiles(&self) -> Profiles {
        let profiles = self.config.stored().profiles.into_iter();
        let profile = |(name, values): (String, butterfly_store::settings::Values)| Profile {
            name,
            values: values.into_iter().collect(),
        };
        Profiles { profiles: profiles.map(profile).collect() }
    }

    fn key(&self, key: &str, profile: Option<&str>) -> Result<&'static Key, Failure> {
        let row = check::key(key, profile.is_some()).map_err(refused)?;
        profile.map_or(Ok(()), check::profile).map_err(refused)?;
        Ok(row)
    }

    fn known_profile(&self, profile: Option<&str>) -> Result<(), Failure> {
        let Some(wanted) = profile else { return Ok(()) };
        let profiles = self.config.stored().profiles;
        if profiles.contains_key(wanted) {
            return Ok(());
        }
        let meant = nearest(wanted, profiles.keys().map(String::as_str));
        Err(refused(match meant {
            Some(meant) => format!("there is no profile {wanted}; did you mean {meant}?"),
            None => format!(
                "there is no profile {wanted}; setting something in it makes it: `butterfly config set KEY VALUE --profile {wanted}`"
            ),
        }))
    }

    /// Whoever asked may be gone before what follows from a change is done: it is done as work of this worker's own.
    fn bus(&self, call: &Call) -> Bus {
        self.core.bus().unwrap_or_else(|| call.bus().clone())
    }

    fn changed(&self, row: &'static Key, profile: Option<&str>, followed: Followed) -> ChangedSetting {
        let setting = self.config.setting(row, profile);
        ChangedSetting { setting, restarted: followed.restarted, note: followed.note }
    }

    /// That an override hides what is stored.
    fn hidden(&self, row: &Key) -> Option<String> {
        let name = self.config.overridden(row)?;
        Some(format!("{name} is set in the kernel's environment and hides it; start the kernel without it to use it"))
    }

    /// The secrets that the providers in use may ask for.
    fn secrets(&self) -> Vec<&'static str> {
        match (self.config.text("model.provider").as_str(), self.config.text("model.url").as_str()) {
            ("openai", _) => vec!["openai.api_key"],
            ("ollama", url) if !url.is_empty() && !is_local(url) => vec!["ollama.api_key"],
            _ => Vec::new(),
        }
    }
}

/// This worker's own log follows `log.level`.
async fn follow_level(config: Arc<Config>) {
    let mut changes = config.watch();
    loop {
        butterfly_runtime::log_at(&config.text("log.level"));
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// Whether an address that passed the checks is on this machine, where no server asks for a key.
fn is_local(url: &str) -> bool {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest).split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// That a new limit deletes something, and when.
fn retention_note(config: &Config, row: &Key) -> Option<String> {
    if row.key != "memory.retention_days" {
        return None;
    }
    match config.integer(row.key) {
        0 => None,
        days => Some(format!(
            "what was said more than {days} days ago is now deleted in the background; `butterfly memory retain` does it at once"
        )),
    }
}

fn keys_of(edits: &[Edit]) -> Vec<String> {
    let mut keys: Vec<String> = edits
        .iter()
        .filter_map(|edit| match edit {
            Edit::Set { key, .. } | Edit::Unset { key, .. } => Some(key.clone()),
            Edit::AddProfile { .. } => None,
        })
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

async fn announce(bus: &Bus, keys: Vec<String>) {
    if !keys.is_empty() {
        log_unsent(bus.publish(catalog::config::ID, topic::CONFIG_CHANGED, &ConfigChanged { keys }).await);
    }
}

fn log_unsent(sent: Result<(), Failure>) {
    if let Err(failure) = sent {
        tracing::warn!("a change could not be announced: {failure}");
    }
}

fn refused(why: String) -> Failure {
    Failure::new(ErrorCode::BadPayload, why)
}

/// Runs work to its end though its caller may leave: half of a change must not be left undone.
async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::spawn(work).await {
        Ok(result) => result,
        Err(fault) => Err(Failure::new(ErrorCode::Internal, format!("the change did not end: {fault}"))),
    }
}

/// What the bus calls: an implementation that can be held beyond a call.
pub struct Service(pub Arc<Settings>);

impl butterfly_api::config::Config for Service {
    async fn values(&self, _call: Call, request: ValuesRequest) -> Result<Values, Failure> {
        Ok(Values { values: self.0.config.all(request.profile.as_deref()) })
    }

    async fn list(&self, _call: Call, request: ListRequest) -> Result<SettingList, Failure> {
        let profile = request.profile.as_deref();
        self.0.known_profile(profile)?;
        let rows = KEYS.iter().filter(|row| row.key.starts_with(&request.prefix));
        Ok(SettingList { settings: rows.map(|row| self.0.config.setting(row, profile)).collect() })
    }

    async fn get(&self, _call: Call, request: KeyRequest) -> Result<Setting, Failure> {
        let profile = request.profile.as_deref();
        // A key that no profile can set still has a value in one.
        let row = self.0.key(&request.key, None)?;
        self.0.known_profile(profile)?;
        Ok(self.0.config.setting(row, profile))
    }

    async fn set(&self, call: Call, request: SetRequest) -> Result<ChangedSetting, Failure> {
        let settings = Arc::clone(&self.0);
        to_its_end(async move { settings.set_one(&call, request).await }).await
    }

    async fn unset(&self, call: Call, request: KeyRequest) -> Result<ChangedSetting, Failure> {
        let settings = Arc::clone(&self.0);
        to_its_end(async move { settings.unset_one(&call, request).await }).await
    }

    async fn export(&self, _call: Call, (): ()) -> Result<Document, Failure> {
        Ok(Document { json: document::export(&self.0.config.stored(), &self.0.secrets()) })
    }

    async fn import(&self, call: Call, request: ImportRequest) -> Result<Imported, Failure> {
        let settings = Arc::clone(&self.0);
        to_its_end(async move { settings.import_all(&call, request).await }).await
    }

    async fn profiles(&self, _call: Call, (): ()) -> Result<Profiles, Failure> {
        Ok(self.0.list_profiles())
    }

    async fn remove_profile(&self, call: Call, request: WhichProfile) -> Result<Profiles, Failure> {
        let settings = Arc::clone(&self.0);
        to_its_end(async move { settings.remove(&call, request.name).await }).await
    }
}
