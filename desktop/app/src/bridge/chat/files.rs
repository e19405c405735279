//! Files that the person names: text that is quoted, conversations that are written down.

use super::super::Port;
use crate::state::chat::Event;
use crate::state::chat::composer::{QUOTE_LIMIT, as_text, too_large};
use butterfly_api::Chunk;
use butterfly_api::conversations::{Export, ExportRequest, Exported, Format};
use butterfly_client::Next;
use std::io;
use std::path::{Path, PathBuf};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Characters of a title in a file's name.
const NAME: usize = 60;

/// Asks for a text file and reads it.
pub async fn pick(port: &Port) {
    if !has_dialogs() {
        let why = "This desktop offers no dialog to choose a file with; drop the file on the window instead.";
        return port.emit(Event::NotQuoted(why.to_owned()));
    }
    let chosen = rfd::AsyncFileDialog::new().set_title("Quote a text file").pick_file().await;
    if let Some(file) = chosen {
        read(port, file.path()).await;
    }
}

/// Reads a text file that is to be quoted.
pub async fn read(port: &Port, path: &Path) {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    port.emit(match text(path, &name).await {
        Ok(text) => Event::Quoted { name, text },
        Err(why) => Event::NotQuoted(why),
    });
}

async fn text(path: &Path, name: &str) -> Result<String, String> {
    let unreadable = |fault: io::Error| format!("“{name}” was not quoted, because it cannot be read: {fault}.");
    let about = tokio::fs::metadata(path).await.map_err(unreadable)?;
    // A pipe or a device may never end.
    if !about.is_file() {
        return Err(format!("“{name}” was not quoted, because it is no file; drop a text file."));
    }
    if about.len() > QUOTE_LIMIT {
        return Err(too_large(name, about.len()));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).await.map_err(unreadable)?;
    file.take(QUOTE_LIMIT + 1).read_to_end(&mut bytes).await.map_err(unreadable)?;
    as_text(name, bytes)
}

/// Asks where to, and writes a conversation down. The file is there only once it is whole.
pub async fn export(port: &Port, conversation: u64, title: &str, format: Format) {
    let (extension, kind) = match format {
        Format::Json => ("json", "JSON"),
        Format::Markdown => ("md", "Markdown"),
    };
    let proposed = format!("{}.{extension}", file_name(title));
    let path = if has_dialogs() {
        let dialog = rfd::AsyncFileDialog::new()
            .set_title("Export the conversation")
            .add_filter(kind, &[extension])
            .set_file_name(&proposed);
        let Some(chosen) = dialog.save_file().await else { return };
        chosen.path().to_owned()
    } else {
        free(&downloads(), &proposed)
    };
    let name = path.display().to_string();
    port.emit(match write(port, &path, ExportRequest { conversation, format }).await {
        Ok(exported) => Event::Exported { name, messages: exported.messages },
        Err(why) => Event::Failed(format!("The conversation was not exported to “{name}”: {why}.")),
    });
}

async fn write(port: &Port, path: &Path, request: ExportRequest) -> Result<Exported, String> {
    let words = |fault: io::Error| fault.to_string();
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let mut file = File::options().write(true).create_new(true).open(&beside).await.map_err(words)?;
    let written = async {
        let mut stream = port.bus().stream::<Export>(&request).await.map_err(|failure| failure.message)?;
        loop {
            match stream.next().await.map_err(|failure| failure.message)? {
                Next::Item(Chunk { bytes }) => file.write_all(&bytes).await.map_err(words)?,
                Next::End(end) => break file.sync_all().await.map(|()| end).map_err(words),
            }
        }
    };
    let result = match written.await {
        Ok(end) => tokio::fs::rename(&beside, path).await.map(|()| end).map_err(words),
        Err(why) => Err(why),
    };
    if result.is_err() {
        // What is left of it is of no use; that it cannot be removed changes nothing.
        let _ = tokio::fs::remove_file(&beside).await;
    }
    result.map_err(|why| why.trim_end_matches('.').to_owned())
}

/// Whether there is somebody to show a dialog: on Linux they are another program's, which is reached over D-Bus.
fn has_dialogs() -> bool {
    !cfg!(target_os = "linux") || std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some()
}

/// Where files go that nobody was asked about.
fn downloads() -> PathBuf {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let downloads = home.join("Downloads");
    if downloads.is_dir() { downloads } else { home }
}

/// A name that nothing has in this folder: the proposed one, or that with a number.
fn free(folder: &Path, proposed: &str) -> PathBuf {
    let (stem, extension) = proposed.rsplit_once('.').unwrap_or((proposed, ""));
    let numbered = (2..).map(|number| folder.join(format!("{stem} {number}.{extension}")));
    let mut names = std::iter::once(folder.join(proposed)).chain(numbered);
    names.find(|path| !path.exists()).unwrap_or_else(|| folder.join(proposed))
}

/// A title as a file may be called on any system.
fn file_name(title: &str) -> String {
    let allowed = |it: char| if it.is_alphanumeric() || matches!(it, ' ' | '-' | '_') { it } else { ' ' };
    let cleaned: String = title.chars().map(allowed).take(NAME).collect();
    let name = cleaned.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() { "conversation".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_becomes_a_name_that_leads_nowhere_else() {
        assert_eq!(file_name("../../etc/passwd"), "etc passwd");
        assert_eq!(file_name("What is 1 < 2?"), "What is 1 2");
        assert_eq!(file_name("日本の旅"), "日本の旅");
        assert_eq!(file_name("\u{202e}\0"), "conversation");
        assert_eq!(file_name(&"x".repeat(500)).len(), NAME);
    }

    #[test]
    fn nothing_that_is_there_is_written_over_unasked() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(free(folder.path(), "a.md"), folder.path().join("a.md"));
        std::fs::write(folder.path().join("a.md"), "").unwrap();
        std::fs::write(folder.path().join("a 2.md"), "").unwrap();
        assert_eq!(free(folder.path(), "a.md"), folder.path().join("a 3.md"));
    }

    #[tokio::test]
    async fn what_is_no_file_or_too_large_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let refused = text(folder.path(), "folder").await.unwrap_err();
        assert!(refused.contains("no file"), "{refused}");
        let path = folder.path().join("a.txt");
        std::fs::write(&path, "x".repeat(100 << 10)).unwrap();
        assert!(text(&path, "a.txt").await.unwrap_err().contains("100 KiB"));
        std::fs::write(&path, "one\n").unwrap();
        assert_eq!(text(&path, "a.txt").await.unwrap(), "one\n");
        assert!(text(&folder.path().join("gone"), "gone").await.unwrap_err().contains("cannot be read"));
    }
}
