//! Finding: words and meaning are searched at the same time, then ranked together.
//!
//! What a vector costs is paid in the model worker, and it may fail or be late: then words, links and time are what there
//! is, and the answer says so.

use crate::config::Config;
use crate::core::Core;
use crate::indexing::Index;
use butterfly_api::memory::{Found, RecallRequest, Recalled, Results, SearchRequest};
use butterfly_client::Bus;
use butterfly_recall::{Query, Weights, fusion, tokens};
use butterfly_store::facts::now_ms;
use butterfly_store::passages;
use butterfly_store::search::{self, Ask, Frequent, Scope};
use butterfly_store::transcripts::row;
use butterfly_wire::Failure;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Results where no number is asked for, and the most there are.
const USUAL: u32 = 10;
const MOST: u32 = 200;

/// Bytes of passages in one reply: three quarters of a frame. The rest carries names and reasons.
const REPLY_BYTES: usize = 768 << 10;

/// Nearest vectors that are asked for: more than count, since some are in the trash or shown already. As of a time, most
/// may be of later.
const NEAREST: usize = search::NEAREST + 20;
const NEAREST_THEN: usize = 400;

/// Time for a query's vector where a person waits for a search, and where one waits for an answer. A model that is being
/// loaded takes longer; then words have to do.
const SEARCH_WAIT: Duration = Duration::from_secs(20);
const RECALL_WAIT: Duration = Duration::from_secs(3);

/// Items that a prompt is offered, before the budget.
const RECALLED: usize = 24;

/// Share of the best one's score below which an item only takes room in a prompt.
const WORTH: f32 = 0.4;

/// Tokens around an item in a prompt: who said it and when.
const ITEM_TOKENS: u32 = 16;

/// Bytes of an item in a prompt: what is longer is not quoted but looked up.
const ITEM_BYTES: usize = 4 << 10;

/// Searches the store.
pub struct Recall {
    core: Arc<Core>,
    config: Arc<Config>,
    index: Arc<Index>,
    frequent: Arc<Frequent>,
}

struct Outcome {
    found: Vec<Found>,
    degraded: Option<String>,
    embed: Duration,
    search: Duration,
}

impl Recall {
    #[must_use]
    pub fn new(core: Arc<Core>, config: Arc<Config>, index: Arc<Index>) -> Self {
        Self { core, config, index, frequent: Arc::default() }
    }

    /// Finds passages.
    ///
    /// # Errors
    /// A conversation that is not there; the database's.
    pub async fn search(&self, bus: &Bus, request: SearchRequest) -> Result<Results, Failure> {
        let name = request.conversation;
        let conversation = match name {
            Some(name) => Some(self.core.read(move |db| passages::conversation(db, &name)).await?),
            None => None,
        };
        let scope = Scope { conversation, as_of_ms: request.as_of_unix_ms.map(row), shown: None };
        let limit = if request.limit == 0 { USUAL } else { request.limit.min(MOST) };
        let outcome = self.find(bus, request.query, scope, limit as usize, SEARCH_WAIT, None).await?;
        Ok(Results {
            results: fitting(outcome.found),
            degraded: outcome.degraded,
            embed_us: micros(outcome.embed),
            search_us: micros(outcome.search),
        })
    }

