//! Taking settings along: export to a file, and import with a look at the difference before anything is changed.

use super::{Effect as Outermost, Event as Up, failed, title};
use crate::state::frame::{Toast, Tone};
use crate::state::{Effect as Outer, System};
use butterfly_api::config::{Change, Imported};
use std::fmt;

/// Settings as JSON. It should name secrets only, but whoever wrote it may have erred: so nothing prints it.
#[derive(Default, Clone, PartialEq, Eq)]
pub struct Document(String);

impl Document {
    #[must_use]
    pub fn new(json: String) -> Self {
        Self(json)
    }

    #[must_use]
    pub fn json(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "[document of {} bytes]", self.0.len())
    }
}

/// How an import stands.
#[derive(Debug, Default, Clone, PartialEq)]
pub enum Import {
    #[default]
    None,
    /// A file is being chosen, or a text pasted.
    Choosing {
        pasted: Document,
        error: Option<String>,
    },
    /// What it would change is being found out.
    Reading {
        request: u64,
    },
    /// What it would change.
    Preview {
        document: Document,
        origin: String,
        changes: Vec<Change>,
        secrets: Vec<String>,
    },
    Importing,
}

/// Export and import.
#[derive(Debug, Default, Clone)]
pub struct State {
    pub import: Import,
    pub exporting: bool,
    request: u64,
}

/// What a document would change.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    pub document: Document,
    /// Where it comes from, such as a file's name.
    pub origin: String,
    pub imported: Imported,
}

/// What is needed to take an import back.
#[derive(Debug, Clone, PartialEq)]
pub struct Before {
    pub document: Document,
    /// Profiles that were not there.
    pub profiles: Vec<String>,
}

/// What happens to export and import.
#[derive(Debug, Clone)]
pub enum Event {
    /// To a file that the person chooses.
    Export,
    /// `None`: the person chose no file.
    Exported {
        result: Result<Option<String>, String>,
    },
    /// To the clipboard.
    CopyExport,
    Copied {
        result: Result<Document, String>,
    },
    /// The person wants to import something.
    Import,
    ChooseFile,
    Pasted(Document),
    /// What was pasted is to be looked at.
    Preview,
    Previewed {
        request: u64,
        result: Result<Option<Preview>, String>,
    },
    /// The difference is as wanted.
    Agree,
    Cancel,
    Imported {
        result: Result<(Imported, Before), String>,
    },
    Undo(Before),
    Undone {
        result: Result<(), String>,
    },
}

/// What export and import need from outside.
#[derive(Debug, Clone)]
pub enum Effect {
    Export,
    CopyExport,
    /// Has the person choose a file, and finds out what it would change.
    PreviewFile {
        request: u64,
    },
    Preview {
        request: u64,
        document: Document,
    },
    Import {
        document: Document,
    },
    Undo(Before),
}

fn effect(effect: Effect) -> Vec<Outer> {
    vec![Outermost::Transfer(effect).into()]
}

