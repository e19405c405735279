//! What lies above a tab: noting something, correcting it, and all about one passage. And the way back to where
//! something was said.

use super::forget::{self, Forgettable};
use super::loaded::Loaded;
use super::{Effect, dates};
use crate::state::frame::{self, Toast, Tone};
use crate::state::{Effect as Outer, chat};
use butterfly_api::memory::{AddRequest, Added, Correction, Details, Fact, Facts, Forgotten, Passage};
use jiff::tz::TimeZone;

/// The longest text of one memory, in bytes, as the memory worker has it.
pub const TEXT_BYTES: usize = 64 << 10;

/// A dialog.
#[derive(Debug, Clone, PartialEq)]
pub enum Sheet {
    /// Something to be noted: its words, tags and day, as they are typed.
    Remember { text: String, tags: String, when: String },
    /// Another wording for a memory.
    Edit { passage: Box<Passage>, text: String },
    /// What holds instead of a fact, from which day on; or that it holds no more.
    Correct { fact: Box<Fact>, object: String, from: String, ended: bool },
    /// All about a passage.
    Details { id: u64 },
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    Noted(Added),
    /// Another wording is there; why the old one still is, if it is.
    Reworded {
        old: u64,
        added: Added,
        left: Option<String>,
    },
    Corrected(Facts),
}

/// Where something was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Message {
        conversation: u64,
        message: u64,
    },
    /// It was noted outside of any conversation.
    Passage(u64),
}

/// The dialogs.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct State {
    pub sheet: Option<Sheet>,
    /// What is being written, and why the last attempt failed.
    pub saving: Loaded<()>,
    /// What is wrong with what was typed.
    pub wrong: Option<String>,
    pub details: Loaded<Box<Details>>,
    /// What would go is being asked.
    pub previewing: Loaded<()>,
    /// The place where something was said is being looked for.
    pub finding: Loaded<()>,
}

/// What happens to them.
#[derive(Debug, Clone)]
pub enum Event {
    /// Note something, such as these words.
    Remember(String),
    Edit(Box<Passage>),
    Correct(Box<Fact>),
    Details(u64),
    Text(String),
    Tags(String),
    Day(String),
    Ended(bool),
    Save,
    Close,
    Saved {
        request: u64,
        result: Result<Done, String>,
    },
    Detailed {
        request: u64,
        result: Result<Box<Details>, String>,
    },
    /// Go to where this passage was said.
    Source(u64),
    SourceFound {
        request: u64,
        result: Result<Place, String>,
    },
    Forget(Forgettable),
    Previewed {
        request: u64,
        what: Forgettable,
        result: Result<Forgotten, String>,
    },
    ForgetAgreed(Forgettable),
    Forgotten {
        what: Forgettable,
        result: Result<Forgotten, String>,
    },
}

impl State {
    /// Changes the state by what happened, and says what is to be done.
    pub(super) fn reduce(&mut self, event: Event) -> Vec<Outer> {
        match event {
            Event::Remember(text) => self.open(Sheet::Remember { text, tags: String::new(), when: String::new() }),
            Event::Edit(passage) => self.open(Sheet::Edit { text: passage.text.clone(), passage }),
            Event::Correct(fact) => {
                self.open(Sheet::Correct { object: fact.object.clone(), fact, from: String::new(), ended: false });
            }
            Event::Details(id) => {
                self.open(Sheet::Details { id });
                self.details.clear();
                return vec![Outer::Memory(Effect::Details { request: self.details.ask(), id })];
            }
            Event::Text(typed) => match &mut self.sheet {
                Some(Sheet::Remember { text, .. } | Sheet::Edit { text, .. }) => *text = typed,
                Some(Sheet::Correct { object, .. }) => *object = typed,
                Some(Sheet::Details { .. }) | None => {}
            },
            Event::Tags(typed) => {
                if let Some(Sheet::Remember { tags, .. }) = &mut self.sheet {
                    *tags = typed;
                }
            }
            Event::Day(typed) => match &mut self.sheet {
                Some(Sheet::Remember { when: day, .. } | Sheet::Correct { from: day, .. }) => *day = typed,
                Some(Sheet::Edit { .. } | Sheet::Details { .. }) | None => {}
            },
            Event::Ended(chosen) => {
                if let Some(Sheet::Correct { ended, .. }) = &mut self.sheet {
                    *ended = chosen;
                }
            }
            Event::Save => return self.save(),
            Event::Close => self.sheet = None,
            Event::Saved { request, result } => return self.saved(request, result),
            Event::Detailed { request, result } => {
                self.details.answer(request, result);
            }
            Event::Source(id) => return vec![Outer::Memory(Effect::Source { request: self.finding.ask(), id })],
            Event::SourceFound { request, result } => return self.source_found(request, result),
            Event::Forget(what) => {
                return vec![Outer::Memory(Effect::Preview { request: self.previewing.ask(), what })];
            }
            Event::Previewed { request, what, result } => return self.previewed(request, &what, result),
            Event::ForgetAgreed(what) => return vec![Outer::Memory(Effect::Forget { what })],
            Event::Forgotten { what, result } => return self.forgotten(what, &result),
        }
        Vec::new()
    }

