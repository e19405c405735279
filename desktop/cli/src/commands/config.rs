//! `config`: what is set, where it comes from, and changing it.

use crate::args::config::ConfigCommand;
use crate::context::{Context, status};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::files::{self, Beside};
use crate::launch;
use crate::render::config as render;
use crate::text;
use butterfly_api::config::{
    ChangedSetting, Export, Get, Import, ImportRequest, Imported, KeyRequest, List, ListProfiles, ListRequest,
    RemoveProfile, Set, SetRequest, Settings, Source, Unset, WhichProfile,
};
use butterfly_client::Bus;
use butterfly_wire::control::{Status, WorkerState};
use butterfly_wire::frame::FRAME_LIMIT;
use serde::Serialize;
use std::path::Path;
use std::time::Duration;

/// A document of settings must fit one message, with its envelope.
const DOCUMENT_BYTES: usize = FRAME_LIMIT - 4096;

/// Between two looks at whether a worker is back.
const LOOK: Duration = Duration::from_millis(50);

/// Time for a worker to come back: it has 10 s to finish what it does.
const RESTART: Duration = Duration::from_secs(30);

/// The same where all that is remembered is copied to another disk meanwhile.
const MOVE: Duration = Duration::from_secs(60 * 60);

/// The setting that is a folder, which moves.
const DATA_FOLDER: &str = "memory.db_path";

/// What `config import --json` prints.
#[derive(Serialize)]
struct ImportView<'a> {
    dry_run: bool,
    #[serde(flatten)]
    imported: &'a Imported,
}

/// Runs one of the commands.
///
/// # Errors
/// What the memory worker answers.
pub async fn run(context: &Context, command: ConfigCommand) -> Result<Exit, Fault> {
    let bus = launch::serving(context).await?;
    let out = &context.out;
    match command {
        ConfigCommand::List { prefix, within, verbose } => {
            let settings = bus.call::<List>(&ListRequest { prefix: prefix.clone(), profile: within.profile }).await?;
            if out.json {
                out.object(&settings)?;
            } else if settings.settings.is_empty() {
                let prefix = text::escaped(&prefix);
                return Err(Fault::usage(format!(
                    "no setting begins with {prefix}; `butterfly config list` shows all"
                )));
            } else {
                out.line(&render::list(&settings.settings, verbose, out.paint, out.columns()))?;
            }
            warn_of_problems(context, &settings);
        }
        ConfigCommand::Get { key, within, verbose } => {
            let setting = bus.call::<Get>(&KeyRequest { key, profile: within.profile }).await?;
            if out.json {
                out.object(&setting)?;
            } else if verbose {
                out.line(&render::details(&setting, out.paint))?;
            } else {
                out.line(&text::escaped(&setting.value))?;
            }
            warn_of_problems(context, &Settings { settings: vec![setting] });
        }
        ConfigCommand::Set { key, value, within } => {
            let moves = key == DATA_FOLDER;
            let value = if moves { absolute(&value)? } else { value };
            let before = status(&bus).await?;
            let changed = bus.call::<Set>(&SetRequest { key, value, profile: within.profile.clone() }).await?;
            finish(context, &bus, changed, within.profile.as_deref(), &before).await?;
        }
        ConfigCommand::Unset { key, within } => {
            let before = status(&bus).await?;
            let changed = bus.call::<Unset>(&KeyRequest { key, profile: within.profile.clone() }).await?;
            finish(context, &bus, changed, within.profile.as_deref(), &before).await?;
        }
        ConfigCommand::Export { file } => export(context, &bus, file.as_deref()).await?,
        ConfigCommand::Import { file, dry_run } => {
            let json = files::read_text(&file, DOCUMENT_BYTES)?;
            let before = status(&bus).await?;
            let imported = bus.call::<Import>(&ImportRequest { json, dry_run }).await?;
            for worker in &imported.restarted {
                back(&bus, worker, &before, false).await?;
            }
            show_import(context, &imported, dry_run)?;
        }
        ConfigCommand::Profiles => {
            let profiles = bus.call::<ListProfiles>(&()).await?;
            if out.json {
                out.object(&profiles)?;
            } else if profiles.profiles.is_empty() {
                out.line("there is no profile; `butterfly config set KEY VALUE --profile NAME` makes one")?;
            } else {
                out.line(&render::profiles(&profiles.profiles, out.paint))?;
            }
        }
        ConfigCommand::RemoveProfile { name } => {
            let profiles = bus.call::<RemoveProfile>(&WhichProfile { name: name.clone() }).await?;
            if out.json {
                out.object(&profiles)?;
            } else {
                out.line(&format!("the profile {} is gone", text::escaped(&name)))?;
            }
        }
    }
    Ok(Exit::Done)
}

