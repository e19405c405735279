//! Vectors of what people look for: asked of the model worker in the foreground, and kept for a while.

use super::hold;
use butterfly_api::model::{Cause, Embed, EmbedAs, EmbedRequest, ModelError};
use butterfly_client::Bus;
use butterfly_recall::window;
use butterfly_store::outbox::models::Model;
use butterfly_wire::{ErrorCode, Failure};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Vectors that are kept: a conversation's recall and a person's repeated search, not more. 100 kB of 384 dimensions.
const KEPT: usize = 64;

/// After a vector did not come in time, none is asked for during this: the searches meanwhile are not slowed.
const REST: Duration = Duration::from_secs(15);

/// A vector of a query, and whose it is.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryVector {
    values: Arc<[f32]>,
    model: Model,
}

impl QueryVector {
    pub(super) fn model(&self) -> &Model {
        &self.model
    }
}

impl std::ops::Deref for QueryVector {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.values
    }
}

/// Why there is no vector.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    /// The server has no such model any more.
    pub missing: bool,
    pub message: String,
}

struct Kept {
    text: String,
    vector: QueryVector,
}

/// The vectors that are kept, the last used ones at the end.
#[derive(Default)]
pub(super) struct Queries {
    kept: Mutex<VecDeque<Kept>>,
    resting: Mutex<Option<(Instant, String)>>,
}

impl Queries {
    /// The vector of a text by this model.
    pub(super) async fn vector(
        &self,
        bus: &Bus,
        model: &Model,
        text: &str,
        within: Duration,
    ) -> Result<QueryVector, Refused> {
        let text = window::head(text.trim(), window::PASSAGE_BYTES);
        if text.is_empty() {
            return Err(Refused {
                missing: false,
                message: "There are no words whose meaning could be searched".to_owned(),
            });
        }
        if let Some(vector) = self.kept(model, text) {
            return Ok(vector);
        }
        if let Some((until, why)) = hold(&self.resting).clone()
            && Instant::now() < until
        {
            return Err(Refused { missing: false, message: why });
        }
        let request =
            EmbedRequest { model: Some(model.name.clone()), embed_as: EmbedAs::Query, texts: vec![text.to_owned()] };
        let asked = bus.within(within);
        let answer = match tokio::time::timeout(within, asked.call::<Embed>(&request)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(failure)) => return Err(self.refused(&failure, within)),
            Err(_) => return Err(self.late(within)),
        };
        let values = answer.vectors.into_iter().next().unwrap_or_default();
        if values.len() != model.length() || !values.iter().all(|value| value.is_finite()) {
            let message = format!(
                "Meaning is not searched: {} gave a vector of {} numbers where {} were due; its vectors are made again",
                model.name,
                values.len(),
                model.dimensions
            );
            return Err(Refused { missing: true, message });
        }
        let vector = QueryVector { values: values.into(), model: model.clone() };
        self.keep(text, vector.clone());
        Ok(vector)
    }

    fn refused(&self, failure: &Failure, within: Duration) -> Refused {
        if failure.code == ErrorCode::DeadlineExceeded {
            return self.late(within);
        }
        let cause = ModelError::from_failure(failure).map(|error| error.cause);
        let missing = matches!(cause, Some(Cause::ModelMissing { .. } | Cause::Unsupported));
        Refused { missing, message: format!("Meaning is not searched: {}", failure.message) }
    }

    fn late(&self, within: Duration) -> Refused {
        let message = format!(
            "Meaning is not searched: the embedding model took more than {:.1} s for the question; it may be loading, try again in a minute",
            within.as_secs_f32()
        );
        *hold(&self.resting) = Some((Instant::now() + REST, message.clone()));
        Refused { missing: false, message }
    }

    /// Vectors come again.
    pub(super) fn awake(&self) {
        *hold(&self.resting) = None;
    }

    fn kept(&self, model: &Model, text: &str) -> Option<QueryVector> {
        let mut kept = hold(&self.kept);
        let place = kept.iter().position(|kept| kept.text == text && kept.vector.model.id == model.id)?;
        let found = kept.remove(place)?;
        let vector = found.vector.clone();
        kept.push_back(found);
        Some(vector)
    }

    fn keep(&self, text: &str, vector: QueryVector) {
        let mut kept = hold(&self.kept);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(Kept { text: text.to_owned(), vector });
    }
}