    fn open(&mut self, sheet: Sheet) {
        self.sheet = Some(sheet);
        self.saving.clear();
        self.wrong = None;
    }

    /// Whether what is in the dialog can be written.
    #[must_use]
    pub fn can_save(&self) -> bool {
        let typed = match &self.sheet {
            Some(Sheet::Remember { text, .. }) => !text.trim().is_empty(),
            Some(Sheet::Edit { passage, text }) => !text.trim().is_empty() && text.trim() != passage.text.trim(),
            Some(Sheet::Correct { fact, object, ended, .. }) => {
                *ended || (!object.trim().is_empty() && object.trim() != fact.object.trim())
            }
            Some(Sheet::Details { .. }) | None => false,
        };
        typed && !self.saving.is_loading()
    }

    fn save(&mut self) -> Vec<Outer> {
        if !self.can_save() {
            return Vec::new();
        }
        let Some(sheet) = &self.sheet else { return Vec::new() };
        match written(sheet) {
            Ok(Some(write)) => {
                self.wrong = None;
                vec![Outer::Memory(Effect::Write { request: self.saving.ask(), write })]
            }
            Ok(None) => Vec::new(),
            Err(wrong) => {
                self.wrong = Some(wrong);
                Vec::new()
            }
        }
    }

    fn saved(&mut self, request: u64, result: Result<Done, String>) -> Vec<Outer> {
        let here = self.saving.waits_for(request);
        self.saving.answer(request, result.as_ref().map(|_| ()).map_err(Clone::clone));
        match result {
            Ok(done) => {
                if here {
                    self.sheet = None;
                }
                vec![Outer::toast(told(done)), Outer::then(super::Event::Wrote)]
            }
            // The dialog says it, where it is still open.
            Err(_) if here && self.sheet.is_some() => Vec::new(),
            Err(why) => vec![Outer::toast(Toast::new(Tone::Danger, format!("It was not saved: {why}")))],
        }
    }

    fn source_found(&mut self, request: u64, result: Result<Place, String>) -> Vec<Outer> {
        if !self.finding.answer(request, result.as_ref().map(|_| ()).map_err(Clone::clone)) {
            return Vec::new();
        }
        match result {
            Ok(Place::Message { conversation, message }) => {
                self.sheet = None;
                vec![
                    Outer::then(frame::Event::Show("chat")),
                    Outer::then(chat::Event::Open { conversation, message: Some(message) }),
                ]
            }
            Ok(Place::Passage(id)) => vec![Outer::then(Event::Details(id))],
            Err(why) => {
                vec![Outer::toast(Toast::new(Tone::Danger, format!("Where it was said was not found: {why}")))]
            }
        }
    }

    fn previewed(&mut self, request: u64, what: &Forgettable, result: Result<Forgotten, String>) -> Vec<Outer> {
        if !self.previewing.answer(request, result.as_ref().map(|_| ()).map_err(Clone::clone)) {
            return Vec::new();
        }
        match result {
            Ok(goes) => match forget::question(what, &goes) {
                Some(question) => vec![Outer::then(frame::Event::Ask(question))],
                None => vec![
                    Outer::toast(Toast::new(Tone::Info, "It was forgotten already.")),
                    Outer::then(super::Event::Gone { passages: what.passages.clone(), facts: what.facts.clone() }),
                ],
            },
            Err(why) => {
                vec![Outer::toast(Toast::new(Tone::Danger, format!("What would be forgotten is not known: {why}")))]
            }
        }
    }

