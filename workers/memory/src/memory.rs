//! The service `memory`: what was noted, found again, imported and forgotten.
//!
//! Finding is [`recall`]'s, reading files of lines is [`import`]'s, and facts and links are [`crate::graph`]'s; here they
//! become one service. It does *not* decide what a model is shown: the agent loop asks for what fits.

pub mod import;
pub mod recall;

use crate::config::Config;
use crate::core::Core;
use crate::extraction::{self, Extraction};
use crate::graph;
use crate::indexing::{Index, Progress};
use butterfly_api::Chunk;
use butterfly_api::memory::{
    AddRequest, Added, Correction, Details, ExplainRequest, Explanation, Facts, FactsRequest, ForgetRequest, Forgotten,
    GraphRequest, GraphView, ImportReport, IndexProgress, Indexed, ListRequest, Memory, Passages, RecallRequest,
    Recalled, Results, SearchRequest, Which,
};
use butterfly_client::{Call, Inlet, Outlet};
use butterfly_store::facts::{self, now_ms};
use butterfly_store::forget;
use butterfly_store::passages::{self, Note};
use butterfly_store::transcripts::{id, row};
use butterfly_wire::{ErrorCode, Failure};
use import::Importer;
use recall::Recall;
use std::sync::Arc;
use tokio::sync::watch;

/// Passages and facts that one call may name. A reply lists what goes; more would not fit a frame.
const FORGOTTEN: usize = 1_000;

/// `memory.enabled`: off means that nothing is extracted.
const ENABLED: &str = "memory.enabled";

/// Serves memories.
pub struct Service {
    core: Arc<Core>,
    config: Arc<Config>,
    index: Arc<Index>,
    recall: Recall,
    graph: Arc<graph::Service>,
    extraction: Arc<Extraction>,
}

impl Service {
    #[must_use]
    pub fn new(
        core: Arc<Core>,
        config: Arc<Config>,
        index: Arc<Index>,
        graph: Arc<graph::Service>,
        extraction: Arc<Extraction>,
    ) -> Self {
        let recall = Recall::new(Arc::clone(&core), Arc::clone(&config), Arc::clone(&index));
        Self { core, config, index, recall, graph, extraction }
    }
}

impl Memory for Service {
    async fn add(&self, _: Call, request: AddRequest) -> Result<Added, Failure> {
        let extract = self.config.flag(ENABLED);
        let model = self.extraction.may_ask();
        let note = Note {
            text: request.text,
            speaker: request.speaker,
            tags: request.tags,
            conversation: request.conversation.map(row),
            source: request.source.map(row),
            at_ms: request.at_unix_ms.map_or_else(now_ms, row),
        };
        self.core
            .write(move |db| {
                let (memory, known) = passages::add(db, &note)?;
                if extract && !known {
                    extraction::note(db, memory, model)?;
                }
                Ok(Added { id: id(memory), known, facts: facts::of_passage(db, memory)? })
            })
            .await
    }

    async fn search(&self, call: Call, request: SearchRequest) -> Result<Results, Failure> {
        self.extraction.catch_up().await;
        self.recall.search(call.bus(), request).await
    }

    async fn recall(&self, call: Call, request: RecallRequest) -> Result<Recalled, Failure> {
        self.extraction.catch_up().await;
        self.recall.recall(call.bus(), request).await
    }

    async fn list(&self, _: Call, request: ListRequest) -> Result<Passages, Failure> {
        self.core.read(move |db| passages::list(db, &request)).await
    }

    async fn show(&self, _: Call, request: Which) -> Result<Details, Failure> {
        self.core
            .read(move |db| {
                let stored = passages::one(db, request.id)?;
                Ok(Details {
                    passage: stored.passage(),
                    facts: facts::of_passage(db, stored.id)?,
                    derived: passages::derived(db, request.id)?.iter().map(passages::Stored::passage).collect(),
                    embedded_by: passages::embedded_by(db, stored.id)?,
                })
            })
            .await
    }

    async fn forget(&self, _: Call, request: ForgetRequest) -> Result<Forgotten, Failure> {
        if request.ids.len() + request.facts.len() > FORGOTTEN {
            let message =
                format!("at most {FORGOTTEN} passages and facts are forgotten at once; name fewer, several times");
            return Err(Failure::new(ErrorCode::BadPayload, message));
        }
        let ids: Vec<i64> = request.ids.iter().copied().map(row).collect();
        let facts: Vec<i64> = request.facts.iter().copied().map(row).collect();
        let dry_run = request.dry_run;
        let gone = ids.clone();
        if dry_run {
            // A preview takes back what it does, which only a writer can.
            return self.core.write(move |db| forget::forget(db, &ids, &facts, true)).await;
        }
        let forgotten = self.core.write(move |db| forget::forget(db, &ids, &facts, false)).await?;
        let more = forgotten.passages.iter().map(|passage| row(passage.id));
        let mut gone: Vec<i64> = gone.into_iter().chain(more).collect();
        gone.sort_unstable();
        gone.dedup();
        if let Err(failure) = self.index.forget(gone).await {
            // The outbox has it too: the vectors go with the next round.
            tracing::warn!("vectors of what was forgotten are still there: {failure}");
        }
        Ok(forgotten)
    }

    async fn import(&self, call: Call, (): (), items: Inlet<Chunk>) -> Result<ImportReport, Failure> {
        let provenance = call.provenance().union(butterfly_wire::Provenance::FILE);
        let mut importer = Importer::new(Arc::clone(&self.core), provenance.0, self.config.flag(ENABLED));
        let mut items = items;
        while let Some(chunk) = items.next().await? {
            importer.push(&chunk.bytes).await?;
        }
        importer.finish().await
    }

    async fn index(&self, _: Call, (): (), mut out: Outlet<IndexProgress>) -> Result<Indexed, Failure> {
        let (told, mut progress) = watch::channel(Progress { waiting: 0, done: 0 });
        let settle = self.index.settle(move |reached: Progress| {
            told.send_replace(reached);
            std::future::ready(())
        });
        let tell = async {
            // It ends when settling does, which drops the other end.
            while progress.changed().await.is_ok() {
                let reached = *progress.borrow_and_update();
                out.send(&IndexProgress { waiting: reached.waiting, done: reached.done }).await?;
            }
            Ok::<(), Failure>(())
        };
        let (degraded, told) = tokio::join!(settle, tell);
        told?;
        let waiting = self.index.status().await?.waiting;
        Ok(Indexed { waiting, degraded })
    }

    async fn facts(&self, _: Call, request: FactsRequest) -> Result<Facts, Failure> {
        self.extraction.catch_up().await;
        self.graph.facts(request).await
    }

    async fn correct(&self, _: Call, request: Correction) -> Result<Facts, Failure> {
        self.graph.correct(request).await
    }

    async fn graph(&self, _: Call, request: GraphRequest) -> Result<GraphView, Failure> {
        self.extraction.catch_up().await;
        self.graph.graph(request).await
    }

    async fn explain(&self, _: Call, request: ExplainRequest) -> Result<Explanation, Failure> {
        self.graph.explain(request).await
    }
}
