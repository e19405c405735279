//! The traits over SQLite: each method is one transaction of [`crate::Store`].

use crate::database::Store;
use crate::error::StoreError;
use crate::search::words::Frequent;
use crate::storage::{Configuration, Edit, Graph, Kept, Memories, Note, Statement, Stored, Transcripts, Written};
use crate::transcripts::{self, document::Document, export, id, reading, row, saving, turns};
use crate::{facts, graph, passages, settings};
use butterfly_api::conversations::{
    Begin, Begun, BranchRequest, Conversation, ConversationPage, Format, Hits, Imported, ListRequest, Save,
    SearchRequest, ShowRequest, Transcript, Update,
};
use butterfly_api::memory::{Correction, Fact, Facts, FactsRequest, GraphRequest, GraphView, Passage, Passages};

impl Transcripts for Store {
    fn begin(&self, request: &Begin, now_ms: i64) -> Result<Begun, StoreError> {
        self.write(|db| turns::begin(db, request, now_ms))
    }

    fn save(&self, request: &Save, provenance: u16, now_ms: i64) -> Result<Kept, StoreError> {
        self.write(|db| saving::save(db, request, provenance, now_ms))
    }

    fn recover(&self) -> Result<(Vec<u64>, u32), StoreError> {
        self.write(|db| saving::interrupt(db, None))
    }

    fn conversations(&self, request: &ListRequest) -> Result<ConversationPage, StoreError> {
        self.read(|db| transcripts::conversations::list(db, request))
    }

    fn transcript(&self, request: &ShowRequest) -> Result<Transcript, StoreError> {
        self.read(|db| reading::show(db, request))
    }

    fn find(&self, request: &SearchRequest, frequent: &Frequent) -> Result<Hits, StoreError> {
        self.read(|db| transcripts::search::search(db, request, frequent))
    }

    fn change(&self, request: &Update) -> Result<Conversation, StoreError> {
        self.write(|db| transcripts::conversations::update(db, request))
    }

    fn branch(&self, request: BranchRequest) -> Result<Conversation, StoreError> {
        self.write(|db| {
            let conversation = transcripts::branches::switch(db, request.message)?;
            transcripts::conversations::one(db, conversation)
        })
    }

    fn trash(&self, conversation: u64, now_ms: i64) -> Result<Conversation, StoreError> {
        self.write(|db| transcripts::conversations::trash(db, conversation, now_ms))
    }

    fn untrash(&self, conversation: u64) -> Result<Conversation, StoreError> {
        self.write(|db| transcripts::conversations::restore(db, conversation))
    }

    fn write_down(&self, conversation: u64, format: Format) -> Result<Written, StoreError> {
        match format {
            Format::Json => {
                let document = self.read(|db| export::document(db, conversation))?;
                let messages = u32::try_from(document.messages.len()).unwrap_or(u32::MAX);
                Ok(Written { text: document.text()?, messages })
            }
            Format::Markdown => {
                let (text, messages) = self.read(|db| export::markdown(db, conversation))?;
                Ok(Written { text, messages })
            }
        }
    }

    fn read_back(&self, document: &[u8]) -> Result<Imported, StoreError> {
        let document = Document::parse(document)?;
        self.write(|db| export::import(db, &document))
    }
}

impl Memories for Store {
    fn note(&self, note: &Note) -> Result<(u64, bool), StoreError> {
        let (passage, known) = self.write(|db| passages::add(db, note))?;
        Ok((id(passage), known))
    }

    fn passage(&self, id: u64) -> Result<Passage, StoreError> {
        Ok(self.read(|db| passages::one(db, id))?.passage())
    }

    fn passages(&self, request: &butterfly_api::memory::ListRequest) -> Result<Passages, StoreError> {
        self.read(|db| passages::list(db, request))
    }
}

impl Graph for Store {
    fn state(&self, statement: &Statement, source: u64, now_ms: i64) -> Result<Fact, StoreError> {
        Ok(self.write(|db| facts::record(db, statement, row(source), now_ms))?.fact)
    }

    fn held(&self, request: &FactsRequest, now_ms: i64) -> Result<Facts, StoreError> {
        self.read(|db| facts::list(db, request, now_ms))
    }

    fn correct(&self, correction: &Correction, now_ms: i64) -> Result<Facts, StoreError> {
        self.write(|db| facts::correct(db, correction, now_ms))
    }

    fn around(&self, request: &GraphRequest) -> Result<GraphView, StoreError> {
        self.read(|db| graph::view(db, request))
    }
}

impl Configuration for Store {
    fn settings(&self) -> Result<Stored, StoreError> {
        self.read(settings::load)
    }

    fn edit(&self, edits: &[Edit]) -> Result<(), StoreError> {
        self.write(|db| settings::apply(db, edits))
    }
}