    fn forgotten(&mut self, what: Forgettable, result: &Result<Forgotten, String>) -> Vec<Outer> {
        let mut effects = Vec::new();
        if let Ok(gone) = result {
            let passages: Vec<u64> =
                gone.passages.iter().map(|passage| passage.id).chain(what.passages.iter().copied()).collect();
            let facts = gone.facts.iter().map(|fact| fact.id).chain(what.facts.iter().copied()).collect();
            if matches!(&self.sheet, Some(Sheet::Details { id }) if passages.contains(id)) {
                self.sheet = None;
            }
            effects.push(Outer::then(super::Event::Gone { passages, facts }));
        }
        effects.push(Outer::toast(forget::outcome(what, result)));
        effects
    }
}

/// What is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    Note(AddRequest),
    /// Note the new wording, then forget the old one.
    Reword {
        old: u64,
        add: AddRequest,
    },
    Correct(Correction),
}

/// What a dialog asks to be written.
fn written(sheet: &Sheet) -> Result<Option<Write>, String> {
    let zone = TimeZone::system();
    let fits = |text: &str| {
        if text.len() <= TEXT_BYTES {
            return Ok(text.to_owned());
        }
        Err(format!("One memory holds at most 64 KiB, and this has {} KiB; note it in parts.", text.len() >> 10))
    };
    Ok(Some(match sheet {
        Sheet::Remember { text, tags, when } => Write::Note(AddRequest {
            text: fits(text.trim())?,
            tags: tags.split([' ', ',', ';']).map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect(),
            at_unix_ms: dates::beginning_of(when, &zone)?,
            ..AddRequest::default()
        }),
        Sheet::Edit { passage, text } => Write::Reword {
            old: passage.id,
            add: AddRequest {
                text: fits(text.trim())?,
                speaker: passage.speaker.clone(),
                tags: passage.tags.clone(),
                conversation: passage.conversation_id,
                source: passage.source,
                at_unix_ms: Some(passage.at_unix_ms),
            },
        },
        Sheet::Correct { fact, object, from, ended } => Write::Correct(Correction {
            fact: fact.id,
            object: if *ended { String::new() } else { object.trim().to_owned() },
            from_unix_ms: dates::beginning_of(from, &zone)?,
        }),
        Sheet::Details { .. } => return Ok(None),
    }))
}

/// What is told about what was written.
fn told(done: Done) -> Toast {
    match done {
        Done::Noted(Added { id, known: true, .. }) => {
            Toast::new(Tone::Info, "It was known already.").with("Show", Event::Details(id))
        }
        Done::Noted(Added { id, facts, .. }) => {
            let facts = match facts.len() {
                0 => String::new(),
                number => format!(", and {} taken from it", forget::count(number, "fact")),
            };
            Toast::new(Tone::Success, format!("Remembered{facts}.")).with("Show", Event::Details(id))
        }
        Done::Reworded { added, left: None, .. } => {
            Toast::new(Tone::Success, "The memory has its new wording.").with("Show", Event::Details(added.id))
        }
        Done::Reworded { old, added, left: Some(why) } => Toast::new(
            Tone::Warning,
            format!("The new wording is noted as #{}, and the old one is still there: {why}", added.id),
        )
        .with("Forget the old one", Event::ForgetAgreed(Forgettable::passage(old))),
        Done::Corrected(Facts { facts }) => {
            // The new fact stands first, the corrected one last.
            let text = match facts.as_slice() {
                [new, _, ..] => format!("Corrected: {}.", forget::sentence(new)),
                _ => "The fact holds no more; it stays for looks into the past.".to_owned(),
            };
            Toast::new(Tone::Success, text)
        }
    }
}

#[cfg(test)]
#[path = "sheet_tests.rs"]
mod tests;
