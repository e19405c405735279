//! Export and import: the files and their dialogs, which the desktop around the app shows.

use super::words;
use crate::bridge::Port;
use crate::state::settings::Event;
use crate::state::settings::transfer::{self, Before, Document, Effect, Preview};
use butterfly_api::config::{Export, Import, ImportRequest, Imported, ListProfiles, RemoveProfile, WhichProfile};
use butterfly_client::Bus;
use butterfly_wire::Failure;
use butterfly_wire::frame::FRAME_LIMIT;
use rfd::{AsyncFileDialog, FileHandle};
use std::path::Path;
use tokio::io::AsyncReadExt;

/// A document must fit one message, with its envelope.
const DOCUMENT_BYTES: usize = FRAME_LIMIT - 4096;

pub(super) async fn perform(port: Port, effect: Effect) {
    let bus = port.bus();
    let event = match effect {
        Effect::Export => transfer::Event::Exported { result: export(bus).await },
        Effect::CopyExport => {
            let result = bus.call::<Export>(&()).await.map(|document| Document::new(document.json)).map_err(words);
            transfer::Event::Copied { result }
        }
        Effect::PreviewFile { request } => {
            transfer::Event::Previewed { request, result: preview_file(bus).await.transpose() }
        }
        Effect::Preview { request, document } => {
            let result = preview(bus, document, "the clipboard".to_owned()).await.map(Some);
            transfer::Event::Previewed { request, result }
        }
        Effect::Import { document } => {
            transfer::Event::Imported { result: import(bus, &document).await.map_err(words) }
        }
        Effect::Undo(before) => transfer::Event::Undone { result: undo(bus, before).await.map_err(words) },
    };
    port.emit(Event::Transfer(event));
}

fn dialog(title: &str) -> AsyncFileDialog {
    AsyncFileDialog::new().set_title(title).add_filter("Settings", &["json"])
}

/// The name of the file that it wrote; `None` where the person chose none.
async fn export(bus: &Bus) -> Result<Option<String>, String> {
    let document = bus.call::<Export>(&()).await.map_err(words)?;
    let chosen = dialog("Export settings").set_file_name("butterfly-settings.json").save_file().await;
    let Some(file) = chosen else { return Ok(None) };
    let shown = file.path().display().to_string();
    file.write(document.json.as_bytes()).await.map_err(|fault| format!("{shown} could not be written ({fault})"))?;
    Ok(Some(shown))
}

async fn preview_file(bus: &Bus) -> Option<Result<Preview, String>> {
    let file = dialog("Import settings").pick_file().await?;
    let text = match read(&file).await {
        Ok(text) => text,
        Err(why) => return Some(Err(why)),
    };
    Some(preview(bus, Document::new(text), file.file_name()).await)
}

async fn read(file: &FileHandle) -> Result<String, String> {
    let path: &Path = file.path();
    let name = path.display();
    let limit = u64::try_from(DOCUMENT_BYTES).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let opened = tokio::fs::File::open(path).await.map_err(|fault| format!("{name} could not be read ({fault})"))?;
    opened
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .await
        .map_err(|fault| format!("{name} could not be read ({fault})"))?;
    if bytes.len() > DOCUMENT_BYTES {
        return Err(format!("{name} is larger than any export of settings; choose what an export wrote"));
    }
    String::from_utf8(bytes).map_err(|_| format!("{name} is no text; choose what an export wrote"))
}

async fn preview(bus: &Bus, document: Document, origin: String) -> Result<Preview, String> {
    if document.json().len() > DOCUMENT_BYTES {
        return Err("that is more than any export of settings; paste what an export wrote".to_owned());
    }
    let request = ImportRequest { json: document.json().to_owned(), dry_run: true };
    let imported = bus.call::<Import>(&request).await.map_err(words)?;
    Ok(Preview { document, origin, imported })
}

async fn import(bus: &Bus, document: &Document) -> Result<(Imported, Before), Failure> {
    let before = Document::new(bus.call::<Export>(&()).await?.json);
    let known = names(bus).await?;
    let imported = bus.call::<Import>(&ImportRequest { json: document.json().to_owned(), dry_run: false }).await?;
    let profiles = names(bus).await?.into_iter().filter(|name| !known.contains(name)).collect();
    Ok((imported, Before { document: before, profiles }))
}

async fn undo(bus: &Bus, before: Before) -> Result<(), Failure> {
    let json = before.document.json().to_owned();
    bus.call::<Import>(&ImportRequest { json, dry_run: false }).await?;
    for name in before.profiles {
        bus.call::<RemoveProfile>(&WhichProfile { name }).await?;
    }
    Ok(())
}

async fn names(bus: &Bus) -> Result<Vec<String>, Failure> {
    let profiles = bus.call::<ListProfiles>(&()).await?.profiles;
    Ok(profiles.into_iter().map(|profile| profile.name).collect())
}