impl State {
    pub(super) fn reduce(&mut self, event: Event) -> Vec<Outer> {
        match event {
            Event::Export => {
                self.exporting = true;
                effect(Effect::Export)
            }
            Event::Exported { result } => {
                self.exporting = false;
                match result {
                    Ok(None) => Vec::new(),
                    Ok(Some(file)) => {
                        vec![Outer::toast(Toast::new(Tone::Success, format!("The settings are in {file}.")))]
                    }
                    Err(why) => vec![failed("The settings were not exported", &why)],
                }
            }
            Event::CopyExport => effect(Effect::CopyExport),
            Event::Copied { result } => match result {
                Ok(document) => vec![Outer::System(System::Copy(document.0))],
                Err(why) => vec![failed("The settings were not copied", &why)],
            },
            Event::Import => {
                self.import = Import::Choosing { pasted: Document::default(), error: None };
                Vec::new()
            }
            Event::Pasted(document) => {
                if let Import::Choosing { pasted, error } = &mut self.import {
                    *pasted = document;
                    *error = None;
                }
                Vec::new()
            }
            Event::ChooseFile => {
                let request = self.read();
                effect(Effect::PreviewFile { request })
            }
            Event::Preview => match std::mem::take(&mut self.import) {
                Import::Choosing { pasted, .. } if !pasted.0.trim().is_empty() => {
                    let request = self.read();
                    effect(Effect::Preview { request, document: pasted })
                }
                other => {
                    self.import = other;
                    Vec::new()
                }
            },
            Event::Previewed { request, result } => {
                // The person may have closed it, or begun anew.
                if self.import == (Import::Reading { request }) {
                    self.import = match result {
                        Ok(None) => Import::Choosing { pasted: Document::default(), error: None },
                        Ok(Some(Preview { document, origin, imported })) => {
                            Import::Preview { document, origin, changes: imported.changes, secrets: imported.secrets }
                        }
                        Err(why) => Import::Choosing { pasted: Document::default(), error: Some(why) },
                    };
                }
                Vec::new()
            }
            Event::Agree => match std::mem::take(&mut self.import) {
                Import::Preview { document, .. } => {
                    self.import = Import::Importing;
                    effect(Effect::Import { document })
                }
                other => {
                    self.import = other;
                    Vec::new()
                }
            },
            Event::Cancel => {
                // What is being stored is stored as a whole.
                if self.import != Import::Importing {
                    self.import = Import::None;
                }
                Vec::new()
            }
            Event::Imported { result } => match result {
                Ok((imported, before)) => {
                    self.import = Import::None;
                    let undo = Up::Transfer(Event::Undo(before));
                    vec![Outer::toast(Toast::new(Tone::Success, told(&imported)).with("Undo", undo))]
                }
                Err(why) => {
                    self.import = Import::Choosing { pasted: Document::default(), error: Some(why) };
                    Vec::new()
                }
            },
            Event::Undo(before) => effect(Effect::Undo(before)),
            Event::Undone { result } => match result {
                Ok(()) => {
                    vec![Outer::toast(Toast::new(Tone::Info, "The settings are as they were before the import."))]
                }
                Err(why) => vec![failed("The import was not taken back", &why)],
            },
        }
    }

    fn read(&mut self) -> u64 {
        self.request += 1;
        self.import = Import::Reading { request: self.request };
        self.request
    }
}

fn told(imported: &Imported) -> String {
    let mut text = match imported.changes.len() {
        1 => "One setting was imported.".to_owned(),
        count => format!("{count} settings were imported."),
    };
    for worker in &imported.restarted {
        text.push_str(&format!(" The {worker} worker is restarted for it."));
    }
    text
}

/// A change's key, as people read it.
#[must_use]
pub fn name(change: &Change) -> String {
    match &change.profile {
        Some(profile) => format!("{} in {profile}", title::of(&change.key)),
        None => title::of(&change.key),
    }
}

/// The number of days that an import sets after which things are deleted, where none or a longer time held before.
#[must_use]
pub fn deletes(changes: &[Change]) -> Option<u64> {
    let days = |text: &Option<String>| text.as_ref()?.parse::<u64>().ok().filter(|days| *days > 0);
    let change = changes.iter().find(|change| change.key == super::field::RETENTION)?;
    days(&change.after).filter(|after| days(&change.before).is_none_or(|before| *after < before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_that_deletes_says_so() {
        let change = |before: Option<&str>, after: Option<&str>| {
            let key = "memory.retention_days".to_owned();
            [Change { key, profile: None, before: before.map(str::to_owned), after: after.map(str::to_owned) }]
        };
        assert_eq!(deletes(&change(None, Some("90"))), Some(90));
        assert_eq!(deletes(&change(Some("0"), Some("90"))), Some(90));
        assert_eq!(deletes(&change(Some("91"), Some("90"))), Some(90));
        for (before, after) in
            [(Some("90"), Some("91")), (Some("90"), Some("0")), (Some("90"), None), (None, Some("0"))]
        {
            assert_eq!(deletes(&change(before, after)), None, "{before:?} {after:?}");
        }
    }
}