/// A folder on the command line counts from where the person is, not from where the kernel is.
fn absolute(folder: &str) -> Result<String, Fault> {
    let path = std::path::absolute(folder)
        .map_err(|fault| Fault::usage(format!("{} is no folder: {fault}", text::escaped(folder))))?;
    path.into_os_string().into_string().map_err(|_| Fault::usage("the folder's name is no valid UTF-8"))
}

fn warn_of_problems(context: &Context, settings: &Settings) {
    for problem in settings.settings.iter().filter_map(|setting| setting.problem.as_deref()) {
        context.out.warning(problem);
    }
}

/// Says what a change came to; what is restarted for it is waited for.
async fn finish(
    context: &Context,
    bus: &Bus,
    mut changed: ChangedSetting,
    profile: Option<&str>,
    before: &Status,
) -> Result<(), Fault> {
    let out = &context.out;
    let moves = changed.setting.info.key == DATA_FOLDER && changed.restarted.is_some();
    if let Some(note) = changed.note.take_if(|_| moves) {
        out.remark(&text::escaped(&note));
    }
    if let Some(worker) = &changed.restarted {
        back(bus, worker, before, moves).await?;
    }
    if moves {
        let request = KeyRequest { key: changed.setting.info.key.clone(), profile: None };
        changed.setting = bus.call::<Get>(&request).await?;
    }
    if out.json {
        return out.object(&changed);
    }
    out.line(&render::changed(&changed.setting, profile, out.paint))?;
    if let Some(worker) = &changed.restarted {
        out.remark(&format!("the {} worker was restarted for it", text::escaped(worker)));
    }
    if let Some(note) = &changed.note {
        out.warning(note);
    }
    Ok(())
}

/// Waits until a worker has been restarted. What went wrong with it is in the kernel's warnings, or why it is held. While
/// its data moves it is stopped; elsewhere somebody stopped it, and it starts with what is set when that is wanted.
async fn back(bus: &Bus, name: &str, before: &Status, moves: bool) -> Result<(), Fault> {
    let find = |status: &Status| status.workers.iter().find(|worker| worker.name == name).cloned();
    let old = find(before).map_or(0, |worker| worker.generation);
    let wait = async {
        loop {
            let now = status(bus).await?;
            let news = now.kernel.warnings.iter().find(|warning| !before.kernel.warnings.contains(warning));
            match find(&now).map(|worker| (worker.generation, worker.state)) {
                Some((_, WorkerState::Held { reason, .. })) => {
                    return Err(Fault::new(Exit::Failed, "held", format!("the {name} worker is held: {reason}")));
                }
                Some((generation, WorkerState::Ready)) if generation <= old => {}
                Some((_, WorkerState::Stopped)) if moves => {}
                Some((_, WorkerState::Ready | WorkerState::Stopped)) | None => {
                    return match news {
                        Some(warning) => Err(Fault::failed(warning.clone())),
                        None => Ok(()),
                    };
                }
                Some((_, WorkerState::Starting | WorkerState::Draining | WorkerState::Backoff { .. })) => {}
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(if moves { MOVE } else { RESTART }, wait).await.unwrap_or_else(|_| {
        Err(Fault::failed(format!("it is set, but the {name} worker is not back yet; see `butterfly status`")))
    })
}

async fn export(context: &Context, bus: &Bus, file: Option<&Path>) -> Result<(), Fault> {
    let out = &context.out;
    let document = bus.call::<Export>(&()).await?.json;
    match file {
        None => out.raw(&text::terminal_safe_json(document))?,
        Some(path) => {
            let mut target = Beside::create(path)?;
            target.write(document.as_bytes())?;
            target.keep()?;
            out.remark(&format!("written to {}", text::escaped(&path.to_string_lossy())));
        }
    }
    // What the environment says is not stored and so not exported, which would be a surprise elsewhere.
    let settings = bus.call::<List>(&ListRequest::default()).await?.settings;
    for setting in settings.iter().filter(|setting| setting.source == Source::Environment) {
        let (name, key) = (&setting.info.env, &setting.info.key);
        out.remark(&format!("{name} decides {key} here, and is not in the document"));
    }
    Ok(())
}

fn show_import(context: &Context, imported: &Imported, dry_run: bool) -> Result<(), Fault> {
    let out = &context.out;
    if out.json {
        return out.object(&ImportView { dry_run, imported });
    }
    if imported.changes.is_empty() {
        out.line("nothing differs")?;
    } else {
        out.line(&render::changes(&imported.changes, out.paint, out.columns()))?;
    }
    if dry_run {
        out.remark("nothing was changed: this shows what would be");
    }
    for worker in &imported.restarted {
        out.remark(&format!("the {} worker was restarted for it", text::escaped(worker)));
    }
    for secret in &imported.secrets {
        let name = text::escaped(secret);
        out.remark(&format!("these settings may need the secret {name}: `butterfly secret set {name}`"));
    }
    Ok(())
}
