//! The service `conversations`: what was said goes into the store, and everybody who follows hears of it.
//!
//! It does *not* decide what is said, by whom or to which model; that is the agent loop's.

use crate::core::{Core, blocking};
use butterfly_api::Chunk;
use butterfly_api::conversations::{
    Begin, Begun, BranchRequest, Changed, Conversation, ConversationPage, Conversations, ExportRequest, Exported, Hits,
    Imported, ListRequest, Recovered, Save, Saved, SearchRequest, ShowRequest, Transcript, Update, Which,
};
use butterfly_client::{Call, Inlet, Outlet};
use butterfly_store::StoreError;
use butterfly_store::facts::now_ms;
use butterfly_store::search::words::Frequent;
use butterfly_store::storage::Transcripts;
use butterfly_store::transcripts::document::DOCUMENT_BYTES;
use butterfly_wire::catalog::{self, topic};
use butterfly_wire::{ErrorCode, Failure};
use std::sync::Arc;

/// Bytes of one chunk of a file: a stream's item (64 KiB) without its envelope.
pub const CHUNK_BYTES: usize = butterfly_wire::frame::CHUNK_LIMIT - 64;

/// Serves transcripts.
pub struct Service {
    core: Arc<Core>,
    transcripts: Arc<dyn Transcripts>,
    frequent: Arc<Frequent>,
}

impl Service {
    #[must_use]
    pub fn new(core: Arc<Core>, transcripts: Arc<dyn Transcripts>) -> Self {
        Self { core, transcripts, frequent: Arc::default() }
    }

    /// Runs work on the transcripts off the event loop.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Transcripts) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Failure> {
        let transcripts = Arc::clone(&self.transcripts);
        blocking(move || work(&*transcripts)).await
    }

    /// The same for work that stores something.
    async fn store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Transcripts) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Failure> {
        let done = self.run(work).await;
        self.core.stored();
        done
    }

    /// Tells whoever follows. Nobody's work depends on it: a conversation says what it is when it is asked.
    async fn changed(&self, conversation: u64) {
        let Some(bus) = self.core.bus() else { return };
        let event = Changed { conversation };
        let sent = bus.publish(catalog::conversations::ID, topic::CONVERSATION_CHANGED, &event).await;
        if let Err(failure) = sent {
            tracing::warn!("a change of a conversation could not be announced: {failure}");
        }
    }

    async fn change(
        &self,
        work: impl FnOnce(&dyn Transcripts) -> Result<Conversation, StoreError> + Send + 'static,
    ) -> Result<Conversation, Failure> {
        let conversation = self.store(work).await?;
        self.changed(conversation.id).await;
        Ok(conversation)
    }
}

impl Conversations for Service {
    async fn begin(&self, _: Call, request: Begin) -> Result<Begun, Failure> {
        let begun = self.store(move |transcripts| transcripts.begin(&request, now_ms())).await?;
        self.changed(begun.conversation).await;
        Ok(begun)
    }

    async fn save(&self, call: Call, request: Save) -> Result<Saved, Failure> {
        let provenance = call.provenance().0;
        let kept = self.store(move |transcripts| transcripts.save(&request, provenance, now_ms())).await?;
        self.changed(kept.conversation).await;
        Ok(Saved { message: kept.message })
    }

    async fn recover(&self, _: Call, (): ()) -> Result<Recovered, Failure> {
        let (conversations, interrupted) = self.store(|transcripts| transcripts.recover()).await?;
        for conversation in conversations {
            self.changed(conversation).await;
        }
        Ok(Recovered { interrupted })
    }

    async fn list(&self, _: Call, request: ListRequest) -> Result<ConversationPage, Failure> {
        self.run(move |transcripts| transcripts.conversations(&request)).await
    }

    async fn show(&self, _: Call, request: ShowRequest) -> Result<Transcript, Failure> {
        self.run(move |transcripts| transcripts.transcript(&request)).await
    }

    async fn search(&self, _: Call, request: SearchRequest) -> Result<Hits, Failure> {
        let frequent = Arc::clone(&self.frequent);
        self.run(move |transcripts| transcripts.find(&request, &frequent)).await
    }

    async fn update(&self, _: Call, request: Update) -> Result<Conversation, Failure> {
        self.change(move |transcripts| transcripts.change(&request)).await
    }

    async fn branch(&self, _: Call, request: BranchRequest) -> Result<Conversation, Failure> {
        self.change(move |transcripts| transcripts.branch(request)).await
    }

    async fn delete(&self, _: Call, request: Which) -> Result<Conversation, Failure> {
        self.change(move |transcripts| transcripts.trash(request.conversation, now_ms())).await
    }

    async fn restore(&self, _: Call, request: Which) -> Result<Conversation, Failure> {
        self.change(move |transcripts| transcripts.untrash(request.conversation)).await
    }

    async fn export(&self, _: Call, request: ExportRequest, mut out: Outlet<Chunk>) -> Result<Exported, Failure> {
        let written = self.run(move |transcripts| transcripts.write_down(request.conversation, request.format)).await?;
        for bytes in written.text.as_bytes().chunks(CHUNK_BYTES) {
            out.send(&Chunk { bytes: bytes.to_vec() }).await?;
        }
        let bytes = u64::try_from(written.text.len()).unwrap_or(u64::MAX);
        Ok(Exported { messages: written.messages, bytes })
    }

    async fn import(&self, _: Call, (): (), mut chunks: Inlet<Chunk>) -> Result<Imported, Failure> {
        let mut document = Vec::new();
        while let Some(chunk) = chunks.next().await? {
            if document.len() + chunk.bytes.len() > DOCUMENT_BYTES {
                let message = format!(
                    "the file has more than the {DOCUMENT_BYTES} bytes that one conversation may have; nothing was imported"
                );
                return Err(Failure::new(ErrorCode::TooLarge, message));
            }
            document.extend_from_slice(&chunk.bytes);
        }
        let imported = self.store(move |transcripts| transcripts.read_back(&document)).await?;
        self.changed(imported.conversation).await;
        Ok(imported)
    }
}
