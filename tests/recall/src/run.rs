//! One run: the fixture in a store, searched by words, by meaning, and by both.

use crate::exchange::qualified;
use crate::fixture::{Fixture, Question};
use crate::vectors::Vectors;
use anyhow::{Context, Result};
use butterfly_recall::window::{self, Turn};
use butterfly_recall::{Query, Weights};
use butterfly_store::passages::{self, import, neighbours};
use butterfly_store::search::{self, Ask, Frequent, Gathered, Scope};
use butterfly_store::{Store, StoreError};
use std::collections::HashMap;
use std::rc::Rc;
use tempfile::TempDir;

/// Nearest vectors, as the memory worker asks for.
const NEAREST: usize = search::NEAREST;

/// Results of a search.
const RESULTS: usize = 20;

/// What is searched by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Words,
    Meaning,
    Both,
}

/// Where is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// In all that was ever said.
    Everywhere,
    /// In the question's conversation alone.
    Conversation,
}

/// The fixture in a store, with vectors.
pub struct Library {
    _folder: TempDir,
    store: Store,
    embedder: Rc<Vectors>,
    vectors: Vec<(i64, i64, Vec<f32>)>,
    frequent: Frequent,
    weights: Weights,
}

impl Library {
    /// Takes the fixture in and embeds it.
    ///
    /// # Errors
    /// The store's or the embedder's.
    pub fn new(fixture: &Fixture, embedder: Rc<Vectors>, weights: Weights) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let store = Store::open(folder.path())?;
        let taken = store.write(|db| import::take(db, &fixture.turns, 0))?;
        let texts = store.read(|db| windows(db, &taken.passages))?;
        let ids: Vec<(i64, i64)> = texts.iter().map(|(id, conversation, _)| (*id, *conversation)).collect();
        let embedded = embedder.of(&texts.into_iter().map(|(_, _, text)| text).collect::<Vec<_>>())?;
        let vectors =
            ids.into_iter().zip(embedded).map(|((id, conversation), vector)| (id, conversation, vector)).collect();
        Ok(Self { _folder: folder, store, embedder, vectors, frequent: Frequent::default(), weights })
    }

    /// External ids of the results for each question, best first; `conversation/id` where everything is searched.
    ///
    /// # Errors
    /// The store's or the embedder's.
    pub fn rankings(&self, questions: &[Question], by: By, place: Where) -> Result<Vec<Vec<String>>> {
        let texts: Vec<String> = questions.iter().map(|question| question.text.clone()).collect();
        let vectors = self.embedder.of(&texts)?;
        questions.iter().zip(vectors).map(|(question, vector)| self.ranking(question, &vector, by, place)).collect()
    }

    fn ranking(&self, question: &Question, vector: &[f32], by: By, place: Where) -> Result<Vec<String>> {
        let conversation = match place {
            Where::Everywhere => None,
            Where::Conversation => Some(self.store.read(|db| passages::conversation(db, &question.conversation))?),
        };
        let scope = Scope { conversation, ..Scope::default() };
        let near = match by {
            By::Words => Vec::new(),
            By::Meaning | By::Both => self.nearest(vector, conversation),
        };
        if by == By::Meaning {
            let ids: Vec<i64> = near.iter().take(RESULTS).map(|(id, _)| *id).collect();
            let mut read: HashMap<i64, String> = self
                .store
                .read(|db| passages::load(db, &ids, &scope))?
                .into_iter()
                .map(|stored| (stored.id, name(stored.conversation, stored.external_id)))
                .collect();
            return ids.iter().map(|id| read.remove(id).context("a vector without its passage")).collect();
        }
        let query = Query::parse(&question.text);
        let found = self.store.read(|db| {
            let gathered: Gathered = search::gather(db, &question.text, &query, &scope, &self.frequent)?;
            // The moment from which recency counts is not today: a run must give the same in a year.
            let ask = Ask {
                query: &query,
                scope: &scope,
                weights: &self.weights,
                near: &near,
                limit: RESULTS,
                now_ms: NOW_MS,
            };
            search::rank(db, &gathered, &ask)
        })?;
        Ok(found.into_iter().map(|found| name(found.passage.conversation, found.passage.external_id)).collect())
    }

    fn nearest(&self, vector: &[f32], conversation: Option<i64>) -> Vec<(i64, f32)> {
        let mut near: Vec<(i64, f32)> = self
            .vectors
            .iter()
            .filter(|(_, home, _)| conversation.is_none_or(|only| only == *home))
            .map(|(id, _, other)| (*id, vector.iter().zip(other).map(|(one, other)| one * other).sum()))
            .collect();
        near.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
        near.truncate(NEAREST);
        near
    }
}

/// 2025-12-31T00:00:00Z: after all that the fixture tells.
const NOW_MS: i64 = 1_767_139_200_000;

/// How a passage is named in a ranking: ids repeat between conversations.
#[must_use]
pub fn name(conversation: Option<String>, id: Option<String>) -> String {
    qualified(&conversation.unwrap_or_default(), &id.unwrap_or_default())
}

type Window = (i64, i64, String);

/// What is embedded for each passage.
fn windows(db: &mut diesel::SqliteConnection, ids: &[i64]) -> Result<Vec<Window>, StoreError> {
    let stored: HashMap<i64, passages::Stored> =
        passages::load(db, ids, &Scope::default())?.into_iter().map(|stored| (stored.id, stored)).collect();
    let beside = neighbours::of(db, ids)?;
    let turn = |id: Option<i64>| {
        id.and_then(|id| stored.get(&id)).map(|stored| Turn { speaker: &stored.speaker, text: &stored.text })
    };
    Ok(ids
        .iter()
        .filter_map(|id| {
            let own = stored.get(id)?;
            let (before, after) = beside.get(id).copied().unwrap_or_default();
            let text = window::embedded(turn(before), turn(Some(*id))?, turn(after));
            Some((*id, own.conversation_id.unwrap_or(0), text))
        })
        .collect())
}