    /// Finds what a turn's prompt should hold: within the budget, and nothing that the prompt shows anyway.
    ///
    /// # Errors
    /// A turn that is not there; the database's.
    pub async fn recall(&self, bus: &Bus, request: RecallRequest) -> Result<Recalled, Failure> {
        let turn = row(request.turn);
        let (conversation, profile) = self.core.read(move |db| passages::home(db, turn)).await?;
        if !self.config.flag_in(profile.as_deref(), "memory.enabled") {
            return Ok(Recalled { items: Vec::new(), enabled: false, degraded: None });
        }
        if request.budget_tokens == 0 {
            return Ok(Recalled { items: Vec::new(), enabled: true, degraded: None });
        }
        let shown = Some((conversation, row(request.shown_from).min(turn)));
        let scope = Scope { conversation: None, as_of_ms: None, shown };
        let outcome = self.find(bus, request.query, scope, RECALLED, RECALL_WAIT, profile).await?;
        let least = outcome.found.first().map_or(0.0, |best| best.score * WORTH);
        let worth: Vec<Found> = outcome
            .found
            .into_iter()
            .filter(|found| found.score >= least && found.passage.text.len() <= ITEM_BYTES)
            .collect();
        let items =
            fusion::within(worth, request.budget_tokens, |found| tokens::estimate(&found.passage.text) + ITEM_TOKENS);
        Ok(Recalled { items, enabled: true, degraded: outcome.degraded })
    }

    async fn find(
        &self,
        bus: &Bus,
        text: String,
        scope: Scope,
        limit: usize,
        wait: Duration,
        profile: Option<String>,
    ) -> Result<Outcome, Failure> {
        let weights = self.weights(profile.as_deref());
        let query = Arc::new(Query::parse(&text));
        let began = Instant::now();
        let words = {
            let (query, text, scope, frequent) =
                (Arc::clone(&query), text.clone(), scope.clone(), Arc::clone(&self.frequent));
            self.core.read(move |db| search::gather(db, &text, &query, &scope, &frequent))
        };
        let words = async { (words.await, began.elapsed()) };
        let ((gathered, words_took), near) = tokio::join!(words, self.nearest(bus, &text, &scope, wait));
        let gathered = gathered?;
        let (embed, searched) = (near.embed, near.search);
        let (near, degraded) = match near.found {
            Ok(found) => (found, None),
            Err(why) => (Vec::new(), Some(why)),
        };
        let ranking = Instant::now();
        // Recency counts from the moment that is asked about.
        let now_ms = scope.as_of_ms.unwrap_or_else(now_ms);
        let found = self
            .core
            .read(move |db| {
                let ask = Ask { query: &query, scope: &scope, weights: &weights, near: &near, limit, now_ms };
                search::rank(db, &gathered, &ask)
            })
            .await?;
        Ok(Outcome { found, degraded, embed, search: words_took.max(searched) + ranking.elapsed() })
    }

    async fn nearest(&self, bus: &Bus, text: &str, scope: &Scope, wait: Duration) -> Near {
        let mut near = Near { found: Ok(Vec::new()), embed: Duration::ZERO, search: Duration::ZERO };
        if text.trim().is_empty() {
            return near;
        }
        let began = Instant::now();
        let vector = self.index.query_vector(bus, text, wait).await;
        near.embed = began.elapsed();
        let began = Instant::now();
        near.found = match vector {
            Ok(vector) => {
                let narrow = scope.as_of_ms.is_some() || scope.shown.is_some();
                let count = if narrow { NEAREST_THEN } else { NEAREST };
                self.index.nearest(&vector, count, scope.conversation).await
            }
            Err(why) => Err(why),
        };
        near.search = began.elapsed();
        near
    }

    fn weights(&self, profile: Option<&str>) -> Weights {
        let weight = |name: &str| self.config.number_in(profile, &format!("memory.recall.weight_{name}")) as f32;
        Weights {
            word: weight("word"),
            meaning: weight("meaning"),
            link: weight("link"),
            recency: weight("recency"),
            tag: weight("tag"),
            neighbour: weight("neighbour"),
        }
    }
}

struct Near {
    found: Result<Vec<(i64, f32)>, String>,
    embed: Duration,
    search: Duration,
}

/// As many results as one frame holds.
fn fitting(found: Vec<Found>) -> Vec<Found> {
    let mut bytes = 0;
    found
        .into_iter()
        .take_while(|found| {
            let details: usize = found.reasons.iter().map(|reason| reason.detail.len() + 16).sum();
            bytes += found.passage.text.len() + details + 256;
            bytes <= REPLY_BYTES
        })
        .collect()
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}
