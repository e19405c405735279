//! Facts, links and explanations, as the service `memory` gives them.
//!
//! What holds and what is linked is the store's to know ([`butterfly_store::facts`], [`butterfly_store::graph`]); here it
//! is asked off the event loop.

use crate::core::Core;
use butterfly_api::memory::{Correction, ExplainRequest, Explanation, Facts, FactsRequest, GraphRequest, GraphView};
use butterfly_store::facts::now_ms;
use butterfly_store::transcripts::row;
use butterfly_store::{facts, graph, shown};
use butterfly_wire::Failure;
use std::sync::Arc;

/// Answers what is held to be true, and why the model knew.
pub struct Service {
    core: Arc<Core>,
}

impl Service {
    #[must_use]
    pub fn new(core: Arc<Core>) -> Arc<Self> {
        Arc::new(Self { core })
    }

    /// What is held to be true, or was at a time.
    ///
    /// # Errors
    /// The store's.
    pub async fn facts(&self, request: FactsRequest) -> Result<Facts, Failure> {
        self.core.read(move |db| facts::list(db, &request, now_ms())).await
    }

    /// Ends a fact, and notes what holds instead. Returns the new fact, if any, and the old one.
    ///
    /// # Errors
    /// Where there is no such fact, or it does not hold then; the store's.
    pub async fn correct(&self, request: Correction) -> Result<Facts, Failure> {
        self.core.write(move |db| facts::correct(db, &request, now_ms())).await
    }

    /// What is linked around an entity.
    ///
    /// # Errors
    /// Where nothing has that name; the store's.
    pub async fn graph(&self, request: GraphRequest) -> Result<GraphView, Failure> {
        self.core.read(move |db| graph::view(db, &request)).await
    }

    /// What the model was shown for a turn.
    ///
    /// # Errors
    /// Where there is no such message; the store's.
    pub async fn explain(&self, request: ExplainRequest) -> Result<Explanation, Failure> {
        self.core.read(move |db| shown::explain(db, request.message.map(row))).await
    }
}
